"""Encrypted PVK files: what makecert and signtool kept code-signing keys in.

Source: OpenSSL crypto/pem/pvkfmt.c, and wincrypt.h for the PRIVATEKEYBLOB inside. The password is
hashed once, with SHA-1, and RC4 or RC2 does the rest. An unencrypted file holds the blob as it is,
and ``cng`` finds it there. The layout is all that can be checked: a header whose lengths do not fit
the blob is refused.
"""

import struct
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from scanner.detect.algebra.material import Rsa
from scanner.detect.asn1.keys import Parsed
from scanner.detect.evidence import rsa_primes
from scanner.detect.locked import locks, pbe
from scanner.detect.locked.locks import Lock

MARK = b"\x1e\xf1\xb5\xb0"
"""The magic 0xb0b5f11e."""

LONGEST = 24 + 1024 + 8 + 12 + 2048 * 5
"""Bytes of header, salt and blob of the largest key."""

_HEADER = struct.Struct("<6I")
_BLOBS = (b"\x07\x02\0\0\0\xa4\0\0", b"\x07\x02\0\0\0\x24\0\0", b"\x07\x02\0\0\0\x22\0\0")
"""PUBLICKEYSTRUC of CALG_RSA_KEYX, CALG_RSA_SIGN and CALG_DSS_SIGN; always in the clear."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Pvk:
    """An encrypted file: what protects it, its ciphertext, and the bytes of all of it."""

    algorithm: str
    protection: str
    ciphertext: bytes
    size: int
    lock: Lock | None


def read(data: bytes) -> Pvk | None:
    """Read the encrypted PVK file at the start of ``data``; None for anything else."""
    if len(data) < _HEADER.size or not data.startswith(MARK):
        return None
    _, reserved, kind, encryption, salt, length = _HEADER.unpack_from(data)
    if reserved or kind not in (1, 2) or encryption not in (1, 2):
        return None
    if not 8 <= salt <= 64 or not 64 <= length <= LONGEST:
        return None
    at = _HEADER.size + salt
    blob = data[at : at + length]
    if len(blob) != length or blob[:8] not in _BLOBS:
        return None
    algorithm = "dsa" if blob[5] == 0x22 else "rsa"
    cipher = "RC4" if encryption == 1 else "RC2-CBC"
    return Pvk(
        algorithm=algorithm,
        protection=f"SHA1 of the password, 1 iteration, {cipher}{pbe.strength(fast=True)}",
        ciphertext=blob[8:],
        size=at + length,
        lock=_lock(data[_HEADER.size : at], blob[8:]) if cipher == "RC4" else None,
    )


def _lock(salt: bytes, ciphertext: bytes) -> Lock:
    """Return the lock of an RSA key under RC4: of 128 bits, or of 40 as exports once had them."""

    def opens(phrase: str) -> Parsed | None:
        digest = locks.sha1(salt + phrase.encode())
        for key in (digest[:16], digest[:5] + bytes(11)):
            plain = Cipher(ARC4(key), None).decryptor().update(ciphertext)
            if plain[:4] == b"RSA2" and (found := _rsa(plain)) is not None:
                return locks.parsed(found)
        return None

    return Lock(cost=2 * locks.FIRST, opens=opens)


def _rsa(plain: bytes) -> Rsa | None:
    """Read RSAPUBKEY and the numbers behind it: n, then p and q, little-endian."""
    bits, e = struct.unpack_from("<2I", plain, 4)
    at, numbers = 12, []
    for size in (bits // 8, bits // 16, bits // 16):
        numbers.append(int.from_bytes(plain[at : at + size], "little"))
        at += size
    n, p, q = numbers
    return rsa_primes(n, e, p, q)
