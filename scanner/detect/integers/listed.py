"""Bytes written as a list of numbers: ``[12, 243, 5]`` of JSON, Rust and logs, and its kin.

Solana's tools keep a seed and its public key so; what takes a Buffer or a typed array of JavaScript
through JSON has ``"data":[12,243]`` or ``{"0":12,"1":243}``; Go prints ``[12 243]`` and Java
``[12, -13]``. A list is as long as a number's bytes make it, and ends where other characters begin.
Lists that are DER are read elsewhere (``spelled``). This module refuses to say what a number is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets, Words
from scanner.detect.integers import characters

SIZES = (32, 48, 57, 64, 66, 96, 114, 128, 132, 192, 256)
"""Bytes of the numbers: scalars and seeds (a seed and its public key: 64, 114; a point: 64, 96,
132), and those of RSA up to 2048 bits."""

FORM = "list"

_TAGS = {size + 1: b"\0\2\3\4" for size in SIZES}
"""Bytes with one more before, and what that may be: the zero of a sign, the kind of a point."""
_SHORT = {65: 66}
"""Bytes of a scalar on P-521 without the zero that it begins with."""
_COUNTS = {*SIZES, *_TAGS, *_SHORT}

LONGEST = 4096
"""Characters of the longest list."""

_STEP, _FEWEST, _MOST = 4, 2, LONGEST // 16
"""Of so many words one is looked at: of the shortest list two are whole, wherever it begins. Where
more in a row are of a list's range it is none of ours, but a table, pixels, samples."""

_HEAD, _DIGITS = 40, 4
"""Characters by which a list is judged first, and how many of them are digits, and how many none,
at least: an indented one has 20 characters for each number."""

_BACK = 64
"""Characters before the first word that is looked at in which its list begins."""

_REACHES = (512, LONGEST)
"""Characters in which the end of a list is looked for: first in few, and of the rest in more."""

_PIECE, _ROWS = 1 << 18, 1 << 8
_SMALL = np.uint64(1 << 32)
_LOW, _EIGHTS, _HIGHS = (np.uint64(0x0101010101010101 * byte) for byte in (0xC0, 0x78, 0x80))
"""Bits that no character below 64 has, and what gives those from 8 on the last one."""
_WIDE_LOW, _WIDE_EIGHTS, _WIDE_HIGHS = (
    np.uint64(0x0001000100010001 * unit) for unit in (0xFFC0, 0x78, 0x80)
)

_INSIDE = np.isin(np.arange(256), list(b'0123456789,-:" \t\r\n'))
_DIGIT = np.isin(np.arange(256), list(b"0123456789"))
_MINUS, _COLON, _ZERO = b"-:0"
_BEFORE = b'-"'
"""What stands before the first digit and belongs to it: of a number, of a name."""
_MOST_DIGITS = 3
_HALF, _VARIED = 32, 24
"""Of how many bytes so many are different."""

_NUMBER = re.compile(rb"-?[0-9]{1,3}")
_GAP = re.compile(rb"\s{0,64},\s{0,64}|\s{1,64}")
_MEMBER = re.compile(rb'"?([0-9]{1,5})"?\s{0,4}:\s{0,64}([0-9]{1,3})(?:\s{0,64},\s{0,64})?')

_Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Listed:
    """Bytes that a list has, and where in its text each begins and ends."""

    raw: bytes
    spans: _Spans


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such lists."""
    words = buffer[: len(buffer) & ~7].view(np.uint64)
    found = [np.empty((0, 2), np.int64)]
    for low, high in filled:
        for first in range(low // 8 & -_STEP, high // 8, _PIECE * _STEP):
            last = min(first + _PIECE * _STEP, high // 8)
            sample = words[first:last:_STEP]
            low_ones = np.flatnonzero(((sample & _LOW) == 0) & (sample > _SMALL))
            sample = sample[low_ones]
            for width, good in enumerate((_ranged(sample), _ranged_wide(sample)), 1):
                at = first + _in_short_rows(low_ones[good]) * _STEP
                if len(at):
                    found += _lists(buffer, _likely(buffer, at * 8, width), width)
    both = np.concatenate(found)
    return both[:, 0], both[:, 1]


def read(text: bytes) -> Listed | None:
    """Return what a list has that fills a text; None where it is none."""
    width = 1 + (text[1:2] == b"\0")
    if len(text) > LONGEST * width or (width == 2 and any(text[1::2])):
        return None
    plain = text[::width]
    members = _named(plain) if b":" in plain[:_HEAD] else _plain(plain)
    raw = bytes(value & 0xFF for value, _ in members)
    tagged = len(raw) in _TAGS and raw[0] in _TAGS[len(raw)]
    short = _SHORT.get(len(raw), 0) if not tagged else 0
    if len(raw) not in SIZES and not tagged and not short:
        return None
    raw = raw.rjust(short, b"\0")[tagged:]
    if not _varied(np.frombuffer(raw, np.uint8)[None])[0]:
        return None
    spans = [(first * width, last * width) for _, (first, last) in members[tagged:]]
    return Listed(raw, [*spans[: len(raw) - len(spans)], *spans])


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first words of runs which are such lists: of random ones, one in 10**10."""
    rows = np.ascontiguousarray(data[at[:, None] + np.arange(16)]).view(np.uint64)
    found: Flags = np.logical_or(_ranged(rows).all(axis=1), _ranged_wide(rows).all(axis=1))
    return found


