"""What in the pool may be an exponent in a group of a finite field, likeliest first.

Where the order is known an exponent is as long as it is, but for a few bits: digits of its length,
and what fills its words, beside a number as long as p first. Where it is not, the exponents of
libraries are short (RFC 7919 5.2), or as long as a seed. This module raises nothing to them.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.detect.integers import readings
from scanner.detect.integers.limbs import Offsets
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations import adjoining, counts, digits, pieces
from scanner.model import Place

_LACK, _MORE = 16, 12
"""Bits that a short exponent may have less, and more: GnuTLS adds some to those of RFC 7919."""

_USUAL = 32
"""Bytes of an exponent that is as long as a seed."""

_POSITIONS, _MOST_BESIDE = 800, 128
"""Where one may begin, of one size; and of what adjoins a number as long as p."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Piece:
    """A number that may be an exponent."""

    x: int
    position: int
    size: int
    how: Reading


def in_digits(pool: Pool, q: int, near: tuple[Place, ...], most: int) -> Iterator[Piece]:
    """Yield at most ``most`` numbers of the length of an order that stand as digits.

    Those nearest to the places ``near`` come first.
    """
    bits = q.bit_length()
    for how, position in itertools.islice(_digits(pool, bits, near), most):
        size = readings.width(how, bits)
        x = readings.decode(how, pool.data[position : position + size].tobytes()) or 0
        if 1 < x < q:
            yield Piece(x, position, size, how)


def _digits(pool: Pool, bits: int, near: tuple[Place, ...]) -> Iterator[tuple[Reading, int]]:
    for how in digits.held(pool.readings):
        found = digits.starts(pool, how, (readings.width(how, bits),))
        found = found[digits.stand(pool, how, found, bits)]
        found = found[digits.full(pool, how, found, bits)]
        top = readings.top(how, pool.data, found, bits)
        found = found[top >= np.uint64(1 << (readings.WIDE - digits.LACK))]
        for position in pieces.nearest(pool, found, near).tolist():
            yield how, position


def of_order(pool: Pool, q: int, near: tuple[Place, ...], most: int, p: int) -> Iterator[Piece]:
    """Yield at most ``most`` numbers of the length of an order that fill their words.

    What adjoins a number as long as ``p`` comes first: a public number stands beside its exponent.
    """
    return itertools.islice(_of_order(pool, q, near, (p.bit_length() + 7) // 8), most)


def _of_order(pool: Pool, q: int, near: tuple[Place, ...], width: int) -> Iterator[Piece]:
    bits = q.bit_length()
    sizes = [
        (size, judged)
        for size, judged in dict.fromkeys((((bits + 7) // 8, bits // 64 * 8), (_USUAL, _USUAL)))
        if judged in pieces.LEAST_VARIED
    ]
    beside = ((size, _beside(pool, judged, width, near)) for size, judged in sizes)
    counted = ((size, counts.likeliest(pool, size, near)) for size, _ in sizes)
    rest = ((size, pieces.aligned(pool, judged, _POSITIONS, near)) for size, judged in sizes)
    seen: set[tuple[int, int]] = set()
    for size, positions in itertools.chain(beside, counted, rest):
        for position in positions[positions + size <= len(pool.data)].tolist():
            if (position, size) in seen:
                continue
            seen.add((position, size))
            raw = pool.data[position : position + size].tobytes()
            for how in readings.whole(pool.readings):
                x = readings.decode(how, raw) or 0
                if 1 << bits - _LACK < x < q:
                    yield Piece(x, position, size, how)


def _beside(pool: Pool, size: int, width: int, near: tuple[Place, ...]) -> Offsets:
    """Return numbers that fill their run and adjoin one of ``width`` bytes, nearest first.

    Seen in SBCL, whose collector moves a private number with its public one, far from the group.
    """
    both = (adjoining.filling(pool, size), size), (adjoining.filling(pool, width), width)
    found = np.unique(adjoining.pairs(pool, *both)[0])
    found = pieces.nearest(pool, found[pieces.varied(pool.data, found, size)], near)
    return found[pieces.once(pool.data, found, size)][:_MOST_BESIDE]


def short(pool: Pool, bits: int) -> Iterator[Piece]:
    """Yield short exponents of so many bits that fill their words, each once.

    Limbs whose last one is as short as it has to be come first; then what is long enough as bytes,
    or is as long as a seed.
    """
    judged = bits // 64 * 8
    starts = {
        size: pieces.aligned(pool, size, _POSITIONS).tolist()
        for size in dict.fromkeys((_USUAL, judged))
        if size in pieces.LEAST_VARIED
    }
    mixed = [at for row in itertools.zip_longest(*starts.values()) for at in row if at is not None]
    seen: set[int] = set()
    for at, size, how, lengths in _spellings(pool, bits, mixed, set(starts[_USUAL])):
        x = readings.decode(how, pool.data[at : at + size].tobytes()) or 0
        if x.bit_length() in lengths and x not in seen and at + size <= len(pool.data):
            seen.add(x)
            yield Piece(x, at, size, how)


def _spellings(
    pool: Pool, bits: int, positions: list[int], seeds: set[int]
) -> Iterator[tuple[int, int, Reading, range]]:
    """Yield where to read how many bytes, and the lengths that an exponent has then."""
    *limbs, plain = readings.whole(pool.readings)
    least, size = bits - _LACK, -(-bits // 64) * 8
    most = max(bits + 1, min(bits + _MORE, 8 * size - 8))  # else all that is random is short
    for at in positions:
        for how in limbs:
            yield at, size, how, range(least, most + 1)
    for at in positions:
        yield at, (bits + 7) // 8, plain, range(least, bits + 1)
        for how in (*limbs, plain) if at in seeds else ():
            yield at, _USUAL, how, range(8 * _USUAL - _LACK, 8 * _USUAL + 1)
