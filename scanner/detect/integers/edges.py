"""The edges of a pool's runs: where a number of some reading may begin or end, whatever its length.

Values begin or end at a run's edge, but need not fill the run, and what parts them from the edge
may look random by chance. This module judges the bytes around each edge once, and lists no number.
"""

from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets, Sizes
from scanner.detect.integers import likelihood, readings
from scanner.detect.integers.pool import SLACK, Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.integers.spots import spots

_JUDGED, _VALUES = 64, 43
"""Bytes at a run's edge, and how many different values random ones have at least: 57 on average,
and four standard deviations less. Machine code and tables seldom reach it."""

FAINT = 24
"""How far a packed number may reach beyond its run: its top word has few bits, and of the others
more than of random words have no byte above 0x7f."""

_INSIDE = 48
"""Bytes near a run's edge that belong to any packed number there, as 512 bits fill 64 and more."""

_ROWS = 1 << 13
"""Positions, or edges, that are judged at once."""

_NONE = (np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.bool_))


@dataclass(frozen=True, slots=True, repr=False)
class Touching:
    """Where numbers of one reading may begin, or end, and how many bytes they may have."""

    at: Offsets
    room: Sizes
    exact: Flags


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Edges:
    """What a pool's edges allow, whatever the length; in the order of the pool's readings."""

    pool: Pool
    begins: tuple[Touching, ...]
    ends: tuple[Touching, ...]
    signed: Touching
    """Where big-endian numbers may begin behind a zero byte."""
    loose: bool
    """There are few runs, and numbers are listed though what parts them from the edge is random;
    Java's also without the length of their array before them."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Edge:
    """One side of many runs, which lie in [low, high) of blocks that lie in [first, last).

    A number may reach ``out`` bytes beyond it without taking in what is not random, and stay
    ``into`` bytes inside without leaving out what is.
    """

    at: Offsets
    low: Offsets
    high: Offsets
    first: Offsets
    last: Offsets
    phase: Offsets
    free: Flags
    forward: bool


def judge(pool: Pool) -> Edges:
    """Judge the edges of a pool's runs, once for all lengths."""
    data = pool.data
    last = pool.ends
    low = np.where(pool.head >= 0, pool.head, pool.at)
    high = np.where(pool.tail >= 0, pool.tail, last)
    sides = []
    for at, forward in ((pool.head, True), (pool.tail, False)):
        block = np.flatnonzero((at >= 0) & (high - low >= _JUDGED - 2 * SLACK))
        edge = _Edge(
            at=at[block],
            low=low[block],
            high=high[block],
            first=pool.at[block],
            last=last[block],
            phase=pool.phase[block],
            free=pool.any_alignment[block],
            forward=forward,
        )
        sides.append(_touching(data, edge, pool.readings, loose=pool.few))
    zero = 1 + spots(
        len(data) - 1, lambda at, end: (data[at:end] == 0) & (data[at + 1 : end + 1] > 0x7F)
    )
    block = np.searchsorted(pool.at, zero, side="right") - 1
    zero, block = zero[block >= 0], block[block >= 0]
    signed = Touching(zero, (last[block] - zero).astype(np.int32), np.ones(len(zero), np.bool_))
    return Edges(pool=pool, begins=sides[0], ends=sides[1], signed=signed, loose=pool.few)


def _touching(
    data: Bytes, edge: _Edge, table: tuple[Reading, ...], *, loose: bool
) -> tuple[Touching, ...]:
    """Say for each reading where numbers may touch an edge."""
    rows = np.arange(len(edge.at))
    varied = rows[_varied(data, edge.at if edge.forward else edge.at - _JUDGED)]
    out = _random_bytes(data, edge.at, forward=not edge.forward)
    into = _plain_bytes(data, edge.at, forward=edge.forward, most=0x80 if loose else 1)
    found, wide = [], dict[Reading, Offsets]()
    for reading in table:
        index = varied
        if reading.packed:
            key = readings.widest(reading, table)
            if key not in wide:
                wide[key] = _holding(data, edge, rows, key)
            index = wide[key] if key == reading else _holding(data, edge, wide[key], reading)
        parts = [
            _touching_some(edge, index[start : start + _ROWS], reading, out, into, loose=loose)
            for start in range(0, len(index), _ROWS)
        ]
        at, room, exact = (np.concatenate(column) for column in zip(_NONE, *parts, strict=True))
        order = np.argsort(at, kind="stable")
        found.append(Touching(at[order], room[order], exact[order]))
    return tuple(found)


