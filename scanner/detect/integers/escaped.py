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

_PIECE, _FEW = 1 << 18, 1 << 11
"""Bytes that are searched at once, and escapes that are looked at one by one first."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_INSIDE = np.isin(np.arange(256), list(_ALPHABET + b"\\"))
_BEFORE = _INSIDE | (np.arange(256) == ord('"'))
_SLASHED, _SLASH, _NUMBER = b"\\/u"
_ESCAPE = re.compile(rb"\\{1,4}(?:/|u002([bBfF]))")
_TEXT = re.compile(
    rb"((?:[A-Za-z0-9+/]|\\{1,4}(?:/|u002[bBfF])){43,}+)(?:={0,2}|(?:\\{1,4}u003[dD]){1,2})"
)
_QUOTE, _PADDING = b'"='
_CLOSE = 8
"""Characters within which a quote stands behind padding: backslashes stand before it."""

_SIDE = np.arange(22)
"""On one side of an escape at least half of a text stands."""


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such texts."""
    found = [np.empty((0, 2), np.int64)]
    for low, high in filled:
        slashed = _slashed(buffer, low, high)
        for width in (1, 2) if len(slashed) else ():
            marks = _marks(buffer, slashed[slashed >= low + width], width)
            if len(marks) < _FEW:
                marks = marks[_amid(buffer, marks, width)]
            for part in np.split(marks, np.flatnonzero(np.diff(marks // _PIECE)) + 1):
                found += _around(buffer, part, width) if len(part) else ()
    both = np.unique(np.concatenate(found), axis=0)
    return both[:, 0], both[:, 1]


def _slashed(buffer: Bytes, low: int, high: int) -> Offsets:
    """Return where backslashes stand that something may follow."""
    last = min(high, len(buffer) - 4)
    pieces = range(low, last, _PIECE)
    found = [at + np.flatnonzero(buffer[at : min(at + _PIECE, last)] == _SLASHED) for at in pieces]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _marks(buffer: Bytes, at: Offsets, width: int) -> Offsets:
    """Return which backslashes begin escapes behind base64 or a quote."""
    letters = at[_BEFORE[buffer[at - width]]]
    marks = buffer[letters + width]
    escapes = (marks == _SLASH) | (marks == _NUMBER) | (marks == _SLASHED)
    if width == 2:
        escapes &= buffer[letters + 1] == 0
    kept: Offsets = letters[escapes]
    return kept


def _amid(buffer: Bytes, marks: Offsets, width: int) -> Flags:
    """Tell which escapes have half of a text on one side: few of those in addresses have."""
    behind, before = (side * width * _SIDE for side in (1, -1))
    last = len(buffer) - 1
    likely: Flags = _INSIDE[buffer[np.minimum(marks + behind[-1], last)]]
    likely |= _INSIDE[buffer[np.maximum(marks + before[-1], 0)]]
    at = marks[likely, None]
    sides = (np.minimum(at + behind, last), np.maximum(at + before, 0))
    half, other = (_INSIDE[buffer[side]].all(axis=1) for side in sides)
    likely[likely] = half | other
    return likely


def _around(buffer: Bytes, marks: Offsets, width: int) -> Iterator[Offsets]:
    """Yield start and end of the texts between quotes in which escapes stand."""
    reach = (_LONGEST + 1) * width
    low, high = max(int(marks[0]) - reach, 0), int(marks[-1]) + reach
    for first in range(low, low + width):
        data = buffer[first:high]
        letters = data[::width]
        inside = _INSIDE[letters]
        if width == 2:
            inside[: len(data) // 2] &= data[1::2] == 0
        stops = np.flatnonzero(~inside)
        sizes = np.diff(stops)
        runs = np.flatnonzero((sizes >= _SHORTEST - 1) & (sizes <= _LONGEST + 1))
        begin, end = stops[runs] + 1, stops[runs + 1]
        mine = (marks[(marks - first) % width == 0] - first) // width
        kept = np.searchsorted(mine, begin) < np.searchsorted(mine, end)
        kept &= (letters[begin - 1] == _QUOTE) & np.isin(letters[end], (_QUOTE, _PADDING))
        for start, stop in zip(begin[kept].tolist(), end[kept].tolist(), strict=True):
            text, quote, _ = letters[start : stop + _CLOSE].tobytes().partition(bytes([_QUOTE]))
            text = text.rstrip(b"\\")
            if quote and len(text) >= _SHORTEST and _spelled(text) is not None:
                size = len(text) * width
                yield np.array([[first + start * width, first + start * width + size]], np.int64)


def read(text: bytes) -> bytes | None:
    """Return the number that such a text spells, which fills ``text``; else None."""
    width = 1 + (text[1:2] == b"\0")
    if len(text) > _LONGEST * width or (width == 2 and any(text[1::2])):
        return None
    return _spelled(text[::width])


def _spelled(text: bytes) -> bytes | None:
    match = None if text.islower() else _TEXT.fullmatch(text)  # paths, as a rule
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
