"""What stands before a number and says how long it is, where every number has such a header.

A run of random bytes may begin long before a number, and among very many runs a number that begins
one is likely by chance: in both cases a length says where to look. This module knows lengths of
whole words and bytes, and refuses to say what follows them.
"""

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.integers import readings
from scanner.detect.integers.spots import spots

_TAGGED = 16
"""Bits below a count of words, at most, in the header of a number (CLISP; Chez Scheme: 6)."""

_ONE_BYTE = 1 << 7
"""Lengths from which on a protobuf message needs two bytes for them."""


def behind_count(data: Bytes, position: Offsets, words: int) -> Flags:
    """Tell where a header stands before a number that counts its words of 32 bits.

    OpenJDK: the length of an array, 4 or 8 bytes before. Chez Scheme and Racket, CLISP: the count
    above bits that say what it is; CLISP counts a word of zeros before the number as well.
    """
    near = readings.gather(data, position - 8, "<u8")
    upper, lower = near >> np.uint64(32), near & np.uint64(0xFFFFFFFF)
    behind: Flags = (upper == words) | (lower == words)
    for shift in np.arange(1, _TAGGED + 1, dtype=np.uint64):
        both = near >> shift
        behind |= (both == words) | (both == words + 1) | (upper >> shift == words)
    return behind


def behind_bytes(data: Bytes, size: int) -> Offsets:
    """List where a number of so many bytes may stand behind their count as protobuf has it.

    Seven bits a byte, the low ones first: a message (Tink's keys) is one random run. A length of
    one byte stands everywhere.
    """
    if not _ONE_BYTE <= size < _ONE_BYTE * _ONE_BYTE:
        return np.empty(0, np.int64)
    low, high = size % _ONE_BYTE + _ONE_BYTE, size // _ONE_BYTE
    found = spots(len(data) - 1, lambda at, end: data[at:end] == low)
    behind: Offsets = found[data[found + 1] == high] + 2
    return behind
