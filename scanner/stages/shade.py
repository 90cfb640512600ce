"""What a file's bytes look like, cell by cell: for the picture in a report, and for nothing else.

A few words of each cell, from what stage one has before it anyway, are put into one of four sorts,
so that the picture costs next to nothing; no verdict and no search depends on it. What leaves are
counts: this module refuses to return a word.
"""

import numpy as np
import numpy.typing as npt

from scanner.arrays import Flags, Offsets, Words
from scanner.dump.space import SpaceMap
from scanner.dump.windows import Window
from scanner.model import Cell

Counts = npt.NDArray[np.int64]

MOST_CELLS = 4096
"""Cells of one file's map."""

BLOCK = 4096
"""Bytes of a cell are a multiple of this."""

_FEWEST_WORDS = 16
_FEWEST_STEPS = 32
_MOST_STEPS = 512

ZERO, LOW, TEXT, RANDOM = range(4)
SORTS = 4
"""Sorts of words: zero; small numbers and pointers; ASCII or UTF-16LE text; random-looking."""

_HIGH_BITS = np.uint64(0x8080808080808080)
_ONES = np.uint64(0x0101010101010101)
_UTF16_NOT_ASCII = np.uint64(0xFF80FF80FF80FF80)
_UTF16_HIGH = np.uint64(0xFF00FF00FF00FF00)
_BYTE = np.uint64(8)
_TOP = np.uint64(0xFF << 56)


def cell_bytes(file_size: int) -> int:
    """Return how many bytes one cell of a file's map stands for; the last one may be shorter."""
    return max(1, -(-file_size // (MOST_CELLS * BLOCK))) * BLOCK


def stride(file_size: int) -> int:
    """Return how many words it is from one that is looked at to the next.

    Odd, so that it is not always the same word of a page or of an array's element.
    """
    steps = cell_bytes(file_size) // 8 // _FEWEST_WORDS
    return min(max(steps, _FEWEST_STEPS), _MOST_STEPS) // 2 * 2 - 1


def empty(file_size: int) -> Counts:
    """Return counts of nothing, [cells, sorts]."""
    return np.zeros((-(-file_size // cell_bytes(file_size)), SORTS), np.int64)


def sorts(words: Words) -> npt.NDArray[np.int8]:
    """Return the sort of each word.

    Of random words, 9 in 10 pass as random-looking: a byte above 0x7f, none that is 00 or ff, no
    two neighbours alike. Of words of machine code and of tables, fewer than half do.
    """
    has_high = (words & _HIGH_BITS) != 0
    no_zero = ~_zero_byte(words)
    random = has_high & no_zero & ~_zero_byte(~words)
    random &= ~_zero_byte((words ^ (words >> _BYTE)) | _TOP)
    wide = ((words & _UTF16_NOT_ASCII) == 0) & ~_zero_byte(words | _UTF16_HIGH)
    found = np.full(len(words), LOW, np.int8)
    found[words == 0] = ZERO
    found[(no_zero & ~has_high) | wide] = TEXT
    found[random] = RANDOM
    return found


def _zero_byte(words: Words) -> Flags:
    found: Flags = ((words - _ONES) & ~words & _HIGH_BITS) != 0
    return found


class Shader:
    """Counts the sorts of words in each cell of one file; made once for all tasks of a worker."""

    def __init__(self, space_map: SpaceMap) -> None:
        self._size = cell_bytes(space_map.file_size)
        self._stride = stride(space_map.file_size)
        # Pieces of all spaces on one axis, so that one search finds the piece of any coordinate.
        self._base = np.concatenate((np.zeros(1, np.int64), np.cumsum(space_map.size)))
        of_piece = np.repeat(np.arange(len(space_map.size)), np.diff(space_map.first_piece))
        self._key = self._base[of_piece] + space_map.piece_offset
        self._file = space_map.piece_file

    def add(self, counts: Counts, window: Window) -> None:
        """Count the words of a window that are looked at."""
        rows = [(s.space, s.offset, s.at, s.at + s.size) for s in window.segments]
        space, offset, at, end = np.array(rows, np.int64).T
        words = window.buffer[: len(window.buffer) & ~7].view(np.uint64)[:: self._stride]
        where = np.arange(len(words), dtype=np.int64) * (8 * self._stride)
        index = np.searchsorted(at, where, side="right") - 1
        mine = (index >= 0) & (where + 8 <= end[index])
        words, where, index = words[mine], where[mine], index[mine]
        key = self._base[space[index]] + offset[index] + where - at[index]
        piece = np.searchsorted(self._key, key, side="right") - 1
        cell = (self._file[piece] + key - self._key[piece]) // self._size
        counts += np.bincount(cell * SORTS + sorts(words), minlength=counts.size).reshape(
            counts.shape
        )


def cells(file_size: int, counts: Counts, starts: Offsets, ends: Offsets) -> tuple[Cell, ...]:
    """Return the map of a file from the counts of its tasks, added up.

    ``starts`` and ``ends`` are the ranges of the file that were swept, sorted and apart.
    """
    size = cell_bytes(file_size)
    edges = np.minimum(np.arange(-(-file_size // size) + 1) * size, file_size)
    swept = np.diff(_below(edges, starts, ends))
    return tuple(
        Cell(bytes=length, swept=done, entropy=word)
        for length, done, word in zip(
            np.diff(edges).tolist(), swept.tolist(), _entropy(counts), strict=True
        )
    )


def _below(edges: Offsets, starts: Offsets, ends: Offsets) -> Offsets:
    """Return how many bytes of the ranges stand below each edge."""
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(ends - starts)))
    index = np.searchsorted(starts, edges, side="right")
    last = np.append(ends, 0)[index - 1]
    beyond = np.where(index > 0, np.maximum(last - edges, 0), 0)
    below: Offsets = before[index] - beyond
    return below


def _entropy(counts: Counts) -> list[str]:
    """Return the word of the contract for each cell with so many words of each sort."""
    total = counts.sum(axis=1)
    random, text = counts[:, RANDOM], counts[:, TEXT]
    words: list[str] = np.select(
        [
            total == 0,
            counts[:, ZERO] == total,
            random >= 0.75 * total,
            text >= 0.5 * total,
            (random < 0.1 * total) & (text < 0.2 * total),
        ],
        ["mixed", "zero", "random", "text", "low"],
        "mixed",
    ).tolist()
    return words
