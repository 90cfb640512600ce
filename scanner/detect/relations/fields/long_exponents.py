"""Exponents of Diffie-Hellman as long as p, beside their public number.

Most libraries take short ones; strongSwan's plugin gmp takes them as long as p, and so long a power
is dear. So few are raised, of numbers that fill their runs and adjoin, and each is compared with
its neighbour alone: first those near p itself, for an allocator gives out the numbers of a key in
turn. This module knows of no group but what it is told.
"""

from collections.abc import Collection, Iterator

from scanner.detect.algebra import effort, gmp
from scanner.detect.integers import likelihood, readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import JAVA, Reading
from scanner.detect.relations.fields.logarithms import Piece
from scanner.detect.relations.places.adjoining import filling, pairs

MOST_PAIRS, MOST_NEAR = 128, 4
"""Pairs of numbers of one length that are looked at, and powers of those near p, of each group."""

SPENT, CHEAP = 30_000, 4096
"""Microseconds that all other powers in a section take, and bits of a p up to which those near it
are raised."""

_AROUND, _LACK = 1024, 16
"""Bytes before and behind a number in which p is near; and bits that an exponent has less."""


def exponents(
    pool: Pool, p: int, g: int, hows: Collection[Reading], bound: effort.Bound
) -> Iterator[tuple[Piece, int]]:
    """Yield exponents in a group, and the public number beside each: g**x = y.

    ``hows`` are the readings in which p stands.
    """
    bits, near = p.bit_length(), 0
    for piece, y, close in _pairs(pool, p, hows):
        if close and near < MOST_NEAR and bits <= CHEAP:
            near += 1
        else:
            try:
                bound.take(effort.raising(bits, bits))
            except effort.Spent:
                continue
        if gmp.power(g, piece.x, p) == y:
            yield piece, y


def _pairs(pool: Pool, p: int, hows: Collection[Reading]) -> list[tuple[Piece, int, bool]]:
    """Return what may be an exponent, the number beside it, and whether p is near; those first."""
    bits, found = p.bit_length(), []
    size = (bits + 7) // 8
    whole = filling(pool, size), size
    first, second = (rows[:MOST_PAIRS].tolist() for rows in pairs(pool, whole, whole))
    raws = {at: pool.data[at : at + size].tobytes() for at in first}
    least = likelihood.many_values(size)
    raws = {at: raw for at, raw in raws.items() if len(set(raw)) >= least}
    for how in sorted(set(hows) - {JAVA}, key=lambda how: how.name):
        spelled = readings.encode(how, p, bits)
        numbers = {at: readings.decode(how, raw) or 0 for at, raw in raws.items()}
        likely = {at: x for at, x in numbers.items() if 1 < x < p and not _named(x, bits)}
        for at, beside in zip(first, second, strict=True):
            if at in likely and beside in likely and likely[at] >> bits - _LACK:
                piece = Piece(likely[at], at, size, how)
                found.append((piece, likely[beside], spelled in _around(pool, piece)))
    return sorted(found, key=lambda row: not row[2])


def _around(pool: Pool, piece: Piece) -> bytes:
    place = pool.place(piece.position, piece.size)
    first = max(place.offset - _AROUND, 0)
    return pool.memory.clip(place.space, first, place.offset + place.size + _AROUND - first)


def _named(number: int, bits: int) -> bool:
    """Tell whether it begins as the primes that everybody uses: with 64 ones."""
    return number >> bits - 64 == (1 << 64) - 1
