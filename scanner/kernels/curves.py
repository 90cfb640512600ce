"""Multiples of a generator for many scalars at once, maps of coordinates, and points of a curve.

Short Weierstrass curves y^2 = x^3 + a*x + b of a prime field, as which any elliptic curve can be
written. Numbers are arrays [count, limbs] of 64-bit limbs, the least significant first.
"""

import functools
from collections.abc import Sequence
from ctypes import c_size_t
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.arrays import Flags
from scanner.kernels.library import load, pointer, writable

Limbs = npt.NDArray[np.uint64]

WINDOW = 9
"""Bits of a scalar that one addition takes in, as signed digits."""

HALF = 1 << WINDOW - 1
"""Multiples of each window's base that a table holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """A point (x, y) of y^2 = x^3 + a*x + b modulo p, and what all scalars are below."""

    p: int
    a: int
    x: int
    y: int
    bound: int

    @property
    def limbs(self) -> int:
        """64-bit limbs of a coordinate and of a scalar."""
        return -(-max(self.p.bit_length(), self.bound.bit_length()) // 64)

    @property
    def windows(self) -> int:
        """Additions for a scalar: its digits have a sign, and so one bit more."""
        return self.bound.bit_length() // WINDOW + 1


def multiples(generator: Generator, scalars: Limbs) -> tuple[Limbs, Limbs, Flags]:
    """Return x and y [count, limbs] of the multiples, and which scalars have one.

    None has zero, a multiple of the order, and what is not below the generator's bound. Raises
    ValueError for scalars of another width.
    """
    count, limbs = len(scalars), generator.limbs
    points, valid = np.zeros((count, 2, limbs), np.uint64), np.zeros(count, np.uint8)
    _done(
        load().curve_multiples(
            limbs,
            pointer(_field(generator.p, limbs), np.uint64, 2, limbs),
            pointer(_curve(generator), np.uint64, 3, limbs),
            generator.windows,
            pointer(_table(generator), np.uint64, generator.windows, HALF, 2, limbs),
            pointer(rows((generator.bound,), limbs), np.uint64, 1, limbs),
            c_size_t(count),
            pointer(scalars, np.uint64, count, limbs),
            writable(points, np.uint64, count, 2, limbs),
            writable(valid, np.uint8, count),
        )
    )
    return points[:, 0], points[:, 1], valid.view(np.bool_)


def mapped(p: int, coefficients: tuple[int, int, int, int], values: Limbs) -> tuple[Limbs, Flags]:
    """Return (a*x + b)/(c*x + d) modulo p of each value below p, and where that is a number.

    Raises ValueError for values of another width than p has.
    """
    count, limbs = len(values), -(-p.bit_length() // 64)
    found, valid = np.zeros((count, limbs), np.uint64), np.zeros(count, np.uint8)
    values = np.ascontiguousarray(values)
    _done(
        load().field_map(
            limbs,
            pointer(_field(p, limbs), np.uint64, 2, limbs),
            pointer(rows([each % p for each in coefficients], limbs), np.uint64, 4, limbs),
            c_size_t(count),
            pointer(values, np.uint64, count, limbs),
            writable(found, np.uint64, count, limbs),
            writable(valid, np.uint8, count),
        )
    )
    return found, valid.view(np.bool_)


def on_curve(p: int, a: int, b: int, points: Limbs) -> Flags:
    """Tell which points [count, 2, limbs], x and y, satisfy the curve's equation modulo p.

    None does with a coordinate that is not below p. Raises ValueError for another width than p has.
    """
    count, limbs = len(points), -(-p.bit_length() // 64)
    holds = np.zeros(count, np.uint8)
    _done(
        load().curve_check(
            limbs,
            pointer(_field(p, limbs), np.uint64, 2, limbs),
            pointer(rows((a % p, b % p), limbs), np.uint64, 2, limbs),
            c_size_t(count),
            pointer(points, np.uint64, count, 2, limbs),
            writable(holds, np.uint8, count),
        )
    )
    return holds.view(np.bool_)


def rows(numbers: Sequence[int], limbs: int) -> Limbs:
    """Return numbers as an array [count, limbs]. Raises OverflowError where one has more."""
    raw = b"".join(number.to_bytes(8 * limbs, "little") for number in numbers)
    return np.frombuffer(raw, "<u8").astype(np.uint64).reshape(-1, limbs)


def number(row: Limbs) -> int:
    """Return the number of one row."""
    return int.from_bytes(row.astype("<u8").tobytes(), "little")


def numbers(found: Limbs) -> list[int]:
    """Return the number of each row."""
    raw, size = found.astype("<u8").tobytes(), 8 * found.shape[1]
    return [int.from_bytes(raw[at : at + size], "little") for at in range(0, len(raw), size)]


def _field(p: int, limbs: int) -> Limbs:
    return rows((p, pow(2, 128 * limbs, p)), limbs)


def _curve(generator: Generator) -> Limbs:
    return rows((generator.a, generator.x, generator.y), generator.limbs)


@functools.lru_cache(maxsize=16)
def _table(generator: Generator) -> Limbs:
    """Make a generator's table: 0.5 MB of 256 bits, 2 MB of 521."""
    limbs, windows = generator.limbs, generator.windows
    table = np.zeros((windows, HALF, 2, limbs), np.uint64)
    _done(
        load().curve_table(
            limbs,
            pointer(_field(generator.p, limbs), np.uint64, 2, limbs),
            pointer(_curve(generator), np.uint64, 3, limbs),
            windows,
            writable(table, np.uint64, windows, HALF, 2, limbs),
        )
    )
    return table


def _done(code: int) -> None:
    if code:
        raise ValueError("a size that no kernel is made for")
