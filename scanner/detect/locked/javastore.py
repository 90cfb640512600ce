"""What Java's key stores hold sealed: secret keys of JCEKS, entries of BKS, and UBER as a whole.

Sources: OpenJDK's SealedObjectForKeyProtector in Java's serialization (Object Serialization Stream
Protocol, section 6.4), Bouncy Castle's BcKeyStoreSpi. Private keys of JKS, JCEKS and PKCS #12 are
EncryptedPrivateKeyInfo, which ``encrypted`` reads wherever they lie; certificates are found by
``x509``, open entries of BKS by ``keys``. Aliases are passed over and never said. Behind the header
of a UBER store is ciphertext alone, so that it is but the shape of one.
"""

import re
from collections.abc import Iterator

from scanner.detect.asn1.der import OCTET_STRING as _OCTETS
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.detect.cursor import Cursor, Mismatch, within
from scanner.detect.locked import pbe
from scanner.detect.locked.sealed import Sealed, sealed
from scanner.model import Confidence, Place
from scanner.rules import Rule

LONGEST = 64 * 1024
"""Bytes of a store, or of a sealed object, that are read."""

MOST_ENTRIES = 256

_STREAM = bytes.fromhex("aced0005")
# A byte array and its length, after its class or a reference to it.
_ARRAY = re.compile(
    rb"ur\x00\x02\[B\xac\xf3\x17\xf8\x06\x08T\xe0\x02\x00\x00xp(....)|uq\x00~\x00.(....)", re.DOTALL
)
_SEALED_HEAD = 600
_SALT = 20
_ITERATIONS = range(1, 1 << 31)
_BKS_ITERATIONS = range(1024, 2048)
_DISTINCT = 10
_CERTIFICATE, _KEY, _SECRET, _SEALED = 1, 2, 3, 4
_SMALLEST = 32
_PIECE, _VARIED = 64, 48
"""Different values in 64 bytes of ciphertext: fewer come once in a million."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed]:
    """Yield what is sealed in the object or in the store at ``offset``."""
    data = memory.clip(space, offset, LONGEST)
    rows = list(_jceks(data)) if data.startswith(_STREAM) else _bks(data)
    if not rows and (whole := _uber(data)):
        place = Place(space=space, offset=offset, size=whole)
        count = int.from_bytes(data[28:32], "big")
        said = f"PKCS12-PBE SHA1-Twofish, {pbe.iterations(count)}{pbe.strength(fast=True)}"
        value, shape = data[:whole], Confidence.SHAPE
        yield sealed(rule, "UBER store", place, value, protection=said, confidence=shape)
    for start, size, encoding, protection in rows:
        place = Place(space=space, offset=offset + start, size=size)
        value = data[start : start + size]
        yield sealed(rule, encoding, place, value, protection=protection)


def _jceks(data: bytes) -> Iterator[tuple[int, int, str, str]]:
    """Read a sealed object: parameters in DER, then ciphertext, each an array of bytes."""
    first = _ARRAY.search(data, 0, _SEALED_HEAD)
    if first is None:
        return
    at = first.end()
    size = int.from_bytes(first[1] or first[2], "big")
    try:
        parameters = Reader(data[at : at + min(size, 64)]).enter()
        parameters.content(_OCTETS)
        count = parameters.integer()
        parameters.finish()
    except Malformed:
        return
    second = _ARRAY.match(data, at + size)
    if second is None or count not in _ITERATIONS:
        return
    size = int.from_bytes(second[1] or second[2], "big")
    if not _SMALLEST <= size <= len(data) - second.end() or size % 8:
        return
    said = f"JCEKS: MD5-3DES, {pbe.iterations(count)}{pbe.strength(fast=True)}"
    yield 0, second.end() + size, "JCEKS sealed object", said


def _bks(data: bytes) -> list[tuple[int, int, str, str]]:
    """Read the sealed entries of a store of version 1 or 2; none if any field is out of bounds."""
    fields = Cursor(data)
    found: list[tuple[int, int, str, str]] = []
    try:
        if fields.number(4) not in (1, 2) or fields.number(4) != _SALT:
            return []
        if len(set(fields.raw(_SALT))) < _DISTINCT or fields.number(4) not in _BKS_ITERATIONS:
            return []
        for _ in range(MOST_ENTRIES):
            kind = fields.number(1)
            if not kind:
                fields.raw(_SALT)
                return found
            found += _entry(fields, kind)
    except Mismatch:
        pass
    return []


def _uber(data: bytes) -> int:
    """Return the bytes of a store that is encrypted behind its salt and count, 0 if it is none.

    Where it ends nothing says: it goes on for as long as its bytes look like ciphertext.
    """
    fields = Cursor(data)
    try:
        if fields.number(4) != 1 or fields.number(4) != _SALT:
            return 0
        if len(set(fields.raw(_SALT))) < _DISTINCT or fields.number(4) not in _BKS_ITERATIONS:
            return 0
    except Mismatch:
        return 0
    end = fields.at
    while len(set(data[end : end + _PIECE])) >= _VARIED:
        end += _PIECE
    return min(end, len(data)) if end > fields.at else 0


def _entry(fields: Cursor, kind: int) -> list[tuple[int, int, str, str]]:
    """Read one entry behind its kind: alias, date, certificates, then what the kind says."""
    fields.counted(2)
    fields.raw(8)
    for _ in range(within(fields.number(4), 16)):
        _pass_certificate(fields)
    if kind == _CERTIFICATE:
        _pass_certificate(fields)
    elif kind == _KEY:
        fields.raw(1)
        fields.counted(2)
        fields.counted(2)
        fields.counted(4)
    elif kind in (_SECRET, _SEALED):
        size = fields.number(4)
        start = fields.at
        inner = Cursor(fields.raw(size))
        if kind == _SEALED:
            inner.counted(4, 64)
            count = inner.number(4)
            left = size - inner.at
            if not count or left < _SMALLEST or left % 8:
                raise Mismatch
            said = f"PKCS12-PBE SHA1-3DES, {pbe.iterations(count)}{pbe.strength(fast=True)}"
            return [(start, size, "BKS entry", said)]
    else:
        raise Mismatch
    return []


def _pass_certificate(fields: Cursor) -> None:
    """Pass over a certificate: its type, its length, its bytes."""
    fields.counted(2, 64)
    fields.counted(4)
