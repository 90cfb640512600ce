"""Addresses to bytes: the only address arithmetic.

A coordinate is (space number, offset). There is one space for each run of regions that adjoin in
address, wherever they lie in the file, one for each extent of the file that no region covers, and
one for each value that a format saves in parts: these have no address. Together the spaces hold
every byte of the file. This module exists so that a value split between two regions is read as one;
it refuses to invent addresses or bytes.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Flags, Offsets, Words
from scanner.dump import ledger
from scanner.dump.layers import Ranges, bounded, columns, layered
from scanner.dump.source import File
from scanner.errors import Unmapped
from scanner.model import Extent, Fault, Layout, Place

_TOP = 1 << 64
_SHORT, _BESIDE, _TOGETHER = 4096, 1024, 20
"""Bytes of a range that is read with others, and between two of these in the file; and the bits of
an offset there that differ in what is read at once."""

_NEAR, _AROUND = 1 << 10, 1 << 13
"""Bytes of what is little to ask for, and of what is read with it, the first _NEAR before it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpaceMap:
    """All spaces of a dump as arrays; can be pickled, holds no bytes.

    Spaces with addresses come first, layer after layer, by address within each; then those without,
    by file offset; then those of values in parts. Sizes and offsets are bytes.
    """

    file_size: int
    base: Words
    """[spaces] Address of the first byte; 0 where there is none."""
    addressed: Flags
    """[spaces]"""
    doubted: Flags
    """[spaces] Some region of it is doubted, or overlaps another."""
    size: Offsets
    """[spaces]"""
    first_piece: Offsets
    """[spaces + 1] The pieces of space k are first_piece[k] to first_piece[k + 1]."""
    piece_offset: Offsets
    """[pieces] Offset in the space."""
    piece_file: Offsets
    """[pieces] Offset in the file."""
    piece_size: Offsets
    """[pieces]"""
    pointer_size: int
    byte_order: str
    layers: tuple[int, ...] = ()
    """Where each layer's spaces begin, and the last one's end; empty where there is one layer."""


def build(layout: Layout, file_size: int) -> tuple[SpaceMap, tuple[Fault, ...]]:
    """Lay out the spaces of a dump, and say what of its regions could not be used.

    Regions with the same bytes at the same addresses are one. Where different bytes claim the same
    addresses, each has its own space, up to MAX_LAYERS; all of these are doubted. A region that is
    left out loses its address, never its bytes.
    """
    faults: list[Fault] = []
    ranges, layer = layered(bounded(columns(layout, file_size, faults), file_size, faults), faults)
    bare = _bare(ranges, file_size)
    if any(fault.code == "limit-overlaps" for fault in faults):
        bare.doubted[:] = True
    space_map = _assemble(ranges, layer, bare, layout, file_size)
    if (found := covered(space_map)) != file_size:
        text = f"The spaces hold {found:,} bytes of {file_size:,}."
        faults.append(Fault(code="uncovered", text=text))
    return space_map, tuple(faults)


def _bare(ranges: Ranges, file_size: int) -> Ranges:
    """Return what of the file no region covers, as ranges without an address."""
    starts, ends = ledger.union(ranges.file, ranges.size)
    start = np.append(np.int64(0), ends)
    size = np.append(starts, np.int64(file_size)) - start
    start, size = start[size > 0], size[size > 0]
    nowhere = np.zeros(len(start), np.uint64)
    zeros = np.zeros(len(start), np.int64)
    return Ranges(nowhere, nowhere, start, size, zeros.astype(np.bool_), zeros)


def _assemble(
    ranges: Ranges, layer: Offsets, bare: Ranges, layout: Layout, file_size: int
) -> SpaceMap:
    """Join ranges that adjoin in address into spaces, and in the file too into pieces."""
    joined = np.zeros(len(layer), np.bool_)
    joined[1:] = (layer[1:] == layer[:-1]) & (ranges.last[:-1] + np.uint64(1) == ranges.start[1:])
    first = np.flatnonzero(~joined)
    base = ranges.start[first]
    offset = (ranges.start - base[np.cumsum(~joined) - 1]).astype(np.int64)
    on = joined.copy()
    on[1:] &= ranges.file[:-1] + ranges.size[:-1] == ranges.file[1:]
    piece = np.flatnonzero(~on)
    count, bare_count = len(first), len(bare.size)
    parts, part_file, part_size = _joined(layout, file_size)
    opens = np.cumsum(parts) - parts
    ahead = np.cumsum(part_size) - part_size
    added = bare_count + len(parts)
    starts = np.concatenate(
        (
            np.searchsorted(piece, first),
            len(piece) + np.arange(bare_count),
            len(piece) + bare_count + np.append(opens, len(part_file)),
        )
    )
    bounds = np.searchsorted(layer[first], np.arange(int(layer[-1]) + 2 if count else 1))
    return SpaceMap(
        file_size=file_size,
        base=np.append(base, np.zeros(added, np.uint64)),
        addressed=np.arange(count + added) < count,
        doubted=np.concatenate(
            (_added(ranges.doubted, first) > 0, bare.doubted, np.zeros(len(parts), np.bool_))
        ),
        size=np.concatenate((_added(ranges.size, first), bare.size, _added(part_size, opens))),
        first_piece=starts.astype(np.int64),
        piece_offset=np.concatenate(
            (
                offset[piece],
                np.zeros(bare_count, np.int64),
                ahead - np.repeat(ahead[opens], parts),
            )
        ),
        piece_file=np.concatenate((ranges.file[piece], bare.file, part_file)),
        piece_size=np.concatenate((_added(ranges.size, piece), bare.size, part_size)),
        pointer_size=layout.pointer_size,
        byte_order=layout.byte_order,
        layers=tuple(bounds.tolist()),
    )


