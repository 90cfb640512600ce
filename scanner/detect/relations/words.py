"""The pool's own bytes as a place to look things up: does this public value stand here.

A public key that no format announces (a point in a key object, a key share in a record buffer) is
random to the eye as well, so it lies in the pool. Relations derive public values first, thousands
of them; one pass over every byte offset then says where 64 bits of them stand, and whoever asked
compares the rest. This module refuses to say what a value means.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

BLOCK = 1 << 20
"""Positions that are looked at together."""

_WIDEST = 24
"""Bits of a word by which the sieve judges, at most: its table is 16 MiB then."""


def sliding(data: Bytes, kind: str = "<u8") -> npt.NDArray[np.unsignedinteger]:
    """View the word of a numpy ``kind`` at every byte offset of ``data``; nothing is copied."""
    count = max(len(data) - int(kind[-1]) + 1, 0)
    return np.ndarray((count,), kind, data, strides=(1,)) if count else np.empty(0, kind)


def find(data: Bytes, wanted: Words) -> Iterator[tuple[int, int]]:
    """Yield (index in ``wanted``, byte offset in ``data``) wherever a little-endian word stands."""
    if not len(wanted):
        return
    order = np.argsort(wanted, kind="stable")
    table = wanted[order]
    width = max(12, min(_WIDEST, (64 * len(table)).bit_length()))
    mask = np.uint64((1 << width) - 1)
    sieve = np.zeros(1 << width, np.bool_)
    sieve[(table & mask).view(np.int64)] = True
    view = sliding(data)
    for start in range(0, len(view), BLOCK):
        block = view[start : start + BLOCK].astype(np.uint64)
        hits = np.flatnonzero(sieve.take((block & mask).view(np.int64), mode="clip"))
        low = np.searchsorted(table, block[hits], side="left")
        high = np.searchsorted(table, block[hits], side="right")
        for hit in np.flatnonzero(high > low).tolist():
            for index in order[low[hit] : high[hit]].tolist():
                yield index, start + int(hits[hit])


def stands(data: Bytes, position: int, value: bytes) -> bool:
    """Tell whether a value stands whole at a position, which may be none."""
    return position >= 0 and data[position : position + len(value)].tobytes() == value