def _touching_some(
    edge: _Edge, index: Offsets, reading: Reading, out: Offsets, into: Offsets, *, loose: bool
) -> tuple[Offsets, Sizes, Flags]:
    """Say where numbers of a reading may touch some of the edges: at, room and exact, as Touching.

    For some at once, as there are dozens of positions around each.
    """
    reach = FAINT if reading.packed else SLACK
    row, inward = _around(edge, index, reading.align, reach)
    exact = (inward <= into[row]) & (-inward <= out[row]) | reading.packed
    at = edge.at[row] + (inward if edge.forward else -inward)
    low = np.maximum(edge.low[row] - reach, edge.first[row])
    high = np.minimum(edge.high[row] + reach, edge.last[row])
    good = (at >= low) & (at <= high)
    if not loose:
        good &= exact
    room = high - at if edge.forward else at - low
    return at[good], room[good].astype(np.int32), exact[good]


def _around(edge: _Edge, index: Offsets, align: int, reach: int) -> tuple[Offsets, Offsets]:
    """Return (edge, bytes inward) of the aligned positions around some of the edges, in order."""
    past = (edge.at[index] + edge.phase[index]) % align
    first = -reach + ((-past if edge.forward else past) + reach) % align
    inward = first[:, None] + np.arange(0, reach + SLACK + 1, align)
    row = np.broadcast_to(index[:, None], inward.shape)
    good = (inward <= SLACK) & ~edge.free[row]
    free = index[edge.free[index]]
    anywhere = np.arange(-reach, SLACK + 1)
    return (
        np.concatenate((row[good], np.repeat(free, len(anywhere)))),
        np.concatenate((inward[good], np.tile(anywhere, len(free)))),
    )


def _varied(data: Bytes, position: Offsets) -> Flags:
    """Tell behind which positions bytes are as likely and as varied as random ones are."""
    window = np.lib.stride_tricks.sliding_window_view(data, _JUDGED)
    verdict = np.empty(len(position), np.bool_)
    for start in range(0, len(position), _ROWS):
        rows = window[np.clip(position[start : start + _ROWS], 0, len(window) - 1)]
        good = likelihood.of_words(rows.view(np.uint64)) >= likelihood.least(_JUDGED)
        good[good] = likelihood.values(rows[good]) >= _VALUES
        verdict[start : start + _ROWS] = good
    return verdict


def _outward(data: Bytes, at: Offsets, *, forward: bool) -> Bytes:
    """Return the SLACK bytes at a side of each position, the nearest first."""
    window = np.lib.stride_tricks.sliding_window_view(data, SLACK)
    rows: Bytes = window[at] if forward else window[at - SLACK][:, ::-1]
    return rows


def _random_bytes(data: Bytes, at: Offsets, *, forward: bool) -> Offsets:
    """Count the bytes outside of an edge up to the second zero: memory has many, numbers few."""
    zeros = np.cumsum(_outward(data, at, forward=forward) == 0, axis=1, dtype=np.uint8)
    counts: Offsets = np.count_nonzero(zeros < 2, axis=1).astype(np.int64)
    return counts


def _plain_bytes(data: Bytes, at: Offsets, *, forward: bool, most: int) -> Offsets:
    """Count the bytes inside of an edge that are below a bound: text, or zeros."""
    plain = np.logical_and.accumulate(_outward(data, at, forward=forward) < most, axis=1)
    counts: Offsets = np.count_nonzero(plain, axis=1).astype(np.int64)
    return counts


def _holding(data: Bytes, edge: _Edge, index: Offsets, reading: Reading) -> Offsets:
    """Return at which of some edges the words that any number there has are digits.

    Where numbers may begin at any byte, at one of all that a word has.
    """
    bits, found = _INSIDE // reading.step * reading.digit, np.zeros(len(edge.at), np.bool_)
    free = edge.free[index]
    for rows, align in ((index[~free], reading.align), (index[free], 1)):
        past = (edge.at[rows] + edge.phase[rows]) % align
        first = edge.at[rows] - past - SLACK - _INSIDE
        if edge.forward:
            first = edge.at[rows] + (align - past) + SLACK
        for more in range(0, reading.step if len(rows) else 0, align):
            found[rows] |= readings.are_digits(reading, data, np.maximum(first + more, 0), bits)
    return index[found[index]]
