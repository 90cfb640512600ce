"""Points as X, Y and Z in blocks or fields of their own: how libraries leave what they multiplied.

x = X/Z**2 and y = Y/Z**3 (Jacobian), or x = X/Z and y = Y/Z; plain, or in Montgomery form. Whoever
makes a key and signs needs neither x nor y, and they stand nowhere then. Seen in OpenSSL, of whose
P-256 only Y and Z are neighbours, in mirage-crypto (OCaml), and in BoringSSL (Chromium), in fields
of nine limbs on any curve. An allocator lays Z behind Y, and that behind X: of three the curve's
equation tells, and of two the y that a scalar gives, which chance never is. In a heap that was used
before they are not neighbours, and any two give x or y: seen in OpenSSL 1.1.1 and Botan 2. What
fills one run is left to ``projective``. This module refuses to say whose a point is.
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra.gmp import mpz
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import nearby, pieces
from scanner.detect.relations.places.adjoining import APART
from scanner.detect.relations.weierstrass.comb import inverses
from scanner.detect.relations.weierstrass.curves import (
    LITTLE,
    USUAL,
    WORDS,
    Curve,
    Reading,
    coefficients,
)
from scanner.model import Place

MOST = 4_000
"""Runs as long as a coordinate that are tried: 5 us for a curve and a byte order, where another one
is behind. In many runs too: of those of Node.js a thousand stand in pairs, of those of bun three
thousand may be some."""

MOST_LONE, MOST_ANNOUNCED = 2_000, 500
"""Those that are tried where they are no neighbours, in many runs; and where they are more, of the
usual size, as to list these takes 0.1 s."""

_USUAL = 32
"""Bytes of a coordinate on the curves that are mostly used."""

MOST_PAIRS = 4_000
"""Pairs of them that are tried as X or Y, and Z, the nearest, and one for each at least: 2 us for a
curve and a byte order."""

FEW = 16
"""Points of a curve that may be keys', where they are: a multiplication leaves hundreds behind."""

Point = tuple[str, int, int, tuple[Place, ...]]
"""Curve, x, y, and where they stand; of no x it is 0, and there is no place."""


def points(pool: Pool) -> Iterator[Point]:
    """Yield what neighbours give, x where X is one of them and the curve's equation holds."""
    most = pool.budget(MOST, MOST)
    for size in sorted({curve.size for curve in USUAL}):
        found = np.sort(pieces.filling(pool, size, most, paired=not pool.few))
        close = np.diff(nearby.coordinates(pool, found)) <= size + APART
        behind = (np.flatnonzero(close) + 1).tolist()
        for how in WORDS if pool.big_endian else (LITTLE,):
            width = -(-size // how.word) * how.word
            read = _read(pool, how, found, width)
            before = [i > 1 and bool(close[i - 2]) for i in behind]
            rows = [
                (read[i - 2] if three else 0, read[i - 1], read[i])
                for i, three in zip(behind, before, strict=True)
            ]
            for curve in (curve for curve in USUAL if curve.size == size):
                for index, x, y in _divided(curve, rows):
                    ats = found[behind[index] - 2 :][:3].tolist() if x else ()
                    yield curve.name, x, y, tuple(pool.place(at, width) for at in ats)


def apart(pool: Pool, names: Collection[str]) -> dict[str, set[int]]:
    """Return what any two that lie near each other give as x or as y, by curve."""
    found: dict[str, set[int]] = {name: set() for name in names}
    for curve in (curve for curve in USUAL if curve.name in found):
        for how in WORDS if pool.big_endian else (LITTLE,):
            width = -(-curve.size // how.word) * how.word
            numbers = _read(pool, how, _alone(pool, curve.size), width)
            found[curve.name] |= _near(curve, numbers)
    return found


def _alone(pool: Pool, size: int) -> Offsets:
    """Return runs as long as a coordinate: all; of too many those that are announced, or none."""
    name = ("coordinates alone", size)
    if name not in pool.listed:
        found = pieces.filling(pool, size, MOST_LONE)
        if len(found) == MOST_LONE and not pool.few:
            found = pieces.objects(pool, size, MOST_ANNOUNCED) if size == _USUAL else found[:0]
        pool.listed[name] = np.sort(found)
    return pool.listed[name]


def _read(pool: Pool, how: Reading, positions: Offsets, width: int) -> list[int]:
    return [how.decode(pool.data[at : at + width].tobytes()) for at in positions.tolist()]


def _divided(curve: Curve, rows: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield (index, x, y) of each row of X, Y and Z in each form; x is 0 if that is no point."""
    p, (a, b) = curve.p, coefficients(curve)
    good = [index for index, row in enumerate(rows) if row[2] > 0 and max(row) < p]
    for index, inverse in zip(good, inverses(p, [rows[index][2] for index in good]), strict=True):
        x, y, _ = rows[index]
        for by_x, by_y in _forms(curve, inverse):
            px, py = x * by_x % p, y * by_y % p
            told = px and (py * py - px * px * px - a * px - b) % p == 0
            yield index, px if told else 0, py


def _near(curve: Curve, numbers: Sequence[int]) -> set[int]:
    """Return what each number gives as x and as y in each form, with one not far from it as Z.

    They are GMP's, to look up alone.
    """
    p, near = mpz(curve.p), max(MOST_PAIRS // max(2 * len(numbers), 1), 1)
    numbers = [mpz(number) for number in numbers]
    good = [index for index, number in enumerate(numbers) if 0 < number < p]
    found = set[int]()
    for index, inverse in zip(good, inverses(p, [numbers[i] for i in good]), strict=True):
        others = (*numbers[max(index - near, 0) : index], *numbers[index + 1 : index + 1 + near])
        for factor in {factor for both in _forms(curve, mpz(inverse)) for factor in both}:
            found.update([other * factor % p for other in others])
    return found


def _forms(curve: Curve, inverse: int) -> list[tuple[int, int]]:
    """Return what makes x of X and y of Y in each form, where Z has that inverse."""
    p, square = curve.p, inverse * inverse % curve.p
    radices = sorted({1, curve.radix % p, curve.half_radix % p})
    both = ((square * r % p, square * inverse * r * r % p) for r in radices)
    return [(inverse, inverse), *both]
