"""Post-quantum private keys in PKCS#8: ML-DSA, ML-KEM and SLH-DSA.

Sources: FIPS 203, 204 and 205; RFC 9881 section 6 and RFC 9935 section 6 (a seed, an expanded key,
or both), RFC 9909 section 6 (SLH-DSA). Where a seed and an expanded key stand together, each bears
witness against the other. A seed alone gives its public key where ``cryptography`` knows the
algorithm; an expanded ML-DSA key has none that can be read from it, and has no name then. What an
expanded key says of itself (hashes, coefficients within bounds) must hold.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scanner.detect import der, effort
from scanner.detect.der import Malformed, Reader
from scanner.detect.material import Pqc
from scanner.fingerprint import PQC_OIDS

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem

    _DERIVE: dict[str, Callable[[bytes], Any]] = {
        f"{name}-{size}": getattr(module, f"{stem}{size}PrivateKey").from_seed_bytes
        for module, name, stem, sizes in (
            (mldsa, "ml-dsa", "MLDSA", (44, 65, 87)),
            (mlkem, "ml-kem", "MLKEM", (512, 768, 1024)),
        )
        for size in sizes
        if hasattr(module, f"{stem}{size}PrivateKey")
    }
except ImportError:  # before version 47, or a library beneath it that has none
    _DERIVE = {}

ALGORITHMS = {oid: name for name, oid in PQC_OIDS.items()}

_DISTINCT = 8
_SEED = {"ml-dsa": 32, "ml-kem": 64}
_EXPANDED = {"ml-dsa-44": 2560, "ml-dsa-65": 4032, "ml-dsa-87": 4896}
_EXPANDED |= {"ml-kem-512": 1632, "ml-kem-768": 2400, "ml-kem-1024": 3168}
_MATRIX = {"ml-dsa-44": (4, 4), "ml-dsa-65": (6, 5), "ml-dsa-87": (8, 7)}
"""k and l (FIPS 204 section 4)."""

PROOF = "seed derives the public key"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Read:
    """A key, and the equation that closed within it; empty without one."""

    material: Pqc
    proof: str


def read(algorithm: str, inner: bytes) -> Read:
    """Read the privateKey of a PKCS#8 object. Raises Malformed."""
    if algorithm.startswith("slh-dsa"):
        return Read(material=_slh(algorithm, inner), proof="")
    seed, expanded = _choice(inner)
    if seed and (len(seed) != _SEED[algorithm[:6]] or len(set(seed)) < _DISTINCT):
        raise Malformed
    public = _derived(algorithm, seed) if seed else b""
    named = b""
    if expanded:
        if len(expanded) != _EXPANDED[algorithm]:
            raise Malformed
        if algorithm.startswith("ml-kem"):
            named = _kem_public(expanded, seed)
        else:
            _dsa_holds(algorithm, expanded, seed, public)
    if public and named not in (b"", public):
        raise Malformed
    key = Pqc(algorithm=algorithm, seed=seed, expanded=expanded, public=public or named)
    return Read(material=key, proof=PROOF if public and expanded else "")


def _choice(inner: bytes) -> tuple[bytes, bytes]:
    """Return seed and expanded key (RFC 9881 section 6): either may be empty."""
    body = Reader(inner)
    seed = expanded = b""
    match body.peek():
        case 0x80:
            seed = body.content(0x80)
        case der.OCTET_STRING:
            expanded = body.content(der.OCTET_STRING)
        case _:
            both = body.enter()
            seed, expanded = both.content(der.OCTET_STRING), both.content(der.OCTET_STRING)
            both.finish()
            if not seed or not expanded:
                raise Malformed
    body.finish()
    if not seed and not expanded:
        raise Malformed
    return seed, expanded


def _derived(algorithm: str, seed: bytes) -> bytes:
    """Return the public key of a seed, or nothing where the library does not know how."""
    if algorithm not in _DERIVE:
        return b""
    effort.derive(algorithm[:6])
    try:
        public: bytes = _DERIVE[algorithm](seed).public_key().public_bytes_raw()
    except Exception:  # noqa: BLE001 - a library beneath that lacks the algorithm says so now
        return b""
    return public


def _slh(algorithm: str, raw: bytes) -> Pqc:
    """Read SK.seed, SK.prf, PK.seed and PK.root (FIPS 205 section 9.1)."""
    size = int(algorithm[-4:-1]) // 8
    parts = [raw[at : at + size] for at in range(0, len(raw), size)]
    if len(raw) != 4 * size or len(set(parts)) != 4 or min(len(set(p)) for p in parts) < _DISTINCT:
        raise Malformed
    return Pqc(algorithm=algorithm, seed=b"", expanded=raw, public=raw[2 * size :])


def _kem_public(expanded: bytes, seed: bytes) -> bytes:
    """Return the encapsulation key in a decapsulation key, whose hash stands behind it.

    FIPS 203 section 7.1: dk is s, then ek, then H(ek), then z, the second half of the seed.
    """
    size = (len(expanded) - 96) // 2
    public = expanded[size : 2 * size + 32]
    if hashlib.sha3_256(public).digest() != expanded[-64:-32]:
        raise Malformed
    if seed and seed[32:] != expanded[-32:]:
        raise Malformed
    return public


def _dsa_holds(algorithm: str, expanded: bytes, seed: bytes, public: bytes) -> None:
    """Check an expanded ML-DSA key: rho, K, tr, then s1, s2, t0 packed (FIPS 204 section 7.2)."""
    k, l = _MATRIX[algorithm]  # noqa: E741 - the standard's letter
    if min(len(set(expanded[at : at + 32])) for at in (0, 32, 64, 96)) < _DISTINCT:
        raise Malformed
    bits, most = (4, 8) if algorithm == "ml-dsa-65" else (3, 4)
    size = (k + l) * 32 * bits
    packed = expanded[128 : 128 + size]
    for at in range(0, size, bits):
        group = int.from_bytes(packed[at : at + bits], "little")
        if any(group >> shift & ((1 << bits) - 1) > most for shift in range(0, 8 * bits, bits)):
            raise Malformed
    if seed:
        parts = hashlib.shake_256(seed + bytes((k, l))).digest(128)
        if parts[:32] + parts[96:] != expanded[:64]:
            raise Malformed
    if public and hashlib.shake_256(public).digest(64) != expanded[64:128]:
        raise Malformed
