"""EncryptedPrivateKeyInfo, read strictly: what protects a key, and what one guess costs.

Sources: RFC 5958 section 3, RFC 8018 appendix A (PBES1, PBES2, PBKDF2), RFC 7914 section 7
(scrypt), RFC 7292 appendix C (the schemes of PKCS #12), OpenJDK's KeyProtector (JKS, JCEKS). A
password that is weak makes an encrypted key a plain one for whoever has the dump, so the cost of
one guess is part of what is said. This module tries no password.
"""

from dataclasses import dataclass

from scanner.detect import der
from scanner.detect.der import Malformed, Reader

_PKCS5 = bytes.fromhex("2a864886f70d0105")
_PKCS12 = bytes.fromhex("2a864886f70d010c01")
_PBES2, _PBKDF2 = _PKCS5 + b"\x0d", _PKCS5 + b"\x0c"
_SCRYPT = bytes.fromhex("2b06010401da47040b")
_DIGEST = bytes.fromhex("2a864886f70d02")

_PBES1 = {
    _PKCS5 + bytes((last,)): name
    for last, name in (
        (1, "PBES1 MD2-DES"),
        (3, "PBES1 MD5-DES"),
        (4, "PBES1 MD2-RC2"),
        (6, "PBES1 MD5-RC2"),
        (10, "PBES1 SHA1-DES"),
        (11, "PBES1 SHA1-RC2"),
    )
} | {
    _PKCS12 + bytes((last,)): f"PKCS12-PBE SHA1-{name}"
    for last, name in enumerate(("RC4-128", "RC4-40", "3DES", "2DES", "RC2-128", "RC2-40"), 1)
}
"""Schemes that derive and encrypt in one (RFC 8018 A.3, RFC 7292 C)."""

_JAVA = bytes.fromhex("2b060104012a02")
_JKS, _JCEKS = _JAVA + b"\x11\x01\x01", _JAVA + b"\x13\x01"
"""The schemes of Java's key stores: com.sun...KeyProtector of JKS and of JCEKS."""

_PRFS = dict(
    enumerate(("SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512-224", "SHA512-256"), 7)
)
"""hmacWithSHA1 = digestAlgorithm 7 and the next ones (RFC 8018 B.1)."""

_AES = bytes.fromhex("6086480165030401")
_CIPHERS = {
    **{
        _AES + bytes((first + last,)): (f"AES-{bits}-{mode}", block)
        for first, bits in ((0, 128), (20, 192), (40, 256))
        for last, mode, block in ((2, "CBC", 16), (6, "GCM", 1))
    },
    bytes.fromhex("2a864886f70d0307"): ("3DES-CBC", 8),
    bytes.fromhex("2b0e030207"): ("DES-CBC", 8),
    bytes.fromhex("2a864886f70d0302"): ("RC2-CBC", 8),
}
"""Ciphers of PBES2, and the bytes of which a ciphertext is a multiple (RFC 8018 B.2, RFC 5084)."""

ENOUGH = {"SHA256": 600_000, "SHA512": 210_000, "SHA1": 1_300_000}
"""Iterations of PBKDF2 that OWASP's Password Storage Cheat Sheet asks for at least."""

ENOUGH_SCRYPT = (1 << 14) * 8 * 5
"""N*r*p of the same source."""

