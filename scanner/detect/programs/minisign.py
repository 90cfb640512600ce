"""Secret keys of minisign and signify: one line of base64, which begins with its algorithms.

Sources: minisign.h (SeckeyStruct) and signify.c (struct enckey). Both hold an Ed25519 seed with its
public key behind it, so an unencrypted key proves itself. An encrypted one says its derivation and
is for ``encrypted``. Update servers and package builders hold such keys.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, escapes
from scanner.detect.encodings.armour import Text
from scanner.detect.evidence import okp_seed, proved
from scanner.detect.locked import pbe
from scanner.rules import Rule

MARKS = (b"RWRTY0Iy", b"RWQAAEIy", b"RWRCSw")
"""Ed Sc B2 and Ed 00 00 B2 of minisign, Ed BK of signify, in base64."""

_LONGEST = 512
"""Characters of a key, each of which may be escaped."""

_MINISIGN = struct.Struct("<2s2s2s32sQQ8s64s32s")
_SIGNIFY = struct.Struct(">2s2sI16s8s8s64s")
_COSTS = range(1 << 15, 1 << 40)
_ROUNDS = range(1 << 20)
_ENOUGH_ROUNDS = 42
"""Rounds of bcrypt_pbkdf that signify takes."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class File:
    """A secret key that was read: its 64 bytes, and what protects them, if anything does."""

    program: str
    secret: bytes
    protection: str
    size: int
    """Characters of base64, padding left out."""


def read(text: bytes) -> File | None:
    """Read the secret key at the start of ``text``; None for anything else."""
    plain = escapes.undone(text)
    file = _read(plain.text)
    return replace(file, size=plain.size(file.size)) if file else None


def _read(text: bytes) -> File | None:
    if text.startswith(MARKS[2]):
        return _signify(text)
    if not text.startswith(MARKS[:2]):
        return None
    size = (_MINISIGN.size * 8 + 5) // 6
    data = armour.decode(armour.gather(text[:size])[0])
    if len(data) != _MINISIGN.size:
        return None
    _, kdf, _, _, ops, memory, _, secret, _ = _MINISIGN.unpack(data)
    protection = ""
    if kdf == b"Sc":
        if ops not in _COSTS or memory not in _COSTS:
            return None
        fast = ops // 4 < pbe.ENOUGH_SCRYPT
        protection = f"scrypt, {ops} operations, {memory >> 20} MiB{pbe.strength(fast=fast)}"
    return File(program="minisign", secret=secret, protection=protection, size=size)


def _signify(text: bytes) -> File | None:
    size = (_SIGNIFY.size * 8 + 5) // 6
    data = armour.decode(armour.gather(text[:size])[0])
    if len(data) != _SIGNIFY.size:
        return None
    _, _, rounds, _, _, _, secret = _SIGNIFY.unpack(data)
    if rounds not in _ROUNDS:
        return None
    fast = rounds < _ENOUGH_ROUNDS
    protection = f"bcrypt, {rounds} rounds{pbe.strength(fast=fast)}" if rounds else ""
    return File(program="signify", secret=secret, protection=protection, size=size)


def text_of(memory: Memory, space: int, offset: int) -> tuple[Text, File | None]:
    """Return the text at ``offset``, and the secret key that it is."""
    text = armour.text_at(memory, space, offset)
    return text, read(text.read(_LONGEST))


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the unencrypted key that begins at ``offset``: the seed gives the public key behind."""
    text, file = text_of(memory, space, offset)
    if file is None or file.protection:
        return
    key = okp_seed("ed25519", file.secret[:32], file.secret[32:])
    if key is not None:
        place, wide = armour.located(memory, space, text.offset, file.size, text.width)
        yield proved(key, rule, f"{file.program}{wide}", (place,))
