"""Numbers held as digits: where they may begin, and what tells them from noise.

Digits leave some bits of every word zero, so that few words of other memory are digits nine times
in a row: where a number may begin is decided by that, and hardly anything is left to derive. This
module looks at no digits that fill their words: those are limbs. What a number is, others say.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.integers import readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.edges import FAINT
from scanner.detect.integers.pool import SLACK, Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import nearby, variety

LEAST_FREE = 2
"""Bits of a word that a digit leaves free: one is too few to tell nine digits from noise, but for
what stands behind its count."""

SCARCE = 20
"""Bits that are free in the lower halves of words, and are none in longer digits once in a million
times."""

LACK = 24
"""Bits that a scalar is shorter than its order at most: chance has it one in 16 million times."""

MOST_SMALL = 2
"""Digits without their upper 8 bits in a random number: three of 17 have one in 20,000."""

_CERTAIN = 3
"""Words at an edge that are digits, before more is looked at."""

_ROWS = 1 << 13
"""Edges that are looked at together."""


def held(table: Sequence[Reading]) -> list[Reading]:
    """Return the readings in which a scalar of 256 bits is told from noise."""
    return [how for how in table if 8 * how.word - how.digit >= LEAST_FREE]


def starts(pool: Pool, how: Reading, sizes: Collection[int]) -> Offsets:
    """List where numbers of ``sizes`` bytes may begin near the edges of runs that hold digits."""
    heads = near(pool, how, pool.head[pool.head >= 0], 0)
    tails = near(pool, how, pool.tail[pool.tail >= 0], -_CERTAIN * how.step - SLACK)
    beyond = np.arange(-SLACK, FAINT + 1)
    found = _begun(pool, how, heads, np.arange(-SLACK, SLACK + 1))
    for size in sorted(sizes):  # one by one, as most of a size are of another one, too
        more = _begun(pool, how, tails, beyond - size)
        found = distinct(np.append(found, more)) if len(more) else found
    return found


def _begun(pool: Pool, how: Reading, edges: Offsets, shifts: Offsets) -> Offsets:
    """List where digits begin so far from edges: of some at once, as there are dozens of each."""
    parts = [np.empty(0, np.int64)]
    for start in range(0, len(edges), _ROWS):
        found = aligned(pool, how, edges[start : start + _ROWS], shifts)
        found = found[(found >= 0) & (found < len(pool.data))]
        parts.append(found[stand(pool, how, found, _CERTAIN * how.digit)])
    return distinct(np.concatenate(parts))


def counting(pool: Pool) -> Reading:
    """Return the digits that leave one bit of a machine's word free: no noise behind their count.

    PyPy's integers are arrays of such digits, and an array's length stands before it.
    """
    word = pool.memory.map.pointer_size
    names = (f"digits-{8 * word - 1}", "digits-63")
    return next(how for name in names for how in pool.readings if how.name == name)


def behind_counts(pool: Pool, how: Reading, sizes: Collection[int]) -> Offsets:
    """List where numbers of ``sizes`` bytes may begin near runs' edges, right behind their count.

    Of such a number the last word is short, and belongs to no run.
    """
    parts = [_behind(pool, how, pool.head[pool.head >= 0], 0, sizes)]
    tails = pool.tail[pool.tail >= 0]
    parts += [_behind(pool, how, tails, how.word - size, [size]) for size in sorted(sizes)]
    found = distinct(np.concatenate(parts))
    return found[stand(pool, how, found, _CERTAIN * how.digit)]


def _behind(
    pool: Pool, how: Reading, edges: Offsets, shift: int, sizes: Collection[int]
) -> Offsets:
    """List the aligned places around edges before which a count stands."""
    block = np.searchsorted(pool.at, edges, side="right") - 1
    first = edges + shift - (edges + shift + pool.phase[block]) % how.align
    spots = np.concatenate((first - how.word, first, first + how.word))
    spots = spots[(spots >= how.word) & (spots < len(pool.data))]
    kind = f"{'<>'[how.swapped]}u{how.word}"
    counts = np.array([size // how.word for size in sizes], np.uint64)
    return spots[np.isin(readings.gather(pool.data, spots - how.word, kind), counts)]


def whole(pool: Pool, how: Reading, bits: int) -> Offsets:
    """List where numbers of so many bits stand near edges of runs, and are no row of pointers.

    What ends within its last digit, with the memory, is no number.
    """
    size = readings.width(how, bits)
    found = starts(pool, how, {size})
    found = found[stand(pool, how, found, bits)]
    found = found[variety.fits(pool, found, size)]
    return found[full(pool, how, found, bits)]


def aligned(pool: Pool, how: Reading, edges: Offsets, shifts: Offsets) -> Offsets:
    """List where numbers may stand so far from edges."""
    if not len(edges):
        return edges
    block = np.searchsorted(pool.at, edges, side="right") - 1
    spots = edges[:, None] + shifts
    good = (spots + pool.phase[block, None]) % how.align == 0
    found: Offsets = spots[good | pool.any_alignment[block, None]]
    return found


def near(pool: Pool, how: Reading, edges: Offsets, inward: int) -> Offsets:
    """Keep the edges inside of which the first whole words are digits.

    Where numbers may begin at any byte, words at one of all that a word has. Edges of one pool are
    told from others by their number and the way inward.
    """
    wide = readings.widest(how, (*held(pool.readings), how))
    key = (f"near {wide.name} {inward}", len(edges))
    if key not in pool.listed:
        pool.listed[key] = _near(pool, wide, edges, inward)
    return pool.listed[key] if how == wide else _near(pool, how, pool.listed[key], inward)


def _near(pool: Pool, how: Reading, edges: Offsets, inward: int) -> Offsets:
    """Keep the edges inside of which digits of one reading are."""
    block = np.searchsorted(pool.at, edges, side="right") - 1
    past = (edges + pool.phase[block]) % how.align
    first = edges + inward // how.step * how.step
    keep = stand(pool, how, first + np.where(past, how.align - past, 0), _CERTAIN * how.digit)
    free = np.flatnonzero(pool.any_alignment[block])
    shifts = range(1 - how.step, 1) if inward else range(max(how.step, SLACK + 1))
    for shift in shifts if len(free) else ():
        keep[free] |= stand(pool, how, first[free] + shift, _CERTAIN * how.digit)
    return edges[keep]


def stand(pool: Pool, how: Reading, position: Offsets, bits: int) -> Flags:
    """Tell where digits of so many bits stand whole in the pool."""
    if not len(position):
        return np.empty(0, np.bool_)
    fits: Flags = (position >= 0) & (position + readings.width(how, bits) <= len(pool.data))
    fits[fits] = readings.are_digits(how, pool.data, position[fits], bits)
    return fits


def full(pool: Pool, how: Reading, position: Offsets, bits: int) -> Flags:
    """Tell where hardly any digit but the top one is small: rows of pointers have every other."""
    if not len(position):
        return np.empty(0, np.bool_)
    small = np.zeros(len(position), np.int64)
    least = np.uint64(1 << (how.digit - 8))
    for index in range(readings.count(how, bits) - 1):
        small += readings.digit(how, pool.data, position, bits, index) < least
    few: Flags = small <= MOST_SMALL
    return few


def own(pool: Pool, how: Reading, position: Offsets, bits: int) -> Flags:
    """Tell what is no digits of a narrower reading, in the same words or in halves of them.

    Ten digits of 28 bits are below 2**26 once in a million times. Two of them in a row look like
    one of 60 bits, and in that the lower half is full as a rule: seen in libtommath on 32-bit x86.
    """
    count = readings.count(how, bits)
    good: Flags = np.ones(len(position), np.bool_)
    for other in held(pool.readings):
        free, part = 8 * other.word - other.digit, how.word // other.word
        fits = replace(other, name=how.name, digit=how.digit, word=how.word, align=how.align)
        alike = fits == how and (other.digit < how.digit if part == 1 else count * free >= SCARCE)
        if alike and part in (1, 2):
            good &= ~stand(pool, other, position, part * count * other.digit)
    return good


def counted(pool: Pool, how: Reading, position: Offsets, bits: int) -> Offsets:
    """Put first what CPython's count of digits announces, and of that what stands in no long row.

    A count is a size, or what Python 3.12 puts three bits above a sign. Rows are tables of points.
    """
    count = np.uint64(readings.count(how, bits))
    rank = np.full(len(position), 2, np.int8)
    for width in (8, 4):
        kind = f"{'<>'[how.swapped]}u{width}"
        size = readings.gather(pool.data, np.maximum(position - width, 0), kind)
        rank[(size == count) | (size == count << np.uint64(3))] = 1
    rows = np.sort(position[rank == 1])
    lone = rows[nearby.in_row(pool, rows, readings.width(how, bits)) <= nearby.MOST_PAIRED]
    rank[np.isin(position, lone)] = 0
    return position[np.argsort(rank, kind="stable")]


def radix(how: Reading, bits: int) -> int:
    """Return R of the Montgomery form that computes with these digits (BN.js: 2^260 for P-256)."""
    return 1 << readings.count(how, bits) * how.digit
