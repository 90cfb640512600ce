"""The map of the address space: few stretches, by address, and what the bytes of each look like.

For the picture in a report, and for nothing else. It is made of the map of the file, through the
regions' places in it: no byte is read again. Only the dump's own addresses are shown, not those of
tables of pages within it, and of regions that overlap the first. This module refuses to grow with
the dump: of many regions the small ones that lie close together are told as one.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.arrays import Flags, Offsets, Words
from scanner.labels import Labels
from scanner.model import Cell, Extent, Layout, Stretch
from scanner.regions import columns

MOST_STRETCHES = 256
MOST_CELLS = 1024
"""Cells of all stretches, beside the one that each has."""
MOST_LABEL = 255
"""Characters of a label: those of a file's name (NAME_MAX of Linux)."""

KINDS = ("zero", "low", "text", "mixed", "random", "unswept")

_TOP = 1 << 64
_WIDE = np.uint64(1 << 62)


@dataclass(frozen=True, slots=True)
class _Regions:
    """Regions by address, none of which overlaps another; ``last`` is that of the last byte."""

    kinds: Sequence[tuple[str, str]]
    """What regions are called, and what may be done with them."""
    kind: npt.NDArray[np.int32]
    """Which of these each region is."""
    start: Words
    last: Words
    file: Offsets
    size: Offsets


