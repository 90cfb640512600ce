"""RSA keys that nobody names, of which n and d stand, and neither prime.

Who computes m**d mod n by the book keeps no primes, and of a freed key d may be all that is left.
With g as in gcd(p-1, q-1), e*d*g/n is nearly an integer: so say the top words of two numbers that
stand together, for the multiples of most g; then the whole numbers give the primes. Refuses to look
for exponents of a modulus that is known: ``known`` tries those against every number.
"""

from collections.abc import Collection, Iterator

import numpy as np

from scanner.detect.integers.limbs import Offsets
from scanner.detect.integers.numbers import Numbers
from scanner.detect.relations import alone, arithmetic, uncommon
from scanner.detect.relations.pairs import USUAL
from scanner.detect.relations.rectangles import rectangles
from scanner.detect.relations.related import Related
from scanner.detect.relations.shelf import Shelf

MOST_PAIRS = (1 << 22, 1 << 18)
"""Pairs of a modulus and an exponent of one length and reading, at 30 ns each: in a section of few
runs, and of many."""

MULTIPLES = (2**4 * 3**2 * 5 * 7, 2**3 * 3 * 11 * 13)
"""Numbers one of which gcd(p-1, q-1) divides, but for one key in thirty: fewer than ``known`` has,
for a float is right to 50 bits."""

_CHUNK = 1 << 14


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys of a modulus and an exponent that stand together, but of the moduli ``others``."""
    seen = set(others)
    told = uncommon.moduli(shelf, alone.EXPONENTS[0], MULTIPLES)
    for bits in dict.fromkeys((*USUAL, *told)):
        moduli = alone.exact(shelf.numbers(bits))
        if not len(moduli):
            continue
        below = shelf.numbers(bits, full=False, filling=not shelf.survey.loose)
        for some, exponents in alone.by_reading(moduli, alone.exact(below)):
            most = shelf.pool.budget(*MOST_PAIRS)
            low, high = alone.within(shelf, some, exponents, most, (alone.ANYWHERE, *alone.RADII))
            for index, at, e in _near_integers(
                some, exponents, low, high, loose=shelf.survey.loose
            ):
                yield from _proved(shelf, (some, index), (exponents, at), e, seen)


def _near_integers(
    moduli: Numbers, exponents: Numbers, low: Offsets, high: Offsets, *, loose: bool
) -> Iterator[tuple[int, int, int]]:
    """Yield (modulus, exponent, e) where a multiple of e*d / n is nearly an integer."""
    tops = exponents.top.astype(np.float64)
    for rows, part in rectangles(low, high, _CHUNK):
        ratio = tops[part] / moduli.top[rows, None].astype(np.float64)
        times, whole = np.empty_like(ratio), np.empty_like(ratio)
        for e in alone.EXPONENTS if loose else alone.EXPONENTS[:1]:
            found: set[int] = set()
            for multiple in MULTIPLES:
                np.multiply(ratio, float(e * multiple), out=times)
                np.rint(times, out=whole)
                times -= whole
                np.abs(times, out=times)
                hits = np.flatnonzero(times < e * multiple * 2.0**-50)
                likely = (whole.take(hits) > 0) & (ratio.take(hits) < 1)
                found.update(hits[likely].tolist())
            for hit in sorted(found):
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
    divisors = arithmetic.from_exponent(n, e, d) if n not in seen else []
    key = arithmetic.from_divisors(n, e, divisors) if divisors else None
    if key is None:
        return
    seen.add(n)
    yield Related(
        key=key,
        proof="(n, e, d) factors n",
        encoding=f"d {shelf.reading(*exponent)}",
        places=(shelf.place(*exponent),),
        roles=("d",),
    )
