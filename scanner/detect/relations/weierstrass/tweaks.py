"""Which scalars anybody computes from public numbers: no keys. Tweaks of BIP 32 and BIP 341.

Who watches a wallet derives its addresses from an extended public key: the child of (K, c) with an
index i is K + t*G, and t the first half of HMAC-SHA512(c, K || i) (BIP 32, public derivation). An
output of Taproot is P + t*G, and t the tagged hash of P's x and perhaps a root (BIP 341). A private
number and its public half, to the eye, of each address. It is none where the hash recomputes from
what stands in the dump. Seen in @scure/bip32, ethers, bitcoinjs-lib with @bitcoinerlab/secp256k1
and bitcore on Node.js. Of a hardened child the hash takes the parent's private key, and recomputes
from nothing public. This module refuses to close what a public key names, and in doubt a scalar is
a key.
"""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import curve_points
from scanner.detect.algebra.curve_points import Point
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import readings
from scanner.detect.integers.pool import SLACK, Pool
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb, points, signed
from scanner.detect.relations.weierstrass.curves import CURVES

CURVE = "secp256k1"

MOST_SUSPECTS = 512
"""Scalars of a section that are looked at, the first."""

MOST_READ = 1 << 16
"""Numbers that are tried as a coordinate in each spelling, and as a chain code: 1 us each."""

MOST_PARENTS, MOST_SUMS = 2_000, 1 << 18
"""Points that are tried as a parent, and sums of one and a scalar's point: 30 us and 2 us each."""

MOST_HASHES = 1 << 22
"""Hashes of BIP 32, at 1.3 us: more than a parent asks for whose chain code is looked for."""

MOST_CODES, MOST_BEFORE, MOST_INDEXES = 1 << 13, 1 << 12, 64
"""Numbers that are likely a chain code, those before a point among them, and indexes of children
that are tried with each."""

MOST_HEADS, FEWER_INDEXES = 1 << 17, 4
"""Runs that begin with another one, and indexes with each."""

MOST_CHILDREN = 1_024
"""Indexes that are tried once a parent is known with its chain code."""

_TAG = hashlib.sha256(b"TapTweak").digest() * 2
_CODE, _SIZE = 32, CURVES[CURVE].size
_P = CURVES[CURVE].p
_BLOCK = 128
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))

_Keys = Mapping[int, Ec]
"""What may be no keys, by their scalars."""