def stretches(
    layout: Layout, labels: Labels, cells: Sequence[Cell], cell_bytes: int
) -> tuple[Stretch, ...]:
    """Return the map of a dump's address space; all cells of the file but the last are alike."""
    regions = _apart(layout, sum(cell.bytes for cell in cells))
    if not len(regions.kind):
        return ()
    gap, opens = _opens(regions)
    group = np.flatnonzero(opens)
    held = np.add.reduceat(regions.size, group)
    first = np.append(0, _kept(gap[group[1:]], held) + 1)
    size = np.add.reduceat(held, first)
    share = size * MOST_CELLS // int(size.sum()) if int(size.sum()) < 1 << 53 else size * 0
    parts = np.minimum(share + 1, -(-size // cell_bytes)).tolist()
    looks = _Looks(regions, cells, cell_bytes)
    bounds = np.append(group[first], len(regions.kind)).tolist()
    counts = np.diff(np.append(first, len(group))).tolist()
    return tuple(
        _stretch(regions, labels, looks, (low, high), parts[k], counts[k] - 1)
        for k, (low, high) in enumerate(itertools.pairwise(bounds))
    )


def _apart(layout: Layout, file_size: int) -> _Regions:
    """Return the dump's own regions by address, each cut to what no earlier one has."""
    rows = columns(layout.regions)
    file, size = np.array(rows.file, np.int64), np.array(rows.size, np.int64)
    own = (np.array(rows.context) == 0) & (file >= 0) & (size > 0) & (size <= file_size - file)
    start = np.array(rows.start, np.uint64)
    order = np.lexsort((file, start))
    order = order[own[order]]
    kind, start, file = np.array(rows.kind, np.int32)[order], start[order], file[order]
    last = start + np.minimum((size[order] - 1).astype(np.uint64), np.uint64(_TOP - 1) - start)
    reach = np.maximum.accumulate(last)[:-1]
    free = np.ones(len(order), np.bool_)
    free[1:] = last[1:] > reach
    begin = start.copy()
    begin[1:] = np.where(free[1:], np.maximum(start[1:], reach + np.uint64(1)), start[1:])
    file += (begin - start).astype(np.int64)
    size = (last - begin).astype(np.int64) + 1
    return _Regions(
        rows.kinds,
        kind[free],
        begin[free],
        last[free],
        file[free],
        size[free],
    )


def _opens(regions: _Regions) -> tuple[Offsets, Flags]:
    """Return the addresses before each region that are nobody's, and where a new name begins."""
    told: dict[tuple[str, str], int] = {}
    codes = [told.setdefault((n, "" if n else perms), len(told)) for n, perms in regions.kinds]
    names = np.array(codes, np.int32)[regions.kind]
    gap = np.zeros(len(names), np.int64)
    between = regions.start[1:] - regions.last[:-1] - np.uint64(1)
    gap[1:] = np.minimum(between, _WIDE).astype(np.int64)
    other = np.ones(len(names), np.bool_)
    other[1:] = names[1:] != names[:-1]
    return gap, (gap > 0) | other


def _kept(gap: Offsets, held: Offsets) -> Offsets:
    """Return the bounds that stay: those of the widest gaps and of the largest neighbours."""
    weight = np.maximum(gap, np.maximum(held[:-1], held[1:]))
    return np.sort(np.argsort(-weight, kind="stable")[: MOST_STRETCHES - 1])


class _Looks:
    """Counts bytes of each kind, by address."""

    def __init__(self, regions: _Regions, cells: Sequence[Cell], cell_bytes: int) -> None:
        self._regions, self._size = regions, cell_bytes
        kinds = [c.entropy if c.swept == c.bytes else "unswept" for c in cells]
        self._kind = np.array([*map(KINDS.index, kinds), 0], np.int64)
        sizes = np.zeros((len(cells) + 1, len(KINDS)), np.int64)
        sizes[np.arange(1, len(cells) + 1), self._kind[:-1]] = [cell.bytes for cell in cells]
        self._below = np.cumsum(sizes, axis=0)
        each = self._file(regions.file + regions.size) - self._file(regions.file)
        self._before = np.concatenate((np.zeros((1, len(KINDS)), np.int64), np.cumsum(each, 0)))

    def _file(self, offset: Offsets) -> Offsets:
        """Return the bytes of each kind below offsets in the file, [offsets, kinds]."""
        cell, rest = np.divmod(offset, self._size)
        below = self._below[cell]
        below[np.arange(len(cell)), self._kind[cell]] += rest
        return below

    def parts(self, low: int, high: int, edges: Sequence[int]) -> tuple[str | None, ...]:
        """Return what lies between edges; the outer ones are those of regions low to high."""
        inner = np.array(edges, np.uint64)
        regions = self._regions
        at = np.searchsorted(regions.start, inner, side="right") - 1
        within = np.minimum(inner - regions.start[at], regions.size[at].astype(np.uint64))
        file = regions.file[at]
        below = self._before[at] + self._file(file + within.astype(np.int64)) - self._file(file)
        rows = np.diff(np.vstack((self._before[low], below, self._before[high])), axis=0)
        return tuple(map(_look, rows.tolist()))


def _look(row: list[int]) -> str | None:
    """Return the kind of most bytes; what was not swept outweighs all."""
    if not any(row):
        return None
    return KINDS[-1] if row[-1] else KINDS[row.index(max(row))]


def _stretch(
    regions: _Regions,
    labels: Labels,
    looks: _Looks,
    bounds: tuple[int, int],
    parts: int,
    others: int,
) -> Stretch:
    low, high = bounds
    address = int(regions.start[low])
    size = int(regions.last[high - 1]) + 1 - address
    largest = low + int(np.argmax(regions.size[low:high]))
    label = _label(regions, labels, largest)[:MOST_LABEL]
    return Stretch(
        address=address,
        size=size,
        bytes=int(regions.size[low:high].sum()),
        label=f"{label} and {others:,} more" if others else label,
        cells=looks.parts(low, high, [address + size * k // parts for k in range(1, parts)]),
    )


def _label(regions: _Regions, labels: Labels, at: int) -> str:
    """Return who owns a region, by its first byte or its last; else what it is called."""
    file, size = int(regions.file[at]), int(regions.size[at])
    first = Extent(address=int(regions.start[at]), file_offset=file, size=1)
    last = Extent(address=int(regions.last[at]), file_offset=file + size - 1, size=1)
    return labels.owner(first) or labels.owner(last) or labels.region(first)
