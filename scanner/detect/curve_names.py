"""Which curve a key is on: by its object identifier, its description, or the size of a scalar.

EcpkParameters (RFC 3279 section 2.3.5) name a curve or describe it. What is described is believed
to be the curve whose generator it has; nothing else is compared, for a key on it must prove itself.
"""

import functools

from cryptography.hazmat.primitives.asymmetric import ec

from scanner.detect import der
from scanner.detect.der import Reader
from scanner.fingerprint import CURVE_OIDS, FIELD_BYTES

CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-224": ec.SECP224R1,
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
    "brainpoolP512r1": ec.BrainpoolP512R1,
}

USUAL_CURVE = {28: "P-224", 32: "P-256", 48: "P-384", 64: "brainpoolP512r1", 66: "P-521"}
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


@functools.cache
def _generators() -> dict[bytes, str]:
    """Return the curves by the x of their generators: no two here share one."""
    found = {}
    for name, group in CURVES.items():
        base = ec.derive_private_key(1, group()).public_key().public_numbers()
        found[base.x.to_bytes(FIELD_BYTES[name], "big")] = name
    return found
