"""Keys of Go's standard library in use: a name, a point and a scalar, each by pointer and length.

Whoever signs or agrees on keys has ``PrivateKey`` of crypto/internal/fips140/ecdsa or ecdh (since
1.24): the curve's name, the point as bytes, and the scalar as bytes. Go lays blocks of one size end
to end, and a point and its scalar are of two sizes: neither is near the other, and nothing but this
structure says where they are. An Ed25519 key (crypto/ed25519) is a slice of 64 bytes, its seed and
its public half: amid other blocks of that size, no edge of a run is theirs. The heap begins at
0xc000000000 (on arm64 at 0x4000000000, runtime/malloc.go), which tells the lengths of slices from
others. PrivateKey of crypto/ecdsa, which a server keeps for each of its certificates, has the
scalar and both coordinates as numbers of math/big, each a sign and a slice of words with room for
four more, made one after the other: where many keys are on one curve, more than are tried, the
headers of these tell each. What a scalar or a seed does not derive is refused. Of X25519 no
structure is known here, nor are big-endian machines.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.algebra.material import Material, Okp
from scanner.detect.asn1.keys import Proved, okp_public
from scanner.detect.evidence import DISTINCT, ec_derived, okp_seed, on_curve, proved
from scanner.detect.structures import around
from scanner.dump import space as spaces
from scanner.dump.space import Memory
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Candidate, Place
from scanner.rules import Rule

_CURVES = {1 + 2 * FIELD_BYTES[name]: name for name in ("P-224", "P-256", "P-384", "P-521")}
"""By the bytes of an uncompressed point (SEC 1 section 2.3.3)."""

_NAME = len("P-256")

_BEFORE, _WORDS = 2, 6
"""Words before the length of a point: its name's length and its address; and those looked at."""

_SEED = 32
"""Bytes of a seed of Ed25519 and of its public half."""

MOST_SLICES = 1 << 14
"""Slices of 64 bytes whose seeds are derived: 70 us each."""

_INTEGERS = ("P-224", "P-256", "P-384", "P-521", "secp256k1")
"""Curves whose keys programs keep as PrivateKey of crypto/ecdsa: btcec does too."""

_ROOM, _FIELDS, _MOST = 4, 4, 72
"""Words more than a number needs (nat.make of math/big), words of its header, and bytes of the
longest: P-521's, in whole words of either size."""

_BESIDE = (-1, 2, 3, 4, 5, 6)
"""How many headers behind that of x the one of the scalar may be: d is read from a file before the
others, and drawn after them and the PublicKey, which is as long as a header."""

