"""What stands around many anchors, read at once: of common ones few lead anywhere.

A detector is asked for each anchor by itself, which takes ten microseconds and more. So detectors
whose anchors are common say beforehand of all of them which may lead to something. This module
reads, and judges nothing.
"""

from collections.abc import Iterator

import numpy as np

from scanner.arrays import Bytes, Offsets
from scanner.dump.space import Memory

_ROWS = 1 << 14
"""Anchors around which is read at once."""


def read(
    memory: Memory, where: Offsets, offsets: Offsets, first: int, size: int
) -> Iterator[tuple[Offsets, Bytes]]:
    """Yield rows of anchors, and of each ``size`` bytes from ``first`` bytes behind it on.

    Anchors come as their spaces and the offsets there. Those around which there are fewer bytes are
    left out.
    """
    start = offsets + first
    whole = np.flatnonzero((start >= 0) & (start + size <= memory.map.size[where]))
    for low in range(0, len(whole), _ROWS):
        rows = whole[low : low + _ROWS]
        data = np.empty(len(rows) * size, np.uint8)
        at = np.arange(0, len(data), size, dtype=np.int64)
        sizes = np.full(len(rows), size, np.int64)
        memory.read_many(where[rows], start[rows], sizes, data.data, at)
        yield rows, data.reshape(-1, size)
