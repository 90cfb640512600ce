"""Private keys whose DER has lost its head: RSAPrivateKey and ECPrivateKey from the inside.

An allocator writes its list links over the first 16 to 32 bytes of a freed block, and a smaller
block that is cut from its front takes more: header, modulus and exponent go first, while the
numbers behind stand whole. Others wipe the end: a scalar between its header and that of a point
which is gone is a structure without proof. This module starts at any INTEGER of the size that keys
have, walks over its neighbours in both directions as strictly as the reader of whole objects, and
accepts what the numbers prove of each other (RFC 8017 section 3.2). It leaves whole objects to
``keys``, DSA to ``headless_dsa``, and what begins inside of the algorithm's name to
``headless_identifier``.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.detect.asn1 import der
from scanner.detect.asn1.curve_names import USUAL_CURVE
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Parsed, Proved, candidate, parse_private
from scanner.detect.damaged import headless_dsa, headless_identifier
from scanner.detect.evidence import ec_derived, ec_scalar, okp_seed, on_curve, proved
from scanner.detect.factors import Claim, claim
from scanner.fingerprint import CURVE_OIDS, FIELD_BYTES
from scanner.model import Confidence, Place
from scanner.rules import Anchor, Rule

REACH = 8 * 1024
"""Bytes before and behind an anchor that are looked at: the numbers of an 8192-bit key."""

LARGEST = 2053
"""Bytes of the largest INTEGER of a key, header included."""

MOST = 18
"""INTEGERs of a chain: twice those of an RSAPrivateKey."""

_HEAD = 640
"""Bytes that are read first: a number of 4096 bits and what follows it. Most hits end there."""

_ATTEMPTS = 128
_MARKS = ((b"\x02\x82", LARGEST), (b"\x02\x81", 258), (b"\x02", 129))
"""How an INTEGER may begin that ends somewhere, the longest header first, and how far before."""

_CURVE_OIDS = {bytes((der.OID, len(oid))) + oid: curve for curve, oid in CURVE_OIDS.items()}
_PARAMETERS = {bytes((0xA0, len(oid))) + oid: curve for oid, curve in _CURVE_OIDS.items()}
_POINT = {
    bytes.fromhex(head): size
    for head, size in (
        ("a13c033a0004", 28),
        ("a14403420004", 32),
        ("a16403620004", 48),
        ("a1818503818200" + "04", 64),
        ("a1818903818600" + "04", 66),
    )
}
"""How the public key of an ECPrivateKey begins, and the bytes of its coordinates."""

_IDENTIFIER = 24
"""Bytes before an ECPrivateKey's version in which PKCS#8 names its curve (RFC 5208 section 5)."""

_NEAR = 96
"""Bytes between the beginning of a scalar and the end of the header of its point."""

_SCALAR = 256
"""Bytes of the longest scalar, its parameters and its point."""

_LOST = 3
"""Leading zero bytes of a scalar that old encoders dropped at most."""

_SEED_TAILS = (b"\x81\x21\x00", b"\xa1\x23\x03\x21\x00")
"""What stands between seed and public key of a OneAsymmetricKey (RFC 8410 section 10.3)."""

_SEED = 32
_DISTINCT = 12
_DISTINCT_ALONE = {28: 19, 32: 22, 48: 33, 64: 43, 66: 44}
"""Different bytes of a scalar that nothing proves, by its size: random ones miss that once in a
million. Of a freed one an allocator hands out a part, in which pointers and counts stand then."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Chain:
    """INTEGERs that stand one behind the other in ``data``: where each begins, and the last ends.

    ``data[0]`` stands at ``first`` in its space.
    """

    data: bytes
    first: int
    starts: list[int]
    end: int

    def values(self) -> list[int]:
        ends = [*self.starts[1:], self.end]
        return [
            int.from_bytes(self.data[_content(self.data, start) : end], "big")
            for start, end in zip(self.starts, ends, strict=True)
        ]


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key of which a number, or the public key, begins at ``offset``.

    Each key is yielded at the first of its numbers that is an anchor of the rule, and where its
    own place begins.
    """
    yield from filter(None, [_examine(memory, space, offset, rule, first=True)])


