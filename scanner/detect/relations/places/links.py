"""Slots that an allocator took back: a link in the first word, and behind it what was there.

tcmalloc and mimalloc lay blocks of one size end to end, with no size between them, and link the
free ones by their first word. One pointer parts no run, so what is left of a number need not end
where its run does: it ends where the next slot begins. Where a slot ends is what this module says,
and which pieces begin with what may be a link, glibc's among them.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places.words import sliding

MOST = (1_024, 256)
"""Slots of one size, in a section of few runs and of many."""

_SHORTEST = 64
"""Bytes of the slot of a prime of 512 bits."""

_AT_ONCE = 1 << 18
"""Words that are looked at in one array, of some bytes each."""

_MOST_POINTER = np.uint64(1 << 47)
_ALIGNED = np.uint64(WORD - 1)
"""A link is below the one, and has none of the other's bits."""


def ends(pool: Pool, size: int) -> Offsets:
    """Return where slots of ``size`` bytes end that look random behind a link, in order."""
    at, high = _links(pool)
    found: Offsets = at[at + size <= high] + size
    return found[: pool.budget(*MOST)]


def last(pool: Pool, parts: Iterable[Offsets]) -> Iterator[Offsets]:
    """Yield the parts without pieces that begin with what may be a link, and those behind them all.

    A link is below 2**48, in glibc one that is masked, too: its highest two bytes are zeros. Such a
    number has lost its first word, but one in 65,000. Seen in Perl: of 1,800 freed coordinates of
    roots on P-384 the rest was left, and took all the turns of a scalar.
    """
    if pool.big_endian or pool.memory.map.pointer_size < WORD:
        yield from parts
        return
    linked = []
    for part in parts:
        free = pool.data.take(part + (WORD - 1), mode="clip") > 0
        low = np.flatnonzero(~free)
        free[low] = pool.data.take(part[low] + (WORD - 2), mode="clip") > 0
        yield part[free]
        linked.append(part[~free])
    yield from linked


def _links(pool: Pool) -> tuple[Offsets, Offsets]:
    """List the links within runs or right before them, and where the runs end; of 64 bits alone.

    The last of a list is zero, and begins no run. What is shorter than any slot is passed over.
    """
    if ("links", WORD) not in pool.listed:
        low = np.where(pool.head >= 0, pool.head - WORD, pool.at)
        low += -(low + pool.phase) % WORD
        high = np.where(pool.tail >= 0, pool.tail, pool.ends)
        many = np.where((high - low < _SHORTEST) | pool.big_endian, 0, (high - low) // WORD)
        parts = np.array_split(np.arange(len(low)), 1 + int(many.sum()) // _AT_ONCE)
        found = [_of_runs(pool, part, low[part], many[part]) for part in parts]
        at, block = (np.concatenate(rows) for rows in zip(*found, strict=True))
        pool.listed["links", WORD], pool.listed["behind links", WORD] = at, high[block]
    return pool.listed["links", WORD], pool.listed["behind links", WORD]


def _of_runs(pool: Pool, runs: Offsets, low: Offsets, many: Offsets) -> tuple[Offsets, Offsets]:
    """Return the links among the words of some runs, and the run of each."""
    row = np.repeat(np.arange(len(runs)), many)
    at = low[row] + (np.arange(len(row)) - (np.cumsum(many) - many)[row]) * WORD
    words = sliding(pool.data)
    word, behind = words[at], words[at + WORD]
    good = (word < _MOST_POINTER) & (word & _ALIGNED == 0) & (behind >= _MOST_POINTER)
    good &= (word != 0) | (at == pool.head[runs[row]] - WORD)
    return at[good], runs[row[good]]
