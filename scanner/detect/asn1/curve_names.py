"""Which curve a key is on: by its object identifier, its description, or the size of a scalar.

EcpkParameters (RFC 3279 section 2.3.5) name a curve or describe it. What is described is believed
to be the curve whose generator it has; nothing else is compared, for a key on it must prove itself.
"""

import functools

from scanner.detect.algebra.curve_points import CURVES, GROUPS, derive
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Memory, Reader
from scanner.fingerprint import CURVE_OIDS, FIELD_BYTES

USUAL_CURVE = {
    24: "P-192",
    28: "P-224",
    32: "P-256",
    40: "brainpoolP320r1",
    48: "P-384",
    64: "brainpoolP512r1",
    66: "P-521",
}
"""The curve that is meant where a scalar of so many bytes stands without its name."""

BY_OID = {oid: curve for curve, oid in CURVE_OIDS.items()}

_VERSIONS = (1, 2, 3)
"""Versions of ECParameters (RFC 3279, SEC 1 C.2)."""

_COMPRESSED = (b"\x02", b"\x03")


def curve_of(parameters: Reader) -> str:
    """Read EcpkParameters: return the curve that is named or described, nothing for another one.

    Raises Malformed. Bitcoin Core's wallets describe it in each key, OpenSSL where it is asked to.
    """
    if parameters.peek() == der.OID:
        return BY_OID.get(parameters.content(der.OID), "")
    described = parameters.enter()
    version = described.integer()
    described.enter()  # the field
    described.enter()  # the coefficients
    base = described.content(der.OCTET_STRING)
    described.integers(2)  # order and cofactor
    if described.peek() != -1:
        described.skip()  # a digest's identifier
    described.finish()
    size = (len(base) - 1) // (1 if base[:1] in _COMPRESSED else 2)
    return _generators().get(base[1 : 1 + size], "") if version in _VERSIONS else ""


def curve_before(memory: Memory, space: int, offset: int) -> str:
    """Return the curve whose identifier stands before an OCTET STRING that holds ``offset``.

    A bare ECPrivateKey inside of a PKCS#8 object whose own header is gone is named by it.
    """
    lead = min(offset, 16)
    before = memory.clip(space, offset - lead, lead)
    for header in (2, 3):
        if len(before) == lead and before[-header : lead - header + 1] == b"\x04":
            for oid, curve in BY_OID.items():
                if before[:-header].endswith(bytes((der.OID, len(oid))) + oid):
                    return curve
    return ""


@functools.cache
def _generators() -> dict[bytes, str]:
    """Return the curves by the x of their generators: no two here share one."""
    return {
        derive(name, 1)[0].to_bytes(FIELD_BYTES[name], "big"): name for name in (*CURVES, *GROUPS)
    }
