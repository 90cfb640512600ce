"""The numbers that a pool may hold: where, in which reading, and what they begin and end with.

For a given length there are few positions to try, at the edges of runs; most of those fall to tests
of a byte, most of the rest to a division by small primes, and all of it is arithmetic on whole
arrays. What is left is worth looking at as a number, and this module refuses to: relations do.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.detect.integers import lengths, likelihood, readings
from scanner.detect.integers.limbs import Flags, Offsets, Words
from scanner.detect.integers.pool import MARGIN, SLACK, Pool
from scanner.detect.integers.readings import Bytes, Reading

_JUDGED, _VALUES = 64, 43
"""Bytes at a run's edge, and how many different values random ones have at least: 57 on average,
and four standard deviations less. Machine code and tables seldom reach it."""

FAINT = 24
"""How far a packed number may reach beyond its run: its top word has few bits, and of the others
more than of random words have no byte above 0x7f."""

_INSIDE = 48
"""Bytes near a run's edge that belong to any packed number there, as 512 bits fill 64 and more."""

_ROWS = 1 << 13
"""Positions that are judged at once."""

_CELLS = 1 << 19
"""Bytes, as floats, that are summed at once."""

_PAIRED = 256
"""Bytes of a number up to which a sum of its pairs of bytes, times 30 bits, fills 53."""

_PRIMES = tuple(n for n in range(3, 104) if all(n % f for f in range(2, n)))
_FACTORS = (_PRIMES[:8], _PRIMES[8:13], _PRIMES[13:18], _PRIMES[18:22], _PRIMES[22:26])
"""Small primes, in groups whose product is below 2**30."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Numbers:
    """Positions at which an odd number of one length may stand, in order.

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


@dataclass(frozen=True, slots=True, repr=False)
class Touching:
    """Where numbers of one reading may begin, or end, and how many bytes they may have."""

    at: Offsets
    room: Offsets
    exact: Flags


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Survey:
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


# --- edges --------------------------------------------------------------------------------------


def survey(pool: Pool) -> Survey:
    """Judge the edges of a pool's runs, once for all lengths."""
    data = pool.data
    last = np.append(pool.at[1:], len(data) - MARGIN) - MARGIN
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
    zero = np.flatnonzero((data[:-1] == 0) & (data[1:] >= 0x80)) + 1
    block = np.searchsorted(pool.at, zero, side="right") - 1
    zero, block = zero[block >= 0], block[block >= 0]
    signed = Touching(zero, last[block] - zero, np.ones(len(zero), np.bool_))
    return Survey(pool=pool, begins=sides[0], ends=sides[1], signed=signed, loose=pool.few)


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
        reach = FAINT if reading.packed else SLACK
        row, inward = _around(edge, index, reading.align, reach)
        exact = (inward <= into[row]) & (-inward <= out[row]) | reading.packed
        at = edge.at[row] + (inward if edge.forward else -inward)
        low = np.maximum(edge.low - reach, edge.first)[row]
        high = np.minimum(edge.high + reach, edge.last)[row]
        good = (at >= low) & (at <= high)
        if not loose:
            good &= exact
        room = high - at if edge.forward else at - low
        kept = np.flatnonzero(good)
        kept = kept[np.argsort(at[kept], kind="stable")]
        found.append(Touching(at[kept], room[kept], exact[kept]))
    return tuple(found)


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


def _outward(data: Bytes, at: Offsets, *, forward: bool) -> npt.NDArray[np.uint8]:
    """Return the SLACK bytes at a side of each position, the nearest first."""
    window = np.lib.stride_tricks.sliding_window_view(data, SLACK)
    rows: npt.NDArray[np.uint8] = window[at] if forward else window[at - SLACK][:, ::-1]
    return rows


def _random_bytes(data: Bytes, at: Offsets, *, forward: bool) -> Offsets:
    """Count the bytes outside of an edge up to the second zero: memory has many, numbers few."""
    zeros = np.cumsum(_outward(data, at, forward=forward) == 0, axis=1)
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


# --- numbers ------------------------------------------------------------------------------------


