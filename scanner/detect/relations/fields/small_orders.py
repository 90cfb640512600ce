"""DSA exponents of 160 bits, which are no runs: looked for in memory itself.

Orders were of 160 bits (FIPS 186-2), and are so in the keys of 1024 bits that OpenSSL and JDK make
still. Twenty bytes are told from other memory by what is beside them: zeros that fill a limb, or
their length. Around the other numbers of a key all such are tried, and elsewhere what an allocator
or Java announces. This module tries them where a public key of the group was read, so that one
power decides, and passes nonces over: of a signature's r no run tells either.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.algebra import gmp
from scanner.detect.integers import readings
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.integers.readings import BYTES, JAVA, LIMBS, Reading
from scanner.detect.relations.fields.groups import Group
from scanner.detect.relations.places import variety, words
from scanner.model import Place

BITS, SIZE = 160, 20
"""Of an order, and the bytes of an exponent."""

MOST_PLACES, MOST_BYTES = 64, 1 << 29
"""Places of numbers of a group around which is read; and bytes of memory elsewhere."""

MOST_NEAR, MOST_FAR = 2_000, 8_000
"""Exponents that are tried there, and elsewhere, at 70 us each modulo a p of 1024 bits: of longer
ones fewer, as each costs more."""

_USUAL = 1024
"""Bits of such a p."""

_REACH = NEIGHBOURHOOD // 2
"""Bytes before and behind a place that are read."""

_CHUNK = 1 << 22
"""Bytes that are read at once elsewhere."""

_LACK = 16
"""Bits that an exponent is shorter than its order at most."""

_HEAD, _PAD = 8, 4
"""Bytes before an exponent that are looked at, and those behind it that fill a limb of 64 bits."""

_SMALL, _HIGH = 1 << 16, np.uint64(1 << 48)
"""Below these are the sizes of an allocator's blocks; and of random limbs one in 65,536."""

_INTS = SIZE // JAVA.word

_Exponent = tuple[int, Reading, Place]
"""A number that may be an exponent, how it is read, and where it stands."""


