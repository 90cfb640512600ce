"""Pieces: where in the pool a private number of a few dozen bytes may begin, likeliest first.

A scalar is short, its derivation is dear, and it need not fill its run: so where it may begin
decides what a search costs. In this order: behind the structure that counts its limbs; behind some
pointers, where few are; in a block with two words more, of zeros, where few are; to its run's end
behind a pointer and a count, or behind a word that few others have too; behind bytes that announce
its length (a size, a length, a tag), if it fills a run, near a public key, and anywhere where many
runs have few such; a run's edge beside one, and a field of one run with it; what is announced and
fills a run beside another such piece, or anywhere; in few runs a run that it fills and a run's
edge, near a public key; what is announced and fills no run, and a run that it fills, the rarer
first; slots of a few equal objects end to end; other edges; other slots; a word from the edges.
Where not all of a kind can be tried, those in a long row of their like come last: a loop computed
them. Which of them are worth a trial ``variety`` says; this module refuses to judge what they hold.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.integers import bare_numbers
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.integers.runs import Runs, chosen, coordinate
from scanner.detect.relations.places import links, nearby, variety, words
from scanner.detect.relations.places.announced import (
    announced_at,
    behind_pointers,
    behind_word,
    counted_limbs,
    drawn,
    first,
    in_longer,
    likened,
    padded,
    shifted,
    tagged,
)
from scanner.detect.relations.places.nearby import UNKNOWN, Ground
from scanner.model import Place

LONGEST = 1024
"""Bytes of the longest run whose slots are tried: in what is longer, everything looks random."""

_MOST_FIELDS, _BESIDE, _FIRST, _MOST_BESIDE = 8, 128, 4, 256
"""Pieces of a run that is a record of nothing else, at most; bytes before and behind a public key
whose words are tried; and of how many keys, first and in all."""

_USUAL = 32
"""Bytes of nearly every scalar."""

_LEAST = 1 << 12
"""Positions that are compared with each other at once, at least."""


def aligned(
    pool: Pool,
    size: int,
    most: int,
    near: Iterable[Place] = (),
    *,
    top: int = 0xFF,
    ground: Ground = UNKNOWN,
) -> Offsets:
    """Return at most ``most`` positions of ``size`` bytes at whole words, likeliest first.

    Within one kind, those nearest to the places ``near`` come first. One of the outermost bytes is
    at most ``top``. None is on taken ``ground``, and those on poor ground come last.
    """
    near = list(near)
    return _ordered(pool, size, most, near, _whole_words(pool, size, most, near, top), top, ground)


def loose(
    pool: Pool,
    size: int,
    most: int,
    near: Iterable[Place] = (),
    *,
    top: int = 0xFF,
    ground: Ground = UNKNOWN,
) -> Offsets:
    """Return positions at no particular alignment: by a run's edge, next to a zero byte.

    What is big-endian there stands behind a length or a sign, or before a string's end. Where
    nothing has an address anything may stand beside it: in few runs every byte is one to begin at.
    """
    edges = distinct(_edges(pool, size))
    rows = [_beside_zeros(pool, edges + shift, size, top) for shift in range(-7, 8) if shift]
    parts = [np.concatenate(row) for row in zip(*rows, strict=True)]
    return _ordered(pool, size, most, near, parts, top, ground, sifted=True)


def _beside_zeros(pool: Pool, spots: Offsets, size: int, top: int) -> tuple[Offsets, Offsets]:
    """Return the spots of varied pieces next to a zero byte, and others that may be anywhere.

    Of one shift: of all together there are more than memory should hold.
    """
    spots = spots[variety.fits(pool, spots, size)]
    zero = (pool.data[spots - 1] == 0) | (pool.data[spots + size] == 0)
    free = spots[pool.at_any_byte(spots) & ~zero] if pool.few else np.empty(0, np.int64)
    return variety.sifted(pool, spots[zero], size, top), variety.sifted(pool, free, size, top)


def counted(
    pool: Pool, size: int, word: int, most: int, near: Iterable[Place] = (), *, width: int = 4
) -> Offsets:
    """Return at most ``most`` positions of ``size`` bytes behind a word of ``width`` bytes.

    Those nearest to the places ``near`` come first.
    """
    return _ordered(pool, size, most, near, (behind_word(pool, word, width),), 0xFF)


def framed(pool: Pool, size: int, most: int) -> Offsets:
    """Return positions that what stands around a piece tells: at most ``most`` of each kind.

    Behind a byte or two of an announced object that is a little longer, in many runs of the usual
    size of 32 bytes alone; behind a few bytes and before zeros; and where a generator gave it out.
    """
    usual = pool.few or size == _USUAL
    said = (in_longer(pool, size),) if usual else ()
    kinds = (said, shifted(pool, size), (drawn(pool, size),))
    return np.concatenate([_ordered(pool, size, most, (), parts, 0xFF) for parts in kinds])


def runs(pool: Pool, found: Offsets) -> Runs:
    """Return the runs in which some positions are: short ones, there from end to end."""
    block = np.searchsorted(pool.at, found, side="right") - 1
    block = block[(pool.head[block] >= 0) & (pool.tail[block] >= pool.head[block])]
    start = pool.offset[block] + pool.head[block] - pool.at[block]
    end = start + pool.tail[block] - pool.head[block]
    return chosen(Runs(space=pool.space[block], start=start, end=end), end - start <= LONGEST)


def objects(
    pool: Pool,
    size: int,
    most: int,
    near: Iterable[Place] = (),
    *,
    top: int = 0xFF,
    ground: Ground = UNKNOWN,
) -> Offsets:
    """Return at most ``most`` positions of ``size`` bytes that are announced and fill their run."""
    parts = (_both(pool, *first(pool, size)),)
    return _ordered(pool, size, most, near, parts, top, ground)


def announced(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions of ``size`` bytes behind bytes that announce them."""
    return _ordered(pool, size, most, (), (announced_at(pool, size),), 0xFF)


