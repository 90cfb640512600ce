"""Keys of OpenSSL and its kin in use: objects that lead by pointers to a secret and its point.

In a process of many random-looking runs a scalar is one of thousands, but an ``EC_KEY``
(crypto/ec/ec_local.h) says where its group, its point and its scalar are, and an ``ECX_KEY``
(include/crypto/ecx.h, since 3.0; in 1.1.1 an ``EVP_PKEY`` leads to it) has the public key within,
and where the private one is. An ``EC_KEY`` is the same in OpenSSL 1.0 to 3, LibreSSL and BoringSSL,
and points are of four forms. What the secret does not derive is refused, so are points that are not
written uncompressed, and big-endian machines. RSA keys are found without: their modulus tells.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.algebra.material import Ec, Material
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.evidence import ec_derived, okp_derived, proved
from scanner.detect.relations.weierstrass.curves import CURVES, Curve
from scanner.detect.structures import around
from scanner.dump import space as spaces
from scanner.dump.space import Memory
from scanner.model import Candidate, Place
from scanner.rules import Rule

_OKP = {(32, 0): "x25519", (56, 1): "x448", (32, 2): "ed25519", (57, 3): "ed448"}
"""Bytes of a private key and ECX_KEY_TYPE."""

_NAMED = {1034: "x25519", 1035: "x448", 1087: "ed25519", 1088: "ed448"}
"""Types of an ``EVP_PKEY`` (include/openssl/obj_mac.h)."""

_PROOFS = {"x25519": "k*9 = u", "x448": "k*5 = u"}

_LONGEST = 57
"""Bytes that an ``ECX_KEY`` has for a public key."""

_PADS = {8: (6, 3), 4: (2, 3)}
"""Bytes from it to the next word, by the bytes of a word: behind flags of one byte, or of an int as
Visual C++ has them. Seen in Node.js for Windows."""

_HEAD = 80
"""Bytes before a private key's size that are looked at."""

_LIMBS = 9
"""The most limbs of 64 bits of a number on any curve, for which BoringSSL's points have room."""

_INT, _INTS = 4, 4
"""Bytes of an int, and how many a BIGNUM has behind its pointer: top, dmax, neg and flags."""

_Point = tuple[int, int, int]


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key of the object that an anchor is of, at ``offset``.

    That is the enc_flag of an EC_KEY, the keylen of an ECX_KEY, or the type of an EVP_PKEY.
    """
    raw = memory.clip(space, offset, _INT)
    told = int.from_bytes(raw, "little")
    if len(raw) < _INT:
        return
    if not told:
        yield from _ec(memory, space, offset, rule)
    elif told in _NAMED:
        yield from _old(memory, space, offset, _NAMED[told], rule)
    else:
        yield from _okp(memory, space, offset, rule)


def sifted(memory: Memory, where: Offsets, offsets: Offsets) -> Flags:
    """Flag the anchors that an object may have: pointers stand before its flags, or its size.

    What else is like its flags is common, and a BIGNUM of 32 words is like a size. Seen in Java,
    with 380,000 of the former in 700 MB of objects.
    """
    word = memory.map.pointer_size
    flags = np.full(len(offsets), memory.map.byte_order == "little")
    for rows, raw in around.read(memory, where, offsets, -2 * word, 3 * word + _INT):
        pointers = raw[:, : 2 * word].copy().view(f"<u{word}").astype(np.uint64)
        there = spaces.mapped(memory.map, pointers.ravel()).reshape(-1, 2)
        size = raw[:, 2 * word : 3 * word].copy().view(f"<u{word}")[:, 0]
        told, kind = size.astype(np.uint32), raw[:, 3 * word :].copy().view("<u4")[:, 0]
        of_okp = np.isin(told, list(_NAMED))
        for bytes_, one in _OKP:
            of_okp |= (size == bytes_) & (kind == one) & there[:, 1]
        flags[rows] &= np.where(told == 0, there.all(axis=1), of_okp)
    return flags


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a candidate's secret again."""
    place = candidate.places[0]
    raw = memory.read(place.space, place.offset, place.size)
    if candidate.curve:
        key: Material | None = ec_derived(candidate.curve, int.from_bytes(raw, "little"))
    else:
        key = okp_derived(candidate.algorithm, raw)
    return [] if key is None else [key]


def _words(memory: Memory, place: Place) -> list[int]:
    """Read a place as words of the machine."""
    word, raw = memory.map.pointer_size, memory.clip(place.space, place.offset, place.size)
    return [int.from_bytes(raw[at : at + word], "little") for at in range(0, len(raw), word)]


# --- ECX_KEY ------------------------------------------------------------------------------------


