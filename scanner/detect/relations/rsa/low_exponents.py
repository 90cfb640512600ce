"""Private exponents that lost their most significant part: freed bytes, or what a region's end cut.

An allocator writes over the first 16 bytes of what it takes back: of bytes, most significant first,
and of Java's words, these are the top of d. What is left gives e*d = 1 + k*(n + 1 - p - q) modulo a
power of two so far above p + q that k, one of e numbers, is told by its leading digits alone; then
p + q is a division away, and p a square root. Only moduli that were read are tried, as many as a
count allows. The proof is that p divides n.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Flags, Offsets, Words
from scanner.detect.integers import readings
from scanner.detect.integers.pool import SLACK, Pool
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, known
from scanner.detect.relations.rsa.shelf import Shelf

MOST = (32, 8)
"""Moduli that are tried in a section, of few runs and of many: 10 to 20 ms each."""

_COST = 15_000
"""Microseconds that it takes to tell that what leads as an exponent does is none."""

MULTIPLES = (1, 2, 4, 6)
"""What gcd(p-1, q-1) is, where d is taken modulo lcm(p-1, q-1): of five keys four have one of these
above 1."""

GREATEST_EXPONENT = 1 << 17
"""Of larger public exponents there are too many k."""

ROLE = "d without its top"

_NEAR = np.uint64(4)
"""How far leading words are apart at most that are cut from equal numbers."""

_ORDERS = (readings.BYTES, readings.LIMBS, readings.JAVA)

_INT = 4
"""Bytes of one of Java's words, which need not end with their run: those have twice as many."""

_SIEVE, _ROWS = 20, 1 << 15
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Rests:
    """Where the rest of an exponent may stand, and for each multiple what e times it leads with.

    In order, with the positions' indices, and as a sieve of leading bits.
    """

    position: Offsets
    tables: tuple[tuple[Words, Offsets], ...]
    sieves: tuple[Flags, ...]


