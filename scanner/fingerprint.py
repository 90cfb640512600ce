"""The one place that may hash key material, and the canonical form in which a key is named.

A key pair is named by the SHA-256 of its public half as DER SubjectPublicKeyInfo: rsaEncryption
with NULL parameters, a named curve, an uncompressed point: what ``openssl pkey -pubout -outform
DER | sha256sum`` gives for an ordinary key. The encoder stands here, and is not a library's,
because a key found in memory must be named whatever its size or exponent. Other secrets are named
by an HMAC, where the operator gave a key for it, or by where they lie. This module refuses to hash
a secret without a key: there is no function for it.
"""

import hashlib
import hmac

from scanner.model import Extent, Fingerprint

SPKI, HMAC, PLACE = "spki-sha256", "hmac-sha256", "place-sha256"
"""Kinds of fingerprints: of a public key, of a secret by the operator's key, of where one lies."""

CURVE_OIDS: dict[str, bytes] = {
    "P-224": bytes.fromhex("2b81040021"),
    "P-256": bytes.fromhex("2a8648ce3d030107"),
    "P-384": bytes.fromhex("2b81040022"),
    "P-521": bytes.fromhex("2b81040023"),
    "secp256k1": bytes.fromhex("2b8104000a"),
    "brainpoolP256r1": bytes.fromhex("2b2403030208010107"),
    "brainpoolP384r1": bytes.fromhex("2b240303020801010b"),
    "brainpoolP512r1": bytes.fromhex("2b240303020801010d"),
    "SM2": bytes.fromhex("2a811ccf5501822d"),
    "P-192": bytes.fromhex("2a8648ce3d030101"),
    "brainpoolP224r1": bytes.fromhex("2b2403030208010105"),
    "brainpoolP320r1": bytes.fromhex("2b2403030208010109"),
}
"""Named curves and their identifiers (RFC 5480, SEC 2, RFC 5639, RFC 8998), content bytes only."""

FIELD_BYTES: dict[str, int] = {
    "P-224": 28,
    "P-256": 32,
    "P-384": 48,
    "P-521": 66,
    "secp256k1": 32,
    "brainpoolP256r1": 32,
    "brainpoolP384r1": 48,
    "brainpoolP512r1": 64,
    "SM2": 32,
    "P-192": 24,
    "brainpoolP224r1": 28,
    "brainpoolP320r1": 40,
}
"""Bytes of one coordinate."""

CURVE_BITS = {curve: 521 if curve == "P-521" else 8 * size for curve, size in FIELD_BYTES.items()}
"""Bits of one coordinate."""

OKP_BITS = {"ed25519": 256, "x25519": 256, "ed448": 456, "x448": 448}
"""Bits of an encoded public key."""

_ML_DSA = ((44, 17), (65, 18), (87, 19))
_ML_KEM = ((512, 1), (768, 2), (1024, 3))

OKP_OIDS: dict[str, bytes] = {
    "x25519": bytes.fromhex("2b656e"),
    "x448": bytes.fromhex("2b656f"),
    "ed25519": bytes.fromhex("2b6570"),
    "ed448": bytes.fromhex("2b6571"),
}
"""RFC 8410 section 3."""

PQC_OIDS: dict[str, bytes] = {
    **{f"ml-dsa-{n}": bytes.fromhex("6086480165030403") + bytes((x,)) for n, x in _ML_DSA},
    **{f"ml-kem-{n}": bytes.fromhex("6086480165030404") + bytes((x,)) for n, x in _ML_KEM},
    **{
        f"slh-dsa-{hashed}-{n}": bytes.fromhex("6086480165030403") + bytes((first + x,))
        for hashed, first in (("sha2", 20), ("shake", 26))
        for x, n in enumerate(("128s", "128f", "192s", "192f", "256s", "256f"))
    },
    "x-wing": bytes.fromhex("2b0601040183e62d81c87a"),
}
"""RFC 9881 section 2, RFC 9935 section 3, RFC 9909 section 3, draft-connolly-cfrg-xwing-kem."""

AGREEMENT = ("x25519", "x448", "dhx", *(f"ml-kem-{n}" for n, _ in _ML_KEM))
"""Key agreement alone: a process makes such keys for one handshake and forgets them."""

FFC_OIDS: dict[str, bytes] = {
    "dsa": bytes.fromhex("2a8648ce380401"),
    "dh": bytes.fromhex("2a864886f70d010301"),
    "dhx": bytes.fromhex("2a8648ce3e0201"),
    "elgamal": bytes.fromhex("2b0e07020101"),
}
"""id-dsa (RFC 3279 2.3.2), dhKeyAgreement (PKCS #3), dhpublicnumber (RFC 3279 2.3.3) and the
elGamal of the OIW, as Bouncy Castle writes it; content bytes."""

_RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")
_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa_spki(n: int, e: int) -> bytes:
    """Return the SubjectPublicKeyInfo of an RSA key (RFC 8017 A.1.1, RFC 3279 2.3.1)."""
    key = _tlv(0x30, _integer(n) + _integer(e))
    return _tlv(0x30, _RSA_ENCRYPTION + _tlv(0x03, b"\0" + key))


def ec_spki(curve: str, x: int, y: int) -> bytes:
    """Return the SubjectPublicKeyInfo of a point on a named curve (RFC 5480 section 2)."""
    size = FIELD_BYTES[curve]
    point = b"\x04" + x.to_bytes(size, "big") + y.to_bytes(size, "big")
    algorithm = _tlv(0x30, _EC_PUBLIC_KEY + _tlv(0x06, CURVE_OIDS[curve]))
    return _tlv(0x30, algorithm + _tlv(0x03, b"\0" + point))


def described_spki(parameters: bytes, point: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of an encoded point, by its EcpkParameters (DER)."""
    algorithm = _tlv(0x30, _EC_PUBLIC_KEY + parameters)
    return _tlv(0x30, algorithm + _tlv(0x03, b"\0" + point))


def okp_spki(algorithm: str, public: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of an Edwards or Montgomery key (RFC 8410 section 4)."""
    return _tlv(0x30, _tlv(0x30, _tlv(0x06, OKP_OIDS[algorithm])) + _tlv(0x03, b"\0" + public))


def pqc_spki(algorithm: str, public: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a post-quantum key (RFC 9881 section 4 and its kin)."""
    return _tlv(0x30, _tlv(0x30, _tlv(0x06, PQC_OIDS[algorithm])) + _tlv(0x03, b"\0" + public))


def ffc_spki(algorithm: str, p: int, q: int, g: int, y: int, more: bytes = b"") -> bytes:
    """Return the SubjectPublicKeyInfo of a key of DSA (p, q, g), X9.42 (p, g, q) or others (p, g).

    ``more`` is the DER of what follows in the parameters: j and validationParms of X9.42.
    """
    parameters = {"dsa": (p, q, g), "dhx": (p, g, q)}.get(algorithm, (p, g))
    group = _tlv(0x30, b"".join(_integer(value) for value in parameters) + more)
    identifier = _tlv(0x30, _tlv(0x06, FFC_OIDS[algorithm]) + group)
    return _tlv(0x30, identifier + _tlv(0x03, b"\0" + _integer(y)))


def of_spki(spki: bytes) -> Fingerprint:
    """Name a key pair by its public half."""
    return Fingerprint(kind=SPKI, value=hashlib.sha256(spki).hexdigest())


class Names:
    """Names for secrets that no public half names: equal ones of one kind have one name.

    HMAC-SHA-256 (RFC 2104) of the kind, a zero byte and the value, where there is a key; else a
    number that passes: whoever knows the place gives the name (:func:`of_place`). Values stay here.
    """

    __slots__ = ("_key", "_numbers")

    def __init__(self, key: bytes = b"") -> None:
        self._key = key
        self._numbers: dict[tuple[str, bytes], int] = {}

    def of(self, kind: str, value: bytes) -> Fingerprint:
        """Name a secret."""
        if self._key:
            digest = hmac.digest(self._key, kind.encode() + b"\0" + value, "sha256")
            return Fingerprint(kind=HMAC, value=digest.hex())
        number = self._numbers.setdefault((kind, value), len(self._numbers))
        return Fingerprint(kind=PLACE, value=f"{kind}:{number}")


def key_id(key: bytes) -> str:
    """Name the key of the HMACs, so that reports can be told apart; empty without one."""
    return hmac.digest(key, b"keysift fingerprint key", "sha256").hex() if key else ""


NAMELESS = Fingerprint(kind=PLACE, value="")
"""The name of a secret that nothing public names, until its first place gives it one."""


def of_place(dump_sha256: str, rule: str, extent: Extent) -> Fingerprint:
    """Name a secret that has no public half by where it lies; says nothing of its value."""
    text = f"{dump_sha256}:{rule}:{extent.file_offset}:{extent.size}"
    return Fingerprint(kind=PLACE, value=hashlib.sha256(text.encode()).hexdigest())
