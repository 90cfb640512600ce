"""Private keys in NSS's key database, of which most have no passphrase: whoever has it opens it.

Sources: NSS sftkpwd.c, sftkdb.c, pkcs11t.h and pkcs11n.h (key4.db: SQLite, a column an attribute).
Each private number of a key is an EncryptedPrivateKeyInfo of its own, PBES2 with an initial vector
of 14 bytes behind its own header; what a passphrase is salted with stands in another table, between
the word ``password`` and a text that tells whether the passphrase was right. This module reads no
SQLite: rows lie in pages anywhere in memory, what adjoins in a row adjoins there too. It refuses
numbers that the public half in the same row does not prove, and databases before 2019 (key3.db,
and entries in 3DES).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.detect.asn1.keys import OKP_BYTES, Parsed
from scanner.detect.evidence import Key, ec_scalar, okp_derived, on_curve, rsa_primes
from scanner.detect.locked import locks, pbe
from scanner.detect.locked.locks import Lock
from scanner.detect.locked.sealed import Sealed, sealed
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

ENCODING = "NSS-key4"

MOST_SALTS = 8
"""Databases of one dump that are told apart, the first."""

_HMAC_SHA256 = bytes.fromhex("2a864886f70d0209")
_AES256_CBC = bytes.fromhex("60864801650304012a")

_HEAD = bytes((der.OID, len(pbe.PBES2))) + pbe.PBES2
"""How the AlgorithmIdentifier of an encrypted number goes on behind its header."""
_VECTOR, _BLOCK, _KEY = 14, 16, 32
_WORD = b"password"
_SALTS = range(8, 65)
"""Bytes of a global salt: NSS makes 20."""
_MOST = 6
"""Private numbers of a key: d, p, q, dp, dq and qinv."""
_SMALLEST, _LONGEST = 32, 1400
"""Bytes of the smallest ciphertext, and of the longest entry: d of 8192 bits."""
_ROW = 1536
"""Bytes of a row before and behind its private numbers that are searched for its public half."""
_LEAST_PRIME = 32
_ROUND = 0.25
"""Microseconds of an iteration of PBKDF2 with SHA-256, measured."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Entry:
    """A number that is encrypted."""

    salt: bytes
    count: int
    vector: bytes
    ciphertext: bytes
    size: int
    """Bytes of the object; the buffer may run on behind it."""


def entry(data: bytes) -> Entry | None:
    """Read the encrypted number at the start of ``data``; None for anything else."""
    size = der.total_size(data[: der.BACK])
    if size is None or not _BLOCK < size <= min(len(data), _LONGEST):
        return None
    try:
        body = Reader(data, 0, size).enter()
        scheme = _named(body.enter(), pbe.PBES2)
        ciphertext = body.content(der.OCTET_STRING)
        body.finish()
        parts = scheme.enter()
        fields = _named(parts.enter(), pbe.PBKDF2).enter()
        salt, count, length = fields.content(der.OCTET_STRING), fields.integer(), fields.integer()
        _named(fields.enter(), _HMAC_SHA256)
        vector = _named(parts.enter(), _AES256_CBC).content(der.OCTET_STRING)
    except Malformed:
        return None
    sizes = len(vector), length, len(ciphertext) % _BLOCK
    if sizes != (_VECTOR, _KEY, 0) or not ciphertext or not 0 < count < 1 << 31:
        return None
    header = bytes((der.OCTET_STRING, _VECTOR))  # softoken takes the element as it is for 16 bytes
    return Entry(salt=salt, count=count, vector=header + vector, ciphertext=ciphertext, size=size)


def _named(identifier: Reader, name: bytes) -> Reader:
    """Return what follows the name of an algorithm. Raises Malformed for another."""
    if identifier.content(der.OID) != name:
        raise Malformed
    return identifier