def kept(bits: int) -> int:
    """Return the bytes of d that must stand: three quarters, in whole words."""
    return -(-3 * bits // 256) * 8


def search(shelf: Shelf, moduli: dict[int, int]) -> Iterator[Related]:
    """Yield each key of which the lower part of d begins or ends a run."""
    pool = shelf.pool
    left = pool.budget(*MOST)
    listed: dict[tuple[int, int], _Rests] = {}
    for n, e in moduli.items():
        bits = n.bit_length()
        if not 3 <= e < GREATEST_EXPONENT or bits < 2 * known.LEAST_BITS:
            continue
        if left == 0:
            return
        if (bits, e) not in listed:
            listed[bits, e] = _rests(pool, kept(bits), e)
        rests = listed[bits, e]
        if not len(rests.position):
            continue
        left -= 1
        for position in _matches(rests, n, e, kept(bits)):
            found = _related(pool, n, e, position, kept(bits))
            if found is not None:
                yield found
                break
            shelf.waste(_COST)


def _rests(pool: Pool, size: int, e: int) -> _Rests:
    """List where ``size`` bytes of an exponent may stand.

    In bytes or Java's words, most significant first, at the end of a run, and limbs at its start.
    """
    long = (pool.head >= 0) & (pool.tail >= 0) & (pool.tail - pool.head >= size - SLACK)
    ends = (pool.tail[long, None] + np.arange(-SLACK + 1, SLACK)).ravel()
    ends = ends[pool.data[ends - 1] & 1 == 1] - size
    ints = (pool.tail[long, None] + np.arange(-_INT, 2 * _INT, _INT)).ravel()
    ints = ints[pool.data[ints - _INT] & 1 == 1] - size
    ints = ints[: len(ints) * (readings.JAVA in pool.readings)]
    starts = pool.head[long]
    starts = starts[pool.data[starts] & 1 == 1] if not pool.big_endian else starts[:0]
    high, low = (
        np.concatenate(
            (
                readings.gather(pool.data, ends + at, ">u8"),
                readings.gather(pool.data, starts + size - 8 - at, "<u8"),
                readings.low(readings.JAVA, pool.data, ints + at, 64),
            )
        )
        for at in (0, 8)
    )
    tables, sieves = [], []
    for multiple in MULTIPLES if len(high) else ():
        leads = _product(high, low, np.uint64(e * multiple))
        order = np.argsort(leads)
        sieve = np.zeros(1 << _SIEVE, np.bool_)
        for near in (leads - _NEAR, leads, leads + _NEAR):
            sieve[(near >> np.uint64(64 - _SIEVE)).view(np.int64)] = True
        tables.append((leads[order], order))
        sieves.append(sieve)
    return _Rests(np.concatenate((ends, starts, ints)), tuple(tables), tuple(sieves))


def _matches(rests: _Rests, n: int, e: int, size: int) -> list[int]:
    """Return where the leading word of e*d is that of k*(n + 1), for some k."""
    top = (n + 1 & (1 << 8 * size) - 1) >> 8 * size - 128
    found: set[int] = set()
    for multiple, (table, order), sieve in zip(MULTIPLES, rests.tables, rests.sieves, strict=True):
        for start in range(1, e * multiple, _ROWS):
            k = np.arange(start, min(start + _ROWS, e * multiple), dtype=np.uint64)
            leads = _product(np.uint64(top >> 64), np.uint64(top & _MASK), k)
            leads = leads[sieve.take((leads >> np.uint64(64 - _SIEVE)).view(np.int64))]
            first = np.searchsorted(table, leads - _NEAR)
            last = np.searchsorted(table, leads + _NEAR, side="right")
            for at in np.flatnonzero(last > first).tolist():
                found.update(rests.position[order[first[at] : last[at]]].tolist())
    return sorted(found)


def _product(high: Words | np.uint64, low: Words | np.uint64, factor: Words | np.uint64) -> Words:
    """Return the upper word of numbers of two words times small ones, modulo 2**128."""
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    carry = (low & mask) * factor >> half
    product: Words = high * factor + ((low >> half) * factor + carry >> half)
    return product


def _related(pool: Pool, n: int, e: int, start: int, size: int) -> Related | None:
    p = divisor(n, e, pool.data[start : start + size].tobytes())
    key = arithmetic.from_divisors(n, e, [p]) if p is not None else None
    if key is None:
        return None
    return Related(
        key=key,
        proof="part of d factors n",
        encoding="d (part)",
        places=(pool.place(start, size),),
        roles=(ROLE,),
    )


def divisor(n: int, e: int, raw: bytes) -> int | None:
    """Return the factor of n that the lower bytes of its private exponent give, in either order."""
    size = len(raw)
    if size != kept(n.bit_length()) or not 3 <= e < GREATEST_EXPONENT:
        return None
    for reading in _ORDERS:
        value = readings.decode(reading, raw) or 0
        d = np.frombuffer(value.to_bytes(size), ">u8").astype(np.uint64)
        for multiple in MULTIPLES:
            for k in _factors(d[:1], d[1:2], n, e * multiple, size):
                p = _split(n, k * (n + 1) - multiple * (e * value - 1), k, 8 * size)
                if p is not None:
                    return p
    return None


def _factors(high: Words, low: Words, n: int, e: int, size: int) -> list[int]:
    """Return each k whose product with n + 1 leads as the exponent's product with e does."""
    top = (n + 1 & (1 << 8 * size) - 1) >> 8 * size - 128
    k = np.arange(1, e, dtype=np.uint64)
    leads = _product(np.uint64(top >> 64), np.uint64(top & _MASK), k)
    apart = leads - _product(high, low, np.uint64(e)) + _NEAR
    near: list[int] = k[apart <= np.uint64(2) * _NEAR].tolist()
    return near


def _split(n: int, product: int, k: int, bits: int) -> int | None:
    """Return p where the product, modulo a power of two, is k times the sum of n's primes."""
    total, rest = divmod(product & (1 << bits) - 1, k)
    if rest:
        return None
    square = total * total - 4 * n
    root = math.isqrt(square) if square >= 0 else 0
    p = (total + root) // 2
    return p if 1 < p < n and n % p == 0 else None
