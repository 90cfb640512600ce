r"""Bytes written as a list of numbers: ``[12, 243, 5]`` of JSON, Rust and logs, and its kin.

Solana's tools keep a seed and its public key so; what takes a Buffer or a typed array of JavaScript
through JSON has ``"data":[12,243]`` or ``{"0":12,"1":243}``; Go prints ``[12 243]`` and Java
``[12, -13]``. And hex with something between the bytes: ``<Buffer 0c f3>`` of Node.js, ``0c:f3`` of
OpenSSL, ``0C-F3`` of .NET, ``0x0c, 0xf3`` of C, ``\x0c\xf3`` and ``%0C%F3``. A list is as long as a
number's bytes make it, and ends where other characters begin. What a list may be is said elsewhere
(``listed``), and what is DER is read there too (``spelled``). This module refuses to say what a
number is.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets, Words
from scanner.detect.encodings import listed
from scanner.detect.integers import characters

SIZES = (32, 48, 57, 64, 66, 96, 114, 128, 132, 192, 256)
"""Bytes of the numbers: scalars and seeds (a seed and its public key: 64, 114; a point: 64, 96,
132), and those of RSA up to 2048 bits."""

_TAGS = {size + 1: b"\0\2\3\4" for size in SIZES}
"""Bytes with one more before, and what that may be: the zero of a sign, the kind of a point."""
_SHORT = {65: 66}
"""Bytes of a scalar on P-521 without the zero that it begins with."""
_EVEN = {*SIZES, *_SHORT}
_COUNTS = _EVEN | _TAGS.keys()

_EVERY = (
    sorted({size * parts for size in _COUNTS for parts in (1, 2)}),
    sorted({size + more for size in _COUNTS for more in (0, 1)}),
)
"""How many numbers a list has: in decimal with a name for each, in hex with a letter beside."""

LONGEST = 4096
"""Characters of the longest list."""

_STEP, _FEWEST, _MOST = 4, 2, LONGEST // 16
"""Of so many words one is looked at: of the shortest list two are whole, wherever it begins. Where
more in a row are of a list's range it is none of ours, but a table, pixels, samples."""

_HEAD, _DIGITS = 40, 4
"""Characters by which a list is judged first, and how many of them are digits, and how many none,
at least: an indented one has 20 characters for each number."""

_TRIES = 3
"""Words looked at, one behind the other, with which a list may begin."""

_BACK = 64
"""Characters before the first word that is looked at in which its list begins."""

_REACHES = (160, 640, LONGEST)
"""Characters in which the end of a list is looked for: first in few, and of the rest in more."""

_PIECE, _ROWS = 1 << 18, 1 << 8
_SMALL, _ONES = np.uint64(1 << 32), np.uint64(0x0101010101010101)
_TOPS, _SEVENS = np.uint64(0x8080808080808080), np.uint64(0x7F7F7F7F7F7F7F7F)
_ODD = np.uint64(0xFF00FF00FF00FF00)

_SPACE, _NAME = b" \t\r\n,:", b'"'
_DECIMAL, _HEX = b"0123456789", b"0123456789abcdefABCDEFxX"


def _table(some: bytes) -> Flags:
    found: Flags = np.isin(np.arange(256), list(some))
    return found


