"""Bitmaps of page frames: which pages a dump holds, as runs of them.

Dumps of whole machines say with one bit for each page what they hold, and store the pages whose bit
is set, in order. This module exists because a bitmap has millions of bits: it is read in steps,
and no more runs are made of it than are asked for. It refuses to read past what it is given.
"""

from collections.abc import Iterator

import numpy as np

from scanner.dump.source import File

STEP = 1 << 18
"""Bytes of a bitmap that are read at a time."""

_COUNTS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1).astype(np.uint8)


def runs(file: File, offset: int, bits: int, *, most: int) -> Iterator[tuple[int, int]]:
    """Yield (first page frame, number of pages) of each run of set bits, at most ``most`` of them.

    Bit k of byte b is page frame 8 * b + k. Raises Unreadable where the file has not all of it.
    """
    first = end = told = 0
    for at in range(0, (bits + 7) // 8, STEP):
        size = min(STEP, (bits + 7) // 8 - at)
        raw = np.frombuffer(file.read(offset + at, size), np.uint8)
        row = np.unpackbits(raw, bitorder="little")[: bits - 8 * at]
        edges = np.flatnonzero(np.diff(row, prepend=0, append=0).astype(np.bool_)) + 8 * at
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if start == end:
                end = stop
                continue
            if end > first:
                yield first, end - first
                told += 1
                if told == most:
                    return
            first, end = start, stop
    if end > first:
        yield first, end - first


def count(file: File, offset: int, bits: int) -> int:
    """Return how many bits are set. Raises Unreadable where the file has not all of them."""
    total = 0
    for at in range(0, bits // 8, STEP):
        raw = np.frombuffer(file.read(offset + at, min(STEP, bits // 8 - at)), np.uint8)
        total += int(_COUNTS[raw].sum(dtype=np.int64))
    if rest := bits % 8:
        total += (file.read(offset + bits // 8, 1)[0] & ((1 << rest) - 1)).bit_count()
    return total