def numbers(
    found: Survey,
    bits: int,
    *,
    full: bool = True,
    ahead: tuple[int, ...] = (),
    only: Collection[str] = (),
    filling: bool = False,
) -> Numbers:
    """List where an odd number may stand, of ``bits`` bits, or if not ``full`` of at most so many.

    At every run's edges, in every reading; in big-endian bytes also behind every zero byte (DER,
    SSH and others put one before a number whose top bit is set); and ``ahead`` lengths behind a
    run's first edge, where a format lays numbers of whole bytes end to end (CAPI and CNG blobs:
    modulus, primes). Full ones have no factor below 104. ``only`` names the readings that are asked
    for, if not all; ``filling`` asks for those alone that begin and end where their run does.
    """
    parts: list[Numbers] = []
    for index, reading in enumerate(found.pool.readings):
        if only and reading.name not in only:
            continue
        size = readings.width(reading, bits)
        most = size + 2 * (FAINT if reading.packed else SLACK) if filling else len(found.pool.data)
        begins, ends = found.begins[index], found.ends[index]
        if parts and reading.packed and not len(begins.at) + len(ends.at):
            continue
        rows = [
            ((begins.at + shift * size) * 2 + begins.exact)[
                (begins.room >= (shift + 1) * size) & (begins.room <= most)
            ]
            for shift in (0, *(ahead if reading.digit == 8 else ()))
        ]
        rows.append(((ends.at - size) * 2 + ends.exact)[(ends.room >= size) & (ends.room <= most)])
        if reading is readings.BYTES and not filling:
            at = lengths.behind_bytes(found.pool.data, size)
            rows += [_signed(found, size), at[at + size <= len(found.pool.data) - MARGIN] * 2 + 1]
        code = np.concatenate(rows)
        code = code[_fits_ends(reading, found.pool.data, code >> 1, bits, full=full)]
        if reading is readings.JAVA and not found.loose:
            code = code[lengths.behind_count(found.pool.data, code >> 1, size // reading.word)]
        parts.append(_sift(found.pool, index, code, bits, full=full))
    whole = Numbers(
        bits=bits,
        position=np.concatenate([part.position for part in parts]),
        reading=np.concatenate([part.reading for part in parts]),
        low=np.concatenate([part.low for part in parts]),
        top=np.concatenate([part.top for part in parts]),
        exact=np.concatenate([part.exact for part in parts]),
    )
    order = whole.position * len(found.pool.readings) + whole.reading
    return whole.take(np.argsort(order, kind="stable"))


def behind(pool: Pool, ahead: Numbers, lengths: int) -> tuple[Numbers, Numbers]:
    """Return numbers, and what stands so many lengths behind or (-) before each, in the pool."""
    sizes = np.array([readings.width(reading, ahead.bits) for reading in pool.readings])
    size = sizes[ahead.reading]
    first, last = ahead.position + lengths * size, len(pool.data) - MARGIN
    ahead = ahead.take((first >= 0) & (first + size <= last))
    position = ahead.position + lengths * sizes[ahead.reading]
    low, top = np.empty(len(ahead), np.uint64), np.empty(len(ahead), np.uint64)
    for index in np.unique(ahead.reading).tolist():
        mine, reading = ahead.reading == index, pool.readings[index]
        low[mine] = readings.low(reading, pool.data, position[mine], ahead.bits)
        top[mine] = readings.top(reading, pool.data, position[mine], ahead.bits)
    exact = np.ones(len(ahead), np.bool_)
    return ahead, Numbers(
        bits=ahead.bits, position=position, reading=ahead.reading, low=low, top=top, exact=exact
    )


def _signed(found: Survey, size: int) -> Offsets:
    """List 2 * position + exact of the big-endian numbers behind a zero byte.

    Exact ones have the low byte of their length before it (X.690 8.1.3, RFC 4251 section 5).
    """
    at = found.signed.at[found.signed.room >= size]
    exact = found.pool.data[at - 2] == (size + 1) & 0xFF
    if not found.loose:
        at, exact = at[exact], exact[exact]
    code: Offsets = at * 2 + exact
    return code


def _fits_ends(reading: Reading, data: Bytes, position: Offsets, bits: int, *, full: bool) -> Flags:
    """Tell by a byte at either end which numbers are odd and, if ``full``, have their top bit."""
    if reading.double:
        return (readings.low(reading, data, position, bits) & np.uint64(1)).astype(np.bool_)
    most = readings.count(reading, bits) - 1
    last = most * reading.step
    head = bits - 1 - most * reading.digit + reading.shift
    lowest, highest = (last, 0) if reading.most_first else (0, last)
    swap = reading.word - 1 if reading.swapped else 0
    bottom = data.take(position + (lowest + (reading.shift >> 3 ^ swap)))
    good: Flags = (bottom >> (reading.shift & 7) & 1).view(np.bool_)
    if full:
        good &= (data.take(position + (highest + (head >> 3 ^ swap))) >> (head & 7)) == 1
    return good


def _sift(pool: Pool, index: int, code: Offsets, bits: int, *, full: bool) -> Numbers:
    """Keep what reads as a number of the length."""
    reading, data = pool.readings[index], pool.data
    code = np.sort(code, kind="stable")  # of a few sorted parts
    last = np.ones(len(code), np.bool_)
    last[:-1] = (code[1:] >> 1) != (code[:-1] >> 1)
    code = code[last]
    top = readings.top(reading, data, code >> 1, bits)
    keep = top >= np.uint64(1 << 63) if full else top > 0
    keep[keep] = readings.are_digits(reading, data, (code >> 1)[keep], bits)
    if full:
        keep[keep] = _without_small_factors(reading, data, (code >> 1)[keep], bits)
    position = code[keep] >> 1
    return Numbers(
        bits=bits,
        position=position,
        reading=np.full(len(position), index, np.int8),
        low=readings.low(reading, data, position, bits),
        top=top[keep],
        exact=(code[keep] & 1) == 1,
    )


def _without_small_factors(reading: Reading, data: Bytes, position: Offsets, bits: int) -> Flags:
    """Tell which numbers no odd prime below 104 divides: one in four.

    A number modulo a product of primes is the sum of its bytes, or pairs of bytes, times their
    weights: a matrix product, exact in the 53 bits of a float.
    """
    verdict = np.ones(len(position), np.bool_)
    if len(position) == 0 or reading.double:
        return verdict
    size = readings.width(reading, bits)
    window = np.lib.stride_tricks.sliding_window_view(data, size)
    rows = max(_CELLS // size, 1)
    paired = size % 2 == 0 and size <= _PAIRED
    unit = ("<u2", ">u2")[reading.swapped or reading is readings.BYTES] if paired else "u1"
    for groups in (_FACTORS[:1], _FACTORS[1:]):
        products = [math.prod(group) for group in groups]
        weights = np.stack([readings.weights(reading, bits, product) for product in products], 1)
        if paired:
            weights = weights[unit == ">u2" :: 2]
        left = np.flatnonzero(verdict)
        for start in range(0, len(left), rows):
            index = left[start : start + rows]
            sums = np.asfortranarray(
                window[position[index]].view(unit).astype(np.float64) @ weights
            )
            sums = sums.astype(np.int64)
            good = np.ones(len(index), np.bool_)
            for column, group in enumerate(groups):
                for prime in group:
                    good &= sums[:, column] // prime * prime != sums[:, column]
            verdict[index] = good
    return verdict