def filling(
    pool: Pool, size: int, most: int, *, paired: bool = False, first: Iterable[Offsets] = ()
) -> Offsets:
    """Return at most ``most`` beginnings of runs that ``size`` bytes fill, behind the ``first``.

    The fullest first: the last word of a number may be too small to look random; or what follows
    goes on, up to two words, as an allocator rounds up. Where there are more, the ``paired`` are
    asked for, which stand beside another one.
    """
    more = np.where((pool.head >= 0) & (pool.tail >= 0), pool.tail - pool.head - (size & ~7), -1)
    parts = [pool.head[more == rest] for rest in (0, 8, 16, 24)]
    if paired and sum(map(len, parts)) > most:
        parts = [_paired(pool, np.concatenate(parts), size)]
    return _ordered(pool, size, most, (), (*first, *parts), 0xFF)


def texts(
    pool: Pool, size: int, most: int, *, top: int = 0xFF, times: Sequence[int] = (1, 2)
) -> Offsets:
    """Return at most ``most`` numbers that are written as texts, those of each length in turn.

    Of ``size`` bytes, or of twice as many, as a seed and its public half are; or as told.
    """
    sizes = [size * each for each in times]
    rows = [(i, t.size) for i, t in pool.texts.items() if len(t.raw) in sizes and t.raw[0] <= top]
    at, length = np.array(rows, np.int64).reshape(-1, 2).T
    crowd = bare_numbers.crowd(nearby.coordinates(pool, pool.head[at]))
    found = pool.head[at[bare_numbers.in_turn(length, crowd)]]
    return found[variety.once(pool.data, found, size)][:most]


