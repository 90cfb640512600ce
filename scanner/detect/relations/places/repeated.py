"""What adjoins 32 bytes that stand twice: a public half is kept more than once, its seed beside it.

A structure that holds several keys is one long run, in which a seed stands at no multiple of
anything. Seen in Zig, whose Ed25519 key pair is the public half, the seed, and the public half once
more, behind keys of other curves. And pieces that stand twice themselves, which something kept.
This module refuses to judge what a piece holds.
"""

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.algebra import edwards25519
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.runs import coordinate
from scanner.detect.relations.places import announced, nearby, pieces, variety
from scanner.detect.relations.places.words import sliding

MOST = 1 << 20
"""Words among which equal ones are looked for, at most: 0.05 us each."""

_INDEX = np.uint64(MOST - 1)
"""Bits of a word that give way to its number, so that a plain sort puts equal ones in order."""

_PER_PIECE = 8
"""Words of which one is tried, at least: the others are no pieces, or equal ones."""


_SLOTS, _GRAIN, _PAGE = (32, 48), 16, 4096
"""Bytes of slots in which scalars are looked for; at multiples of what those may stand that do not
divide a page."""

_TOGETHER = 1 << 14
"""Pieces of which words are read at once."""

_NOWHERE = np.int64((1 << 63) - 1)
"""More than any distance."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
"""What makes one word of several: equal ones give equal ones (Fibonacci hashing)."""


def adjoining(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions right before and behind ``size`` bytes that stand twice.

    Those of which two copies are nearest to each other come first.
    """
    at = words_within(pool, size)[:MOST]
    word = sliding(pool.data)
    marked = np.sort(word[at] & ~_INDEX | np.arange(len(at), dtype=np.uint64))
    equal = np.flatnonzero((marked[1:] ^ marked[:-1]) <= _INDEX)
    both = at[(marked[np.stack((equal, equal + 1))] & _INDEX).astype(np.int64)]
    for step in range(0, size, WORD):
        both = both[:, word[both[0] + step] == word[both[1] + step]]
    both = both[:, np.argsort(both[1] - both[0], kind="stable")][:, : most * _PER_PIECE]
    both = both[:, variety.varied(pool.data, both[0], size)]
    return _chosen(pool, np.stack((both - size, both + size)).ravel("F"), size, most)


