"""Scalars of named curves in Montgomery form: v = d*R modulo the order, R a power of two.

ring and Botan 3 keep their scalars so. R fills the machine's limbs, which makes it another one on
P-224 and P-521 where limbs have 32 bits. A known point needs no derivation but of v: v*G is R*Q.
Where nobody named the point, v is taken out of that form, which is worth few tries: so what has
room for a longer number comes first. Proves nothing by itself.
"""

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import curve_points, gmp
from scanner.detect.algebra.material import Ec
from scanner.detect.evidence import ec_derived
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import pieces
from scanner.detect.relations.places.words import sliding
from scanner.detect.relations.weierstrass.curves import Curve

_MOST_KNOWN = 500
"""Public points that are multiplied with R."""

_LOW_HALF = np.uint64(0xFFFFFFFF)


def radices(curve: Curve) -> list[int]:
    """Return what R may be."""
    return sorted({curve.half_radix, curve.radix})


def table(curve: Curve, known: dict[int, int]) -> dict[int, int]:
    """Return x(R*Q) to x(Q) for the known points: what a scalar in Montgomery form gives."""
    points = list(known.items())[:_MOST_KNOWN]
    shifted = curve_points.shared(curve.name, curve.radix % curve.n, points)
    return dict(zip(shifted, (x for x, _ in points), strict=True))


def plain(curve: Curve, v: int, radix: int) -> Ec:
    """Return the key of a scalar in Montgomery form."""
    key = ec_derived(curve.name, v * gmp.inverse(radix, curve.n) % curve.n)
    assert key is not None
    return key


def likely(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of scalars that fill a run: Botan 3 keeps no others."""
    judged = size & ~7 if pool.big_endian else size  # zeros may be within the last limb
    return pieces.filling(pool, judged, most, first=(_roomy(pool, size),))


def _roomy(pool: Pool, size: int) -> Offsets:
    """Return positions before zeros, as where a longer number has room too.

    They end with their runs, or half a word behind, and little stands before: two pointers of a
    32-bit machine look like a random word. On P-521, zeros fill the last word of a number.
    """
    more = np.where((pool.head >= 0) & (pool.tail >= 0), pool.tail - pool.head - (size & ~7), 32)
    found = []
    for shift in (0, 4):
        end = pool.tail[np.abs(more - WORD) <= 2 * WORD] + shift
        end = end[end + 2 * WORD <= len(pool.data)]
        word = sliding(pool.data)[end]
        if size & 3:
            last = word & _LOW_HALF
            good = (last > 0) & (last < 1 << 8 * (size & 3))
        else:
            good = (word | sliding(pool.data)[end + WORD]) == 0
        found.append(end[good] - (size & ~3))
    return np.concatenate(found)
