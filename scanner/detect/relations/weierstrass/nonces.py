"""Which scalars are nonces of signatures: s*k = z + r*d, or r and s stand together in DER.

A nonce's point is a point as any key's is, and who computes with numbers leaves its y there too:
seen in @noble/curves and ethers on Node.js, whose points are pairs of BigInts. But r is its x, and
if the key d that signed is found as well, every number near r that may be s gives z, which is a
hash (FIPS 186-5 6.4.1): where that stands, k is the nonce of a signature, whatever else is there,
and d the key that signed. Whoever has s normalised it to n - s, perhaps. In doubt a scalar is a
key. And where s is told by DER, or stands right behind r, a number near them that gives such a hash
is the d of a key, whose point may be gone.
"""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from scanner.arrays import Bytes
from scanner.detect.algebra.material import Ec, describe
from scanner.detect.evidence import ec_derived
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import pieces, words
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass.curves import (
    BIG,
    CURVES,
    JAVA,
    LITTLE,
    Curve,
    Reading,
    sightings,
)
from scanner.model import NONCE, NONCES, Place

MOST_PAIRS = 256
"""Pairs of a nonce and a key that are tried on a curve."""

MOST_NUMBERS = 400
"""Numbers near r that are tried as s."""

MOST_SIGNATURES = 16
"""Numbers that are tried as s where a key is looked for without its point, at 5 ms each."""

SIGNED = "s*k = z + r*d"
"""What closes for a key of which d alone stands, and a signature with its nonce and its hash."""

_AT_ONCE = 1 << 16
"""Hashes that are looked for at once."""

_HASHES = (20, 28, 32, 48, 64)
"""Bytes of hashes."""

_INTEGER, _SEQUENCE, _LONG = 0x02, 0x30, 0x81
"""Tags of DER (X.690 8.3, 8.9), and what stands before a length of one byte from 128 on."""

Pair = TypeVar("Pair")

_Places = dict[tuple[str, int], list[int]]
"""Curve and x of a point, and positions in the pool."""


def named(
    pool: Pool, found: Sequence[Related], known: Collection[tuple[str, int]]
) -> Iterator[Related]:
    """Yield what was found, nonces under their name, and under that of the key that signed.

    A point that is ``known`` is a key's.
    """
    keys = {
        name: (one.proof in NONCES, one.key)
        for one in found
        if isinstance(one.key, Ec) and (name := (one.key.curve, one.key.x)) not in known
    }
    signers = [one.key for one in found if isinstance(one.key, Ec) and one.proof not in NONCES]
    # What may be a key comes first: of the others it is known what they are.
    suspects = [key for _, key in sorted(keys.values(), key=lambda row: row[0])]
    places = _places(pool, suspects)
    signed = _signers(pool, suspects, signers, places)
    told = {(one.key.curve, one.key.x) for one in found if isinstance(one.key, Ec)}
    lone = [key for key in suspects if (key.curve, key.x) not in signed]
    for key, own, one in _without_point(pool, lone, places):
        if (own.curve, own.x) not in told:
            told.add((own.curve, own.x))
            yield one
        signed[key.curve, key.x] = own
    for one in found:
        if not isinstance(one.key, Ec) or (name := (one.key.curve, one.key.x)) not in keys:
            yield one
        elif name in signed:
            signer = bytes.fromhex(describe(signed[name]).fingerprint.value)
            yield replace(one, proof=NONCE, signer=signer)
        elif any(_signature(pool.data, CURVES[name[0]], at, one.key) for at in places[name]):
            yield replace(one, proof=NONCE)
        else:
            yield one


def _places(pool: Pool, suspects: Sequence[Ec]) -> _Places:
    """Return where r of each suspect stands."""
    names = [(key.curve, key.x) for key in suspects]
    places: _Places = {name: [] for name in names}
    for index, position, size in sightings(pool.data, names, big_endian=pool.big_endian):
        if size == CURVES[names[index][0]].size:
            places[names[index]].append(position)
    return places


def _signature(data: Bytes, curve: Curve, position: int, key: Ec) -> int:
    """Return s if what stands there is the first of two integers in DER, and no point's x; or 0."""
    size = curve.size
    first = position - 1 if key.x >> 8 * size - 1 else position
    there = data[max(first - 5, 0) : position + 2 * size + 3].tobytes()
    start = first - max(first - 5, 0)
    before, behind = there[:start], there[start + position - first + size :]
    integer = bytes((_INTEGER, position - first + size))
    if not before.endswith(integer) or behind[:1] != bytes((_INTEGER,)) or len(behind) < 2:
        return 0
    length = len(integer) + integer[1] + 2 + behind[1]
    head = bytes((_SEQUENCE, *((_LONG,) if length > 0x7F else ()), length & 0xFF))
    other = int.from_bytes(behind[2 : 2 + behind[1]], "big")
    in_sequence = before[: -len(integer)].endswith(head) and length <= 0xFF
    good = in_sequence and 0 < other < curve.n and other not in {key.y, curve.p - key.y}
    return other if good else 0


def _second(data: Bytes, curve: Curve, position: int, key: Ec) -> Iterator[int]:
    """Yield what may be s behind r: the second integer in DER, or as many bytes."""
    behind = data[position + curve.size : position + 2 * curve.size].tobytes()
    numbers = (int.from_bytes(behind, "big"), int.from_bytes(behind, "little"))
    yield from (s for s in (_signature(data, curve, position, key), *numbers) if 0 < s < curve.n)


