"""Which scalars are the s of a signature of SM2: no keys. t = r + s, and r = e + x(s*G + t*P).

Who checks a signature (r, s) of SM2 (GB/T 32918.2 7) with points in affine form leaves s*G there: a
private number and its public half, to the eye. It is none where r and t stand, a hash e does, and
the public key P that follows from these numbers. Whoever knows a key's public half alone can make
r, e and P that fit, but not t, for which the private one is added to r. Seen in gmsm for Go and
sm-crypto-v2 for Node.js. This module refuses to close what a public key names, and recomputes no
hash, as nothing says which message was signed; in doubt a scalar is a key.
"""

import itertools
from collections.abc import Collection, Iterator, Sequence

from scanner.detect.algebra import curve_points, gmp
from scanner.detect.algebra.curve_points import Point
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places.standing import standing
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb, signed, tweaks
from scanner.detect.relations.weierstrass.curves import CURVES, sightings

CURVE = "SM2"

MOST_SUSPECTS = 64
"""Scalars of a section that are looked at, the first."""

MOST_READ = 1 << 15
"""Numbers that are tried as r, and as t: less than a microsecond each, for each scalar."""

MOST_SITES, NEAR = 8, 256
"""Places of s, r and t near which e is looked for, and numbers on each side."""

MOST_CHECKS = 4_000
"""Numbers that are tried as e, of all signatures: half of them at twice 0.4 ms."""

_N, _P, _SIZE = CURVES[CURVE].n, CURVES[CURVE].p, CURVES[CURVE].size


def without(pool: Pool, found: list[Related], publics: Sequence[PublicKey]) -> list[Related]:
    """Return what was found but for what ends a signature that is good."""
    suspects = tweaks.unnamed(found, publics, CURVE)[:MOST_SUSPECTS]
    if not suspects:
        return found
    anywhere = tweaks.numbers(pool, [one for one, _ in suspects])
    read = set(itertools.islice(anywhere, MOST_READ))
    checks = [
        (key, hows, r, t)
        for one, key in suspects
        for hows in (signed.spellings(pool, one),)
        for r, t in _sums(read | set(_near(pool, hows, key.d)), key.d)
    ]
    left, closed = MOST_CHECKS, set[int]()
    for index, (key, hows, r, t) in enumerate(checks):
        if key.d in closed:
            continue
        share = left // (len(checks) - index)
        hashes = list(itertools.islice(_near(pool, hows, key.d, r, t), share))
        left -= len(hashes)
        if _fits(pool, key, r, t, hashes):
            closed.add(key.d)
    idle = {id(one) for one, key in suspects if key.d in closed}
    return [one for one in found if id(one) not in idle]


def _sums(numbers: Collection[int], s: int) -> Iterator[tuple[int, int]]:
    """Yield r and r + s, both of which stand; neither is small, nor its negative."""
    for r in numbers:
        t = (r + s) % _N
        if (t in numbers or r + s in numbers) and signed.large(t, _N) and signed.large(r, _N):
            yield r, t


def _near(pool: Pool, hows: Sequence[Reading], *values: int) -> Iterator[int]:
    """Yield the numbers near places of some, each once, the nearest first."""
    sites = list(itertools.islice(standing(pool, ((v, v) for v in values), hows), MOST_SITES))
    rows = [signed.near(pool, at, how, 8 * _SIZE, NEAR) for _, how, at in sites]
    mixed = itertools.chain.from_iterable(itertools.zip_longest(*rows))
    seen = dict.fromkeys(number for number in mixed if number is not None)
    yield from (number for number in seen if number not in values and number >> 64)


def _fits(pool: Pool, key: Ec, r: int, t: int, hashes: Sequence[int]) -> bool:
    """Tell whether a hash makes (r, s) a signature by a public key that stands.

    P = (X - s*G)/t, where X has r - e as its x.
    """
    inverse = gmp.inverse(t, _N)
    xs = [x for e in hashes for x in _publics(key, inverse, (r - e) % _N)]
    names = [(CURVE, x) for x in xs]
    return bool(xs) and any(True for _ in sightings(pool.data, names, big_endian=pool.big_endian))


def _publics(key: Ec, inverse: int, x: int) -> list[int]:
    """Return the x of both points P of which a sum has some x."""
    negative: Point = (key.x, _P - key.y)
    rows = [(negative, point) for point in _lifted(x) if point[0] != key.x]
    return curve_points.shared(CURVE, inverse, comb.add(_P, rows)) if rows else []


def _lifted(x: int) -> list[Point]:
    """Return both points that have a number as their x: half of all numbers are none."""
    try:
        x, y = curve_points.decode(CURVE, b"\x02" + x.to_bytes(_SIZE, "big"))
    except ValueError:
        return []
    return [(x, y), (x, _P - y)]
