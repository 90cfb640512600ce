"""How much likelier bytes are to be random than to be code, tables or text.

A private number is as random as bytes can be; what else looks random (machine code, unwind tables,
bytecode, floats, pictures) has byte values and steps between neighbours that it prefers. Two tables
say how many quarter bits of evidence a byte, and the difference of two, give for random. They were
learnt, as ``benchmarks/learn_likelihood.py`` does, from what passes the test of words in cores of
ordinary programs. A score decides where to look, never what is there: this module proves nothing.
"""

import math

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets, Words

Scores = npt.NDArray[np.float32]
Counts = npt.NDArray[np.uint16]

DEVIATIONS = 5.0
"""A score may be so many standard deviations below the mean of random bytes: about one random
number in twenty thousand is lower."""

_VALUES = bytes.fromhex(
    "e9f2f6f7f8f7f9fdfafefefffffff8fafb01030101020403fe03040504050401fe040406fb0407070004050505060307"
    "0000060706050708010307060405080701fb0003fcff0303f6ff0506fe03060601040203030306060204080504040605"
    "030407050302ff06040508070405040400070403fe0206050306070504050504fb0304fbfffe000603f907fb00fd0304"
    "000307070507080705060708060707020407080806080807050807070607080804070808060704050306050606070505"
    "fe040502030504010405080702070808030705070708070805070807070807060307080806070706fd00070403060705"
    "030706030407040502060405050401f5"
)
_STEPS = bytes.fromhex(
    "ecf9f9fdfbff0000fffffe010101fffffd02000202030303020301020102040401010104030304040203010403040404"
    "0202030403040504020203fd00fd00fffdfafefc00fd0101fcfe02010001030101010202030301030203040303030203"
    "020204030202010202020402020202020202020001fdfe0000000001fffe00fefefa0100000202020001020201000301"
    "020003040404040402040403040404030103040404050503010204030403040301030304030304030201020101030303"
    "ff02030202020300ff01000200ff030402030304040404040203040302040403fe010303010303030001020200020301"
    "000001ff00000100fffefefdfdfbfbf5"
)


def _pairs() -> npt.NDArray[np.int8]:
    """Return the evidence of two neighbours, by the 16-bit little-endian word that they are."""
    values = np.frombuffer(_VALUES, np.int8).astype(np.int16)
    steps = np.frombuffer(_STEPS, np.int8).astype(np.int16)
    first, second = np.meshgrid(np.arange(256), np.arange(256))
    table = values[first] + values[second] + steps[(second - first) & 0xFF]
    pairs: npt.NDArray[np.int8] = np.clip(table, -128, 127).astype(np.int8).ravel()
    return pairs


_TABLE = _pairs()
_ROWS = 1 << 15
_TABLES = 1 << 11
"""Rows whose values are marked at once: they stay in the second-level cache."""
_VARIED = 0.88
"""Of the different values that long rows have on average: one in 1,000 of 128 bytes has fewer."""
_MEAN, _DEVIATION = float(_TABLE.mean()), float(_TABLE.std())


def least(size: int) -> float:
    """Return the score that random bytes reach, ``size`` of them taken as pairs."""
    pairs = size // 2
    return _MEAN * pairs - DEVIATIONS * _DEVIATION * math.sqrt(pairs)


def of_words(rows: Words) -> Scores:
    """Return the score of each row of whole words."""
    pairs = np.ascontiguousarray(rows).view(np.uint16)
    ones = np.ones(pairs.shape[1], np.float32)
    scores: Scores = _TABLE.take(pairs).astype(np.float32) @ ones
    return scores


def values(rows: Bytes) -> Counts:
    """Return how many different byte values each row has: random ones have many."""
    counts = np.empty(len(rows), np.uint16)
    for start in range(0, len(rows), _TABLES):
        part = rows[start : start + _TABLES]
        seen = np.zeros((len(part), 256), np.uint8)
        seen.reshape(-1)[part + (np.arange(len(part)) << 8)[:, None]] = 1
        counts[start : start + _TABLES] = np.bitwise_count(seen.view(np.uint64)).sum(1, np.uint16)
    return counts


def many_values(size: int) -> float:
    """Return how many different values ``size`` random bytes have at least: 128, or more."""
    return _VARIED * 256 * (1 - (255 / 256) ** size)


def values_of_digits(rows: Words) -> Counts:
    """Return the same of the lower three bytes of each word's halves: digits have more bits."""
    halves = rows.view(np.uint8).reshape(len(rows), 2 * rows.shape[1], 4)
    return values(halves[:, :, :3].reshape(len(rows), 6 * rows.shape[1]))


def looks_random(data: Bytes, positions: Offsets, size: int) -> Flags:
    """Tell at which positions ``size`` bytes (even), wherever they begin, score as random ones."""
    verdict = np.zeros(len(positions), np.bool_)
    if len(positions) == 0:
        return verdict
    view = np.lib.stride_tricks.sliding_window_view(data, size)
    ones = np.ones(size // 2, np.float32)
    for start in range(0, len(positions), _ROWS):
        rows = view[positions[start : start + _ROWS]]
        scores = _TABLE.take(rows.view(np.uint16)).astype(np.float32) @ ones
        verdict[start : start + _ROWS] = scores >= least(size)
    return verdict
