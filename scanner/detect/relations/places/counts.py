"""Numbers right behind the structure that counts their 32-bit limbs, at any half of a word.

wolfSSL keeps a number's limbs within the structure that says how many are used, how many there is
room for, and which sign it has, each an int: an sp_int, or an fp_int. Where limbs have 32 bits such
a structure has an odd count of ints as a rule, and of those that are one behind the other every
second number begins in the middle of a word of 64 bits. Few other things are counted so, and those
that fill their run too: what is here may be tried before all that is told by its run alone. This
module refuses to judge what a number is.
"""

from collections.abc import Iterable

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import nearby, variety
from scanner.detect.relations.places.nearby import UNKNOWN, Ground
from scanner.detect.relations.places.words import sliding
from scanner.model import Place

MOST = 24
"""Positions of one size that are given out: tables of multiples hold thousands."""

LIMB = 4
"""Bytes of a limb, and of what counts it."""

_ROOM = 1 << 12
"""Limbs that a structure has room for, at most, and one more."""

_STEPS = np.arange(-2, 2) * LIMB
"""From the head of a run to the number: what counts it is in its first word, or that is too small
to look random."""


def likeliest(
    pool: Pool, size: int, near: Iterable[Place] = (), *, ground: Ground = UNKNOWN
) -> Offsets:
    """Return at most MOST positions of numbers of ``size`` bytes, those nearest to places first.

    They are as varied as random ones; none is on taken ``ground``, and none is shorter than what
    varies enough to tell.
    """
    judged = max((known for known in variety.LEAST_VARIED if known <= size), default=0)
    if not judged:
        return np.empty(0, np.int64)
    whole = -(-size // LIMB) * LIMB
    found = behind(pool, whole)
    found = found[variety.fits(pool, found, whole)]
    found = found[nearby.clear(pool, found, size, ground.taken)]
    found = found[variety.varied(pool.data, found, judged)]
    found = nearby.nearest_to(pool, found, near)
    return found[variety.once(pool.data, found, size)][:MOST]


def behind(pool: Pool, size: int) -> Offsets:
    """Return where numbers of ``size`` bytes, whole limbs, begin behind what counts them."""
    at, limbs = _counted(pool)
    found: Offsets = at[limbs == size // LIMB]
    return found


def _counted(pool: Pool) -> tuple[Offsets, Offsets]:
    """List what is counted, by position, and by how many limbs; a big-endian machine's is not.

    A small int and none or one are a number of 64 bits as a rule, and a structure's only where they
    are no word. A number's first limb is not as small as what counts it.
    """
    if ("counted", LIMB) not in pool.listed:
        ints = sliding(pool.data, "<u4")
        heads = pool.head[(pool.head >= 0) & (not pool.big_endian)]  # behind a MARGIN of zeros
        spots = (heads[:, None] + _STEPS).ravel()
        spots = spots[(ints[spots - LIMB] < _ROOM) & (ints[spots] >= _ROOM)]
        block = np.searchsorted(pool.at, spots, side="right") - 1
        halves = (spots + pool.phase[block]) % (2 * LIMB) == LIMB
        third, second, first = (ints[spots - back * LIMB].astype(np.int64) for back in (3, 2, 1))
        rows = [
            np.stack((spots[good], used[good]))
            for used, good in (
                (second, _holds(first, second) | (halves & (first <= 1))),
                (third, _holds(second, third) & (first <= 1)),
                (third, _holds(first, third) & (second <= 1)),
            )
        ]
        pool.listed["counted", LIMB], pool.listed["limbs", LIMB] = np.concatenate(rows, axis=1)
    return pool.listed["counted", LIMB], pool.listed["limbs", LIMB]


def _holds(room: Offsets, used: Offsets) -> Flags:
    """Tell which structures have room for what they say is used."""
    return (used > 0) & (used <= room) & (room < _ROOM)
