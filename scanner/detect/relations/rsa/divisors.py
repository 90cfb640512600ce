"""Which of many moduli a number divides: all of them at once.

A division costs microseconds, and a machine's certificates hold a hundred moduli. In digits, every
modulus is a combination of the same powers, so one number's remainders of those powers serve all
moduli. What is left of a modulus is a quotient of few bits: its top words give it nearly, and
its low words, if the division is exact, modulo 2**64. Where they agree, the division decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Floats, Words
from scanner.detect.algebra.gmp import mpz

DIGIT = 80
"""Bits of a digit: the quotient has some seven bits more, and a float is right to 50 of them, which
leaves 20 bits of evidence modulo 2**64."""

FEW = 12
"""Moduli that are sooner divided one by one."""

_ROWS, MOST_CELLS = 512, 1 << 20
"""Numbers that are looked at together, and pairs of these and moduli, at 40 bytes each."""

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Moduli:
    """Moduli, and their digits in columns, as integers and as floats.

    The first column is what no number of ``bits`` bits reduces, all of it one digit; its float
    lacks what is below the number's top 64 bits.
    """

    values: tuple[int, ...]
    bits: int
    lows: Words
    """Modulo 2**64."""
    floats: Floats


def prepare(values: Sequence[int], bits: int) -> Moduli:
    """Write moduli in digits, the least significant first, to be divided by numbers of a length."""
    first = (bits - 1) // DIGIT * DIGIT
    longest = max((value.bit_length() for value in values), default=0)
    cuts = range(first, longest, DIGIT)
    heads = [value & ((1 << first) - 1) for value in values]
    rows = [[value >> at & ((1 << DIGIT) - 1) for at in cuts] for value in values]
    both = list(zip(heads, rows, strict=True))
    return Moduli(
        values=tuple(values),
        bits=bits,
        lows=np.array([[v & _MASK for v in (head, *row)] for head, row in both], np.uint64),
        floats=np.array([[head >> (bits - 64), *row] for head, row in both], np.float64),
    )


def divide(moduli: Moduli, numbers: Sequence[int], inverses: Words) -> Iterator[tuple[int, int]]:
    """Yield (index, modulus) where a number, of the length prepared for, divides a modulus.

    ``inverses`` are the numbers' modulo 2**64; they are odd.
    """
    few = len(moduli.values) <= FEW
    count = max(min(_ROWS, MOST_CELLS // max(len(moduli.values), 1)), 1)
    for start in range(0, len(numbers), count):
        part = numbers[start : start + count]
        if few:
            rows = [(i, value) for i, number in enumerate(part) for value in moduli.values]
        else:
            rows = list(_likely(moduli, part, inverses[start : start + count]))
        yield from ((start + i, value) for i, value in rows if mpz(value) % part[i] == 0)


def _likely(moduli: Moduli, numbers: Sequence[int], inverses: Words) -> Iterator[tuple[int, int]]:
    """Yield (index, modulus) where the quotient is the same from its top and from its low words."""
    drop, count = moduli.bits - 64, moduli.lows.shape[1] - 1
    first = 1 << (moduli.bits - 1) // DIGIT * DIGIT
    powers = []
    for number in map(mpz, numbers):
        power = first
        powers.append(1)
        for _ in range(count):
            powers.append(int(power))
            power = (power << DIGIT) % number
    shape = len(numbers), count + 1
    lows = np.array([power & _MASK for power in powers], np.uint64).reshape(shape)
    tops = np.array([power >> drop for power in powers], np.float64).reshape(shape)
    tops[:, 0] = 1
    scale = np.array([number >> drop for number in numbers], np.float64)
    low = (lows @ moduli.lows.T) * inverses[:, None]
    top = tops @ moduli.floats.T / scale[:, None]
    apart = np.abs(np.fmod(top, 2.0**64) - low.astype(np.float64))
    for index, which in np.argwhere((apart < 2.0**44) | (apart > 2.0**64 - 2.0**44)).tolist():
        yield index, moduli.values[which]