_POINT, _SLICE, _INTEGER = "Go PrivateKey", "Go ed25519.PrivateKey", "Go ecdsa.PrivateKey"
"""Encodings, as reports spell them."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key of the structure in which the length of a point is at ``offset``.

    Or that of a slice of both halves of Ed25519: the upper half of its address is there. Or that of
    two numbers of math/big, a header behind the other: the length of the first is there.
    """
    word = memory.map.pointer_size
    if memory.map.byte_order != "little":
        return
    yield from _of_integers(memory, rule, space, offset - _BEFORE * word)
    yield from _in_slice(memory, rule, _words(memory, space, offset - word // 2, 2))
    words = _words(memory, space, offset - _BEFORE * word, _WORDS)
    if not words:
        return
    name, point, size, _, scalar, width = words
    curve = _CURVES.get(size, "")
    if not curve or name != _NAME or width != FIELD_BYTES[curve]:
        return
    public, place = (spaces.placed(memory.map, *row) for row in ((point, size), (scalar, width)))
    if public is None or place is None:
        return
    key = ec_derived(curve, int.from_bytes(memory.read(place.space, place.offset, place.size)))
    if key is not None:
        written = b"\x04" + key.x.to_bytes(width) + key.y.to_bytes(width)
        if memory.read(public.space, public.offset, public.size) == written:
            yield proved(key, rule, _POINT, (place,))


def sifted(memory: Memory, where: Offsets, offsets: Offsets) -> Flags:
    """Flag the anchors that may lead to a key: of slices of 64 bytes at most MOST_SLICES do.

    Digests and signatures are as long, and a heap may have a million of them; it grows upwards, and
    a key is there from the start. Of slices with one address the first is as good as all.
    """
    word = memory.map.pointer_size
    flags = np.full(len(offsets), memory.map.byte_order == "little")
    slices = [(np.empty(0, np.int64), np.empty(0, np.uint64))]
    for rows, raw in around.read(memory, where, offsets, -word // 2, 2 * word):
        words = raw.view(f"<u{word}").astype(np.uint64)
        mine = words[:, 1] == 2 * _SEED
        slices.append((rows[mine], words[mine, 0]))
    rows, addresses = map(np.concatenate, zip(*slices, strict=True))
    flags[rows] = False
    there = spaces.mapped(memory.map, addresses)
    first = np.unique(addresses[there], return_index=True)[1][:MOST_SLICES]
    flags[rows[there][first]] = True
    return flags


def _words(memory: Memory, space: int, first: int, count: int) -> tuple[int, ...]:
    """Read so many words; none where not all of them are there."""
    word = memory.map.pointer_size
    raw = memory.clip(space, first, count * word) if first >= 0 else b""
    if len(raw) < count * word:
        return ()
    return tuple(int.from_bytes(raw[at : at + word], "little") for at in range(0, len(raw), word))


def _in_slice(memory: Memory, rule: Rule, words: tuple[int, ...]) -> Iterator[Proved]:
    """Yield the Ed25519 key to which a slice leads: a seed, and the public key that it derives."""
    if words[1:] != (2 * _SEED,):
        return
    place = spaces.placed(memory.map, *words)
    if place is None:
        return
    both = memory.read(place.space, place.offset, place.size)
    seed, public = both[:_SEED], both[_SEED:]
    if both.isascii() or min(len(set(seed)), len(set(public))) < DISTINCT:
        return
    key = okp_seed("ed25519", seed, public)
    if key is not None:
        yield proved(key, rule, _SLICE, (replace(place, size=_SEED),))


def _of_integers(memory: Memory, rule: Rule, space: int, first: int) -> Iterator[Proved]:
    """Yield the key of which the header of x is at ``first``, that of y behind it, and d beside."""
    x, y = (_integer(memory, space, first, step) for step in (0, 1))
    if x is None or y is None:
        return
    for curve in _INTEGERS:
        size = FIELD_BYTES[curve]
        wide = -(-size // memory.map.pointer_size) * memory.map.pointer_size
        if x[0].size == y[0].size == wide and on_curve(curve, x[1], y[1]):
            for step in _BESIDE:
                d = _integer(memory, space, first, step)
                key = ec_derived(curve, d[1]) if d is not None else None
                if d is not None and key is not None and (key.x, key.y) == (x[1], y[1]):
                    yield proved(key, rule, _INTEGER, (replace(d[0], size=size),))


def _integer(memory: Memory, space: int, first: int, step: int) -> tuple[Place, int] | None:
    """Read the number of math/big whose header is ``step`` headers behind an offset."""
    word = memory.map.pointer_size
    words = _words(memory, space, first + step * _FIELDS * word, _FIELDS)
    if not words:
        return None
    negative, address, count, room = words
    if negative or not 0 < count <= _MOST // word or room != count + _ROOM:
        return None
    place = spaces.placed(memory.map, address, count * word)
    if place is None:
        return None
    return place, int.from_bytes(memory.read(place.space, place.offset, place.size), "little")


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a candidate's scalar again."""
    place = candidate.places[0]
    raw = memory.read(place.space, place.offset, place.size)
    if candidate.encoding == _SLICE:
        return [Okp(algorithm="ed25519", seed=raw, public=okp_public("ed25519", raw))]
    order: Literal["little", "big"] = "little" if candidate.encoding == _INTEGER else "big"
    key = ec_derived(candidate.curve, int.from_bytes(raw, order))
    return [] if key is None else [key]
