"""The group of a DSA key held as digits: p, q and g, each a number of its own.

libtommath and big integers of scripting languages keep no parameters together, but digits are rare
in other memory: what is as long as a p and begins a run is soon tried. An order q divides p - 1,
and what has it, g**q = 1 modulo p, is a generator or a public number: both are given, since both
serve as a base. This module refuses numbers that fill their words, and knows nothing of exponents.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.detect import readings
from scanner.detect.limbs import Offsets
from scanner.detect.pool import SLACK, Pool
from scanner.detect.readings import Reading
from scanner.detect.relations import digits, pieces
from scanner.model import Place

SIZES = ((3072, 256), (2048, 256), (2048, 224), (1024, 160))
"""Bits of p and of q (FIPS 186-4 section 4.2)."""

MOST_MODULI, MOST_ORDERS, MOST_ELEMENTS = 16, 4_096, 64
"""Numbers that are tried as p, of one size and reading; as its q, the nearest, at 1 us; and as its
g, at 1 ms for 2048 bits."""

_SHORTEST = 128
"""Bytes of the shortest run that holds a p."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Subgroup:
    """A group, and where its p, q and g stand."""

    p: int
    q: int
    g: int
    places: tuple[Place, Place, Place]


def search(pool: Pool) -> Iterator[Subgroup]:
    """Yield the groups whose numbers stand in the pool, all in one reading."""
    orders = sorted({order for _, order in SIZES})
    for how in digits.held(pool.readings) if len(pool.at) else ():
        long = (pool.tail < 0) | (pool.tail - pool.head >= _SHORTEST)
        heads = digits.near(pool, how, pool.head[(pool.head >= 0) & long], 0)
        begun = digits.aligned(pool, how, heads, np.arange(-SLACK, SLACK + 1))
        begun = begun[digits.stand(pool, how, begun, _SHORTEST // how.step * how.digit)]
        moduli = [
            (at, p, order)
            for bits, order in (SIZES if len(begun) else ())
            for at, p in _read(pool, how, _odd(pool, how, begun, bits), bits)[:MOST_MODULI]
        ]
        if moduli:
            widths = [readings.width(how, order) for order in orders]
            others = digits.starts(pool, how, widths)
            odd = {order: _odd(pool, how, others, order) for order in {row[2] for row in moduli}}
            for at, p, order in moduli:
                yield from _of(pool, how, (at, p), (order, odd[order]), others)


def _of(
    pool: Pool,
    how: Reading,
    modulus: tuple[int, int],
    orders: tuple[int, Offsets],
    others: Offsets,
) -> Iterator[Subgroup]:
    """Yield the groups of one p, whose q is among the ``orders`` of a size, and g among others."""
    (at, p), (order, odd) = modulus, orders
    bits = p.bit_length()
    place = pool.place(at, readings.width(how, bits))
    tried = _read(pool, how, pieces.nearest(pool, odd, (place,)), order)
    where, q = next(((spot, q) for spot, q in tried if (p - 1) % q == 0), (0, 0))
    if not q:
        return
    near = pieces.nearest(pool, others, (place,))
    long = near[digits.stand(pool, how, near, bits)]
    top = readings.top(how, pool.data, long, bits)
    long = long[top >= np.uint64(1 << (readings.WIDE - digits.LACK))]
    for spot, g in _read(pool, how, long, bits)[:MOST_ELEMENTS]:
        if 1 < g < p and pow(g, q, p) == 1:
            places = (
                place,
                pool.place(where, readings.width(how, order)),
                pool.place(spot, place.size),
            )
            yield Subgroup(p=p, q=q, g=g, places=places)


def _odd(pool: Pool, how: Reading, positions: Offsets, bits: int) -> Offsets:
    """Return the positions at which an odd number of exactly so many bits stands."""
    full = positions[digits.stand(pool, how, positions, bits)]
    full = full[readings.top(how, pool.data, full, bits) >= np.uint64(1 << 63)]
    odd: Offsets = full[(readings.low(how, pool.data, full, bits) & np.uint64(1)) == 1]
    return odd


def _read(pool: Pool, how: Reading, positions: Offsets, bits: int) -> list[tuple[int, int]]:
    """Return (position, number), in the order of the first positions, each number once."""
    rows = positions[:MOST_ORDERS]
    column = np.arange(readings.width(how, bits))
    values = readings.decode_all(how, pool.data[rows[:, None] + column]) if len(rows) else []
    found: dict[int, int] = {}
    for at, value in zip(rows.tolist(), values, strict=True):
        found.setdefault(value, at)
    return [(at, value) for value, at in found.items()]


def again(table: tuple[Reading, ...], raw: list[bytes]) -> Iterator[tuple[int, int, int]]:
    """Read p, q and g again, in every reading in which they close."""
    for how in digits.held(table):
        p, q, g = (readings.decode(how, part) or 0 for part in raw)
        if q and (p - 1) % q == 0 and 1 < g < p and pow(g, q, p) == 1:
            yield p, q, g
