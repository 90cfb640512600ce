"""Keys of Sequoia at rest: sealed by AES-256 in OCB, under random pages that the dump holds too.

``mem::Encrypted`` (sequoia-openpgp 2.0, crypto/mem.rs) is a salt, pointer and length of what is
sealed, and the length of what was: 32 bytes less, for two tags. SHA-256 of the salt and of four
pages, whose boxes lie end to end in an array, is the cipher's key. Within are the OpenPGP algorithm
and the numbers of the secret (RFC 9580 section 5.5.3), neither public key nor curve: these stand in
the same object, or behind its pointers. What the tag does not vouch for is refused, and so are
sealed passwords. Seen in sq and sqop on Debian, with Nettle; other modes than OCB and machines of
32 bits are not known.
"""

import hashlib
import itertools
from collections.abc import Iterator

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESOCB3

from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Ec, Material, Okp, Rsa, describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.cursor import Mismatch
from scanner.detect.evidence import Key, ec_derived, okp_derived, proved, rsa_alone, unproved
from scanner.detect.openpgp import grammar
from scanner.detect.structures import walk
from scanner.dump import space as spaces
from scanner.dump.space import Memory
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Candidate, Place
from scanner.rules import Rule

PAGES, PAGE = 4, 4096
"""ENCRYPTED_MEMORY_PREKEY_PAGES and ENCRYPTED_MEMORY_PAGE_SIZE."""

SALT, TAG, NONCE = 32, 16, 15

_ENCODING = "Sequoia sealed memory"

_LEAST, _MOST = 17, 8192
"""Bytes of a secret with its algorithm: numbers of RSA keys of 16384 bits are the longest."""

_DISTINCT, _DISTINCT_SALT = 240, 20
"""Different bytes of a page and of a salt, at least: random ones have fewer once in 10**15."""

_FAR = 1 << 27
"""Bytes of memory that are looked at, at most, for structures of one array."""

_TRIED = 1 << 12
"""Structures of which the tag is checked, at most."""

_AROUND = 256
"""Bytes before and behind a structure in which the rest of a key's object lies."""

_TOP = 1 << 56
"""No pointer of a process has more bits."""

_RANDOM = np.uint64(1 << 40)
"""A word of a salt is less once in 16 million."""

_WORD = 8


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the keys sealed under the pages of an array whose first length stands at ``offset``."""
    pages = _pages(memory, space, offset - _WORD)
    told: set[str] = set()
    prekey = b"".join(memory.read(page.space, page.offset, page.size) for page in pages)
    if not prekey or any(
        len(set(prekey[at : at + PAGE])) < _DISTINCT for at in range(0, len(prekey), PAGE)
    ):
        return
    for salt, sealed in _structures(memory, space):
        plain = _opened(memory, salt, sealed, prekey)
        found = _recognised(memory, salt, list(_keys(plain)))
        if found is None:
            continue
        key, stands = found
        name = describe(key).fingerprint.value
        if name not in told:
            told.add(name)
            say = proved if stands else unproved
            yield say(key, rule, _ENCODING, (sealed, salt, *pages))
            if stands:
                yield _named(key)


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Open a candidate again from its places."""
    sealed, salt, *pages = candidate.places
    prekey = b"".join(memory.read(page.space, page.offset, page.size) for page in pages)
    found = _keys(_opened(memory, salt, sealed, prekey))
    return [key for key in found if describe(key).fingerprint == candidate.fingerprint]


