"""Points whose coordinates fill two blocks that adjoin, among tens of thousands of numbers.

A collector that moves what lives lays it end to end: x and y of a public key, and their scalar is
not far. Of what loops let go of, which is far more, no two coordinates adjoin: between them stands
what else was computed. Seen in Mono and SBCL, whose limbs are little-endian, and in Racket, whose
words stand most significant first. This module refuses to derive anything: the curve's equation
tells a point.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import headed, nearby, variety
from scanner.detect.relations.places.adjoining import APART
from scanner.detect.relations.weierstrass.curves import CURVES, JAVA, LITTLE, Curve, coefficients
from scanner.model import Place

USED = ("P-256", "P-384", "P-521", "secp256k1")
"""Curves on which programs compute with integers of their language."""

MOST = 1 << 16
"""Blocks of one size that are tried as coordinates on a curve, at 1.5 us; those of longer rows."""

_Point = tuple[str, int, int, Place]
"""Curve, x, y, and where x stands."""


def points(pool: Pool) -> Iterator[_Point]:
    """Yield the points of which both coordinates fill blocks that adjoin, whichever is first."""
    for size in sorted({CURVES[name].size for name in USED}):
        whole = _adjoining(pool, size)
        ints = np.isin(whole, headed.counted(pool, whole, size // headed.WORD)).tolist()
        apart = np.diff(nearby.coordinates(pool, whole))
        pairs = np.flatnonzero((apart >= size) & (apart <= size + APART)).tolist()
        spots = whole.tolist()
        raws = [pool.data[at : at + size].tobytes() for at in spots]
        numbers = [
            (JAVA if each else LITTLE).decode(raw) for raw, each in zip(raws, ints, strict=True)
        ]
        for curve in (CURVES[name] for name in USED if CURVES[name].size == size):
            (a, b), p = coefficients(curve), curve.p
            squares = [number * number % p for number in numbers]
            roots = [((square + a) * x + b) % p for square, x in zip(squares, numbers, strict=True)]
            for one in pairs:
                for x, y in ((one, one + 1), (one + 1, one)):
                    if squares[y] == roots[x] and 0 < max(numbers[x], numbers[y]) < p:
                        yield curve.name, numbers[x], numbers[y], pool.place(spots[x], size)


def nearest(pool: Pool, curve: Curve, most: int, near: Sequence[Place]) -> Offsets:
    """Return at most ``most`` blocks that may be a scalar of a curve, the nearest to places first.

    Where loops computed, what has no header that says so much is among tens of thousands.
    """
    if pool.few or curve.name not in USED or not near:
        return np.empty(0, np.int64)
    whole = _blocks(pool, curve.size)
    order = np.argsort(nearby.distances(pool, whole, nearby.marks(near)), kind="stable")
    return whole[order[:most]]


def _adjoining(pool: Pool, size: int) -> Offsets:
    """Return at most MOST blocks that adjoin another, in order: those of the longest rows."""
    whole = _blocks(pool, size)
    apart = np.diff(nearby.coordinates(pool, whole)) > size + APART
    lone = np.append(True, apart) & np.append(apart, True) if len(whole) else whole > 0
    whole = whole[~lone]
    row = nearby.in_row(pool, whole, size)
    return whole[np.sort(np.argsort(-row, kind="stable")[:MOST])]


def _blocks(pool: Pool, size: int) -> Offsets:
    """Return where runs begin that a number fills, in order, as varied as random ones."""
    if ("blocks", size) not in pool.listed:
        whole = (pool.head >= 0) & (pool.tail >= 0) & (not pool.big_endian)
        more = np.where(whole, pool.tail - pool.head - (size & ~7), -1)
        found = pool.head[(more >= 0) & (more <= 8)]
        found = found[variety.fits(pool, found, size)]
        found = found[variety.varied(pool.data, found, size)]
        order = np.argsort(nearby.coordinates(pool, found), kind="stable")
        pool.listed["blocks", size] = found[order]
    return pool.listed["blocks", size]