def _ranged(words: Words) -> Flags:
    """Tell in which words each byte is a character from 8 to 63."""
    good: Flags = ((words & _LOW) == 0) & ((words + _EIGHTS & _HIGHS) == _HIGHS)
    return good


def _ranged_wide(words: Words) -> Flags:
    """Do the same of characters of two bytes."""
    good: Flags = ((words & _WIDE_LOW) == 0) & ((words + _WIDE_EIGHTS & _WIDE_HIGHS) == _WIDE_HIGHS)
    return good


def _in_short_rows(at: Offsets) -> Offsets:
    """Return which words that were looked at begin a row of them that may be a list."""
    edges = np.flatnonzero(np.diff(at, prepend=-2, append=at[-1:] + 2) != 1)
    length = np.diff(edges)
    kept: Offsets = at[edges[:-1]][(length >= _FEWEST) & (length <= _MOST)]
    return kept


def _likely(buffer: Bytes, at: Offsets, width: int) -> Offsets:
    """Return where words begin a list: each, or the next that is looked at.

    A word before may have such characters too: ``(32)`` in ``Uint8Array(32) [``.
    """
    good = _are_listed(buffer, at, width)
    later = at[~good] + 8 * _STEP
    return np.concatenate((at[good], later[_are_listed(buffer, later, width)]))


def _are_listed(buffer: Bytes, at: Offsets, width: int) -> Flags:
    """Tell where the first characters are those of lists, some of them digits and some not."""
    rows = characters.read(buffer, at, _HEAD * width)[:, ::width]
    digits = characters.looked_up(_DIGIT, rows).sum(axis=1)
    good: Flags = (digits >= _DIGITS) & (digits <= _HEAD - _DIGITS)
    return good & np.asarray(characters.looked_up(_INSIDE, rows).all(axis=1))


def _lists(buffer: Bytes, at: Offsets, width: int) -> Iterator[Offsets]:
    """Yield starts and ends, as rows of two, of the lists around some offsets."""
    for reach in _REACHES:
        left = []
        for low in range(0, len(at), _ROWS):
            part = at[low : low + _ROWS]
            rows = characters.read(buffer, part - _BACK * width, (_BACK + reach) * width)
            inside = characters.looked_up(_INSIDE, rows[:, ::width])
            inside = inside if width == 1 else inside & (rows[:, 1::2] == 0)
            longer = inside[:, _BACK:].all(axis=1)
            left.append(part[longer])
            starts = (part[~longer] - _BACK * width)[:, None]
            for some, spans in _in_rows(rows[~longer, ::width], inside[~longer]):
                yield starts[some] + spans * width
        at = np.concatenate(left) if left else at


def _in_rows(rows: Bytes, inside: Flags) -> Iterator[tuple[Offsets, Offsets]]:
    """Yield which rows of characters have lists, and first and last column of each."""
    first = _BACK - inside[:, _BACK - 1 :: -1].argmin(axis=1)
    last = _BACK + inside[:, _BACK:].argmin(axis=1)
    columns = np.arange(rows.shape[1])
    inside = (columns >= first[:, None]) & (columns < last[:, None])
    digit = characters.looked_up(_DIGIT, rows) & inside
    edges = np.diff(digit, axis=1, prepend=False, append=False)
    count = edges.sum(axis=1) // 2
    named = (inside & (rows == _COLON)).sum(axis=1)
    for size in _COUNTS:
        for parts in (1, 2):
            some = np.flatnonzero((count == size * parts) & (named == size * (parts - 1)))
            if not len(some):
                continue
            spots = np.nonzero(edges[some])[1].reshape(len(some), -1, 2)
            value, good = _values(rows[some], spots[:, parts - 1 :: parts])
            good &= _varied(value)
            some, spots = some[good], spots[good]
            start, end = spots[:, 0, 0], spots[:, -1, 1]
            start -= rows[some, start - 1] == _BEFORE[parts - 1]
            yield some, np.stack((start, end), axis=1)


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


def _plain(text: bytes) -> list[tuple[int, tuple[int, int]]]:
    """Return each number of a list and where it stands; nothing of what is something else."""
    found = []
    at, gap = 0, None
    while match := _NUMBER.match(text, at):
        found.append((int(match[0]), match.span()))
        if match.end() == len(text):
            return found if all(-128 <= value <= 255 for value, _ in found) else []
        parted = _GAP.match(text, match.end())
        if parted is None or gap not in (None, b"," in parted[0]):
            break
        at, gap = parted.end(), b"," in parted[0]
    return []


def _named(text: bytes) -> list[tuple[int, tuple[int, int]]]:
    """Do the same of an object of JavaScript whose members' names are their order."""
    found: list[tuple[int, tuple[int, int]]] = []
    at = 0
    while (match := _MEMBER.match(text, at)) and int(match[1]) == len(found):
        found.append((int(match[2]), match.span(2)))
        at = match.end()
    return found if at == len(text) and all(value <= 255 for value, _ in found) else []
