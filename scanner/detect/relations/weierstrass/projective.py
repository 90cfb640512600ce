"""Points as X, Y and Z: how whoever computes by complete formulas keeps them (homogeneous).

Renes, Costello, Batina (EUROCRYPT 2016): x = X/Z, y = Y/Z. Neither x nor y stands anywhere then,
but the curve's equation tells such three numbers as it tells two, and does so in Montgomery form
too, for R cancels out. Seen in Zig (std.crypto.sign.ecdsa), whose key pair is X, Y, Z, a word whose
first byte says whether the point is the generator, and the scalar. Jacobian coordinates, and
blocks apart, are left to ``jacobian``. This module refuses to say whose a point is.
"""

from collections.abc import Iterator

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import gmp
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import pieces, repeated, variety
from scanner.detect.relations.weierstrass.curves import LITTLE, USUAL, WORDS, coefficients
from scanner.model import Place

MOST = (1_000, 500)
"""Positions for each size of a coordinate that are tried, in few runs and in many: 4 us for a curve
and a byte order."""

_PER_POINT = 4
"""Positions of which one is tried, at least: the others do not look random."""

_FLAG = 1
"""What the byte behind the point is, at most."""


def points(pool: Pool) -> Iterator[tuple[str, int, int, Place]]:
    """Yield curve, x, y and place of the points that stand in the pool as three numbers."""
    most = pool.budget(*MOST)
    for size in sorted({curve.size for curve in USUAL if curve.size % 8 == 0}):
        curves = [curve for curve in USUAL if curve.size == size]
        for at in _likely(pool, size, most).tolist():
            parts = [pool.data[at + i * size : at + (i + 1) * size].tobytes() for i in range(3)]
            for how in WORDS if pool.big_endian else (LITTLE,):
                x, y, z = (how.decode(part) for part in parts)
                for curve in curves:
                    a, b = coefficients(curve)
                    if (y * y * z - x**3 - (a * x + b * z) * z * z) % curve.p == 0 != z % curve.p:
                        inverse = gmp.inverse(z, curve.p)
                        affine = x * inverse % curve.p, y * inverse % curve.p
                        yield curve.name, *affine, pool.place(at, 3 * size)


def _likely(pool: Pool, size: int, most: int) -> Offsets:
    """List where three coordinates may begin: before that byte in short runs, and at edges."""
    inner = repeated.words_within(pool, 3 * size)
    length = pool.tail - pool.head
    short = (pool.head >= 0) & (pool.tail >= 0) & (length <= pieces.LONGEST)
    short &= length > 3 * size - WORD
    edges = pool.head[short], pool.tail[short] - 3 * size
    found = np.concatenate((inner[pool.data[inner + 3 * size] <= _FLAG], *edges))
    found = found[variety.fits(pool, found, 3 * size)]
    found = np.array(list(dict.fromkeys(found[: most * _PER_POINT].tolist())), np.int64)
    for index in range(3):
        found = found[variety.varied(pool.data, found + index * size, size)]
    return found[:most]