def prove_at(memory: Memory, space: int, offset: int, rule: Rule) -> Proved | None:
    """Return the key of which any number, or the public key, begins at ``offset``."""
    return _examine(memory, space, offset, rule, first=False)


def plausible(data: bytes, at: int) -> bool:
    """Tell cheaply whether an INTEGER before another begins at ``at``, or what a point follows."""
    end = _end(data, at)
    if end is not None:
        return data[end : end + 1] == b"\x02"
    near = data[at : at + _NEAR]
    return any(mark in near for mark in (*_POINT, *_SEED_TAILS))


def _examine(memory: Memory, space: int, offset: int, rule: Rule, *, first: bool) -> Proved | None:
    head = memory.clip(space, offset, _HEAD)
    return (
        _rsa(memory, space, offset, rule, head, only_first=first)
        or headless_dsa.examine(memory, space, offset, rule, head)
        or _ec(memory, space, offset, rule, head)
        or _seed(memory, space, offset, rule, head)
        or headless_identifier.examine(memory, space, offset, rule, head)
    )


# --- RSA ----------------------------------------------------------------------------------------


def _rsa(
    memory: Memory, space: int, offset: int, rule: Rule, head: bytes, *, only_first: bool
) -> Proved | None:
    if head[:1] != b"\x02" or len(head) < 4 or _public(memory, space, offset, head):
        return None
    first = max(offset - REACH, 0)
    data = memory.clip(space, first, offset + REACH - first)
    chain = _chain(data, first, offset - first)
    if chain is None or (only_first and not _mine(chain, offset - first, rule)):
        return None
    found = claim(chain.values())
    if found is None or _whole(memory, space, chain):
        return None
    return _proved(found, chain, space, rule)


def _public(memory: Memory, space: int, offset: int, head: bytes) -> bool:
    """Tell whether a short INTEGER follows and then none: n and e, as certificates have them."""
    count = head[1] - 0x80
    size = head[1] if count < 0 else int.from_bytes(head[2 : 2 + count], "big")
    end = 2 + max(count, 0) + size
    behind = head[end : end + 8]
    if len(behind) < 8 <= len(head) and count <= 2:
        behind = memory.clip(space, offset + end, 8)
    if len(behind) < 8 or count > 2 or behind[0] != der.INTEGER or not 1 <= behind[1] <= 5:
        return False
    return behind[2 + behind[1]] != der.INTEGER


def _proved(found: Claim, chain: _Chain, space: int, rule: Rule) -> Proved:
    start = chain.starts[0]
    place = Place(space=space, offset=chain.first + start, size=chain.end - start)
    return proved(found.key, rule, "PKCS1-DER (damaged)", (place,), proof=found.proof)


def _chain(data: bytes, first: int, at: int) -> _Chain | None:
    """Return the chain that holds the INTEGER at ``at``; None where that stands alone."""
    starts, end = [at], _end(data, at)
    while end is not None and len(starts) < MOST:
        following = _end(data, end)
        if following is None:
            break
        starts.append(end)
        end = following
    if end is None:
        return None
    while len(starts) < 2 * MOST:
        before = _before(data, starts[0])
        if before is None:
            break
        starts.insert(0, before)
    return _Chain(data, first, starts, end) if len(starts) > 1 else None


def _content(data: bytes, start: int) -> int:
    """Return where the content of the element begins that _end has accepted."""
    return start + 2 + max(data[start + 1] - 0x80, 0)


def _end(data: bytes, start: int) -> int | None:
    """Return where the positive, minimal INTEGER ends that begins at ``start``; None if none does.

    The same judgement as ``der.Reader.integer``, without its exceptions: most of what is asked
    about is no INTEGER at all.
    """
    head = data[start : start + 6]
    if len(head) < 3 or head[0] != der.INTEGER:
        return None
    size, at = head[1], 2
    if size >= 0x80:
        count = size - 0x80
        if not 1 <= count <= 2 or len(head) < 4 + count:
            return None
        size, at = int.from_bytes(head[2 : 2 + count], "big"), 2 + count
        if size < (0x80 if count == 1 else 0x100) or size > LARGEST:
            return None
    if not size or head[at] >= 0x80:
        return None
    if size > 1 and head[at] == 0 and (len(head) < at + 2 or head[at + 1] < 0x80):
        return None
    end = start + at + size
    return end if end <= len(data) else None


