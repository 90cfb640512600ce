"""The numbers that a pool may hold: where, in which reading, and what they begin and end with.

For a given length there are few positions to try, at the ``edges`` of runs; most of those fall to
tests of a byte, most of the rest to a division by small primes, and all of it is arithmetic on
whole arrays. What is left is worth looking at as a number; this module refuses to: relations do.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets, Sizes, Words
from scanner.detect.integers import lengths, readings, serialized
from scanner.detect.integers.edges import FAINT, Edges
from scanner.detect.integers.pool import MARGIN, SLACK, Pool
from scanner.detect.integers.readings import Reading

_CELLS = 1 << 19
"""Bytes, as floats, that are summed at once."""

_PAGE, _MOST_PHASES = 4096, 3
"""Bytes of a page; and where in it slots of a size may begin, at most: more is not worth it."""

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


def numbers(
    found: Edges,
    bits: int,
    *,
    full: bool = True,
    ahead: tuple[int, ...] = (),
    behind: tuple[int, ...] = (),
    only: Collection[str] = (),
    filling: bool = False,
) -> Numbers:
    """List where an odd number may stand, of ``bits`` bits, or if not ``full`` of at most so many.

    At every run's edges, in every reading; in big-endian bytes also behind every zero byte (DER,
    SSH and others put one before a number whose top bit is set); and ``ahead`` lengths behind a
    run's first edge, where a format lays numbers of whole bytes end to end (CAPI and CNG blobs:
    modulus, primes); and ``behind`` lengths before its last. Full ones have no factor below 104.
    ``only`` names the readings that are asked for, if not all; ``filling`` asks for those alone
    that begin and end where their run does.
    """
    parts: list[Numbers] = []
    for index, reading in enumerate(found.pool.readings):
        if only and reading.name not in only:
            continue
        if parts and reading.packed and not len(found.begins[index].at) + len(found.ends[index].at):
            continue
        code = _at_edges(found, index, bits, (ahead, behind), filling=filling)
        code = code[_fits_ends(reading, found.pool.data, code >> 1, bits, full=full)]
        if reading is readings.JAVA and not found.loose:
            count = readings.count(reading, bits)
            code = code[lengths.behind_count(found.pool.data, code >> 1, count)]
        parts.append(_sift(found.pool, index, code, bits, full=full))
    return _ordered(parts, len(found.pool.readings))


def _ordered(parts: list[Numbers], count: int) -> Numbers:
    """Put numbers of one length in order, of so many readings, and leave ``parts`` empty.

    Of each column but one copy is made at a time: there are millions, where digests lie in rows.
    """
    bits, names = parts[0].bits, ("position", "reading", "low", "top", "exact")
    columns = {name: [getattr(part, name) for part in parts] for name in names}
    parts.clear()
    position = np.concatenate(columns.pop("position"))
    reading = np.concatenate(columns.pop("reading"))
    order = np.argsort(position * count + reading, kind="stable")
    position, reading = position[order], reading[order]
    low, top, exact = (np.concatenate(columns.pop(name))[order] for name in names[2:])
    return Numbers(bits=bits, position=position, reading=reading, low=low, top=top, exact=exact)


def joined(parts: Sequence[Numbers]) -> Numbers:
    """Put numbers of one length one behind the other, as they are."""
    return Numbers(
        bits=parts[0].bits,
        position=np.concatenate([part.position for part in parts]),
        reading=np.concatenate([part.reading for part in parts]),
        low=np.concatenate([part.low for part in parts]),
        top=np.concatenate([part.top for part in parts]),
        exact=np.concatenate([part.exact for part in parts]),
    )


def _at_edges(
    found: Edges,
    index: int,
    bits: int,
    shifts: tuple[tuple[int, ...], tuple[int, ...]],
    *,
    filling: bool,
) -> Offsets:
    """List 2 * position + exact of the numbers of one reading at every run's edges.

    And so many lengths behind the first edge, and before the last; and of what has a length.
    """
    reading, pool = found.pool.readings[index], found.pool
    size = readings.width(reading, bits)
    most = size + 2 * (FAINT if reading.packed else SLACK) if filling else len(pool.data)
    begins, ends = found.begins[index], found.ends[index]
    ahead, behind = ((0, *some) if reading.digit == 8 else (0,) for some in shifts)
    rows = [
        (begins.at[left] + shift * size) * 2 + begins.exact[left]
        for shift, left in _with_room(begins.room, size, ahead, most)
    ]
    rows += [
        (ends.at[left] - (shift + 1) * size) * 2 + ends.exact[left]
        for shift, left in _with_room(ends.room, size, behind, most)
    ]
    order = {readings.BYTES: ">", readings.LIMBS: "<"}.get(reading, "")
    if order and not filling:
        rows.append(serialized.listed(pool, size, order) * 2 + 1)
    if reading is readings.LIMBS and shifts[0] and not filling:
        rows.append(_in_slots(pool, size, len(ahead)) * 2)
    if reading is readings.BYTES and not filling:
        at = lengths.behind_bytes(pool.data, size)
        rows += [_signed(found, size), at[at + size <= len(pool.data) - MARGIN] * 2 + 1]
    return np.concatenate([np.empty(0, np.int64), *rows])


def _in_slots(pool: Pool, size: int, most: int) -> Offsets:
    """List the first slots of a slab within every run: ``most`` of them, if not cut off by its end.

    A slab begins with a page, so its slots at multiples of what divides both. What is left of the
    slot before, or what is behind, may look random too, so that no edge tells. Seen in OpenSSL on
    mimalloc and tcmalloc.
    """
    unit = math.gcd(size, _PAGE)
    if unit * _MOST_PHASES < size:
        return np.empty(0, np.int64)
    low = np.where(pool.head >= 0, pool.head, pool.at)
    high = np.where(pool.tail >= 0, pool.tail, pool.ends)
    rows = np.flatnonzero(high - low > size)
    at, high = low[rows], high[rows]
    at += -(pool.offset[rows] + at - pool.at[rows]) % unit
    found = [at[:0]]
    for _ in range(most * (size // unit)):
        left = at + size <= high
        at, high = at[left], high[left]
        found.append(at)
        at = at + unit
    return np.concatenate(found)


def _with_room(
    room: Sizes, size: int, shifts: Sequence[int], most: int
) -> Iterator[tuple[int, Offsets]]:
    """Yield shifts, in order, and which rooms hold a number so many sizes in, and at most ``most``.

    Few runs are long, so that each shift asks those alone that the one before it left.
    """
    left = np.flatnonzero((room >= size) & (room <= most))
    for shift in shifts:
        left = left[room[left] >= (shift + 1) * size]
        if not len(left):
            return
        yield shift, left


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


def _signed(found: Edges, size: int) -> Offsets:
    """List 2 * position + exact of the big-endian numbers behind a zero byte.

    Exact ones have the low byte of their length before it (X.690 8.1.3, RFC 4251 section 5), or
    their length least significant byte first: seen in Libgcrypt's S-expressions, in strongSwan.
    """
    at = found.signed.at[found.signed.room >= size]
    data, (low, high) = found.pool.data, (size + 1).to_bytes(2, "little")
    exact = (data[at - 2] == low) | (data[at - 2] == high) & (data[at - 3] == low)
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
