"""The locks of OpenPGP keys.

A passphrase is hashed (RFC 9580 section 3.7.1), and a cipher in feedback mode, CFB, does the rest
(section 5.5.3). What opens must have the right hash or sum behind it, and then close the equation
of its algorithm, which is for ``transferable``. Argon2, AEAD and ciphers that nobody has used for
twenty years are not tried.
"""

import hashlib
from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import CAST5, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from scanner.detect.asn1.keys import Parsed
from scanner.detect.evidence import Key
from scanner.detect.locked import locks
from scanner.detect.locked.locks import Lock
from scanner.detect.openpgp import grammar
from scanner.detect.openpgp.grammar import Body, Derivation

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # before version 47
    from cryptography.hazmat.primitives.ciphers.modes import CFB

_CIPHERS = {2: (TripleDES, 24), 3: (CAST5, 16), 7: (AES, 16), 8: (AES, 24), 9: (AES, 32)}
"""By number (section 9.3): the cipher, and the bytes of its key."""

_DIGESTS = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_BYTE = 0.7e-3
"""Microseconds, measured: of a byte that is hashed."""

_CHUNK = 1 << 16


def lock(body: Body, ciphertext: bytes, prove: Callable[[Body], Key | None]) -> Lock | None:
    """Return the lock of an encrypted key packet; ``prove`` says what key an open one is."""
    how = body.derivation
    if how is None or how.cipher not in _CIPHERS or how.digest not in _DIGESTS:
        return None
    cipher, size = _CIPHERS[how.cipher]
    passes = -(-size // hashlib.new(_DIGESTS[how.digest], usedforsecurity=False).digest_size)

    def opens(phrase: str) -> Parsed | None:
        key = _derive(how, phrase.encode(), size)
        plain = Cipher(cipher(key), CFB(how.vector)).decryptor().update(ciphertext)
        opened = grammar.opened(body, plain)
        found = prove(opened) if opened is not None else None
        return locks.parsed(found) if found is not None else None

    return Lock(cost=2 * locks.FIRST + int(how.count * passes * _BYTE), opens=opens)


def _derive(how: Derivation, phrase: bytes, size: int) -> bytes:
    """Hash salt and passphrase, over and over, behind 0, 1, 2... zero bytes until it is enough."""
    text = how.salt + phrase
    count = max(how.count, len(text))
    unit = text or bytes(1)  # of no passphrase and no salt (a simple S2K) nothing is hashed
    chunk = unit * (_CHUNK // len(unit) + 1)
    key = b""
    zeros = 0
    while len(key) < size:
        digest = hashlib.new(_DIGESTS[how.digest], bytes(zeros), usedforsecurity=False)
        left = count
        while left >= len(chunk):
            digest.update(chunk)
            left -= len(chunk)
        digest.update(chunk[:left])
        key, zeros = key + digest.digest(), zeros + 1
    return key[:size]
