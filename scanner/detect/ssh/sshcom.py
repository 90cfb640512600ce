"""Private keys in the format of ssh.com, which Tectia writes and PuTTY imports and exports.

Source: the format as PuTTY reads it (import.c): a magic number, a length, the kind of key, a cipher
and a blob, whose numbers have their length in bits before them. What is encrypted is no key here,
and the label says ``ENCRYPTED`` either way. The numbers must prove each other.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from scanner.detect.algebra import groups
from scanner.detect.algebra.material import Ffc, Rsa
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, escapes
from scanner.detect.evidence import proved, rsa_primes
from scanner.detect.ssh.blobs import NotSsh, Wire
from scanner.rules import Rule

LABEL = b"SSH2 ENCRYPTED PRIVATE KEY ----"
MAGIC = bytes.fromhex("3f6ff9eb")

LONGEST = 16 * 1024
"""Bytes of the longest key, and so many characters and a third more."""

_HEAD, _MARGIN = 8, 2048
_RSA, _DSA = b"if-modn{sign{rsa-pkcs1-", b"dl-modp{sign{dsa-nist-sha1}"
_TEXT = re.compile(
    rb"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----[\r\n]{1,2}"
    rb"((?:[A-Za-z][A-Za-z0-9-]{0,63}: (?:[^\\\r\n\0]|\\[\r\n]{1,2}){0,1024}[\r\n]{1,2}){0,8})"
    rb"([A-Za-z0-9+/=\r\n]{64,24000}?)---- END SSH2 ENCRYPTED PRIVATE KEY ----"
)
_BEGIN = b"---- BEGIN "


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key that has the anchor at ``offset``, its magic number or its label, or begins."""
    if memory.clip(space, offset, len(MAGIC)) == MAGIC:
        head = memory.clip(space, offset, _HEAD)
        size = int.from_bytes(head[len(MAGIC) :], "big")
        key = _read(memory.clip(space, offset, size)) if size <= LONGEST else None
        if key is not None:
            place, _ = armour.located(memory, space, offset, size, 1)
            yield proved(key, rule, "ssh.com", (place,))
        return
    behind = LONGEST * 4 // 3 + _MARGIN
    text, raw, at = armour.stretch(armour.text_at(memory, space, offset), len(_BEGIN), behind)
    first = at if raw.startswith(_BEGIN, at) else at - len(_BEGIN)
    plain = escapes.undone(raw[first:] if first >= 0 else b"")
    match = _TEXT.match(plain.text)
    if match is None:
        return
    try:
        key = _read(base64.b64decode(match[2].translate(None, b"\r\n"), validate=True))
    except binascii.Error:
        return
    if key is not None:
        where, size = text.offset + first * text.width, plain.size(match.end())
        place, wide = armour.located(memory, space, where, size, text.width)
        yield proved(key, rule, f"ssh.com text{wide}", (place,))


def _read(data: bytes) -> Rsa | Ffc | None:
    """Return the key of a whole object, if its numbers prove it."""
    wire = Wire(data)
    try:
        if wire.word() != int.from_bytes(MAGIC, "big") or wire.word() != len(data):
            return None
        kind, cipher = wire.string(), wire.string()
        blob = Wire(wire.string())
        if cipher != b"none" or blob.word() > len(blob.data) - 4:
            return None
        if kind.startswith(_RSA):
            e, _, n, _, q, p = (_number(blob) for _ in range(6))
            return rsa_primes(n, e, p, q)
        if kind.startswith(_DSA) and blob.word() == 0:
            p, g, q, y, x = (_number(blob) for _ in range(5))
            return groups.proved(p, q, g, y, x)
    except NotSsh:
        return None
    return None


def _number(wire: Wire) -> int:
    """Return the next number, whose length is in bits. Raises NotSsh."""
    bits = wire.word()
    size = (bits + 7) // 8
    raw = wire.data[wire.at : wire.at + size]
    if size > LONGEST or len(raw) != size:
        raise NotSsh
    wire.at += size
    return int.from_bytes(raw, "big")
