"""Bytes that stand one to a word: arrays of small integers, as languages without bytes have them.

JavaScript's arrays of numbers, int[] of Java, Ruby's and OCaml's tagged integers, PHP's and Lua's
cells keep a seed or a point so, in 4, 8 or 16 bytes each: all that differs from one word to the
next are the same eight bits, and each of those does. Seen in elliptic (Node.js), whose Ed25519 keys
are such arrays, both halves. This module reads no text in such words, which has seven bits, and
refuses to say what a number is.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets, Words

SIZES = (32, 48, 57, 64, 66, 96, 128, 256)
"""Bytes of the numbers: seeds, scalars and points, and those of RSA with 2048 bits."""

STRIDES = (4, 8, 16)
"""Bytes from one to the next."""

FORM = "bytes apart"

_STEP = 7
"""Of so many words one is looked at: the shortest row has two, of either parity."""

_CELLS = 16
"""Cells from there on by which a row is told: all eight bits differ somewhere, but for one row in
4000."""

_BACK, _AHEAD = 24, SIZES[-1] + 4
"""Cells before and behind in which a row begins and ends."""

_MORE = 3
"""Cells beside a number that look like bytes: an array's length, a block's size."""

_LONGEST = (SIZES[-1] + _MORE) * STRIDES[-1] // 8 // _STEP + 1
"""Words in a row that are looked at in one: longer rows are samples, pixels, tables."""

_FEWEST = 4
"""Bits that differ among four bytes, at least: of random ones among all but one in 500."""

_PIECE, _ROWS = 1 << 16, 1 << 9
_WIDE = np.uint64(0xFFFFF000FFFFF000)
"""Bits in which neither one word of 64 bits nor two of 32 differ."""
_LIMIT, _SMALL, _BOXED = np.uint64(1 << 40), np.uint64(1 << 12), np.uint64(0xFFF8 << 48)
"""Above the bits that differ; above tags; from where on words are boxed integers (SpiderMonkey,
JavaScriptCore)."""
_BYTE, _HALF, _VARIED = np.uint64(255), 32, 24
"""Of how many bytes so many are different."""

_Cells = npt.NDArray[np.uint32] | npt.NDArray[np.uint64]


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such numbers."""
    words = buffer[: len(buffer) & ~7].view(np.uint64)
    parts = [np.empty((0, 2), np.int64)]
    for low, high in filled:
        for first in range(low // 8, high // 8, _PIECE * _STEP):
            last = min(first + _PIECE * _STEP, high // 8)
            differ = words[first : max(last - 2, 0) : _STEP] ^ words[first + 2 : last : _STEP]
            at = first + np.flatnonzero(((differ & _WIDE) == 0) & (differ != 0)) * _STEP
            at = _in_short_rows(at[_likely(words, at)])
            for stride in STRIDES if len(at) else ():
                parts += _rows(words, at, stride)
    found = np.unique(np.concatenate(parts), axis=0)
    return found[:, 0], found[:, 1]


def read(raw: bytes) -> bytes | None:
    """Return the bytes that stand so in ``raw``, which they fill; None where it is no such row."""
    for stride in STRIDES:
        if len(raw) in [size * stride for size in SIZES]:
            cells = np.frombuffer(raw, "<u4" if stride == 4 else "<u8")[:: max(stride // 8, 1)]
            rows = cells.astype(np.uint64)[None]
            differ, lowest = _differing(rows)
            if _are_bytes(rows, differ, lowest)[0]:
                found: Bytes = (rows[0] // lowest[0] & _BYTE).astype(np.uint8)
                if varied(found[None])[0]:
                    return bytes(found)
    return None


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first word of runs which are such rows: no random-looking word is."""
    first = np.ascontiguousarray(data[at[:, None] + np.arange(8)]).view(np.uint64)[:, 0]
    small: Flags = (first & _WIDE) == 0
    return small | (first >= _BOXED)


def _likely(words: Words, at: Offsets) -> Flags:
    """Tell which words are small or boxed, and differ from every other one behind as bytes do."""
    first = words[at]
    differ = np.bitwise_or.reduce(
        [first ^ words.take(at + step, mode="clip") for step in (2, 4, 6)]
    )
    good = ((first & _WIDE) == 0) | (first >= _BOXED)
    likely: Flags = good & ((differ & _WIDE) == 0) & (np.bitwise_count(differ) >= _FEWEST)
    return likely


def _in_short_rows(at: Offsets) -> Offsets:
    """Leave out what stands in rows that are longer than any number."""
    length = np.diff(np.flatnonzero(np.diff(at, prepend=-2 * _STEP, append=-2 * _STEP) != _STEP))
    kept: Offsets = at[np.repeat(length <= _LONGEST, length)]
    return kept


def _rows(words: Words, at: Offsets, stride: int) -> Iterator[Offsets]:
    """Yield starts and ends of the rows in which words that were looked at are the first."""
    cells: _Cells = words.view(np.uint32) if stride == 4 else words
    at, step = (at * 2, 1) if stride == 4 else (at, stride // 8)
    at = at[at + (_CELLS - 1) * step < len(cells)]
    at = at[_vary(cells, at, step)]
    rows = _gather(cells, at, np.arange(_CELLS) * step)
    differ, lowest = _differing(rows)
    good = _are_bytes(rows, differ, lowest) & (rows[:, 0] & differ > 0)
    at, lowest = at[good], lowest[good]
    if stride == 16:  # every other cell of a row of words is none
        between, _ = _differing(_gather(cells, at, 1 + np.arange(_CELLS - 1) * step))
        at, lowest = at[between != _BYTE * lowest], lowest[between != _BYTE * lowest]
    fresh = np.ones(len(at), np.bool_)
    apart = _STEP * (2 if stride != 8 else 1)
    fresh[1:] = at[1:] - at[:-1] > apart
    at, lowest = at[fresh], lowest[fresh]
    for low in range(0, len(at), _ROWS):
        yield _numbers(cells, at[low : low + _ROWS], lowest[low : low + _ROWS], stride)


def _vary(cells: _Cells, at: Offsets, step: int) -> Flags:
    """Tell which cells differ from the three behind them as bytes do: few have to be gathered."""
    first = cells[at]
    behind = [cells[at + count * step] for count in (1, 2, 3)]
    differ = (first ^ behind[0]) | (first ^ behind[1]) | (first ^ behind[2])
    lowest = differ & (~differ + differ.dtype.type(1))
    good: Flags = (differ <= _BYTE * lowest) & (differ < _LIMIT) & (first & differ > 0)
    return good


def _numbers(cells: _Cells, at: Offsets, lowest: Words, stride: int) -> Offsets:
    """Return where numbers stand in the rows around some cells: start and end, in bytes."""
    step = max(stride // 8, 1)
    spots = at[:, None] + np.arange(-_BACK, _AHEAD) * step
    there = (spots >= 0) & (spots < len(cells))
    rows = _gather(cells, at, np.arange(-_BACK, _AHEAD) * step)
    mask = (_BYTE * lowest)[:, None]
    inside = there & ((rows & ~mask) == (rows[:, _BACK] & ~mask[:, 0])[:, None])
    zero = (rows & mask) == 0
    both = zero[:, 1:] & zero[:, :-1]
    inside[:, 1:] &= ~both
    inside[:, :-1] &= ~both
    before, behind = inside[:, :_BACK][:, ::-1], inside[:, _BACK:]
    whole = ~before.all(axis=1) & ~(behind.all(axis=1))
    start = _BACK - before.argmin(axis=1)
    length = _BACK + behind.argmin(axis=1) - start
    found = [np.empty((0, 2), np.int64)]
    for size in SIZES:
        more = length - size
        near = np.flatnonzero(whole & (more >= -1) & (more <= _MORE))
        for shift in range(-1, _MORE + 1) if len(near) else ():
            first, rest = start[near] + shift, more[near]
            good = (first >= 0) & (first + size <= rows.shape[1])
            good &= np.where(rest == -1, shift <= 0, (shift >= 0) & (rest >= shift))
            some, first = near[good], first[good]
            picked = rows[some[:, None], first[:, None] + np.arange(size)]
            good = varied((picked // lowest[some, None] & _BYTE).astype(np.uint8))
            begin = (at[some[good]] + (first[good] - _BACK) * step) * min(stride, 8)
            found.append(np.stack((begin, begin + size * stride), axis=1))
    return np.concatenate(found)


def _gather(cells: _Cells, at: Offsets, steps: Offsets) -> Words:
    rows: Words = cells.take(at[:, None] + steps, mode="clip").astype(np.uint64)
    return rows


def _differing(rows: Words) -> tuple[Words, Words]:
    """Return the bits that differ in each row, and the lowest one of them."""
    differ = np.bitwise_or.reduce(rows ^ rows[:, :1], axis=1)
    differ[differ >= _LIMIT] = 0
    return differ, differ & (~differ + np.uint64(1))


def _are_bytes(rows: Words, differ: Words, lowest: Words) -> Flags:
    """Tell in which rows eight bits differ, above a tag and below nothing or what boxes them."""
    rest = rows[:, 0] & ~differ
    good: Flags = (differ == _BYTE * lowest) & (differ > 0)
    return good & ((rest < _SMALL) | (rest >= _BOXED))


def varied(values: Bytes) -> Flags:
    """Tell of which rows of bytes both ends are as varied as random ones are."""
    good: Flags = np.ones(len(values), np.bool_)
    for part in (values[:, :_HALF], values[:, -_HALF:]):
        good &= (np.diff(np.sort(part, axis=1), axis=1) > 0).sum(axis=1) >= _VARIED - 1
    return good
