"""Regions as columns, and those that claim the same addresses kept apart.

Each address space of a dump, and in it each of the regions that overlap in address, is a layer of
its own. This module exists because damaged and hostile dumps have a hundred thousand regions that
overlap; it refuses to keep more of the bytes of a file twice than a stated share.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner import regions
from scanner.arrays import Flags, Offsets, Words
from scanner.model import Fault, Layout

MAX_LAYERS = 8
"""Regions of one address space that may overlap and still be told apart."""
AROUND, MAX_PAIRS = 64 << 10, 256
"""Bytes on each side of where regions of two layers adjoin that are read as one, and such pairs."""
ALIAS_FACTOR, ALIAS_BYTES = 4, 64 << 20
"""All regions together may have this many times the file's bytes, and this many more."""

_TOP = 1 << 64
_WORD = 8

_Row = tuple[int, int, int, bool]
"""Address, size, file offset, doubted."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Regions by address space and address. ``last`` is the address of the last byte."""

    start: Words
    last: Words
    file: Offsets
    size: Offsets
    doubted: Flags
    context: Offsets

    def take(self, index: Offsets | Flags) -> "Ranges":
        """Return some of the ranges."""
        return Ranges(
            self.start[index],
            self.last[index],
            self.file[index],
            self.size[index],
            self.doubted[index],
            self.context[index],
        )


def columns(layout: Layout, file_size: int, faults: list[Fault]) -> Ranges:
    """Return the regions that have bytes, cut to the file and to the address space, by address."""
    rows = regions.columns(layout.regions)
    file, size = np.array(rows.file, np.int64), np.array(rows.size, np.int64)
    there = (size > 0) & (file >= 0) & (file < file_size)
    start, file, size = np.array(rows.start, np.uint64)[there], file[there], size[there]
    doubted = np.array(rows.doubted, np.bool_)[there]
    context = np.array(rows.context, np.int64)[there]
    size = np.minimum(size, file_size - file)
    room = np.uint64(_TOP - 1) - start  # of addresses behind the first
    wraps = (size - 1).astype(np.uint64) > room
    if np.any(wraps):
        faults.append(Fault(code="address-wrap", text="A region ends past the address space."))
        size[wraps] = room[wraps].astype(np.int64) + 1
        doubted |= wraps
    last = start + (size - 1).astype(np.uint64)
    if np.any(askew := _askew(start, file, size)):
        text = "Regions share bytes of the file, in which their words begin at different places."
        faults.append(Fault(code="damaged-table", text=text))
        doubted |= askew
    ranges = Ranges(start, last, file, size, doubted, context)
    return ranges.take(np.lexsort((file, start, context)))


def _askew(start: Words, file: Offsets, size: Offsets) -> Flags:
    """Tell regions that share bytes of the file with one whose words begin elsewhere there.

    The offset or the address of one of them is wrong, and nobody knows of which.
    """
    order = np.argsort(file, kind="stable")
    end = np.maximum.accumulate(file[order] + size[order])
    skew = (start.astype(np.int64) - file)[order] % _WORD
    reaching = np.flatnonzero(np.append(True, end[1:] > end[:-1]))  # what first comes so far
    before = reaching[np.searchsorted(reaching, np.arange(1, len(order)), side="left") - 1]
    apart = np.flatnonzero((file[order][1:] < end[:-1]) & (skew[1:] != skew[before]))
    found = np.zeros(len(order), np.bool_)
    found[order[apart + 1]] = found[order[before[apart]]] = True
    return found


def bounded(ranges: Ranges, file_size: int, faults: list[Fault]) -> Ranges:
    """Leave out regions once they have, together, far more bytes than the file."""
    if len(ranges.start) == 0:
        return ranges
    same = np.zeros(len(ranges.start), np.bool_)  # aliases stand side by side after sorting
    same[1:] = (
        (ranges.start[1:] == ranges.start[:-1])
        & (ranges.file[1:] == ranges.file[:-1])
        & (ranges.size[1:] == ranges.size[:-1])
        & (ranges.context[1:] == ranges.context[:-1])
    )
    if np.any(same):
        ranges = ranges.take(~same)
    total = np.cumsum(ranges.size.astype(np.float64))
    kept = total <= float(ALIAS_FACTOR * file_size + ALIAS_BYTES)
    if not np.all(kept):
        text = (
            f"{int(np.count_nonzero(~kept))} regions repeat bytes of the file; they are left out."
        )
        faults.append(Fault(code="limit-aliases", text=text))
        ranges = ranges.take(kept)
    return ranges


