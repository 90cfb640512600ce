"""RSA keys of which what d was computed with is left: (p-1)(q-1), or lcm(p-1, q-1).

The first is n but for p + q - 1, and the second a small part of the first: n divided by it is an
integer, as nearly as a float can say, which no other number's quotient is. Both are even, and no
number of a signature. Seen in strongSwan's plugin gmp, which checks keys that it reads. This module
refuses moduli that nobody read.
"""

import math
from collections.abc import Iterator

import numpy as np

from scanner.arrays import Flags, Floats
from scanner.detect.integers import readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic
from scanner.detect.relations.rsa.shelf import Shelf

ROLE = "lcm(p-1, q-1)"
PROOF = "(p-1)(q-1) = n - p - q + 1"

GREATEST = 1 << 16
"""The greatest common divisor of p - 1 and q - 1 that is tried."""

MOST_PAIRS = (1 << 24, 1 << 22)
"""Pairs of a modulus and a number of its length, in one reading, at 5 ns each."""

_ALIKE = 20
"""Microseconds that it takes to tell of what begins as such a number that it is none."""

_NEARLY = 2.0**-44
"""How far from an integer a quotient is, at most, of those of 53 bits."""


def search(shelf: Shelf, moduli: dict[int, int]) -> Iterator[Related]:
    """Yield each key, of modulus and public exponent, of which such a number stands."""
    for bits in sorted({n.bit_length() for n in moduli if n.bit_length() % 64 == 0}):
        position, reading = shelf.either(bits)
        for index in distinct(reading).tolist():
            here, how = position[reading == index], shelf.pool.readings[index]
            tops = readings.top(how, shelf.pool.data, here, bits).astype(np.float64)
            most = shelf.pool.budget(*MOST_PAIRS) // len(here)
            for n in [n for n in moduli if n.bit_length() == bits][:most]:
                near = here[_whole(float(n >> bits - 64) / np.maximum(tops, 1.0))]
                for at in near.tolist():
                    parts = divisors(n, shelf.pool.number(at, bits, index))
                    key = arithmetic.from_divisors(n, moduli[n], parts) if parts else None
                    if key is not None:
                        yield Related(
                            key=key,
                            proof=PROOF,
                            encoding=f"{ROLE} {shelf.pool.form(at, how.name)}",
                            places=(shelf.pool.place(at, readings.width(how, bits)),),
                            roles=(ROLE,),
                        )
                        break
                    shelf.waste(_ALIKE)


def _whole(quotients: Floats) -> Flags:
    """Tell which quotients are small integers."""
    whole: Flags = np.abs(quotients - np.rint(quotients)) <= quotients * _NEARLY
    return whole & (quotients < GREATEST)


def divisors(n: int, value: int) -> list[int]:
    """Return the factor of n that a part of (p-1)(q-1) gives away."""
    if not 0 < value < n:
        return []
    total = n + 1 - (2 * n + value) // (2 * value) * value
    square = total * total - 4 * n
    root = math.isqrt(square) if square > 0 else 0
    p = (total + root) // 2
    return [p] if root and 1 < p < n and n % p == 0 else []
