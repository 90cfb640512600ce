"""RSA keys that nobody names, of which n and d stand, and neither prime.

Who computes m**d mod n by the book keeps no primes, and of a freed key d may be all that is left.
Then e*d/n is nearly a simple fraction (see ``ratios``): so say the top words of two numbers that
stand together, then all their bits; and the whole numbers give the primes. Refuses to look for
exponents of a modulus that is known: ``known`` tries those against every number.
"""

from collections.abc import Collection, Iterator

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers.numbers import Numbers
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, ratios, uncommon
from scanner.detect.relations.rsa.pairs import USUAL
from scanner.detect.relations.rsa.rectangles import rectangles
from scanner.detect.relations.rsa.shelf import ANYWHERE, RADII, Shelf, by_reading, exact, within

MOST_PAIRS = (1 << 22, 1 << 18)
"""Pairs of a modulus and an exponent of one length and reading, at 30 ns each: in a section of few
runs, and of many."""

MOST_MIXED = (1 << 19, 1 << 15)
"""The same of whatever readings: a library that computes on limbs reads d from bytes, or it wrote
them. Seen in Libgcrypt, GnuTLS and wolfSSL, of whose d a buffer was left, and of n the limbs."""

_ALIKE = 30
"""Microseconds that it takes to tell of what begins as a modulus and its exponent that it is not.
"""

_CHUNK = 1 << 15


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys of a modulus and an exponent that stand together, but of the moduli ``others``."""
    seen = set(others)
    told = uncommon.moduli(shelf, arithmetic.LIKELIEST[0])
    for bits in dict.fromkeys((*USUAL, *told)):
        moduli = exact(shelf.numbers(bits))
        if not len(moduli):
            continue
        below = shelf.numbers(bits, full=False, filling=not shelf.edges.loose)
        alike = ((MOST_PAIRS, *pair) for pair in by_reading(moduli, exact(below)))
        for counts, some, exponents in (*alike, (MOST_MIXED, moduli, exact(below))):
            most = shelf.pool.budget(*counts)
            low, high = within(shelf, some, exponents, most, (ANYWHERE, *RADII))
            for index, at, e in _near_fractions(
                some, exponents, low, high, loose=shelf.edges.loose
            ):
                yield from _proved(shelf, (some, index), (exponents, at), e, seen)


def _near_fractions(
    moduli: Numbers, exponents: Numbers, low: Offsets, high: Offsets, *, loose: bool
) -> Iterator[tuple[int, int, int]]:
    """Yield (modulus, exponent, e) where e*d/n is nearly a simple fraction."""
    tops = exponents.top.astype(np.float64)
    for rows, part in rectangles(low, high, _CHUNK):
        ratio = tops[part] / moduli.top[rows, None].astype(np.float64)
        for e in arithmetic.LIKELIEST[: None if loose else 1]:
            for hit in ratios.near(ratio, e).tolist():
                row, column = divmod(hit, part.stop - part.start)
                yield rows.start + row, part.start + column, e


def _proved(
    shelf: Shelf,
    modulus: tuple[Numbers, int],
    exponent: tuple[Numbers, int],
    e: int,
    seen: set[int],
) -> Iterator[Related]:
    """Make the key of a modulus and an exponent, if they are that."""
    n, d = shelf.value(*modulus), shelf.value(*exponent)
    likely = n not in seen and ratios.told(n, d, e)
    divisors = arithmetic.from_exponent(n, e, d) if likely else []
    key = arithmetic.from_divisors(n, e, divisors) if divisors else None
    if key is None:
        shelf.waste(_ALIKE)
        if likely:
            shelf.untested(n)
        return
    seen.add(n)
    yield Related(
        key=key,
        proof="(n, e, d) factors n",
        encoding=f"d {shelf.reading(*exponent)}",
        places=(shelf.place(*exponent),),
        roles=("d",),
    )
