"""Random-looking runs as a table of places: choosing some, joining what a window's end cut.

The bytes stay in the dump: this module knows where a run is, not what is in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.arrays import Flags, Offsets
from scanner.detect.integers.limbs import SHORTEST

Sizes = npt.NDArray[np.int64] | npt.NDArray[np.uint32]

_WIDE = 1 << 32
"""One more than the largest number of 32 bits."""

_APART = 1 << 48
"""More than the bytes of any space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Random-looking runs as parallel arrays of places, sorted by (space, start)."""

    space: Offsets
    start: Offsets
    end: Offsets

    def __len__(self) -> int:
        return len(self.space)

    def __reduce__(self) -> tuple[Callable[..., "Runs"], tuple[Sizes, ...]]:
        """Travel as half the bytes: of a large dump there are millions, and few spaces."""
        size = self.end - self.start
        narrow = not len(size) or (size.min() >= 0 and size.max() < _WIDE)
        sizes = size.astype(np.uint32) if narrow else size
        return _travelled, (*stretches(self.space), self.start, sizes)


def _travelled(space: Offsets, count: Offsets, start: Offsets, size: Sizes) -> Runs:
    return Runs(space=spread(space, count), start=start, end=start + size)


def stretches(space: Offsets) -> tuple[Offsets, Offsets]:
    """Return the spaces of places as they change, and how many places are in each."""
    first = np.ones(len(space), np.bool_)
    first[1:] = space[1:] != space[:-1]
    at = np.flatnonzero(first)
    return space[at], np.diff(at, append=len(space))


def spread(space: Offsets, count: Offsets) -> Offsets:
    """Return the space of each place again: a few bytes, where all are in one."""
    if len(space) == 1:
        return np.broadcast_to(space[0], (int(count[0]),))
    return np.repeat(space, count)


def shared(space: Offsets) -> Offsets:
    """Return the spaces of places in a few bytes where all are the same: of millions, mostly."""
    alike = len(space) > 0 and bool((space == space[0]).all())
    return np.broadcast_to(space[0], space.shape) if alike else space


def chosen(runs: Runs, rows: Offsets | Flags | slice) -> Runs:
    """Return some of the runs: where it is all of them, these themselves."""
    if not isinstance(rows, slice) and rows.dtype == np.bool_ and rows.all():
        return runs
    return Runs(space=shared(runs.space[rows]), start=runs.start[rows], end=runs.end[rows])


def coordinate(space: Offsets, offset: Offsets) -> Offsets:
    """Put spaces and offsets into one number each, in their order: spaces are far apart."""
    return space * _APART + offset


def gather(parts: Sequence[Runs]) -> Runs:
    """Put the runs of several windows or tasks one behind the other, as they are."""
    if not parts:
        empty = np.empty(0, np.int64)
        return Runs(space=empty, start=empty, end=empty)
    return Runs(
        space=np.concatenate([part.space for part in parts]),
        start=np.concatenate([part.start for part in parts]),
        end=np.concatenate([part.end for part in parts]),
    )


def join(runs: Runs) -> Runs:
    """Join runs that were cut at the ends of windows, and drop what stays too short."""
    space, start, end = runs.space, runs.start, runs.end
    ahead = space[1:] > space[:-1]
    ahead |= (space[1:] == space[:-1]) & (start[1:] >= start[:-1])
    if not ahead.all():
        order = np.lexsort((start, space))
        space, start, end = space[order], start[order], end[order]
    fresh = np.ones(len(space), np.bool_)
    fresh[1:] = (space[1:] != space[:-1]) | (start[1:] != end[:-1])
    last = np.ones(len(space), np.bool_)
    last[:-1] = fresh[1:]
    start, end = start[fresh], end[last]
    keep = end - start >= SHORTEST
    fresh[fresh] = keep
    return Runs(space=space[fresh], start=start[keep], end=end[keep])


def closed(runs: Runs, goes_on: Flags) -> Runs:
    """Join runs that are flagged to the one before: where none is, return these themselves."""
    if not goes_on.any():
        return runs
    last = np.append(~goes_on[1:], np.True_)
    return Runs(space=runs.space[~goes_on], start=runs.start[~goes_on], end=runs.end[last])
