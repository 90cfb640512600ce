"""EC keys among very many numbers: every edge of a run is tried on each curve that has a point.

A point is a key that was read elsewhere, or stands bare at a run's edge or behind its tag, told by
the curve's equation. No neighbourhood counts and nothing is ranked: a heap may hold a hundred
thousand objects of a scalar's size, of which one is a scalar. What a count leaves untried is said,
and this module refuses to say nothing of it.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from scanner.arrays import Bytes
from scanner.detect.algebra import gmp
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_closes, ec_derived
from scanner.detect.integers import every_edge
from scanner.detect.integers.every_edge import Edges
from scanner.detect.integers.runs import Runs, chosen
from scanner.detect.relations.related import Related, Untried
from scanner.detect.relations.weierstrass import comb, matches
from scanner.detect.relations.weierstrass.curves import (
    BIG,
    CURVES,
    JAVA,
    LITTLE,
    USUAL,
    WORDS,
    Curve,
    Reading,
    coefficients,
    generator,
)
from scanner.dump.space import Memory
from scanner.kernels import curves
from scanner.kernels.curves import Limbs
from scanner.model import Place

MOST = {24: 1 << 18, 28: 1 << 18, 32: 1 << 18, 40: 1 << 17, 48: 1 << 17, 64: 1 << 16, 66: 1 << 16}
"""Places of scalars of so many bytes that are tried on a curve, in each reading: 10 us each on
P-256, 35 on P-384, 60 on P-521."""

DEEP = 16
"""How many times as many a deep scan tries."""

MOST_BARE = 1 << 20
"""Places at which a point without a tag is looked for, of each size: 1 us for a curve."""

_TAG = 0x04
"""What stands before an uncompressed point (SEC 1 2.3.3)."""

_Points = dict[str, dict[int, int]]
"""By curve: y by x."""


def search(
    memory: Memory, runs: Runs, publics: Iterable[PublicKey], *, deep: bool
) -> Iterator[Related | Untried]:
    """Yield each key whose scalar is at a run's edge, and whose point is known or stands bare."""
    points = _points(memory, runs, publics)
    for size in sorted({CURVES[name].size for name in points}):
        some = [CURVES[name] for name in points if CURVES[name].size == size]
        found = every_edge.find(memory, runs, size, MOST[size] * (DEEP if deep else 1))
        if found.left:
            names = ", ".join(curve.name for curve in some)
            yield Untried(count=found.left, of=len(found) + found.left, size=size, witness=names)
        for curve in some:
            yield from _of_curve(memory, found, curve, points[curve.name])


def _of_curve(
    memory: Memory, places: Edges, curve: Curve, points: dict[int, int]
) -> Iterator[Related]:
    """Try places on one curve."""
    base = comb.base_of(curve)
    wanted = np.unique(curves.rows(list(points), base.limbs)[:, 0])
    big, seen = memory.map.byte_order == "big", set[int]()
    for first, raw in every_edge.read(memory, places):
        for how in (*(WORDS if big else (LITTLE, JAVA)), BIG):
            if curve.size % how.word:
                continue
            x, _, valid = curves.multiples(base, limbs(raw, how, base.limbs))
            there = np.searchsorted(wanted, x[:, 0])
            there[there == len(wanted)] = 0
            for row in np.flatnonzero(valid & (wanted[there] == x[:, 0])).tolist():
                key = ec_derived(curve.name, how.decode(raw[row].tobytes()))
                if key is None or key.x in seen or points.get(key.x) != key.y:
                    continue
                if ec_closes(key) and not curve.is_constant(key.d):
                    seen.add(key.x)
                    at = first + row
                    place = Place(
                        space=int(places.space[at]), offset=int(places.offset[at]), size=curve.size
                    )
                    yield Related(
                        key=key, proof=matches.PROOF, encoding=f"d {how.name}", places=(place,)
                    )


