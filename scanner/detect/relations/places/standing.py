"""Which of many numbers stand in the pool: as bytes, limbs or Java's ints, or in given digits.

Whoever computes with numbers that were read asks for hundreds of thousands of them, of which hardly
any stand there. A number is spelled in full only where its lowest word stands. How many bytes a
number was given is not asked: those that it needs are looked for. This module refuses numbers of up
to 64 bits, which stand everywhere.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from scanner.arrays import Words
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import JAVA, Reading
from scanner.detect.relations.places import words
from scanner.detect.relations.places.words import Whole

WORD, WORD_BITS = 8, 64
"""The word that is looked up."""

_AT_ONCE = 1 << 18
"""Words that are looked up at once."""

_HALF = 4

Owner = TypeVar("Owner")


def standing(
    pool: Pool, numbers: Iterable[tuple[int, Owner]], hows: Sequence[Reading]
) -> Iterator[tuple[Owner, Reading, int]]:
    """Yield what comes with each number that stands, how it is spelled, and at which position."""
    rows = (row for row in numbers if row[0] >> WORD_BITS)
    while hows and (part := list(itertools.islice(rows, max(_AT_ONCE // len(hows), 1)))):
        lows = np.concatenate([_lows(how, [number for number, _ in part]) for how in hows])

        def spell(row: int, part: Sequence[tuple[int, Owner]] = part) -> Whole:
            return Whole(*_spelled(hows[row // len(part)], part[row % len(part)][0]))

        for row, at in words.find(pool.data, lows, spell):
            how, (_, owner) = hows[row // len(part)], part[row % len(part)]
            raw, ahead, *_ = spell(row)
            if words.stands(pool.data, at - ahead, raw):
                yield owner, how, at - ahead - (how.shift // 8 if how.packed else 0)


def _lows(how: Reading, numbers: Sequence[int]) -> Words:
    """Return the word by which each number is looked up: that of its least significant bits."""
    mask = (1 << WORD_BITS) - 1
    if not how.packed and not how.swapped:
        low = np.array([number & mask for number in numbers], np.uint64)
        if how == JAVA:
            return low << np.uint64(32) | low >> np.uint64(32)
        return low.byteswap() if how.most_first else low
    if how.packed and how.step == how.word and not (how.shift or how.swapped or how.double):
        mask = (1 << how.digit) - 1
        rest = mask if how.word == _HALF else 0
        pairs = [number & mask | (number >> how.digit & rest) << 32 for number in numbers]
        return np.array(pairs, np.uint64)
    raws = (_spelled(how, number) for number in numbers)
    return np.array([int.from_bytes(raw[at : at + WORD], "little") for raw, at in raws], np.uint64)


def _spelled(how: Reading, number: int) -> tuple[bytes, int]:
    """Spell a number, and say where in that the word stands by which it is looked up.

    Zeros of the first word tell nothing, and cost much to look up.
    """
    raw = readings.encode(how, number, number.bit_length())
    if how.packed:
        return raw[how.shift // 8 :], 0
    return raw, len(raw) - WORD if how.most_first else 0