def _okp(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Take a size for that of an ECX_KEY: before it are the public key, and a pointer."""
    word = memory.map.pointer_size
    raw = memory.clip(space, offset - _HEAD, _HEAD + word + _INT) if offset >= _HEAD else b""
    size, kind = (int.from_bytes(part, "little") for part in (raw[_HEAD:-_INT], raw[-_INT:]))
    algorithm = _OKP.get((size, kind))
    if algorithm is not None:
        firsts = (_HEAD - word - _LONGEST - pad for pad in _PADS[word])
        publics = [raw[at : at + size] for at in firsts]
        yield from _behind(memory, raw[_HEAD - word : _HEAD], algorithm, publics, rule)


def _old(memory: Memory, space: int, offset: int, algorithm: str, rule: Rule) -> Iterator[Proved]:
    """Take a number for the type of an EVP_PKEY of 1.1.1, which leads to a public key.

    Between them are the type again, a count of references, and three pointers.
    """
    word = memory.map.pointer_size
    ints = 3 * _INT + -3 * _INT % word
    raw = memory.clip(space, offset + ints + 3 * word, word)
    size = _LONGEST + -_LONGEST % word
    place = spaces.placed(memory.map, int.from_bytes(raw, "little"), size + word)
    if place is not None:
        raw = memory.read(place.space, place.offset, place.size)
        yield from _behind(memory, raw[size:], algorithm, [raw[: OKP_BYTES[algorithm]]], rule)


def _behind(
    memory: Memory, pointer: bytes, algorithm: str, publics: Sequence[bytes], rule: Rule
) -> Iterator[Proved]:
    """Yield the key behind a pointer, if its public half is among some."""
    place = spaces.placed(memory.map, int.from_bytes(pointer, "little"), OKP_BYTES[algorithm])
    if place is not None:
        key = okp_derived(algorithm, memory.read(place.space, place.offset, place.size))
        if key is not None and key.public in publics:
            proof = _PROOFS.get(algorithm, "")
            yield proved(key, rule, "OpenSSL ECX_KEY", (place,), proof=proof)


# --- EC_KEY -------------------------------------------------------------------------------------


def _ec(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Take two pointers for those of an EC_KEY to its point and its scalar, before its flags."""
    word = memory.map.pointer_size
    if offset < 2 * word:
        return
    point, scalar = _words(memory, Place(space=space, offset=offset - 2 * word, size=2 * word))
    place = _number(memory, scalar)
    if place is None:
        return
    d = int.from_bytes(memory.read(place.space, place.offset, place.size), "little")
    likely = [curve for curve in CURVES.values() if 0 < d < curve.n and _fits(curve, place, word)]
    points = list(_points(memory, point)) if likely else []
    for curve in likely:
        near = [point for point in _cut(curve, points, word) if max(point) < 2 * curve.p]
        key = ec_derived(curve.name, d) if near else None
        if key is not None and any(_same(curve, key, point, word) for point in near):
            size = min(curve.size, place.size)
            where = Place(space=place.space, offset=place.offset, size=size)
            yield proved(key, rule, "OpenSSL EC_KEY", (where,))
            return


def _cut(curve: Curve, points: Sequence[_Point], word: int) -> Iterator[_Point]:
    """Yield points without what is behind the limbs that a curve's numbers have."""
    whole = _radix(curve, word) - 1
    yield from ((x & whole, y & whole, z & whole) for x, y, z in points)


def _radix(curve: Curve, word: int) -> int:
    """Return R of the Montgomery form: the power of two that fills a coordinate's limbs."""
    return 1 << 8 * word * -(-curve.size // word)


def _fits(curve: Curve, place: Place, word: int) -> bool:
    """Tell whether a number has as many limbs as a curve's, or one less."""
    return place.size in {limbs * word for limbs in range(-(-curve.size // word) + 1)[-2:]}


def _number(memory: Memory, address: int) -> Place | None:
    """Return where the limbs of the BIGNUM at an address are, without those that are not used."""
    word = memory.map.pointer_size
    place = spaces.placed(memory.map, address, word + _INTS * _INT)
    return None if place is None else _limbs(memory, place)


def _limbs(memory: Memory, place: Place) -> Place | None:
    """Return where the limbs of the BIGNUM at a place are."""
    word, raw = memory.map.pointer_size, memory.clip(place.space, place.offset, place.size)
    ints = [int.from_bytes(raw[at : at + _INT], "little") for at in range(word, len(raw), _INT)]
    if len(ints) < _INTS or not 0 < ints[0] <= ints[1] <= 2 * _LIMBS or ints[2]:
        return None
    return spaces.placed(memory.map, int.from_bytes(raw[:word], "little"), ints[0] * word)


def _points(memory: Memory, address: int) -> Iterator[_Point]:
    """Yield the coordinates X, Y and Z of the EC_POINT at an address, in each form it may have.

    Behind a pointer: those to three BIGNUMs (LibreSSL since 3.9), behind the curve's number too
    (OpenSSL since 1.1); three BIGNUMs (before); or limbs with room for any curve (BoringSSL).
    """
    word = memory.map.pointer_size
    most = _LIMBS * 8 if word == 8 else (_LIMBS * 8 - 4)  # 9 limbs, or 17 of 32 bits
    place = spaces.placed(memory.map, address, word)
    if place is None:
        return
    raw = memory.clip(place.space, place.offset, word + 3 * most)
    bignum = word + _INTS * _INT
    values = _words(memory, Place(space=place.space, offset=place.offset, size=5 * word))
    for first in (2, 1):
        yield from _point(memory, [_number(memory, one) for one in values[first : first + 3]])
    within = [
        Place(space=place.space, offset=place.offset + word + row * bignum, size=bignum)
        for row in range(3)
    ]
    yield from _point(memory, [_limbs(memory, one) for one in within])
    x, y, z = (
        int.from_bytes(raw[at : at + most], "little") for at in range(word, word + 3 * most, most)
    )
    yield x, y, z


def _point(memory: Memory, places: Sequence[Place | None]) -> Iterator[_Point]:
    """Yield three coordinates, if there are three."""
    values = [
        int.from_bytes(memory.read(place.space, place.offset, place.size), "little")
        for place in places
        if place is not None
    ]
    if len(values) == 3:
        yield values[0], values[1], values[2]


def _same(curve: Curve, key: Ec, point: _Point, word: int) -> bool:
    """Tell whether Jacobian coordinates, plain or in Montgomery form, are a key's point.

    x = X/Z**2 and y = Y/Z**3; with each coordinate multiplied by R: x*Z**2 = X*R, y*Z**3 = Y*R**2.
    """
    x, y, z = point
    square = z * z % curve.p
    return bool(square) and any(
        (key.x * square - x * r) % curve.p == 0 and (key.y * square * z - y * r * r) % curve.p == 0
        for r in (_radix(curve, word), 1)
    )
