"""Expanded keys of block ciphers: where they are looked for, whatever the cipher.

An expanded key is 128 bytes and more that look random, so it lies in (or around) a random-looking
run: only those bytes are searched, by each cipher's own arithmetic (``aes``, ``des``, ``sm4``) in
one pass. What a cipher finds recomputes whole, and so is proved. Keys of published test vectors are
told as such: everybody has them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.detect.ciphers import vectors
from scanner.detect.integers.runs import Runs, chosen, shared
from scanner.dump.space import Memory
from scanner.fingerprint import Names
from scanner.model import Fingerprint, Place

AROUND = 256
"""Bytes around a run that are searched too: a weak key's first words need not look random."""

SHORTEST = 96
"""Bytes of the shortest run that is looked at: two thirds of the smallest schedule look random."""

BLOCK = 256 << 10
"""Bytes that are searched at once."""

WITHIN = 16
"""Bytes of a schedule that need not look random: two words without a byte above 0x7f."""

GAP = 1024
"""Bytes between runs that are sooner read than left out."""

_ALIGNED = 8

_ROWS = 1 << 15
"""Ranges that are named at once."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Found:
    """What a cipher found in a block of bytes. Stays in the process: it has the key."""

    at: int
    size: int
    algorithm: str
    bits: int
    order: str
    """``encryption`` or ``decryption``; `` swapped`` where words are big-endian loaded."""
    key: bytes


Find = Callable[[bytes | memoryview], Iterator[Found]]
"""What searches a block, whose first byte is aligned to eight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One expanded key."""

    algorithm: str
    bits: int
    order: str
    place: Place
    name: Fingerprint
    """Schedules of one key have one name."""
    published: str = ""
    """Where the key is printed for everybody to read; empty for a secret."""


def search(
    memory: Memory, runs: Runs, finds: Sequence[Find], key: bytes = b""
) -> Iterator[tuple[int, Schedule]]:
    """Yield every schedule in the runs or around them, once for each place, with which found it.

    ``key`` is that of their fingerprints.
    """
    names = Names(key)
    seen: set[tuple[str, int, int]] = set()
    for data, parts in _blocks(memory, runs):
        starts = np.array([start for start, _, _, _ in parts])
        for which, found in ((k, found) for k, find in enumerate(finds) for found in find(data)):
            part = int(np.searchsorted(starts, found.at, side="right")) - 1
            start, space, offset, size = parts[part]
            inside = found.at - start
            name = (found.algorithm, space, offset + inside)
            end = min(offset + size, int(memory.map.size[space]))
            if offset + inside + found.size > end or name in seen:
                continue
            seen.add(name)
            yield (
                which,
                Schedule(
                    algorithm=found.algorithm,
                    bits=found.bits,
                    order=found.order,
                    place=Place(space=space, offset=offset + inside, size=found.size),
                    published=vectors.source_of(found.key),
                    name=names.of(found.algorithm, found.key),
                ),
            )


def _blocks(
    memory: Memory, runs: Runs
) -> Iterator[tuple[memoryview, list[tuple[int, int, int, int]]]]:
    """Yield the bytes of the runs and of what is around them, near ones together.

    With each, its parts: (where it begins there, space, offset, size). The bytes are overwritten
    by the next.
    """
    buffer = memoryview(bytearray(2 * BLOCK))
    parts: list[tuple[int, int, int, int]] = []
    total = 0
    for space, first, end in _ranges(memory, runs):
        at = first
        while at < end:
            size = min(end - at, BLOCK)
            memory.readinto(space, at, buffer[total : total + size])
            parts.append((total, space, at, size))
            filled = -size % _ALIGNED
            buffer[total + size : total + size + filled] = bytes(filled)
            total += size + filled
            at = end if at + size >= end else at + size - 2 * AROUND
            if total >= BLOCK:
                yield buffer[:total], parts
                parts, total = [], 0
    if parts:
        yield buffer[:total], parts


def long(runs: Runs) -> Runs:
    """Return the runs that are worth a look, small gaps closed: few of all, and of them all."""
    runs = _joined(runs, WITHIN)
    kept = runs.end - runs.start >= SHORTEST
    return chosen(runs, kept)


def _ranges(memory: Memory, runs: Runs) -> Iterator[tuple[int, int, int]]:
    """Yield (space, start, end) of what is searched, each byte once, a read at a time."""
    runs = long(runs)
    start = np.maximum(runs.start - AROUND, 0) & -_ALIGNED
    end = np.minimum(runs.end + AROUND, memory.map.size[runs.space])
    near = _joined(Runs(space=runs.space, start=start, end=end), GAP)
    for low in range(0, len(near), _ROWS):
        part = slice(low, low + _ROWS)
        rows = (near.space[part], near.start[part], near.end[part])
        yield from zip(*(row.tolist() for row in rows), strict=True)


def _joined(runs: Runs, gap: int) -> Runs:
    """Join runs that are at most so many bytes apart."""
    fresh = np.ones(len(runs), np.bool_)
    fresh[1:] = runs.space[1:] != runs.space[:-1]
    fresh[1:] |= runs.start[1:] > runs.end[:-1] + gap
    if fresh.all():
        return runs
    heads = np.flatnonzero(fresh)
    tails = np.append(heads[1:], len(runs))[: len(heads)] - 1
    return Runs(space=shared(runs.space[heads]), start=runs.start[heads], end=runs.end[tails])
