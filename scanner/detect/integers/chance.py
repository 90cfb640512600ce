"""Runs that chance has cut: one random buffer, a few words of which do not look random.

Of random words one in 250 has no byte above 0x7f, and two in a row end a run (``limbs``), once in
half a megabyte. In large random buffers (compressed, encrypted) numbers would be looked for at each
such edge, in vain. So two long runs are one where the words between them lack nothing else, and are
no text. This module refuses to close what parts a shorter run from its neighbour: that may be
anything between two numbers.
"""

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.integers import likelihood, limbs
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.runs import Runs
from scanner.dump.space import Memory

LONG = 16 << 10
"""Bytes of a long run: no key is one, and a random buffer is cut shorter once in thirty cuts."""

FEWEST, MOST = 2 * WORD, 3 * WORD
"""Bytes that chance takes out of a buffer: a single word is none, and four are unlikely."""

_BEFORE, _WORDS = 2, 6
"""Words that are read before a gap, and in all."""

_VALUES = 37
"""Different byte values that the words in and around a gap have: of 48 random bytes one row in 6000
has fewer."""

_SPACES = (0x09, 0x0A, 0x0D)
_PRINTABLE = 0x20

_ROWS = 1 << 15
"""Gaps that are looked at at once."""


def goes_on(memory: Memory, runs: Runs) -> Flags:
    """Flag the runs that are one with the run before: chance has cut them."""
    long = runs.end - runs.start >= LONG
    gap = runs.start[1:] - runs.end[:-1]
    near = long[1:] & long[:-1] & (runs.space[1:] == runs.space[:-1])
    near &= (gap == FEWEST) | (gap == MOST)
    before = np.flatnonzero(near)
    flags = np.zeros(len(runs), np.bool_)
    for low in range(0, len(before), _ROWS):
        some = before[low : low + _ROWS]
        flags[some + 1] = _by_chance(_around(memory, runs, some), gap[some], memory)
    return flags


def _around(memory: Memory, runs: Runs, before: Offsets) -> Bytes:
    """Read the words around the gaps behind some runs: a row each."""
    starts = runs.end[before] - _BEFORE * WORD
    rows = (
        memory.clip(space, start, _WORDS * WORD)
        for space, start in zip(runs.space[before].tolist(), starts.tolist(), strict=True)
    )
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, _WORDS * WORD)


def _by_chance(rows: Bytes, gap: Offsets, memory: Memory) -> Flags:
    """Tell in which rows the words in the gap lack nothing but a byte above 0x7f."""
    order = ">u8" if memory.map.byte_order == "big" else "<u8"
    words = rows.view(order).astype(np.uint64)[:, _BEFORE : _BEFORE + MOST // WORD]
    lack = limbs.lack_high_bytes(words)
    beyond = WORD * np.arange(MOST // WORD) >= gap[:, None]
    inside = rows[:, _BEFORE * WORD :][:, :MOST]
    of_gap = np.repeat(~beyond, WORD, axis=1)
    zeros = ((inside == 0) & of_gap).sum(axis=1)
    control = (inside < _PRINTABLE) & (inside != 0) & of_gap & ~np.isin(inside, _SPACES)
    varied = likelihood.values(rows) >= _VALUES
    verdict: Flags = (lack | beyond).all(axis=1) & (zeros <= 1) & control.any(axis=1) & varied
    return verdict
