"""Which scalars are the s of a Schnorr signature of which the hashed text stands: no keys.

Before BIP 340 such signatures were made with other hashes: e of R's x, P and a message of 32 bytes
in Bitcoin Cash (its upgrade of May 2019), of R, P and any message in Zilliqa, both points being
compressed, and R = s*G - e*P or s*G + e*P. Programs put the parts behind each other to hash them.
Who checks one with numbers in affine form leaves s*G there: a private number and its public half,
to the eye. It is none where the hash of such a text fits. Whoever knows P and a key's public half
alone can make R and e that fit, but no hash. Seen in bitcore-lib-cash and @zilliqa-js/crypto for
Node.js. This module refuses texts that go through a hash piece by piece, and to close what a public
key names; in doubt a scalar is a key.
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from scanner.detect.algebra import curve_points
from scanner.detect.algebra.curve_points import Point
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import BYTES, Reading, whole
from scanner.detect.integers.spots import spots
from scanner.detect.relations.places.standing import standing
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb, signed, tweaks
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.detect.relations.weierstrass.tweaks import CURVE

MOST_SIGNATURES, MOST_SITES = 32, 8
"""Signatures of a section that are looked at, the first, and places of what begins one."""

MOST_TEXTS = 2_000
"""Two points behind each other that may begin a text, the first: 50 us, and one in four 0.5 ms."""

MOST_STANDING = 1_000
"""Places of their hashes, each of which P is multiplied with: 0.1 ms."""

LONGEST = 512
"""Bytes of the longest message, where nothing says how long it is."""

_MESSAGE = 32
_SIZE, _P, _N = CURVES[CURVE].size, CURVES[CURVE].p, CURVES[CURVE].n
_HEAD = 1 + _SIZE
"""Bytes of a compressed point."""

_Texts = Iterable[tuple[int, Point, int]]
"""R's x, P, and the hash of a text."""


def without(pool: Pool, found: list[Related], publics: Sequence[PublicKey]) -> list[Related]:
    """Return what was found but for what ends a signature whose hashed text stands."""
    suspects = tweaks.unnamed(found, publics)
    keys = {key.d: key for _, key in suspects}
    closed = set[int]()
    if keys:
        hows = [how for one, _ in suspects for how in signed.spellings(pool, one)]
        for search in (_of_cash(pool, keys), _of_points(pool, list(dict.fromkeys(hows)))):
            for x, public, e in search:
                closed.update(_ends(keys, x, public, e))
    idle = {id(one) for one, key in suspects if key.d in closed}
    return [one for one in found if id(one) not in idle]


def _of_cash(pool: Pool, scalars: Iterable[int]) -> _Texts:
    """Yield the texts that begin with what stands before a scalar, as a signature's R.x does."""
    rows = dict.fromkeys(
        pool.data[max(start, 0) : start + _SIZE].tobytes()
        for d, _, at in itertools.islice(
            standing(pool, ((d, d) for d in scalars), (BYTES,)), MOST_SIGNATURES
        )
        for start in (at + (d.bit_length() + 7) // 8 - 2 * _SIZE,)
    )
    numbers = ((int.from_bytes(raw), raw) for raw in rows)
    for raw, _, at in itertools.islice(
        standing(pool, numbers, (BYTES,)), MOST_SIGNATURES * MOST_SITES
    ):
        start = at + (int.from_bytes(raw).bit_length() + 7) // 8
        behind = pool.beyond(start, _HEAD + _MESSAGE)
        if len(behind) == _HEAD + _MESSAGE and (point := _decoded(behind[:_HEAD])):
            yield int.from_bytes(raw), point, _hash(raw + behind)


def _of_points(pool: Pool, hows: Sequence[Reading]) -> _Texts:
    """Yield the texts that begin with two compressed points, and of which the hash stands."""
    rows = ((text[2], text) for text in _hashed(pool))
    seen = standing(pool, rows, [*hows, *whole(pool.readings)])
    yield from dict.fromkeys(text for text, *_ in itertools.islice(seen, MOST_STANDING))


def _hashed(pool: Pool) -> _Texts:
    """Yield what begins with two compressed points, with a message of each length."""
    data = pool.data
    first = spots(len(data) - 2 * _HEAD, lambda at, end: data[at:end] - 2 < 2)
    for at in first[data[first + _HEAD] - 2 < 2][:MOST_TEXTS].tolist():
        raw = pool.beyond(at, 2 * _HEAD + LONGEST)
        r, public = _decoded(raw[:_HEAD]), _decoded(raw[_HEAD : 2 * _HEAD])
        if r and public:
            begun = hashlib.sha256(raw[: 2 * _HEAD])
            for byte in range(2 * _HEAD, len(raw)):
                begun.update(raw[byte : byte + 1])
                yield r[0], public, int.from_bytes(begun.digest()) % _N


def _hash(raw: bytes) -> int:
    return int.from_bytes(hashlib.sha256(raw).digest()) % _N


def _decoded(raw: bytes) -> Point | None:
    try:
        return curve_points.decode(CURVE, raw)
    except ValueError:
        return None


def _ends(keys: Mapping[int, Ec], x: int, public: Point, e: int) -> Iterator[int]:
    """Yield each s with which s*G - e*P or s*G + e*P has the x of R: e*P is s*G - R, or R - s*G."""
    point = _decoded(b"\2" + x.to_bytes(_SIZE)) if e else None
    if point:
        [share] = curve_points.shared(CURVE, e, [public])
        others = [key for key in keys.values() if key.x != x]
        for y in (point[1], _P - point[1]):
            sums = comb.add(_P, [((key.x, key.y), (x, y)) for key in others]) if others else []
            yield from (key.d for key, one in zip(others, sums, strict=True) if one[0] == share)