def _before(data: bytes, at: int) -> int | None:
    """Return where the INTEGER begins that ends at ``at``: the longest header is the likeliest."""
    for mark, reach in _MARKS:
        low, high = max(at - reach, 0), at
        for _ in range(_ATTEMPTS):
            start = data.rfind(mark, low, high)
            if start < 0:
                break
            if _end(data, start) == at:
                return start
            high = start + len(mark) - 1
    return None


def _mine(chain: _Chain, at: int, rule: Rule) -> bool:
    """Tell whether ``at`` is where the chain begins, or the first of its anchors."""
    if at == chain.starts[0]:
        return True
    patterns = [_pattern(anchor) for anchor in rule.anchors]
    anchored = (
        start for start in chain.starts if any(p.match(chain.data, start) for p in patterns)
    )
    return next(anchored, -1) == at


@functools.cache
def _pattern(anchor: Anchor) -> re.Pattern[bytes]:
    return re.compile(anchor.expression, re.DOTALL)


def _whole(memory: Memory, space: int, chain: _Chain) -> bool:
    """Tell whether the chain is the inside of an RSAPrivateKey that ``keys`` reads."""
    for start in der.headers_before(chain.data, chain.starts[0]):
        data = der.fetch(memory, space, chain.first + start)
        if data is not None and parse_private(data) is not None:
            return True
    return False


# --- curves -------------------------------------------------------------------------------------


def _ec(memory: Memory, space: int, offset: int, rule: Rule, head: bytes) -> Proved | None:
    """Read ECPrivateKey (RFC 5915 section 3) back from its public key, or from its scalar on."""
    for mark, size in _POINT.items():
        if head.startswith(mark):
            lead = min(offset, size + 16)
            before = memory.clip(space, offset - lead, lead)
            length = _length(
                before, size, memory.clip(space, max(offset - lead - 2, 0), min(offset - lead, 2))
            )
            first = offset - length
            data = memory.clip(space, first, _SCALAR) if length else b""
            return _scalar(memory, space, first, rule, data)
    return _scalar(memory, space, offset, rule, head[:_SCALAR])


def _length(before: bytes, size: int, ahead: bytes) -> int:
    """Return the bytes of scalar and parameters at the end of ``before``; 0 where they do not fit.

    The scalar has the curve's size, or is as much shorter as the header before it says.
    """
    named = len(_parameters(before)[1])
    before = ahead + before
    for lost in range(_LOST + 1):
        start = len(before) - named - size + lost
        if before[max(start - 2, 0) : start] == bytes((der.OCTET_STRING, size - lost)):
            return size - lost + named
    return size + named if len(before) >= size + named else 0


def _parameters(before: bytes) -> tuple[str, bytes]:
    """Return the curve that is named at the end of ``before``, and the bytes that name it."""
    for tail, curve in _PARAMETERS.items():
        if before.endswith(tail):
            return curve, tail
    return "", b""


def _scalar(memory: Memory, space: int, offset: int, rule: Rule, data: bytes) -> Proved | None:
    """Prove the scalar that ``data``, the bytes at ``offset``, begins with by the point behind."""
    for mark, size in _POINT.items():
        at = data.find(mark, size - _LOST, size + 16 + len(mark))
        if at < 0:
            continue
        curve, tail = _parameters(data[:at])
        scalar = data[: at - len(tail)]
        at += len(mark)
        raw = data[at : at + 2 * size]
        lost = size - len(scalar)
        if not 0 <= lost <= _LOST:
            continue
        d, x, y = (int.from_bytes(part, "big") for part in (scalar, raw[:size], raw[size:]))
        curves = (curve,) if curve else tuple(c for c, s in FIELD_BYTES.items() if s == size)
        if len(raw) < 2 * size or not any(on_curve(c, x, y) for c in curves):
            place = Place(space=space, offset=offset, size=at)
            return _unproved(memory, place, size, lost, curve, rule)
        key = next((k for c in curves if (k := ec_scalar(c, d, x, y)) is not None), None)
        if key is not None and not _inside(memory, space, offset):
            place = Place(space=space, offset=offset, size=at + 2 * size)
            return proved(key, rule, "SEC1-DER (damaged)", (place,))
    return None


