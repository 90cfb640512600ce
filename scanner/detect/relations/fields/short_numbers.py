"""Numbers of 160 bits, which are no runs: where they may stand in memory itself.

Twenty bytes are told from other memory by what is beside them: zeros that fill a limb, or their
length. Around the other numbers of a key all such are listed, and elsewhere what an allocator or
Java announces. This module knows no group: whoever asks has a division or a power that decides.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.integers import readings
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.integers.readings import BYTES, JAVA, LIMBS, Reading
from scanner.detect.relations.places import variety, words
from scanner.model import Place

BITS, SIZE = 160, 20
"""Of an order, and the bytes of an exponent."""

MOST_PLACES, MOST_BYTES = 64, 1 << 29
"""Places of other numbers around which is read; and bytes of memory elsewhere."""

_MOST_LATER = 8_000
"""Numbers elsewhere that are kept for later."""

_REACH = NEIGHBOURHOOD // 2
"""Bytes before and behind a place that are read."""

_CHUNK = 1 << 22
"""Bytes that are read at once elsewhere."""

_HEAD, _PAD = 8, 4
"""Bytes before a number that are looked at, and those behind it that fill a limb of 64 bits."""

_SMALL, _HIGH = 1 << 16, np.uint64(1 << 48)
"""Below these are the sizes of an allocator's blocks; and of random limbs one in 65,536."""

_INTS = SIZE // JAVA.word

Number = tuple[int, Reading, Place]
"""A number, how it is read, and where it stands."""


# --- around the other numbers -------------------------------------------------------------------


def near(pool: Pool, places: Sequence[Place]) -> Iterator[Number]:
    """Yield what may be numbers around some places: those next to each first."""
    read: list[Place] = []
    for place in places[:MOST_PLACES]:
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
            yield _number(raw, at, how, place.space, first)


def _number(raw: bytes, at: int, how: Reading, space: int, first: int) -> Number:
    x = readings.decode(how, raw[at : at + SIZE]) or 0
    return x, how, Place(space=space, offset=first + at, size=SIZE)


def _close(one: Place, other: Place) -> bool:
    return one.space == other.space and abs(one.offset - other.offset) < _REACH // 2


def _listed(pool: Pool, place: Place, how: Reading, raw: bytes) -> list[int]:
    """List where twenty random bytes stand in a place that may be a number of some reading."""
    data, memory = np.frombuffer(raw, np.uint8), pool.memory.map
    at = np.arange(_HEAD, max(len(data) - SIZE - _PAD, _HEAD))
    addressed = memory.addressed[place.space] and not memory.doubted[place.space]
    past = at + place.offset + (int(memory.base[place.space]) % _HEAD if addressed else 0)
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


def far(pool: Pool) -> Iterator[Number]:
    """Yield what may be numbers anywhere at addresses: what is behind a small word comes first.

    Seen in PyCryptodome: x lay 1.5 MB from y, in the heap that grows, behind its block's size.
    """
    memory, left, later = pool.memory, MOST_BYTES, list[Number]()
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
                    number = _number(raw, one, how, space, first)
                    if soon:
                        yield number
                    elif len(later) < _MOST_LATER:
                        later.append(number)
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
