"""Post-quantum private keys in PKCS#8: ML-DSA, ML-KEM, SLH-DSA and X-Wing.

Sources: FIPS 203, 204 and 205; RFC 9881 section 6 and RFC 9935 section 6 (a seed, an expanded key,
or both), RFC 9909 section 6 (SLH-DSA), draft-connolly-cfrg-xwing-kem (a seed alone). Where a seed
and an expanded key stand together, each bears witness against the other. An expanded ML-DSA key
holds what its public half is made of, and parts of that (see ``mldsa``); of ML-KEM what an expanded
key says of itself must hold, and a seed alone gives its public key where ``cryptography`` knows the
algorithm.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import x25519

from scanner.detect.algebra import effort, mldsa
from scanner.detect.algebra.material import Pqc
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Reader
from scanner.fingerprint import PQC_OIDS

try:
    from cryptography.hazmat.primitives.asymmetric import mlkem

    _DERIVE: dict[str, Callable[[bytes], Any]] = {
        f"ml-kem-{size}": getattr(mlkem, f"MLKEM{size}PrivateKey").from_seed_bytes
        for size in (512, 768, 1024)
        if hasattr(mlkem, f"MLKEM{size}PrivateKey")
    }
except ImportError:  # before version 47, or a library beneath it that has none
    _DERIVE = {}

ALGORITHMS = {oid: name for name, oid in PQC_OIDS.items()}

_DISTINCT = 8
_SEED = {"ml-dsa": 32, "ml-kem": 64}
_EXPANDED = {"ml-kem-512": 1632, "ml-kem-768": 2400, "ml-kem-1024": 3168}

_HASHED, _Z = 96, 32
"""Bytes of an ML-KEM decapsulation key beside s and t (rho, H(ek) and z), and of z."""

X_WING, _X_WING_SEED = "x-wing", 32

PUBLIC = {name: size.public for name, size in mldsa.SETS.items()}
PUBLIC |= {"ml-kem-512": 800, "ml-kem-768": 1184, "ml-kem-1024": 1568, X_WING: 1216}
"""Bytes of a public key whose algorithm's name does not say it."""

PROOF = "seed derives the public key"

EXPANDED = "A*s1 + s2 = t"
"""The equation that closes within an expanded ML-DSA key."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Read:
    """A key, and the equation that closed within it; empty without one."""

    material: Pqc
    proof: str


def read(algorithm: str, inner: bytes) -> Read:
    """Read the privateKey of a PKCS#8 object. Raises Malformed."""
    if algorithm.startswith("slh-dsa"):
        return Read(material=_slh(algorithm, inner), proof="")
    if algorithm == X_WING:
        return Read(material=x_wing(inner), proof="")
    seed, expanded = _choice(inner)
    if not seed:
        return _of_expanded(algorithm, expanded)
    found = from_seed(algorithm, seed)
    if not expanded:
        return Read(material=found, proof="")
    if algorithm in mldsa.SETS:
        public, agree = found.public, expanded == found.expanded
    else:
        public = _kem_public(algorithm, expanded)
        agree = expanded[-_Z:] == seed[-_Z:] and found.public in (b"", public)
    if not agree:
        raise Malformed
    key = Pqc(algorithm=algorithm, seed=seed, expanded=expanded, public=public)
    return Read(material=key, proof=PROOF if found.public else "")


def from_seed(algorithm: str, seed: bytes) -> Pqc:
    """Return the key of a seed, and its public half where one can derive it. Raises Malformed."""
    if algorithm == X_WING:
        return x_wing(seed)
    if len(seed) != _SEED[algorithm[:6]] or len(set(seed)) < _DISTINCT:
        raise Malformed
    if algorithm in mldsa.SETS:
        effort.derive("ml-dsa")
        public, expanded = mldsa.keys(algorithm, seed)
        return Pqc(algorithm=algorithm, seed=seed, expanded=expanded, public=public)
    return Pqc(algorithm=algorithm, seed=seed, expanded=b"", public=_derived(algorithm, seed))


def parts(key: Pqc) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of what is private in a key: its expanded form holds its public half."""
    whole, name = key.expanded, key.algorithm
    yield "seed", key.seed
    if name in mldsa.SETS:
        yield "K", whole[mldsa.RHO : 2 * mldsa.RHO]
        yield "s1, s2 and t0", whole[mldsa.HEAD :]
    elif name.startswith("ml-kem"):
        yield "s", whole[: (len(whole) - _HASHED) // 2]
        yield "z", whole[-_Z:]
    elif name != X_WING:
        yield "SK.seed and SK.prf", whole[: len(whole) // 2]


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


def x_wing(seed: bytes) -> Pqc:
    """Return the key of a seed: ML-KEM-768 and X25519 beside each other. Raises Malformed."""
    if len(seed) != _X_WING_SEED or len(set(seed)) < _DISTINCT:
        raise Malformed
    spread = hashlib.shake_256(seed).digest(96)
    public = _derived("ml-kem-768", spread[:64])
    if public:
        effort.derive("x25519")
        other = x25519.X25519PrivateKey.from_private_bytes(spread[64:])
        public += other.public_key().public_bytes_raw()
    return Pqc(algorithm=X_WING, seed=seed, expanded=b"", public=public)


def _slh(algorithm: str, raw: bytes) -> Pqc:
    """Read SK.seed, SK.prf, PK.seed and PK.root (FIPS 205 section 9.1)."""
    size = int(algorithm[-4:-1]) // 8
    parts = [raw[at : at + size] for at in range(0, len(raw), size)]
    if len(raw) != 4 * size or len(set(parts)) != 4 or min(len(set(p)) for p in parts) < _DISTINCT:
        raise Malformed
    return Pqc(algorithm=algorithm, seed=b"", expanded=raw, public=raw[2 * size :])


def _kem_public(algorithm: str, expanded: bytes) -> bytes:
    """Return the encapsulation key in a decapsulation key, whose hash stands behind it.

    FIPS 203 section 7.1: dk is s, then ek, then H(ek), then z, the second half of the seed.
    """
    if len(expanded) != _EXPANDED[algorithm]:
        raise Malformed
    size = (len(expanded) - _HASHED) // 2
    public = expanded[size : 2 * size + 32]
    if hashlib.sha3_256(public).digest() != expanded[-64:-32]:
        raise Malformed
    return public


def _of_expanded(algorithm: str, expanded: bytes) -> Read:
    """Read an expanded key that stands alone."""
    public: bytes | None
    if algorithm in mldsa.SETS:
        effort.derive("ml-dsa")
        public, proof = mldsa.public_of(algorithm, expanded), EXPANDED
    else:
        public, proof = _kem_public(algorithm, expanded), ""
    if public is None:
        raise Malformed
    key = Pqc(algorithm=algorithm, seed=b"", expanded=expanded, public=public)
    return Read(material=key, proof=proof)
