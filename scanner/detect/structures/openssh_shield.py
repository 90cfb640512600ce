"""OpenSSH keys at rest: shielded since 8.1, and unshielded here where the dump holds the prekey.

sshkey_shield_private (sshkey.c) keeps a key serialized and encrypted by AES-256-CTR under
SHA-512 of 16 KiB of random bytes, against reads of a few bytes through side channels; a dump holds
both. ``struct sshkey`` differs from release to release, but its last words do not: pointer, length,
pointer, 16384. This module refuses what does not unshield to a key that proves itself. Where the
prekey was left out of the dump (since 9.9 kernels are asked to) the key cannot be read: of the
structure as it is since then a rule of encrypted keys tells what it says of the key.
"""

import hashlib
import struct
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scanner import fingerprint
from scanner.detect.algebra.material import Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.evidence import Key, proved
from scanner.detect.locked.sealed import Sealed, sealed
from scanner.detect.ssh import blobs, openssh_fields
from scanner.dump import space as spaces
from scanner.dump.space import Memory
from scanner.fingerprint import NAMELESS
from scanner.model import Candidate, Place
from scanner.rules import Rule

PREKEY = 16 * 1024
"""Bytes of the prekey: SSHKEY_SHIELD_PREKEY_LEN."""

BLOCK = 16
"""Bytes to which a serialized key is padded."""

MOST = 8192
"""Bytes of the largest shielded key that is tried."""

_ENCODING = "openssh-shielded"

PROTECTION = "AES-256-CTR under random bytes that the dump does not hold"

_FIELDS = struct.Struct("<iIQiIQQQ72xQ")
"""``struct sshkey`` of OpenSSH 9.9 to 10.0 before the shielded key: type, flags, dsa, ecdsa_nid and
what aligns it, pkey, ed25519_sk, ed25519_pk, XMSS and security keys, cert."""

_TYPES = {0: "rsa", 2: "ec", 3: "ed25519"}
"""enum sshkey_types (sshkey.h)."""

_CURVES = {415: "P-256", 715: "P-384", 716: "P-521"}
"""ecdsa_nid: the numbers of OpenSSL (obj_mac.h)."""

_POINT = 32
"""Bytes of an Ed25519 public key, and fewer than an EVP_PKEY has."""

_PAGE, _PAGES = 4096, range(0, PREKEY, 4096)

_LEAST, _DISTINCT = 64, 32
"""Bytes of the smallest serialized key, and how many different ones it has at least: encrypted ones
have fewer once in 10**15."""


def examine(
    memory: Memory, space: int, offset: int, rule: Rule
) -> Iterator[Proved | PublicKey | Sealed]:
    """Yield the key of the structure whose last word, the prekey's size, stands at ``offset``.

    A rule of encrypted keys asks for one that cannot be unshielded.
    """
    words = memory.clip(space, offset - 24, 32) if offset >= 24 else b""
    if len(words) != 32 or memory.map.pointer_size != 8 or memory.map.byte_order != "little":
        return
    shielded, length, prekey, size = (
        int.from_bytes(words[at : at + 8], "little") for at in range(0, 32, 8)
    )
    if size != PREKEY or length % BLOCK or not BLOCK <= length <= MOST:
        return
    places = spaces.placed(memory.map, shielded, length), spaces.placed(memory.map, prekey, PREKEY)
    if places[0] is None:
        return
    if rule.kind == "encrypted-key":
        if places[1] is None and _left_out(memory, prekey):
            yield from filter(None, [_sealed(memory, space, offset - 24, places[0], rule)])
        return
    if places[1] is None:
        return
    key = _unshield(memory, places[0], places[1])
    if key is not None:
        yield proved(key, rule, _ENCODING, (places[0], places[1]))
        yield blobs.named(openssh_fields.public_of(key), openssh_fields.blob_of(key), places[0])


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Unshield a candidate again from its two places."""
    shielded, prekey = candidate.places
    key = _unshield(memory, shielded, prekey)
    return [] if key is None else [key]


def _left_out(memory: Memory, address: int) -> bool:
    """Tell whether whole pages begin at an address of which the dump holds no byte."""
    if address % _PAGE or not _PAGE <= address < 1 << 48:
        return False
    return all(spaces.find(memory.map, address + at) is None for at in _PAGES)


def _sealed(memory: Memory, space: int, offset: int, shielded: Place, rule: Rule) -> Sealed | None:
    """Return what the structure before ``offset`` says of its shielded key, if it is one."""
    raw = memory.clip(space, offset - _FIELDS.size, _FIELDS.size) if offset >= _FIELDS.size else b""
    data = memory.read(shielded.space, shielded.offset, shielded.size)
    if len(raw) != _FIELDS.size or len(data) < _LEAST or len(set(data)) < _DISTINCT:
        return None
    kind, flags, dsa, nid, gap, pkey, secret, public, cert = _FIELDS.unpack(raw)
    algorithm, curve = _TYPES.get(kind, ""), _CURVES.get(nid, "")
    if not algorithm or flags > 1 or any((dsa, gap, secret, cert)):
        return None
    if (nid != -1 if algorithm != "ec" else not curve) or bool(pkey) == bool(public):
        return None
    place = spaces.placed(memory.map, public or pkey, _POINT)
    if place is None or bool(public) != (algorithm == "ed25519"):
        return None
    name = NAMELESS
    if public:
        point = memory.read(place.space, place.offset, place.size)
        name = fingerprint.of_spki(fingerprint.okp_spki(algorithm, point))
    return sealed(
        rule,
        _ENCODING,
        shielded,
        data,
        protection=PROTECTION,
        algorithm=algorithm,
        curve=curve,
        bits=fingerprint.CURVE_BITS.get(curve, 256 if public else 0),
        fingerprint=name,
    )


def _unshield(memory: Memory, shielded: Place, prekey: Place) -> Key | None:
    """Decrypt, and read the key; all that follows it must be the padding 1, 2, 3..."""
    secret = hashlib.sha512(memory.read(prekey.space, prekey.offset, prekey.size)).digest()
    cipher = Cipher(algorithms.AES256(secret[:32]), modes.CTR(secret[32:48]))
    stream = cipher.decryptor()
    data = stream.update(memory.read(shielded.space, shielded.offset, shielded.size))
    found = openssh_fields.read(data)
    if found is None or not openssh_fields.padded(data[found.size :]):
        return None
    return found.key
