"""Windows: DPAPI master keys as they are kept in files, and CNG's symmetric key blobs.

Sources: wincrypt.h and the layout of master key files as the forensic literature has it (version
2: a header of 128 bytes, then keys with salt, rounds and algorithms); bcrypt.h for
BCRYPT_KEY_DATA_BLOB_HEADER. A master key lies under its user's password, and opens all that user's
DPAPI blobs; such blobs by themselves are no keys and are passed over. Nothing is decrypted here.
"""

import re
import struct
from collections.abc import Iterator

from scanner.detect.asn1.der import Memory
from scanner.detect.locked import pbe
from scanner.detect.locked.sealed import Sealed, sealed
from scanner.model import Place
from scanner.rules import Rule

_HEADER = 128
_VERSION = bytes.fromhex("020000000000000000000000")
_KEY_HEAD = 32
_KEY_BYTES = range(_KEY_HEAD + 32, 4096)
_GUID = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_HASHES = {0x8004: "SHA1", 0x8009: "HMAC-SHA1", 0x800C: "SHA256", 0x800E: "SHA512"}
_CIPHERS = {0x6603: "3DES", 0x660E: "AES-128", 0x6610: "AES-256"}
_ROUNDS = range(1, 100_000_000)
_ENOUGH = 210_000
_DISTINCT = 8
_BLOB = b"KDBM"
_BLOB_KEYS = (16, 24, 32)


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed]:
    """Yield the master key whose file starts at ``offset``, or the key of the blob there."""
    head = memory.clip(space, offset, _HEADER)
    if head.startswith(_BLOB):
        yield from _key_data(memory, space, offset, rule)
        return
    if not _is_file(head):
        return
    sizes = struct.unpack("<4Q", head[96:_HEADER])
    if sizes[0] not in _KEY_BYTES or max(sizes[1:]) >= _KEY_BYTES.stop:
        return
    size = _HEADER + sum(sizes)
    data = memory.clip(space, offset, size)[_HEADER:]
    if len(data) != size - _HEADER:
        return
    version, rounds, hashed, cipher = struct.unpack("<I16x3I", data[:_KEY_HEAD])
    if version not in (1, 2) or rounds not in _ROUNDS or len(set(data[4:20])) < _DISTINCT:
        return
    if hashed not in _HASHES or cipher not in _CIPHERS:
        return
    said = f"PBKDF2-{_HASHES[hashed]}, {rounds} iterations, {_CIPHERS[cipher]}"
    yield sealed(
        rule,
        "DPAPI master key file",
        Place(space=space, offset=offset, size=size),
        data,
        protection=said + pbe.strength(fast=rounds < _ENOUGH),
        bits=512,
    )


def _is_file(head: bytes) -> bool:
    """Tell whether ``head`` is the start of a master key's file: version 2, two zeros, a GUID."""
    return (
        len(head) == _HEADER
        and head.startswith(_VERSION)
        and _GUID.fullmatch(head[12:84:2]) is not None
        and not any(head[13:84:2])
    )


def _key_data(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Sealed]:
    """Read BCRYPT_KEY_DATA_BLOB_HEADER: magic, version 1, bytes of the key, the key."""
    data = memory.clip(space, offset, 12 + max(_BLOB_KEYS))
    if len(data) < 12:
        return
    version, size = struct.unpack("<II", data[4:12])
    key = data[12 : 12 + size]
    if version != 1 or size not in _BLOB_KEYS or len(key) != size or len(set(key)) < _DISTINCT:
        return
    place = Place(space=space, offset=offset, size=12 + size)
    yield sealed(rule, "BCRYPT KEY_DATA", place, key, bits=8 * size)
