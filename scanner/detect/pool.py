"""The integer pool: the edges of random-looking runs, read again, and the numbers they may hold.

A number begins or ends at a run's edge but need not fill the run (SymCrypt's modulus runs on into
its Montgomery constants), so for a given length there are few positions to try, and this module
lists them for every reading. It lives in the worker that proves: its bytes never leave it. A pool
is bounded: a dump full of random objects is taken in sections, one behind the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.detect import readings
from scanner.detect.limbs import Flags, Offsets, Runs, Words
from scanner.detect.readings import Bytes, Reading
from scanner.dump.space import Memory
from scanner.model import Place

SPAN = 2080
"""Bytes of a long run that are kept at each edge: more than a 16384-bit number is not tried."""

SLACK = 8
"""A run's edge and a number's are less than this apart, in bytes."""

MARGIN = 16
"""Bytes kept around a run, so that a number which begins before its edge is whole."""

SECTION = 64 << 20
"""Bytes of runs, with what is kept around them, that a pool holds at most; its tables need less
than as much again, and a search's numbers at most twice as much."""

NEIGHBOURHOOD = 64 << 10
"""Bytes within which everything is related to everything; so far do sections overlap."""

_STRIDE = 1 << 20
"""Bytes that are read at once where runs are dense."""

_JUDGED, _VALUES = 64, 43
"""Bytes at a run's edge, and how many different values random ones have at least: 57 on average,
and four standard deviations less. Machine code and tables seldom reach it."""

_ROWS = 1 << 14
"""Edges that are judged at once."""

MOST_LOOSE = 1 << 18
"""Numbers of one length above which only the exact ones are listed."""

