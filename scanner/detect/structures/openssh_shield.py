"""OpenSSH keys at rest: shielded since 8.1, and unshielded here where the dump holds the prekey.

sshkey_shield_private (sshkey.c) keeps a key serialized and encrypted by AES-256-CTR under
SHA-512 of 16 KiB of random bytes, against reads of a few bytes through side channels; a dump holds
both. ``struct sshkey`` differs from release to release, but its last words do not: pointer, length,
pointer, 16384. This module refuses what does not unshield to a key that proves itself. Where the
prekey was left out of the dump (since 9.9 kernels are asked to) there is nothing to find.
"""

import hashlib
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scanner.detect.algebra.material import Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.evidence import Key, proved
from scanner.detect.ssh import blobs, openssh
from scanner.dump import space as spaces
from scanner.dump.space import Memory
from scanner.model import Candidate, Place
from scanner.rules import Rule

PREKEY = 16 * 1024
"""Bytes of the prekey: SSHKEY_SHIELD_PREKEY_LEN."""

BLOCK = 16
"""Bytes to which a serialized key is padded."""

MOST = 8192
"""Bytes of the largest shielded key that is tried."""

_ENCODING = "openssh-shielded"


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the structure whose last word, the prekey's size, stands at ``offset``."""
    words = memory.clip(space, offset - 24, 32) if offset >= 24 else b""
    if len(words) != 32 or memory.map.pointer_size != 8 or memory.map.byte_order != "little":
        return
    shielded, length, prekey, size = (
        int.from_bytes(words[at : at + 8], "little") for at in range(0, 32, 8)
    )
    if size != PREKEY or length % BLOCK or not BLOCK <= length <= MOST:
        return
    places = _place(memory, shielded, length), _place(memory, prekey, PREKEY)
    if places[0] is None or places[1] is None:
        return
    key = _unshield(memory, places[0], places[1])
    if key is not None:
        yield proved(key, rule, _ENCODING, (places[0], places[1]))
        yield blobs.named(openssh.public_of(key), openssh.blob_of(key), places[0])


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Unshield a candidate again from its two places."""
    shielded, prekey = candidate.places
    key = _unshield(memory, shielded, prekey)
    return [] if key is None else [key]


def _place(memory: Memory, address: int, size: int) -> Place | None:
    """Return where bytes at an address are, or None where not all of them are in the dump."""
    where = spaces.find(memory.map, address)
    if where is None or where[1] + size > int(memory.map.size[where[0]]):
        return None
    return Place(space=where[0], offset=where[1], size=size)


def _unshield(memory: Memory, shielded: Place, prekey: Place) -> Key | None:
    """Decrypt, and read the key; all that follows it must be the padding 1, 2, 3..."""
    secret = hashlib.sha512(memory.read(prekey.space, prekey.offset, prekey.size)).digest()
    cipher = Cipher(algorithms.AES256(secret[:32]), modes.CTR(secret[32:48]))
    stream = cipher.decryptor()
    data = stream.update(memory.read(shielded.space, shielded.offset, shielded.size))
    found = openssh.read(data)
    if found is None or not openssh.padded(data[found.size :]):
        return None
    return found.key
