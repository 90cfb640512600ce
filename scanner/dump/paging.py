"""Which pages of a machine adjoin in the memory of a process, on x86-64 and 64-bit ARM.

A dump of a machine has pages in physical order, so that a key which spans two pages of a process
may lie in pieces. This module finds the tables of pages in the dump itself, and gives addresses to
both sides of each place where pages adjoin there and not in the file. It refuses to believe a root
whose tables do not lead down to a page, and says where it found none.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from scanner.arrays import Flags, Offsets, Words
from scanner.dump.draft import Draft
from scanner.dump.pagetables import ARM64, LARGEST, SIZES, X86_64, Kind, Piece, Run, Tables
from scanner.dump.source import File

CUT = "Tables of pages lead to memory that the file has not: it was cut."
AROUND = 64 << 10
"""Bytes on each side of a place where pages adjoin that get an address."""
MAX_ROOTS = 1024
MAX_TRIED = 1 << 14
"""Pages that are tried for a root of 64-bit ARM."""
_BASES = 8
"""Places where memory of 64-bit ARM may begin that are tried, each at a gigabyte."""
_USER = np.uint64(0x40)
"""AP[1] of a page's entry of 64-bit ARM: whatever runs as a user may read it."""
_TRIED = 64
"""Groups of possible roots that are looked at, the largest first."""
_ASKED, _PATHS = 64, 4
"""Roots that say how many levels there are, and entries of a table that are followed for it."""
_COMPARED, _FOLLOWED = 8, 1024
"""Groups of roots, and tables of a level, that say which layout is right."""
_LOST = 1024
"""Of so many tables and pages one may lie nowhere: it changed while the memory was read."""
_ACCESSED = np.uint64(0x21)
"""P and A of an entry of x86-64: the processor has come by."""


_Half = tuple[int, int, int, int, str]
"""A root, its first entry and the one behind its last, a sign, and the name of what they map."""


def join(
    file: File,
    draft: Draft,
    runs: Sequence[Run],
    *,
    arch: str = "",
    roots: Sequence[int] = (),
    windows: bool = False,
    whole: bool = False,
) -> str:
    """Add regions where pages of a process adjoin and lie apart in the file; return what machine.

    ``runs`` are the physical memory that the file has, ``roots`` what it says of where tables
    begin; ``arch`` is empty where the file says none. ``windows`` means that it ran there: a root
    has the kernel's half in it on ARM too; ``whole`` means that all memory of the machine should be
    there. Without a root that leads anywhere there is a fault, and
    the machine is ``arch``.
    """
    for kind in (X86_64, ARM64) if runs else ():
        if arch not in {"", kind.arch}:
            continue
        tables = Tables(file, runs, kind, windows=windows)
        named = [root & int(kind.address) for root in roots]
        halves = _halves(tables, named, halved=windows or kind is X86_64)
        if halves:
            _join(draft, tables, halves)
            if whole and tables.lacking * _LOST > tables.sought:
                draft.fault("truncated", CUT)
            return kind.arch
    if runs:
        unjoined(draft)
    return arch or "unknown"


def unjoined(draft: Draft) -> None:
    """Say that nobody knows which pages adjoin."""
    text = "No tables of pages were found: pages that adjoin in a process were not joined."
    draft.fault("no-page-tables", text)


def _halves(tables: Tables, named: list[int], *, halved: bool) -> list[_Half]:
    """Return which entries of which roots to walk, and what to call what they map."""
    user = "process with page table {:#x}"
    arm = tables.kind is ARM64
    found = _lone_roots(tables) if arm else _shared_roots(tables, named)
    if not arm:
        tables.levels = _levels(tables, found)
    kernels = [root for root in named if _leads(tables, root, user=False)]
    if halved:
        whole = sorted({*kernels, *found}) if arm else found
        kernel = [(tables.fullest(whole), 256, 512, tables.sign, "kernel")] if whole else []
        return [*kernel, *((root, 0, 256, 0, user.format(root)) for root in found)]
    return [
        *((root, 0, 512, tables.sign, "kernel") for root in kernels[:1]),
        *((root, 0, 512, 0, user.format(root)) for root in found if root not in kernels),
    ]


def _join(draft: Draft, tables: Tables, halves: list[_Half]) -> None:
    seen: set[tuple[int, int]] = set()
    for context, (root, low, high, sign, name) in enumerate(halves[:MAX_ROOTS], 1):
        for start, size, offset in _seams(tables, tables.walk(root, low, high, sign), seen):
            draft.region(start, size, offset, name=name, context=context)
    if tables.left <= 0 or len(halves) > MAX_ROOTS:
        draft.fault("limit-page-tables", "The dump has more tables of pages than are read.")


# --- roots --------------------------------------------------------------------------------------


