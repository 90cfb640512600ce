"""EC scalars whose first bytes an allocator wrote over, right before their point.

OpenSSL frees the inner part of a PKCS#8 key as one block: eleven bytes of headers, the scalar, the
point (RFC 5915 section 3). The links of glibc and tcmalloc take sixteen bytes, of which five are
the scalar's: forty bits on P-384, thirty-three on P-521, whose first byte is 0 or 1. GnuTLS has a
byte of headers less, and names the curve behind the scalar: of P-521 forty-one bits are gone.
Whoever has the point finds them in seconds, by baby steps and giant steps (Shanks; Handbook of
Applied Cryptography, 3.6.2), and so does this module. On curves of 256 bits and fewer links take
seven bytes or more: hundreds of millions of steps and gigabytes of table, which it refuses to
spend. But what takes a block's place may be a text that ends earlier: of such a scalar up to four
bytes are sought (seen in Heimdal's KDC, on P-256, where a line of its log took one). What it finds
is derived again by the library.
"""

import functools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.algebra.material import Ec
from scanner.detect.evidence import ec_derived, ec_scalar, on_curve
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb
from scanner.detect.relations.weierstrass.comb import Point
from scanner.detect.relations.weierstrass.curves import CURVES, Curve

LOST = {
    "P-224": 4,
    "P-256": 4,
    "secp256k1": 4,
    "brainpoolP256r1": 4,
    "P-384": 5,
    "P-521": 5,
}
"""Bytes of a scalar that may be gone, where the block does not say that there are more."""

MOST_BITS = 41
"""What may be gone of a scalar, where links took it."""

MOST = (2, 1)
"""Scalars of a curve that are tried in a section, of few runs and of many: 4 s on P-384, half a
second on P-521, and 8 s of six bytes; a third of a second on smaller curves."""

ENCODING = "d bytes-be (part)"

POINTS = {
    "P-224": bytes.fromhex("a13c 033a 0004"),
    "P-256": bytes.fromhex("a144 0342 0004"),
    "secp256k1": bytes.fromhex("a144 0342 0004"),
    "brainpoolP256r1": bytes.fromhex("a144 0342 0004"),
    "P-384": bytes.fromhex("a164 0362 0004"),
    "P-521": bytes.fromhex("a18189 038186 0004"),
}
"""How a point begins behind its scalar."""

NAMES = {
    "P-224": bytes.fromhex("a007 06052b81040021"),
    "P-256": bytes.fromhex("a00a 06082a8648ce3d030107"),
    "secp256k1": bytes.fromhex("a007 06052b8104000a"),
    "brainpoolP256r1": bytes.fromhex("a00b 06092b2403030208010107"),
    "P-384": bytes.fromhex("a007 06052b81040022"),
    "P-521": bytes.fromhex("a007 06052b81040023"),
}
"""What may stand between them: the curve's name (RFC 5915 section 3)."""

_SHORT = 32
"""Bytes of the longest scalar of which links leave too little."""

_LINKS = 16
"""Bytes that are written over at a block's beginning, and what its address is a multiple of."""

_MARK = re.compile(b"|".join(re.escape(mark) for mark in dict.fromkeys(POINTS.values())))

_DISTINCT = {24: 17, 28: 20}
_DISTINCT_LONG = 30
"""Different bytes of a scalar's rest, at least: a random one of 24, 28 or 43 bytes has fewer once
in 10**6."""

_BLOCK = 1024
"""Points that are added at once."""

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Babies:
    """Multiples of a base up to a count: the low words of their x, in order, and which they are."""

    words: Words
    which: Offsets


def search(pool: Pool, seen: Collection[tuple[str, int]]) -> Iterator[Related]:
    """Yield each key whose scalar stands without its first bytes; ``seen`` are (curve, x)."""
    left = dict.fromkeys(POINTS, pool.budget(*MOST))
    for match in _MARK.finditer(pool.data.data):
        for name in (name for name, mark in POINTS.items() if mark == match[0]):
            size = CURVES[name].size
            named = pool.data[: match.start()][-len(NAMES[name]) :].tobytes() == NAMES[name]
            start = match.start() - len(NAMES[name]) * named - size
            end = match.end() + 2 * size
            if left[name] == 0 or start < 0:
                continue
            first = start + _lost(name, pool.place(start, size).offset)
            read = _read(name, pool.data[first:end].tobytes())
            if read is None or (name, read[2]) in seen:
                continue
            left[name] -= 1
            key = solve(name, *read)
            if key is not None:
                place = pool.place(first, end - first)
                yield Related(key=key, proof="d*G = Q", encoding=ENCODING, places=(place,))


def again(name: str, raw: bytes) -> Ec | None:
    """Find the key of such bytes once more."""
    read = _read(name, raw) if name in POINTS else None
    return solve(name, *read) if read is not None else None


def _lost(name: str, address: int) -> int:
    """Return how many bytes of a scalar are gone: up to where a block's links end."""
    lost = -address % _LINKS
    by_links = CURVES[name].size > _SHORT and _bits(name, lost) <= MOST_BITS
    return lost if lost > LOST[name] and by_links else LOST[name]