_DIGITS_OF = (_table(_DECIMAL), _table(_HEX))
_INSIDE = (_table(_DECIMAL + _SPACE + _NAME + b"-"), _table(_HEX + _SPACE + b"-\\%"))
"""What lists in decimal and in hex are made of."""
_SOME = _INSIDE[0] | _INSIDE[1] | _table(b"\0")
_NIBBLES = np.zeros(256, np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    _NIBBLES[list(_digits)] = range(16)
_MINUS, _COLON, _ZERO, _MARK, _LOWER = b"-:0x "
_ESCAPES = np.frombuffer(b"\\%", np.uint8)
_BEFORE = b'-"'
"""What stands before the first digit and belongs to it: of a number, of a name."""
_MOST_DIGITS, _HEX_DIGITS = 3, (2, 4)
_HALF, _VARIED = 32, 24
"""Of how many bytes so many are different."""


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such lists."""
    words = buffer[: len(buffer) & ~7].view(np.uint64)
    found = [np.empty((0, 2), np.int64)]
    for low, high in filled:
        for first in range(low // 8 & -_STEP, high // 8, _PIECE * _STEP):
            last = min(first + _PIECE * _STEP, high // 8)
            for width, rows in enumerate(_sampled(words[first:last:_STEP]), 1):
                at = (first + _in_short_rows(rows) * _STEP) * 8
                for base in range(2) if len(at) else ():
                    found += _lists(buffer, _likely(buffer, at, width, base), width, base)
    both = np.unique(np.concatenate(found), axis=0)
    return both[:, 0], both[:, 1]


def read(text: bytes) -> bytes | None:
    """Return the number of which a list has the bytes, and which fills a text; else None."""
    width = 1 + (text[1:2] == b"\0")
    if len(text) > LONGEST * width or (width == 2 and any(text[1::2])):
        return None
    raw = listed.whole(text[::width]) or b""
    tagged = len(raw) in _TAGS and raw[0] in _TAGS[len(raw)]
    if len(raw) not in _COUNTS or (len(raw) in _TAGS and not tagged and len(raw) not in _EVEN):
        return None
    raw = raw[1:] if tagged else raw.rjust(_SHORT.get(len(raw), 0), b"\0")
    return raw if _varied(np.frombuffer(raw, np.uint8)[None])[0] else None


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first bytes of runs which are such lists: of random ones, one in a million."""
    rows = data[at[:, None] + np.arange(16)]
    rows[:, 1::2] += (rows[:, 1::2] == 0) * rows[:, ::2]  # of two bytes a character
    found: Flags = np.zeros(len(at), np.bool_)
    for inside, digits in zip(_INSIDE, _DIGITS_OF, strict=True):
        found |= inside[rows].all(axis=1) & ~digits[rows].all(axis=1)
    return found


def _sampled(words: Words) -> tuple[Offsets, Offsets]:
    """Return which words are of characters that lists have: in one byte each, and in two."""
    plain = np.flatnonzero(((words & _TOPS) == 0) & (words > _SMALL))
    words = words[plain]
    flags = characters.looked_up(_SOME, words.view(np.uint8)).view(np.uint64)
    some = np.flatnonzero(flags == _ONES)
    plain, words = plain[some], words[some]
    filled = words + _SEVENS & _TOPS
    narrow, wide = filled == _TOPS, ((words & _ODD) == 0) & (filled == _TOPS & ~_ODD)
    return plain[narrow], plain[wide]


def _in_short_rows(at: Offsets) -> Offsets:
    """Return which words that were looked at begin a row of them that may be a list."""
    edges = np.flatnonzero(np.diff(at, prepend=-2, append=at[-1:] + 2) != 1)
    length = np.diff(edges)
    kept: Offsets = at[edges[:-1]][(length >= _FEWEST) & (length <= _MOST)]
    return kept


def _likely(buffer: Bytes, at: Offsets, width: int, base: int) -> Offsets:
    """Return where words begin a list: each, or one of the next that are looked at.

    Words before may have such characters too: ``(32)`` in ``Uint8Array(32) [``.
    """
    found = []
    for _ in range(_TRIES):
        good = _are_listed(buffer, at, width, base)
        found.append(at[good])
        at = at[~good] + 8 * _STEP
    return np.concatenate(found)


def _are_listed(buffer: Bytes, at: Offsets, width: int, base: int) -> Flags:
    """Tell where the first characters are those of lists, some of them digits and some not."""
    rows = characters.read(buffer, at, _HEAD * width)[:, ::width]
    digits = characters.looked_up(_DIGITS_OF[base], rows).sum(axis=1)
    good: Flags = (digits >= _DIGITS) & (digits <= _HEAD - _DIGITS)
    return good & np.asarray(characters.looked_up(_INSIDE[base], rows).all(axis=1))


def _lists(buffer: Bytes, at: Offsets, width: int, base: int) -> Iterator[Offsets]:
    """Yield starts and ends, as rows of two, of the lists around some offsets."""
    for reach in _REACHES:
        left = []
        for low in range(0, len(at), _ROWS):
            part = at[low : low + _ROWS]
            rows = characters.read(buffer, part - _BACK * width, (_BACK + reach) * width)
            inside = characters.looked_up(_INSIDE[base], rows[:, ::width])
            inside = inside if width == 1 else inside & (rows[:, 1::2] == 0)
            longer = inside[:, _BACK:].all(axis=1)
            left.append(part[longer])
            starts = (part[~longer] - _BACK * width)[:, None]
            for some, spans in _in_rows(rows[~longer, ::width], inside[~longer], base):
                yield starts[some] + spans * width
        at = np.concatenate(left) if left else at


def _in_rows(rows: Bytes, inside: Flags, base: int) -> Iterator[tuple[Offsets, Offsets]]:
    """Yield which rows of characters have lists, and first and last column of each."""
    first = _BACK - inside[:, _BACK - 1 :: -1].argmin(axis=1)
    last = _BACK + inside[:, _BACK:].argmin(axis=1)
    columns = np.arange(rows.shape[1])
    inside = (columns >= first[:, None]) & (columns < last[:, None])
    digit = characters.looked_up(_DIGITS_OF[base], rows) & inside
    edges = np.diff(digit, axis=1, prepend=False, append=False)
    count = edges.sum(axis=1) // 2
    named = (inside & (rows == _COLON)).sum(axis=1) if base == 0 else np.zeros_like(count)
    for size in np.intersect1d(np.unique(count), _EVERY[base]).tolist():
        some = np.flatnonzero(count == size)
        spots = np.nonzero(edges[some])[1].reshape(len(some), size, 2)
        found = _in_hex(rows[some], spots) if base else _in_decimal(rows[some], spots, named[some])
        for row, spans in found:
            yield some[row], spans


def _in_decimal(rows: Bytes, spots: Offsets, named: Offsets) -> Iterator[tuple[Offsets, Offsets]]:
    """Yield which rows are lists whose digits begin and end there, or every other of these."""
    size = spots.shape[1]
    for parts in (1, 2):
        if size % parts or size // parts not in _COUNTS:
            continue
        some = np.flatnonzero(named == size // parts * (parts - 1))
        value, good = _values(rows[some], spots[some, parts - 1 :: parts])
        some = some[good & _varied(value)]
        start, end = spots[some, 0, 0], spots[some, -1, 1]
        start -= rows[some, start - 1] == _BEFORE[parts - 1]
        yield some, np.stack((start, end), axis=1)


def _in_hex(rows: Bytes, spots: Offsets) -> Iterator[tuple[Offsets, Offsets]]:
    """Do the same in hex, where a letter before or behind may look like digits of its own."""
    size, (start, end) = spots.shape[1], np.moveaxis(spots, 2, 0)
    marks = [np.take_along_axis(rows, start + at, axis=1) for at in (0, 1)]
    marked = (marks[0] | _LOWER == _MARK) | (marks[1] | _LOWER == _MARK)
    good = (end - start == _HEX_DIGITS[0]) | (marked & (end - start <= _HEX_DIGITS[1]))
    for low, high in ((0, size), (1, size), (0, size - 1)):
        if high - low not in _COUNTS:
            continue
        beside = good[:, :low].any(axis=1) | good[:, high:].any(axis=1)
        some = np.flatnonzero(good[:, low:high].all(axis=1) & ~beside)
        last = end[some, low:high]
        one, other = (_NIBBLES[np.take_along_axis(rows[some], last - at, axis=1)] for at in (1, 2))
        some = some[_varied(one | other << np.uint8(4))]
        first = start[some, low]
        first = first - np.isin(rows[some, first - 1], _ESCAPES)
        yield some, np.stack((first, end[some, high - 1]), axis=1)


def _values(rows: Bytes, spots: Offsets) -> tuple[Bytes, Flags]:
    """Return what numbers are whose digits begin and end there, and in which rows all are bytes."""
    start, end = spots[..., 0], spots[..., 1]
    found = np.zeros(start.shape, np.int64)
    for power in range(_MOST_DIGITS):
        at = end - 1 - power
        digit = np.take_along_axis(rows, at, axis=1).astype(np.int64) - _ZERO
        found += np.where(at >= start, digit * 10**power, 0)
    minus = np.take_along_axis(rows, start - 1, axis=1) == _MINUS
    good = (end - start <= _MOST_DIGITS) & (found <= np.where(minus, 128, 255))
    return np.where(minus, -found, found).astype(np.uint8), np.asarray(good.all(axis=1))


def _varied(values: Bytes) -> Flags:
    """Tell of which rows of bytes both ends are as varied as random ones are."""
    good: Flags = np.ones(len(values), np.bool_)
    for part in (values[:, :_HALF], values[:, -_HALF:]):
        good &= (np.diff(np.sort(part, axis=1), axis=1) > 0).sum(axis=1) >= _VARIED - 1
    return good
