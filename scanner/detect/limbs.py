"""Random-looking runs: where memory could hold a number that nobody labelled.

A private number is random to the eye, whatever library holds it, so this module asks one question
of each aligned 64-bit word: could it be part of a random number. The answer depends on the word
and its two neighbours alone, so runs cut by the end of a window join again without loss. A run says
where a number may begin or end, never what it is: this module proves nothing, and it refuses to
guess alignment, byte order or length. Those are readings of a run's edges, and the relations try
them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Offsets = npt.NDArray[np.int64]

WORD = 8
"""Bytes of the unit in which randomness is judged."""

CONTEXT = 2 * WORD
"""Bytes before and after a chunk that its words' flags depend on."""

SHORTEST = 3 * WORD
"""Bytes of the shortest run of interest: a 32-byte scalar at an odd offset holds three words."""

LONG = 16 * WORD
"""Bytes of a run that may hold digits: 1024 bits in digits of 28 bits fill 18 words, and 512 bits
in the upper halves of words 19; the outermost may be too small to be seen."""

_HIGH_BITS = np.uint64(0x8080808080808080)
_ONES = np.uint64(0x0101010101010101)
_FOURS = 6
"""Fours of neighbours that a row of 16 has at least, though one of them is missing."""

_NOT_SMALL = np.uint64(0xF0000000FFFFFFFF)
_TOP_SHIFT = np.uint64(48)
_NEGATIVE = np.uint64(0xFFFF)


def random_looking(words: Words) -> Flags:
    """Flag each word that could be part of a random number.

    A random word has 12 to 52 bits set (all but 2e-7 of them), is neither a small integer nor a
    pointer (top 16 bits 0000 or FFFF: 3e-5), has a byte above 0x7f, which text has not (0.4 % fail)
    and differs from the word before. A single word that fails between two that pass is taken in:
    two in a row fail in one random kilobyte of five hundred. Long rows of V8's small integers, each
    in the upper half of a word, are flagged as well: digits of a number.
    """
    bits = np.bitwise_count(words)
    flags = (bits - np.uint8(12)) <= np.uint8(40)
    flags &= (words & _HIGH_BITS) != 0
    top = words >> _TOP_SHIFT
    flags &= (top - np.uint64(1)) < np.uint64(0xFFFE)
    flags[1:] &= words[1:] != words[:-1]
    flags[1:-1] |= flags[:-2] & flags[2:]
    small: Flags = (words & _NOT_SMALL) == 0
    small &= top != 0
    fours = small[3:] & small[2:-1] & small[1:-2] & small[:-3]
    if np.count_nonzero(fours) >= _FOURS or small[:2].all() or small[-2:].all():
        flags |= _in_long_rows(small)
    return flags


