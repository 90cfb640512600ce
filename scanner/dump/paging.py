"""Tables of pages of x86-64: which pages of a machine adjoin in the memory of a process.

A dump of a machine has pages in physical order, so that a key which spans two pages of a process
may lie in pieces. This module finds the tables in the dump itself (Intel SDM 3A, 4.5: four levels),
and gives addresses to both sides of each place where pages adjoin there and not in the file. It
refuses to believe a root whose tables do not lead four levels down, and says where it found none.
"""

import itertools
import re
import struct
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from scanner.dump.draft import Draft
from scanner.dump.source import File

PAGE = 4096
AROUND = 64 << 10
"""Bytes on each side of a place where pages adjoin that get an address."""
MAX_ROOTS = 1024
_SPARE = 4096
"""Tables that may be read beyond one for each page of the dump."""
_CHUNK = 4 << 20
_TRIED = 64
"""Groups of possible roots that are looked at, the largest first."""

_PRESENT, _LARGE = np.uint64(1), np.uint64(0x80)
_ADDRESS = np.uint64(0x000FFFFFFFFFF000)
_SIZES = {1: PAGE, 2: 1 << 21, 3: 1 << 30}
"""Bytes that one entry of a table maps, by level."""
_SIGN = 0xFFFF << 48

_UInt64 = npt.NDArray[np.uint64]
_Int64 = npt.NDArray[np.int64]
_Bool = npt.NDArray[np.bool_]

Run = tuple[int, int, int]
"""Physical address, offset in the file, bytes."""


def join(
    file: File, draft: Draft, runs: Sequence[Run], *, arch: str, roots: Sequence[int] = ()
) -> None:
    """Add regions where pages of a process adjoin and lie apart in the file.

    ``runs`` are the physical memory that the file has; ``roots`` what it says are values of CR3.
    Without any root that leads anywhere, or on another architecture, there is a fault.
    """
    if not runs:
        return
    found: list[int] = []
    if arch in {"x86_64", "unknown"}:
        memory = _Memory(file, runs)
        found = _roots(memory, [root & int(_ADDRESS) for root in roots])
    if not found:
        text = "No tables of pages were found: pages that adjoin in a process were not joined."
        draft.fault("no-page-tables", text)
        return
    halves = [(memory.fullest(found[:MAX_ROOTS]), 256, 512, "kernel")]
    halves += [(root, 0, 256, f"process with page table {root:#x}") for root in found[:MAX_ROOTS]]
    seen: set[tuple[int, int]] = set()
    for context, (root, low, high, name) in enumerate(halves, 1):
        for start, size, offset in _seams(memory.walk(root, low, high), seen):
            draft.region(start, size, offset, name=name, context=context)
    if memory.left <= 0 or len(found) > MAX_ROOTS:
        draft.fault("limit-page-tables", "The dump has more tables of pages than are read.")


def root_of_vmcoreinfo(text: bytes) -> int | None:
    """Return where a Linux kernel's own table lies, by its VMCOREINFO; None where it does not say.

    The kernel's text is mapped at a fixed address, from phys_base on (__pa_symbol).
    """
    symbol = re.search(rb"^SYMBOL\(swapper_pg_dir\)=([0-9a-f]{1,16})$", text, re.MULTILINE)
    base = re.search(rb"^NUMBER\(phys_base\)=(-?[0-9]{1,20})$", text, re.MULTILINE)
    if symbol is None or base is None:
        return None
    root = int(symbol[1], 16) - 0xFFFFFFFF80000000 + int(base[1])
    return root if 0 <= root < 1 << 52 else None


def root_of_qemu(data: bytes) -> int | None:
    """Return CR3 of a note of QEMU's (QEMUCPUState: 18 registers, 10 segments, CR0 to CR4)."""
    return int(struct.unpack_from("<Q", data, 416)[0]) if len(data) >= 432 else None