_SALT = range(1, 1025)
_ITERATIONS = range(1, 1 << 31)
_SMALLEST = 32
"""Bytes of the smallest ciphertext: an Ed25519 key has 48."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Envelope:
    """An encrypted key that was read from DER: what protects it, and its ciphertext."""

    protection: str
    size: int
    """Bytes of the object; the buffer may run on behind it."""
    ciphertext: bytes


def parse(data: bytes) -> Envelope | None:
    """Parse the EncryptedPrivateKeyInfo at the start of ``data``; None for anything else."""
    size = der.total_size(data[: der.BACK])
    if size is None or size > len(data):
        return None
    try:
        body = Reader(data, 0, size).enter()
        protection, block = _scheme(body.enter())
        ciphertext = body.content(der.OCTET_STRING)
        body.finish()
    except Malformed:
        return None
    if len(ciphertext) < _SMALLEST or len(ciphertext) % block:
        return None
    return Envelope(protection=protection, size=size, ciphertext=ciphertext)


def _scheme(identifier: Reader) -> tuple[str, int]:
    """Return what an AlgorithmIdentifier says of a scheme, and its block."""
    name = identifier.content(der.OID)
    if name == _PBES2:
        parameters = identifier.enter()
        identifier.finish()
        derivation, fast = _derivation(parameters.enter())
        cipher, block = _cipher(parameters.enter())
        parameters.finish()
    elif name in _PBES1:
        parameters = identifier.enter()
        identifier.finish()
        _bounded(len(parameters.content(der.OCTET_STRING)), _SALT)
        count = _bounded(parameters.integer(), _ITERATIONS)
        parameters.finish()
        derivation, fast = f"{_PBES1[name]}, {count} iterations", True
        cipher, block = "", 1 if "RC4" in derivation else 8
    elif name in (_JKS, _JCEKS):
        derivation, block = _java(name, identifier)
        cipher, fast = "", True
    else:
        raise Malformed
    said = f"{derivation}, {cipher}" if cipher else derivation
    return said + strength(fast=fast), block


def _java(name: bytes, identifier: Reader) -> tuple[str, int]:
    """Return what is said of a scheme of Java's key stores, and its block."""
    if name == _JKS:
        if identifier.peek() != -1:
            identifier.skip()
        identifier.finish()
        return "JKS: SHA1 of the password, 1 iteration", 1
    parameters = identifier.enter()
    identifier.finish()
    _bounded(len(parameters.content(der.OCTET_STRING)), _SALT)
    count = _bounded(parameters.integer(), _ITERATIONS)
    parameters.finish()
    return f"JCEKS: MD5-3DES, {count} iterations", 8


def strength(*, fast: bool) -> str:
    """Return what is said of a derivation of which a guess costs little, or enough."""
    return ": fast to guess" if fast else ": slow to guess"


def _derivation(identifier: Reader) -> tuple[str, bool]:
    """Return what is said of the key derivation of PBES2, and whether a guess costs little."""
    name = identifier.content(der.OID)
    parameters = identifier.enter()
    identifier.finish()
    _bounded(len(parameters.content(der.OCTET_STRING)), _SALT)
    count = _bounded(parameters.integer(), _ITERATIONS)
    if name == _SCRYPT:
        block, parallel = (_bounded(parameters.integer(), range(1, 1 << 20)) for _ in range(2))
        if parameters.peek() == der.INTEGER:
            parameters.integer()
        parameters.finish()
        said = f"scrypt N={count} r={block} p={parallel}"
        return said, count * block * parallel < ENOUGH_SCRYPT
    if name != _PBKDF2:
        raise Malformed
    if parameters.peek() == der.INTEGER:
        parameters.integer()
    digest = "SHA1"
    if parameters.peek() == der.SEQUENCE:
        function = parameters.enter()
        oid = function.content(der.OID)
        if function.peek() != -1:
            function.skip()
        function.finish()
        if not oid.startswith(_DIGEST) or len(oid) != len(_DIGEST) + 1 or oid[-1] not in _PRFS:
            raise Malformed
        digest = _PRFS[oid[-1]]
    parameters.finish()
    enough = ENOUGH.get(digest, ENOUGH["SHA256"])
    return f"PBKDF2-HMAC-{digest}, {count} iterations", count < enough


def _cipher(identifier: Reader) -> tuple[str, int]:
    """Return the name of the cipher of PBES2, and its block; unknown ones have a number only."""
    name = identifier.content(der.OID)
    if identifier.peek() != -1:
        identifier.skip()
    identifier.finish()
    return _CIPHERS.get(name, ("another cipher", 1))


def _bounded(number: int, bounds: range) -> int:
    if number not in bounds:
        raise Malformed
    return number