def _joined(layout: Layout, file_size: int) -> tuple[Offsets, Offsets, Offsets]:
    """Return how many parts each value has, and file offset and size of each, within the file."""
    values = [
        parts
        for parts in layout.joined
        if all(0 <= at < at + size <= file_size for at, size in parts)
    ]
    rows = np.array([part for parts in values for part in parts], np.int64).reshape(-1, 2)
    return np.array([len(parts) for parts in values], np.int64), rows[:, 0], rows[:, 1]


def _added(values: Offsets | Flags, first: Offsets) -> Offsets:
    """Sum the values of each group, given where the groups begin."""
    if len(first) == 0:
        return np.empty(0, np.int64)
    return np.add.reduceat(values.astype(np.int64), first)


def covered(space_map: SpaceMap) -> int:
    """Return how many bytes of the file the spaces hold, each counted once."""
    starts, ends = ledger.union(space_map.piece_file, space_map.piece_size)
    return int(np.sum(ends - starts))


def find(space_map: SpaceMap, address: int) -> tuple[int, int] | None:
    """Return the space and the offset in it of an address, or None where no byte is."""
    if not 0 <= address < _TOP:
        return None
    bounds = space_map.layers or (0, int(np.count_nonzero(space_map.addressed)))
    for low, high in itertools.pairwise(bounds):
        base = space_map.base[low:high]
        space = low + int(np.searchsorted(base, np.uint64(address), side="right")) - 1
        if space >= low:
            offset = address - int(space_map.base[space])
            if offset < int(space_map.size[space]):
                return space, offset
    return None


def mapped(space_map: SpaceMap, addresses: Words) -> Flags:
    """Flag the addresses at which a byte of the dump is."""
    found = np.zeros(len(addresses), np.bool_)
    bounds = space_map.layers or (0, int(np.count_nonzero(space_map.addressed)))
    for low, high in itertools.pairwise(bounds):
        if high > low:
            base, size = space_map.base[low:high], space_map.size[low:high].astype(np.uint64)
            row = np.searchsorted(base, addresses, side="right") - 1
            found |= (row >= 0) & (addresses - base[row] < size[row])
    return found


def placed(space_map: SpaceMap, address: int, size: int) -> Place | None:
    """Return where bytes at an address are, or None where not all of them are in the dump."""
    where = find(space_map, address)
    if where is None or where[1] + size > int(space_map.size[where[0]]):
        return None
    return Place(space=where[0], offset=where[1], size=size)


def extents(space_map: SpaceMap, place: Place) -> tuple[Extent, ...]:
    """Return where a place lies in the file; raises Unmapped if any of it lies outside its space.

    Extents are in reading order, each with its address, or None where the space has none.
    """
    _check(space_map, place.space, place.offset, place.size)
    addressed = bool(space_map.addressed[place.space])
    base = int(space_map.base[place.space])
    return tuple(
        Extent(file_offset=file, size=size, address=base + offset if addressed else None)
        for offset, file, size in _parts(space_map, place.space, place.offset, place.size)
    )


def in_file(
    space_map: SpaceMap, space: Offsets, start: Offsets, end: Offsets
) -> list[tuple[int, int]]:
    """Return where many ranges within their spaces lie in the file, as (start, end), each whole."""
    ahead = np.append(np.int64(0), np.cumsum(space_map.size))
    owner = np.repeat(np.arange(len(space_map.size)), np.diff(space_map.first_piece))
    piece = (
        np.searchsorted(ahead[owner] + space_map.piece_offset, ahead[space] + start, "right") - 1
    )
    skip = start - space_map.piece_offset[piece]
    size = end - start
    whole = skip + size <= space_map.piece_size[piece]
    first = (space_map.piece_file[piece] + skip)[whole]
    found = list(zip(first.tolist(), (first + size[whole]).tolist(), strict=True))
    for row in np.flatnonzero(~whole).tolist():
        parts = _parts(space_map, int(space[row]), int(start[row]), int(size[row]))
        found += [(file, file + count) for _, file, count in parts]
    return found