class _Memory:
    """Physical memory by address, and a count of the tables that may yet be read."""

    def __init__(self, file: File, runs: Sequence[Run]) -> None:
        whole = sorted((start, offset, size // PAGE * PAGE) for start, offset, size in runs)
        kept = [run for run in whole if run[0] % PAGE == 0 and run[2] > 0]
        fits = [run for run in kept if run[0] < 1 << 52 and run[1] + run[2] <= file.size]
        self._file = file
        self.start = np.array([run[0] for run in fits], np.int64)
        self.offset = np.array([run[1] for run in fits], np.int64)
        self.size = np.array([run[2] for run in fits], np.int64)
        pages = int(self.size.sum()) // PAGE
        self.left = pages + _SPARE
        self._most = 2 * pages + (1 << 16)
        self._mapped = 0

    def place(self, addresses: _UInt64) -> _Int64:
        """Return the file offset of the page at each address, -1 where there is none."""
        if len(self.start) == 0:
            return np.full(len(addresses), -1, np.int64)
        where = addresses.astype(np.int64)
        run = np.searchsorted(self.start, where, side="right") - 1
        skip = where - self.start[run]
        return np.where((run >= 0) & (skip < self.size[run]), self.offset[run] + skip, -1)

    def tables(self, addresses: _UInt64) -> Iterator[tuple[_Int64, _UInt64]]:
        """Yield the indices of addresses and their tables, [tables, 512], a few at a time."""
        places = self.place(addresses)
        index = np.flatnonzero(places >= 0)[: max(self.left, 0)]
        self.left -= int(np.count_nonzero(places >= 0))
        for at in range(0, len(index), 1024):
            part = index[at : at + 1024]
            data = b"".join(self._file.read(place, PAGE) for place in places[part].tolist())
            yield part, np.frombuffer(data, "<u8").reshape(-1, 512)

    def table(self, address: int) -> _UInt64 | None:
        """Return one table, or None where it is not in the dump."""
        found = list(self.tables(np.array([address], np.uint64)))
        return found[0][1][0] if found else None

    def fullest(self, roots: list[int]) -> int:
        """Return the root that has the most of the kernel's half, the first of several."""
        used = [0] * len(roots)
        for index, rows in self.tables(np.array(roots, np.uint64)):
            counts = np.count_nonzero(rows[:, 256:] & _PRESENT, axis=1)
            for at, count in zip(index.tolist(), counts.tolist(), strict=True):
                used[at] = count
        return roots[used.index(max(used))]

    def chunks(self) -> Iterator[tuple[_Int64, _UInt64]]:
        """Yield all pages with their physical addresses, in the order of the file."""
        order = np.argsort(self.offset, kind="stable")
        start, offset, size = self.start[order], self.offset[order], self.size[order]
        cuts = np.flatnonzero(offset[:-1] + size[:-1] != offset[1:]) + 1
        for low, high in itertools.pairwise([0, *cuts.tolist(), len(order)]):
            begins = np.cumsum(size[low:high]) - size[low:high]
            total = int(size[low:high].sum())
            for at in range(0, total, _CHUNK):
                length = min(_CHUNK, total - at)
                data = self._file.read(int(offset[low]) + at, length)
                place = at + np.arange(0, length, PAGE, dtype=np.int64)
                run = np.searchsorted(begins, place, side="right") - 1
                where = start[low:high][run] + place - begins[run]
                yield where, np.frombuffer(data, "<u8").reshape(-1, 512)

    def walk(self, root: int, low: int, high: int) -> tuple[_UInt64, _Int64, _Int64]:
        """Return address, file offset and size of what some entries of a root map.

        Pieces are in no order; pages that the file lacks are left out.
        """
        empty = np.empty(0, np.int64)
        top = self.table(root)
        if top is None:
            return empty.astype(np.uint64), empty, empty
        index = np.arange(low, high, dtype=np.uint64)
        entries = top[low:high]
        good = ((entries & _PRESENT) != 0) & ((entries & _ADDRESS) != np.uint64(root))
        index = index[good]
        vas = (index << np.uint64(39)) | np.where(index > 255, np.uint64(_SIGN), np.uint64(0))
        tables = entries[good] & _ADDRESS
        leaves: list[tuple[_UInt64, _Int64, _Int64]] = []
        self._mapped = 0
        for level in (3, 2, 1):
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
        vas: _UInt64,
        tables: _UInt64,
        leaves: list[tuple[_UInt64, _Int64, _Int64]],
    ) -> tuple[_UInt64, _UInt64]:
        """Read the tables of one level; return addresses and tables of the one below."""
        size = _SIZES[level]
        below: list[tuple[_UInt64, _UInt64]] = []
        tabled = 0
        steps = np.arange(512, dtype=np.uint64) * np.uint64(size)
        for index, rows in self.tables(tables):
            present = (rows & _PRESENT) != 0
            large = present & ((rows & _LARGE) != 0) if level > 1 else present
            where = vas[index][:, None] + steps
            if level == 1:
                places = self.place(rows[large] & _ADDRESS)
                held = places >= 0
                if self._full(int(held.sum())):
                    break
                sizes = np.full(int(held.sum()), PAGE, np.int64)
                leaves.append((where[large][held], places[held], sizes))
                continue
            for va, entry in zip(where[large].tolist(), rows[large].tolist(), strict=True):
                leaves.append(self._large(va, entry & int(_ADDRESS) & -size, size))
                if self._full(len(leaves[-1][0])):
                    break
            below.append((where[present & ~large], rows[present & ~large] & _ADDRESS))
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

    def _full(self, count: int) -> bool:
        """Count what one walk maps; a process does not map all pages of a machine twice."""
        self._mapped += count
        if self._mapped > self._most:
            self.left = 0
        return self.left <= 0

    def _large(self, va: int, address: int, size: int) -> tuple[_UInt64, _Int64, _Int64]:
        """Return the pieces of the file that a large page maps."""
        first = max(int(np.searchsorted(self.start, address, side="right")) - 1, 0)
        last = int(np.searchsorted(self.start, address + size, side="left"))
        self.left -= (last - first) // 512
        if self.left <= 0:
            last = first
        start = np.maximum(self.start[first:last], address)
        end = np.minimum(self.start[first:last] + self.size[first:last], address + size)
        held = end > start
        skip = start - self.start[first:last]
        vas = (start[held] - address).astype(np.uint64) + np.uint64(va)
        return vas, (self.offset[first:last] + skip)[held], (end - start)[held]


# --- roots --------------------------------------------------------------------------------------


def _roots(memory: _Memory, named: list[int]) -> list[int]:
    """Return the physical addresses of the tables that processes begin with.

    All of them share what their last entry points to, the kernel's; the largest group of pages that
    do, and whose tables lead four levels down, is it.
    """
    groups: dict[int, list[int]] = {}
    for addresses, pages in memory.chunks():
        last = pages[:, 511]
        likely = np.flatnonzero((last & (_PRESENT | _LARGE)) == _PRESENT)
        likely = likely[memory.place(last[likely] & _ADDRESS) >= 0]
        for page in likely[_plausible(pages[likely])].tolist():
            target = int(last[page] & _ADDRESS)
            groups.setdefault(target, []).append(int(addresses[page]))
    for root in named:
        table = memory.table(root)
        if table is not None and _leads_down(memory, table):
            group = groups.get(int(table[511] & _ADDRESS), []) if int(table[511]) & 1 else []
            return [root, *(other for other in group if other != root)]
    counts = Counter({target: len(group) for target, group in groups.items()})
    for target, _ in counts.most_common(_TRIED):
        table = memory.table(groups[target][0])
        if table is not None and _leads_down(memory, table):
            return groups[target]
    return []


def _plausible(pages: _UInt64) -> _Bool:
    """Tell which pages have nothing but zeros and entries that point to tables."""
    used = pages != 0
    good = (pages & (_PRESENT | _LARGE)) == _PRESENT
    result: _Bool = np.all(good | ~used, axis=1)
    return result


def _leads_down(memory: _Memory, table: _UInt64) -> bool:
    """Tell whether some path leads through sound tables to a page, from the last entry backward."""
    for entry in table[::-1][:256][(table[::-1][:256] & _PRESENT) != 0].tolist()[:8]:
        below = memory.table(entry & int(_ADDRESS))
        if below is not None and _sound(below, 3) and _reaches(memory, below, 3):
            return True
    return False


def _reaches(memory: _Memory, table: _UInt64, level: int) -> bool:
    if level == 1 or np.any((table & (_PRESENT | _LARGE)) == (_PRESENT | _LARGE)):
        return True
    for entry in table[(table & _PRESENT) != 0][:4].tolist():
        below = memory.table(entry & int(_ADDRESS))
        if below is not None and _sound(below, level - 1) and _reaches(memory, below, level - 1):
            return True
    return False


def _sound(table: _UInt64, level: int) -> bool:
    """Tell whether most of what a table has are entries of its level, none of them misaligned."""
    used = table[table != 0]
    if len(used) == 0:
        return False
    good = (used & _PRESENT) != 0
    if level > 1:
        large = good & ((used & _LARGE) != 0)
        misplaced = used & np.uint64((_SIZES[level] - 1) & ~0x1FFF)  # bit 12 is PAT
        good &= ~(large & (misplaced != 0))
    return bool(np.count_nonzero(good) * 10 >= len(used) * 9)


# --- seams --------------------------------------------------------------------------------------


def _seams(leaves: tuple[_UInt64, _Int64, _Int64], seen: set[tuple[int, int]]) -> Iterator[Run]:
    """Yield address, size and file offset of what lies around places where only addresses adjoin.

    A place that another process has too is not told again.
    """
    va, file, size = leaves
    if len(va) == 0:
        return
    order = np.argsort(va, kind="stable")
    va, file, size = va[order], file[order], size[order]
    beside = va[:-1] + size[:-1].astype(np.uint64) == va[1:]
    first = np.flatnonzero(np.append(True, ~(beside & (file[:-1] + size[:-1] == file[1:]))))
    starts, places = va[first], file[first]
    sizes = np.add.reduceat(size, first)
    adjoins = starts[:-1] + sizes[:-1].astype(np.uint64) == starts[1:]
    new = adjoins.copy()
    for index in np.flatnonzero(adjoins).tolist():
        pair = (int(places[index] + sizes[index]), int(places[index + 1]))
        if pair in seen:
            new[index] = False
        seen.add(pair)
    before, behind = np.append(False, new), np.append(new, False)
    for index in np.flatnonzero(before | behind).tolist():
        start, offset, length = int(starts[index]), int(places[index]), int(sizes[index])
        if length <= 2 * AROUND:
            yield start, length, offset
            continue
        if before[index]:
            yield start, AROUND, offset
        if behind[index]:
            yield start + length - AROUND, AROUND, offset + length - AROUND
