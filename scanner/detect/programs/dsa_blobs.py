"""Windows blobs of DSA and Diffie-Hellman keys: CNG's of both versions, and CryptoAPI's.

Sources: bcrypt.h (BCRYPT_DSA_KEY_BLOB, BCRYPT_DSA_KEY_BLOB_V2, BCRYPT_DH_KEY_BLOB, numbers
big-endian) and wincrypt.h (DSSPUBKEY, DSSPUBKEY_VER3, DSSPRIVKEY_VER3, numbers little-endian). A
private blob is a key when g**x = y; that of CryptoAPI's second version has no y, and is a structure
where its group closes. Lengths are those of the header: this module refuses to search for numbers.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace

from scanner.detect.algebra import groups, publics
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved
from scanner.detect.evidence import proved, unproved
from scanner.model import Place
from scanner.rules import Rule

MAGICS = (b"DSP", b"DPV", b"DPB", b"DSS", b"DHP")
"""What the magic of a blob begins with."""

_LONGEST = 44
"""Bytes of the longest header."""

_SEED, _ORDER = 20, 20
"""Bytes of a seed and of q in the first versions, which know SHA-1 alone."""

_PREFIX = 8
"""Bytes of PUBLICKEYSTRUC, before the blobs of CryptoAPI."""

_Fields = list[tuple[str, int]]


def _first(head: bytes) -> tuple[int, _Fields]:
    (size,) = struct.unpack_from("<I", head, 4)
    return 12, [
        ("seed", _SEED),
        ("q", _ORDER),
        ("p", size),
        ("g", size),
        ("y", size),
        ("x", _ORDER),
    ]


def _second(head: bytes) -> tuple[int, _Fields]:
    size, _, _, seed, order = struct.unpack_from("<5I", head, 4)
    return 28, [("seed", seed), ("q", order), ("p", size), ("g", size), ("y", size), ("x", order)]


def _agreement(head: bytes) -> tuple[int, _Fields]:
    (size,) = struct.unpack_from("<I", head, 4)
    return 8, [("p", size), ("g", size), ("y", size), ("x", size)]


def _capi(head: bytes) -> tuple[int, _Fields]:
    size = struct.unpack_from("<I", head, 4)[0] // 8
    half = ("x", _ORDER) if head[3:4] == b"2" else ("y", size)
    return 8, [("p", size), ("q", _ORDER), ("g", size), half, ("seed", 4 + _SEED)]


def _third(head: bytes) -> tuple[int, _Fields]:
    private = head[3:4] == b"4"
    p, q, j, *x = (bits // 8 for bits in struct.unpack_from(f"<{3 + private}I", head, 4))
    fields = [("p", p), ("q", q), ("g", p), ("j", j), ("y", p)]
    return 20 + 24 * private + 20 * (not private), [*fields, *(("x", size) for size in x)]


_LAYOUTS = {
    b"DSPV": (_first, True, True),
    b"DSPB": (_first, True, False),
    b"DPV2": (_second, True, True),
    b"DPB2": (_second, True, False),
    b"DHPV": (_agreement, True, True),
    b"DHPB": (_agreement, True, False),
    b"DSS1": (_capi, False, False),
    b"DSS2": (_capi, False, True),
    b"DSS3": (_third, False, False),
    b"DSS4": (_third, False, True),
}
"""How the numbers of a blob follow its magic, whether they are big-endian, and it is private."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the blob whose magic stands at ``offset``."""
    head = memory.clip(space, offset, _LONGEST)
    if len(head) < _LONGEST or head[:4] not in _LAYOUTS:
        return
    layout, big, private = _LAYOUTS[head[:4]]
    at, fields = layout(head)
    if any(size > max(groups.BITS) // 8 for _, size in fields):
        return
    if not private:
        fields = [field for field in fields if field[0] != "x"]
    size = at + sum(length for _, length in fields)
    data = memory.clip(space, offset, size)
    if len(data) != size:
        return
    numbers = dict.fromkeys("pqgyx", 0)
    ends: dict[str, int] = {}
    for name, length in fields:
        numbers[name] = int.from_bytes(data[at : at + length], "big" if big else "little")
        at = ends[name] = at + length
    p, q, g, y, x = (numbers[name] for name in "pqgyx")
    if not big and memory.clip(space, offset - _PREFIX, 1) == bytes((6 + private,)):
        offset, size = offset - _PREFIX, size + _PREFIX
    place = Place(space=space, offset=offset, size=size)
    encoding = f"{'BCRYPT' if big else 'CAPI'} {head[:4].decode()}"
    if y and (key := groups.proved(p, q, g, y, x) if private else None) is not None:
        yield proved(key, rule, encoding, (place,))
    elif private and not y and (key := groups.derived(p, q, g, x)) is not None:
        yield unproved(key, rule, encoding, (place,))
    if y and groups.public(p, q, g, y):
        shown = replace(place, size=size - at + ends["y"])
        kind = "dsa" if q else "dh"
        yield publics.ffc(kind, p, q, g, y, kind="public-key", place=shown)
