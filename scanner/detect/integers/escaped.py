r"""Numbers in base64 with escapes in it, as JSON has them: ``\/`` of PHP, ``\u002B`` of .NET.

``json_encode`` writes each slash so, and ``System.Text.Json`` each plus: of texts of 32 bytes one
in two has one, of longer ones all have. The whole value between its quotes is such a text, in one
byte a character or in two, and of a document in another one more backslashes stand before each.
This module refuses to say what a number is.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.integers import spaced

FORM = "escaped base64"

SIZES = (32, 48, 57, 64, 66, 96, 114, 128, 132, 192, 256, 384, 512)
"""Bytes of the numbers: scalars and seeds (a seed and its public key: 64, 114; a point: 64, 96,
132), and those of RSA up to 4096 bits."""

_LONGEST, _SHORTEST = 1024, 44
"""Characters of such a text: with an escape for each 16 of 512 bytes, and with one in 32."""

_PIECE, _MOST = 1 << 18, 1 << 11
"""Bytes that are searched at once, and escapes in them that are looked at: addresses in JSON are
full of slashes."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_INSIDE = np.isin(np.arange(256), list(_ALPHABET + b"\\"))
_BEFORE = _INSIDE | (np.arange(256) == ord('"'))
_SLASHED, _SLASH, _NUMBER = b"\\/u"
_ESCAPE = re.compile(rb"\\{1,4}(?:/|u002([bBfF]))")
_TEXT = re.compile(
    rb"((?:[A-Za-z0-9+/]|\\{1,4}(?:/|u002[bBfF])){43,}+)(?:={0,2}|(?:\\{1,4}u003[dD]){1,2})"
)
_QUOTE = b'"'


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such texts."""
    found = [np.empty((0, 2), np.int64)]
    for low, high in filled:
        for first in range(low, high, _PIECE):
            for width, at in _marks(buffer, first, min(first + _PIECE, high)):
                found += _around(buffer, at[:_MOST].tolist(), width)
    both = np.unique(np.concatenate(found), axis=0)
    return both[:, 0], both[:, 1]


def _marks(buffer: Bytes, low: int, high: int) -> Iterator[tuple[int, Offsets]]:
    """Yield where escapes begin behind base64 or a quote, in one byte a character and in two."""
    last = len(buffer) - 4
    at = low + np.flatnonzero(buffer[low : min(high, last)] == _SLASHED)
    if len(at):
        for width in (1, 2):
            letters = at[_BEFORE[buffer[at - width]] & (at >= low + width)]
            marks = buffer[letters + width]
            escapes = (marks == _SLASH) | (marks == _NUMBER) | (marks == _SLASHED)
            if width == 2:
                escapes &= buffer[letters + 1] == 0
            yield width, letters[escapes]


def _around(buffer: Bytes, marks: list[int], width: int) -> Iterator[Offsets]:
    """Yield start and end of the texts between quotes in which escapes stand."""
    quote, last = _QUOTE + bytes(width - 1), 0
    for at in marks:
        if at < last:
            continue
        first = max(at - _LONGEST * width, 0)
        data = buffer[first : at + _LONGEST * width].tobytes()
        start, end = data.rfind(quote, 0, at - first), data.find(quote, at - first)
        last = first + end
        start += width
        text = data[start:end][::width]
        size = len(text.rstrip(b"\\"))
        if end > start >= width and size >= _SHORTEST and _spelled(text[:size]) is not None:
            yield np.array([[first + start, first + start + size * width]], np.int64)


def read(text: bytes) -> bytes | None:
    """Return the number that such a text spells, which fills ``text``; else None."""
    width = 1 + (text[1:2] == b"\0")
    if len(text) > _LONGEST * width or (width == 2 and any(text[1::2])):
        return None
    return _spelled(text[::width])


def _spelled(text: bytes) -> bytes | None:
    match = _TEXT.fullmatch(text)
    if match is None or b"\\" not in match[1]:
        return None
    plain = _ESCAPE.sub(lambda one: b"+" if one[1] in (b"b", b"B") else b"/", match[1])
    try:
        raw = base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return None
    raw = raw[1:] if len(raw) - 1 in SIZES and raw[0] in b"\0\2\3\4" else raw
    mixed = len(raw) in SIZES and spaced.varied(np.frombuffer(raw, np.uint8)[None])[0]
    return raw if mixed else None


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first bytes of runs which are such texts, or base64 without an escape there."""
    rows = data[at[:, None] + np.arange(16)]
    rows[:, 1::2] += (rows[:, 1::2] == 0) * rows[:, ::2]  # of two bytes a character
    found: Flags = _INSIDE[rows].all(axis=1)
    return found