def search(pool: Pool, group: Group) -> Iterator[tuple[tuple[int, int, int], Reading, Place]]:
    """Yield g, x and y of public keys of a group that were read, and how x stands where."""
    if group.q.bit_length() != BITS or not group.stated:
        return
    cost = len(group.bases) * max(group.p.bit_length(), _USUAL) ** 2
    left = set(group.stated)
    told = [key.witness.place for key in group.stated.values() if key.witness.place]
    places = [*_places(pool, (*(y for _, y in group.stated), *group.bases, group.p)), *told]
    near, far = _near(pool, places[:MOST_PLACES]), _far(pool)
    for found, most in ((near, MOST_NEAR), (far, MOST_FAR)):
        fresh = _fresh(found, group.q)
        for x, how, place in itertools.islice(fresh, most * _USUAL**2 // cost):
            for g in group.bases:
                key = g, gmp.power(g, x, group.p)
                if key in left:
                    left.remove(key)
                    yield (g, x, key[1]), how, place
        if not left:
            return


def _fresh(found: Iterator[_Exponent], q: int) -> Iterator[_Exponent]:
    """Yield what is as long as an order and below it, each number once."""
    seen: set[int] = set()
    for one in found:
        if 1 << (BITS - _LACK) < one[0] < q and one[0] not in seen:
            seen.add(one[0])
            yield one


def _places(pool: Pool, numbers: tuple[int, ...]) -> list[Place]:
    """Return where numbers of a group stand, in the order of the numbers."""
    forms = [
        (index, readings.encode(how, number, 8 * (-(-number.bit_length() // 64) * 8)))
        for index, number in enumerate(numbers)
        for how in readings.unpacked(pool.readings)
    ]
    hits = words.find_whole(pool.data, [raw for _, raw in forms])
    return [pool.place(at, SIZE) for _, at in sorted((forms[row][0], at) for row, at in hits)]


# --- around the other numbers -------------------------------------------------------------------


def _near(pool: Pool, places: list[Place]) -> Iterator[_Exponent]:
    """Yield what may be exponents around some places: those next to each first."""
    read: list[Place] = []
    for place in places:
        if any(_close(place, other) for other in read):
            continue
        read.append(place)
        first = max(place.offset - _REACH, 0)
        raw = pool.memory.clip(place.space, first, 2 * _REACH)
        rows = [
            (abs(first + at - place.offset), at, how)
            for how in (LIMBS, JAVA, BYTES)
            if how in pool.readings
            for at in _listed(pool, Place(space=place.space, offset=first, size=len(raw)), how, raw)
        ]
        for _, at, how in sorted(rows, key=lambda row: row[:2]):
            yield _exponent(raw, at, how, place.space, first)


def _exponent(raw: bytes, at: int, how: Reading, space: int, first: int) -> _Exponent:
    x = readings.decode(how, raw[at : at + SIZE]) or 0
    return x, how, Place(space=space, offset=first + at, size=SIZE)


def _close(one: Place, other: Place) -> bool:
    return one.space == other.space and abs(one.offset - other.offset) < _REACH // 2


def _listed(pool: Pool, place: Place, how: Reading, raw: bytes) -> list[int]:
    """List where twenty random bytes stand in a place that may be a number of some reading."""
    data, memory = np.frombuffer(raw, np.uint8), pool.memory.map
    at = np.arange(_HEAD, max(len(data) - SIZE - _PAD, _HEAD))
    addressed = memory.addressed[place.space] and not memory.doubted[place.space]
    past = at + place.offset + (int(memory.base[place.space]) if addressed else 0)
    limb = memory.pointer_size
    before, behind = words.sliding(data, "<u4")[at - _PAD], words.sliding(data, "<u4")[at + SIZE]
    padded = (behind == 0) & ((past % limb == 0) | (not addressed)) & (limb > _PAD)
    if how is JAVA:
        good = before == _INTS
    elif how is LIMBS:
        good = padded | (before < _SMALL) & (limb <= _PAD)
    else:
        signed = (data[at - 1] == 0) & (data[at - 2] == SIZE + 1)
        good = padded | signed | (data[at - 1] == SIZE) | (before == SIZE)
        good |= words.sliding(data)[at - _HEAD] == SIZE
    if addressed:
        good &= past % how.align == 0
    at = at[good]
    found: list[int] = at[variety.varied(data, at, SIZE)].tolist()
    return found


# --- elsewhere ----------------------------------------------------------------------------------


def _far(pool: Pool) -> Iterator[_Exponent]:
    """Yield what may be exponents anywhere at addresses: what is behind a small word comes first.

    Seen in PyCryptodome: x lay 1.5 MB from y, in the heap that grows, behind its block's size.
    """
    memory, left, later = pool.memory, MOST_BYTES, list[_Exponent]()
    for space in np.flatnonzero(memory.map.addressed).tolist():
        whole = min(int(memory.map.size[space]), left)
        left -= whole
        for first in range(-int(memory.map.base[space]) % _HEAD, whole, _CHUNK):
            raw = memory.clip(space, first, _CHUNK + SIZE + _PAD + _HEAD)
            data = np.frombuffer(raw, np.uint8)[: len(raw) // _HEAD * _HEAD]
            if not data.any():
                continue
            for how, (at, likely) in _announced(data, memory.map.pointer_size).items():
                keep = variety.varied(data, at, SIZE) if how in pool.readings else at < 0
                for one, soon in zip(at[keep].tolist(), likely[keep].tolist(), strict=True):
                    exponent = _exponent(raw, one, how, space, first)
                    if soon:
                        yield exponent
                    elif len(later) < MOST_FAR:
                        later.append(exponent)
    yield from later


def _announced(data: Bytes, limb: int) -> dict[Reading, tuple[Offsets, Flags]]:
    """List where limbs may stand, or ints behind their count, and which are the likelier ones."""
    ints = data.view("<u4")
    counted = 4 * (np.flatnonzero(ints[: -_INTS - 1] == _INTS) + 1)
    every = np.ones(len(counted), np.bool_)
    if limb > _PAD:
        full = data.view("<u8")
        top = full[3:] - np.uint64(_SMALL) < np.uint64((1 << 32) - _SMALL)
        at = np.flatnonzero(top & (full[1:-2] >= _HIGH) & (full[2:-1] >= _HIGH)) + 1
        return {JAVA: (counted, every), LIMBS: (8 * at, full[at - 1] < _SMALL)}
    at = np.flatnonzero(ints[: -_INTS - 1] < _SMALL) + 1
    for word in range(_INTS):
        at = at[ints[at + word] >= _SMALL]
    return {JAVA: (counted, every), LIMBS: (4 * at, np.ones(len(at), np.bool_))}
