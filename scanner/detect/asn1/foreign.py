"""Keys in PKCS#8 and SEC1 of algorithms and curves that nothing here computes with.

GOST R 34.10, binary and rarer prime curves, odd groups of X9.42, hybrids of a draft: what says that
it is a private key, and parses strictly, is one, whatever its algorithm. It has no proof, and the
name of a public half only where that stands beside it. What is of an algorithm that is known, and
whose numbers do not agree, is for ``keys`` to refuse.
"""

import re

from scanner import fingerprint
from scanner.detect.algebra.material import Foreign
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Reader

_ALGORITHMS = {
    "2a8648ce3e0201": "dhx",
    "2b0e07020101": "elgamal",
    "2a8503020213": "gost2001",
    "2a85030701010101": "gost2012-256",
    "2a85030701010102": "gost2012-512",
}
"""What identifiers mean: dhpublicnumber (RFC 3279), elGamal (OIW), RFC 4491 and 9215; content bytes
in hex."""

_OF_KEYS = ("1.3.9999.", "1.3.6.1.5.5.7.6.", "1.2.643.")
"""Arcs of algorithms whose keys may be bare bytes: of the Open Quantum Safe project, of composites
(draft-ietf-lamps-pq-composite-sigs), and GOST's."""

_SEC2 = {
    1: "sect163k1",
    2: "sect163r1",
    3: "sect239k1",
    4: "sect113r1",
    5: "sect113r2",
    6: "secp112r1",
    7: "secp112r2",
    8: "secp160r1",
    9: "secp160k1",
    15: "sect163r2",
    16: "sect283k1",
    17: "sect283r1",
    22: "sect131r1",
    23: "sect131r2",
    24: "sect193r1",
    25: "sect193r2",
    26: "sect233k1",
    27: "sect233r1",
    28: "secp128r1",
    29: "secp128r2",
    30: "secp160r2",
    31: "secp192k1",
    32: "secp224k1",
    36: "sect409k1",
    37: "sect409r1",
    38: "sect571k1",
    39: "sect571r1",
}
_X962 = {2: "prime192v2", 3: "prime192v3", 4: "prime239v1", 5: "prime239v2"}
_BRAINPOOL = ("160", "192", "224", "256", "320", "384", "512")

_CURVES = {
    **{f"2b810400{last:02x}": name for last, name in _SEC2.items()},
    **{f"2a8648ce3d0301{last:02x}": name for last, name in _X962.items()},
    "2a8648ce3d030106": "prime239v3",
    **{
        f"2b24030302080101{2 * row + twisted + 1:02x}": f"brainpoolP{bits}{'rt'[twisted]}1"
        for row, bits in enumerate(_BRAINPOOL)
        for twisted in (0, 1)
    },
}
"""Names of curves (SEC 2, X9.62, RFC 5639), which say the bits of their fields."""

_BITS = re.compile(r"\d{3}")

_SHORTEST, _LONGEST_SCALAR = 12, 80
"""Bytes of what is private, at least, and of a scalar, at most."""

_DISTINCT, _LONGEST_NAME = 8, 20


def pkcs8(algorithm: bytes, inner: bytes) -> Foreign:
    """Return the key of an algorithm that is not known. Raises Malformed."""
    _random(inner)
    return Foreign(algorithm=_ALGORITHMS.get(algorithm.hex()) or dotted(algorithm), inner=inner)


def evident(key: Foreign) -> bool:
    """Tell whether what no text calls a private key is one.

    A digest beside its algorithm looks alike, but is bare bytes: what is private of an algorithm
    that is not known has to be one whole element.
    """
    if not key.algorithm[:1].isdigit() or key.algorithm.startswith(_OF_KEYS):
        return True
    whole = Reader(key.inner)
    tag = whole.peek()
    try:
        whole.skip()
        whole.finish()
    except Malformed:
        return False
    return tag in (der.INTEGER, der.OCTET_STRING, der.SEQUENCE)


def ec(parameters: bytes, scalar: bytes, point: bytes | None) -> Foreign:
    """Return a scalar on a curve that is not known, by EcpkParameters. Raises Malformed.

    It is named by the point beside it.
    """
    if len(scalar) > _LONGEST_SCALAR:
        raise Malformed
    _random(scalar)
    named = Reader(parameters)
    curve, bits = "", None
    if named.peek() == der.OID:
        oid = named.content(der.OID)
        name = _CURVES.get(oid.hex(), "")
        curve, bits = name or dotted(oid), _BITS.search(name)
    spki = fingerprint.described_spki(parameters, point) if point else b""
    size = int(bits[0]) if bits else 0
    return Foreign(algorithm="ec", curve=curve, bits=size, inner=scalar, spki=spki)


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
