"""What is tried as a scalar of a named curve: where it stands, how it is read, and its point.

Scalars are read as limbs, bytes and Java's ints (on a big-endian machine as limbs of either width,
and bytes), and out of Montgomery form. Each list has its likeliest first, and its caller's bound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import gmp
from scanner.detect.algebra.material import Ec
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import checked, counts, headed, nearby, pieces, slabs
from scanner.detect.relations.places.nearby import Ground
from scanner.detect.relations.weierstrass import blocks, comb, shifted
from scanner.detect.relations.weierstrass.curves import (
    BIG,
    CURVES,
    JAVA,
    LITTLE,
    WORDS,
    Curve,
    Reading,
)
from scanner.model import Place

LEAST_HEADED = 64
"""Of numbers behind a header half of a curve's other scalars, or so many; of copies a quarter."""

MONTGOMERY = " montgomery"
"""What the encoding of a scalar in Montgomery form ends with."""

_MOST_NEAREST, _MOST_POINTS = 64, 256
"""Objects that are nearest to points of one curve, among many runs; and of how many of these."""

_PADDED = 64
"""Positions that are listed for each scalar that is tried, where its last word's zeros tell."""

_P521, _P521_TOP = 66, 0x01
"""Bytes of a number on P-521, and the first of them, at most: of half of them it is zero, and left
out where numbers have no leading zeros."""

Listed = tuple[Offsets, int, tuple[Reading, ...]]
"""Positions in the pool, and the bytes and readings of a scalar there."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Trial:
    """A scalar that was read, and the point that it gives."""

    key: Ec
    position: int
    size: int
    reading: Reading
    form: str = ""


def beside(
    pool: Pool,
    curve: Curve,
    most: int,
    near: Sequence[Place],
    known: Sequence[Place],
    ground: Ground,
) -> Listed:
    """Return at most ``most`` scalars next to points of one curve, in a longer run too.

    And half as many in slabs in which coordinates of ``known`` points are.

    Other candidates of the size may be more than are tried on this curve, and lose no room to them.
    Among many runs so do a few objects that are nearest to these points, however far. Seen in Perl
    on 32-bit x86: what was near points of another curve had taken all the turns.
    """
    top = curve.n >> 8 * (curve.size - 1)
    found = pieces.beside(pool, curve.size, most, near, top=top, ground=ground)
    found = np.append(found, blocks.nearest(pool, curve, most // 2, near))
    if near and not pool.few:
        few, own = min(most, _MOST_NEAREST), near[:_MOST_POINTS]
        found = np.append(found, pieces.objects(pool, curve.size, few, own, top=top, ground=ground))
    slots = slabs.beside(pool, curve.size, most // 2, known, top=top, ground=ground)
    found = np.append(found, slots)
    return found, curve.size, ways(pool, curve.size)


def ways(pool: Pool, size: int) -> tuple[Reading, ...]:
    """Return how a scalar of whole words is read on the dump's machine."""
    whole = (how for how in WORDS if size % how.word == 0)
    return (*(whole if pool.big_endian else (LITTLE,)), BIG)


def derived(pool: Pool, curve: Curve, most: int, listed: Sequence[Listed]) -> Iterator[Trial]:
    """Derive the points of at most ``most`` scalars, the likeliest first."""
    read = (
        (d, position, size, reading)
        for positions, size, ways in listed
        for position in positions.tolist()
        for reading in ways
        if 0 < (d := reading.decode(pool.data[position : position + size].tobytes())) < curve.n
    )
    tried: dict[int, tuple[int, int, Reading]] = {}
    for d, *where in read:
        tried.setdefault(d, tuple(where))
        if len(tried) >= most:
            break
    found = comb.derive(curve, list(tried))
    for key, (position, size, reading) in zip(found, tried.values(), strict=True):
        if key is not None:
            yield Trial(key, position, size, reading)


