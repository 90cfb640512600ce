"""Memory of a process in blocks, for a structure that was found and leads to others.

Where those lie nobody knows, but for the allocator; so the space of the first comes first, and the
small ones before the large. As much is read as a caller says, and what it costs is counted with
the rest of what is examined: this module exists so that all who search by a structure are bounded
alike, and a dump full of false ones too.
"""

from collections.abc import Iterator

import numpy as np

from scanner.detect.algebra import effort
from scanner.dump.space import Memory

_STEP = 1 << 22
"""Bytes that are read together."""

OVERLAP = 1 << 11
"""Bytes of the next block at the end of each."""


def blocks(memory: Memory, space: int, most: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield spaces, offsets in them and their bytes, beginning with one space, up to ``most``.

    Raises Spent.
    """
    size = memory.map.size
    others = np.flatnonzero(memory.map.addressed).tolist()
    others.sort(key=lambda other: (other != space, int(size[other])))
    for other in others:
        for start in range(0, int(size[other]), _STEP):
            if most <= 0:
                return
            length = min(_STEP + OVERLAP, int(size[other]) - start)
            most -= length
            if not memory.hollow(other, start, length):
                effort.walk(length)
                yield other, start, memory.read(other, start, length)
