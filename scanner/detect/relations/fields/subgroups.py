"""The group of a DSA key held as bare numbers: p, q and g, each a number of its own.

Libraries keep no parameters together. Digits are rare in other memory: what is as long as a p and
begins a run is soon tried. Of numbers that fill their words those are tried as p that fill their
run, as a library allocates them, if no small prime divides p and it is nobody's RSA modulus; as q
and g then those too that stand at a run's edge; before all those p and q that adjoin, or have one
number between, for they cost a division. An order q divides p - 1, and what has it, g**q = 1
modulo p, is a generator or a public number: both are given, since both serve as a base. This module
knows nothing of exponents.
"""

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import gmp
from scanner.detect.integers import likelihood, readings
from scanner.detect.integers.pool import SLACK, Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.fields import short_numbers
from scanner.detect.relations.places import digits, nearby
from scanner.detect.relations.places.adjoining import APART, filling, filling_ints, pairs
from scanner.model import Place

SIZES = ((3072, 256), (2048, 256), (2048, 224), (1024, 160))
"""Bits of p and of q (FIPS 186-4 section 4.2)."""

IN_DIGITS = (*SIZES, (2048, 240), (3072, 280), (4096, 320))
"""The same where they are digits, in few runs: those too that LibTomCrypt's manual has. Seen in
CryptX (Perl), which makes keys of 2048 bits with an order of 240 where its manual is followed."""

MOST_MODULI, MOST_ORDERS, MOST_ELEMENTS = 16, 4_096, 256
"""Numbers that are tried as p, of one size and reading; as its q, the nearest, at 1 us; and as its
g, at 1 ms for 2048 bits."""

MOST_FULL, MOST_NEAR = (32, 8), (1_024, 128)
"""Numbers that fill their words that are tried as p, of one size and reading, in a section of few
runs and of many; and as its q, the nearest, of those that fill their run and of others."""

MOST_PRIMES = (64, 16)
"""Numbers of 1024 bits near which an order of 160 is looked for, if they are primes: a power tells,
at 0.2 ms."""

MOST_LAID = 4_096
"""Pairs of numbers that fill their words and adjoin which are tried as p and q, of one size and
reading, at 2 us."""

_SMALL = math.prod(n for n in range(3, 256) if all(n % k for k in range(2, n)))
"""The odd primes of one byte: four of five odd numbers have one of them."""

