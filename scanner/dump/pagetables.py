"""Physical memory by address, and the tables of pages in it, four or five levels of 512 entries.

x86-64 (Intel SDM 3A, 4.5) and 64-bit ARM with pages of 4 KiB (Arm ARM, D8.3) differ in what an
entry says of itself, and share the rest. This module exists because a table is hostile too: a dump
may point every entry at every table. It refuses to read more tables than the dump has pages.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Flags, Offsets, Words
from scanner.dump.source import File

PAGE = 4096
SIZES = {1: PAGE, 2: 1 << 21, 3: 1 << 30, 4: 1 << 39}
"""Bytes that one entry of a table maps, by level; of the highest level there is one table."""
LARGEST = 3
"""The highest level whose entries may map a large page."""

_SPARE = 4096
"""Tables that may be read beyond one for each page of the dump."""
_CHUNK = 4 << 20


Run = tuple[int, int, int]
"""Physical address, offset in the file, bytes."""
Piece = tuple[int, int, int]
"""Address, bytes, offset in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What an entry says, on one architecture; masks and values of bits."""

    arch: str
    address: np.uint64
    table: tuple[np.uint64, np.uint64]
    """Mask and value of an entry that points to a table."""
    large: tuple[np.uint64, np.uint64]
    """Of one that maps a large page, on levels 2 and 3."""
    page: tuple[np.uint64, np.uint64]
    """Of one that maps a page, on level 1."""
    root: tuple[np.uint64, np.uint64]
    """Of one in a root that is in use: it tells one architecture from the other."""
    barred: tuple[np.uint64, np.uint64]
    """Of a page that is there, though Linux lets nobody use it: PROT_NONE, or a hint for NUMA."""
    flips: bool
    """Where it lies is inverted in such an entry (since Linux 4.19, against L1TF)."""
    user: tuple[np.uint64, np.uint64] | None
    """Of a user's page that is cached, as memory is and devices are not; None where none tells."""

    def are(self, what: str, rows: Words) -> Flags:
        """Tell which entries are of one of these kinds."""
        kinds = {"table": self.table, "large": self.large, "page": self.page, "root": self.root}
        mask, value = kinds[what]
        result: Flags = (rows & mask) == value
        return result


X86_64 = Kind(
    arch="x86_64",
    address=np.uint64(0x000FFFFFFFFFF000),
    table=(np.uint64(0x81), np.uint64(0x01)),  # PS, P
    large=(np.uint64(0x81), np.uint64(0x81)),
    page=(np.uint64(0x01), np.uint64(0x01)),
    root=(np.uint64(0xA1), np.uint64(0x21)),  # accessed
    barred=(np.uint64(0x101), np.uint64(0x100)),  # _PAGE_PROTNONE, not P
    flips=True,
    user=(np.uint64(0x9D), np.uint64(0x05)),  # U and P, neither PWT nor PCD nor PAT
)
ARM64 = Kind(
    arch="arm64",
    address=np.uint64(0x0000FFFFFFFFF000),
    table=(np.uint64(0x3), np.uint64(0x3)),
    large=(np.uint64(0x3), np.uint64(0x1)),  # a block
    page=(np.uint64(0x403), np.uint64(0x403)),  # AF, a page
    root=(np.uint64(0x3), np.uint64(0x3)),
    barred=(np.uint64(0x403), np.uint64(0x402)),  # AF, a page, not valid
    flips=False,
    user=None,
)
TRIMMED = np.uint64(0xC01), np.uint64(0x800)
"""Of a page that Windows took from a process, and is there still: in transition, no prototype."""


def _disjoint(runs: Iterable[Run]) -> list[Run]:
    """Return whole pages of runs, by address, each once: that of a vmcore's kernel lies in another.

    (The kernel's text has a PT_LOAD of its own in /proc/vmcore, within that of the memory around.)
    """
    found: list[Run] = []
    end = 0
    for start, offset, size in sorted(runs):
        first = max(start + -start % PAGE, end)
        last = min(start + size, 1 << 52) // PAGE * PAGE
        if first < last:
            found.append((first, offset + first - start, last - first))
            end = last
    return found


