"""PKCS #12 stores that anybody can open: their keys lie under the empty password.

Source: RFC 7292. Exports without a password are made every day, and protect nothing: the key in
such a store is as good as plain. Java writes them with open lengths (BER). Only the bag of the key
is opened, under a bound on what one try costs; ``cryptography`` does it for PBES2, and what it does
not open without the store's own checksum is derived here (RFC 7292 appendix B). Passwords other
than the empty one are not tried: ``encrypted`` lists those keys, and their certificates are found
by ``x509``.
"""

import hashlib
import warnings
from collections.abc import Iterator

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.serialization import pkcs12

from scanner.detect import ber, der, effort
from scanner.detect.der import Malformed, Memory, Reader
from scanner.detect.keys import Proved, candidate, parse_private
from scanner.model import Place
from scanner.rules import Rule

MOST_ITERATIONS = {True: 100_000, False: 60_000}
"""Iterations of PBKDF2, and of the older derivation, that are tried: 20 ms, and 100 ms for Bouncy
Castle's 51,200."""

ITERATION = {True: 0.6, False: 7.4}
"""Microseconds of one of them, measured: the library's, and ours for both passwords."""

LONGEST_SALT = 64
"""Bytes."""

MOST_BAGS = 16
"""Bags of one store that are tried."""

_OPEN = b"\x30\x80"
"""A SEQUENCE of open length."""

_DATA = bytes.fromhex("2a864886f70d010701")
_SHROUDED = bytes.fromhex("2a864886f70d010c0a0102")
_TRIPLE_DES = bytes.fromhex("2a864886f70d010c0103")
_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_EMPTY = (b"\0\0", b"")
"""The empty password as a BMPString: with its terminator, and as some write it, without."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the keys of the store whose version stands at ``offset``, or whose header does."""
    starts = der.starts(memory, space, offset)
    lead = min(offset, len(_OPEN))
    if memory.clip(space, offset - lead, lead) == _OPEN:
        starts = (offset - lead,)
    for where in starts:
        data, size = _fetch(memory, space, where)
        place = Place(space=space, offset=where, size=size)
        for bag in shrouded(data):
            plain = opened(bag)
            parsed = parse_private(plain) if plain else None
            if parsed is not None:
                said = candidate(parsed, rule, "PKCS12, empty password", (place,))
                yield Proved(candidate=said, material=parsed.material)


def _fetch(memory: Memory, space: int, offset: int) -> tuple[bytes, int]:
    """Return the object at ``offset`` as DER, and its bytes there; nothing if it is not whole."""
    data = der.fetch(memory, space, offset)
    if data is not None:
        return data, len(data)
    if memory.clip(space, offset, 2) != _OPEN:
        return b"", 0
    try:
        return ber.to_der(memory.clip(space, offset, der.LIMIT))
    except Malformed:
        return b"", 0


def shrouded(data: bytes) -> list[bytes]:
    """Return the bags with an encrypted key of a DER PFX that fills ``data``, at most MOST_BAGS."""
    found: list[bytes] = []
    try:
        store = Reader(data).enter()
        if store.integer() != 3:
            return []
        contents = Reader(_definite(_content(store.enter()))).enter()
        while contents.peek() != -1:
            content = contents.element()
            if Reader(content).enter().content(der.OID) != _DATA:
                continue  # encrypted as a whole, as certificates are
            bags = Reader(_definite(_content(Reader(content).enter()))).enter()
            while bags.peek() != -1 and len(found) < MOST_BAGS:
                bag = bags.element()
                if Reader(bag).enter().content(der.OID) == _SHROUDED:
                    found.append(bag)
    except Malformed:
        pass
    return found


def _definite(data: bytes) -> bytes:
    """Return an object as DER that lay inside of an OCTET STRING as BER."""
    return data if der.total_size(data[: der.BACK]) == len(data) else ber.to_der(data)[0]


def _content(info: Reader) -> bytes:
    """Return what a ContentInfo of type data holds (RFC 2315 section 8)."""
    if info.content(der.OID) != _DATA:
        raise Malformed
    return info.enter(0xA0).content(der.OCTET_STRING)


def opened(bag: bytes) -> bytes:
    """Return the PKCS#8 object in a bag that opens with the empty password, else nothing."""
    try:
        fields = Reader(bag).enter()
        fields.content(der.OID)
        body = fields.enter(0xA0).enter()
        identifier = body.enter()
        ciphertext = body.content(der.OCTET_STRING)
        name = identifier.content(der.OID)
        parameters = identifier.enter()
        if name == _PBES2:
            derivation = parameters.enter()
            if derivation.content(der.OID) != _PBKDF2:
                return b""
            parameters = derivation.enter()
        salt, count = parameters.content(der.OCTET_STRING), parameters.integer()
    except Malformed:
        return b""
    if not 0 < count <= MOST_ITERATIONS[name == _PBES2] or len(salt) > LONGEST_SALT:
        return b""
    if name != _PBES2 and (name != _TRIPLE_DES or len(ciphertext) % 8):
        return b""
    effort.iterations(count, ITERATION[name == _PBES2])
    return _loaded(bag) if name == _PBES2 else _triple_des(ciphertext, salt, count)


def _loaded(bag: bytes) -> bytes:
    """Open a bag as the only one of a store without a checksum."""
    try:
        contents = der.write(der.SEQUENCE, _info(der.write(der.SEQUENCE, bag)))
        store = der.write(der.SEQUENCE, b"\x02\x01\x03" + _info(contents))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            key = pkcs12.load_pkcs12(store, b"").key
        if key is None:
            return b""
        return key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    except Exception:  # noqa: BLE001 - whatever it dislikes, the store is not open
        return b""


def _info(content: bytes) -> bytes:
    """Return a ContentInfo of type data."""
    inside = der.write(0xA0, der.write(der.OCTET_STRING, content))
    return der.write(der.SEQUENCE, der.write(der.OID, _DATA) + inside)


def _triple_des(ciphertext: bytes, salt: bytes, count: int) -> bytes:
    """Decrypt under pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 appendix C)."""
    for password in _EMPTY:
        key, vector = (derive(password, salt, count, use)[:size] for use, size in ((1, 24), (2, 8)))
        cipher = Cipher(TripleDES(key), modes.CBC(vector)).decryptor()
        plain = cipher.update(ciphertext)
        size = der.total_size(plain[: der.BACK])
        if size is not None and 1 <= len(plain) - size <= 8:
            return plain[:size]
    return b""


def derive(password: bytes, salt: bytes, count: int, use: int) -> bytes:
    """Derive 40 bytes with SHA-1 (RFC 7292 appendix B.2) for a use: 1 is a key, 2 a vector."""
    size = 64
    block = bytearray()
    for text in (salt, password):
        if text:
            block += (text * size)[:size]
    out = b""
    while len(out) < 40:
        digest = hashlib.sha1(bytes((use,)) * size + block, usedforsecurity=False).digest()
        for _ in range(count - 1):
            digest = hashlib.sha1(digest, usedforsecurity=False).digest()
        out += digest
        more = int.from_bytes((digest * 4)[:size], "big") + 1
        for at in range(0, len(block), size):
            total = int.from_bytes(block[at : at + size], "big") + more
            block[at : at + size] = (total % (1 << 8 * size)).to_bytes(size, "big")
    return out[:40]