LITTLE = 0
BIG = 1
READINGS = tuple(reading.name for reading in readings.LITTLE_ENDIAN)
"""Names of a little-endian machine's readings, as reports spell them."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pool:
    """Blocks of dump bytes one behind the other, and where their runs begin and end.

    ``at`` is where a block starts in ``data``; ``space`` and ``offset`` say where that is in the
    dump; ``head`` and ``tail`` are positions of the run's edges in ``data`` (-1: not in the block);
    position plus ``phase`` is the address modulo 8; ``any_alignment`` marks blocks whose limbs may
    stand at any byte.
    """

    data: Bytes
    at: Offsets
    space: Offsets
    offset: Offsets
    head: Offsets
    tail: Offsets
    phase: Offsets
    any_alignment: Flags
    readings: tuple[Reading, ...] = readings.LITTLE_ENDIAN

    def place(self, position: int, size: int) -> Place:
        """Return where in the dump ``size`` bytes of the pool are."""
        block = int(np.searchsorted(self.at, position, side="right")) - 1
        offset = int(self.offset[block]) + position - int(self.at[block])
        return Place(space=int(self.space[block]), offset=offset, size=size)

    def number(self, position: int, bits: int, reading: int) -> int:
        """Read a number of at most ``bits`` bits; 0 where its words are no digits."""
        how = self.readings[reading]
        raw = self.data[position : position + readings.width(how, bits)].tobytes()
        return readings.decode(how, raw) or 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Numbers:
    """Positions at which an odd number of one length may stand, ordered by place.

    ``low`` is its least significant 64 bits and ``top`` its most significant; ``exact`` says that
    the bytes between it and the run's edge are none of a random number's.
    """

    bits: int
    position: Offsets
    reading: npt.NDArray[np.int8]
    low: Words
    top: Words
    exact: Flags

    def __len__(self) -> int:
        return len(self.position)

    def take(self, index: Offsets | Flags) -> "Numbers":
        """Return some of them."""
        return Numbers(
            bits=self.bits,
            position=self.position[index],
            reading=self.reading[index],
            low=self.low[index],
            top=self.top[index],
            exact=self.exact[index],
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Edge:
    """One edge of many runs, and between which positions a number that touches it must lie.

    A number may start up to ``out`` bytes outside of its run without taking in what is not random,
    and up to ``into`` bytes inside without leaving out what is.
    """

    at: Offsets
    low: Offsets
    high: Offsets
    phase: Offsets
    any_alignment: Flags
    varied: Flags
    out: Offsets
    into: Offsets


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Edges:
    """All edges of a pool, and where a big-endian number may stand behind a zero byte."""

    pool: Pool
    head: Edge
    tail: Edge
    signed: Offsets
    signed_room: Offsets


def sections(memory: Memory, runs: Runs) -> Iterator[Pool]:
    """Load all runs, at most SECTION bytes at a time; sections overlap by a NEIGHBOURHOOD."""
    ends = np.cumsum(np.minimum(runs.end - runs.start, 2 * SPAN) + 5 * MARGIN)
    first = 0
    while first < len(runs):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + SECTION, side="right")), first + 1)
        part = slice(first, last)
        yield load(memory, Runs(space=runs.space[part], start=runs.start[part], end=runs.end[part]))
        if last == len(runs):
            return
        near = (runs.space[part] == runs.space[last]) & (
            runs.end[part] > runs.start[last] - NEIGHBOURHOOD
        )
        first = max(last - int(np.count_nonzero(near)), first + (last - first) // 2 + 1)


def load(memory: Memory, runs: Runs) -> Pool:
    """Read the edges of runs again from the dump."""
    long = runs.end - runs.start > 2 * SPAN
    row = np.repeat(np.arange(len(runs)), 1 + long)
    second = np.zeros(len(row), np.bool_)
    second[1:] = row[1:] == row[:-1]
    cut = long[row]
    space, start, end = runs.space[row], runs.start[row], runs.end[row]
    low = np.where(second, end - SPAN, start)
    high = np.where(cut & ~second, start + SPAN, end)
    first = np.maximum(low - MARGIN, 0)
    last = np.minimum(high + MARGIN, memory.map.size[space])
    size = np.maximum(last - first, 0)
    at = MARGIN + np.cumsum(size + MARGIN) - (size + MARGIN)
    data = np.zeros(int(np.sum(size + MARGIN)) + 2 * MARGIN, np.uint8)
    _copy(memory, data.data, space.tolist(), first.tolist(), size.tolist(), at.tolist())
    return Pool(
        data=data,
        at=at,
        space=space,
        offset=first,
        head=np.where(second, -1, at + start - first),
        tail=np.where(cut & ~second, -1, at + end - first),
        phase=(memory.map.base[space].astype(np.int64) + first - at) % 8,
        any_alignment=~memory.map.addressed[space] | memory.map.doubted[space],
        readings=readings.table(memory.map.byte_order),
    )


def _copy(
    memory: Memory,
    view: memoryview,
    spaces: list[int],
    firsts: list[int],
    sizes: list[int],
    ats: list[int],
) -> None:
    """Copy blocks of the dump into the pool, reading neighbours together."""
    raw, base, here = b"", 0, -1
    for index, (space, first, size, at) in enumerate(zip(spaces, firsts, sizes, ats, strict=True)):
        if space != here or not base <= first <= first + size <= base + len(raw):
            here, base, end = space, first, first + size
            for other in range(index + 1, len(spaces)):
                stop = firsts[other] + sizes[other]
                if spaces[other] != space or stop - first > _STRIDE or firsts[other] > end + 4096:
                    break
                end = max(end, stop)
            raw = memory.clip(space, first, end - first)
        view[at : at + size] = raw[first - base : first - base + size]


def edges(pool: Pool) -> Edges:
    """Judge the edges of a pool's runs, once for all lengths."""
    data = pool.data
    last = np.append(pool.at[1:], len(data) - MARGIN) - MARGIN
    low = np.maximum(np.where(pool.head >= 0, pool.head - SLACK, pool.at), pool.at)
    high = np.where(pool.tail >= 0, np.minimum(pool.tail + SLACK, last), last)
    sides = []
    for at, forward in ((pool.head, 1), (pool.tail, -1)):
        block = np.flatnonzero(at >= 0)
        side = at[block]
        long = (high - low)[block] >= _JUDGED
        varied = np.zeros(len(side), np.bool_)
        varied[long] = _varied(data, side[long] - (0 if forward > 0 else _JUDGED))
        sides.append(
            Edge(
                at=side,
                low=low[block],
                high=high[block],
                phase=pool.phase[block],
                any_alignment=pool.any_alignment[block],
                varied=varied,
                out=_random_bytes(data, side, -forward),
                into=_plain_bytes(data, side, forward),
            )
        )
    zero = np.flatnonzero((data[:-1] == 0) & (data[1:] >= 0x80)) + 1
    block = np.searchsorted(pool.at, zero, side="right") - 1
    zero, block = zero[block >= 0], block[block >= 0]
    return Edges(
        pool=pool, head=sides[0], tail=sides[1], signed=zero, signed_room=last[block] - zero
    )


def _varied(data: Bytes, position: Offsets) -> Flags:
    """Tell behind which positions bytes have as many different values as random ones have."""
    column = np.arange(_JUDGED)
    verdict = np.empty(len(position), np.bool_)
    for start in range(0, len(position), _ROWS):
        at = np.clip(position[start : start + _ROWS], 0, len(data) - _JUDGED)
        rows = data[at[:, None] + column]
        rows.sort(axis=1)
        verdict[start : start + _ROWS] = (rows[:, 1:] != rows[:, :-1]).sum(axis=1) + 1 >= _VALUES
    return verdict


def _outward(data: Bytes, at: Offsets, direction: int) -> npt.NDArray[np.uint8]:
    """Return the SLACK bytes at a side of each position, the nearest first."""
    steps = np.arange(SLACK) if direction > 0 else -1 - np.arange(SLACK)
    rows: npt.NDArray[np.uint8] = data[at[:, None] + steps]
    return rows


