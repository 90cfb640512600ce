"""DNSSEC public keys: the RDATA of a DNSKEY record behind its length (RFC 4034 section 2.1).

A name server holds them in wire form, beside zones whose private keys it may hold as bare numbers.
They are no findings: they name the private keys that are found and bear witness against them. The
length before the RDATA is part of what is matched, so that nothing has to be guessed about its end.
This module refuses what is no point, and private keys, which are written in other forms.
"""

from collections.abc import Iterator

from scanner.detect.algebra import publics
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import OKP_BYTES
from scanner.detect.evidence import on_curve, rsa_public
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

RSA = frozenset((5, 7, 8, 10))
"""RSASHA1, RSASHA1-NSEC3-SHA1, RSASHA256, RSASHA512 (RFC 3110, RFC 5155, RFC 5702)."""

CURVES = {13: "P-256", 14: "P-384"}
"""RFC 6605 section 4."""

OKP = {15: "ed25519", 16: "ed448"}
"""RFC 8080 section 3."""

LONGEST = 4 + 4 + 512
"""Bytes of the longest RDATA that is read: a modulus of 4096 bits, as RFC 3110 allows."""

_HEAD = 6
"""RDLENGTH, flags, protocol and algorithm."""

_EXPONENT = b"\x03\x01\x00\x01"
_DISTINCT = 12
"""Different bytes of a public key at least, as 32 random ones have."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[PublicKey]:
    """Yield the public key of the DNSKEY whose RDLENGTH is at ``offset``."""
    del rule
    head = memory.clip(space, offset, _HEAD)
    size = int.from_bytes(head[:2], "big") - 4
    if len(head) < _HEAD or not 0 < size <= LONGEST - 4:
        return
    raw = memory.clip(space, offset + _HEAD, size)
    if len(raw) == size and len(set(raw)) >= _DISTINCT:
        found = _key(head[5], raw, Place(space=space, offset=offset + _HEAD, size=size))
        if found is not None:
            yield found


def _key(algorithm: int, raw: bytes, place: Place) -> PublicKey | None:
    if algorithm in RSA and raw.startswith(_EXPONENT):
        n = int.from_bytes(raw[len(_EXPONENT) :], "big")
        found = rsa_public(n, 65537) and raw[len(_EXPONENT)] != 0
        return publics.rsa(n, 65537, kind="dnskey", place=place) if found else None
    if algorithm in CURVES:
        curve = CURVES[algorithm]
        size = FIELD_BYTES[curve]
        x, y = int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big")
        found = len(raw) == 2 * size and on_curve(curve, x, y)
        return publics.ec(curve, x, y, kind="dnskey", place=place) if found else None
    name = OKP.get(algorithm, "")
    if len(raw) == OKP_BYTES.get(name):
        return publics.okp(name, raw, kind="dnskey", place=place)
    return None