def layered(ranges: Ranges, faults: list[Fault]) -> tuple[Ranges, Offsets]:
    """Give each address space, and regions of it that overlap, a layer; return them by layer."""
    edges = (np.flatnonzero(np.diff(ranges.context)) + 1).tolist()
    parts: list[Ranges] = []
    layers: list[Offsets] = []
    count = 0
    for low, high in itertools.pairwise([0, *edges, len(ranges.start)]):
        part = ranges.take(np.arange(low, high))
        layer: Offsets = np.zeros(high - low, np.int64)
        if np.any(part.start[1:] <= part.last[:-1]):
            part, layer = _apart(part, faults)
        parts.append(part)
        layers.append(layer + count)
        count += int(layer[-1]) + 1 if len(layer) else 0
    return _joined(parts), np.concatenate(layers)


def _joined(parts: list[Ranges]) -> Ranges:
    return Ranges(
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.file for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.doubted for part in parts]),
        np.concatenate([part.context for part in parts]),
    )


def _apart(ranges: Ranges, faults: list[Fault]) -> tuple[Ranges, Offsets]:
    """Give regions that overlap in address a layer each; return them by layer and address."""
    rows = _merged(ranges)
    ends: list[int] = []
    lasts: list[int] = []
    layers: list[int] = []
    doubted = [row[3] for row in rows]
    for index, (start, size, _, _) in enumerate(rows):
        rivals = [k for k, end in enumerate(ends) if end > start]
        for k in rivals:
            doubted[index] = doubted[lasts[k]] = True
        layer = -1
        if len(rivals) < len(ends):  # rather where it adjoins, so that the run goes on
            layer = (
                ends.index(start)
                if start in ends
                else next(k for k, end in enumerate(ends) if end <= start)
            )
            ends[layer], lasts[layer] = start + size, index
        elif len(ends) < MAX_LAYERS:
            layer = len(ends)
            ends.append(start + size)
            lasts.append(index)
        layers.append(layer)
    pairs = list(itertools.islice(_crossed(rows, layers), MAX_PAIRS + 1))
    bridges = list(_bridges(rows, pairs[:MAX_PAIRS], len(ends)))
    for row, layer in bridges:
        rows.append(row)
        doubted.append(True)
        layers.append(layer)
    if len(pairs) > MAX_PAIRS:
        text = f"More than {MAX_PAIRS} pairs of regions adjoin where several overlap."
        faults.append(Fault(code="limit-overlaps", text=text))
    found = np.array(layers, np.int64)
    kept = found >= 0
    if not np.all(kept):
        text = f"More than {MAX_LAYERS} regions overlap; the others have no address."
        faults.append(Fault(code="limit-overlaps", text=text))
    order = np.flatnonzero(kept)[np.argsort(found[kept], kind="stable")]
    context = int(ranges.context[0])
    return _from_rows(rows, doubted, context).take(order), found[order]


def _crossed(rows: list[_Row], layers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of rows that adjoin and are in layers apart: that are one nobody knows."""
    begins: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        begins[row[0]].append(index)
    for one, row in enumerate(rows):
        for other in begins.get(row[0] + row[1], ()):
            if layers[one] != layers[other] or layers[one] < 0:
                yield one, other


def _bridges(
    rows: list[_Row], pairs: list[tuple[int, int]], first: int
) -> Iterator[tuple[_Row, int]]:
    """Yield what lies around the place where each pair adjoins, in layers from a first one on."""
    ends: list[int] = []
    for one, other in sorted(pairs, key=lambda pair: rows[pair[1]][0]):
        (start, size, file, _), (edge, behind, after, _) = rows[one], rows[other]
        before, behind = min(size, AROUND), min(behind, AROUND)
        layer = next((k for k, end in enumerate(ends) if end <= edge - before), len(ends))
        ends[layer : layer + 1] = [edge + behind]
        yield (edge - before, before, file + edge - before - start, True), first + layer
        yield (edge, behind, after, True), first + layer


def _merged(ranges: Ranges) -> list[_Row]:
    """Make one of regions that overlap or adjoin with the same bytes at the same addresses."""
    rows: list[_Row] = sorted(
        zip(
            ranges.start.tolist(),
            ranges.size.tolist(),
            ranges.file.tolist(),
            ranges.doubted.tolist(),
            strict=True,
        ),
        key=lambda row: (row[0] - row[2], row[0]),
    )
    merged: list[_Row] = []
    for row in rows:
        if merged:
            start, size, file, doubted = merged[-1]
            if row[0] - row[2] == start - file and row[0] <= start + size:
                size = max(size, row[0] + row[1] - start)
                merged[-1] = (start, size, file, doubted or row[3])
                continue
        merged.append(row)
    merged.sort(key=lambda row: (row[0], row[2]))
    return merged


def _from_rows(rows: list[_Row], doubted: list[bool], context: int) -> Ranges:
    start = np.array([row[0] for row in rows], np.uint64)
    size = np.array([row[1] for row in rows], np.int64)
    file = np.array([row[2] for row in rows], np.int64)
    last = start + (size - 1).astype(np.uint64)
    where = np.full(len(rows), context, np.int64)
    return Ranges(start, last, file, size, np.array(doubted, np.bool_), where)
