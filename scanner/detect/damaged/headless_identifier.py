"""Private keys whose PKCS#8 begins inside of the algorithm's identifier.

An allocator that links freed blocks writes over the first 4 or 8 bytes of what a key loader freed:
headers and version go, and the private key stands whole behind what is left of its algorithm (RFC
8410 section 7, RFC 9881, RFC 9909, RFC 9935). What was lost says nothing more, so it is put back,
and ``keys`` judges the whole. This module reads algorithms without parameters, and leaves to
``keys`` what has its head.
"""

from scanner.detect.asn1 import der, pqc
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.detect.asn1.keys import Proved, parse_private
from scanner.detect.evidence import proved, unproved
from scanner.fingerprint import OKP_OIDS
from scanner.model import Place
from scanner.rules import Rule

_OIDS = (*OKP_OIDS.values(), *pqc.ALGORITHMS)

_LARGEST = 5200
"""Bytes of the largest privateKey: seed and expanded key of ML-DSA-87."""


def examine(memory: Memory, space: int, offset: int, rule: Rule, head: bytes) -> Proved | None:
    """Return the key whose algorithm's identifier has its bytes at ``offset``, as ``head``."""
    tag = bytes((der.OCTET_STRING,))
    oid = next((one for one in _OIDS if head.startswith(one + tag)), b"")
    if not oid:
        return None
    identifier = der.write(der.SEQUENCE, der.write(der.OID, oid))
    # What stands before the identifier's bytes where nothing is lost, behind the version.
    there = identifier[: -len(oid)]
    before = memory.clip(space, max(offset - len(there) - 3, 0), min(offset, len(there) + 3))
    if before.endswith(there) and before[:2] == b"\x02\x01":
        return None
    reader = Reader(memory.clip(space, offset + len(oid), _LARGEST))
    try:
        inner = reader.element()
        parsed = parse_private(der.write(der.SEQUENCE, b"\x02\x01\x00" + identifier + inner))
    except Malformed:
        return None
    if parsed is None:
        return None
    key, where = parsed.material, (Place(space=space, offset=offset, size=len(oid) + reader.at),)
    if parsed.proof:
        return proved(key, rule, "PKCS8-DER (damaged)", where, proof=parsed.proof)
    return unproved(key, rule, "PKCS8-DER (damaged)", where)
