"""Where any of many 64-bit words stands in some bytes, whatever the offset."""

import secrets
from ctypes import c_size_t, c_uint64
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Offsets, Words
from scanner.kernels.library import load, pointer, writable

MOST = 1 << 26
"""Words of an index, at most."""

_SIEVE = 4
"""The sieve has 2^4 bits for each slot of the table."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Index:
    """Words made ready to be found. Each stands in it once."""

    spread: int
    bits: int
    slots: Words
    which: npt.NDArray[np.uint32]
    sieve: Words


def index(words: Words) -> Index:
    """Make words ready to be found, each of which is there once. Raises ValueError of too many."""
    bits = max((2 * len(words) - 1).bit_length(), 6)
    if len(words) > MOST:
        raise ValueError(f"{len(words)} words are too many for one index")
    made = Index(
        spread=secrets.randbits(64) | 1,  # no dump can know which words share a slot
        bits=bits,
        slots=np.zeros(1 << bits, np.uint64),
        which=np.zeros(1 << bits, np.uint32),
        sieve=np.zeros(1 << (bits + _SIEVE - 6), np.uint64),
    )
    load().words_index(
        pointer(words, np.uint64, len(words)),
        c_size_t(len(words)),
        c_uint64(made.spread),
        bits,
        writable(made.slots, np.uint64, 1 << bits),
        writable(made.which, np.uint32, 1 << bits),
        writable(made.sieve, np.uint64, 1 << (bits + _SIEVE - 6)),
    )
    return made


def find(words: Index, data: Bytes, most: int) -> tuple[Offsets, Offsets, int]:
    """Return the first ``most`` offsets of words, which word each is, and how many there are.

    Words are little-endian in ``data``.
    """
    at, which = np.zeros(most, np.int64), np.zeros(most, np.uint32)
    search = load().words_find
    search.restype = c_size_t
    total = int(
        search(
            pointer(data, np.uint8, len(data)),
            c_size_t(len(data)),
            c_uint64(words.spread),
            words.bits,
            pointer(words.slots, np.uint64, len(words.slots)),
            pointer(words.which, np.uint32, len(words.which)),
            pointer(words.sieve, np.uint64, len(words.sieve)),
            writable(at, np.int64, most),
            writable(which, np.uint32, most),
            c_size_t(most),
        )
    )
    return at[:total], which[:total].astype(np.int64), total