def _bits(name: str, lost: int) -> int:
    """Return how many bits the first bytes of a scalar have."""
    return CURVES[name].n.bit_length() - 8 * (CURVES[name].size - lost)


def _read(name: str, raw: bytes) -> tuple[int, int, int, int] | None:
    """Read how much is gone of a scalar, its rest and its point.

    None where it is none, or is not random.
    """
    size = CURVES[name].size
    rest = raw[: -2 * size].removesuffix(POINTS[name]).removesuffix(NAMES[name])
    x, y = raw[-2 * size : -size], raw[-size:]
    point, lost = (int.from_bytes(x, "big"), int.from_bytes(y, "big")), size - len(rest)
    if lost < LOST[name] or _bits(name, lost) > MOST_BITS:
        return None
    if len(set(rest)) < _DISTINCT.get(len(rest), _DISTINCT_LONG) or not on_curve(name, *point):
        return None
    return lost, int.from_bytes(rest, "big"), *point


@functools.lru_cache(maxsize=16)
def solve(name: str, lost: int, low: int, x: int, y: int) -> Ec | None:
    """Return the key of a point whose scalar is ``low`` but for its first ``lost`` bytes."""
    unit = 1 << 8 * (CURVES[name].size - lost)
    for high in _candidates(CURVES[name], lost, low, (x, y)):
        key = ec_scalar(name, high * unit + low, x, y) if high >= 0 else None
        if key is not None:
            return key
    return None


def _candidates(curve: Curve, lost: int, low: int, point: Point) -> Iterator[int]:
    """Yield what the part that is gone may be: the point is that times a unit, and ``low``."""
    yield 0
    unit, bits = 1 << 8 * (curve.size - lost), _bits(curve.name, lost)
    half = (bits + 1) // 2 - 1
    stride = 2 * (1 << half) + 1
    babies, steps = _babies(curve.name, unit, half), _steps(curve.name, unit * stride)
    start = _sum(curve, point, _negative(curve, _point(curve, low)))
    if start is None:
        return
    for number in range(0, (1 << bits) // stride + 1, _BLOCK):
        here: Point | None = start
        if number:
            here = _sum(curve, start, _negative(curve, _point(curve, number * stride * unit)))
        if here is None:
            yield number * stride
            return
        pairs = [(here, step) for step in steps if step[0] != here[0]]
        if len(pairs) < len(steps):
            yield from (
                (number + at) * stride for at, step in enumerate(steps, 1) if step[0] == here[0]
            )
            continue
        found = [here, *comb.add(curve.p, pairs)]
        lows = np.array([x & _MASK for x, _ in found], np.uint64)
        spot = np.searchsorted(babies.words, lows).clip(0, len(babies.words) - 1)
        for at in np.flatnonzero(babies.words[spot] == lows).tolist():
            baby = int(babies.which[spot[at]])
            yield from ((number + at) * stride + baby, (number + at) * stride - baby)


@functools.cache
def _babies(name: str, unit: int, half: int) -> _Babies:
    """Return the multiples of a unit's point, up to a power of two."""
    curve = CURVES[name]
    first = _multiples(curve, unit, _BLOCK)[:-1]
    words = np.empty(1 << half, np.uint64)
    for start in range(0, 1 << half, _BLOCK):
        row = first
        if start:
            last = _point(curve, start * unit)
            row = comb.add(curve.p, [(last, point) for point in first])
        words[start + 1 : start + _BLOCK] = [x & _MASK for x, _ in row]
        words[start] = _point(curve, (start or 1 << half) * unit)[0] & _MASK
    which = np.arange(1 << half)
    which[0] = 1 << half
    order = np.argsort(words)
    return _Babies(words=words[order], which=which[order])


@functools.cache
def _steps(name: str, unit: int) -> tuple[Point, ...]:
    """Return the opposites of the giant steps of a block."""
    curve = CURVES[name]
    return tuple(_negative(curve, point) for point in _multiples(curve, unit, _BLOCK)[:-1])


def _multiples(curve: Curve, unit: int, count: int) -> list[Point]:
    """Return the points of ``unit`` times 1 and so on, a power of two of them."""
    found = [_point(curve, unit)]
    while len(found) < count:
        last = found[-1]
        more = comb.add(curve.p, [(last, point) for point in found[:-1]])
        found += [*more, _point(curve, 2 * len(found) * unit)]
    return found


def _point(curve: Curve, d: int) -> Point:
    key = ec_derived(curve.name, d % curve.n)
    assert key is not None  # no multiple of the order
    return key.x, key.y


def _negative(curve: Curve, point: Point) -> Point:
    return point[0], -point[1] % curve.p


def _sum(curve: Curve, one: Point, other: Point) -> Point | None:
    """Add two points that are no equal ones; None is infinity."""
    if one[0] == other[0]:
        return None
    (found,) = comb.add(curve.p, [(one, other)])
    return found
