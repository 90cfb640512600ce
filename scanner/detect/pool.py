"""The integer pool: the edges of random-looking runs, read again, and the numbers they may hold.

A number begins or ends at a run's edge but need not fill the run (SymCrypt's modulus runs on into
its Montgomery constants), so for a given length there are few positions to try, and this module
lists them for every reading. It lives in the worker that proves: its bytes never leave it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.detect.limbs import Offsets, Runs
from scanner.dump.space import Memory
from scanner.model import Place

SPAN = 2080
"""Bytes of a long run that are kept at each edge: more than a 16384-bit number is not tried."""

SLACK = 8
"""A run's edge and a number's are less than this apart, in bytes."""

MARGIN = 16
"""Bytes kept around a run, so that a number which begins before its edge is whole."""

LITTLE = 0
BIG = 1
READINGS = ("limbs-le", "bytes-be")
"""Names of the readings, as reports spell them."""


Bytes = npt.NDArray[np.uint8]

_ROWS = 1 << 14
"""Numbers that are judged at once."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pool:
    """Blocks of dump bytes one behind the other, and where their runs begin and end.

    ``at`` is where a block starts in ``data``; ``space`` and ``offset`` say where that is in the
    dump; ``head`` and ``tail`` are positions of the run's edges in ``data`` (-1: not in the block);
    ``any_alignment`` marks blocks whose limbs may stand at any byte.
    """

    data: Bytes
    at: Offsets
    space: Offsets
    offset: Offsets
    head: Offsets
    tail: Offsets
    phase: Offsets
    any_alignment: npt.NDArray[np.bool_]

    def place(self, position: int, size: int) -> Place:
        """Return where in the dump a position of the pool is."""
        block = int(np.searchsorted(self.at, position, side="right")) - 1
        offset = int(self.offset[block]) + position - int(self.at[block])
        return Place(space=int(self.space[block]), offset=offset, size=size)

    def number(self, position: int, size: int, reading: int) -> int:
        """Read a number."""
        raw = self.data[position : position + size].tobytes()
        return int.from_bytes(raw, "big" if reading == BIG else "little")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Numbers:
    """Positions at which an odd number of one length may stand, ordered by position.

    ``low`` is its least significant 64 bits.
    """

    size: int
    position: Offsets
    reading: npt.NDArray[np.int8]
    low: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.position)


def load(memory: Memory, runs: Runs) -> Pool:
    """Read the edges of runs again from the dump."""
    parts: list[bytes] = [bytes(MARGIN)]
    rows: list[tuple[int, int, int, int, int]] = []
    at = MARGIN
    for space, start, end in zip(
        runs.space.tolist(), runs.start.tolist(), runs.end.tolist(), strict=True
    ):
        pieces: tuple[tuple[int, int], ...] = ((start, end),)
        if end - start > 2 * SPAN:
            pieces = ((start, start + SPAN), (end - SPAN, end))
        for low, high in pieces:
            first = max(low - MARGIN, 0)
            raw = memory.clip(space, first, high + MARGIN - first)
            head = at + start - first if low == start else -1
            tail = at + end - first if high == end else -1
            rows.append((at, space, first, head, tail))
            parts += [raw, bytes(MARGIN)]
            at += len(raw) + MARGIN
    table = np.array(rows, np.int64).reshape(-1, 5)
    spaces = table[:, 1]
    return Pool(
        data=np.frombuffer(b"".join(parts), np.uint8),
        at=table[:, 0],
        space=spaces,
        offset=table[:, 2],
        head=table[:, 3],
        tail=table[:, 4],
        phase=(memory.map.base[spaces].astype(np.int64) + table[:, 2] - table[:, 0]) % 4,
        any_alignment=~memory.map.addressed[spaces] | memory.map.doubted[spaces],
    )


