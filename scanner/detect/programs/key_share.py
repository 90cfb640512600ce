"""Points that a handshake sent for itself: their private keys are of one session.

A key share in a hello of TLS 1.3 (RFC 8446 section 4.2.8), and what either side sends of ECDHE in
TLS 1.2 (RFC 8422 sections 5.4, 5.7), or a Key Exchange payload of IKEv2 (RFC 7296 section 3.4, RFC
5903 section 7). They are no findings: they say of a private key that is found what it was made for.
What lies around a point is read to the start of the extension, message or payload, so that its type
and all lengths between fit. This module refuses what is no point of the curve, and what SSH sends
(RFC 5656 section 4): a byte and a length are too little.
"""

from collections.abc import Iterator

from scanner.detect.algebra import publics
from scanner.detect.algebra.publics import KEY_SHARE, PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.evidence import on_curve
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

GROUPS = {0x17: "P-256", 0x18: "P-384", 0x19: "P-521", 0x11EB: "P-256", 0x11ED: "P-384"}
"""RFC 8446 section 4.2.7; with ML-KEM behind the point, draft-ietf-tls-ecdhe-mlkem."""

FURTHEST = 2560
"""Bytes before an entry in which its extension begins: one of X25519MLKEM768 has 1,220."""

MOST_STARTS, MOST_ENTRIES = 32, 16
"""Where the extension may begin, and key shares before that one. Nobody sends more than a few."""

_EXTENSION, _EXCHANGED = b"\x00\x33", b"\x0c"
"""key_share; server_key_exchange."""

_NAMED_CURVE, _SENT = 3, 16
"""ECCurveType; client_key_exchange."""

_POINTS = {2 * FIELD_BYTES[curve] + 1: curve for curve in ("P-256", "P-384", "P-521")}

_PAYLOADS = frozenset((0, *range(33, 55)))
"""Types of the payload behind one of IKEv2: none, or those of RFC 7296 section 3.2 and later."""

_IKE = {0x13: "P-256", 0x14: "P-384", 0x15: "P-521"}
_IKE_HEAD = 8
"""Type of the next payload, flags, length, group, two reserved bytes; the point has no byte before
x and y (RFC 5903 section 7)."""

_SIGNED = 2048
"""Bytes at most of a signature behind a server's point."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[PublicKey]:
    """Yield the point whose entry, parameters or message begins at ``offset``."""
    del rule
    head = memory.clip(space, offset, _IKE_HEAD - 1)
    if len(head) < _IKE_HEAD - 1:
        return
    lead = 1
    if head[:2] == b"\0\0":  # flags, and the length's first byte
        curve, at, lead = _IKE.get(head[4], ""), _IKE_HEAD - 1, 0
        length = _IKE_HEAD + 2 * FIELD_BYTES.get(curve, 0)
        fits = head[2:] == bytes((length, 0, head[4], 0, 0))
        fits = fits and not _PAYLOADS.isdisjoint(_before(memory, space, offset, 1))
    elif head[0] == _NAMED_CURVE:
        curve, at = GROUPS.get(head[2], ""), 4
        fits = _exchanged(_before(memory, space, offset, 4), at + head[3])
    elif head[0] == _SENT:
        curve, at = _POINTS.get(head[4], ""), 5
        fits = head[3] == head[4] + 1
    else:
        curve, at = GROUPS.get(int.from_bytes(head[:2], "big"), ""), 4
        share = at + int.from_bytes(head[2:4], "big")
        fits = any(_shared(_before(memory, space, offset, far), share) for far in (4, FURTHEST))
    size = FIELD_BYTES.get(curve, 0)
    point = memory.clip(space, offset + at, lead + 2 * size)
    if not fits or not curve or len(point) < lead + 2 * size or point[:lead] != b"\4"[:lead]:
        return
    x, y = (int.from_bytes(part, "big") for part in (point[lead:-size], point[-size:]))
    if on_curve(curve, x, y):
        place = Place(space=space, offset=offset + at, size=len(point))
        yield publics.ec(curve, x, y, kind=KEY_SHARE, place=place)


def _before(memory: Memory, space: int, offset: int, size: int) -> bytes:
    return memory.clip(space, max(0, offset - size), min(offset, size))


def _shared(before: bytes, size: int) -> bool:
    """Tell whether a server's key_share ends before an entry, or a client's leads to it."""
    if before[-4:] == _EXTENSION + size.to_bytes(2, "big"):
        return True
    start = end = len(before)
    for _ in range(MOST_STARTS):
        start = before.rfind(_EXTENSION, 0, start)
        if start < 0:
            break
        at = start + 6
        length, listed = (int.from_bytes(before[at - n : at - n + 2], "big") for n in (4, 2))
        if length == listed + 2 and end + size <= at + listed:
            for _ in range(MOST_ENTRIES):
                if at >= end:
                    break
                at += 4 + int.from_bytes(before[at + 2 : at + 4], "big")
            if at == end:
                return True
    return False


def _exchanged(header: bytes, size: int) -> bool:
    """Tell whether a message's header has room for a server's parameters and a signature."""
    length = int.from_bytes(header[1:], "big")
    return header[:1] == _EXCHANGED and size <= length <= size + _SIGNED
