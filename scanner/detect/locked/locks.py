"""Locks: what a passphrase is tried on, what one try costs, and the key that stands behind it.

An encrypted key whose passphrase lies in the same dump is a key for whoever has the dump. So each
family gives what it takes to try one; whether and what is tried is for ``stages.unlock``.
``cryptography`` opens what it knows: PKCS#8 (RFC 8018, RFC 7292 appendix C), traditional PEM,
OpenSSH. Java's schemes, which no library here has, are OpenJDK's KeyProtector of JKS and of JCEKS.
A wrong passphrase gives None; a right one gives a key that ``keys`` parsed as it parses any other.
What one try costs must be known beforehand: a lock that takes more memory than MOST_MEMORY has
none. Passphrases are never kept, and no error of a library is let out, for it may quote one.
"""

import base64
import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from scanner.detect.asn1 import der
from scanner.detect.asn1.keys import Parsed, parse_private
from scanner.detect.evidence import PROOFS, Key
from scanner.model import Confidence

MOST_MEMORY = 64 << 20
"""Bytes that one try may take: scrypt and Argon2 are made to want more."""

FIRST = 10
"""Microseconds of a try, whatever else it does."""

_BCRYPT_ROUND = 8000
_JCEKS_ROUND = 0.7
"""Microseconds, measured: a round of bcrypt_pbkdf, one of MD5 in Python."""

_SSH_CIPHERS = (b"aes256-ctr", b"aes256-cbc", b"aes256-gcm@openssh.com")
"""What the library decrypts; the first is what ssh-keygen takes."""

_LINE = 64


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Lock:
    """What opens with a passphrase."""

    cost: int
    """Microseconds of one try, of a processor core as it was measured."""
    opens: Callable[[str], Parsed | None]


def parsed(key: Key) -> Parsed:
    """Return a key whose equation closed as what a lock gives."""
    proof = PROOFS[type(key)]
    return Parsed(material=key, form="", confidence=Confidence.PROOF, proof=proof, size=0)


# --- what the library opens ---------------------------------------------------------------------


def pkcs8(data: bytes, cost: int) -> Lock | None:
    """Return the lock of an EncryptedPrivateKeyInfo; ``cost`` is that of its derivation, or 0."""
    if not cost:
        return None

    def opens(phrase: str) -> Parsed | None:
        return _loaded(
            lambda: serialization.load_der_private_key(
                data, phrase.encode(), unsafe_skip_rsa_key_validation=True
            )
        )

    return Lock(cost=FIRST + cost, opens=opens)


def traditional(label: bytes, cipher: bytes, vector: bytes, ciphertext: bytes) -> Lock:
    """Return the lock of a PEM with DEK-Info; ``label`` as in its BEGIN line, ``vector`` in hex."""
    body = base64.b64encode(ciphertext)
    lines = [body[at : at + _LINE] for at in range(0, len(body), _LINE)]
    head = [b"Proc-Type: 4,ENCRYPTED", b"DEK-Info: %b,%b" % (cipher, vector), b""]
    text = b"\n".join([b"-----BEGIN %b-----" % label, *head, *lines, b"-----END %b-----" % label])

    def opens(phrase: str) -> Parsed | None:
        return _loaded(
            lambda: serialization.load_pem_private_key(
                text, phrase.encode(), unsafe_skip_rsa_key_validation=True
            )
        )

    return Lock(cost=FIRST, opens=opens)


def openssh(file: bytes, cipher: bytes, rounds: int) -> Lock | None:
    """Return the lock of an openssh-key-v1 file, given in binary; None for a rare cipher."""
    if cipher not in _SSH_CIPHERS:
        return None
    label = b"OPENSSH PRIVATE KEY"
    text = b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (label, base64.b64encode(file), label)

    def opens(phrase: str) -> Parsed | None:
        return _loaded(
            lambda: serialization.load_ssh_private_key(
                text, phrase.encode(), unsafe_skip_rsa_key_validation=True
            )
        )

    return Lock(cost=FIRST + rounds * _BCRYPT_ROUND, opens=opens)


class _Key(Protocol):
    """A private key of ``cryptography``, whose own unions of them differ by loader and version."""

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        form: serialization.PrivateFormat,
        lock: serialization.KeySerializationEncryption,
        /,
    ) -> bytes: ...


def _loaded(load: Callable[[], _Key]) -> Parsed | None:
    """Load a key, and parse it again as what lies open is parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plain = load().private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
    except Exception:  # noqa: BLE001 - whatever it dislikes, the lock is not open
        return None
    return parse_private(plain)


# --- Java ---------------------------------------------------------------------------------------


def jks(data: bytes) -> Lock | None:
    """Return the lock of the ciphertext of a JKS entry: salt, key, digest (KeyProtector)."""
    salt, ciphertext, digest = data[:20], data[20:-20], data[-20:]
    if not ciphertext:
        return None

    def opens(phrase: str) -> Parsed | None:
        password = phrase.encode("utf-16-be")
        key = sha1(password + salt)
        if ciphertext[0] ^ key[0] != der.SEQUENCE:
            return None
        stream = bytearray(key)
        while len(stream) < len(ciphertext):
            key = sha1(password + key)
            stream += key
        plain = bytes(a ^ b for a, b in zip(ciphertext, stream, strict=False))
        return parse_private(plain) if sha1(password + plain) == digest else None

    return Lock(cost=FIRST, opens=opens)


def jceks(salt: bytes, count: int, ciphertext: bytes) -> Lock | None:
    """Return the lock of a JCEKS entry."""
    if len(salt) != 8 or len(ciphertext) % 8:
        return None
    first, second = salt[:4], salt[4:]
    if first == second:  # what PBES1Core meant to do: it turns the first half around
        first = bytes((first[3], first[0], first[1], first[2]))

    def opens(phrase: str) -> Parsed | None:
        password = bytes(byte & 0x7F for byte in phrase.encode("latin-1", "replace"))
        derived = b""
        for half in (first, second):
            digest = half
            for _ in range(count):
                digest = hashlib.md5(digest + password, usedforsecurity=False).digest()
            derived += digest
        cipher = Cipher(TripleDES(derived[:24]), modes.CBC(derived[24:])).decryptor()
        return parse_private(cipher.update(ciphertext))

    return Lock(cost=FIRST + int(2 * count * _JCEKS_ROUND), opens=opens)


def sha1(data: bytes) -> bytes:
    """Return the digest of what is hashed once: it protects little, and is not ours to choose."""
    return hashlib.sha1(data, usedforsecurity=False).digest()
