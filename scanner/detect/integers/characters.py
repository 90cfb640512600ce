"""Characters of a buffer at many places at once: what they are, and which slots they fill.

Allocators without a header before each block lay blocks of one size end to end, so that a text in
one of them has another one's bytes right before it, or behind. This module reads no number.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.encodings.armour import FILL

SLOT = 64
"""Characters of texts that fill the slots of an allocator without a header (Go), so that nothing
parts one from the next."""

_MOST_SLOTS, _ALIGNED = 6, 16
"""Of how many slots in a row texts fill each, and where slots begin."""

_IS_NIBBLE = np.isin(np.arange(256), list(b"0123456789abcdefABCDEF"))


def read(buffer: Bytes, at: Offsets, span: int) -> Bytes:
    """Return so many bytes of each position, zeros for those beyond the buffer."""
    whole = (at >= 0) & (at + span <= len(buffer))
    if len(buffer) >= span and whole.all():
        pieces: Bytes = np.lib.stride_tricks.sliding_window_view(buffer, span)[at]
        return pieces
    rows = np.zeros((len(at), span), np.uint8)
    if whole.any():
        rows[whole] = np.lib.stride_tricks.sliding_window_view(buffer, span)[at[whole]]
    for row in np.flatnonzero(~whole).tolist():
        first = int(at[row])
        there = buffer[max(first, 0) : max(first + span, 0)]
        rows[row, max(-first, 0) : max(-first, 0) + len(there)] = there
    return rows


def looked_up(table: npt.NDArray[Any], data: Bytes) -> npt.NDArray[Any]:
    """Return what a table of 256 bytes has for each byte: faster than by indices, ten times."""
    raw = data.tobytes().translate(table.tobytes())
    return np.frombuffer(raw, table.dtype).reshape(data.shape)


def filled(buffer: Bytes, at: Offsets, width: int) -> Flags:
    """Tell what stands behind a fill, which is part of no text."""
    before = read(buffer, at - FILL * width, FILL * width)[:, ::width]
    same: Flags = (before == before[:, :1]).all(axis=1)
    return same


def slots(start: Offsets, size: Offsets) -> Offsets:
    """Return where texts begin that fill their slots of an allocator, and adjoin."""
    rows = np.flatnonzero((start % _ALIGNED == 0) & (size % SLOT == 0))
    rows = rows[(size[rows] > SLOT) & (size[rows] <= _MOST_SLOTS * SLOT)]
    count = size[rows] // SLOT
    index = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    found: Offsets = np.repeat(start[rows], count) + index * SLOT
    return found


def apart(buffer: Bytes, start: Offsets, size: Offsets) -> Offsets:
    """Return where digits of hex fill a slot within a text, behind a fill, or between no digits.

    Seen in Go, where slots of 64 bytes have blocks of HMAC, and numbers that are written in hex.
    """
    rows = np.flatnonzero((size > SLOT) & (size < _MOST_SLOTS * SLOT))
    first = -(-start[rows] // SLOT) * SLOT
    count = np.maximum(start[rows] + size[rows] - first, 0) // SLOT
    index = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    found: Offsets = np.repeat(first, count) + index * SLOT
    digits = looked_up(_IS_NIBBLE, read(buffer, found - 1, SLOT + 2))
    keep = filled(buffer, found, 1) | ~(digits[:, 0] | digits[:, -1])
    kept: Offsets = found[keep & digits[:, 1:-1].all(axis=1)]
    return kept