def _shared_roots(tables: Tables, named: list[int]) -> list[int]:
    """Return the physical addresses of the tables that processes of x86-64 begin with.

    All of them share what their last entry points to, the kernel's; the largest group of pages that
    do, and whose tables lead four levels down, is it.
    """
    kind = tables.kind
    groups: dict[int, list[int]] = {}
    for addresses, pages in tables.chunks():
        last = pages[:, 511]
        likely = np.flatnonzero(kind.are("root", last))
        likely = likely[tables.place(last[likely] & kind.address) >= 0]
        for page in likely[_plausible(kind, pages[likely])].tolist():
            groups.setdefault(int(last[page] & kind.address), []).append(int(addresses[page]))
    for root in named:
        table = tables.table(root)
        if table is not None and _leads(tables, root, user=False):
            shared = bool(kind.are("table", table[511:])[0])
            group = groups.get(int(table[511] & kind.address), []) if shared else []
            return [root, *(other for other in group if other != root)]
    counts = Counter({target: len(group) for target, group in groups.items()})
    for target, _ in counts.most_common(_TRIED):
        if _leads(tables, groups[target][0], user=False):
            return groups[target]
    return []


def _lone_roots(tables: Tables) -> list[int]:
    """Return the roots of processes of 64-bit ARM: they share nothing, and lead to user pages."""
    found: list[int] = []
    tried = 0
    for addresses, targets in _likely(tables):
        for address in addresses[tables.place(targets) >= 0].tolist():
            tried += 1
            if tried > MAX_TRIED or len(found) > MAX_ROOTS:
                tables.left = 0
                return found
            if _leads(tables, address, user=True):
                found.append(address)
    return found


def _likely(tables: Tables) -> Iterator[tuple[Offsets, Words]]:
    """Yield the addresses of pages that may be roots of 64-bit ARM, and whereto their first goes.

    Whether a table is there is not asked.
    """
    kind = tables.kind
    for addresses, pages in tables.chunks():
        used = np.argmax(pages != 0, axis=1)
        first = pages[np.arange(len(pages)), used]
        likely = np.flatnonzero(kind.are("table", first))
        likely = likely[_plausible(kind, pages[likely])]
        yield addresses[likely], first[likely] & kind.address


def _plausible(kind: Kind, pages: Words) -> Flags:
    """Tell which pages have nothing but zeros and entries that point to tables."""
    result: Flags = np.all(kind.are("table", pages) | (pages == 0), axis=1)
    return result


def _leads(tables: Tables, root: int, *, user: bool) -> bool:
    """Tell whether some path leads from a root through sound tables to a page.

    That of a kernel is sought from the last entry backward, that of a user from the first on.
    """
    table = tables.table(root)
    if table is None:
        return False
    entries = table if user else table[::-1]
    return any(
        _reaches(tables, entry, 3, user=user)
        for entry in entries[tables.kind.are("root", entries)].tolist()[:8]
    )


def _reaches(tables: Tables, entry: int, level: int, *, user: bool) -> bool:
    kind = tables.kind
    table = tables.table(entry & int(kind.address))
    if table is None or not _sound(kind, table, level, user=user):
        return False
    if level == 1 or (not user and np.any(kind.are("large", table))):
        return True
    below = table[kind.are("table", table)][:4].tolist()
    return any(_reaches(tables, entry, level - 1, user=user) for entry in below)


def _sound(kind: Kind, table: Words, level: int, *, user: bool) -> bool:
    """Tell whether most of what a table has are entries of its level, none of them misaligned."""
    used = table[table != 0]
    if len(used) == 0:
        return False
    if level == 1:
        good = kind.are("page", used)
        if user:
            good &= (used & _USER) != 0
    else:
        misplaced = used & np.uint64((SIZES[level] - 1) & ~0x1FFF)  # bit 12 is PAT on x86-64
        good = kind.are("table", used) | (kind.are("large", used) & (misplaced == 0))
    return bool(np.count_nonzero(good) * 10 >= len(used) * 9)


# --- layouts ------------------------------------------------------------------------------------


def borne_out(file: File, layouts: Sequence[Sequence[Run]], whole: Sequence[Run] = ()) -> list[int]:
    """Return which layouts of one file its tables of x86-64 bear out best: several if alike.

    ``whole`` are all pages, wherever they are: the file as it stands, if none are given. Roots are
    told by what is in them alone; where the tables lie to which they point, the layouts say
    differently, and only by the right one is a table wherever one should be.
    """
    groups: dict[int, list[int]] = {}
    held = Tables(file, whole or ((0, 0, file.size),), X86_64)
    for addresses, pages in held.chunks():
        offsets = held.place(addresses.astype(np.uint64))
        likely = np.flatnonzero(X86_64.are("root", pages[:, 511]))
        for page in likely[_plausible(X86_64, pages[likely])].tolist():
            last = int(pages[page, 511] & X86_64.address)
            groups.setdefault(last, []).append(int(offsets[page]))
    largest = sorted(groups.values(), key=len, reverse=True)[:_COMPARED]
    scores = [
        max((_score(Tables(file, runs, X86_64), roots[:_ASKED]) for roots in largest), default=0)
        for runs in layouts
    ]
    best = max(scores)
    return [index for index, score in enumerate(scores) if score == best > 0]


