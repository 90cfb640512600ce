"""Numbers of 32-bit words, most significant first, right behind a header whose bits count them.

Java and GNAT put a plain count there. Lisps put the type beside it: Chez Scheme, and so Racket,
below the count in a word of 64 bits (``type_bignum``), CLISP in the lower half of a word of 32
(``Bignum_``), and behind it a word of zeros as often as not, which a positive number needs if its
first bit is set. What stands so and fills its run is little, and may be tried before what has a
count alone. This module refuses to judge what a number is.
"""

from collections.abc import Iterable

import numpy as np

from scanner.arrays import Flags, Offsets, Words
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import nearby, variety
from scanner.detect.relations.places.nearby import UNKNOWN, Ground
from scanner.detect.relations.places.words import sliding
from scanner.model import Place

WORD = 4
"""Bytes of a word."""

_SHIFTS, _FLAGS = (6, 8, 16), 5
"""Bits of a header that say the type, below the count, and what they are not made of alone: glibc's
sizes have such flags, and upper halves of pointers none. Of seven, SBCL's counts of 64-bit limbs
would be twice as many."""

_SLACK, _STEPS = 8, np.arange(-2, 3) * WORD
"""Bytes by which a run and its number differ in length, at most, and their beginnings."""


def likeliest(
    pool: Pool, size: int, most: int, near: Iterable[Place] = (), *, ground: Ground = UNKNOWN
) -> Offsets:
    """Return at most ``most`` positions of numbers of ``size`` bytes, the nearest to places first.

    A first word that ``size`` fills in part is not as random as the others, and is read whole. On a
    big-endian machine such words are bytes.
    """
    if pool.big_endian:
        return np.empty(0, np.int64)
    first = WORD if size % WORD else 0
    whole = -(-size // WORD) * WORD
    judged = max(known for known in variety.LEAST_VARIED if known <= whole - first)
    found = counted(pool, _edges(pool, whole - first) - first, whole // WORD)
    found = found[variety.fits(pool, found, whole)]
    found = found[nearby.clear(pool, found, whole, ground.taken)]
    found = found[variety.varied(pool.data, found + first, judged)]
    found = nearby.nearest_to(pool, found, near)
    return found[variety.once(pool.data, found, whole)][:most]


def _edges(pool: Pool, size: int) -> Offsets:
    """List where ``size`` bytes begin or end a run that is no shorter, at any half of a word.

    Seen in CLISP: what stood before a number may look as random as it does.
    """
    length = np.where((pool.head >= 0) & (pool.tail >= 0), pool.tail - pool.head, size)
    heads = pool.head[(pool.head >= 0) & (length >= size - _SLACK)]
    tails = pool.tail[(pool.tail >= 0) & (length >= size - _SLACK)]
    return (np.concatenate((heads, tails - size))[:, None] + _STEPS).ravel()


def counted(pool: Pool, positions: Offsets, count: int) -> Offsets:
    """Return the positions that have a header before them that counts so many words.

    Or one with a word of zeros behind it, which may be counted, or be its own upper half.
    """
    ints = sliding(pool.data, "<u4")  # before the first run stand two MARGINs
    last, second = ints[positions - WORD], ints[positions - 2 * WORD]
    good = (last == count) | _typed(last, count)
    zero = np.flatnonzero(last == 0)
    good[zero] = _typed(second[zero], count) | _typed(second[zero], count + 1)
    return distinct(positions[good])


def _typed(headers: Words, count: int) -> Flags:
    """Tell which headers count so many words, above a type."""
    found = np.zeros(len(headers), np.bool_)
    some = np.flatnonzero((headers > count) & (headers >> np.uint32(_SHIFTS[-1]) <= count))
    for shift in _SHIFTS:
        types = headers[some] & np.uint32((1 << shift) - 1 & ~_FLAGS)
        found[some] |= (types != 0) & (headers[some] >> np.uint32(shift) == count)
    return found
