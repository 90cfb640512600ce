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

from scanner.detect.algebra.material import Ec
from scanner.detect.evidence import ec_derived
from scanner.detect.relations.weierstrass.curves import Curve, coefficients, generator

WIDTHS = range(2, 11)
"""Bits of a window: the wider the fewer steps, the dearer the tables. The widest have 5 MB."""

FEWEST = {
    "SM2": 4,
    "P-192": 4,
    "brainpoolP224r1": 4,
    "brainpoolP320r1": 4,
    "secp256k1": 8,
    "brainpoolP256r1": 8,
    "brainpoolP384r1": 10,
    "brainpoolP512r1": 14,
    "P-384": 300,
}
"""Scalars from which on this is faster than OpenSSL, by curve, the tables and all: of hundreds four
to six times, and a third."""

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
    """Return the points of scalars below the order; None where a sum met its own like.

    The values of windows are signed, so that tables hold half of them: each scalar gets half of a
    window's range more in each window, which is taken off again.
    """
    p, lost = curve.p, set[int]()
    sums: list[Point | None] = [None] * len(scalars)
    width = min(WIDTHS, key=lambda width: _cost(curve, width, len(scalars)))
    tables, half, mask = _tables(curve, width), 1 << width - 1, (1 << width) - 1
    more = sum(half << index * width for index in range(len(tables)))
    moved = [d + more for d in scalars]
    for index, table in enumerate(tables):
        shift = index * width
        rows, added = [], []
        for row, d in enumerate(moved):
            value = (d >> shift & mask) - half
            if not value:
                continue
            other, here = table[abs(value) - 1], sums[row]
            if value < 0:
                other = other[0], p - other[1]
            if here is None:
                sums[row] = other
            elif here[0] == other[0]:
                lost.add(row)
            else:
                rows.append(row)
                added.append((here, other))
        for row, point in zip(rows, add(p, added), strict=True):
            sums[row] = point
    return [None if row in lost else point for row, point in enumerate(sums)]


def _windows(curve: Curve, width: int) -> int:
    """Return how many windows hold a scalar, with room for what is added to it."""
    return (curve.n.bit_length() + 1) // width + 1


def _cost(curve: Curve, width: int, count: int) -> int:
    """Return the additions for so many scalars, those of the tables too."""
    return _windows(curve, width) * ((1 << width - 1) + count)


def add(p: int, pairs: Sequence[tuple[Point, Point]]) -> list[Point]:
    """Add points with different x, by one inversion for all."""
    reciprocals = inverses(p, [bx - ax for (ax, _), (bx, _) in pairs])
    found = []
    for ((ax, ay), (bx, by)), inverse in zip(pairs, reciprocals, strict=True):
        slope = (by - ay) * inverse % p
        x = (slope * slope - ax - bx) % p
        found.append((x, (slope * (ax - x) - ay) % p))
    return found


def inverses(p: int, numbers: Sequence[int]) -> list[int]:
    """Invert modulo p, all at once: none of them is a multiple of it."""
    product, before = 1, []
    for number in numbers:
        before.append(product)
        product = product * number % p
    inverse = pow(product, -1, p)
    found = []
    for number, others in zip(reversed(numbers), reversed(before), strict=True):
        found.append(inverse * others % p)
        inverse = inverse * number % p
    return found[::-1]


@functools.cache
def _tables(curve: Curve, width: int) -> tuple[tuple[Point, ...], ...]:
    """Return, of each window, its multiples of G: from 1 to half of its range."""
    bits = _windows(curve, width) * width
    ones, twos = (_doubles(curve)[at:bits:width] for at in range(2))
    columns = [ones, twos][: 1 << width - 1]
    while len(columns) < 1 << width - 1:
        columns.append(tuple(add(curve.p, list(zip(columns[-1], ones, strict=True)))))
    return tuple(zip(*columns, strict=True))


@functools.cache
def _doubles(curve: Curve) -> tuple[Point, ...]:
    """Return G and what doubling makes of it, as often as any width asks for.

    In Jacobian coordinates, which need no inversion (the Handbook, 13.2.1.c), and one for all.
    """
    p, (a, _) = curve.p, coefficients(curve)
    (x, y), z = generator(curve), 1
    found = [(x, y, z)]
    for _ in range(curve.n.bit_length() + WIDTHS[-1] + 1):
        square = y * y % p
        four, slope = 4 * x * square % p, (3 * x * x + a * pow(z, 4, p)) % p
        z = 2 * y * z % p
        x = (slope * slope - 2 * four) % p
        y = (slope * (four - x) - 8 * square * square) % p
        found.append((x, y, z))
    reciprocals = inverses(p, [z for _, _, z in found])
    return tuple(
        (x * one * one % p, y * one * one * one % p)
        for (x, y, _), one in zip(found, reciprocals, strict=True)
    )
