"""RSA keys of which d and one prime stand, and nobody names the modulus.

Whoever makes a key by the book lets go of p, q and n as soon as d is there, or an allocator writes
over them. Then e*d - 1 is a multiple of p - 1, which no other number of that length is, and what is
left when that is taken out is q - 1 but for a factor below e. This module refuses to look for
primes without their first limbs: a modulus names those.
"""

import itertools
import math
from collections.abc import Collection, Iterator

import numpy as np

from scanner.detect.algebra.gmp import mpz
from scanner.detect.algebra.material import Rsa
from scanner.detect.integers.numbers import Numbers
from scanner.detect.relations.places import words
from scanner.detect.relations.related import Related, of_numbers
from scanner.detect.relations.rsa import arithmetic, crt
from scanner.detect.relations.rsa.shelf import (
    ANYWHERE,
    RADII,
    Shelf,
    by_reading,
    exact,
    once,
    within,
)

MOST_DIVISIONS = (1 << 11, 1 << 8)
"""Divisions of what may be e*d - 1 by what may be p - 1, of each length and reading, at 3 us each:
in a section of few runs, and of many."""

MOST_COUNTED, MOST_SIEVED = 1 << 18, 1 << 11
"""Pairs of those that a count of their bytes or digits tells, wherever they stand, of which one in
seven is divided, and how many of the primes among them are tried at most."""

_SMOOTH = 2**5 * 3**3 * 5**2 * 7 * 11 * 13 * 17 * 19 * 23 * 29
"""What p - 1 has of it e*d - 1 has as well."""

MOST_COMMON = 256
"""The greatest common divisor of p - 1 and q - 1 that is tried, where d is modulo their least
common multiple."""

_FACTORS = 1_000
"""Microseconds that it takes to tell that a prime and d have no other prime."""

PROOF = "e*d = 1 mod p-1"


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield each key, but of the moduli ``others``, of a prime and d that stand together.

    Seen in NTL, whose integers are freed as they are: their length goes, and p with it or q. Those
    in an array of their own may be apart: seen in Java, in memory that was not collected yet.
    """
    seen, e = set(others), arithmetic.EXPONENTS[0]
    for half in arithmetic.PRIME_BITS:
        primes = exact(shelf.numbers(half))
        if not len(primes):
            continue
        below = shelf.numbers(2 * half, full=False, filling=not shelf.edges.loose)
        for exponents, halves in by_reading(once(below), primes):
            near = shelf.pool.budget(*MOST_DIVISIONS), RADII
            told = _counted(shelf, exponents), _sieved(shelf, _counted(shelf, halves))
            for ds, ps, (most, radii) in (
                (exponents, halves, near),
                (*told, (MOST_COUNTED, (ANYWHERE, *RADII))),
            ):
                for at, index, p in _dividing(shelf, ds, ps, e, most, radii):
                    fresh = all(n % p for n in seen) and arithmetic.is_prime(p)
                    key = _key(p, e, shelf.value(ds, at)) if fresh else None
                    if key is not None:
                        seen.add(key.n)
                        yield _related(shelf, key, (ps, index), (ds, at))
                    elif not any(n % p == 0 for n in seen):
                        shelf.untested(p)
                        shelf.waste(_FACTORS)


def _counted(shelf: Shelf, numbers: Numbers) -> Numbers:
    """Keep the numbers of one reading right behind a count of their bytes, limbs or digits."""
    if not len(numbers):
        return numbers
    digit = shelf.pool.readings[int(numbers.reading[0])].digit
    position = np.maximum(numbers.position, 8)
    sizes = [-(-numbers.bits // unit) for unit in (8, 64, digit)]
    half, word = (words.sliding(shelf.pool.data, kind) for kind in ("<u4", "<u8"))
    told = np.isin(half[position - 4], sizes) | np.isin(word[position - 8], sizes)
    return numbers.take(told & (position == numbers.position))


def _sieved(shelf: Shelf, numbers: Numbers) -> Numbers:
    """Keep what may be a prime, each value once, of numbers that are not too many."""
    index = np.arange(len(numbers) if len(numbers) <= MOST_SIEVED else 0)
    rows = dict(zip(shelf.values(numbers, index), index.tolist(), strict=True))
    kept = sorted(row for p, row in rows.items() if arithmetic.without_small_factors(p))
    return numbers.take(np.array(kept, np.int64))


def _dividing(
    shelf: Shelf, exponents: Numbers, primes: Numbers, e: int, most: int, radii: tuple[int, ...]
) -> Iterator[tuple[int, int, int]]:
    """Yield (exponent, prime, p) where p - 1 divides e*d - 1, of those within such distances."""
    low, high = within(shelf, exponents, primes, most, radii)
    rows, values = shelf.ranges(primes, low, high)
    smooth = np.ones(len(primes), np.int64)
    smooth[[*values]] = [math.gcd(p - 1, _SMOOTH) for p in values.values()]
    for at, d in zip(rows.tolist(), shelf.values(exponents, rows), strict=True):
        multiple = mpz(e * d - 1)
        whole = math.gcd(multiple, _SMOOTH) if d.bit_length() > primes.bits else 1
        for index in np.flatnonzero(whole % smooth[low[at] : high[at]] == 0) + low[at]:
            if multiple % (values[index] - 1) == 0:
                yield at, int(index), values[index]


def _key(p: int, e: int, d: int) -> Rsa | None:
    """Make the key of a prime and d, modulo (p-1)*(q-1) or the least common multiple."""
    rest = (e * d - 1) // (p - 1)
    tried = (
        q
        for common in range(1, MOST_COMMON)
        if (p - 1) % common == 0
        for q in crt.of_multiple(rest * common, e, p.bit_length())
        if common in (1, math.gcd(p - 1, q - 1))
    )
    for q in itertools.islice(tried, MOST_COMMON):
        if q != p and arithmetic.is_prime(q) and (e * d - 1) % (q - 1) == 0:
            return arithmetic.complete(p, q, e)
    return None


def _related(
    shelf: Shelf, key: Rsa, prime: tuple[Numbers, int], exponent: tuple[Numbers, int]
) -> Related:
    rows = (shelf.place(*prime), "p"), (shelf.place(*exponent), "d")
    return of_numbers(key, PROOF, (shelf.reading(*prime),), rows)
