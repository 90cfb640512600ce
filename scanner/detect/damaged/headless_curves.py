"""ECPrivateKey and OneAsymmetricKey from the inside: a scalar or seed, and the point behind it.

An allocator took the head, or somebody wiped the end: a scalar between its header and that of a
point which is gone is a structure without proof (RFC 5915 section 3, RFC 8410 section 10.3). It
leaves whole objects to ``keys``.
"""

from scanner.detect.asn1 import der
from scanner.detect.asn1.curve_names import USUAL_CURVE
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Parsed, Proved, candidate, parse_private
from scanner.detect.evidence import ec_derived, ec_scalar, okp_seed, on_curve, proved
from scanner.fingerprint import CURVE_OIDS, FIELD_BYTES
from scanner.model import Confidence, Place
from scanner.rules import Rule

_CURVE_OIDS = {bytes((der.OID, len(oid))) + oid: curve for curve, oid in CURVE_OIDS.items()}
_PARAMETERS = {bytes((0xA0, len(oid))) + oid: curve for oid, curve in _CURVE_OIDS.items()}
POINT = {
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

_SCALAR = 256
"""Bytes of the longest scalar, its parameters and its point."""

_LOST = 3
"""Leading zero bytes of a scalar that old encoders dropped at most."""

SEED_TAILS = (b"\x81\x21\x00", b"\xa1\x23\x03\x21\x00")
"""What stands between seed and public key of a OneAsymmetricKey (RFC 8410 section 10.3)."""

_SEED = 32
_DISTINCT = 12
_DISTINCT_ALONE = {28: 19, 32: 22, 48: 33, 64: 43, 66: 44}
"""Different bytes of a scalar that nothing proves, by its size: random ones miss that once in a
million. Of a freed one an allocator hands out a part, in which pointers and counts stand then."""


def examine(memory: Memory, space: int, offset: int, rule: Rule, head: bytes) -> Proved | None:
    """Read ECPrivateKey (RFC 5915 section 3) back from its public key, or from its scalar on."""
    for mark, size in POINT.items():
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
    for mark, size in POINT.items():
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


def examine_seed(memory: Memory, space: int, offset: int, rule: Rule, head: bytes) -> Proved | None:
    """Prove the seed of a OneAsymmetricKey by the public key behind it (RFC 8410)."""
    if not head.startswith(SEED_TAILS) and not head.startswith(SEED_TAILS, _SEED):
        return None
    lead = min(offset, _SEED)
    data = memory.clip(space, offset - lead, lead + 2 * _SEED + 5)
    for at in (lead - _SEED, lead):
        tail = next((t for t in SEED_TAILS if at >= 0 and data.startswith(t, at + _SEED)), b"")
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
