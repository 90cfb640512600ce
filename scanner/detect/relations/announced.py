"""What announces a piece: an allocator's size, a length, a tag before it.

The whole pool is looked through once for each size, though more than one relation asks. This module
refuses to judge what stands behind.
"""

from collections.abc import Sequence

import numpy as np

from scanner.detect.limbs import Offsets
from scanner.detect.pool import Pool
from scanner.detect.relations.words import Bytes, sliding

LEAD = 16
"""Bytes before a piece that may announce its size."""

_CHUNK = 1 << 17
"""Bytes that are compared with several values at once: they stay in the first caches."""


def announced_at(pool: Pool, size: int) -> Offsets:
    """Return what stands behind bytes that announce it, as ``size`` bytes."""
    name = ("announced", size)
    if name not in pool.listed:
        pool.listed[name] = _behind_sizes(pool, size)
    return pool.listed[name]


def _behind_sizes(pool: Pool, size: int) -> Offsets:
    """List what stands behind a length or an allocator's size word.

    glibc's chunk size with its flags 1 and 4; a 64-bit length (BoringSSL's allocator, .NET arrays),
    also one word further back (CPython's bytes: the hash is between); a 32-bit length in either
    order (Java arrays, SSH strings), one more and a zero byte (SSH mpints); a DER octet string; a
    16-bit length (libgcrypt's S-expressions); a length as a Lisp's small integer (SBCL: twice).
    """
    data, chunk = pool.data[:-LEAD], ((size + 8 + 15) & ~15) | 5
    lows = {size, size + 1, 2 * size, *((chunk ^ flag) & 0xFF for flag in (0, 1, 4, 5))}
    at = _of_bytes(data[1:], sorted(lows)) + 1
    wide, half = sliding(pool.data)[at], sliding(pool.data, "<u4")[at]
    here, before, behind = pool.data[at], pool.data[at - 1], pool.data[at + 1]
    rows = (
        ((wide | np.uint64(5)) == chunk, 8),
        (wide == size, 8),
        (wide == 2 * size, 8),
        (wide == size, 16),
        (half == size, 4),
        ((here == size) & ((before == 4) | (before == 0)), 1),
        (((here == size) | (here == size + 1)) & (behind == 0), 2),
    )
    return np.concatenate([at[good] + shift for good, shift in rows])


def _of_bytes(data: Bytes, values: Sequence[int]) -> Offsets:
    """Return where one of some bytes stands."""
    found = [np.empty(0, np.int64)]
    for start in range(0, len(data), _CHUNK):
        part = data[start : start + _CHUNK]
        marks = part == values[0]
        for value in values[1:]:
            marks |= part == value
        found.append(np.flatnonzero(marks) + start)
    return np.concatenate(found)