def read(memory: Memory, space: int, offset: int, first: Entry, rule: Rule) -> Sealed | None:
    """Return the key whose private numbers begin at ``offset``, or the salt that opens others.

    None where it goes with a number before it, or is shorter than any.
    """
    lead = min(offset, _LONGEST)
    before = memory.clip(space, offset - lead, lead)
    said = f"PBKDF2-HMAC-SHA256, {pbe.iterations(first.count)}, AES-256-CBC"
    said += pbe.strength(fast=first.count < pbe.ENOUGH["SHA256"])
    word = before.rfind(_WORD, -len(_WORD) - _SALTS.stop)
    salt = before[word + len(_WORD) :] if word >= 0 else b""
    place = Place(space=space, offset=offset, size=first.size)
    if len(salt) in _SALTS and len(first.ciphertext) == _BLOCK:  # of a text of 14 bytes
        found = sealed(rule, ENCODING, place, first.ciphertext, protection=said)
        return replace(found, salt=salt)
    if len(first.ciphertext) < _SMALLEST or any(last == len(before) for last in _ends(before)):
        return None
    entries, size = [first], first.size
    while len(entries) < _MOST:
        following = entry(memory.clip(space, offset + size, _LONGEST))
        if following is None:
            break
        entries.append(following)
        size += following.size
    place = replace(place, size=size)
    row = memory.clip(space, offset - min(offset, _ROW), min(offset, _ROW))
    row += memory.clip(space, offset + size, _ROW)
    value = b"".join(one.ciphertext for one in entries)
    found = sealed(rule, ENCODING, place, value, protection=said)
    return replace(found, waits=_waits(entries, row))


def locked(found: Sequence[Sealed]) -> list[Sealed]:
    """Give keys that wait for a salt their lock, and drop the salts, which are no keys."""
    salts = list(dict.fromkeys(one.salt for one in found if one.salt))[:MOST_SALTS]
    return [
        replace(one, lock=one.waits(salts)) if one.waits is not None and salts else one
        for one in found
        if not one.salt
    ]


def _ends(before: bytes) -> Iterator[int]:
    """Yield where encrypted numbers end that begin in ``before``."""
    at = before.find(_HEAD)
    while at >= 0:
        for start in der.headers_before(before, at - 2):
            known = entry(before[start:])
            if known is not None:
                yield start + known.size
        at = before.find(_HEAD, at + 1)


def _waits(entries: Sequence[Entry], row: bytes) -> Callable[[Sequence[bytes]], Lock]:
    tried = entries[1:3] or entries[:1]  # the primes, or the one number of other keys

    def waits(salts: Sequence[bytes]) -> Lock:
        def opens(phrase: str) -> Parsed | None:
            for salt in salts:
                digest = locks.sha1(salt + phrase.encode())
                for one in tried:
                    number = _decrypt(one, digest)
                    if not number:
                        break  # another passphrase, or another database
                    key = _proved(number, row)
                    if key is not None:
                        return locks.parsed(key)
            return None

        cost = locks.FIRST + int(tried[0].count * _ROUND)
        return Lock(cost=cost * len(salts), opens=opens)

    return waits


def _decrypt(one: Entry, digest: bytes) -> bytes:
    """Return a number as bytes; empty where the padding is not right."""
    key = hashlib.pbkdf2_hmac("sha256", digest, one.salt, one.count, _KEY)
    cipher = Cipher(algorithms.AES256(key), modes.CBC(one.vector)).decryptor()
    plain = cipher.update(one.ciphertext)
    pad = plain[-1]
    whole = 1 <= pad <= _BLOCK and plain.endswith(bytes((pad,)) * pad)
    return plain[:-pad] if whole else b""


def _proved(number: bytes, row: bytes) -> Key | None:
    """Return the key of a private number whose public half stands in its row."""
    if len(number) in OKP_BYTES.values():
        for algorithm in OKP_BYTES:
            key = okp_derived(algorithm, number)
            if key is not None and key.public in row:
                return key
    value = int.from_bytes(number, "big")
    for curve, size in FIELD_BYTES.items():
        if size - _BLOCK <= len(number) <= size + 1:
            for x, y in _points(row, curve, size):
                ec = ec_scalar(curve, value, x, y)
                if ec is not None:
                    return ec
    return _divided(value, len(number), row)


def _points(row: bytes, curve: str, size: int) -> Iterator[tuple[int, int]]:
    """Yield the uncompressed points of a curve (SEC1 2.3.3) in a row."""
    at = row.find(4)
    while at >= 0:
        x, y = (int.from_bytes(row[at + 1 + n * size :][:size], "big") for n in (0, 1))
        if on_curve(curve, x, y):
            yield x, y
        at = row.find(4, at + 1)


def _divided(prime: int, size: int, row: bytes) -> Key | None:
    """Return the RSA key of a prime of ``size`` bytes that divides a number in its row."""
    if size < _LEAST_PRIME or not prime & 1:
        return None
    for at in range(len(row) - 2 * size + 1):
        n = int.from_bytes(row[at : at + 2 * size], "big")
        if n % prime == 0 and row[at] and n:
            behind = int.from_bytes(row[at + 2 * size :][:3], "big")
            for e in dict.fromkeys((65537, behind, behind >> 8, behind >> 16)):
                key = rsa_primes(n, e, prime, n // prime) if e > 2 else None
                if key is not None:
                    return key
    return None
