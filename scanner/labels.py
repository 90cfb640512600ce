"""What a place of the dump is called: the region it lies in, and who owns that.

Labels come from the format's tables and from nowhere else. Only base names are given: a path says
more about a machine than a reader of the report needs to know. A name in whose bytes something was
found is not given: a file may be called after the token in it. Nothing is escaped here; each
renderer escapes for where its text goes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner import regions
from scanner.arrays import Words
from scanner.dump import space
from scanner.dump.draft import base_name
from scanner.dump.space import SpaceMap
from scanner.model import Extent, Label, Layout, Module, Place, Thread

WITHHELD = "name withheld"
"""What is called so has a name that holds a finding, or a part of one."""

NEAR = 32
"""Regions before an address that are looked at: several processes may use the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The tables of one dump, sorted for look-up."""

    kinds: Sequence[tuple[str, str]]
    """What regions are called, and what may be done with them."""
    kind: npt.NDArray[np.int32]
    """Which of these each region is, by address."""
    start: Words
    size: Words
    file: Words
    labels: tuple[Label, ...]
    label_starts: tuple[int, ...]
    modules: tuple[Module, ...]
    module_starts: tuple[int, ...]
    stacks: tuple[Thread, ...]
    stack_starts: tuple[int, ...]
    withheld: frozenset[str]
    """Base names that are not given."""

    @staticmethod
    def of(layout: Layout, withheld: frozenset[str] = frozenset()) -> "Labels":
        """Sort the tables of a layout."""
        rows = regions.columns(layout.regions)
        start = np.array(rows.start, np.uint64)
        order = np.argsort(start, kind="stable")
        labels = tuple(sorted(layout.labels, key=lambda r: (r.file_offset, -r.size)))
        modules = tuple(sorted(layout.modules, key=lambda m: m.start))
        stacks = tuple(
            sorted(
                (t for t in layout.threads if t.stack_start is not None),
                key=lambda t: t.stack_start or 0,
            )
        )
        return Labels(
            kinds=rows.kinds,
            kind=np.array(rows.kind, np.int32)[order],
            start=start[order],
            size=np.array(rows.size, np.uint64)[order],
            file=np.array(rows.file, np.uint64)[order],
            labels=labels,
            label_starts=tuple(label.file_offset for label in labels),
            modules=modules,
            module_starts=tuple(m.start for m in modules),
            stacks=stacks,
            stack_starts=tuple(t.stack_start or 0 for t in stacks),
            withheld=withheld,
        )

    def region(self, extent: Extent) -> str:
        """Name the region or the part of the file that an extent begins in."""
        if extent.address is None:
            at = bisect_right(self.label_starts, extent.file_offset) - 1
            if at >= 0:
                label = self.labels[at]
                if extent.file_offset < label.file_offset + label.size:
                    return label.name
            return "outside of every region"
        address, file = np.uint64(extent.address), np.uint64(extent.file_offset)
        at = int(np.searchsorted(self.start, address, side="right"))
        near = np.arange(at - 1, max(at - NEAR, 0) - 1, -1)
        inside = address - self.start[near]
        near, inside = near[inside < self.size[near]], inside[inside < self.size[near]]
        if not len(near):
            return "memory"
        same = near[self.file[near] + inside == file]
        name, perms = self.kinds[self.kind[same[0] if len(same) else near[0]]]
        return self._given(name) or f"memory {perms}".strip()

    def owner(self, extent: Extent) -> str:
        """Name the module or the thread that an extent belongs to; empty where nobody says."""
        if extent.address is None:
            return ""
        at = bisect_right(self.stack_starts, extent.address) - 1
        if at >= 0:
            thread = self.stacks[at]
            if extent.address < (thread.stack_start or 0) + thread.stack_size:
                return f"stack of thread {thread.id:#x}"
        at = bisect_right(self.module_starts, extent.address) - 1
        if at >= 0 and extent.address < self.modules[at].start + self.modules[at].size:
            return self._given(self.modules[at].name)
        return ""

    def _given(self, name: str) -> str:
        base = base_name(name)
        return WITHHELD if base in self.withheld else base


def withheld(layout: Layout, space_map: SpaceMap, found: Iterable[Place]) -> frozenset[str]:
    """Return the base names whose bytes in the file something that was found shares."""
    names = sorted(
        {
            (module.name_offset, module.name_offset + module.name_size, base_name(module.name))
            for module in layout.modules
            if module.name_offset is not None
        }
    )
    if not names:
        return frozenset()
    lowest, highest = names[0][0], max(end for _, end, _ in names)
    longest = max(end - start for start, end, _ in names)
    held: set[str] = set()
    for place in found:
        for extent in space.extents(space_map, place):
            start, end = extent.file_offset, extent.file_offset + extent.size
            if start < highest and end > lowest:
                first = bisect_left(names, (start - longest,))
                last = bisect_left(names, (end,))
                held |= {base for _, stop, base in names[first:last] if stop > start}
    return frozenset(held)