def _random_bytes(data: Bytes, at: Offsets, direction: int) -> Offsets:
    """Count the bytes outside of an edge up to the second zero: memory has many, numbers few."""
    zeros = np.cumsum(_outward(data, at, direction) == 0, axis=1)
    counts: Offsets = np.count_nonzero(zeros < 2, axis=1).astype(np.int64)
    return counts


def _plain_bytes(data: Bytes, at: Offsets, direction: int) -> Offsets:
    """Count the bytes inside of an edge that are below 0x80: text, and small integers."""
    plain = np.logical_and.accumulate(_outward(data, at, direction) < 0x80, axis=1)
    counts: Offsets = np.count_nonzero(plain, axis=1).astype(np.int64)
    return counts


def numbers(found: Edges, bits: int, *, full: bool = True, ahead: tuple[int, ...] = ()) -> Numbers:
    """List where an odd number of ``bits`` bits may stand; not ``full``: of at most so many.

    At every run's edges, in every reading; in big-endian bytes also behind every zero byte (DER,
    SSH and others put one before a number whose top bit is set); and ``ahead`` lengths behind a
    run's first edge, where a format lays numbers end to end (CAPI and CNG blobs: modulus, primes).
    """
    pool, parts = found.pool, []
    for index, reading in enumerate(pool.readings):
        size = readings.width(reading, bits)
        rows = [_shifted(found.head, reading, size, shift * size) for shift in (0, *ahead)]
        rows.append(_shifted(found.tail, reading, size, None))
        if reading is readings.BYTES:
            rows.append(_signed(found, size))
        code = np.concatenate(rows)
        parts.append(_sift(pool, index, code, bits, full=full))
    whole = Numbers(
        bits=bits,
        position=np.concatenate([part.position for part in parts]),
        reading=np.concatenate([part.reading for part in parts]),
        low=np.concatenate([part.low for part in parts]),
        top=np.concatenate([part.top for part in parts]),
        exact=np.concatenate([part.exact for part in parts]),
    )
    if len(whole) > MOST_LOOSE:
        whole = whole.take(whole.exact)
    return whole.take(np.argsort(whole.position, kind="stable"))


def _shifted(edge: Edge, reading: Reading, size: int, ahead: int | None) -> Offsets:
    """List 2 * position + exact of the numbers near an edge; ``ahead`` None: that end there."""
    tail = ahead is None
    shift = -size if ahead is None else ahead
    fits = edge.high - edge.low >= size + (ahead or 0)
    if not reading.packed:
        fits &= edge.varied
    index = np.flatnonzero(fits)
    residue = (edge.at[index] + shift + edge.phase[index]) % reading.align
    rows = []
    for slack in range(-SLACK, SLACK + 1):
        aligned = (residue + slack) % reading.align == 0
        near = index[aligned | edge.any_alignment[index]]
        start = edge.at[near] + (shift + slack)
        good = (start >= edge.low[near]) & (start + size <= edge.high[near])
        start, near = start[good], near[good]
        if reading.packed:
            rows.append(start * 2 + 1)
            continue
        inward = -slack if tail else slack
        exact = (inward <= edge.into[near]) & (-inward <= edge.out[near])
        rows.append(start * 2 + exact)
    return np.concatenate(rows)


def _signed(found: Edges, size: int) -> Offsets:
    """List 2 * position + exact of the big-endian numbers behind a zero byte.

    Exact ones have the low byte of their length before it (X.690 8.1.3, RFC 4251 section 5).
    """
    at = found.signed[found.signed_room >= size]
    exact = found.pool.data[at - 2] == (size + 1) & 0xFF
    code: Offsets = at * 2 + exact
    return code


def _sift(pool: Pool, index: int, code: Offsets, bits: int, *, full: bool) -> Numbers:
    """Keep what reads as an odd number of the length."""
    reading, data = pool.readings[index], pool.data
    if reading.digit == 8:
        size = readings.width(reading, bits)
        position = code >> 1
        bottom, upper = (size - 1, 0) if reading.most_first else (0, size - 1)
        keep = (data[position + bottom] & 1) == 1
        if full:
            keep &= (data[position + upper] >> ((bits - 1) % 8)) == 1
        code = code[keep]
    code = np.sort(code)
    last = np.ones(len(code), np.bool_)
    last[:-1] = (code[1:] >> 1) != (code[:-1] >> 1)
    code = code[last]
    top = readings.top(reading, data, code >> 1, bits)
    keep = top >= np.uint64(1 << 63) if full else top > 0
    code, top = code[keep], top[keep]
    low = readings.low(reading, data, code >> 1, bits)
    keep = (low & np.uint64(1)) == 1
    keep[keep] = readings.are_digits(reading, data, (code >> 1)[keep], bits)
    code = code[keep]
    return Numbers(
        bits=bits,
        position=code >> 1,
        reading=np.full(len(code), index, np.int8),
        low=low[keep],
        top=top[keep],
        exact=(code & 1) == 1,
    )