def numbers(pool: Pool, size: int, top: int, ahead: tuple[int, ...] = ()) -> Numbers:
    """List where an odd number of ``size`` bytes with a top byte of at least ``top`` may stand.

    At every run's edges; in big-endian bytes also behind every zero byte (DER, SSH and others put
    one before a number whose top bit is set); and ``ahead`` bytes behind a run's first edge, where
    a format lays numbers end to end (CAPI and CNG blobs: modulus, then the primes).
    """
    if not len(pool.at):
        return Numbers(
            size=size,
            position=np.empty(0, np.int64),
            reading=np.empty(0, np.int8),
            low=np.empty(0, np.uint64),
        )
    code = np.concatenate(
        [_at_edges(pool, size, pool.head, shift) for shift in (0, *ahead)]
        + [_at_edges(pool, size, pool.tail, -size), _signed(pool, size)]
    )
    code = np.unique(code)
    position, reading = code >> 1, (code & 1).astype(np.int8)
    big = reading == BIG
    bottom_byte = pool.data[position + np.where(big, size - 1, 0)]
    top_byte = pool.data[position + np.where(big, 0, size - 1)]
    keep = (bottom_byte & 1 == 1) & (top_byte >= top)
    keep[keep] = _varied(pool.data, position[keep], size)
    position, reading = position[keep], reading[keep]
    low = _low(pool.data, position, reading == BIG, size)
    return Numbers(size=size, position=position, reading=reading, low=low)


def _at_edges(pool: Pool, size: int, edge: Offsets, shift: int) -> Offsets:
    """List 2 * position + reading of the numbers that start ``shift`` from an edge, or near it."""
    blocks = np.flatnonzero(edge >= 0)
    last = np.append(pool.at[1:], len(pool.data)) - MARGIN
    low = np.where(pool.head >= 0, pool.head - SLACK, pool.at)
    high = np.where(pool.tail >= 0, np.minimum(pool.tail + SLACK, last), last)
    at = edge[blocks, None] + np.arange(-SLACK, SLACK + 1) + shift
    inside = (at >= np.maximum(low, pool.at)[blocks, None]) & (at + size <= high[blocks, None])
    aligned = ((at + pool.phase[blocks, None]) % 4 == 0) | pool.any_alignment[blocks, None]
    return np.concatenate((at[inside & aligned] * 2 + LITTLE, at[inside] * 2 + BIG))


def _signed(pool: Pool, size: int) -> Offsets:
    """List 2 * position + reading of the big-endian numbers behind a zero byte."""
    data = pool.data
    at = np.flatnonzero((data[:-1] == 0) & (data[1:] >= 0x80)) + 1
    block = np.searchsorted(pool.at, at, side="right") - 1
    last = np.append(pool.at[1:], len(data)) - MARGIN
    fits: Offsets = at[(block >= 0) & (at + size <= last[block])]
    return fits * 2 + BIG


def _varied(data: Bytes, position: Offsets, size: int) -> npt.NDArray[np.bool_]:
    """Tell which numbers have as many different byte values as random ones have.

    Up to 128 bytes are judged; the bound lies four standard deviations below the mean of random
    bytes (57, 80, 101 different values in 64, 96, 128), above what code and tables reach.
    """
    judged = min(size, 128)
    least = {64: 43, 96: 63, 128: 82}[judged]
    column = np.arange(judged)
    verdict = np.empty(len(position), np.bool_)
    for start in range(0, len(position), _ROWS):
        rows = data[position[start : start + _ROWS, None] + column]
        rows.sort(axis=1)
        verdict[start : start + _ROWS] = (rows[:, 1:] != rows[:, :-1]).sum(axis=1) + 1 >= least
    return verdict


def _low(
    data: Bytes, position: Offsets, big: npt.NDArray[np.bool_], size: int
) -> npt.NDArray[np.uint64]:
    """Gather the least significant 64 bits of numbers."""
    at = np.where(big, position + size - 8, position)
    words = data[at[:, None] + np.arange(8)].view("<u8")[:, 0]
    return np.where(big, words.byteswap(), words).astype(np.uint64)
