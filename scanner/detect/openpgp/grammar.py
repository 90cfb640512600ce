"""OpenPGP packets as RFC 9580, LibrePGP and older documents write them: headers, MPIs, S2K.

Here bytes become packets, and packets become fields; whether the numbers in them are a key is for
``transferable`` to say. Secret-Key and Secret-Subkey packets (tags 5 and 7) and the public ones (6
and 14) are read, versions 2 to 6, with headers of the old and of the new form. Partial and
indeterminate lengths and stubs of smart cards, in which no secret lies, are refused.
"""

import hashlib
import re
from dataclasses import dataclass, replace

from scanner.detect.cursor import Cursor, Mismatch

SECRET_TAGS = frozenset((5, 7))
"""Secret-Key and Secret-Subkey (RFC 9580 section 5.5.1)."""

PUBLIC_TAGS = frozenset((6, 14))

LONGEST = 16 * 1024
"""Bytes of the largest packet body: RSA of 16384 bits has 8 KiB of numbers."""

MODULUS = 11 + 16384 // 8
"""Bytes from a version to the end of an RSA modulus, at most."""

RSA = frozenset((1, 2, 3))
ELGAMAL = frozenset((16, 20))
DSA, ECDH, ECDSA, EDDSA = 17, 18, 19, 22
ON_CURVES = frozenset((ECDH, ECDSA, EDDSA))
"""Algorithms whose keys name their curve."""
NATIVE = {25: ("x25519", 32), 26: ("x448", 56), 27: ("ed25519", 32), 28: ("ed448", 57)}
"""Algorithms with fields of fixed length: ours, and the bytes of either half."""

CURVES: dict[bytes, str] = {
    bytes.fromhex("2a8648ce3d030107"): "P-256",
    bytes.fromhex("2b81040022"): "P-384",
    bytes.fromhex("2b81040023"): "P-521",
    bytes.fromhex("2b8104000a"): "secp256k1",
    bytes.fromhex("2b2403030208010107"): "brainpoolP256r1",
    bytes.fromhex("2b240303020801010b"): "brainpoolP384r1",
    bytes.fromhex("2b240303020801010d"): "brainpoolP512r1",
    bytes.fromhex("2b06010401da470f01"): "ed25519",
    bytes.fromhex("2b060104019755010501"): "x25519",
    bytes.fromhex("2b6571"): "ed448",
    bytes.fromhex("2b656f"): "x448",
}
"""RFC 9580 section 9.2 and LibrePGP section 9.2, content bytes."""

SIGNS, AGREES = frozenset(("ed25519", "ed448")), frozenset(("x25519", "x448"))
"""Curves that are good for one thing alone."""

_CIPHER_BLOCK = {1: 8, 2: 8, 3: 8, 4: 8, 7: 16, 8: 16, 9: 16, 10: 16, 11: 16, 12: 16, 13: 16}
"""Bytes of an initialisation vector by cipher (RFC 9580 section 9.3)."""

_NONCE = {1: 16, 2: 15, 3: 12}
"""Bytes of a nonce by AEAD mode (section 9.6)."""

_HASHES = {1: "MD5", 2: "SHA-1", 3: "RIPEMD-160", 8: "SHA-256", 9: "SHA-384", 10: "SHA-512"}
_HASHES |= {11: "SHA-224", 12: "SHA3-256", 14: "SHA3-512"}

_HASHED = 254

_BITS = range(2, 16384 + 1)
FIRST_TIME = 0x28000000
"""April 1991: there was no PGP before it."""

_RSA_HEAD = re.compile(
    rb"(?=(?:\x04[\x28-\xff].{3}[\x01-\x03])"
    rb"|(?:[\x05\x06][\x28-\xff].{3}[\x01-\x03]\0\0)"
    rb"|(?:[\x02\x03][\x28-\xff].{5}[\x01-\x03]))",
    re.DOTALL,
)
"""Version, time and algorithm; from version 5 on, how many bytes of numbers follow; up to version
3, days of validity before the algorithm."""

_BEFORE_NUMBERS = {2: 8, 3: 8, 4: 6, 5: 10, 6: 10}
"""Bytes of a body before its first number, by version."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Header:
    """A packet header: its tag, its own bytes, and the bytes of the body behind it."""

    tag: int
    size: int
    body: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What turns a passphrase into a key (RFC 9580 section 3.7.1), and how that key is used."""

    usage: int
    """254: a SHA-1 hash follows the secret; else its 16-bit sum does."""
    cipher: int
    digest: int
    salt: bytes
    """Empty for a simple specifier."""
    count: int
    """Bytes of salt and passphrase that are hashed, at least all of them once."""
    vector: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Body:
    """A key packet: what stands before the secret, and the secret where it lies open."""

    algorithm: int
    curve: str
    public: tuple[bytes, ...]
    """The numbers, or the encoded key, in the order in which the packet has them."""
    secret: tuple[bytes, ...] = ()
    protection: str = ""
    """How the secret is encrypted; empty where it is not, or where there is none."""
    derivation: Derivation | None = None
    """The same for whoever tries a passphrase; None for Argon2 and AEAD."""
    size: int
    """Bytes of the body; with an encrypted secret, up to where its ciphertext begins."""


