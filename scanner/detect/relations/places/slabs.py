"""Where a slab has other numbers of the size of a known one: whole slots before it and behind it.

Allocators without a header before each block (jemalloc, mimalloc, tcmalloc) lay out blocks of one
size end to end, so that numbers make one run, in which no edge tells where one begins. A coordinate
of a known point does: scalars were allocated among such. This module refuses to judge what a slot
holds.
"""

from collections.abc import Iterable

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import announced, nearby, variety
from scanner.detect.relations.places.nearby import Ground
from scanner.model import Place

_ALIGNED = 16
"""What slots begin at multiples of, on machines of 64 bits; coordinates in certificates seldom."""

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
