"""Points as X, Y and Z in blocks or fields of their own: how libraries leave what they multiplied.

x = X/Z**2 and y = Y/Z**3 (Jacobian), or x = X/Z and y = Y/Z; plain, or in Montgomery form. Whoever
makes a key and signs needs neither x nor y, and they stand nowhere then. Seen in OpenSSL, of whose
P-256 only Y and Z are neighbours, in mirage-crypto (OCaml), and in BoringSSL (Chromium), in fields
of nine limbs on any curve. An allocator lays Z behind Y, and that behind X: of three the curve's
equation tells, and of two the y that a scalar gives, which chance never is. What fills one run is
left to ``projective``. This module refuses to say whose a point is.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from scanner.detect.integers.pool import Pool
from scanner.detect.relations import nearby, pieces
from scanner.detect.relations.adjoining import APART
from scanner.detect.relations.curves import LITTLE, USUAL, WORDS, Curve, coefficients
from scanner.model import Place

MOST = 4_000
"""Runs as long as a coordinate that are tried: 5 us for a curve and a byte order, where another one
is behind. In many runs too: of those of Node.js a thousand stand in pairs, of those of bun three
thousand may be some."""

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
            read = [how.decode(pool.data[at : at + width].tobytes()) for at in found.tolist()]
            before = [i > 1 and bool(close[i - 2]) for i in behind]
            rows = [
                (read[i - 2] if three else 0, read[i - 1], read[i])
                for i, three in zip(behind, before, strict=True)
            ]
            for curve in (curve for curve in USUAL if curve.size == size):
                for index, x, y in _divided(curve, rows):
                    ats = found[behind[index] - 2 :][:3].tolist() if x else ()
                    yield curve.name, x, y, tuple(pool.place(at, width) for at in ats)


def _divided(curve: Curve, rows: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield (index, x, y) of each row of X, Y and Z in each form; x is 0 if that is no point."""
    p, (a, b) = curve.p, coefficients(curve)
    good = [index for index, row in enumerate(rows) if row[2] > 0 and max(row) < p]
    radices = sorted({1, curve.radix % p, curve.half_radix % p})
    for index, inverse in zip(good, _inverses([rows[index][2] for index in good], p), strict=True):
        x, y, _ = rows[index]
        square = inverse * inverse % p
        forms = [(inverse, inverse), *((square * r, square * inverse * r * r) for r in radices)]
        for by_x, by_y in forms:
            px, py = x * by_x % p, y * by_y % p
            told = px and (py * py - px * px * px - a * px - b) % p == 0
            yield index, px if told else 0, py


def _inverses(numbers: Sequence[int], p: int) -> list[int]:
    """Invert numbers modulo p, at the price of a few products each (Montgomery's trick)."""
    products = list(itertools.accumulate(numbers, lambda one, other: one * other % p, initial=1))
    inverse, found = pow(products[-1], -1, p), []
    for number, before in zip(reversed(numbers), products[-2::-1], strict=True):
        found.append(inverse * before % p)
        inverse = inverse * number % p
    return found[::-1]
