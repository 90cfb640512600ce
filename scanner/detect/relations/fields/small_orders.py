"""DSA exponents of 160 bits, which are no runs: read around where their group's numbers stand.

Orders were of 160 bits (FIPS 186-2), and are so in the keys of 1024 bits that OpenSSL and JDK make
still. Twenty bytes are told from other memory by what is beside them: zeros that fill a limb, or
their length. This module tries them where a public key of the group was read, so that one power
decides, and passes nonces over: of a signature's r no run tells either.
"""

from collections.abc import Iterator

import numpy as np

from scanner.detect.integers import readings
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.integers.readings import BYTES, JAVA, LIMBS, Reading
from scanner.detect.relations.fields.fixedbase import powers
from scanner.detect.relations.fields.groups import Group
from scanner.detect.relations.places import variety, words
from scanner.model import Place

BITS, SIZE = 160, 20
"""Of an order, and the bytes of an exponent."""

MOST_PLACES, MOST_POWERS = 64, 2_000
"""Places of numbers of a group around which is read, and exponents that are tried: 70 us each."""

_REACH = NEIGHBOURHOOD // 2
"""Bytes before and behind a place that are read."""

_LACK = 16
"""Bits that an exponent is shorter than its order at most."""

_HEAD, _PAD = 8, 4
"""Bytes before an exponent that are looked at, and those behind it that fill a limb of 64 bits."""

_SMALL = 1 << 16
"""Below it are the sizes of an allocator's blocks."""


def search(pool: Pool, group: Group) -> Iterator[tuple[tuple[int, int, int], Reading, Place]]:
    """Yield g, x and y of public keys of a group that were read, and how x stands where."""
    ys = [y for _, y in group.stated]
    if group.q.bit_length() != BITS or not ys:
        return
    seen: set[int] = set()
    raised = {g: powers(g, group.p, BITS) for g in group.bases}
    told = [key.witness.place for key in group.stated.values() if key.witness.place]
    places = [*_places(pool, (*ys, *group.bases, group.p)), *told]
    for x, place, how in _near(pool, places[:MOST_PLACES]):
        if x in seen or not 1 << (BITS - _LACK) < x < group.q:
            continue
        seen.add(x)
        found = ((g, x, power(x)) for g, power in raised.items())
        yield from ((each, how, place) for each in found if (each[0], each[2]) in group.stated)
        if len(seen) * len(raised) >= MOST_POWERS:
            return


def _places(pool: Pool, numbers: tuple[int, ...]) -> list[Place]:
    """Return where numbers of a group stand, in the order of the numbers."""
    forms = [
        (index, readings.encode(how, number, 8 * (-(-number.bit_length() // 64) * 8)))
        for index, number in enumerate(numbers)
        for how in readings.unpacked(pool.readings)
    ]
    lows = np.array([int.from_bytes(raw[:8], "little") for _, raw in forms], np.uint64)
    hits = [
        (forms[row][0], at)
        for row, at in words.find(pool.data, lows)
        if words.stands(pool.data, at, forms[row][1])
    ]
    return [pool.place(at, SIZE) for _, at in sorted(hits)]


def _near(pool: Pool, places: list[Place]) -> Iterator[tuple[int, Place, Reading]]:
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
            x = readings.decode(how, raw[at : at + SIZE]) or 0
            yield x, Place(space=place.space, offset=first + at, size=SIZE), how


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
        good = before == SIZE // JAVA.word
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