def _pages(memory: Memory, space: int, offset: int) -> tuple[Place, ...]:
    """Return the pages of an array of boxes, if all of them are in the dump.

    In a longer array are somebody's blocks of a disk, and no less random.
    """
    if offset < _WORD or memory.map.pointer_size != _WORD or memory.map.byte_order != "little":
        return ()
    raw = memory.clip(space, offset - _WORD, (2 * PAGES + 3) * _WORD)
    words = np.frombuffer(raw, "<u8", len(raw) // _WORD).tolist()
    boxes = [length == PAGE for length in words[::2]]
    addresses = words[1::2][:PAGES]
    if boxes[: PAGES + 1] != [False, *[True] * PAGES] or True in boxes[PAGES + 1 :]:
        return ()
    places = [spaces.placed(memory.map, address, PAGE) for address in dict.fromkeys(addresses)]
    found = tuple(place for place in places if place is not None)
    return found if len(found) == PAGES else ()


def _structures(memory: Memory, space: int) -> Iterator[tuple[Place, Place]]:
    """Yield the places of salts and of what is sealed, those of one space first, each but once."""
    seen: set[tuple[bytes, int]] = set()
    for other, start, data in walk.blocks(memory, space, _FAR):
        for at in _laid(data):
            address, length = np.frombuffer(data, "<u8", 2, at).tolist()
            salt = data[at - SALT : at]
            sealed = spaces.placed(memory.map, address, length)
            if sealed is None or (salt, address) in seen or len(set(salt)) < _DISTINCT_SALT:
                continue
            if len(seen) >= _TRIED:
                return
            seen.add((salt, address))
            yield Place(space=other, offset=start + at - SALT, size=SALT), sealed


def _laid(data: bytes) -> list[int]:
    """Return where a salt ends, and a pointer stands before two lengths that fit."""
    words = np.frombuffer(data, "<u8", len(data) // _WORD)
    salt = SALT // _WORD
    if len(words) < salt + 3:
        return []
    pointer, sealed, plain = words[salt:-2], words[salt + 1 : -1], words[salt + 2 :]
    fits = (sealed - plain == 2 * TAG) & (plain >= _LEAST) & (plain <= _MOST)
    at = np.flatnonzero(fits & (pointer >= PAGE) & (pointer < _TOP))
    whole = np.lib.stride_tricks.sliding_window_view(words, salt)[at] >= _RANDOM
    found: list[int] = ((at[whole.all(axis=1)] + salt) * _WORD).tolist()
    return found


def _opened(memory: Memory, salt: Place, sealed: Place, prekey: bytes) -> bytes:
    """Return what is sealed, if the tag behind it vouches for it: the second tag is of its end."""
    head = memory.read(salt.space, salt.offset, salt.size)
    data = memory.read(sealed.space, sealed.offset, sealed.size)
    cipher = AESOCB3(hashlib.sha256(head + prekey).digest())
    try:
        return cipher.decrypt(bytes(NONCE), data[:-TAG], None)
    except InvalidTag:
        return b""


def _keys(plain: bytes) -> Iterator[Key]:
    """Yield what a secret may be, the usual first: of EC keys it does not name the curve."""
    algorithm = plain[0] if plain else 0
    try:
        secret = grammar.secret(plain[1:], algorithm)
    except Mismatch:
        return
    if algorithm in grammar.RSA:
        d, p, q, u = (int.from_bytes(raw, "big") for raw in secret)
        yield from filter(None, [rsa_alone(d, p, q, u)])
        return
    curves = {grammar.EDDSA: ("ed25519", "ed448"), grammar.ECDH: ("x25519", "x448")}
    native = grammar.NATIVE.get(algorithm)
    for name in curves.get(algorithm, (native[0],) if native else ()):
        raw = secret[0].rjust(OKP_BYTES[name], b"\0")
        raw = raw[::-1] if (algorithm, name) == (grammar.ECDH, "x25519") else raw
        yield from filter(None, [okp_derived(name, raw)])
    if algorithm in (grammar.ECDH, grammar.ECDSA):
        for curve in FIELD_BYTES:
            if FIELD_BYTES[curve] - 2 <= len(secret[0]) <= FIELD_BYTES[curve]:
                yield from filter(None, [ec_derived(curve, int.from_bytes(secret[0], "big"))])


def _recognised(memory: Memory, salt: Place, keys: list[Key]) -> tuple[Key, bool] | None:
    """Return the key whose public half stands in the object or behind it, or else the first."""
    start = max(salt.offset - _AROUND, 0)
    around = memory.clip(salt.space, start, salt.offset + SALT + _AROUND - start)
    around = around[-start % _WORD :]
    words = np.frombuffer(around, "<u8", len(around) // _WORD).tolist()
    beside = [around]
    for address, length in itertools.pairwise(words):
        place = spaces.placed(memory.map, address, length) if _LEAST <= length <= _MOST else None
        if place is not None:
            beside.append(memory.read(place.space, place.offset, place.size))
    for key in keys:
        if any(_public(key) in one for one in beside):
            return key, True
    return (keys[0], False) if keys else None


def _named(key: Key) -> PublicKey:
    """Return the public half that was read beside a key: it is an OpenPGP key's."""
    match key:
        case Rsa():
            return publics.rsa(key.n, key.e, kind="pgp")
        case Ec():
            return publics.ec(key.curve, key.x, key.y, kind="pgp")
        case Okp():
            return publics.okp(key.algorithm, key.public, kind="pgp")
        case _:
            raise TypeError("no key of this algorithm is read")


def _public(key: Key) -> bytes:
    """Return the bytes of a public half as OpenPGP writes them, without tag."""
    match key:
        case Rsa():
            return key.n.to_bytes((key.n.bit_length() + 7) // 8, "big")
        case Ec():
            size = FIELD_BYTES[key.curve]
            return key.x.to_bytes(size, "big") + key.y.to_bytes(size, "big")
        case Okp():
            return key.public
        case _:
            raise TypeError("no key of this algorithm is read")