def header(data: bytes, at: int = 0) -> Header | None:
    """Read the packet header at ``at`` (RFC 9580 section 4.2); None for anything else."""
    head = data[at : at + 6]
    if len(head) < 2 or not head[0] & 0x80:
        return None
    if head[0] & 0x40:
        tag, first = head[0] & 0x3F, head[1]
        if first < 192:
            return Header(tag=tag, size=2, body=first)
        if first < 224 and len(head) >= 3:
            return Header(tag=tag, size=3, body=((first - 192) << 8) + head[2] + 192)
        width, start = (4, 2) if first == 255 else (0, 0)
    else:
        tag, start = head[0] >> 2 & 0xF, 1
        width = (1, 2, 4, 0)[head[0] & 3]
    if not width or len(head) < start + width:
        return None
    body = int.from_bytes(head[start : start + width], "big")
    return Header(tag=tag, size=start + width, body=body)


def headers_before(lead: bytes) -> list[Header]:
    """Return the headers of key packets that end where ``lead``, up to six bytes, does."""
    found = []
    for size in (3, 2, 5, 6):
        head = header(lead, len(lead) - size) if size <= len(lead) else None
        if head is not None and head.size == size and head.tag in SECRET_TAGS | PUBLIC_TAGS:
            found.append(head)
    return found


def bodies_before(lead: bytes) -> list[int]:
    """Return where in ``lead`` the body of an RSA key packet may start whose modulus ends there."""
    found = []
    for match in _RSA_HEAD.finditer(lead):
        at = match.start()
        number = at + _BEFORE_NUMBERS[lead[at]]
        bits = int.from_bytes(lead[number : number + 2], "big")
        if number + 2 + (bits + 7) // 8 == len(lead):
            found.append(at)
    return found


