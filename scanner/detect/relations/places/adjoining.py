"""Numbers that fill their runs, and those of them that adjoin: a header stands between, or little.

Who reads or makes a key allocates its numbers in turn, and an allocator that moves a pointer on
lays them end to end. Seen in SBCL: p, q and g of a DSA key, and x behind its y. This module asks
what stands where, and never what it is.
"""

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers import readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import announced, counts, nearby

APART = 64
"""Bytes between two numbers that adjoin, at most: a word or two of header, or a small structure."""

_INT = 4
"""Bytes of an int of Java, and of the count of an array's elements before it."""


def filling(pool: Pool, size: int) -> Offsets:
    """Return where numbers begin that fill their runs, but for a word that does not look random.

    Or an array of ints in a Java heap dump, which stands at any byte.
    """
    if ("filled runs", size) not in pool.listed:
        whole = (pool.head >= 0) & (pool.tail >= 0)
        more = np.where(whole, pool.tail - pool.head - size, -size)
        heads, tails = pool.head[(more >= -8) & (more <= 8)], pool.tail[abs(more) == 8]
        told = counts.behind(pool, size), announced.heap_ints(pool, -(-size // _INT))
        found = distinct(np.concatenate((heads, tails - size, *told)))
        found = found[(found >= 0) & (found + size <= len(pool.data))]
        pool.listed["filled runs", size] = found
    return pool.listed["filled runs", size]


def filling_ints(pool: Pool, size: int) -> Offsets:
    """Return where numbers fill their runs, behind the count of their ints as in Java's arrays."""
    found = filling(pool, size)
    found = found[found >= _INT]
    behind: Offsets = found[readings.gather(pool.data, found - _INT, "<u4") == size // _INT]
    return behind


def pairs(
    pool: Pool, one: tuple[Offsets, int], other: tuple[Offsets, int], apart: int = APART
) -> tuple[Offsets, Offsets]:
    """Return pairs of positions, of ``one`` and of the ``other``, that are at most so far apart.

    Of each the positions in the pool and the bytes there are given. Whichever is first; the nearest
    pairs come first, and none overlap.
    """
    (first, size), (second, width) = one, other
    start, there = nearby.coordinates(pool, first), nearby.coordinates(pool, second)
    order = np.argsort(there, kind="stable")
    second, there = second[order], there[order]
    low = np.searchsorted(there, start - width - apart)
    many = np.searchsorted(there, start + size + apart, side="right") - low
    row = np.repeat(np.arange(len(first)), many)
    column = np.arange(len(row)) + np.repeat(low - np.cumsum(many) + many, many)
    gap = np.maximum(there[column] - start[row] - size, start[row] - there[column] - width)
    nearest = np.argsort(gap, kind="stable")
    nearest = nearest[gap[nearest] >= 0]
    return first[row[nearest]], second[column[nearest]]