def behind_headers(pool: Pool, curve: Curve, most: int, found: Offsets) -> Iterator[Trial]:
    """Derive the points of at most ``most`` numbers behind a header that counts their words."""
    size = -(-curve.size // headed.WORD) * headed.WORD
    return derived(pool, curve, most, [(found, size, (JAVA,))])


def texts(pool: Pool, curve: Curve, most: int) -> Iterator[Trial]:
    """Derive the points of at most ``most`` scalars that are written as texts."""
    found = pieces.texts(pool, curve.size, most, top=curve.n >> 8 * (curve.size - 1))
    return derived(pool, curve, most, [(found, curve.size, (BIG,))])


def unshifted(pool: Pool, curve: Curve, most: int) -> Iterator[Trial]:
    """Take at most ``most`` scalars out of Montgomery form."""
    positions = shifted.likely(pool, curve.size, most).tolist()
    for how in WORDS if pool.big_endian else (LITTLE,):
        size = -(-curve.size // how.word) * how.word
        read = [how.decode(pool.data[at : at + size].tobytes()) for at in positions]
        for radix in shifted.radices(curve):
            inverse = gmp.inverse(radix, curve.n)
            plain = [v * inverse % curve.n if v < curve.n else 0 for v in read]
            for key, position in zip(comb.derive(curve, plain), positions, strict=True):
                if key is not None:
                    yield Trial(key, position, size, how, MONTGOMERY)


def candidates(
    pool: Pool, size: int, most: int, near: Sequence[Place], ground: Ground
) -> Iterator[Listed]:
    """Yield positions of scalars of a size, and their possible readings there.

    What a sum bears out or a structure counts comes first, at any byte. The likeliest whole words
    come before Java's arrays: V8's integers may be as long, and many.
    """
    yield from ((checked.numbers(pool, each), each, (BIG,)) for each in (size, size - 1))
    yield pieces.framed(pool, size, most // 16), size, (BIG,)
    top = _P521_TOP if size == _P521 else 0xFF
    both = ways(pool, size)
    yield counts.likeliest(pool, size, near, ground=ground), size, (LITTLE,)
    aligned = pieces.aligned(pool, size, -(-most // 2), near, top=top, ground=ground)
    first, rest = aligned[: most // 4], aligned[most // 4 :]
    yield first, size, both
    yield slabs.within(pool, size, most // 16), size, (LITTLE,)
    if pool.big_endian:
        yield from _padded(pool, size, most, near)
    if size % 4 == 0 and not pool.big_endian:
        found = pieces.counted(pool, size, size // 4, most // 4, near)
        most -= len(found)
        yield found, size, (JAVA,)
    yield rest, size, both
    most -= 2 * len(aligned)
    if size == _P521:
        found = pieces.announced(pool, size - 1, max(most, LEAST_HEADED))
        most -= len(found)
        yield found, size - 1, (BIG,)
    if most > 0:
        found = pieces.loose(pool, size, most, near, top=top, ground=ground)
        free = pool.at_any_byte(found)
        yield found[~free], size, (BIG,)
        yield found[free], size, both


def shorter(
    pool: Pool, size: int, most: int, near: Sequence[Place], ground: Ground
) -> list[Listed]:
    """List scalars on P-521 that need a word less than others: one of 512 has at most 512 bits.

    Where a number has no more words than it needs, anything stands behind. Seen in OpenSSL, whose
    allocator had left a pointer there.
    """
    if size != _P521:
        return []
    short = size & ~7
    found = pieces.aligned(pool, short, -(-most // 2), near, ground=ground)
    listed: list[Listed] = [(found, short, ways(pool, short))]
    if not pool.big_endian:
        found = pieces.counted(pool, short, short // 4, LEAST_HEADED, near)
        listed.append((found, short, (JAVA,)))
    return listed


def _padded(pool: Pool, size: int, most: int, near: Sequence[Place]) -> Iterator[Listed]:
    """Yield positions of scalars whose last big-endian word is not full: on P-521, and P-224.

    In words of the machine's own width first. Those come last whose last word is zero, as of one
    scalar in 512, and before them what stands in a long row of its like. Seen in Go on s390x and
    MIPS, whose table of multiples of G took all the turns.
    """
    greatest = max(curve.n for curve in CURVES.values() if curve.size == size)
    whole, own = size & ~7, pool.memory.map.pointer_size
    likely, rest = list[Listed](), list[Listed]()
    for how in sorted(WORDS, key=lambda how: how.word != own):
        full = -(-size // how.word) * how.word
        if full > size:
            found = pieces.aligned(pool, whole, most * _PADDED, near)
            found = found[found + full <= len(pool.data)]
            last = readings.gather(pool.data, found + full - how.word, f">u{how.word}")
            fits = found[(last > 0) & (last <= np.uint64(greatest >> 8 * (full - how.word)))]
            order = np.argsort(fits)
            row = np.sort(order[nearby.in_row(pool, fits[order], full) > nearby.MOST_PAIRED])
            likely.append((np.delete(fits, row), full, (how,)))
            rest.append((np.append(fits[row], found[last == 0]), full, (how,)))
    yield from (*likely, *rest)
