"""How far positions of the pool are from places of the dump, and what of them places cover.

Distances are counted in coordinates: an address space, then a byte of it. This module refuses to
say what is likely there.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.runs import coordinate
from scanner.model import Place

Spans = tuple[Offsets, Offsets]
"""Where some places begin, and where those up to each of them end, as coordinates."""


class Ground(NamedTuple):
    """What is known of the dump: where numbers surely are others, and where they are, as a rule."""

    taken: Spans = (np.empty(0, np.int64), np.empty(0, np.int64))
    poor: Spans = taken


UNKNOWN = Ground()


_ADJOINING, MOST_PAIRED = 16, 32
"""Bytes between two blocks of an allocator, at most, that are one behind the other; and of such
blocks in a row, at most, that may be keys: a loop lays out thousands."""

_PER_PLACE, _STORE, TABLE = 16, 64, 512
"""Derivations for each place of a point beyond those of a store of roots: where a server has
thousands of keys, as many coordinates stand among them, and each is read in two ways. And bytes
from a point to the next where both are of a table (OpenSSL multiplies by some, on P-224 and P-521),
at most."""


def marks(near: Iterable[Place]) -> Offsets:
    """Return the coordinates where places begin, sorted."""
    rows = np.array([(place.space, place.offset) for place in near], np.int64).reshape(-1, 2)
    return np.sort(coordinate(*rows.T))


def worth(pool: Pool, near: Iterable[Place], apart: int = -1) -> int:
    """Return how many derivations the public points that begin in the pool are worth.

    Those more than so many bytes from the one before.
    """
    ends = coordinate(pool.space[[0, -1]], pool.offset[[0, -1]]) if len(pool.at) else (0, 0)
    where = marks(near)
    first, last = np.searchsorted(where, ends)
    count = int(np.count_nonzero(np.diff(where[first:last]) > apart))
    return _PER_PLACE * max(count - _STORE, 0)


def nearest_to(pool: Pool, positions: Offsets, near: Iterable[Place]) -> Offsets:
    """Sort positions by how far they are from the nearest of some places, if there are any."""
    return nearest(pool, positions, marks(near))


def nearest(pool: Pool, positions: Offsets, marks: Offsets) -> Offsets:
    """Sort positions by how far they are from the nearest mark, if there are any."""
    if not len(marks) or not len(positions):
        return positions
    return positions[np.argsort(distances(pool, positions, marks), kind="stable")]


def distances(pool: Pool, positions: Offsets, marks: Offsets) -> Offsets:
    """Return how far positions are from the nearest of some sorted marks, of which there are."""
    return apart(coordinates(pool, positions), marks)


def apart(here: Offsets, marks: Offsets) -> Offsets:
    """Return the same of coordinates."""
    after = np.searchsorted(marks, here).clip(0, len(marks) - 1)
    far: Offsets = np.minimum(
        np.abs(marks[after] - here), np.abs(marks[(after - 1).clip(0)] - here)
    )
    return far


def coordinates(pool: Pool, positions: Offsets) -> Offsets:
    """Return where in the dump positions are, as coordinates."""
    block = np.searchsorted(pool.at, positions, side="right") - 1
    return coordinate(pool.space[block], pool.offset[block] + positions - pool.at[block])


def located(pool: Pool, marks: Offsets) -> Offsets:
    """Return where coordinates of the dump would be in the pool; -1 for those before all of it."""
    if not len(pool.at):
        return np.full(len(marks), -1)
    starts = coordinate(pool.space, pool.offset)
    block = np.searchsorted(starts, marks, side="right") - 1
    return np.where(block < 0, -1, pool.at[block] + marks - starts[block])


def in_row(pool: Pool, positions: Offsets, size: int) -> Offsets:
    """Count, for each of some sorted positions, those of its row: an allocator's, one by one."""
    apart = np.diff(coordinates(pool, positions)) > ((size + 8 + 15) & ~15) + _ADJOINING
    starts = np.flatnonzero(np.append(True, apart)) if len(positions) else positions
    length = np.diff(np.append(starts, len(positions)))
    return np.repeat(length, length)


def spans(places: Iterable[Place]) -> Spans:
    """Return where places begin, sorted, and where those up to each of them end at last."""
    rows = sorted((place.space, place.offset, place.size) for place in places)
    space, offset, size = np.array(rows, np.int64).reshape(-1, 3).T
    first = coordinate(space, offset)
    return first, np.maximum.accumulate(first + size)


def sorted_out(
    pool: Pool, parts: Iterable[Offsets], size: int, ground: Ground
) -> Iterator[Offsets]:
    """Yield the parts without pieces on taken ground; behind all of them, those on poor ground."""
    if not len(ground.taken[0]) + len(ground.poor[0]):
        yield from filter(len, parts)
        return
    last = []
    for part in filter(len, parts):
        free = part[clear(pool, part, size, ground.taken)]
        rich = clear(pool, free, size, ground.poor)
        yield free[rich]
        last.append(free[~rich])
    yield from last


def clear(pool: Pool, positions: Offsets, size: int, where: Spans) -> Flags:
    """Tell which pieces of ``size`` bytes have no byte in common with some places."""
    first, last = where
    if not len(first):
        return np.ones(len(positions), np.bool_)
    here = coordinates(pool, positions)
    before = np.searchsorted(first, here + size) - 1
    free: Flags = before < 0
    free[~free] = last[before[~free]] <= here[~free]
    return free
