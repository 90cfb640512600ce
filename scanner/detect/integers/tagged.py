"""Rows of digits, a tag behind each: how interpreters keep arrays of small integers.

PHP, QuickJS, Lua, Duktape and MuJS give a value two words, a digit and what kind it is;
SpiderMonkey and JavaScriptCore one, with the tag in its upper half. A kind is a byte, the first of
its word or the last, and what is beside it may be anything. A digit is a floating-point number
where a language knows no integers. Such a word does not look random, a row of them does. This
module tells rows alone: it refuses to say what they are digits of.
"""

import numpy as np

from scanner.arrays import Flags, Offsets, Words
from scanner.detect.integers import likelihood, readings

SHORTEST = 8
"""Digits of the shortest row: 256 bits fill eight of 31 bits, and a part of a ninth."""

_LEAST, _ROOM = np.uint64(1 << 16), np.uint64((1 << 32) - (1 << 16))
"""What a digit in a cell of its own has at least, and how far below 2**32 the least one is."""

_DOUBLE, _DOUBLES = np.uint64(0x40F0_0000_0000_0000), np.uint64(1 << 56)
"""The least digit as a double, and how far above it, as a word, 2**32 is."""
_ONE = np.uint64(0x3FF0_0000_0000_0000)

_TAGS, _LAST_BYTE = np.uint64(1 << 5), np.uint64(56)
"""More than the kinds there are, where the last byte of a word says which: text is more."""

_VALUES = 11
"""Different bytes of four digits in words of 64 bits: random ones have 13 and more, but addresses
below 2**32 fewer."""

_ROWS = 1 << 13
"""Rows of eight words that are looked at at once: they stay in the second-level cache."""

_LOW_HALF, _HIGH_HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def eights(words: Words) -> Offsets:
    """Return where eight words at a multiple of eight may be cells: a row fills one such eight.

    And the ends that a row touches, which may go on there.
    """
    rows = words[: len(words) & ~7].reshape(-1, 8)
    found = [_either(rows[low : low + _ROWS]) + low for low in range(0, len(rows), _ROWS)]
    at = np.concatenate([*found, np.empty(0, np.int64)])
    rows = rows[at]
    fits = _alike(rows[:, 0], rows[:, 2]) | _alike(rows[:, 1], rows[:, 3])
    at = at[fits] * 8
    at = at[_are_cells(rows[fits])]
    ends = [end for end in (0, len(words) - 2) if end >= 0 and _is_cell(words[end : end + 2])]
    return np.append(at, ends).astype(np.int64)


def _either(rows: Words) -> Offsets:
    """Return the rows of which one of the first two words is a digit."""
    left, right = rows[:, 0] - _LEAST, rows[:, 1] - _LEAST
    np.minimum(left, right, out=right)
    left, other = rows[:, 0] - _DOUBLE, rows[:, 1] - _DOUBLE
    np.minimum(left, other, out=other)
    return np.flatnonzero((right < _ROOM) | (other < _DOUBLES))


def in_rows(words: Words) -> Flags:
    """Keep rows of eight cells and more, with single gaps, and what touches an end.

    A cell is a digit and a tag, and the next cell has the same tag and another digit.
    """
    cell = (_digits(words) - _LEAST) < _ROOM
    cell[-1:] = False
    alike = np.zeros(len(words), np.bool_)
    alike[:-3] = _alike(words[1:-2], words[3:]) & (words[:-3] != words[2:-1])
    flags = np.zeros(len(words) + 2, np.bool_)
    for phase in range(2):
        here, same = cell[phase::2].copy(), alike[phase::2]
        here[1:-1] |= here[:-2] & here[2:] & same[:-2] & same[1:-1]
        pair = here[:-1] & here[1:] & same[:-1]
        step = np.diff(pair.astype(np.int8), prepend=np.int8(0), append=np.int8(0))
        starts, ends = np.flatnonzero(step > 0), np.flatnonzero(step < 0)
        kept = (ends - starts >= SHORTEST - 1) | (starts == 0) | (ends >= len(pair) - 2)
        for start, end in zip(starts[kept].tolist(), ends[kept].tolist(), strict=True):
            flags[phase + 2 * start : phase + 2 * end + 2] = True
    return flags[: len(words)]


def are_digits(rows: Words) -> Flags:
    """Tell which rows of nine words may hold digits, a tag behind each, in its word or the next."""
    words = rows[:, 1:]  # the first may be the length of an array
    tags = words >> _HIGH_HALF
    verdict: Flags = (tags == tags[:, :1]).all(axis=1) & (tags[:, 0] != 0)
    verdict[verdict] = _are_small_digits(words[verdict] & _LOW_HALF, 1 << 30)
    return verdict | _are_cells(words)


def _are_cells(rows: Words) -> Flags:
    """Tell which rows of words are cells: a digit and a tag in turn, or a tag and a digit.

    The tags are alike, the digits differ, and one of them at most is small.
    """
    verdict = np.zeros(len(rows), np.bool_)
    for phase in range(2):
        tags = rows[:, 1 - phase :: 2]
        left = np.flatnonzero(_alike(tags, tags[:, :1]).all(axis=1))
        digits = _digits(rows[left, phase::2])
        good = _are_small_digits(digits, 1 << 32)
        verdict[left[good]] |= likelihood.values(digits[good].view(np.uint8)) >= _VALUES
    return verdict


def _alike(tags: Words, others: Words) -> Flags:
    """Tell which words say the same kind, in their first byte or in their last."""
    differ = tags ^ others
    last: Flags = (tags >> _LAST_BYTE) - np.uint64(1) < _TAGS
    same: Flags = (differ.astype(np.uint8) == 0) | (last & (differ >> _LAST_BYTE == 0))
    return same


def _digits(words: Words) -> Words:
    """Return words, of those that are doubles the integers: a small digit is one, too."""
    found = words.copy()
    wide = (words - _ONE) < _DOUBLE + _DOUBLES - _ONE
    found[wide] = readings.integers(words[wide])
    return found


def _is_cell(pair: Words) -> bool:
    """Tell whether one of two words may be a digit."""
    return bool(((_digits(pair) - _LEAST) < _ROOM).any())


def _are_small_digits(rows: Words, most: int) -> Flags:
    """Tell in which rows all differ, are below a bound, and hardly any is small."""
    rows = np.sort(rows, axis=1)
    different: Flags = (rows[:, 1:] != rows[:, :-1]).all(axis=1)
    return different & (rows[:, 1] >= _LEAST) & (rows[:, -1] < np.uint64(most))
