"""Points whose coordinates fill two blocks that adjoin, among tens of thousands of numbers.

A collector that moves what lives lays it end to end: x and y of a public key, and their scalar is
not far. What loops let go of is far more, and between it stands what has other sizes: so the longer
a row of blocks of one size, the sooner it is looked at. Seen in Mono, whose limbs are
little-endian, and in Racket, whose words stand most significant first. This module refuses to
derive anything: the curve's equation tells a point.
"""

from collections.abc import Iterator

import numpy as np

from scanner.detect.integers.limbs import Offsets
from scanner.detect.integers.pool import Pool
from scanner.detect.relations import headed, nearby, variety
from scanner.detect.relations.adjoining import APART
from scanner.detect.relations.curves import CURVES, JAVA, LITTLE, Curve, coefficients
from scanner.model import Place

USED = ("P-256", "P-384", "P-521", "secp256k1")
"""Curves on which programs compute with integers of their language."""

MOST_TRIED = 16_000
"""Pairs of blocks of one size that are tried as a point, on each curve of that size: 3 us."""

_Point = tuple[str, int, int, Place]
"""Curve, x, y, and where x stands."""


def points(pool: Pool) -> Iterator[_Point]:
    """Yield the points of which both coordinates fill blocks that adjoin, whichever is first."""
    for size in sorted({CURVES[name].size for name in USED}):
        curves = [CURVES[name] for name in USED if CURVES[name].size == size]
        whole = _blocks(pool, size)
        ints = set(headed.counted(pool, whole, size // headed.WORD).tolist())
        apart = np.diff(nearby.coordinates(pool, whole))
        pairs = np.flatnonzero((apart >= size) & (apart <= size + APART))
        row = nearby.in_row(pool, whole, size)[pairs]
        pairs = pairs[np.argsort(-row, kind="stable")]
        for index in pairs[: MOST_TRIED // len(curves)].tolist():
            both = whole[index : index + 2].tolist()
            how = JAVA if ints.issuperset(both) else LITTLE
            one, other = (how.decode(pool.data[at : at + size].tobytes()) for at in both)
            for curve in curves:
                for x, y, at in ((one, other, both[0]), (other, one, both[1])):
                    if _is_point(curve, x, y):
                        yield curve.name, x, y, pool.place(at, size)


def _blocks(pool: Pool, size: int) -> Offsets:
    """Return where runs begin that a number fills, in order, as varied as random ones."""
    whole = (pool.head >= 0) & (pool.tail >= 0) & (not pool.big_endian)
    more = np.where(whole, pool.tail - pool.head - (size & ~7), -1)
    found = pool.head[(more >= 0) & (more <= 8)]
    found = found[variety.fits(pool, found, size)]
    found = found[variety.varied(pool.data, found, size)]
    return found[np.argsort(nearby.coordinates(pool, found), kind="stable")]


def _is_point(curve: Curve, x: int, y: int) -> bool:
    a, b = coefficients(curve)
    return 0 < max(x, y) < curve.p and (y * y - (x * x + a) * x - b) % curve.p == 0