class Tables:
    """Physical memory by address, and a count of the tables that may yet be read."""

    def __init__(
        self, file: File, runs: Sequence[Run], kind: Kind, *, windows: bool = False
    ) -> None:
        fits = _disjoint(run for run in runs if run[1] + run[2] <= file.size)
        self._file = file
        self.kind = kind
        self.levels = 4
        self.start = np.array([run[0] for run in fits], np.int64)
        self.offset = np.array([run[1] for run in fits], np.int64)
        self.size = np.array([run[2] for run in fits], np.int64)
        pages = int(self.size.sum()) // PAGE
        self.left = pages + _SPARE
        self._most = 2 * pages + (1 << 16)
        self._mapped = 0
        self._told = self._windows = windows
        self.sought = self.lacking = 0
        """Tables and users' pages that walks came by, and those of them that the file has not."""

    def place(self, addresses: Words) -> Offsets:
        """Return the file offset of the page at each address, -1 where there is none."""
        if len(self.start) == 0:
            return np.full(len(addresses), -1, np.int64)
        where = addresses.astype(np.int64)
        run = np.searchsorted(self.start, where, side="right") - 1
        skip = where - self.start[run]
        return np.where((run >= 0) & (skip < self.size[run]), self.offset[run] + skip, -1)

    def pieces(self, va: int, address: int, size: int) -> Iterator[Piece]:
        """Yield address, size and file offset of each piece of physical memory mapped at ``va``.

        The file has all of it.
        """
        run = int(np.searchsorted(self.start, address, side="right")) - 1
        held: Piece | None = None
        while size > 0:
            skip = address - int(self.start[run])
            part = min(size, int(self.size[run]) - skip)
            offset = int(self.offset[run]) + skip
            if held and held[2] + held[1] == offset:
                held = (held[0], held[1] + part, held[2])
            else:
                if held:
                    yield held
                held = (va, part, offset)
            va, address, size, run = va + part, address + part, size - part, run + 1
        if held:
            yield held

    def tables(self, addresses: Words) -> Iterator[tuple[Offsets, Words]]:
        """Yield the indices of addresses and their tables, [tables, 512], a few at a time."""
        places = self.place(addresses)
        index = np.flatnonzero(places >= 0)[: max(self.left, 0)]
        self.left -= int(np.count_nonzero(places >= 0))
        for at in range(0, len(index), 1024):
            part = index[at : at + 1024]
            data = b"".join(self._file.read(place, PAGE) for place in places[part].tolist())
            yield part, np.frombuffer(data, "<u8").reshape(-1, 512)

    def at(self, offsets: Sequence[int]) -> Words:
        """Return the tables at some offsets in the file."""
        data = b"".join(self._file.read(offset, PAGE) for offset in offsets)
        return np.frombuffer(data, "<u8").reshape(-1, 512)

    def table(self, address: int) -> Words | None:
        """Return one table, or None where it is not in the dump."""
        found = list(self.tables(np.array([address], np.uint64)))
        return found[0][1][0] if found else None

    def fullest(self, roots: list[int]) -> int:
        """Return the root that has the most of the kernel's half, the first of several."""
        used = [0] * len(roots)
        for index, rows in self.tables(np.array(roots, np.uint64)):
            counts = np.count_nonzero(self.kind.are("table", rows[:, 256:]), axis=1)
            for at, count in zip(index.tolist(), counts.tolist(), strict=True):
                used[at] = count
        return roots[used.index(max(used))]

    def chunks(self) -> Iterator[tuple[Offsets, Words]]:
        """Yield all pages with their physical addresses, in the order of the file."""
        order = np.argsort(self.offset, kind="stable")
        part: list[Run] = []
        room = _CHUNK
        columns = (self.start[order].tolist(), self.offset[order].tolist())
        for start, offset, size in zip(*columns, self.size[order].tolist(), strict=True):
            at = 0
            while at < size:
                part.append((start + at, offset + at, min(room, size - at)))
                at += part[-1][2]
                room -= part[-1][2]
                if room == 0:
                    yield self._read(part)
                    part, room = [], _CHUNK
        if part:
            yield self._read(part)

    def _read(self, runs: list[Run]) -> tuple[Offsets, Words]:
        """Return the addresses of the pages of some runs, and the pages."""
        rows = np.array(runs, np.int64)
        counts = rows[:, 2] // PAGE
        first = np.cumsum(counts) - counts
        within = np.arange(int(counts.sum())) - np.repeat(first, counts)
        cuts = np.flatnonzero(rows[:-1, 1] + rows[:-1, 2] != rows[1:, 1]) + 1
        ends = np.append(cuts, len(rows)) - 1  # runs that adjoin in the file are read at once
        spans = zip(rows[np.append(0, cuts), 1], rows[ends, 1] + rows[ends, 2], strict=True)
        data = b"".join(self._file.read(int(low), int(high - low)) for low, high in spans)
        where = np.repeat(rows[:, 0], counts) + within * PAGE
        return where, np.frombuffer(data, "<u8").reshape(-1, 512)

    @property
    def end(self) -> int:
        """The address behind the last byte that the file has."""
        return int(self.start[-1] + self.size[-1]) if len(self.start) else 0

    @property
    def sign(self) -> int:
        """What is set in addresses of the kernel."""
        return -1 << (12 + 9 * self.levels) & ((1 << 64) - 1)

    def walk(self, root: int, low: int, high: int, sign: int) -> tuple[Words, Offsets, Offsets]:
        """Return address, physical address and size of what some entries of a root map.

        ``sign`` is set in their addresses. Pieces are in no order; pages that the file lacks are
        left out, those that a process may not use for the moment are not.
        """
        empty = np.empty(0, np.int64)
        top = self.table(root)
        if top is None:
            return empty.astype(np.uint64), empty, empty
        index = np.arange(low, high, dtype=np.uint64)
        entries = top[low:high]
        itself = self.kind.are("table", top) & ((top & self.kind.address) == np.uint64(root))
        self._windows = self._told or bool(itself.any())  # it maps its tables so
        good = self.kind.are("table", entries) & ~itself[low:high]
        vas = (index[good] << np.uint64(3 + 9 * self.levels)) | np.uint64(sign)
        tables = entries[good] & self.kind.address
        leaves: list[tuple[Words, Offsets, Offsets]] = []
        self._mapped = 0
        for level in range(self.levels - 1, 0, -1):
            vas, tables = self._level(level, vas, tables, leaves)
        if not leaves:
            return empty.astype(np.uint64), empty, empty
        return (
            np.concatenate([leaf[0] for leaf in leaves]),
            np.concatenate([leaf[1] for leaf in leaves]),
            np.concatenate([leaf[2] for leaf in leaves]),
        )

    def _level(
        self,
        level: int,
        vas: Words,
        tables: Words,
        leaves: list[tuple[Words, Offsets, Offsets]],
    ) -> tuple[Words, Words]:
        """Read the tables of one level; return addresses and tables of the one below."""
        size = SIZES[level]
        self._count(tables)
        below: list[tuple[Words, Words]] = []
        tabled = 0
        steps = np.arange(512, dtype=np.uint64) * np.uint64(size)
        for index, rows in self.tables(tables):
            where = vas[index][:, None] + steps
            if level == 1:
                places = self._pages(rows)
                held = places >= 0
                if self._full(int(held.sum())):
                    break
                sizes = np.full(int(held.sum()), PAGE, np.int64)
                leaves.append((where[held], places[held], sizes))
                continue
            large = self.kind.are("large", rows) & (level <= LARGEST)
            for va, entry in zip(where[large].tolist(), rows[large].tolist(), strict=True):
                leaves.append(self._large(va, entry & int(self.kind.address) & -size, size))
                if self._full(len(leaves[-1][0])):
                    break
            lower = self.kind.are("table", rows)
            below.append((where[lower], rows[lower] & self.kind.address))
            tabled += len(below[-1][0])
            if tabled > 64 * (self.left + _SPARE):  # sound tables point to each other once
                self.left = 0
                break
        if not below:
            return np.empty(0, np.uint64), np.empty(0, np.uint64)
        return (
            np.concatenate([part[0] for part in below]),
            np.concatenate([part[1] for part in below]),
        )

    def _pages(self, rows: Words) -> Offsets:
        """Return where the page lies that each entry of level 1 has, -1 where it is not there."""
        kind = self.kind
        places = np.full(rows.shape, -1, np.int64)
        whole = kind.are("page", rows)
        places[whole] = self._held(rows[whole] & kind.address)
        if kind.user is not None:
            mask, value = kind.user
            self._count(rows[(rows & mask) == value] & kind.address)
        mask, value = TRIMMED if self._windows else kind.barred
        kept = (rows & mask) == value
        if kept.any():
            entries = rows[kept]
            straight = self._held(entries & kind.address)
            turned = self._held(~entries & kind.address)
            flips = kind.flips and not self._windows
            places[kept] = np.where(turned >= 0, turned, straight) if flips else straight
        return places

    def _count(self, addresses: Words) -> None:
        """Count what should be memory, and what of it the file has not."""
        self.sought += len(addresses)
        self.lacking += int(np.count_nonzero(self.place(addresses) < 0))

    def _held(self, addresses: Words) -> Offsets:
        """Return the addresses of pages that the file has, -1 in place of the others."""
        return np.where(self.place(addresses) >= 0, addresses.astype(np.int64), -1)

    def _full(self, count: int) -> bool:
        """Count what one walk maps; a process does not map all pages of a machine twice."""
        self._mapped += count
        if self._mapped > self._most:
            self.left = 0
        return self.left <= 0

    def _large(self, va: int, address: int, size: int) -> tuple[Words, Offsets, Offsets]:
        """Return address, physical address and size of what the file has of a large page."""
        first = max(int(np.searchsorted(self.start, address, side="right")) - 1, 0)
        last = int(np.searchsorted(self.start, address + size, side="left"))
        self.left -= (last - first) // 512
        if self.left <= 0:
            last = first
        start = np.maximum(self.start[first:last], address)
        end = np.minimum(self.start[first:last] + self.size[first:last], address + size)
        held = end > start
        vas = (start[held] - address).astype(np.uint64) + np.uint64(va)
        return vas, start[held], (end - start)[held]