def fields(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` positions in runs that two to eight pieces fill, end to end.

    Then those that they fill but for a word at one end, which does not look random, as one in 256
    does not. Seen in Tor, whose keys of onion services are a point, a scalar and a prefix.
    """
    parts = []
    for before, behind in ((0, 0), (WORD, 0), (0, WORD)):
        head, tail = pool.head - before, pool.tail + behind
        count, rest = np.divmod(tail - head, size)
        whole = (pool.head >= 0) & (pool.tail >= 0) & (rest == 0)
        records = whole & (count >= 2) & (count <= _MOST_FIELDS)
        lacking = _spaced(head[records], tail[records], size, size)
        parts.append(lacking if before + behind else _slots(pool, size, records))
    return _ordered(pool, size, most, (), parts, 0xFF)


def beside(
    pool: Pool,
    size: int,
    most: int,
    near: Sequence[Place],
    *,
    top: int = 0xFF,
    ground: Ground = UNKNOWN,
) -> Offsets:
    """Return at most ``most`` positions next to places: what adjoins them, and whole words near.

    A byte may stand between, the tag of a point, or a word behind it (Zig). Seen in Node.js: its
    pool of buffers has a scalar between a signature and the point. Words near the first few places
    come first: a library spells a point there. Seen in Go, whose signatures leave points too.
    """
    first, last = np.split(_ends(near), 2)
    there = _located(pool, np.concatenate((first - size, first - 1 - size, last, last + 8)))
    parts = there, _beside(pool, size, near[:_FIRST]), _beside(pool, size, near)
    return _ordered(pool, size, most, near, parts, top, ground)


def around(pool: Pool, size: int, publics: Sequence[bytes]) -> Offsets:
    """Return where public keys stand the positions one piece and two before, and right behind.

    A seed stands there, or a scalar and a prefix (ring), whatever the run begins with.
    """
    found = itertools.islice(words.find_whole(pool.data, publics), _MOST_BESIDE // 2)
    at = np.array([at for _, at in found], np.int64)
    positions: Offsets = np.concatenate((at - size, at - 2 * size, at + size))
    return positions[variety.fits(pool, positions, size)]


def _ordered(
    pool: Pool,
    size: int,
    most: int,
    near: Iterable[Place],
    parts: Iterable[Offsets],
    top: int,
    ground: Ground = UNKNOWN,
    *,
    sifted: bool = False,
) -> Offsets:
    found = np.empty(0, np.int64)
    marks = nearby.marks(near)
    parts = links.last(pool, nearby.sorted_out(pool, parts, size, ground))
    for part in parts if len(pool.at) else ():
        positions = distinct(part) if sifted else variety.sifted(pool, part, size, top)
        rows = [positions]
        if len(positions) > most - len(found):
            passing = nearby.in_row(pool, positions, size) > nearby.MOST_PAIRED
            rows = [positions[~passing], positions[passing]]
        for row in rows:
            found = _more(pool, found, nearby.nearest(pool, row, marks), size, most)
        if len(found) >= most:
            break
    return found[:most]


def _more(pool: Pool, found: Offsets, row: Offsets, size: int, most: int) -> Offsets:
    """Append a row of positions, of equal pieces the first, until there are so many."""
    at = 0
    while at < len(row) and len(found) < most:
        few = max(most - len(found), _LEAST)
        found = np.append(found, row[at : at + few])
        found = found[variety.once(pool.data, found, size)]
        at += few
    return found


def _edges(pool: Pool, size: int) -> Offsets:
    """List where a number begins that begins or ends with its run."""
    return np.concatenate((pool.head[pool.head >= 0], pool.tail[pool.tail >= 0] - size))


def _whole_words(
    pool: Pool, size: int, most: int, near: Sequence[Place], top: int
) -> Iterator[Offsets]:
    """Yield positions at whole words, likeliest first."""
    announced, alone = first(pool, size)
    both = _both(pool, announced, alone)
    lone, alike = _likely(pool, size, top, alone)
    edges = np.concatenate((_edges(pool, size), pool.tail[pool.tail >= 0] - (size & ~7)))
    length = pool.tail - pool.head
    short = (pool.head >= 0) & (pool.tail >= 0) & (length <= LONGEST)
    yield counted_limbs(pool, alone, size)
    inside = variety.sifted(pool, behind_pointers(pool, alone), size, top)
    if len(inside) <= most // 4:
        yield inside
    if len(roomy := padded(pool, alone, size)) <= most // 2:
        yield roomy
    if len(alike) <= most // 4:
        yield alike
    if near:
        marks = nearby.marks(near)
        yield both[nearby.distances(pool, both, marks) <= NEIGHBOURHOOD]
        if not pool.few and len(own := variety.sifted(pool, both, size, top)) <= most // 2:
            yield own  # Node.js has hundreds, and thousands of edges beside its points
        yield edges[nearby.distances(pool, edges, marks) <= _BESIDE]
        yield _slots(
            pool, size, short & (nearby.distances(pool, pool.head.clip(0), marks) <= _BESIDE)
        )
    yield _paired(pool, both, size)
    yield both
    yield alike
    if near and pool.few:
        far = NEIGHBOURHOOD if size > _USUAL else 8 * _BESIDE
        yield alone[nearby.distances(pool, alone, marks) <= far]
        yield edges[nearby.distances(pool, edges, marks) <= 4 * _BESIDE]
    yield from sorted((variety.sifted(pool, announced, size, top), lone), key=len)
    equal = length % ((size + 15) & ~15) == 0
    yield _slots(pool, size, short & equal & (length <= _MOST_FIELDS * size))
    yield edges
    yield _slots(pool, size, short & equal)
    yield np.concatenate((edges - 8, edges + 8))
    yield _slots(pool, size, short & ~equal)
    yield np.concatenate((edges - 4, edges + 4))
    yield _beside(pool, size, near)


def _both(pool: Pool, positions: Offsets, others: Offsets) -> Offsets:
    """Return those of some positions in the pool that are among others."""
    marks = np.zeros(len(pool.data) + LONGEST, np.bool_)  # what announces a piece may be the last
    marks[others] = True
    return positions[marks[positions]]


def _likely(pool: Pool, size: int, top: int, alone: Offsets) -> tuple[Offsets, Offsets]:
    """Sift what fills its run, and what is alike or tagged: once for each size, whoever asks."""
    lone, alike = names = ((f"lone up to {top}", size), (f"alike up to {top}", size))
    if lone not in pool.listed:
        found = variety.sifted(pool, alone, size, top)
        rest = likened(pool, found[variety.once(pool.data, found, size)])
        rest = variety.sifted(pool, np.append(tagged(pool, size), rest), size, top)
        pool.listed.update(zip(names, (found, rest), strict=True))
    return pool.listed[lone], pool.listed[alike]


def _paired(pool: Pool, positions: Offsets, size: int) -> Offsets:
    """Return the positions that have another one so near that an allocator laid both out in turn.

    A private number and its public half, or a point's two, are allocated together, and passing ones
    seldom are, but for those of a loop: they stand in long rows.
    """
    positions = distinct(positions)
    row = nearby.in_row(pool, positions, size)
    return positions[(row > 1) & (row <= nearby.MOST_PAIRED)]


def _beside(pool: Pool, size: int, near: Sequence[Place]) -> Offsets:
    """List the words next to places, within a run too: what was freed and overwritten up to there.

    Of a scalar that an allocator took back, the bytes before are often another object's by now, and
    as random as it is.
    """
    found = _located(pool, (_ends(near)[:, None] + np.arange(-_BESIDE, _BESIDE, 8)).ravel())
    block = np.searchsorted(pool.at, found, side="right") - 1
    found -= (found + pool.phase[block]) % 8
    return found[found < len(pool.data) - size]


def _ends(near: Sequence[Place]) -> Offsets:
    """Return the coordinates where places begin, then those where they end; of the first places."""
    rows = [(place.space, place.offset, place.size) for place in near[:_MOST_BESIDE]]
    space, offset, size = np.array(rows, np.int64).reshape(-1, 3).T
    return np.concatenate([coordinate(space, at) for at in (offset, offset + size)])


def _located(pool: Pool, marks: Offsets) -> Offsets:
    """Return where coordinates of the dump are in the pool."""
    found = nearby.located(pool, marks)
    return found[(found >= 0) & (found < len(pool.data))]


def _slots(pool: Pool, size: int, short: Flags) -> Offsets:
    """List where equal objects lie end to end in short runs.

    From the run's head on, as the fields of a structure; or as an allocator lays them, at multiples
    of ``size``, rounded up to 16, in the address space.
    """
    step = (size + 15) & ~15
    at, head, tail = pool.at[short], pool.head[short], pool.tail[short]
    first = head + -(pool.offset[short] + head - at) % step
    return np.append(_spaced(first, tail, size, step), _spaced(head + size, tail, size, size))


def _spaced(first: Offsets, last: Offsets, size: int, step: int) -> Offsets:
    """List, each ``step`` bytes, where pieces begin that lie between two positions."""
    count = np.maximum((last - size - first) // step + 1, 0)
    index = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    found: Offsets = np.repeat(first, count) + index * step
    return found
