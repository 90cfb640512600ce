"""Which pieces are worth a derivation: whole, as varied as random bytes, and each but once.

Equal pieces count once, less varied ones than random bytes never. Where a piece may begin is for
others to say (``pieces``), and what it holds for the arithmetic.
"""

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.integers import likelihood
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places.words import sliding

LEAST_VARIED = {
    20: 15,
    24: 19,
    28: 21,
    32: 24,
    40: 30,
    36: 26,
    48: 35,
    56: 40,
    57: 41,
    64: 45,
    65: 45,
    66: 46,
}
"""Different byte values of a piece by its size, at least: random ones miss it once in 10**5."""

_ONE_BIT = 1
"""The greatest outermost byte of a number of 521 bits."""

_ROWS = 1 << 15


def sifted(pool: Pool, positions: Offsets, size: int, top: int) -> Offsets:
    """Return, in order, the positions of varied pieces of which an outermost byte is that small."""
    if not len(positions):
        return positions
    positions = distinct(positions)
    positions = positions[fits(pool, positions, size)]
    ends = np.minimum(pool.data[positions], pool.data[positions + size - 1])
    positions = positions[ends <= top]
    if top <= _ONE_BIT and not pool.few:
        positions = positions[~_in_zeros(pool.data, positions, size)]
    return positions[varied(pool.data, positions, size)]


def _in_zeros(data: Bytes, positions: Offsets, size: int) -> Flags:
    """Tell which pieces begin or end with two zeros: a number of 512 bits and what pads it.

    Of numbers of 521 bits one of 512 does.
    """
    last = positions + size - 1
    ends = np.minimum(data[positions] | data[positions + 1], data[last] | data[last - 1])
    found: Flags = ends == 0
    return found


def fits(pool: Pool, positions: Offsets, size: int) -> Flags:
    """Tell which pieces lie whole in one block, which is no text: of those there are others.

    Between two blocks stand zeros that are at no place of the dump.
    """
    block = np.searchsorted(pool.at, positions, side="right") - 1
    name = ("ends but of texts", 0)
    if name not in pool.listed:
        pool.listed[name] = pool.ends
        pool.listed[name][list(pool.texts)] = 0
    ends = pool.listed[name]
    return (block >= 0) & (positions + size <= ends[block])


def once(data: Bytes, positions: Offsets, size: int) -> Offsets:
    """Return the indices, ascending, of the first of equal pieces."""
    if not len(positions):
        return positions
    words = sliding(data)
    low = words[positions]
    order = np.argsort(low, kind="stable")
    same = np.flatnonzero(low[order][1:] == low[order][:-1])
    rows = distinct(order[np.append(same, same + 1)])  # of all others one word is enough
    columns = [words[positions[rows] + at] for at in range(0, size - 7, 8)]
    order = np.lexsort(columns)  # stable: the first of equals stays first
    equal = np.logical_and.reduce([c[order][1:] == c[order][:-1] for c in columns])
    keep = np.ones(len(positions), np.bool_)
    keep[rows[order[1:][equal]]] = False
    return np.flatnonzero(keep)


def varied(data: Bytes, positions: Offsets, size: int) -> Flags:
    """Tell which pieces are as likely, and have as many different byte values, as random ones."""
    keep = likelihood.looks_random(data, positions, size & ~1)
    keep[keep] = _many_values(data, positions[keep], size)
    return keep


def _many_values(data: Bytes, positions: Offsets, size: int) -> Flags:
    keep = np.empty(len(positions), np.bool_)
    for start in range(0, len(positions), _ROWS):
        rows = data[positions[start : start + _ROWS, None] + np.arange(size)]
        keep[start : start + _ROWS] = likelihood.values(rows) >= LEAST_VARIED[size]
    return keep
