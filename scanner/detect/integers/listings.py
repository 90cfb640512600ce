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
from scanner.detect.integers import characters, spaced

SIZES = (32, 48, 57, 64, 66, 96, 114, 128, 132, 192, 256, 384, 512)
"""Bytes of the numbers: scalars and seeds (a seed and its public key: 64, 114; a point: 64, 96,
132), and those of RSA up to 4096 bits."""

_TAGS = {size + 1: b"\0\2\3\4" for size in SIZES}
"""Bytes with one more before, and what that may be: the zero of a sign, the kind of a point."""
_SHORT = {65: 66}
"""Bytes of a scalar on P-521 without the zero that it begins with."""
_EVEN = {*SIZES, *_SHORT}
_COUNTS = _EVEN | _TAGS.keys()

_EVERY = (
    [(size, parts) for size in sorted(_COUNTS) for parts in (1, 2)],
    [(size, 1) for size in sorted(_COUNTS)],
)
"""How many bytes a list has, and numbers for each: in decimal there may be a name as well."""

LONGEST = 4096
"""Characters of the longest list."""

_STEP, _MOST = 4, LONGEST // 8
"""Of so many words one is looked at: of the shortest list two are whole, wherever it begins. Where
more in a row are of a list's range it is none of ours, but a table, pixels, samples."""

_HEAD, _DIGITS = 40, 4
"""Characters by which a list is judged first, and how many of them are digits, and how many none,
at least: an indented one has 20 characters for each number. In hex some are letters."""

_APART = 8 * _STEP
"""Bytes from one of these words to the next."""

_WORD, _BACK = 8, 64
"""Characters of the first word that is looked at, and before it: in these its list begins."""

_REACHES = (160, 640, LONGEST)
"""Characters in which the end of a list is looked for: first in few, and of the rest in more."""

_CROWD, _CROWDED = 1 << 12, 1 << 10
"""Bytes within which lists are a crowd, and how many are looked at of those that 16,384 words in a
row or apart begin: where there are more, those in the greatest crowds are left."""

