"""Where a slab has other numbers of the size of a known one: whole slots before it and behind it.

Allocators without a header before each block (jemalloc, mimalloc, tcmalloc) lay out blocks of one
size end to end, so that numbers make one run, in which no edge tells where one begins. A coordinate
of a known point does, or a number of the curve: scalars were allocated among such. Where slots
divide a page, so does the address. This module refuses to judge what a slot holds.
"""

from collections.abc import Iterable

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import announced, nearby, variety, words
from scanner.detect.relations.places.nearby import Ground
from scanner.model import Place

_ALIGNED = 16
"""What slots begin at multiples of, on machines of 64 bits; coordinates in certificates seldom."""

_PAGE, _MOST_WITHIN, _MOST_COUNTED = 4096, 8, 63
"""Bytes of a page; slots of a run that is looked at; the greatest byte that may as well count."""

REACH, MOST_KNOWN = 2048, 512
"""Bytes before and behind a known number that are looked at; and of how many numbers."""


def beside(
    pool: Pool, size: int, most: int, known: Iterable[Place], *, top: int, ground: Ground
) -> Offsets:
    """Return at most ``most`` positions of ``size`` bytes, those nearest to known numbers first.

    A number in a block of glibc's is in no slab. Seen in haproxy on mimalloc, with a hundred
    certificates.
    """
    like = nearby.marks([place for place in known if place.size == size][:MOST_KNOWN])
    like = like[like % _ALIGNED == 0]
    at = nearby.located(pool, like).clip(0, max(len(pool.data) - announced.LEAD, 0))
    like = like[~announced.in_blocks(pool, at, size)] if len(pool.data) else like
    slot = (size + _ALIGNED - 1) & -_ALIGNED
    steps = np.arange(-(REACH // slot), REACH // slot + 1) * slot
    marks = distinct((like[:, None] + steps).ravel())
    found = nearby.located(pool, marks)
    inside = (found >= 0) & (found < len(pool.data))
    found, marks = found[inside], marks[inside]
    found = found[nearby.coordinates(pool, found) == marks]  # no block ended before it
    found = variety.sifted(pool, found, size, top)
    found = found[nearby.clear(pool, found, size, ground.taken)]
    found = nearby.nearest(pool, found, like)
    return found[variety.once(pool.data, found, size)][:most]


def within(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions at multiples of ``size`` within runs, the shortest first.

    At no edge: what stands there is the rest of other slots. Seen in OpenSSL on jemalloc: a seed of
    Ed25519 behind the end of what was freed, and before a pointer; in GnuTLS on tcmalloc. Of sizes
    that divide a page.
    """
    if _PAGE % size:
        return np.empty(0, np.int64)
    length = pool.tail - pool.head
    rows = np.flatnonzero((pool.head >= 0) & (pool.tail >= 0))
    rows = rows[(length[rows] > size) & (length[rows] <= _MOST_WITHIN * size)]
    rows = rows[np.argsort(length[rows], kind="stable")]
    head, tail = pool.head[rows], pool.tail[rows]
    first = head + -nearby.coordinates(pool, head) % size
    found = (first[:, None] + np.arange(_MOST_WITHIN) * size).ravel()
    ends = np.repeat(tail, _MOST_WITHIN)
    found = found[(found > np.repeat(head, _MOST_WITHIN)) & (found + size < ends)]
    found = found[variety.fits(pool, found, size)]
    found = found[variety.varied(pool.data, found, size)]
    return found[variety.once(pool.data, found, size)][:most]


def ending(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of ``size`` bytes whose last one is in a word behind a run.

    Alone in it, or before the rest of a pointer that it is part of no more. Those first that begin
    where slots of that size do, and end in a greater byte, as counts are small. Seen in OpenSSL on
    jemalloc and tcmalloc: a seed of Ed448 in a slot behind another one's rest, so that no run
    begins with it.
    """
    tails = pool.tail[pool.tail >= size - 1]
    word, last = words.sliding(pool.data)[tails], pool.data[tails]
    alone = (word > 0) & (word < 1 << 8)
    pointer = (word >= 1 << 40) & (word < 1 << 47) & (last % WORD != 0)
    found: Offsets = tails[alone | pointer] - (size - 1)
    found = found[nearby.coordinates(pool, found) % _ALIGNED == 0]
    found = found[variety.fits(pool, found, size)]
    found = found[variety.varied(pool.data, found, size - 1)]
    alone, last = pool.data[found + size] == 0, pool.data[found + size - 1]
    slot = nearby.coordinates(pool, found) % (1 << size.bit_length()) == 0
    found = found[np.argsort(4 * ~alone + 2 * ~slot + (last <= _MOST_COUNTED), kind="stable")]
    return found[variety.once(pool.data, found, size)][:most]