def mpi(fields: Cursor, *, padded: bool = False) -> bytes:
    """Return the bytes of the next MPI, whose bit length must be the true one. Raises Mismatch.

    ``padded`` ones may begin with zeros: GnuPG keeps them in the seed of a curve.
    """
    bits = fields.number(2)
    if bits not in _BITS:
        raise Mismatch
    found = fields.raw((bits + 7) // 8)
    if not padded and found[0].bit_length() != (bits - 1) % 8 + 1:
        raise Mismatch
    return found


def read(body: bytes, *, secret: bool) -> Body:
    """Read a key packet's body from its version on. Raises Mismatch.

    ``secret`` says whether a secret follows, or the packet is a public one. The body may run on.
    """
    fields = Cursor(body)
    version, algorithm, curve, public = _front(fields)
    if not secret:
        return Body(algorithm=algorithm, curve=curve, public=public, size=fields.at)
    usage = fields.number(1)
    if version == 5:
        fields.number(1)  # bytes of the next fields, there are such or not (LibrePGP section 5.5.3)
    if usage:
        protection, derivation = _protection(fields, usage, version)
        return Body(
            algorithm=algorithm,
            curve=curve,
            public=public,
            protection=protection,
            derivation=derivation,
            size=fields.at,
        )
    size = fields.number(4) if version == 5 else 0
    start = fields.at
    numbers = _secret(fields, algorithm, padded=algorithm in ON_CURVES)
    written = body[start : fields.at]
    if version == 5 and len(written) != size:
        raise Mismatch
    if version != 6 and fields.number(2) != sum(written) & 0xFFFF:
        raise Mismatch
    return Body(algorithm=algorithm, curve=curve, public=public, secret=numbers, size=fields.at)


def begin(body: bytes) -> Body:
    """Read a body with an open secret of which the end is gone. Raises Mismatch.

    The secret has those numbers that are whole, and may have none; the size is that of what stands
    before it.
    """
    fields = Cursor(body)
    version, algorithm, curve, public = _front(fields)
    if fields.number(1):
        raise Mismatch
    fields.raw(5 if version == 5 else 0)
    start = fields.at
    numbers: list[bytes] = []
    try:
        for _ in range(4 if algorithm in RSA else 1):
            native = algorithm in NATIVE
            numbers.append(
                fields.raw(NATIVE[algorithm][1])
                if native
                else mpi(fields, padded=algorithm in ON_CURVES)
            )
    except Mismatch:
        pass
    return Body(algorithm=algorithm, curve=curve, public=public, secret=tuple(numbers), size=start)


def _front(fields: Cursor) -> tuple[int, int, str, tuple[bytes, ...]]:
    """Read what stands before a secret: version, algorithm, curve and the public numbers."""
    version = fields.number(1)
    if version not in _BEFORE_NUMBERS or fields.number(4) < FIRST_TIME:
        raise Mismatch
    if version < 4:
        fields.number(2)  # days of validity (RFC 4880 section 5.5.2)
    algorithm = fields.number(1)
    if version < 4 and algorithm not in RSA:
        raise Mismatch
    size = fields.number(4) if version > 4 else 0
    start = fields.at
    curve, public = _public(fields, algorithm)
    if version > 4 and fields.at - start != size:
        raise Mismatch
    return version, algorithm, curve, public


def _public(fields: Cursor, algorithm: int) -> tuple[str, tuple[bytes, ...]]:
    """Read the algorithm-specific public fields (RFC 9580 section 5.5.5)."""
    if algorithm in NATIVE:
        name, size = NATIVE[algorithm]
        return name, (fields.raw(size),)
    count = 2 if algorithm in RSA else 3 if algorithm in ELGAMAL else 4 if algorithm == DSA else 0
    if count:
        return "", tuple(mpi(fields) for _ in range(count))
    if algorithm not in ON_CURVES:
        raise Mismatch
    curve = CURVES.get(fields.counted(1), "")
    if not curve or (algorithm == EDDSA) != (curve in SIGNS):
        raise Mismatch
    if curve in AGREES and algorithm != ECDH:
        raise Mismatch
    point = mpi(fields)
    if algorithm == ECDH and (fields.raw(2) != b"\x03\x01" or fields.number(2) == 0):
        raise Mismatch
    return curve, (point,)


def opened(body: Body, plain: bytes) -> Body | None:
    """Return an encrypted key packet with the secret that ``plain`` begins with, if it fits.

    Behind it stand its SHA-1 hash, or its sum (RFC 9580 section 5.5.3).
    """
    fields = Cursor(plain)
    try:
        numbers = _secret(fields, body.algorithm, padded=True)
        written = plain[: fields.at]
        if body.derivation is not None and body.derivation.usage == _HASHED:
            sound = fields.raw(20) == hashlib.sha1(written, usedforsecurity=False).digest()
        else:
            sound = fields.number(2) == sum(written) & 0xFFFF
    except Mismatch:
        return None
    return replace(body, secret=numbers) if sound else None


def secret(data: bytes, algorithm: int) -> tuple[bytes, ...]:
    """Return the numbers of a secret that fills its bytes, without a sum. Raises Mismatch."""
    if algorithm not in RSA | NATIVE.keys() | ON_CURVES:
        raise Mismatch
    fields = Cursor(data)
    numbers = _secret(fields, algorithm, padded=algorithm in ON_CURVES)
    if fields.at != len(data):
        raise Mismatch
    return numbers


def _secret(fields: Cursor, algorithm: int, *, padded: bool) -> tuple[bytes, ...]:
    if algorithm in NATIVE:
        return (fields.raw(NATIVE[algorithm][1]),)
    return tuple(mpi(fields, padded=padded) for _ in range(4 if algorithm in RSA else 1))


def _protection(fields: Cursor, usage: int, version: int) -> tuple[str, Derivation | None]:
    """Read what stands before an encrypted secret (RFC 9580 section 5.5.3)."""
    if usage < 253:
        if version > 4 or usage not in _CIPHER_BLOCK:
            raise Mismatch
        fields.raw(_CIPHER_BLOCK[usage])
        return "MD5 of the passphrase", None
    if version < 4:
        raise Mismatch
    if version == 6:
        fields.number(1)
    cipher = fields.number(1)
    if cipher not in _CIPHER_BLOCK:
        raise Mismatch
    mode = fields.number(1) if usage == 253 else 0
    if usage == 253 and mode not in _NONCE:
        raise Mismatch
    if version == 6:
        fields.number(1)
    said, hashed = _s2k(fields)
    vector = fields.raw(_NONCE[mode] if mode else _CIPHER_BLOCK[cipher])
    if mode or version > 4 or hashed is None:
        return said, None
    digest, salt, count = hashed
    return said, Derivation(
        usage=usage, cipher=cipher, digest=digest, salt=salt, count=count, vector=vector
    )


def _s2k(fields: Cursor) -> tuple[str, tuple[int, bytes, int] | None]:
    """Read a string-to-key specifier (RFC 9580 section 3.7.1), and say how strong it is.

    The second is digest, salt and count, where it hashes.
    """
    kind = fields.number(1)
    if kind == 4:
        fields.raw(16)
        passes, lanes, memory = (fields.number(1) for _ in range(3))
        if not passes or not lanes or memory > 31:
            raise Mismatch
        return f"Argon2 {passes} passes of {1 << memory:,} KiB", None
    digest = fields.number(1)
    hashed = _HASHES.get(digest, "")
    if not hashed or kind not in (0, 1, 3):
        raise Mismatch
    if kind == 0:
        return f"simple {hashed}", (digest, b"", 0)
    salt = fields.raw(8)
    if kind == 1:
        return f"salted {hashed}", (digest, salt, 0)
    coded = fields.number(1)
    count = (16 + (coded & 15)) << (coded >> 4) + 6
    return f"iterated {hashed} over {count:,} bytes", (digest, salt, count)
