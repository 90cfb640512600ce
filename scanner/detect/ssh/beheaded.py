"""OpenSSH key files in base64 of which the beginning is gone, or whose lines stand apart.

The name of the type stands twice in a file, and before the private fields for the second time: in
base64 it is an anchor. From there on the fields are read, in one text, or in lines that a program
keeps one by one, of which the first often stands elsewhere. Files that are whole are left to
``openssh``.
"""

import re
from collections.abc import Iterator

from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour, lines
from scanner.detect.encodings.armour import Run, Text
from scanner.detect.evidence import Key, proved
from scanner.detect.ssh import blobs
from scanner.detect.ssh.openssh_fields import (
    LONGEST,
    MAGIC,
    blob_of,
    public_of,
    read,
    read_file,
)
from scanner.model import Place
from scanner.rules import Rule

_BEGUN = re.compile(
    rb"\0\0\0(?:\x0bssh-ed25519\0\0\0\x20.{32}\0\0\0\x40"
    rb"|\x13ecdsa-sha2-nistp(?:256\0\0\0\x08nistp256\0\0\0\x41\x04.{64}"
    rb"|384\0\0\0\x08nistp384\0\0\0\x61\x04.{96}|521\0\0\0\x08nistp521\0\0\0\x85\x04.{132})"
    rb"\0\0\0[\x01-\x43]|\x07ssh-rsa\0\0[\x00-\x08].\0[\x80-\xff])",
    re.DOTALL,
)
"""Fields up to the first private one, or up to what a public blob would have otherwise."""

_PADS, _FEW = (4, 1, 2, 3), 320
"""Zeros (A) put before what is decoded: before an anchor four, which may be the beginning of a
length; before a place, which is where the length begins, as many as it takes. Characters in which
such fields lie."""

_NAME = re.compile(rb"ssh-|ecdsa-")
_NEAR = 12
"""Bytes in which a type begins that is decoded rightly."""

_PREFIX = len(MAGIC) + 7 * 4
"""Bytes of a file before its public blob: twice ``none``, no options, one key, the lengths."""


def examine(text: Text, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key whose type is written in base64 at the start of a text.

    Little is read first: public keys by the hundred thousand begin with a type.
    """
    if _begun(armour.gather(text.read(_FEW))[0]) is not None:
        run = armour.around(text.read(LONGEST), 0)
        found = _fields(run) if run is not None else None
        if run is not None and found is not None:
            key, first, last = found
            if not _is_whole(text, first, key):
                start = run.places[max(first, 0)]
                size = run.places[min(last, len(run.places)) - 1] + 1 - start
                start = text.offset + start * text.width
                place, wide = armour.located(text.memory, text.space, start, size, text.width)
                yield from _said(key, (place,), wide, rule)
            return
    for whole, run in lines.joined(text):
        found = _fields(run)
        if found is not None:
            key, first, last = found
            places, wide = lines.placed(whole, run, max(run.at + first, 0), run.at + last)
            yield from _said(key, places, f" lines{wide}", rule)
            return


def _begun(chars: bytes) -> tuple[int, int] | None:
    """Return how many zeros stand before base64 that begins with a type, and where its fields do.

    In bytes of what is decoded so.
    """
    for pad in _PADS:
        data = armour.decode(b"A" * pad + chars[:_FEW])
        match = _BEGUN.search(data)
        if match and match.start() <= pad * 6 // 8:
            return pad, match.start()
        if _NAME.search(data, 0, _NEAR):
            return None
    return None


def _fields(run: Run) -> tuple[Key, int, int] | None:
    """Return the key whose type begins at the character asked for, its first and its last one.

    They are counted from there.
    """
    chars = run.chars[run.at :]
    pad, at = _begun(chars) or (0, 0)
    found = read(armour.decode(b"A" * pad + chars)[at:]) if pad else None
    if found is None:
        return None
    # The first byte is a zero: of a character that has bits of it nothing is lost.
    return found.key, -(-at * 8 // 6) - pad, -(-(at + found.size) * 8 // 6) - pad


def _said(
    key: Key, places: tuple[Place, ...], how: str, rule: Rule
) -> Iterator[Proved | PublicKey]:
    """Yield a key at some places, and its public half."""
    yield proved(key, rule, f"OPENSSH-PEM (damaged){how}", places)
    yield blobs.named(public_of(key), blob_of(key), places[0])


def _is_whole(text: Text, begun: int, key: Key) -> bool:
    """Tell whether a file is whole whose private fields begin so many characters into a text."""
    before = -(-(_PREFIX + len(blob_of(key)) + 4 + 8) * 8 // 6)
    _, raw, lead = armour.stretch(text, LONGEST, LONGEST)
    run = armour.around(raw, lead)
    start = run.at + begun - before if run is not None else -1
    if run is None or start < 0:
        return False
    return read_file(armour.decode(run.chars[start:])) is not None