def _signers(
    pool: Pool, suspects: Sequence[Ec], signers: Sequence[Ec], places: _Places
) -> dict[tuple[str, int], Ec]:
    """Return which suspects are nonces of a found key: s is near r, and the hash stands there."""
    signed = _hashes(pool, suspects, signers, places)
    return {(key.curve, key.x): signer for key, signer in standing(pool, signed)}


def standing(pool: Pool, signed: Iterator[tuple[bytes, Pair]]) -> Iterator[Pair]:
    """Yield what comes with each of some hashes that stands in the pool."""
    while rows := list(itertools.islice(signed, _AT_ONCE)):
        for index, _ in words.find_whole(pool.data, [raw for raw, _ in rows]):
            yield rows[index][1]


def _without_point(
    pool: Pool, suspects: Sequence[Ec], places: _Places
) -> Iterator[tuple[Ec, Ec, Related]]:
    """Yield nonces and who signed with each: s and d stand near r, and the hash too.

    Seen in Go, after whose collector only d was left of a key, in slots of an allocator.
    """
    rows = [
        (key, s, pool.place(at, CURVES[key.curve].size))
        for key in suspects
        for at in places[key.curve, key.x]
        for s in dict.fromkeys(_second(pool.data, CURVES[key.curve], at, key))
    ]
    done: set[tuple[str, int]] = set()
    for (key, position, how), d in standing(pool, _own(pool, rows[:MOST_SIGNATURES])):
        curve = CURVES[key.curve]
        signer = ec_derived(curve.name, d) if (key.curve, key.x) not in done else None
        if signer is not None:
            done.add((key.curve, key.x))
            yield (
                key,
                signer,
                Related(
                    key=signer,
                    proof=SIGNED,
                    encoding=f"d {pool.form(position, how.name)}",
                    places=(pool.place(position, curve.size),),
                ),
            )


def _own(
    pool: Pool, rows: Sequence[tuple[Ec, int, Place]]
) -> Iterator[tuple[bytes, tuple[tuple[Ec, int, Reading], int]]]:
    """Yield what would have been signed by each number near r, and which that is."""
    for key, s, place in rows:
        curve = CURVES[key.curve]
        part = s * key.d % curve.n
        for position, how, d in _positions(pool, curve.size, [place]):
            rest = key.x * d
            for z in hashes(curve.n, part - rest, -part - rest) if 0 < d < curve.n else ():
                for raw in spelled(curve.size, z):
                    yield raw, ((key, position, how), d)


def _hashes(
    pool: Pool, suspects: Sequence[Ec], signers: Sequence[Ec], places: _Places
) -> Iterator[tuple[bytes, tuple[Ec, Ec]]]:
    """Yield what a signer would have signed with a nonce, by each number near r, and who they are.

    Where signers are too many for a curve, the first nonces are tried with all of them.
    """
    left = dict.fromkeys(CURVES, MOST_PAIRS)
    for key in suspects:
        curve, at = CURVES[key.curve], places[key.curve, key.x]
        others = [d for d in signers if d.curve == key.curve and d.x != key.x] if at else []
        others = others[: left[key.curve]]
        left[key.curve] -= len(others)
        near = [pool.place(position, curve.size) for position in at] if others else []
        for s in numbers(pool, curve.size, near) if near else ():
            part = s * key.d % curve.n
            for signer in others:
                rest = key.x * signer.d
                for z in hashes(curve.n, part - rest, -part - rest):
                    for raw in spelled(curve.size, z):
                        yield raw, (key, signer)


def numbers(pool: Pool, size: int, near: Sequence[Place]) -> Iterator[int]:
    """Yield what may be s, in either order of its bytes, or in Java's ints."""
    yield from (number for _, _, number in _positions(pool, size, near))


def _positions(pool: Pool, size: int, near: Sequence[Place]) -> Iterator[tuple[int, Reading, int]]:
    """Yield numbers near places, at which positions, and how they are read there."""
    most = MOST_NUMBERS // 2
    found = (pieces.beside(pool, size, most, near), pieces.aligned(pool, size, most, near))
    for position in np.unique(np.concatenate(found)).tolist():
        raw = pool.data[position : position + size].tobytes()
        for how in (BIG, LITTLE, JAVA) if size % JAVA.word == 0 else (BIG, LITTLE):
            yield position, how, how.decode(raw)


def hashes(n: int, *residues: int) -> Iterator[int]:
    """Yield the hashes that leave one of these modulo the order.

    Every third is greater than that of brainpoolP256r1. A first word of zeros tells nothing, and
    costs much to look up.
    """
    most = 1 << min(n.bit_length(), 8 * _HASHES[-1])
    for z in (residue % n for residue in residues):
        yield from (whole for whole in (z, z + n) if 1 << 64 <= whole < most)


def spelled(most: int, z: int) -> tuple[bytes, ...]:
    """Spell a hash, which is shorter than the order as a rule if it is of fewer bytes."""
    length = (z.bit_length() + 7) // 8
    size = min((whole for whole in _HASHES if whole >= length), default=most)
    size = min(size, most)
    big = z.to_bytes(size, "big")
    ints = b"".join(big[at : at + JAVA.word][::-1] for at in range(0, size, JAVA.word))
    return big, big[::-1], ints
