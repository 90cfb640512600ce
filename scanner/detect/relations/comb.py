"""Public points of many scalars at once: the fixed-base comb, with one inversion for all of them.

OpenSSL derives a point in 0.03 to 0.4 ms on NIST's curves, for which it has code of their own, and
in 0.6 to 2.3 ms on others; a search asks for thousands, and nearly all of them are wrong. Here each
scalar is cut into windows of bits, of each window's values the multiples of G are in a table, and a
step adds one of them to every scalar's sum in affine form: six multiplications, since the
inversions are shared (Montgomery's trick; Handbook of Elliptic and Hyperelliptic Curve
Cryptography, 9.3.3 and 11.1.3). Nothing rests on it: what a trial leads to is derived again by the
library, and this module refuses to prove.
"""

import functools
from collections.abc import Sequence
from itertools import accumulate

from scanner.detect.algebra.material import Ec
from scanner.detect.evidence import ec_derived
from scanner.detect.relations.curves import Curve, coefficients, generator

WINDOWS = (4, 6)
"""Bits of a window for few scalars and for many: the wider the fewer steps, the dearer the tables.
Those of four bits are made in the time of ten derivations by the library, of six of thirty."""

MANY = 200
"""Scalars from which on wider windows are faster."""

FEWEST = {
    "secp256k1": 12,
    "brainpoolP256r1": 12,
    "brainpoolP384r1": 12,
    "brainpoolP512r1": 12,
    "SM2": 12,
    "P-384": MANY,
}
"""Scalars from which on this is faster than OpenSSL, by curve: four to six times, and a quarter."""

Point = tuple[int, int]


def derive(curve: Curve, scalars: Sequence[int]) -> list[Ec | None]:
    """Return each scalar with its point; None where it is not between 0 and the order."""
    if len(scalars) < FEWEST.get(curve.name, len(scalars) + 1):
        return [ec_derived(curve.name, d) for d in scalars]
    good = [d for d in scalars if 0 < d < curve.n]
    found = {
        d: ec_derived(curve.name, d)
        if point is None
        else Ec(curve=curve.name, d=d, x=point[0], y=point[1])
        for d, point in zip(good, points(curve, good), strict=True)
    }
    return [found.get(d) for d in scalars]


def points(curve: Curve, scalars: Sequence[int]) -> list[Point | None]:
    """Return the points of scalars below the order; None where a sum met its own like."""
    sums: list[Point | None] = [None] * len(scalars)
    lost: set[int] = set()
    width = WINDOWS[len(scalars) >= MANY]
    for index, table in enumerate(_tables(curve, width)):
        shift, mask = index * width, (1 << width) - 1
        rows, added = [], []
        for row, d in enumerate(scalars):
            digit = d >> shift & mask
            if not digit:
                continue
            other, here = table[digit - 1], sums[row]
            if here is None:
                sums[row] = other
            elif here[0] == other[0]:
                lost.add(row)
            else:
                rows.append(row)
                added.append((here, other))
        for row, point in zip(rows, add(curve.p, added), strict=True):
            sums[row] = point
    return [None if row in lost else point for row, point in enumerate(sums)]


def add(p: int, pairs: Sequence[tuple[Point, Point]]) -> list[Point]:
    """Add points with different x, by one inversion for all."""
    slopes = _quotients(p, [(b[1] - a[1], b[0] - a[0]) for a, b in pairs])
    found = []
    for (a, b), slope in zip(pairs, slopes, strict=True):
        x = (slope * slope - a[0] - b[0]) % p
        found.append((x, (slope * (a[0] - x) - a[1]) % p))
    return found


def _quotients(p: int, fractions: Sequence[tuple[int, int]]) -> list[int]:
    """Divide modulo p, by one inversion."""
    if not fractions:
        return []
    products = list(accumulate((below for _, below in fractions), lambda a, b: a * b % p))
    inverse = pow(products[-1], -1, p)
    found = []
    for (above, below), before in zip(
        reversed(fractions), [*reversed(products[:-1]), 1], strict=True
    ):
        found.append(above * (inverse * before % p) % p)
        inverse = inverse * below % p
    return found[::-1]


@functools.cache
def _tables(curve: Curve, width: int) -> tuple[tuple[Point, ...], ...]:
    """Return, of each window, its multiples of G: the values from 1 on."""
    p, (a, _) = curve.p, coefficients(curve)
    doubles = [generator(curve)]
    for _ in range(1, curve.n.bit_length() + width):
        x, y = doubles[-1]
        (slope,) = _quotients(p, [(3 * x * x + a, 2 * y)])
        last = (slope * slope - 2 * x) % p
        doubles.append((last, (slope * (x - last) - y) % p))
    ones = doubles[: curve.n.bit_length() : width]
    columns = [ones, [doubles[at * width + 1] for at in range(len(ones))]]
    while len(columns) < (1 << width) - 1:
        columns.append(add(p, list(zip(columns[-1], ones, strict=True))))
    return tuple(zip(*columns, strict=True))