def _in_long_rows(small: Flags) -> Flags:
    """Keep rows of 16 and more, with single gaps, and what touches an end and may go on there."""
    small[1:-1] |= small[:-2] & small[2:]
    step = np.diff(small.astype(np.int8), prepend=np.int8(0), append=np.int8(0))
    starts, ends = np.flatnonzero(step > 0), np.flatnonzero(step < 0)
    long = (ends - starts >= LONG // WORD) | (starts == 0) | (ends == len(small))
    step = np.zeros(len(small) + 1, np.int8)
    step[starts[long]] = 1
    step[ends[long]] = -1
    rows: Flags = np.cumsum(step[:-1], dtype=np.int8).view(np.bool_)
    return rows


def _edges_look_random(chunk: npt.NDArray[np.uint8], starts: Offsets, ends: Offsets) -> Flags:
    """Tell which runs have, at either edge, 24 bytes that look random by their values.

    Long runs have one more try: of the digits of some libraries, every fourth byte is small.
    At most one of the three words has a zero byte (two have in 0.3 % of random ones), and there are
    at least 20 different values (22.9 on average, fewer than 20 in one of 2000). Machine code,
    tables and text seldom pass, and they are most of what passes the word test. Rows of small
    integers are not judged by their bytes.
    """
    words = chunk[: len(chunk) & ~7].view(np.uint64)
    verdict = np.zeros(len(starts), np.bool_)
    column = np.arange(SHORTEST)
    sizes = ends - starts
    inside = starts + LONG // 2
    for at, least in ((starts, 0), (ends - SHORTEST, SHORTEST + WORD), (inside, LONG)):
        rest = np.flatnonzero(~verdict & (sizes >= least))
        first, second, third = (_has_zero(words[at[rest] // WORD + k]) for k in range(3))
        two = (first & second) | (first & third) | (second & third)
        rest = rest[~two]
        rows = chunk[at[rest, None] + column]
        rows.sort(axis=1)
        verdict[rest] = (rows[:, 1:] != rows[:, :-1]).sum(axis=1) >= 19
    long = np.flatnonzero(~verdict & (sizes >= LONG))
    near = starts[long, None] // WORD + np.arange(1, 4)
    verdict[long] = ((words[near] & _NOT_SMALL) == 0).sum(axis=1) >= 2
    return verdict


def _has_zero(words: Words) -> Flags:
    """Tell which words have a byte of zero."""
    found: Flags = ((words - _ONES) & ~words & _HIGH_BITS) != 0
    return found


def find(
    chunk: npt.NDArray[np.uint8], owned_starts: Offsets, owned_ends: Offsets
) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``chunk``) of the random-looking runs in it.

    ``chunk`` is aligned as the addresses are. The owned ranges (sorted, apart, multiples of 8) are
    what the caller answers for; what stands between them is context. Runs are cut to them, and one
    that touches an end of its range is returned however short, for :func:`join` to complete.
    """
    words = chunk[: len(chunk) & ~7].view(np.uint64)
    first, last = owned_starts // WORD, np.minimum(owned_ends // WORD, len(words))
    step = np.zeros(len(words) + 1, np.int8)
    step[first] += 1
    step[last] -= 1
    flags = random_looking(words)
    flags &= np.cumsum(step[:-1], dtype=np.int8).view(np.bool_)
    step[:-1] = flags
    step[-1] = 0
    starts = np.flatnonzero(step[1:] > step[:-1]) + 1
    if flags[0]:
        starts = np.concatenate((np.zeros(1, np.int64), starts))
    ends = np.flatnonzero(step[1:] < step[:-1]) + 1
    cut = np.zeros(len(words) + 1, np.bool_)
    cut[first] = True
    cut[last] = True
    edge = cut[starts] | cut[ends]
    keep = edge | (ends - starts >= SHORTEST // WORD)
    starts, ends, keep = starts[keep] * WORD, ends[keep] * WORD, edge[keep]
    inner = np.flatnonzero(~keep)
    if len(inner):
        keep[inner] = _edges_look_random(chunk, starts[inner], ends[inner])
    return starts[keep], ends[keep]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Random-looking runs as parallel arrays of places, sorted by (space, start)."""

    space: Offsets
    start: Offsets
    end: Offsets

    def __len__(self) -> int:
        return len(self.space)


def gather(parts: Sequence[Runs]) -> Runs:
    """Put the runs of several windows or tasks one behind the other, as they are."""
    if not parts:
        empty = np.empty(0, np.int64)
        return Runs(space=empty, start=empty, end=empty)
    return Runs(
        space=np.concatenate([part.space for part in parts]),
        start=np.concatenate([part.start for part in parts]),
        end=np.concatenate([part.end for part in parts]),
    )


def join(runs: Runs) -> Runs:
    """Join runs that were cut at the ends of windows, and drop what stays too short."""
    order = np.lexsort((runs.start, runs.space))
    space, start, end = runs.space[order], runs.start[order], runs.end[order]
    fresh = np.ones(len(space), np.bool_)
    fresh[1:] = (space[1:] != space[:-1]) | (start[1:] != end[:-1])
    heads = np.flatnonzero(fresh)
    tails = np.append(heads[1:], len(space))[: len(heads)] - 1
    space, start, end = space[heads], start[heads], end[tails]
    keep = end - start >= SHORTEST
    return Runs(space=space[keep], start=start[keep], end=end[keep])
