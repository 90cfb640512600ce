"""What stands at the edges of runs, as arrays: every number of a size, for those who try them all.

Whoever keeps a number in an object of its own gives it a run of its own, whatever else the heap
holds. So each run as long as a number counts, and longer ones at both ends, without a look at what
is near or how likely it is. What is beyond a stated count is left, and counted. This module refuses
to rank.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.integers import pool
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.runs import Runs, chosen
from scanner.dump.space import Memory

AT_ONCE = 1 << 16
"""Numbers that are read together."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Edges:
    """Places of numbers of ``size`` bytes, and how many more runs of just that size there are."""

    space: Offsets
    offset: Offsets
    size: int
    left: int

    def __len__(self) -> int:
        return len(self.space)


def find(memory: Memory, runs: Runs, size: int, most: int) -> Edges:
    """Return ``most`` places at the edges of runs where a number of ``size`` bytes fits.

    Those first whose run is as long as the number, but for a word at each end that chance, or what
    stands beside it, took away or added. Of the others none is counted that is left.
    """
    length = runs.end - runs.start
    long = length >= size - WORD
    fits = long & (length <= -(-size // WORD) * WORD + WORD)
    own, others = (_places(memory, chosen(runs, some), size) for some in (fits, long & ~fits))
    count = len(own[0])
    space, offset = (np.concatenate(pair)[:most] for pair in zip(own, others, strict=True))
    return Edges(space=space, offset=offset, size=size, left=max(count - most, 0))


def _places(memory: Memory, runs: Runs, size: int) -> tuple[Offsets, Offsets]:
    """Return where a number of so many bytes begins that one edge or the other bounds, once each.

    Its last word may not be full: then it may be padded, or so short that it is not of the run.
    """
    short, full = size // WORD * WORD, -(-size // WORD) * WORD
    ends = sorted({size, short, full})
    starts = [runs.start, *(runs.end - width for width in ends)]
    starts += [runs.start - (size - short)] if short < size else []
    fresh = [
        np.all([start != other for other in starts[:at]], axis=0) if at else runs.end > 0
        for at, start in enumerate(starts)
    ]
    space = np.concatenate([runs.space[some] for some in fresh])
    offset = np.concatenate([start[some] for start, some in zip(starts, fresh, strict=True)])
    whole: Flags = (offset >= 0) & (offset + size <= memory.map.size[space])
    return space[whole], offset[whole]


def read(memory: Memory, edges: Edges) -> Iterator[tuple[int, Bytes]]:
    """Yield the index of the first of some places, and their bytes [count, size]."""
    for low in range(0, len(edges), AT_ONCE):
        part = slice(low, low + AT_ONCE)
        space, offset = edges.space[part].tolist(), edges.offset[part].tolist()
        raw = b"".join(pool.blocks(memory, space, offset, [edges.size] * len(space)))
        yield low, np.frombuffer(raw, np.uint8).reshape(-1, edges.size)
