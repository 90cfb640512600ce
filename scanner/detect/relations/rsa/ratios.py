"""How n and d of an RSA key betray that they are that: e*d/n is nearly a simple fraction.

With g as in gcd(p-1, q-1), e*d*g/n is nearly an integer, and g is small as a rule; so the float of
e*d/n, for millions of pairs, and then the bits of both numbers tell. Of e*d/n in lowest terms the
denominator divides g, and of d/n that times e: of one number read at two bytes it does not. This
module refuses to factor anything.
"""

import functools

import numpy as np
import numpy.typing as npt

from scanner.arrays import Flags, Floats, Offsets
from scanner.detect.algebra.gmp import mpz

MULTIPLE, LARGEST = 2**2 * 3, 256
"""What e*d/n is multiplied by, and the largest denominator that it has then: of one key in 700 it
is larger, for a prime r divides g in one of r*r."""

MOST = 1 << 12
"""The largest denominator by all bits: any of the floats'."""

GREATEST = 65537
"""The largest e for which floats tell enough."""

_EXACT = 2.0**-50
"""How far a ratio of floats may be off."""

_ROUND = 2.0**-23
"""And an offset within a cell, in cells."""

_SURE = 128
"""Bits to which e*d/n is a fraction: of a key with five primes too."""

_SHIFTED = 2.0**-44
"""How far the logarithm of a ratio is from an integer, at least: else it is one number, read at two
bytes."""

_CELLS = 1 << 17
"""Of [0, 1], around multiples: two of the fractions are further apart than one is wide, and none is
nearer to an edge than half of that, divided by LARGEST."""

_SLOTS = 1 << 20
"""Of [0, 1), more narrow: one in fifty has a fraction, and a table of them stays in the cache."""

_ALIGN = 1.5 * 2.0**52 / _SLOTS
"""A float below it by far, added to it, is rounded to slots, and ends in the bits of its own."""

_ASIDE = 2.0**-7
"""Slots by which rounding may move what is near a fraction, at most."""


def near(ratio: Floats, e: int) -> Offsets:
    """Return the flat indices of the ratios, d to n, which tell that e*d/n is nearly a fraction.

    Chance does it for one ratio in 50,000 where e is 65537, and the oftener the larger e is.
    """
    times = ratio * float(e * MULTIPLE)
    times += _ALIGN
    slots = times.view(np.int64)
    slots &= _SLOTS - 1
    hits = np.flatnonzero(_sieve().take(slots, mode="clip"))
    some = ratio.take(hits)
    good = (some < 1) & (some * float(2 * e * MULTIPLE * LARGEST) > 1)
    hits, some = hits[good], some[good]
    cells = some * float(e * MULTIPLE)
    cells = np.abs(cells - np.rint(cells)) * _CELLS
    whole = np.rint(cells)
    apart = np.abs(cells - whole - _offsets().take(whole.astype(np.int64)))
    shift = np.log2(some)
    right = apart < max(e * MULTIPLE * _CELLS * _EXACT, _ROUND)
    found: Offsets = hits[right & (np.abs(shift - np.rint(shift)) > _SHIFTED)]
    return found


def told(n: int, d: int, e: int) -> bool:
    """Tell whether the bits of n and d, or the first of them, say that e*d/n is nearly a fraction.

    By the continued fraction of d/n, whose next remainder is small then, whatever the number of
    primes (RFC 8017 3.2); and e divides the denominator, for it does not divide e*d - 1.
    """
    before, rest = mpz(n), mpz(d % n)
    last, denominator = 0, 1
    while denominator <= e * MOST:
        if rest <= n >> _SURE:
            return denominator % e == 0
        times, after = divmod(before, rest)
        before, rest = rest, after
        last, denominator = denominator, times * denominator + last
    return False


@functools.cache
def _offsets() -> npt.NDArray[np.float32]:
    """Return how far from the middle of each cell of [0, 1/2] its fraction is, in cells.

    More than any two are apart where there is none.
    """
    found = np.full(_CELLS // 2 + 1, 2, np.float32)
    for below in range(LARGEST, 0, -1):
        at = np.arange(below // 2 + 1) / below * _CELLS
        found[np.rint(at).astype(np.int64)] = at - np.rint(at)
    return found


@functools.cache
def _sieve() -> Flags:
    """Tell of each slot of [0, 1) whether what is near a fraction may be rounded to it."""
    found = np.zeros(_SLOTS, np.bool_)
    for below in range(1, LARGEST + 1):
        at = np.arange(below) / below * _SLOTS
        for aside in (-_ASIDE, _ASIDE):
            found[np.rint(at + aside).astype(np.int64) % _SLOTS] = True
    return found
