"""Multiples of G for many scalars, of another point for a few, and sums of points, all at once.

OpenSSL derives a point in 0.03 to 0.4 ms on NIST's curves, for which it has code of their own, and
in 0.6 to 2.3 ms on others; a search asks for thousands, and nearly all of them are wrong. Those of
G are the kernel's. Of another point each scalar is cut into windows of bits, of each window's
values the multiples are in a table, and a step adds one of them to every scalar's sum in affine
form: six multiplications of GMP's, since the inversions are shared (Montgomery's trick; Handbook of
Elliptic and Hyperelliptic Curve Cryptography, 9.3.3 and 11.1.3). Nothing rests on it: what a trial
leads to is derived again by the library, and this module refuses to prove.
"""

import functools
from collections.abc import Sequence

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import effort, gmp
from scanner.detect.algebra.gmp import mpz
from scanner.detect.algebra.material import Ec
from scanner.detect.evidence import ec_derived
from scanner.detect.relations.weierstrass.curves import Curve, coefficients, generator
from scanner.kernels import curves
from scanner.kernels.curves import Generator

WIDTHS = range(2, 10)
"""Bits of a window: the wider the fewer steps, the dearer the tables. The widest have 1 to 3 MB."""

TABLE = 40
"""Microseconds that a kernel's table takes about, times the third power of its limbs, as long as
nobody has made it."""

_INVERSION = 6
"""Additions in whose time an inversion is done."""

Point = tuple[int, int]
_Tables = tuple[tuple[int, ...], ...]
"""Multiples of G by window: x above y in one number, which takes half the memory of two."""

_USED: set[str] = set()
"""Curves whose table is there."""


def derive(curve: Curve, scalars: Sequence[int]) -> list[Ec | None]:
    """Return each scalar with its point; None where it is not between 0 and the order."""
    table = TABLE * base_of(curve).limbs ** 3 if curve.name not in _USED else 0
    if len(scalars) * effort.DERIVING[curve.name] < table:
        return [ec_derived(curve.name, d) for d in scalars]
    return [
        None if point is None else Ec(curve=curve.name, d=d, x=point[0], y=point[1])
        for d, point in zip(scalars, points(curve, scalars), strict=True)
    ]


def points(curve: Curve, scalars: Sequence[int]) -> list[Point | None]:
    """Return the points of scalars; None of those that are not between 0 and the order."""
    _USED.add(curve.name)
    base = base_of(curve)
    good = [d if 0 < d < curve.n else 0 for d in scalars]
    x, y, valid = curves.multiples(base, curves.rows(good, base.limbs))
    rows = zip(curves.numbers(x), curves.numbers(y), valid.tolist(), strict=True)
    return [(x, y) if is_valid else None for x, y, is_valid in rows]


@functools.cache
def base_of(curve: Curve) -> Generator:
    """Return G as the kernel knows it."""
    x, y = generator(curve)
    return Generator(p=curve.p, a=coefficients(curve)[0], x=x, y=y, bound=curve.n)


def multiples(curve: Curve, point: Point, scalars: Sequence[int]) -> list[Point | None]:
    """Return the multiples of another point than G, of which no tables are kept."""
    if not scalars:
        return []
    width = min(WIDTHS, key=lambda width: _anew(curve, width, len(scalars)))
    return _summed(curve, _odd_multiples(curve, width, _doubles(curve, point)), scalars)


def _summed(curve: Curve, tables: _Tables, scalars: Sequence[int]) -> list[Point | None]:
    """Add what the windows of scalars stand for, by tables of their point.

    A window of bits stands for an odd number between -2**width and 2**width, which is never zero,
    each bit being 1 or -1: so is every odd scalar made, and of an even one its negative.
    """
    p, width = mpz(curve.p), len(tables[0]).bit_length()
    odd = [d if d & 1 else curve.n - d for d in scalars]
    first, *columns = _columns(odd, width, len(tables))
    sums, lost = _taken(p, tables[0], first), set[int]()
    one, two = (_taken(p, table, np.ones(1, np.int64))[0] for table in tables[:2])
    for table, column in zip(tables[1:], columns, strict=True):
        pairs = list(zip(sums, _taken(p, table, column), strict=True))
        alike = [row for row, ((x, _), (other, _)) in enumerate(pairs) if x == other]
        for row in alike:
            pairs[row] = one, two
        lost.update(alike)
        sums = _add(p, pairs)
    return [
        None if row in lost else (int(x), int(y if d & 1 else p - y))
        for row, (d, (x, y)) in enumerate(zip(scalars, sums, strict=True))
    ]


