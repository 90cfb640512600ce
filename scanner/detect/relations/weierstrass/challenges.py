"""Which scalars are the s of a signature of BIP 340: no keys. s*G = R + e*P, and e is a hash.

Who checks a signature r || s with numbers in affine form leaves s*G there (BIP 340, verification):
a private number and its public half, to the eye. It is none where r stands before s, a number e and
a point P fit, and e recomputes as the hash of r, P and a message that stands. Whoever knows P and a
key's public half alone can make R and e that fit, but no hash. Seen in @noble/curves for Node.js,
and bitcoin-utils for Python. This module refuses messages of other sizes than 32 bytes, and to
close what a public key names; in doubt a scalar is a key.
"""

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from scanner.detect.algebra import curve_points
from scanner.detect.algebra.curve_points import Point
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import BYTES, whole
from scanner.detect.relations.places.standing import standing
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb, signed, tweaks
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.detect.relations.weierstrass.tweaks import CURVE

MOST_SIGNATURES = 32
"""Signatures of a section that are looked at, the first, with what seems to be a key as s."""

MOST_READ = 1 << 14
"""Numbers that are tried as the x of P, and as a message."""

MOST_CHECKS = 4_000
"""Numbers that are tried as e, of all signatures: 0.06 ms each."""

NEAR, MOST_SITES = 256, 4
"""Numbers on each side of a place of s, in limbs or bytes, that come first; and such places."""

MOST_BESIDE, APART = 1_024, 16
"""Numbers near s that are hashed as P, each with those before and behind it as the message."""

_TAG = hashlib.sha256(b"BIP0340/challenge").digest() * 2
_SIZE, _P, _N = CURVES[CURVE].size, CURVES[CURVE].p, CURVES[CURVE].n


def without(pool: Pool, found: list[Related], publics: Sequence[PublicKey]) -> list[Related]:
    """Return what was found but for what ends a signature whose challenge recomputes."""
    suspects = tweaks.unnamed(found, publics)
    keys = {key.d: key for _, key in suspects}
    signatures = _signatures(pool, keys) if keys else []
    if not signatures:
        return found
    pieces = list(dict.fromkeys(tweaks.pieces(pool)))[:MOST_READ]
    numbers = list(tweaks.numbers(pool, [one for one, _ in suspects]))[:MOST_READ]
    rest = dict.fromkeys((*numbers, *(int.from_bytes(raw) for raw in pieces)))
    beside = _beside(pool, [d for d, *_ in signatures])
    left, closed = MOST_CHECKS, set[int]()
    for index, (d, r, difference) in enumerate(signatures):
        if d in closed:
            continue
        if _hashed(pool, r, difference, list(beside[d])):
            closed.add(d)
            continue
        likely = beside[d] | rest
        share = left // (len(signatures) - index)
        challenges = list(itertools.islice((e for e in likely if 0 < e < _N), share))
        left -= len(challenges)
        messages = [*(number.to_bytes(_SIZE) for number in beside[d]), *pieces]
        if any(
            _recomputes(r, x, e, messages)
            for e, x in _publics(difference, challenges)
            if x in likely
        ):
            closed.add(d)
    idle = {id(one) for one, key in suspects if key.d in closed}
    return [one for one in found if id(one) not in idle]


def _signatures(pool: Pool, keys: Mapping[int, Ec]) -> list[tuple[int, bytes, Point]]:
    """List s, what stands before it as r, and e*P = s*G - R, each once."""
    found: dict[tuple[int, bytes], Point] = {}
    sites = standing(pool, ((d, d) for d in keys), (BYTES,))
    for d, _, at in itertools.islice(sites, MOST_SIGNATURES):
        start = at + (d.bit_length() + 7) // 8 - 2 * _SIZE
        r = pool.data[max(start, 0) : start + _SIZE].tobytes()
        try:
            x, y = curve_points.decode(CURVE, b"\x02" + r)
        except ValueError:
            continue
        if x != keys[d].x:
            [found[d, r]] = comb.add(_P, [((keys[d].x, keys[d].y), (x, _P - y))])
    return [(d, r, difference) for (d, r), difference in found.items()]


def _beside(pool: Pool, scalars: Sequence[int]) -> Mapping[int, dict[int, None]]:
    """Return the numbers near each s, where it stands as one: V8 lays e and P there."""
    hows, sites = whole(pool.readings), Counter[int]()
    found: dict[int, dict[int, None]] = defaultdict(dict)
    for d, _, at in standing(pool, ((d, d) for d in scalars), hows):
        sites[d] += 1
        if sites[d] <= MOST_SITES:
            for how in hows:
                found[d] |= dict.fromkeys(signed.near(pool, at, how, 8 * _SIZE, NEAR))
    return found


def _hashed(pool: Pool, r: bytes, difference: Point, beside: Sequence[int]) -> bool:
    """Tell whether a hash of r and of P and a message beside each other stands, and fits."""
    begun, rows = hashlib.sha256(_TAG + r), list[tuple[int, int]]()
    raws = [number.to_bytes(_SIZE) for number in beside[:MOST_BESIDE]]
    for index, public in enumerate(raws):
        for message in raws[max(index - APART, 0) : index + APART + 1]:
            whole_hash = begun.copy()
            whole_hash.update(public + message)
            rows.append((int.from_bytes(whole_hash.digest()) % _N, index))
    seen = standing(pool, ((e, (e, index)) for e, index in rows), whole(pool.readings))
    for (e, index), *_ in itertools.islice(seen, MOST_SITES):
        try:
            point = curve_points.decode(CURVE, b"\x02" + raws[index])
        except ValueError:
            continue
        if curve_points.shared(CURVE, e, [point]) == [difference[0]]:
            return True
    return False


def _publics(difference: Point, challenges: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield each challenge with the x of the point P of which it makes a difference."""
    inverses = comb.inverses(_N, challenges) if challenges else []
    points = comb.multiples(CURVES[CURVE], difference, inverses)
    for e, inverse, point in zip(challenges, inverses, points, strict=True):
        yield e, point[0] if point else curve_points.shared(CURVE, inverse, [difference])[0]


def _recomputes(r: bytes, x: int, e: int, messages: Sequence[bytes]) -> bool:
    """Tell whether a challenge is the hash of r, P and a message that stands."""
    begun = hashlib.sha256(_TAG + r + x.to_bytes(_SIZE, "big"))
    for message in messages:
        whole = begun.copy()
        whole.update(message)
        if int.from_bytes(whole.digest()) % _N == e:
            return True
    return False