_PIECE, _ROWS, _HEADS = 1 << 18, 1 << 8, 1 << 14
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
_LETTERS = _DIGITS_OF[1] & ~_DIGITS_OF[0]
_SOME = _INSIDE[0] | _INSIDE[1] | _table(b"\0")
_NIBBLES = np.zeros(256, np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    _NIBBLES[list(_digits)] = range(16)
_MINUS, _COLON, _ZERO, _MARK, _LOWER = b"-:0x "
_BEFORE = ((b"-", b'"'), (b"\\%",))
"""What stands before the first digit and belongs to it: of a number, of a name; in hex."""
_MOST_DIGITS, _HEX_DIGITS = 3, (2, 4)


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such lists."""
    words = buffer[: len(buffer) & ~7].view(np.uint64)
    found = [np.empty((0, 2), np.int64)]
    for low, high in filled:
        for first in range(low // 8 & -_STEP, high // 8, _PIECE * _STEP):
            last = min(first + _PIECE * _STEP, high // 8)
            for width, rows in enumerate(_sampled(words[first:last:_STEP]), 1):
                at = (first + _in_short_rows(rows) * _STEP) * 8
                for part in (at[low : low + _HEADS] for low in range(0, len(at), _HEADS)):
                    for base, begins in enumerate(_begin(buffer, part, width)):
                        found += _lists(buffer, _sparse(part[begins]), width, base)
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
    return raw if spaced.varied(np.frombuffer(raw, np.uint8)[None])[0] else None


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
    """Return which of the words that were looked at have such a word next, but in few."""
    edges = np.flatnonzero(np.diff(at, prepend=-2, append=at[-1:] + 2) != 1)
    length = np.diff(edges)
    keep = np.repeat(length <= _MOST, length)
    keep[edges[1:] - 1] = False
    kept: Offsets = at[keep]
    return kept


def _begin(buffer: Bytes, at: Offsets, width: int) -> Iterator[Flags]:
    """Yield which words are the first looked at of a list: in decimal, then in hex.

    Their characters are those of lists, some of them digits and some not; of those before one is
    something else.
    """
    back = _APART // width
    rows = characters.read(buffer, at - _APART, _APART + _HEAD * width)[:, ::width]
    hexed = characters.looked_up(_LETTERS, rows[:, back:]).any(axis=1)
    for inside, digits, mine in zip(_INSIDE, _DIGITS_OF, (~hexed, hexed), strict=True):
        flags = characters.looked_up(inside, rows)
        count = characters.looked_up(digits, rows[:, back:]).sum(axis=1)
        good: Flags = mine & (count >= _DIGITS) & (count <= _HEAD - _DIGITS)
        yield good & flags[:, back:].all(axis=1) & ~flags[:, :back].all(axis=1)


def _sparse(at: Offsets) -> Offsets:
    """Return at most so many places, those with the fewest others near."""
    if len(at) <= _CROWDED:
        return at
    near = np.searchsorted(at, at + _CROWD) - np.searchsorted(at, at - _CROWD)
    return np.sort(at[np.argsort(near, kind="stable")[:_CROWDED]])


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
    row, column = np.nonzero(np.diff(digit, axis=1, prepend=False, append=False))
    row, start, end = row[::2], column[::2], column[1::2]
    value, good = (_hexed if base else _decimal)(rows, row, start, end)
    low, high = np.zeros_like(last), last  # up to a word that looks like digits
    before, behind = ~good & (start < _BACK + _WORD), ~good & (start >= _BACK + _WORD)
    np.maximum.at(low, row[before], end[before])
    np.minimum.at(high, row[behind], start[behind])
    keep = (start >= low[row]) & (end <= high[row])
    row, start, end, value = row[keep], start[keep], end[keep], value[keep]
    count = np.bincount(row, minlength=len(rows))
    front = np.full_like(low, rows.shape[1])  # a colon before the first of them is another's
    np.minimum.at(front, row, start)
    colons = inside & (rows == _COLON) & (columns > front[:, None]) & (columns < high[:, None])
    for size, parts in _EVERY[base]:
        some = np.flatnonzero(count == size * parts)
        some = some[colons[some].sum(axis=1) == size * (parts - 1)] if base == 0 else some
        if not len(some):
            continue
        index = np.searchsorted(row, some)[:, None] + np.arange(size * parts)
        values = value[index[:, parts - 1 :: parts]]
        fits = ((values >= -128) & (values < 256)).all(axis=1)
        fits &= spaced.varied(values.astype(np.uint8))
        some, index = some[fits], index[fits]
        begin = start[index[:, 0]]
        begin -= np.isin(rows[some, begin - 1], [*_BEFORE[base][parts - 1]])
        yield some, np.stack((begin, end[index[:, -1]]), axis=1)


def _decimal(rows: Bytes, row: Offsets, start: Offsets, end: Offsets) -> tuple[Offsets, Flags]:
    """Return what numbers are whose digits begin and end there, and which are bytes or names."""
    found = np.zeros(len(row), np.int64)
    for power in range(_MOST_DIGITS):
        digit = rows[row, end - 1 - power].astype(np.int64) - _ZERO
        found += np.where(end - 1 - power >= start, digit * 10**power, 0)
    minus = rows[row, start - 1] == _MINUS
    return np.where(minus, -found, found), end - start <= _MOST_DIGITS


def _hexed(rows: Bytes, row: Offsets, start: Offsets, end: Offsets) -> tuple[Offsets, Flags]:
    """Do the same in hex: of two digits, or behind an x."""
    marked = np.zeros(len(row), np.bool_)
    for at in (0, 1):
        marked |= rows[row, start + at] | _LOWER == _MARK
    size = end - start
    good = (size == _HEX_DIGITS[0]) | (marked & (size > 1) & (size <= _HEX_DIGITS[1]))
    one, other = (_NIBBLES[rows[row, end - at]] for at in (1, 2))
    return (one | other << np.uint8(4)).astype(np.int64), good
