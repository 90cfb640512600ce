"""The numbers of one pool, listed once for each length, and where they stand.

Several relations ask for numbers of the same lengths; a listing costs more than most of them. This
module exists to share it, and holds nothing beyond one search.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import effort
from scanner.detect.integers import edges, readings
from scanner.detect.integers import numbers as listing
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.edges import Edges
from scanner.detect.integers.numbers import Numbers
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.relations.places import nearby
from scanner.errors import LimitExceeded
from scanner.model import Place

AHEAD = tuple(range(1, 16))
"""Lengths behind a run's first edge at which a number may stand: CAPI and CNG blobs hold the
modulus, two lengths of a prime, and then the primes; BearSSL's keys have no modulus; allocators
with slabs (jemalloc, tcmalloc, mimalloc) lay objects of one size end to end."""

UNEVEN = ("digits-30",)
"""Readings of primes of uneven length: those of the rsa package for Python, CPython's integers."""

RADII = (NEIGHBOURHOOD, NEIGHBOURHOOD >> 2, NEIGHBOURHOOD >> 4, NEIGHBOURHOOD >> 6)
"""Distances within which numbers are related: the first at which there are not too many pairs."""

WASTED = 10_000_000
"""Microseconds that numbers may cost in a section which pass for a key's until they are read in
full: chance makes hardly any, and a dump can be made of nothing else."""

ANYWHERE = 1 << 62
"""More than any two coordinates are apart."""