def _taken(p: int, table: Sequence[int], column: Offsets) -> list[Point]:
    """Return the points of a table for the odd numbers that windows stand for."""
    size = p.bit_length()
    below = (mpz(1) << size) - 1
    rows = zip((np.abs(column) >> 1).tolist(), (column < 0).tolist(), strict=True)
    return [
        (table[at] >> size, p - (table[at] & below) if negative else table[at] & below)
        for at, negative in rows
    ]


def _columns(odd: Sequence[int], width: int, count: int) -> list[Offsets]:
    """Return, of each window, the number between -2**width and 2**width that it stands for."""
    all_ones, size = (1 << width * count) - 1, width * count // 8 + 4
    raw = b"".join((d + all_ones >> 1).to_bytes(size, "little") for d in odd)
    data = np.frombuffer(raw, np.uint8).reshape(-1, size)
    found = []
    for shift in range(0, width * count, width):
        word = data[:, shift // 8 : shift // 8 + 4].copy().view("<u4")[:, 0]
        bits = word >> shift % 8 & (1 << width) - 1
        found.append(2 * bits.astype(np.int64) + 1 - (1 << width))
    return found


def _windows(curve: Curve, width: int) -> int:
    """Return how many windows hold a scalar."""
    return -(-curve.n.bit_length() // width)


def _anew(curve: Curve, width: int, count: int) -> int:
    """Return the additions for so many scalars and for tables."""
    return _windows(curve, width) * ((1 << width - 1) + _INVERSION + count)


def add(p: int, pairs: Sequence[tuple[Point, Point]]) -> list[Point]:
    """Add points with different x, by one inversion for all."""
    return [(int(x), int(y)) for x, y in _add(mpz(p), pairs)]


def inverses(p: int, numbers: Sequence[int]) -> list[int]:
    """Invert modulo p, all at once: none of them is a multiple of it."""
    inverse, before = _product(mpz(p), numbers)
    found = []
    for number, others in zip(reversed(numbers), reversed(before), strict=True):
        found.append(int(inverse * others % p))
        inverse = inverse * number % p
    return found[::-1]


def _add(p: int, pairs: Sequence[tuple[Point, Point]]) -> list[Point]:
    """Add the same modulo a number of GMP's: the sums are GMP's too."""
    steps = [bx - ax for (ax, _), (bx, _) in pairs]
    inverse, before = _product(p, steps)
    found = []
    for ((ax, ay), (bx, by)), step, others in zip(
        reversed(pairs), reversed(steps), reversed(before), strict=True
    ):
        slope = (by - ay) * (inverse * others % p) % p
        x = (slope * slope - ax - bx) % p
        found.append((x, (slope * (ax - x) - ay) % p))
        inverse = inverse * step % p
    found.reverse()
    return found


def _product(p: int, numbers: Sequence[int]) -> tuple[int, list[int]]:
    """Return the inverse of the product of numbers, and for each the product of those before."""
    product, before = mpz(1), []
    for number in numbers:
        before.append(product)
        product = product * number % p
    return mpz(gmp.inverse(product, p)), before


def _odd_multiples(curve: Curve, width: int, doubles: Sequence[Point]) -> _Tables:
    """Return, of each window, its odd multiples of a point in their order, as GMP's numbers.

    Their negatives are not there.
    """
    p, bits = mpz(curve.p), _windows(curve, width) * width
    ones, twos = (tuple(doubles[at : bits + at : width]) for at in range(2))
    size, last = p.bit_length(), ones
    columns = [[x << size | y for x, y in last]]
    while len(columns) < 1 << width - 1:
        last = tuple(_add(p, list(zip(last, twos, strict=True))))
        columns.append([x << size | y for x, y in last])
    return tuple(zip(*columns, strict=True))


def _doubles(curve: Curve, point: Point) -> tuple[Point, ...]:
    """Return a point and what doubling makes of it, as often as any width asks for.

    In Jacobian coordinates, which need no inversion (the Handbook, 13.2.1.c), and one for all.
    """
    p, (a, _) = mpz(curve.p), coefficients(curve)
    (x, y), z = point, 1
    found = [(x, y, z)]
    for _ in range(curve.n.bit_length() + WIDTHS[-1] + 1):
        square = y * y % p
        four, slope = 4 * x * square % p, (3 * x * x + a * pow(z, 4, p)) % p
        z = 2 * y * z % p
        x = (slope * slope - 2 * four) % p
        y = (slope * (four - x) - 8 * square * square) % p
        found.append((x, y, z))
    reciprocals = map(mpz, inverses(p, [z for _, _, z in found]))
    return tuple(
        (x * one * one % p, y * one * one * one % p)
        for (x, y, _), one in zip(found, reciprocals, strict=True)
    )
