"""Keys in PKCS#8 and SEC1 of algorithms and curves that nothing here computes with.

GOST R 34.10, binary and rarer prime curves, Diffie-Hellman of X9.42, hybrids of a draft: what
says that it is a private key, and parses strictly, is one, whatever its algorithm. It has no proof,
and the name of a public half only where that stands beside it. What is of an algorithm that is
known, and whose numbers do not agree, is for ``keys`` to refuse.
"""

from scanner import fingerprint
from scanner.detect.algebra.material import Foreign
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Reader

_ALGORITHMS = {
    "2a8648ce3e0201": "dh",  # X9.42
    "2a8503020213": "gost2001",
    "2a85030701010101": "gost2012-256",
    "2a85030701010102": "gost2012-512",
}
"""What identifiers mean: dhpublicnumber (RFC 3279), RFC 4491, RFC 9215; content bytes in hex."""

_CURVES = {
    "2a8648ce3d030101": "P-192",
    "2b81040008": "secp160r1",
    "2b81040009": "secp160k1",
    "2b8104001e": "secp160r2",
    "2b8104001f": "secp192k1",
    "2b81040020": "secp224k1",
    "2b2403030208010103": "brainpoolP192r1",
    "2b2403030208010105": "brainpoolP224r1",
    "2b2403030208010108": "brainpoolP256t1",
    "2b2403030208010109": "brainpoolP320r1",
    "2b240303020801010c": "brainpoolP384t1",
    "2b240303020801010e": "brainpoolP512t1",
}
"""Names of the more usual curves (GB/T 32918.5, SEC 2, RFC 5639)."""

_SHORTEST, _LONGEST_SCALAR = 12, 80
"""Bytes of what is private, at least, and of a scalar, at most."""

_DISTINCT, _LONGEST_NAME = 8, 20


def pkcs8(algorithm: bytes, inner: bytes) -> Foreign:
    """Return the key of an algorithm that is not known. Raises Malformed."""
    _random(inner)
    return Foreign(algorithm=_ALGORITHMS.get(algorithm.hex()) or dotted(algorithm), inner=inner)


def ec(parameters: bytes, scalar: bytes, point: bytes | None) -> Foreign:
    """Return a scalar on a curve that is not known, by EcpkParameters. Raises Malformed.

    It is named by the point beside it.
    """
    if len(scalar) > _LONGEST_SCALAR:
        raise Malformed
    _random(scalar)
    named = Reader(parameters)
    curve = ""
    if named.peek() == der.OID:
        oid = named.content(der.OID)
        curve = _CURVES.get(oid.hex()) or dotted(oid)
    spki = fingerprint.described_spki(parameters, point) if point else b""
    return Foreign(algorithm="ec", curve=curve, inner=scalar, spki=spki)


def _random(raw: bytes) -> None:
    if len(raw) < _SHORTEST or len(set(raw)) < _DISTINCT:
        raise Malformed


def dotted(oid: bytes) -> str:
    """Write the content bytes of an object identifier in dots (X.690 8.19). Raises Malformed."""
    arcs, value = [], 0
    for byte in oid:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    if not arcs or oid[-1] & 0x80 or len(oid) > _LONGEST_NAME:
        raise Malformed
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
