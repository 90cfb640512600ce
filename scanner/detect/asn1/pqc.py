"""Post-quantum private keys in PKCS#8: ML-DSA, ML-KEM, SLH-DSA and X-Wing.

Sources: FIPS 203, 204 and 205; RFC 9881 section 6 and RFC 9935 section 6 (a seed, an expanded key,
or both), RFC 9909 section 6 (SLH-DSA), draft-connolly-cfrg-xwing-kem (a seed alone). Where a seed
and an expanded key stand together, each bears witness against the other. An expanded ML-DSA key
holds what its public half is made of, and parts of that (see ``mldsa``); an expanded ML-KEM
key has its public half, whose hash must hold, and is proved where that belongs to s (``mlkem``).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import x25519

from scanner.detect.algebra import effort, mldsa, mlkem
from scanner.detect.algebra.material import Pqc
from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Reader
from scanner.fingerprint import PQC_OIDS

ALGORITHMS = {oid: name for name, oid in PQC_OIDS.items()}

_DISTINCT = 8
_SEED = {"ml-dsa": mldsa.SEED, "ml-kem": mlkem.SEED}

X_WING, _X_WING_SEED = "x-wing", 32

PUBLIC = {name: size.public for name, size in mldsa.SETS.items()}
PUBLIC |= {name: size.public for name, size in mlkem.SETS.items()} | {X_WING: 1216}
"""Bytes of a public key whose algorithm's name does not say it."""

PROOF = "seed derives the public key"

EXPANDED = "A*s1 + s2 = t"
"""The equation that closes within an expanded ML-DSA key."""

DECAPSULATES = "A*s + e = t"
"""The equation that closes within an expanded ML-KEM key."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Read:
    """A key, and the equation that closed within it; empty without one."""

    material: Pqc
    proof: str


def read(algorithm: str, inner: bytes) -> Read:
    """Read the privateKey of a PKCS#8 object. Raises Malformed."""
    if algorithm.startswith("slh-dsa"):
        return Read(material=slh(algorithm, inner), proof="")
    if algorithm == X_WING:
        return Read(material=x_wing(inner), proof="")
    seed, expanded = _choice(inner)
    if not seed:
        return _of_expanded(algorithm, expanded)
    found = from_seed(algorithm, seed)
    if not expanded:
        return Read(material=found, proof="")
    if expanded != found.expanded:
        raise Malformed
    return Read(material=found, proof=PROOF)


def from_seed(algorithm: str, seed: bytes) -> Pqc:
    """Return the key of a seed, its expanded form and its public half. Raises Malformed."""
    if algorithm == X_WING:
        return x_wing(seed)
    if len(seed) != _SEED[algorithm[:6]] or len(set(seed)) < _DISTINCT:
        raise Malformed
    effort.derive(algorithm[:6])
    if algorithm in mldsa.SETS:
        public, expanded = mldsa.keys(algorithm, seed)
    else:
        public, expanded = mlkem.keys(algorithm, seed[: mlkem.HALF], seed[mlkem.HALF :])
    return Pqc(algorithm=algorithm, seed=seed, expanded=expanded, public=public)


def parts(key: Pqc) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of what is private in a key: its expanded form holds its public half."""
    whole, name = key.expanded, key.algorithm
    if name in mlkem.SETS:
        size = mlkem.SETS[name]
        yield "d", key.seed[: mlkem.HALF]
        yield "s", whole[: size.vector]
        yield "z", whole[size.expanded - mlkem.Z :]
        return
    yield "seed", key.seed
    if name in mldsa.SETS:
        if any(whole[mldsa.RHO : 2 * mldsa.RHO]):  # it is unknown where vectors alone stand
            yield "K", whole[mldsa.RHO : 2 * mldsa.RHO]
        yield "s1, s2 and t0", whole[mldsa.HEAD :]
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


def x_wing(seed: bytes) -> Pqc:
    """Return the key of a seed: ML-KEM-768 and X25519 beside each other. Raises Malformed."""
    if len(seed) != _X_WING_SEED or len(set(seed)) < _DISTINCT:
        raise Malformed
    spread = hashlib.shake_256(seed).digest(96)
    effort.derive("ml-kem")
    public, _ = mlkem.keys("ml-kem-768", spread[:32], spread[32:64])
    effort.derive("x25519")
    other = x25519.X25519PrivateKey.from_private_bytes(spread[64:])
    public += other.public_key().public_bytes_raw()
    return Pqc(algorithm=X_WING, seed=seed, expanded=b"", public=public)


def slh(algorithm: str, raw: bytes) -> Pqc:
    """Read SK.seed, SK.prf, PK.seed and PK.root (FIPS 205 section 9.1). Raises Malformed."""
    size = int(algorithm[-4:-1]) // 8
    parts = [raw[at : at + size] for at in range(0, len(raw), size)]
    if len(raw) != 4 * size or len(set(parts)) != 4 or min(len(set(p)) for p in parts) < _DISTINCT:
        raise Malformed
    return Pqc(algorithm=algorithm, seed=b"", expanded=raw, public=raw[2 * size :])


def _of_expanded(algorithm: str, expanded: bytes) -> Read:
    """Read an expanded key that stands alone."""
    public: bytes | None
    effort.derive(algorithm[:6])
    if algorithm in mldsa.SETS:
        public, proof = mldsa.public_of(algorithm, expanded), EXPANDED
    else:
        public = mlkem.stated(algorithm, expanded)
        secret = expanded[: mlkem.SETS[algorithm].vector]
        whole = public is not None and mlkem.belongs(algorithm, secret, public)
        proof = DECAPSULATES if whole else ""
    if public is None:
        raise Malformed
    key = Pqc(algorithm=algorithm, seed=b"", expanded=expanded, public=public)
    return Read(material=key, proof=proof)