def _unproved(
    memory: Memory, place: Place, size: int, lost: int, curve: str, rule: Rule
) -> Proved | None:
    """Read a scalar whose point was wiped: its own header and the point's stand around it.

    The curve is the one named, inside or before, or the usual one of the size.
    """
    head = b"\x02\x01\x01" + bytes((der.OCTET_STRING, size - lost))
    lead = min(place.offset, len(head) + _IDENTIFIER)
    data = memory.clip(place.space, place.offset - lead, lead + size - lost)
    before, scalar = data[:lead], data[lead:]
    if not before.endswith(head) or len(set(scalar)) < _DISTINCT_ALONE[size] - lost:
        return None
    outer = (name for oid, name in _CURVE_OIDS.items() if oid in before)
    name = curve or next(outer, USUAL_CURVE.get(size, ""))
    key = ec_derived(name, int.from_bytes(scalar, "big")) if FIELD_BYTES.get(name) == size else None
    if key is None:
        return None
    parsed = Parsed(
        material=key, form="SEC1", confidence=Confidence.STRUCTURE, proof="", size=place.size
    )
    found = candidate(parsed, rule, "SEC1-DER (without its point)", (place,))
    return Proved(candidate=found, material=key)


def _inside(memory: Memory, space: int, offset: int) -> bool:
    """Tell whether the scalar at ``offset`` is that of an ECPrivateKey which ``keys`` reads."""
    lead = min(offset, 5 + der.BACK)
    before = memory.clip(space, offset - lead, lead)
    if before[-5:-1] != b"\x02\x01\x01\x04":
        return False
    for start in der.headers_before(before, lead - 5):
        data = der.fetch(memory, space, offset - lead + start)
        if data is not None and parse_private(data) is not None:
            return True
    return False


def _seed(memory: Memory, space: int, offset: int, rule: Rule, head: bytes) -> Proved | None:
    """Prove the seed of a OneAsymmetricKey by the public key behind it (RFC 8410)."""
    if not head.startswith(_SEED_TAILS) and not head.startswith(_SEED_TAILS, _SEED):
        return None
    lead = min(offset, _SEED)
    data = memory.clip(space, offset - lead, lead + 2 * _SEED + 5)
    for at in (lead - _SEED, lead):
        tail = next((t for t in _SEED_TAILS if at >= 0 and data.startswith(t, at + _SEED)), b"")
        seed, public = data[at : at + _SEED], data[at + _SEED + len(tail) :][:_SEED]
        if not tail or min(len(set(seed)), len(set(public))) < _DISTINCT or len(public) != _SEED:
            continue
        where = offset - lead + at
        for algorithm in ("ed25519", "x25519"):
            key = okp_seed(algorithm, seed, public)
            if key is None or _version_two(memory, space, where, len(tail)):
                continue
            place = Place(space=space, offset=where, size=2 * _SEED + len(tail))
            return proved(key, rule, "PKCS8-DER (damaged)", (place,))
    return None


def _version_two(memory: Memory, space: int, offset: int, tail: int) -> bool:
    """Tell whether a seed stands in a OneAsymmetricKey without attributes that ``keys`` reads."""
    head = memory.clip(space, offset - 16, 2) if offset >= 16 else b""
    if head != bytes((der.SEQUENCE, 14 + 2 * _SEED + tail)):
        return False
    data = der.fetch(memory, space, offset - 16)
    return data is not None and parse_private(data) is not None
