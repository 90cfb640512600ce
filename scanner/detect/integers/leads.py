"""What stands right before a text and looks like its first characters: its count, or an escape.

A byte that counts a text is a letter or a sign, where the text is as long as a number is in base64
(43 is ``+``, 86 is ``V``): so CBOR, MessagePack, pickles, property lists, Java's serialization and
the protocols of databases lay texts down. And JSON within JSON, or within a URL, writes the quote
before a text in letters and digits. This module reads no number: where such a text may begin both
readings are looked at.
"""

from collections.abc import Iterator

import numpy as np

from scanner.arrays import Bytes, Offsets
from scanner.detect.integers import characters
from scanner.detect.integers.bare_numbers import INSIDE

_PERCENT, _BACKSLASH, _PAD, _TEXT = b"%\\=x"
"""What begins an escape of a URL, and of JSON; what fills base64 up; a text of CBOR (RFC 8949)."""

_UNICODE = b"u00"
_ESCAPES = {_PERCENT: 0, _BACKSLASH: len(_UNICODE)}
"""Characters between what begins an escape and its two digits."""

_MORE = 8
"""Bytes of what comes next that may be letters too."""

_NONE = 255
_NIBBLES = np.full(256, _NONE, np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    _NIBBLES[list(_digits)] = range(16)


def without(
    buffer: Bytes, start: Offsets, size: Offsets, width: int, lengths: Bytes
) -> tuple[Offsets, Offsets]:
    """Return where else texts may begin, and their characters: behind what stands before them.

    Of what is as long as some number, which ``lengths`` flag.
    """
    parts = [*_escaped(buffer, start, size, width)]
    parts += _counted(buffer, start, size) if width == 1 else ()
    first, left = (np.concatenate(column) for column in zip(*parts, strict=True))
    keep = lengths[left] > 0
    return first[keep], left[keep]


def _escaped(
    buffer: Bytes, start: Offsets, size: Offsets, width: int
) -> Iterator[tuple[Offsets, Offsets]]:
    """Yield what stands behind digits that spell a character that is no part of a text."""
    before = buffer[np.maximum(start - width, 0)]
    for sign, first in _ESCAPES.items():
        rows = np.flatnonzero((before == sign) & (start >= width) & (size > first + 2))
        text = characters.read(buffer, start[rows], (first + 2) * width)[:, ::width]
        good = (text[:, :first] == np.frombuffer(_UNICODE[:first], np.uint8)).all(axis=1)
        high, low = _NIBBLES[text[:, first]], _NIBBLES[text[:, first + 1]]
        good &= (high != _NONE) & (low != _NONE)
        good &= ~INSIDE[high << 4 | low & 15]
        rows = rows[good]
        yield start[rows] + (first + 2) * width, size[rows] - first - 2


def _counted(buffer: Bytes, start: Offsets, size: Offsets) -> Iterator[tuple[Offsets, Offsets]]:
    """Yield what its first bytes count: all of the rest, or all but the head of what comes next.

    What fills the text up may be counted too. Of a count above 255 the byte before has the rest: it
    is big-endian.
    """
    last = len(buffer) - 1
    padded = buffer[np.minimum(start + size, last)] == _PAD
    zero, first, second = (
        buffer[np.clip(start + step, 0, last)].astype(np.int64) for step in (-1, 0, 1)
    )
    for lead, count, said in (
        (1, first, True),
        (1, zero << 8 | first, zero > 0),
        (2, second, first == _TEXT),
    ):
        left = size - lead
        whole = padded & (count == left + -left % 4)
        good = whole | ((count <= left) & (left - count <= _MORE))
        rows = np.flatnonzero(good & (left > 0) & said)
        yield start[rows] + lead, np.minimum(count, left)[rows]