_ROWS = 1 << 12
"""Numbers that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Shelf:
    """The numbers of a pool."""

    edges: Edges
    read: Mapping[int, Place] = field(default_factory=dict)
    """Where moduli stand that were read, in a certificate or another public key."""
    listed: dict[tuple[int, bool, tuple[str, ...], bool], Numbers] = field(default_factory=dict)
    bound: effort.Bound = field(default_factory=lambda: effort.Bound(WASTED))

    def waste(self, cost: int) -> None:
        """Count the microseconds that numbers cost which are no key. Raises LimitExceeded."""
        try:
            self.bound.take(cost)
        except effort.Spent:
            raise LimitExceeded("numbers that are nearly a key's are too many to check") from None

    def untested(self, number: int) -> None:
        """Count what it cost to tell that a number is no prime. Raises LimitExceeded."""
        self.waste(effort.raising(number.bit_length(), number.bit_length()))

    @property
    def pool(self) -> Pool:
        """The pool itself."""
        return self.edges.pool

    def numbers(
        self,
        bits: int,
        *,
        full: bool = True,
        only: tuple[str, ...] = (),
        filling: bool = False,
        laid: bool = False,
    ) -> Numbers:
        """List the numbers of a length, or, not ``full``, up to it; of all readings, or some.

        All that stand at a run's edge, or those alone that are ``filling`` their run. Full ones and
        ``laid`` ones may have others of their length before them, and ``laid`` ones behind them:
        in slabs there are millions of those, which one search asks for, and they are not kept.
        """
        key = (bits, full, only, filling)
        found = None if laid else self.listed.get(key)
        if found is None:
            found = listing.numbers(
                self.edges,
                bits,
                full=full,
                ahead=AHEAD if full or laid else (),
                behind=AHEAD if laid else (),
                only=only,
                filling=filling,
            )
            if not laid:
                self.listed[key] = found
        return found

    def either(self, bits: int, *, limbs: bool = False) -> tuple[Offsets, Offsets]:
        """List where what is of either parity may stand at a run's edge, and in which reading.

        Whole words or bytes alone, or ``limbs``; the order is that of positions.
        """
        table, rows = self.pool.readings, [np.empty(0, np.int64)]
        for index, how in enumerate(table):
            if not how.packed and how is not readings.JAVA and not (limbs and how.most_first):
                begins, ends = self.edges.begins[index], self.edges.ends[index]
                size = readings.width(how, bits)
                found = begins.at[begins.exact & (begins.room >= size)]
                found = np.append(found, ends.at[ends.exact & (ends.room >= size)] - size)
                rows.append(found * len(table) + index)
        position, reading = np.divmod(distinct(np.concatenate(rows)), len(table))
        return position, reading

    def digits(self, bits: int, names: Collection[str]) -> tuple[Offsets, Offsets]:
        """List where digits of either parity may fill their run, and in which of these readings."""
        table, rows = self.pool.readings, [np.empty(0, np.int64)]
        for index, how in enumerate(table):
            if how.name in names:
                begins, size = self.edges.begins[index], readings.width(how, bits)
                fills = (begins.room >= size) & (begins.room <= size + 2 * edges.FAINT)
                found = np.unique(begins.at[begins.exact & fills])
                found = found[readings.are_digits(how, self.pool.data, found, bits)]
                rows.append(found * len(table) + index)
        position, reading = np.divmod(np.concatenate(rows), len(table))
        return position, reading

    def value(self, numbers: Numbers, index: int) -> int:
        """Read one of the numbers."""
        return self.pool.number(
            int(numbers.position[index]), numbers.bits, int(numbers.reading[index])
        )

    def values(self, numbers: Numbers, index: Offsets) -> list[int]:
        """Read many of the numbers."""
        found, reading = [0] * len(index), numbers.reading[index]
        for which in np.unique(reading).tolist():
            how, rows = self.pool.readings[which], np.flatnonzero(reading == which)
            size = readings.width(how, numbers.bits)
            window = np.lib.stride_tricks.sliding_window_view(self.pool.data, size)
            for start in range(0, len(rows), _ROWS):
                part = rows[start : start + _ROWS]
                values = readings.decode_all(how, window[numbers.position[index[part]]])
                for row, value in zip(part.tolist(), values, strict=True):
                    found[row] = value
        return found

    def ranges(
        self, numbers: Numbers, low: Offsets, high: Offsets
    ) -> tuple[Offsets, dict[int, int]]:
        """Return which of some ranges hold numbers, and those that any holds, by their index."""
        rows = np.flatnonzero(high > low)
        held = np.concatenate([low[:0], *(np.arange(low[row], high[row]) for row in rows)])
        index = np.unique(held)
        return rows, dict(zip(index.tolist(), self.values(numbers, index), strict=True))

    def place(self, numbers: Numbers, index: int) -> Place:
        """Say where one of the numbers stands."""
        size = readings.width(self.pool.readings[int(numbers.reading[index])], numbers.bits)
        return self.pool.place(int(numbers.position[index]), size)

    def reading(self, numbers: Numbers, index: int) -> str:
        """Name the reading of one of the numbers, or how it is written."""
        reading = self.pool.readings[int(numbers.reading[index])].name
        return self.pool.form(int(numbers.position[index]), reading)

    def along(self, numbers: Numbers) -> Offsets:
        """Return where in the dump numbers stand, as coordinates."""
        return nearby.coordinates(self.pool, numbers.position)


def shelf(pool: Pool, read: Mapping[int, Place]) -> Shelf:
    """Judge the edges of a pool, and list no number yet."""
    return Shelf(edges=edges.judge(pool), read=read)


def once(numbers: Numbers) -> Numbers:
    """Keep the first of the positions that hold the same number in one reading, by its two ends.

    Both are needed: the low word of limbs is that of 63-bit digits, half of the time. A copy in
    another reading, which may be written over in the midst, takes no whole one's place.
    """
    ends = numbers.low + numbers.top * np.uint64(0x9E3779B97F4A7C15)
    ends += numbers.reading.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    if not len(ends):
        return numbers
    order = np.argsort(ends)
    fresh = np.flatnonzero(np.diff(ends[order], prepend=~ends[order[:1]]))
    return numbers.take(np.sort(np.minimum.reduceat(order, fresh)))


def exact(numbers: Numbers) -> Numbers:
    """Keep the numbers that begin or end where their run does, each once."""
    return once(numbers.take(numbers.exact))


def by_reading(one: Numbers, other: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the numbers of one reading after the other."""
    for reading in np.intersect1d(one.reading, other.reading).tolist():
        yield one.take(one.reading == reading), other.take(other.reading == reading)


def within(
    shelf: Shelf, one: Numbers, other: Numbers, most: int, radii: tuple[int, ...]
) -> tuple[Offsets, Offsets]:
    """Return for each number of ``one`` the range of ``other`` near it, all of at most ``most``."""
    first, last = shelf.along(one), shelf.along(other)
    low = high = np.zeros(len(first), np.int64)
    for radius in radii:
        low = np.searchsorted(last, first - radius)
        high = np.searchsorted(last, first + radius, side="right")
        if int(np.sum(high - low)) <= most:
            return low, high
    return low, low
