"""What a key is, in numbers: the entry of ``truth.json`` that says what a process held.

Made with the cryptography package from the key itself, never from a dump and by nothing of the
scanner, so that recall is measured against something else than our own readings.
"""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import (
    dh,
    dsa,
    ec,
    ed448,
    ed25519,
    mldsa,
    rsa,
    x448,
    x25519,
)
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

CURVES = {
    "secp224r1": "p224",
    "secp256r1": "p256",
    "secp384r1": "p384",
    "secp521r1": "p521",
    "secp256k1": "secp256k1",
    "brainpoolP256r1": "brainpoolp256r1",
    "brainpoolP384r1": "brainpoolp384r1",
    "brainpoolP512r1": "brainpoolp512r1",
}
"""Names of the cryptography package, and as kinds of keys spell them."""

OKP = {
    "ed25519": ed25519.Ed25519PrivateKey,
    "ed448": ed448.Ed448PrivateKey,
    "x25519": x25519.X25519PrivateKey,
    "x448": x448.X448PrivateKey,
    "ml-dsa-44": mldsa.MLDSA44PrivateKey,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey,
}

Numbers = dict[str, int]


def secret(name: str, key: PrivateKeyTypes) -> dict[str, Any]:
    """Describe a private key: its kind, its SPKI's SHA-256, its numbers in hex, its PEM.

    Numbers of Ed25519, Ed448, X25519 and X448 are their bytes as they stand (RFC 8032, RFC 7748),
    and that of ML-DSA is the seed (FIPS 204); public of it is what the public key begins with.
    """
    kind, private, public = _numbers(key)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "id": name,
        "kind": kind,
        "spki_sha256": hashlib.sha256(spki).hexdigest(),
        "private": {part: _hex(value) for part, value in private.items()},
        "public": {part: _hex(value) for part, value in public.items()},
        "source_pem": pem.decode(),
    }


def _hex(value: int | bytes) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value.to_bytes(-(-value.bit_length() // 8) or 1, "big").hex()


def _numbers(key: PrivateKeyTypes) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return (kind, private numbers, public numbers)."""
    if isinstance(key, rsa.RSAPrivateKey):
        own = key.private_numbers()
        private = {"p": own.p, "q": own.q, "d": own.d, "dp": own.dmp1, "dq": own.dmq1}
        return f"rsa-{key.key_size}", private, {"n": own.public_numbers.n}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        number = key.private_numbers()
        point = number.public_numbers
        return (
            f"ec-{CURVES[key.curve.name]}",
            {"d": number.private_value},
            {"x": point.x, "y": point.y},
        )
    if isinstance(key, dsa.DSAPrivateKey | dh.DHPrivateKey):
        kind = "dsa" if isinstance(key, dsa.DSAPrivateKey) else "dh"
        return (
            f"{kind}-{key.key_size}",
            {"x": key.private_numbers().x},
            {"y": key.public_key().public_numbers().y},
        )
    kind = next(kind for kind, form in OKP.items() if isinstance(key, form))
    name = "k" if kind.startswith("x") else "seed"
    public = key.public_key().public_bytes_raw()
    shown = {"rho": public[:32]} if kind.startswith("ml-dsa") else {"pub": public}
    return kind, {name: key.private_bytes_raw()}, shown