def _score(tables: Tables, roots: list[int]) -> int:
    """Return how many tables are where some roots (file offsets) lead, less those that are not."""
    good = bad = 0
    rows = tables.at(roots)
    for _ in range(3):
        entries = np.unique(rows[tables.kind.are("root", rows)] & tables.kind.address)[:_FOLLOWED]
        below = [row for _, some in tables.tables(entries) for row in some if _used(tables, row, 1)]
        good += len(below)
        bad += len(entries) - len(below)
        if not below:
            break
        rows = np.stack(below)
    return good - bad


def base_of_arm(file: File, usual: Sequence[int]) -> int | None:
    """Return where the memory of 64-bit ARM begins that a file has whole, None for no such file.

    By the right address alone a root leads down to a user's page. Tried are the usual ones, then
    the gigabytes to which most pages point that may be roots.
    """
    whole = Tables(file, ((0, 0, file.size),), ARM64)
    likely = list(_likely(whole))
    offsets = np.concatenate([places for places, _ in likely])
    targets = np.concatenate([where for _, where in likely])
    gigabytes, counts = np.unique(targets >> np.uint64(30), return_counts=True)
    most: list[int] = gigabytes[np.argsort(-counts, kind="stable")][:_BASES].tolist()
    left = whole.left
    for base in dict.fromkeys((*usual, *(gigabyte << 30 for gigabyte in most))):
        tables = Tables(file, ((base, 0, file.size),), ARM64)
        tables.left = left
        held = offsets[tables.place(targets) >= 0][:MAX_TRIED]
        if any(_leads(tables, base + offset, user=True) for offset in held.tolist()):
            return base
        left = tables.left
    return None


# --- levels -------------------------------------------------------------------------------------


def _levels(tables: Tables, roots: list[int]) -> int:
    """Return how many levels of tables lead from these roots of x86-64 to a page: four or five.

    Of five, four always seem to lead there too: the last ones are taken for pages. What tells is
    that from most roots a fifth table follows, with nothing in it but pages that were used.
    """
    flat = deep = 0
    for root in roots[:_ASKED]:
        table = tables.table(root)
        if table is None:
            continue
        entries = table[:256] if table[:256].any() else table[256:]
        flat += _descends(tables, entries, 3)
        deep += _descends(tables, entries, 4)
    return 5 if 2 * deep > flat else 4


def _descends(tables: Tables, entries: Words, level: int) -> bool:
    """Tell whether from some entry tables of one level after another lead to used pages."""
    below = entries[tables.kind.are("root", entries)]
    for entry in below[:_PATHS].tolist():
        table = tables.table(entry & int(tables.kind.address))
        if table is None or not _used(tables, table, level):
            continue
        if level == 1 or _descends(tables, table, level - 1):
            return True
    return False


def _used(tables: Tables, table: Words, level: int) -> bool:
    """Tell whether nearly all that a table has are used entries of its level, into this memory."""
    rows = table[(table & np.uint64(1)) != 0]
    if len(rows) == 0:
        return False
    where = rows & tables.kind.address
    good = ((rows & _ACCESSED) == _ACCESSED) & (where > 0) & (where < np.uint64(tables.end))
    if level > LARGEST:
        good &= tables.kind.are("table", rows)
    elif level > 1:
        misplaced = where & np.uint64((SIZES[level] - 1) & ~0x1FFF)
        good &= tables.kind.are("table", rows) | (misplaced == 0)
    return bool(np.count_nonzero(good) * 10 >= len(rows) * 9)


# --- seams --------------------------------------------------------------------------------------


def _seams(
    tables: Tables, leaves: tuple[Words, Offsets, Offsets], seen: set[tuple[int, int]]
) -> Iterator[Piece]:
    """Yield address, size and file offset of what lies around places where only addresses adjoin.

    They adjoin in the process and not in physical memory, whose pages may lie anywhere in the file.
    A place that another process has too is not told again.
    """
    va, place, size = leaves
    if len(va) == 0:
        return
    order = np.argsort(va, kind="stable")
    va, place, size = va[order], place[order], size[order]
    beside = va[:-1] + size[:-1].astype(np.uint64) == va[1:]
    first = np.flatnonzero(np.append(True, ~(beside & (place[:-1] + size[:-1] == place[1:]))))
    starts, places = va[first], place[first]
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
        start, where, length = int(starts[index]), int(places[index]), int(sizes[index])
        if length <= 2 * AROUND:
            yield from tables.pieces(start, where, length)
            continue
        if before[index]:
            yield from tables.pieces(start, where, AROUND)
        if behind[index]:
            rest = length - AROUND
            yield from tables.pieces(start + rest, where + rest, AROUND)
