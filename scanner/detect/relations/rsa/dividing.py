"""RSA keys that nobody names and of which one prime has no partner: it divides a number near it.

Or one anywhere, where there are few. A product alone proves little here (a repeated block of bytes
is a multiple of its half), so both factors are tested for being prime.
"""

from collections.abc import Collection, Iterator

import numpy as np

from scanner.detect.algebra.gmp import mpz
from scanner.detect.algebra.material import Rsa
from scanner.detect.integers.numbers import Numbers
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic
from scanner.detect.relations.rsa.pairs import SHAPES, exponent
from scanner.detect.relations.rsa.shelf import (
    ANYWHERE,
    RADII,
    UNEVEN,
    Shelf,
    by_reading,
    exact,
    within,
)

MOST_DIVISIONS = (1 << 12, 1 << 10)
"""Divisions of numbers of one length and reading by those of another, at 3 us each: in a section of
few runs, and of many."""

MOST_FILLED = (1 << 14, 1 << 12)
"""The same of numbers that fill their runs, at any distance: those are fewer by far."""

MOST_MIXED = (1 << 11, 1 << 9)
"""The same of primes near a number that fills its run, of whatever readings: a library that
computes on limbs reads p from bytes, or it wrote them. Seen in Libgcrypt, GnuTLS and wolfSSL."""


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys of a prime and a modulus of the pool, but of the moduli ``others``."""
    for bits, halves in SHAPES:
        for half in halves:
            if half == bits - half or half >= bits // 2:
                yield from _dividing(shelf, bits, half, others)


def _dividing(shelf: Shelf, bits: int, half: int, others: Collection[int]) -> Iterator[Related]:
    """Find primes that divide another number, at any distance where there are few.

    Or where both fill their runs. Seen in Node, whose BigInts lie anywhere in its heap.
    """
    seen = set(others)
    only = UNEVEN if half != bits - half else ()
    halves = exact(shelf.numbers(half, only=only))
    filling = exact(shelf.numbers(bits, filling=True))
    kinds = [
        (MOST_DIVISIONS, (ANYWHERE, *RADII), exact(shelf.numbers(bits)), halves),
        (MOST_FILLED, (ANYWHERE,), filling, exact(shelf.numbers(half, only=only, filling=True))),
    ]
    pairs = [(*row[:2], *pair) for row in kinds for pair in by_reading(*row[2:])]
    pairs.append((MOST_MIXED, RADII, filling, halves))
    for counts, radii, products, primes in pairs:
        most = shelf.pool.budget(*counts)
        low, high = within(shelf, products, primes, most, radii)
        rows, values = shelf.ranges(primes, low, high)
        for index, n in zip(rows.tolist(), shelf.values(products, rows), strict=True):
            # The other prime has its own length: half of all numbers would ask for a longer one.
            fit = primes.top[low[index] : high[index]] >= products.top[index]
            whole = mpz(n)
            for at in (np.flatnonzero(fit) + low[index]).tolist() if n not in seen else ():
                p = values[at]
                if whole % p:
                    continue
                if not all(map(arithmetic.is_prime, (p, n // p))):
                    shelf.untested(n)
                else:
                    e = exponent(shelf, p, primes, at)
                    key = arithmetic.complete(p, n // p, e)
                    fresh = all(other % p and other % (n // p) for other in others)
                    if key is not None and p * p != n and fresh:
                        seen.add(n)
                        yield _lone(shelf, key, primes, at)


def _lone(shelf: Shelf, key: Rsa, primes: Numbers, index: int) -> Related:
    return Related(
        key=key,
        proof="p | n",
        encoding=shelf.reading(primes, index),
        places=(shelf.place(primes, index),),
        roles=("p",),
    )
