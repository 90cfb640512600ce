"""Numbers behind their length in bits and before their checksum, as OpenPGP keeps open secrets.

A packet that its allocator took back has lost its front, by which it is found elsewhere, and its
secret stands at any byte, in the middle of a run. RFC 9580, sections 3.2 and 5.5.3: a zero, for no
protection, the length, the number, and the sum of their bytes. Chance has one such number in 65,536
of those that are as long as they say. Seen in RNP. A number of few different bytes is none: tables
of a curve have points of such, and libpython's code held one by chance. This module says where; it
proves nothing.
"""

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.spots import spots

_SHORTEST, _LONGEST = 27, 66
"""Bytes of a scalar, a seed or an exponent: of 224 bits, but for a byte, to P-521's."""

_HEAD, _SUM = 3, 2
"""Bytes before a number and behind it."""

MOST = 1 << 15
"""Numbers whose checksum is computed, in 3 us."""

MOST_FIRST = 16
"""Numbers of a size of whose checksum the first byte holds: of those of 32 bytes it is one of two
values as a rule, and chance has one in a hundred."""


def numbers(pool: Pool, size: int) -> Offsets:
    """Return where numbers of ``size`` bytes stand whose checksum holds, or its first byte.

    Over the last one an allocator may write, as over the front.
    """
    if ("checked", 0) not in pool.listed:
        pool.listed["checked", 0], pool.listed["checked", 1] = _held(pool)
    whole, first = (pool.listed["checked", kind] for kind in (0, 1))
    first = first[_sizes(pool, first) == size]
    return np.append(whole[_sizes(pool, whole) == size], first[:MOST_FIRST])


def _held(pool: Pool) -> tuple[Offsets, Offsets]:
    """Return where numbers stand whose checksum holds, and those of which its first byte does."""
    data = pool.data

    def counted(at: int, end: int) -> Flags:
        zero = (data[at:end] == 0) & (data[at + 1 : end + 1] <= _LONGEST * 8 >> 8)
        held: Flags = zero & (data[at + _HEAD : end + _HEAD] > 0)
        size = _sizes(pool, np.flatnonzero(held) + at + _HEAD)
        held[held] = (size >= _SHORTEST) & (size <= _LONGEST)
        return held

    found = spots(len(data) - _HEAD - _LONGEST - _SUM, counted)[:MOST] + _HEAD
    off = np.array([_off(data[at - 2 : at + _LONGEST + _SUM].tobytes()) for at in found.tolist()])
    return found[off == 0], found[(off > 0) & (off <= 0xFF)]


def _sizes(pool: Pool, found: Offsets) -> Offsets:
    """Return the bytes of numbers that are as long as their length in bits says, or else 0."""
    bits = pool.data[found - 2].astype(np.int64) << 8 | pool.data[found - 1]
    top = np.frexp(pool.data[found].astype(np.float64))[1]
    sizes: Offsets = np.where((bits - 1) % 8 + 1 == top, (bits + 7) // 8, 0)
    return sizes


def _off(raw: bytes) -> int:
    """Return in which bits a checksum differs from that of the length and the number before it.

    In one that it does not have, where less than two in three of the number's bytes differ.
    """
    end = 2 + (int.from_bytes(raw[:2], "big") + 7) // 8
    if 3 * len(set(raw[2:end])) < 2 * (end - 2):
        return 1 << 8 * _SUM
    return sum(raw[:end]) & 0xFFFF ^ int.from_bytes(raw[end : end + _SUM], "big")
