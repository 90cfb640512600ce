"""EncryptedPrivateKeyInfo, read strictly: what protects a key, and what one guess costs.

Sources: RFC 5958 section 3, RFC 8018 appendix A (PBES1, PBES2, PBKDF2), RFC 7914 section 7
(scrypt), RFC 7292 appendix C (the schemes of PKCS #12), OpenJDK's KeyProtector (JKS, JCEKS). A
password that is weak makes an encrypted key a plain one for whoever has the dump, so the cost of
one guess is part of what is said; trying one is for ``locks``.
"""

from dataclasses import dataclass

from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Reader
from scanner.detect.locked import locks
from scanner.detect.locked.locks import Lock

_PKCS5 = bytes.fromhex("2a864886f70d0105")
_PKCS12 = bytes.fromhex("2a864886f70d010c01")
PBES2, PBKDF2 = _PKCS5 + b"\x0d", _PKCS5 + b"\x0c"
SCRYPT = bytes.fromhex("2b06010401da47040b")
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

_PBKDF2_ROUND = {"SHA1": 0.6, "SHA224": 0.3, "SHA256": 0.25}
_PBES1_ROUND, _SCRYPT_STEP = 0.7, 0.4
"""Microseconds, measured: of an iteration of PBKDF2 for a key of 32 bytes, by its digest; of one of
the older schemes, and of PBKDF2 with longer digests; of a unit of N*r*p."""

_KEY = range(1, 65)
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
    lock: Lock | None
    """None where nothing here opens it."""


def parse(data: bytes) -> Envelope | None:
    """Parse the EncryptedPrivateKeyInfo at the start of ``data``; None for anything else."""
    size = der.total_size(data[: der.BACK])
    if size is None or size > len(data):
        return None
    try:
        body = Reader(data, 0, size).enter()
        scheme = _scheme(body.enter())
        ciphertext = body.content(der.OCTET_STRING)
        body.finish()
    except Malformed:
        return None
    if len(ciphertext) < _SMALLEST or len(ciphertext) % scheme.block:
        return None
    lock = (
        locks.jks(ciphertext)
        if scheme.name == _JKS
        else locks.jceks(scheme.salt, scheme.count, ciphertext)
        if scheme.name == _JCEKS
        else locks.pkcs8(data[:size], scheme.cost)
    )
    return Envelope(
        protection=scheme.said + strength(fast=scheme.fast),
        size=size,
        ciphertext=ciphertext,
        lock=lock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scheme:
    """What an AlgorithmIdentifier says: in words, and what a guess costs."""

    name: bytes
    said: str
    fast: bool
    """A guess costs little."""
    block: int = 8
    """Bytes of which a ciphertext is a multiple."""
    cost: int = 0
    """Microseconds of a derivation; 0 where none is tried."""
    salt: bytes = b""
    count: int = 0


def _scheme(identifier: Reader) -> _Scheme:
    """Read the AlgorithmIdentifier of a scheme."""
    name = identifier.content(der.OID)
    if name == _JKS:
        if identifier.peek() != -1:
            identifier.skip()
        identifier.finish()
        said = "JKS: SHA1 of the password, 1 iteration"
        return _Scheme(name=name, said=said, fast=True, block=1)
    parameters = identifier.enter()
    identifier.finish()
    if name == PBES2:
        derivation, fast, cost = _derivation(parameters.enter())
        cipher, block = _cipher(parameters.enter())
        parameters.finish()
        said = f"{derivation}, {cipher}"
        return _Scheme(name=name, said=said, fast=fast, block=block, cost=cost)
    known = {**_PBES1, _JCEKS: "JCEKS: MD5-3DES"}.get(name)
    if known is None:
        raise Malformed
    salt = parameters.content(der.OCTET_STRING)
    _bounded(len(salt), _SALT)
    count = _bounded(parameters.integer(), _ITERATIONS)
    parameters.finish()
    return _Scheme(
        name=name,
        said=f"{known}, {iterations(count)}",
        fast=True,
        block=1 if "RC4" in known else 8,
        cost=max(int(count * _PBES1_ROUND), 1),
        salt=salt,
        count=count,
    )


def strength(*, fast: bool) -> str:
    """Return what is said of a derivation of which a guess costs little, or enough."""
    return ": fast to guess" if fast else ": slow to guess"


def iterations(count: int) -> str:
    """Return how often a derivation is done, in words."""
    return "1 iteration" if count == 1 else f"{count} iterations"


def _derivation(identifier: Reader) -> tuple[str, bool, int]:
    """Read the key derivation of PBES2: in words, if a guess costs little, its microseconds."""
    name = identifier.content(der.OID)
    parameters = identifier.enter()
    identifier.finish()
    _bounded(len(parameters.content(der.OCTET_STRING)), _SALT)
    count = _bounded(parameters.integer(), _ITERATIONS)
    if name == SCRYPT:
        block, parallel = (_bounded(parameters.integer(), range(1, 1 << 20)) for _ in range(2))
        if parameters.peek() == der.INTEGER:
            parameters.integer()
        parameters.finish()
        said, work = f"scrypt N={count} r={block} p={parallel}", count * block * parallel
        tried = 128 * count * block <= locks.MOST_MEMORY
        return said, work < ENOUGH_SCRYPT, max(int(work * _SCRYPT_STEP), 1) if tried else 0
    if name != PBKDF2:
        raise Malformed
    if parameters.peek() == der.INTEGER:
        _bounded(parameters.integer(), _KEY)
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
    cost = max(int(count * _PBKDF2_ROUND.get(digest, _PBES1_ROUND)), 1)
    return f"PBKDF2-HMAC-{digest}, {iterations(count)}", count < enough, cost


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
