"""Keys of finite-field groups in PKCS#8 and SubjectPublicKeyInfo: the group, and one number in it.

Sources: RFC 3279 2.3.2 (Dss-Parms: p, q, g) and 2.3.3 (DomainParameters of X9.42: p, g, q, and j
and validationParms where somebody wrote them), PKCS #3 (DHParameter: p, g and the bits of an
exponent), like which Bouncy Castle writes ElGamal's. What is read is a key only where its group
closes. This module refuses parameters that are inherited from elsewhere.
"""

from scanner.detect.algebra import groups, publics
from scanner.detect.algebra.material import Ffc
from scanner.detect.algebra.publics import BARE, PublicKey
from scanner.detect.asn1.der import Malformed, Reader
from scanner.fingerprint import FFC_OIDS

ALGORITHMS = {oid: algorithm for algorithm, oid in FFC_OIDS.items()}

_NUMBERS = 3


def private(algorithm: str, parameters: bytes, inner: bytes) -> Ffc:
    """Return the key of an exponent, with the y that it gives. Raises Malformed."""
    x = _integer(inner)
    p, q, g, more = _group(algorithm, parameters)
    if algorithm == "dsa":
        found = groups.derived(p, q, g, x)
    elif algorithm == "dhx":
        found = groups.exchanged(p, q, g, x, more)
    else:
        found = groups.agreed(algorithm, p, g, x)
    if found is None:
        raise Malformed
    return found


def public(algorithm: str, parameters: bytes, content: bytes) -> PublicKey:
    """Return a public key, by sizes alone. Raises Malformed."""
    y = _integer(content)
    p, q, g, more = _group(algorithm, parameters)
    if not (groups.subgroup if algorithm == "dhx" else groups.plausible)(p, q, g, y):
        raise Malformed
    return publics.ffc(algorithm, p, q, g, y, kind=BARE, more=more)


def _integer(content: bytes) -> int:
    whole = Reader(content)
    number = whole.integer()
    whole.finish()
    return number


def _group(algorithm: str, parameters: bytes) -> tuple[int, int, int, bytes]:
    """Read p, q (0 where nothing names it), g, and the DER of what follows in X9.42."""
    whole = Reader(parameters)
    fields = whole.enter()
    whole.finish()
    numbers, more = fields.integers(_NUMBERS), b""
    while algorithm == "dhx" and fields.peek() != -1:
        more += fields.element()
    fields.finish()
    match algorithm, numbers:
        case "dsa", [p, q, g]:
            return p, q, g, b""
        case "dhx", [p, g, q]:
            return p, q, g, more
        case "dh" | "elgamal", [p, g, *_]:
            return p, 0, g, b""
    raise Malformed
