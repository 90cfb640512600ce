"""PKCS #12 stores that anybody can open: their keys lie under the empty password.

Source: RFC 7292. Exports without a password are made every day, and protect nothing: the key in
such a store is as good as plain. Java writes them with open lengths (BER). Only the bag of the key
is opened, under a bound on what one try costs: PBES2 (RFC 8018), and Triple DES by RFC 7292
appendix B. No library does it, for one that loads a key searches its numbers for primes, as long as
a dump asks for; nor does one take the empty password for a key that lies outside of a store, or in
what is left of one. Passwords other than that are not tried here: ``encrypted`` lists those keys,
and their certificates are found by ``x509``.
"""

import hashlib
from collections.abc import Callable, Iterator

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from scanner.detect.algebra import effort
from scanner.detect.asn1 import ber, der
from scanner.detect.asn1.der import Malformed, Memory, Reader
from scanner.detect.asn1.keys import Parsed, Proved, candidate, parse_private
from scanner.detect.locked import pbe
from scanner.detect.locked.locks import MOST_MEMORY, Lock
from scanner.model import Place
from scanner.rules import Rule

MOST_ITERATIONS = {True: 100_000, False: 60_000}
"""Iterations of PBKDF2, and of the older derivation, that are tried: 20 ms, and 100 ms for Bouncy
Castle's 51,200."""

ITERATION = {True: 0.6, False: 7.4}
"""Microseconds of one of them, measured: the library's, and ours for both passwords."""

MOST_PAID = 2700
"""Iterations of the older derivation that are tried for a lock, in 20 ms: the lock says less."""

LONGEST_SALT = 64
"""Bytes."""

MOST_BAGS = 16
"""Bags of one store that are tried."""

_OPEN = b"\x30\x80"
"""A SEQUENCE of open length."""

_DATA = bytes.fromhex("2a864886f70d010701")
_SHROUDED = bytes.fromhex("2a864886f70d010c0a0102")
_TRIPLE_DES = bytes.fromhex("2a864886f70d010c0103")
_DIGESTS = {
    bytes.fromhex("2a864886f70d02") + bytes((number,)): name
    for number, name in enumerate(("sha1", "sha224", "sha256", "sha384", "sha512"), 7)
}
_SHA1 = bytes.fromhex("2a864886f70d0207")
"""hmacWithSHA1 and the next ones; the first is taken where none is named (RFC 8018 A.2)."""

_CIPHERS: dict[bytes, tuple[Callable[[bytes], BlockCipherAlgorithm], int, int]] = {
    bytes.fromhex("608648016503040102"): (AES, 16, 16),
    bytes.fromhex("608648016503040116"): (AES, 24, 16),
    bytes.fromhex("60864801650304012a"): (AES, 32, 16),
    bytes.fromhex("2a864886f70d0307"): (TripleDES, 24, 8),
}
"""Ciphers of PBES2, all in CBC: bytes of a key, and of a block (RFC 8018 B.2)."""

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
        return _opened(fields.enter(0xA0).enter())
    except Malformed:
        return b""


def emptied(data: bytes, other: Lock | None) -> Lock | None:
    """Return the lock of an EncryptedPrivateKeyInfo that the empty password may open as well.

    What it costs is what the other one says: that bounds it.
    """
    if other is None:
        return None

    def opens(phrase: str) -> Parsed | None:
        found = other.opens(phrase)
        if found is not None or phrase:
            return found
        try:
            plain = _opened(Reader(data).enter(), paid=True)
        except Malformed:
            return None
        return parse_private(plain) if plain else None

    return Lock(cost=other.cost, opens=opens)


def _opened(body: Reader, *, paid: bool = False) -> bytes:
    """Return what opens with the empty password, else nothing. Raises Malformed.

    Where the caller ``paid``, a derivation may cost what it does, and may be scrypt.
    """
    identifier = body.enter()
    ciphertext = body.content(der.OCTET_STRING)
    name = identifier.content(der.OID)
    parameters = identifier.enter()
    if name == pbe.PBES2:
        return _pbes2(parameters, ciphertext, paid=paid)
    if name != _TRIPLE_DES:
        return b""
    salt, count = parameters.content(der.OCTET_STRING), parameters.integer()
    if paid and count > MOST_PAID:
        return b""
    return _triple_des(ciphertext, salt, count)


def _pbes2(parameters: Reader, ciphertext: bytes, *, paid: bool) -> bytes:
    """Decrypt under a derivation and a cipher of _CIPHERS. Raises Malformed."""
    derivation, scheme = parameters.enter(), parameters.enter()
    named = derivation.content(der.OID)
    cipher, vector = _CIPHERS.get(scheme.content(der.OID)), scheme.content(der.OCTET_STRING)
    if cipher is None or len(vector) != cipher[2] or len(ciphertext) % cipher[2]:
        return b""
    algorithm, size, block = cipher
    key = b""
    if named == pbe.PBKDF2:
        key = _pbkdf2(derivation.enter(), size, paid=paid)
    elif named == pbe.SCRYPT and paid:
        key = _scrypt(derivation.enter(), size)
    return _plain(Cipher(algorithm(key), modes.CBC(vector)), ciphertext, block) if key else b""


def _pbkdf2(inside: Reader, size: int, *, paid: bool) -> bytes:
    """Derive a key from nothing by PBKDF2; none where that is not tried. Raises Malformed."""
    salt, count = inside.content(der.OCTET_STRING), inside.integer()
    if inside.peek() == der.INTEGER:
        inside.skip()
    named = inside.enter().content(der.OID) if inside.peek() == der.SEQUENCE else _SHA1
    digest = _DIGESTS.get(named)
    if digest is None or not (paid or _affordable(salt, count, new=True)):
        return b""
    return hashlib.pbkdf2_hmac(digest, b"", salt, count, size)


def _scrypt(inside: Reader, size: int) -> bytes:
    """Derive a key from nothing by scrypt (RFC 7914 section 7). Raises Malformed."""
    salt = inside.content(der.OCTET_STRING)
    count, block, lanes = (inside.integer() for _ in range(3))
    try:
        return hashlib.scrypt(
            b"", salt=salt, n=count, r=block, p=lanes, maxmem=2 * MOST_MEMORY, dklen=size
        )
    except ValueError:  # no power of two, or more memory
        return b""


def _affordable(salt: bytes, count: int, *, new: bool) -> bool:
    """Tell whether a derivation is tried, and count what it costs. Raises Spent."""
    if not 0 < count <= MOST_ITERATIONS[new] or len(salt) > LONGEST_SALT:
        return False
    effort.iterations(count, ITERATION[new])
    return True


def _plain(cipher: Cipher[modes.CBC], ciphertext: bytes, block: int) -> bytes:
    """Decrypt an object that padding follows; nothing where none comes out."""
    plain = cipher.decryptor().update(ciphertext)
    size = der.total_size(plain[: der.BACK])
    return plain[:size] if size is not None and 1 <= len(plain) - size <= block else b""


def _triple_des(ciphertext: bytes, salt: bytes, count: int) -> bytes:
    """Decrypt under pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 appendix C)."""
    if len(ciphertext) % 8 or not _affordable(salt, count, new=False):
        return b""
    for password in _EMPTY:
        key, vector = (derive(password, salt, count, use)[:size] for use, size in ((1, 24), (2, 8)))
        plain = _plain(Cipher(TripleDES(key), modes.CBC(vector)), ciphertext, 8)
        if plain:
            return plain
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
