"""Which of many moduli a number divides: all of them at once.

A division costs microseconds, and a machine's certificates hold a hundred moduli. In digits, every
modulus is a combination of the same powers, so one number's remainders of those powers serve all
moduli. What is left of a modulus is a quotient of few bits: its top words give it nearly, and
its low words, if the division is exact, modulo 2**64. Where they agree, the division decides.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DIGIT = 80
"""Bits of a digit: the quotient has some seven bits more, and a float is right to 50 of them, which
leaves 20 bits of evidence modulo 2**64."""

FEW = 12
"""Moduli that are sooner divided one by one."""

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Moduli:
    """Moduli, and their digits in columns, as integers and as floats."""

    values: tuple[int, ...]
    lows: npt.NDArray[np.uint64]
    """Modulo 2**64."""
    floats: npt.NDArray[np.float64]


def prepare(values: list[int]) -> Moduli:
    """Write moduli in digits, the least significant first."""
    count = -(-max((value.bit_length() for value in values), default=0) // DIGIT)
    rows = [[(value >> at * DIGIT) & ((1 << DIGIT) - 1) for at in range(count)] for value in values]
    return Moduli(
        values=tuple(values),
        lows=np.array([[digit & _MASK for digit in row] for row in rows], np.uint64),
        floats=np.array(rows, np.float64),
    )


def divided_by(moduli: Moduli, number: int, inverse: int) -> list[int]:
    """Return the moduli that a number of 64 bits or more divides; ``inverse`` is modulo 2**64."""
    if len(moduli.values) <= FEW:
        return [value for value in moduli.values if value % number == 0]
    drop, power = number.bit_length() - 64, 1
    lows, tops = [], []
    for _ in range(moduli.lows.shape[1]):
        lows.append(power & _MASK)
        tops.append(power >> drop)
        power = (power << DIGIT) % number
    low = (moduli.lows @ np.array(lows, np.uint64)) * np.uint64(inverse)
    top = moduli.floats @ np.array(tops, np.float64) / float(number >> drop)
    apart = np.abs(np.fmod(top, 2.0**64) - low.astype(np.float64))
    exact = np.flatnonzero((apart < 2.0**44) | (apart > 2.0**64 - 2.0**44))
    return [moduli.values[i] for i in exact.tolist() if moduli.values[i] % number == 0]