_SHORTEST = 128
"""Bytes of the shortest run that holds a p."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Subgroup:
    """A group, and where its p and q stand."""

    p: int
    q: int
    places: tuple[Place, Place]
    bases: Mapping[int, tuple[Place, ...]]
    """What may be its generator, with where the parameters stand then."""


def search(pool: Pool, others: Collection[int] = ()) -> Iterator[Subgroup]:
    """Yield the groups whose numbers stand in the pool, all in one reading.

    ``others`` are moduli that are known to be none of a group.
    """
    yield from _in_digits(pool)
    for how in readings.unpacked(pool.readings) if len(pool.at) else ():
        for bits, order in SIZES:
            among = _in_words if order > short_numbers.BITS else _with_short_orders
            yield from among(pool, how, (bits, order), others)


def _in_words(
    pool: Pool, how: Reading, sizes: tuple[int, int], others: Collection[int]
) -> Iterator[Subgroup]:
    """Yield the groups whose numbers fill their words: p its run, q and g their run or its edge."""
    bits, order = sizes
    most = pool.budget(*MOST_NEAR)
    odd = _filled(pool, how, bits)
    seen = set(others)
    for modulus, at in _laid(pool, how, sizes, odd):
        if modulus[1] not in seen:
            seen.add(modulus[1])
            yield from _of(pool, how, modulus, (order, (at,)), _parts(pool, bits), most)
    tried = _read(pool, how, odd, bits) if len(odd) else []
    moduli = (row for row in tried if row[1] not in seen and math.gcd(row[1], _SMALL) == 1)
    kept: dict[int, Offsets] = {}
    for modulus in itertools.islice(moduli, pool.budget(*MOST_FULL)):
        orders = _orders(pool, how, order, kept)
        yield from _of(pool, how, modulus, (order, orders), _parts(pool, bits), most)


def _with_short_orders(
    pool: Pool, how: Reading, sizes: tuple[int, int], others: Collection[int]
) -> Iterator[Subgroup]:
    """Yield the groups whose p fills its run, and whose q of 160 bits stands near it.

    Seen in .NET, whose arrays of bytes stand in a row.
    """
    bits, _ = sizes
    odd = _filled(pool, how, bits)
    tried = _read(pool, how, odd, bits) if len(odd) else []
    moduli = (row for row in tried if row[1] not in others and math.gcd(row[1], _SMALL) == 1)
    for at, p in itertools.islice(moduli, pool.budget(*MOST_PRIMES)):
        place = pool.place(at, bits // 8)
        near = short_numbers.near(pool, [place]) if gmp.power(2, p - 1, p) == 1 else ()
        orders = (
            (q, where) for q, way, where in near if way == how and q >> short_numbers.BITS - 1
        )
        for q, where in orders:
            if (p - 1) % q == 0:
                yield _group(pool, how, (p, place), (q, where), _parts(pool, bits))
                break


def _filled(pool: Pool, how: Reading, bits: int) -> Offsets:
    """Return where an odd number of so many bits fills its run, what looks random first."""
    filled = (filling_ints if how == readings.JAVA else filling)(pool, bits // 8)
    odd = _odd(pool, how, filled, bits)
    return odd[np.argsort(~likelihood.looks_random(pool.data, odd, bits // 8), kind="stable")]


def _laid(
    pool: Pool, how: Reading, sizes: tuple[int, int], odd: Offsets
) -> Iterator[tuple[tuple[int, int], Offsets]]:
    """Yield where a p stands, it, and where its q does, of numbers that adjoin.

    Or of which g stands between the two. Seen in SBCL, behind more numbers than are tried as p.
    """
    bits, order = sizes
    size, width = bits // 8, order // 8
    least = _odd(pool, how, filling(pool, width), order) if len(odd) else odd
    both = pairs(pool, (odd, size), (least, width), size + 2 * APART)
    first, second = (rows[:MOST_LAID] for rows in both)
    moduli = dict(_read(pool, how, np.unique(first), bits, once=False)) if len(first) else {}
    orders = dict(_read(pool, how, np.unique(second), order, once=False)) if len(first) else {}
    for at, where in zip(first.tolist(), second.tolist(), strict=True):
        p, q = moduli[at], orders[where]
        if (p - 1) % q == 0 and math.gcd(p, _SMALL) == 1:
            yield (at, p), np.array([where])


def _parts(pool: Pool, bits: int) -> Iterator[Offsets]:
    """Yield where a generator or a public number may stand, what fills its run first."""
    return (part(pool, bits // 8) for part in (filling, _edges))


def _orders(pool: Pool, how: Reading, order: int, kept: dict[int, Offsets]) -> Iterator[Offsets]:
    """Yield where an order may stand, what fills its run first; both are kept for the next p."""
    for index, part in enumerate((filling, _edges)):
        if index not in kept:
            kept[index] = _odd(pool, how, part(pool, order // 8), order)
        yield kept[index]


def _edges(pool: Pool, size: int) -> Offsets:
    """Return where a number begins that begins or ends its run, which goes on.

    Seen in Go: a number that was computed ends in room for twice as much, and what was there stays.
    """
    if ("run edges", size) not in pool.listed:
        long = (pool.head < 0) | (pool.tail < 0) | (pool.tail - pool.head > size + 8)
        heads, tails = pool.head[long & (pool.head >= 0)], pool.tail[long & (pool.tail >= 0)]
        found = np.concatenate((heads, tails - size))
        found = found[(found >= 0) & (found + size <= len(pool.data))]
        pool.listed["run edges", size] = found
    return pool.listed["run edges", size]


def _in_digits(pool: Pool) -> Iterator[Subgroup]:
    """Yield the groups whose numbers are digits of one reading."""
    sizes = IN_DIGITS if pool.few else SIZES
    orders = sorted({order for _, order in sizes})
    for how in digits.held(pool.readings) if len(pool.at) else ():
        begun = _begun(pool, how)
        moduli = [
            (at, p, order)
            for bits, order in (sizes if len(begun) else ())
            for at, p in _read(pool, how, _odd(pool, how, begun, bits), bits)[:MOST_MODULI]
        ]
        if moduli:
            widths = [readings.width(how, order) for order in orders]
            others = digits.starts(pool, how, widths)
            odd = {order: _odd(pool, how, others, order) for order in {row[2] for row in moduli}}
            for at, p, order in moduli:
                yield from _of(pool, how, (at, p), (order, (odd[order],)), (others,), MOST_ORDERS)


def in_digits(pool: Pool, how: Reading, bits: int) -> Iterator[tuple[int, Place]]:
    """Yield the numbers of so many bits that begin long runs of digits, and where they stand."""
    long = _begun(pool, how)
    long = long[digits.stand(pool, how, long, bits)]
    top = readings.top(how, pool.data, long, bits)
    long = long[top >= np.uint64(1 << (readings.WIDE - digits.LACK))]
    for at, value in _read(pool, how, long, bits)[:MOST_ELEMENTS]:
        yield value, pool.place(at, readings.width(how, bits))


def _begun(pool: Pool, how: Reading) -> Offsets:
    """Return where digits begin that may be a p: near heads of runs that are long enough."""
    key = (f"digits of a p {how.name}", 0)
    if key not in pool.listed:
        long = (pool.tail < 0) | (pool.tail - pool.head >= _SHORTEST)
        heads = digits.near(pool, how, pool.head[(pool.head >= 0) & long], 0)
        begun = digits.aligned(pool, how, heads, np.arange(-SLACK, SLACK + 1))
        wide = digits.stand(pool, how, begun, _SHORTEST // how.step * how.digit)
        pool.listed[key] = begun[wide]
    return pool.listed[key]


def _of(
    pool: Pool,
    how: Reading,
    modulus: tuple[int, int],
    orders: tuple[int, Iterable[Offsets]],
    others: Iterable[Offsets],
    most: int,
) -> Iterator[Subgroup]:
    """Yield the group of one p, whose q is among the ``orders`` of a size, and g among others.

    Of each part of the orders the ``most`` nearest are tried.
    """
    (at, p), (order, parts) = modulus, orders
    bits = p.bit_length()
    place = pool.place(at, readings.width(how, bits))
    tried = (
        row
        for part in parts
        for row in _read(pool, how, nearby.nearest_to(pool, part, (place,))[:most], order)
    )
    where, q = next(((spot, q) for spot, q in tried if (p - 1) % q == 0), (0, 0))
    if q:
        there = pool.place(where, readings.width(how, order))
        yield _group(pool, how, (p, place), (q, there), others)


def _group(
    pool: Pool,
    how: Reading,
    modulus: tuple[int, Place],
    order: tuple[int, Place],
    others: Iterable[Offsets],
) -> Subgroup:
    """Return the group of a p and a q, whose g is among others, the nearest first."""
    (p, place), (q, where) = modulus, order
    bits, numbers = p.bit_length(), dict[int, Place]()
    for part in others:
        near = nearby.nearest_to(pool, part, (place,))
        long = near[digits.stand(pool, how, near, bits)]
        top = readings.top(how, pool.data, long, bits)
        long = long[top >= np.uint64(1 << (readings.WIDE - digits.LACK))]
        for spot, g in _read(pool, how, long, bits)[:MOST_ELEMENTS]:
            numbers.setdefault(g, pool.place(spot, place.size))
    places = (place, where)
    return Subgroup(p=p, q=q, places=places, bases=bases(p, q, places, numbers))


def bases(
    p: int, q: int, places: tuple[Place, Place], numbers: Mapping[int, Place]
) -> dict[int, tuple[Place, ...]]:
    """Return what may be the generator of a group, among numbers as long as p.

    As a rule it is 2 to the power of the cofactor: FIPS 186-4 A.2.1 lets makers choose, and
    OpenSSL, Go, Java, libgcrypt and Botan begin with 2. Nothing else tells a generator from a
    public number; where it stands it is the only base, and where it does not, one more.
    """
    usual = gmp.power(2, (p - 1) // q, p)
    if usual in numbers:
        return {usual: (*places, numbers[usual])}
    there = {g: at for g, at in numbers.items() if 1 < g < p and gmp.power(g, q, p) == 1}
    return {usual: places, **{g: (*places, at) for g, at in there.items()}}


def _odd(pool: Pool, how: Reading, positions: Offsets, bits: int) -> Offsets:
    """Return the positions at which an odd number of exactly so many bits stands."""
    full = positions[digits.stand(pool, how, positions, bits)]
    full = full[readings.top(how, pool.data, full, bits) >= np.uint64(1 << 63)]
    odd: Offsets = full[(readings.low(how, pool.data, full, bits) & np.uint64(1)) == 1]
    return odd


def _read(
    pool: Pool, how: Reading, positions: Offsets, bits: int, *, once: bool = True
) -> list[tuple[int, int]]:
    """Return (position, number), in the order of the first positions; each number ``once``."""
    rows = positions[:MOST_ORDERS]
    column = np.arange(readings.width(how, bits))
    values = readings.decode_all(how, pool.data[rows[:, None] + column]) if len(rows) else []
    if not once:
        return list(zip(rows.tolist(), values, strict=True))
    found: dict[int, int] = {}
    for at, value in zip(rows.tolist(), values, strict=True):
        found.setdefault(value, at)
    return [(at, value) for value, at in found.items()]