def limbs(raw: Bytes, how: Reading, count: int) -> Limbs:
    """Return numbers that are read from rows of bytes, in so many limbs."""
    rows = (
        raw if how.word == 1 else raw.reshape(len(raw), raw.shape[1] // how.word, how.word)[:, ::-1]
    )
    rows = rows.reshape(raw.shape)
    if how.order == "big":
        rows = rows[:, ::-1]
    wide = np.zeros((len(raw), 8 * count), np.uint8)
    wide[:, : rows.shape[1]] = rows
    return wide.view("<u8").astype(np.uint64, copy=False)


def _points(memory: Memory, runs: Runs, publics: Iterable[PublicKey]) -> _Points:
    """Return the points that are known or stand bare, but for the generators."""
    found: _Points = {}
    for key in publics:
        if key.independent and key.curve in CURVES:
            found.setdefault(key.curve, {})[key.x] = key.y
    for curve in USUAL:
        for x, y in _bare(memory, runs, curve):
            if x != generator(curve)[0]:
                found.setdefault(curve.name, {})[x] = y
    return found


def _bare(memory: Memory, runs: Runs, curve: Curve) -> Iterator[tuple[int, int]]:
    """Yield x and y of points of which both coordinates stand at an edge, or behind their tag."""
    a, b = coefficients(curve)
    count = -(-curve.p.bit_length() // 64)
    radices = sorted({1, curve.radix, curve.half_radix})
    big = memory.map.byte_order == "big"
    for size in sorted({curve.size, -(-curve.size // 8) * 8}):
        places = every_edge.find(
            memory, chosen(runs, runs.end - runs.start >= size), 2 * size, MOST_BARE
        )
        for _, raw in every_edge.read(memory, places):
            for how in (*(WORDS if big else (LITTLE,)), BIG):
                if size % how.word or (how == BIG and size != curve.size):
                    continue
                both = _pairs(raw, how, count)
                for radix in radices if how != BIG else (1,):
                    plain = both if radix == 1 else _plain(curve, both, radix)
                    yield from _numbers(plain[curves.on_curve(curve.p, a, b, plain)])
    yield from _tagged(memory, runs, curve)


def _tagged(memory: Memory, runs: Runs, curve: Curve) -> Iterator[tuple[int, int]]:
    """Yield the points behind a tag that begins a run: in its first word, or right before it."""
    a, b = coefficients(curve)
    size, count = 2 * curve.size, -(-curve.p.bit_length() // 64)
    long = chosen(runs, runs.end - runs.start >= size - 8)
    long = chosen(long, (long.start > 0) & (long.start + size + 8 <= memory.map.size[long.space]))
    places = Edges(space=long.space, offset=long.start - 1, size=size + 9, left=0)
    for _, raw in every_edge.read(memory, places):
        rows, at = np.nonzero(raw[:, :9] == _TAG)
        points = raw[rows[:, None], at[:, None] + np.arange(1, size + 1)]
        both = _pairs(points, BIG, count)
        yield from _numbers(both[curves.on_curve(curve.p, a, b, both)])


def _pairs(raw: Bytes, how: Reading, count: int) -> Limbs:
    """Return pairs of numbers [rows, 2, limbs]: halves of rows of bytes."""
    half = raw.shape[1] // 2
    parts = [limbs(np.ascontiguousarray(raw[:, at : at + half]), how, count) for at in (0, half)]
    return np.ascontiguousarray(np.stack(parts, axis=1))


def _plain(curve: Curve, both: Limbs, radix: int) -> Limbs:
    """Take coordinates out of Montgomery form; what is not below p stays what it is."""
    flat = both.reshape(-1, both.shape[2])
    small = _below(flat, curves.rows((curve.p,), flat.shape[1])[0])
    inverse = gmp.inverse(radix, curve.p)
    made, _ = curves.mapped(curve.p, (int(inverse), 0, 0, 1), np.where(small[:, None], flat, 0))
    return np.ascontiguousarray(np.where(small[:, None], made, flat).reshape(both.shape))


def _below(rows: Limbs, bound: Limbs) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which numbers are below another one."""
    less, equal = np.zeros(len(rows), np.bool_), np.ones(len(rows), np.bool_)
    for limb in range(rows.shape[1] - 1, -1, -1):
        less |= equal & (rows[:, limb] < bound[limb])
        equal &= rows[:, limb] == bound[limb]
    return less


def _numbers(points: Limbs) -> Iterator[tuple[int, int]]:
    return zip(curves.numbers(points[:, 0]), curves.numbers(points[:, 1]), strict=True)
