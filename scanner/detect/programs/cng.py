"""Windows key blobs: CNG's BCRYPT_RSAKEY_BLOB and BCRYPT_ECCKEY_BLOB, and CryptoAPI's.

Sources: bcrypt.h (BCRYPT_RSAPUBLIC_BLOB to BCRYPT_ECCPRIVATE_BLOB, numbers big-endian behind a
fixed header) and wincrypt.h (PUBLICKEYSTRUC, RSAPUBKEY, numbers little-endian). Public blobs are
witnesses; a private one is a key when p*q = n, or when d*G is the point beside it. Lengths must be
those that the header's bit length asks for: this module refuses to search for numbers.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace

from scanner.detect.algebra import publics
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.evidence import (
    DISTINCT,
    ec_scalar,
    okp_seed,
    on_curve,
    proved,
    rsa_primes,
    rsa_public,
)
from scanner.detect.programs import dsa_blobs
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

BITS = range(512, 16384 + 1, 8)
"""Sizes of a modulus that a blob can have: 64-bit steps are usual, 8 are legal."""

MAGICS = (b"RSA", b"ECS", b"ECK", b"ECD", *dsa_blobs.MAGICS)
"""What the magic of a blob begins with."""

CAPI_PUBLIC, CAPI_PRIVATE = 6, 7
"""PUBLICKEYBLOB and PRIVATEKEYBLOB."""

_HEADER = 24
_PREFIX = 8
"""Bytes of BCRYPT_RSAKEY_BLOB, and of PUBLICKEYSTRUC."""

_CURVES = {
    b"S1": "P-256",
    b"S2": "P-256",
    b"S3": "P-384",
    b"S4": "P-384",
    b"S5": "P-521",
    b"S6": "P-521",
}
_CURVES |= {b"K" + name[1:]: curve for name, curve in _CURVES.items()}
_GENERIC = {b"DP": False, b"DV": True, b"KP": False, b"KV": True}
"""The last two bytes of a magic: curve, or whether a blob of any curve is private."""

_OKP = "x25519"
"""The one curve of CNG whose points have no y, which is zeros then: curve25519."""

_KIND = "public-key"


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the blob whose magic, or whose PUBLICKEYSTRUC, stands at ``offset``."""
    head = memory.clip(space, offset, _PREFIX + _HEADER)
    if head[:2] == b"EC":
        yield from _ecc(memory, space, offset, head, rule)
        return
    if head[:1] in (b"\x06", b"\x07"):
        offset, head = offset + _PREFIX, head[_PREFIX:]
    if head[:3] in dsa_blobs.MAGICS:
        yield from dsa_blobs.examine(memory, space, offset, rule)
    if head[:3] != b"RSA" or len(head) < 16:
        return
    if head[8:12] in (b"\1\0\1\0", b"\3\0\0\0", b"\x11\0\0\0"):
        yield from _capi(memory, space, offset, head, rule)
    yield from _rsa(memory, space, offset, head, rule)


def _rsa(
    memory: Memory, space: int, offset: int, head: bytes, rule: Rule
) -> Iterator[Proved | PublicKey]:
    """Read BCRYPT_RSAKEY_BLOB: e, n, and in private ones p, q (and more that p and q give)."""
    if len(head) < _HEADER:
        return
    bits, *sizes = struct.unpack("<5I", head[4:_HEADER])
    e_bytes, n_bytes, p_bytes, q_bytes = sizes
    private = head[3:4] in (b"2", b"3")
    if bits not in BITS or n_bytes != (bits + 7) // 8 or not 1 <= e_bytes <= 32:
        return
    if private != (p_bytes > 0) or private != (q_bytes > 0) or p_bytes + q_bytes > n_bytes + 8:
        return
    more = 2 * p_bytes + q_bytes + n_bytes if head[3:4] == b"3" else 0
    size = _HEADER + sum(sizes)
    data = memory.clip(space, offset, size)
    if len(data) != size:
        return
    at = _HEADER
    numbers = []
    for length in sizes:
        numbers.append(int.from_bytes(data[at : at + length], "big"))
        at += length
    e, n, p, q = numbers
    if n.bit_length() != bits:
        return
    place = _there(memory, space, offset, size + more)
    open_size = _HEADER + e_bytes + n_bytes
    yield from _found_rsa((n, e, p, q), place, open_size, f"BCRYPT {head[:4].decode()}", rule)