def _check(space_map: SpaceMap, space: int, offset: int, size: int) -> None:
    if (
        not 0 <= space < len(space_map.size)
        or offset < 0
        or size < 0
        or offset + size > int(space_map.size[space])
    ):
        raise Unmapped(f"no {size} bytes at offset {offset} of space {space}")


def _parts(
    space_map: SpaceMap, space: int, offset: int, size: int
) -> Iterator[tuple[int, int, int]]:
    """Yield (offset in the space, offset in the file, size) of each piece of a checked range."""
    low, high = int(space_map.first_piece[space]), int(space_map.first_piece[space + 1])
    piece = low
    if high - low > 1:
        within = space_map.piece_offset[low:high]
        piece += int(np.searchsorted(within, np.int64(offset), side="right")) - 1
    while size > 0:
        skip = offset - int(space_map.piece_offset[piece])
        part = min(size, int(space_map.piece_size[piece]) - skip)
        yield offset, int(space_map.piece_file[piece]) + skip, part
        offset, size, piece = offset + part, size - part, piece + 1


class Memory:
    """Reads the bytes of a dump by coordinate or address; the file stays its owner's.

    Whoever looks at a hit asks for little, there and again beside it: that is read once.
    """

    __slots__ = ("_file", "_near", "map", "taken")

    def __init__(self, space_map: SpaceMap, file: File) -> None:
        self.map = space_map
        self._near = (-1, 0, b"")
        """The space, the offset in it and the bytes around what was asked for last."""
        self.taken = 0
        """Bytes that were read, however often: what a search costs, by a count and no clock."""
        self._file = file

    def read(self, space: int, offset: int, size: int) -> bytes:
        """Return ``size`` bytes; raises Unmapped if any of them lies outside the space."""
        _check(self.map, space, offset, size)
        self.taken += size
        buffer = bytearray(size)
        self.readinto(space, offset, memoryview(buffer))
        return bytes(buffer)

    def clip(self, space: int, offset: int, size: int) -> bytes:
        """Return what of a range lies inside the space: fewer bytes, or none."""
        if not 0 <= space < len(self.map.size):
            return b""
        first = max(offset, 0)
        last = min(offset + size, int(self.map.size[space]))
        if first >= last:
            return b""
        if last - first > _NEAR:
            return self.read(space, first, last - first)
        there, start, data = self._near
        if there != space or first < start or last > start + len(data):
            start = max(first - _NEAR, 0)
            around = bytearray(min(_AROUND, int(self.map.size[space]) - start))
            self.readinto(space, start, memoryview(around))
            data = bytes(around)
            self._near = (space, start, data)
        self.taken += last - first
        return data[first - start : last - start]

    def readinto(self, space: int, offset: int, view: memoryview) -> None:
        """Fill ``view``; raises Unmapped if any of it would lie outside the space."""
        view = view.cast("B") if view.format != "B" or view.ndim != 1 else view
        _check(self.map, space, offset, len(view))
        for at, file, size in _parts(self.map, space, offset, len(view)):
            self._file.readinto(file, view[at - offset : at - offset + size])

    def hollow(self, space: int, offset: int, size: int) -> bool:
        """Tell whether a range lies in a hole of the file: it is zeros, and need not be read."""
        return all(
            self._file.zeros(file) >= part
            for _, file, part in _parts(self.map, space, offset, size)
        )

    def read_many(
        self, space: Offsets, offset: Offsets, size: Offsets, view: memoryview, at: Offsets
    ) -> None:
        """Fill many ranges of ``view``, which begin at ``at``; all lie within their spaces.

        Short ones of one piece that lie side by side in the file are read at once.
        """
        spaces = self.map
        piece = spaces.first_piece[space]
        short = (spaces.first_piece[space + 1] - piece == 1) & (size <= _SHORT)
        for row in np.flatnonzero(~short).tolist():
            first = int(at[row])
            self.readinto(int(space[row]), int(offset[row]), view[first : first + int(size[row])])
        rows = np.flatnonzero(short)
        rows = rows[np.argsort(spaces.piece_file[piece[rows]] + offset[rows], kind="stable")]
        file = spaces.piece_file[piece[rows]] + offset[rows]
        reach = np.maximum.accumulate(file + size[rows])
        apart = file[1:] > reach[:-1] + _BESIDE
        opens = np.flatnonzero(apart | (file[1:] >> _TOGETHER != file[:-1] >> _TOGETHER)) + 1
        bounds = [0, *opens.tolist(), len(rows)]
        for low, high in itertools.pairwise(bounds if len(rows) else ()):
            start = int(file[low])
            data = memoryview(bytearray(int(reach[high - 1]) - start))
            self._file.readinto(start, data)
            part = rows[low:high]
            columns = (at[part].tolist(), (file[low:high] - start).tolist(), size[part].tolist())
            for first, source, count in zip(*columns, strict=True):
                view[first : first + count] = data[source : source + count]
