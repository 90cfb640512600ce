"""Slots that an allocator took back: a link in the first word, and behind it what was there.

tcmalloc and mimalloc lay blocks of one size end to end, with no size between them, and link the
free ones by their first word. One pointer parts no run, so what is left of a number need not end
where its run does: it ends where the next slot begins. Where a slot ends is all that this module
says.
"""

import numpy as np

from scanner.detect.integers.limbs import WORD, Offsets
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.words import sliding

MOST = (1_024, 256)
"""Slots of one size, in a section of few runs and of many."""

_MOST_POINTER = np.uint64(1 << 47)
_ALIGNED = np.uint64(WORD - 1)
"""A link is below the one, and has none of the other's bits."""


def ends(pool: Pool, size: int) -> Offsets:
    """Return where slots of ``size`` bytes end that look random behind a link, in order."""
    at, high = _links(pool)
    found: Offsets = at[at + size <= high] + size
    return found[: pool.budget(*MOST)]


def _links(pool: Pool) -> tuple[Offsets, Offsets]:
    """List the links within runs or right before them, and where the runs end; of 64 bits alone.

    The last of a list is zero, and begins no run.
    """
    if ("links", WORD) not in pool.listed:
        found = [pool.head[(pool.head >= WORD) & (not pool.big_endian)] - WORD]
        for phase in np.unique(pool.phase).tolist() if not pool.big_endian else ():
            past = -phase % WORD
            words = pool.data[past : past + (len(pool.data) - past) // WORD * WORD].view("<u8")
            link = (words[:-1] - np.uint64(1) < _MOST_POINTER) & (words[1:] >= _MOST_POINTER)
            found.append(np.flatnonzero(link) * WORD + past)
        at = np.unique(np.concatenate(found))
        word = sliding(pool.data)[at]
        at = at[(word < _MOST_POINTER) & (word & _ALIGNED == 0)]
        block = np.searchsorted(pool.at, at, side="right") - 1
        low = np.where(pool.head >= 0, pool.head - WORD, pool.at)[block]
        high = np.where(pool.tail >= 0, pool.tail, pool.ends)[block]
        good = (block >= 0) & (at >= low) & (at < high)
        good &= (at + pool.phase[block]) % WORD == 0
        pool.listed["links", WORD], pool.listed["behind links", WORD] = at[good], high[good]
    return pool.listed["links", WORD], pool.listed["behind links", WORD]