class _Node:
    """An extended public key, of which the children are known."""

    def __init__(self, point: Point, code: bytes) -> None:
        """Begin both hashes of HMAC (RFC 2104 2), which all children share."""
        self.point = point
        self._inner = hashlib.sha512(code.translate(_INNER) + _INNER[:1] * (_BLOCK - len(code)))
        self._outer = hashlib.sha512(code.translate(_OUTER) + _OUTER[:1] * (_BLOCK - len(code)))
        self._inner.update(_compressed(point))

    def child(self, index: int) -> tuple[int, bytes]:
        """Return the tweak of a child, and its chain code."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(index.to_bytes(4, "big"))
        outer.update(inner.digest())
        raw = outer.digest()
        return int.from_bytes(raw[:_SIZE], "big"), raw[_SIZE:]


def without(pool: Pool, found: list[Related], publics: Sequence[PublicKey]) -> list[Related]:
    """Return what was found but for what anybody computes from public numbers that stand."""
    suspects = unnamed(found, publics)
    if not suspects:
        return found
    keys = {key.d: key for _, key in suspects}
    marks = _marks(pool)
    rows = [_piece(pool, at, 2 * _SIZE) for at in [*marks.tolist(), *_spots(pool).tolist()]]
    spelled = list(numbers(pool, [one for one, _ in suspects]))
    closed = set(_of_outputs(keys, rows, spelled))
    rest = {d: key for d, key in keys.items() if d not in closed}
    if rest:
        read = [int.from_bytes(raw[:_SIZE], "big") for raw in rows]
        codes = [_piece(pool, at, _CODE) for at in _coded(pool, marks).tolist()]
        stand, parents = {*spelled, *read}, [*read[: len(marks)], *spelled]
        closed.update(_of_children(rest, stand, parents, list(dict.fromkeys(codes))))
    idle = {id(one) for one, key in suspects if key.d in closed}
    return [one for one in found if id(one) not in idle]


# --- what stands there --------------------------------------------------------------------------


def _spots(pool: Pool) -> Offsets:
    """Return where 32 bytes may begin: with a run, or so that they end with it, and their like."""
    head, tail = pool.head[pool.head >= 0], pool.tail[pool.tail >= 0]
    return _within(pool, np.concatenate((head, tail - _SIZE, tail - 2 * _SIZE)))[:MOST_READ]


def _marks(pool: Pool) -> Offsets:
    """Return where the x of compressed points may begin: near a run's edge, behind their kind.

    Those in runs of their own come first.
    """
    heads, tails = pool.head[pool.head >= 0], pool.tail[pool.tail >= 0] - _SIZE
    found = np.concatenate([_marked(pool, edges) for edges in (_alone(pool), heads, tails)])
    return found[:MOST_READ]


def _marked(pool: Pool, edges: Offsets) -> Offsets:
    """Return the positions near edges that are behind the kind of a compressed point."""
    found = (edges[:, None] + np.arange(-SLACK, SLACK + 1)).ravel()
    found = found[(found > 0) & (found <= len(pool.data))]
    return _within(pool, found[np.isin(pool.data[found - 1], points.COMPRESSED)])


def _coded(pool: Pool, marks: Offsets) -> Offsets:
    """Return where chain codes may stand: in runs of their own, behind a tweak, before a point.

    And where other runs begin, behind these. Seen in V8, where a random word stood behind one.
    """
    second, before = _alone(pool, _SIZE + _CODE) + _SIZE, _within(pool, marks - 1 - _CODE)
    own = _within(pool, np.concatenate((_alone(pool, _CODE), second)))
    own = own[: MOST_CODES - len(before[:MOST_BEFORE])]
    likely = np.concatenate((own, before))[:MOST_CODES]
    return np.concatenate((likely, pool.head[pool.head >= 0][:MOST_HEADS]))


def _alone(pool: Pool, size: int = _SIZE) -> Offsets:
    """Return where runs begin that have so many bytes, or hardly more or fewer."""
    whole = (pool.head >= 0) & (pool.tail >= 0)
    found: Offsets = pool.head[whole & (np.abs(pool.tail - pool.head - size) <= SLACK)]
    return found


def _within(pool: Pool, found: Offsets) -> Offsets:
    return np.unique(found[(found > 0) & (found + _SIZE <= len(pool.data))])


def unnamed(
    found: Iterable[Related], publics: Iterable[PublicKey], curve: str = CURVE
) -> list[tuple[Related, Ec]]:
    """Return the first of what is a key on the curve that no public key names."""
    named = {(key.curve, key.x) for key in publics if key.independent}
    return [
        (one, one.key)
        for one in found
        if isinstance(one.key, Ec) and one.key.curve == curve and (curve, one.key.x) not in named
    ][:MOST_SUSPECTS]


def _piece(pool: Pool, at: int, size: int) -> bytes:
    return pool.data[at : at + size].tobytes()


def pieces(pool: Pool) -> list[bytes]:
    """Return the 32 bytes that begin or end runs, those in runs of their own first."""
    found = np.concatenate((_within(pool, _alone(pool)), _spots(pool)))
    return [_piece(pool, at, _SIZE) for at in found.tolist()]


def numbers(pool: Pool, suspects: Sequence[Related]) -> Iterator[int]:
    """Yield the integers of CPython, and numbers that are spelled as the scalars are, each once."""
    hows = dict.fromkeys((readings.python(pool.readings),))
    hows |= dict.fromkeys(how for one in suspects for how in signed.spellings(pool, one))
    read = (number for how in hows for number in signed.decoded(pool, how, 8 * _SIZE))
    yield from dict.fromkeys(number for number in read if signed.large(number, _P))


# --- BIP 341 ------------------------------------------------------------------------------------


def _of_outputs(keys: _Keys, pieces: Iterable[bytes], numbers: Iterable[int]) -> Iterator[int]:
    """Yield which scalars are a hash of an x that stands, or of that and the root behind it."""
    begun = hashlib.sha256(_TAG)
    spelled = (number.to_bytes(_SIZE, "big") for number in numbers)
    for raw in itertools.chain(*((raw[:_SIZE], raw) for raw in pieces), spelled):
        whole = begun.copy()
        whole.update(raw)
        if (tweak := int.from_bytes(whole.digest(), "big")) in keys:
            yield tweak


# --- BIP 32 -------------------------------------------------------------------------------------


def _of_children(
    keys: _Keys, stand: Collection[int], parents: Iterable[int], codes: Sequence[bytes]
) -> Iterator[int]:
    """Yield which scalars are tweaks of children whose parents and chain codes stand.

    A child stands as well, as a rule: that is how its parent is told from the other points, and
    whose chain code is then looked for. With both, the tweaks of other children are known.
    """
    left, closed = MOST_HASHES, set[int]()
    for parent, tweaks in _families(keys, stand, parents).items():
        own = set(tweaks) - closed
        if not own or left <= 0:
            continue
        node, hashed = _node(parent, own, codes)
        left -= hashed
        nodes = [node] if node else []
        while nodes and left > 0:
            node = nodes.pop()
            left -= MOST_CHILDREN
            for tweak, code in map(node.child, range(MOST_CHILDREN)):
                key = keys.get(tweak)
                if key is not None and tweak not in closed:
                    closed.add(tweak)
                    if key.x != node.point[0]:
                        [child] = comb.add(_P, [((key.x, key.y), node.point)])
                        nodes.append(_Node(child, code))
    yield from closed


def _families(
    keys: _Keys, stand: Collection[int], parents: Iterable[int]
) -> Mapping[Point, list[int]]:
    """Return to which points that stand a scalar's point is added to give another that does.

    Those with the most such children come first.
    """
    found = defaultdict[Point, list[int]](list)
    read = (point for x in dict.fromkeys(parents) for point in _lifted(x))
    for x, y in itertools.islice(read, min(MOST_PARENTS, MOST_SUMS // len(keys))):
        rows = [key for key in keys.values() if key.x != x]
        sums = comb.add(_P, [((key.x, key.y), (x, y)) for key in rows])
        for key, (child, _) in zip(rows, sums, strict=True):
            if child in stand:
                found[x, y].append(key.d)
    return dict(sorted(found.items(), key=lambda row: -len(row[1])))


def _node(parent: Point, own: Collection[int], codes: Sequence[bytes]) -> tuple[_Node | None, int]:
    """Return the extended key of a parent, by the chain code that makes one of its tweaks.

    And how many hashes that took. The likeliest codes are first, and more indexes are tried.
    """
    hashed = 0
    for row, code in enumerate(codes):
        node, count = _Node(parent, code), MOST_INDEXES if row < MOST_CODES else FEWER_INDEXES
        hashed += count
        if any(node.child(index)[0] in own for index in range(count)):
            return node, hashed
    return None, hashed


def _lifted(x: int) -> tuple[Point, ...]:
    """Return both points that have a number as their x: half of all numbers are none."""
    try:
        x, y = curve_points.decode(CURVE, b"\x02" + x.to_bytes(_SIZE, "big"))
    except ValueError:
        return ()
    return (x, y), (x, _P - y)


def _compressed(point: Point) -> bytes:
    x, y = point
    return bytes((points.COMPRESSED[y & 1],)) + x.to_bytes(_SIZE, "big")