def copied(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of pieces that fill more than one run, the oftenest first.

    Where there are many runs: a collector that moves what lives on leaves copies of it, and of what
    passes seldom. Seen in GHC, where a signature on a curve leaves thousands of numbers.
    """
    if pool.few:
        return np.empty(0, np.int64)
    if ("copied", size) not in pool.listed:
        found = distinct(announced.first(pool, size)[1])
        found = found[variety.fits(pool, found, size)]
        found = found[variety.varied(pool.data, found, size)]
        sums = _mixed(pool, found, size)
        _, first, count = np.unique(sums, return_index=True, return_counts=True)
        often = np.flatnonzero(count > 1)
        order = often[np.argsort(-count[often], kind="stable")]
        pool.listed["copied", size] = found[first[order]]
    return pool.listed["copied", size][:most]


def slots(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of two pieces end to end, of which the second stands twice.

    At multiples of their size, as slabs and Go have them, whose slots make one run: no edge tells
    where an object begins. Seen in Go: an Ed25519 key that was let go, and its public half.
    """
    low, count, found, apart, _ = _in_slots(pool, size)
    block = np.repeat(np.arange(len(low)), count)
    second = (pool.offset[block] + found - pool.at[block]) % (2 * size) == size
    second &= (apart < _NOWHERE) & (found - size >= low[block])
    return _chosen(pool, found[second] - size, size, most)


def slots_at_edges(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of two pieces end to end, with which a run begins or ends.

    At multiples of their size, and among other slots. Those of which the second is no S of a
    signature, whose last byte is small (RFC 8032 5.1.6), come first. Seen in Go: a key of Ed25519
    that was in use, among thousands of signatures; its public half stood nowhere else.
    """
    edges = np.append(pool.head[pool.head >= 0], pool.tail[pool.tail >= 0] - 2 * size)
    found = edges[nearby.coordinates(pool, edges) % (2 * size) == 0]
    found = found[variety.fits(pool, found, 2 * size)]
    found = found[variety.varied(pool.data, found, 2 * size)]
    small = pool.data[found + 2 * size - 1] <= edwards25519.ORDER >> 248
    return _chosen(pool, found[np.argsort(small, kind="stable")], size, most)


def in_slots(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of pieces that stand more than once, in slots.

    Those of which two copies are nearest to each other come first, a third of all; then what stands
    oftenest. Of a size that does not divide a page, only where runs are many. Seen in Go: scalars,
    of which making a key leaves two copies, among others of a library's, and one use several.
    """
    if size not in _SLOTS or (pool.few and _PAGE % size):
        return np.empty(0, np.int64)
    _, _, found, apart, often = _in_slots(pool, size)
    some = np.flatnonzero(apart < _NOWHERE)
    near, usual = (found[some[np.argsort(kind[some], kind="stable")]] for kind in (apart, -often))
    first = _chosen(pool, near, size, most // 3)
    return _chosen(pool, np.append(first, usual), size, most)


def ending(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of slots with which a longer run ends or begins.

    At multiples of their size, where there are few runs. An object that was let go keeps what the
    next one does not fill, so that a number and the rest of another make one run; its other end is
    where a slot in use begins. Seen in Go: one copy was left of the key of Caddy's authority.
    """
    if not pool.few or size not in _SLOTS or _PAGE % size:
        return np.empty(0, np.int64)
    longer = (pool.head < 0) | (pool.tail < 0) | (pool.tail - pool.head > size)
    tails, heads = (pool.tail[longer & (pool.tail >= 0)], pool.head[longer & (pool.head >= 0)])
    found = np.append(tails - size, heads)
    return _chosen(pool, found[nearby.coordinates(pool, found) % size == 0], size, most)


def _in_slots(pool: Pool, size: int) -> tuple[Offsets, Offsets, Offsets, Offsets, Offsets]:
    """List pieces at multiples of their size, in runs of any length, and their copies.

    Where their size does not divide a page nobody knows where a slab began: of those at any
    multiple of _GRAIN an equal one counts that is so many slots away. Returns where the run of each
    block begins and how many pieces it has, and the position of each piece, its distance to the
    next equal one, before it or behind it (_NOWHERE if there is none), and how many are equal,
    itself too.
    """
    step = _GRAIN if _PAGE % size else size
    low = np.where(pool.head >= 0, pool.head, pool.at)
    high = np.where(pool.tail >= 0, pool.tail, pool.ends)
    first = low + -(pool.offset + low - pool.at) % step
    count = np.maximum((high - size - first) // step + 1, 0)
    count[list(pool.texts)] = 0
    begins = np.cumsum(count) - count
    found = np.arange(count.sum()) * step
    found += np.repeat(first - begins * step, count)
    where = found + np.repeat(coordinate(pool.space, pool.offset - pool.at), count)
    sums = _mixed(pool, found, size)
    order = np.argsort(sums, kind="stable")
    sums = sums[order]
    same = sums[1:] == sums[:-1]
    between = np.diff(where[order])
    del sums, where  # of hundreds of thousands: each such array has megabytes
    group = np.cumsum(np.append(False, ~same), dtype=np.int32)[: len(order)]
    between[~(same & ((step == size) | (between % size == 0)))] = _NOWHERE
    apart, often = np.empty_like(found), np.empty_like(found)
    often[order] = np.bincount(group)[group]
    apart[order] = np.minimum(np.append(between, _NOWHERE), np.append(_NOWHERE, between))
    return low, count, found, apart, often


def equals(pool: Pool, positions: Offsets, size: int) -> Offsets:
    """Return those of some pieces that stand more than once, the oftenest first."""
    _, inverse, count = np.unique(
        _mixed(pool, positions, size), return_inverse=True, return_counts=True
    )
    often = count[inverse]
    found: Offsets = positions[np.argsort(-often, kind="stable")]
    return found[: np.count_nonzero(often > 1)]


def _mixed(pool: Pool, positions: Offsets, size: int) -> Words:
    """Make one word of the words of each piece."""
    word, sums = sliding(pool.data), np.zeros(len(positions), np.uint64)
    for start in range(0, len(positions), _TOGETHER):
        at, part = positions[start : start + _TOGETHER], sums[start : start + _TOGETHER]
        for step in range(0, size - WORD + 1, WORD):
            part *= _MIX
            part += word[at + step]
    return sums


def inner(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` whole words of short runs, where there are few runs."""
    found = words_within(pool, size)[: most * _PER_PIECE if pool.few else 0]
    return _chosen(pool, found, size, most)


def words_within(pool: Pool, size: int) -> Offsets:
    """List the whole words of short runs at which ``size`` bytes of the run begin."""
    short = (pool.head >= 0) & (pool.tail >= 0) & (pool.tail - pool.head <= pieces.LONGEST)
    short[list(pool.texts)] = False
    first = pool.head[short] + -(pool.head[short] + pool.phase[short]) % WORD
    count = np.maximum((pool.tail[short] - size - first) // WORD + 1, 0)
    begins = np.cumsum(count) - count
    found: Offsets = np.repeat(first - begins * WORD, count) + np.arange(count.sum()) * WORD
    return found


def _chosen(pool: Pool, positions: Offsets, size: int, most: int) -> Offsets:
    """Return the first of those that may be pieces, in their order, each once.

    So many are looked at as it takes: there are hundreds of thousands, and few are asked for.
    """
    found = positions[:0]
    for start in range(0, len(positions), _TOGETHER):
        some = positions[start : start + _TOGETHER]
        some = some[variety.fits(pool, some, size)]
        found = np.append(found, some[variety.varied(pool.data, some, size)])
        found = found[variety.once(pool.data, found, size)]
        if len(found) >= most:
            break
    return found[:most]