def _capi(
    memory: Memory, space: int, offset: int, head: bytes, rule: Rule
) -> Iterator[Proved | PublicKey]:
    """Read RSAPUBKEY and what follows: n, then in private ones p, q, dp, dq, qinv, d."""
    bits, e = struct.unpack("<2I", head[4:12])
    if bits not in BITS or bits % 16 or head[3:4] not in (b"1", b"2"):
        return
    whole, half = bits // 8, bits // 16
    private = head[3:4] == b"2"
    open_size = 12 + whole
    size = open_size + (5 * half + whole if private else 0)
    data = memory.clip(space, offset, 12 + whole + (2 * half if private else 0))
    if len(data) != 12 + whole + (2 * half if private else 0):
        return
    n, p, q = (
        int.from_bytes(data[first : first + length], "little")
        for first, length in ((12, whole), (12 + whole, half), (12 + whole + half, half))
    )
    if n.bit_length() != bits:
        return
    before = memory.clip(space, offset - _PREFIX, _PREFIX) if offset >= _PREFIX else b""
    wanted = CAPI_PRIVATE if private else CAPI_PUBLIC
    if before[:1] == bytes((wanted,)) and before[2:4] == b"\0\0":
        offset, size, open_size = offset - _PREFIX, size + _PREFIX, open_size + _PREFIX
    form = "CAPI PRIVATEKEYBLOB" if private else ""
    place = _there(memory, space, offset, size)
    yield from _found_rsa((n, e, p, q), place, open_size, form, rule)


def _there(memory: Memory, space: int, offset: int, size: int) -> Place:
    """Return the place of a blob; the numbers that its primes give may be cut."""
    return Place(space=space, offset=offset, size=len(memory.clip(space, offset, size)))


def _found_rsa(
    numbers: tuple[int, int, int, int], place: Place, open_size: int, encoding: str, rule: Rule
) -> Iterator[Proved | PublicKey]:
    """Yield what a blob holds; its first ``open_size`` bytes are public."""
    n, e, p, q = numbers
    key = rsa_primes(n, e, p, q) if p and q else None
    if key is not None:
        yield proved(key, rule, encoding, (place,))
    if rsa_public(n, e):
        yield publics.rsa(n, e, kind=_KIND, place=replace(place, size=open_size))


def _ecc(
    memory: Memory, space: int, offset: int, head: bytes, rule: Rule
) -> Iterator[Proved | PublicKey]:
    """Read BCRYPT_ECCKEY_BLOB: x, y and in private ones d, all of the field's length."""
    if len(head) < 8:
        return
    name, (size,) = head[2:4], struct.unpack("<I", head[4:8])
    if name in _CURVES:
        curves: tuple[str, ...] = (_CURVES[name],)
        private = name[1] % 2 == 0
    elif name in _GENERIC:
        curves, private = tuple(FIELD_BYTES), _GENERIC[name]
    else:
        return
    curves = tuple(curve for curve in curves if FIELD_BYTES[curve] == size)
    total = (3 if private else 2) * size
    data = memory.clip(space, offset + 8, total)
    if not curves or len(data) != total:
        return
    x, y, d = (int.from_bytes(data[at : at + size], "big") for at in (0, size, 2 * size))
    place = Place(space=space, offset=offset, size=8 + total)
    if name in _GENERIC and size == OKP_BYTES[_OKP] and not y:
        yield from _okp(data, place, f"BCRYPT EC{name.decode()}", rule)
        return
    for curve in curves:
        if on_curve(curve, x, y):
            key = ec_scalar(curve, d, x, y) if private else None
            if key is not None:
                yield proved(key, rule, f"BCRYPT EC{name.decode()}", (place,))
            public = replace(place, size=8 + 2 * size)
            yield publics.ec(curve, x, y, kind=_KIND, place=public)
            return


def _okp(data: bytes, place: Place, encoding: str, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Read the numbers of a blob of curve25519, in the order of RFC 7748; y is zeros."""
    size = OKP_BYTES[_OKP]
    raw, scalar = data[:size], data[2 * size :]
    key = okp_seed(_OKP, scalar, raw) if scalar else None
    if key is not None:
        yield proved(key, rule, encoding, (place,))
    if len(set(raw)) >= DISTINCT:
        yield publics.okp(_OKP, raw, kind=_KIND, place=replace(place, size=8 + 2 * size))
