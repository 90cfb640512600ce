"""Numbers that stand in both byte orders: as limbs that were computed on, and as bytes elsewhere.

A library reads a private number from bytes and turns it into limbs. Of what it computes on the way
little is written as bytes: so of thousands of numbers of one size a few dozen stand both ways, keys
and nonces among them. Seen in Node.js (@noble/curves), where each signature leaves thousands of
BigInts, behind a pointer and a count. This module refuses to judge what a number is.
"""

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import announced, variety, words
from scanner.detect.relations.places.words import Whole

MOST_LISTED = 1 << 15
"""Numbers that are looked for in the other order (one pass for all of them)."""


def numbers(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of limbs that stand elsewhere with the last byte first.

    Where there are many runs, and more such objects than could be tried.
    """
    if pool.few or pool.big_endian or size < 3 * WORD:
        return np.empty(0, np.int64)
    found = distinct(np.append(announced.tagged(pool, size), announced.behind_limbs(pool, size)))
    if len(found) <= most:
        return np.empty(0, np.int64)
    found = variety.sifted(pool, found, size, 0xFF)
    found = found[variety.once(pool.data, found, size)][:MOST_LISTED]
    second = words.sliding(pool.data)[found + WORD].byteswap().astype(np.uint64)

    def turned(index: int) -> Whole:
        at = found[index]
        return Whole(pool.data[at : at + size][::-1].tobytes(), size - 2 * WORD)

    rows: set[int] = set()
    for index, at in words.find(pool.data, second, turned):
        if words.stands(pool.data, at - turned(index).ahead, turned(index).raw):
            rows.add(int(found[index]))
            if len(rows) == most:
                break
    return np.array(sorted(rows), np.int64)
