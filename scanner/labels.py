"""What a place of the dump is called: the region it lies in, and who owns that.

Labels come from the format's tables and from nowhere else. Only base names are given: a path says
more about a machine than a reader of the report needs to know. Nothing is escaped here; each
renderer escapes for where its text goes.
"""

from bisect import bisect_right
from dataclasses import dataclass

from scanner.model import Extent, Label, Layout, Module, Region, Thread

NEAR = 32
"""Regions before an address that are looked at: several processes may use the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The tables of one dump, sorted for look-up."""

    regions: tuple[Region, ...]
    region_starts: tuple[int, ...]
    labels: tuple[Label, ...]
    label_starts: tuple[int, ...]
    modules: tuple[Module, ...]
    module_starts: tuple[int, ...]
    stacks: tuple[Thread, ...]
    stack_starts: tuple[int, ...]

    @staticmethod
    def of(layout: Layout) -> "Labels":
        """Sort the tables of a layout."""
        regions = tuple(sorted(layout.regions, key=lambda r: r.start))
        labels = tuple(sorted(layout.labels, key=lambda r: (r.file_offset, -r.size)))
        modules = tuple(sorted(layout.modules, key=lambda m: m.start))
        stacks = tuple(
            sorted(
                (t for t in layout.threads if t.stack_start is not None),
                key=lambda t: t.stack_start or 0,
            )
        )
        return Labels(
            regions=regions,
            region_starts=tuple(r.start for r in regions),
            labels=labels,
            label_starts=tuple(label.file_offset for label in labels),
            modules=modules,
            module_starts=tuple(m.start for m in modules),
            stacks=stacks,
            stack_starts=tuple(t.stack_start or 0 for t in stacks),
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
        at = bisect_right(self.region_starts, extent.address)
        near = self.regions[max(at - NEAR, 0) : at][::-1]
        around = [region for region in near if extent.address < region.start + region.size]
        if not around:
            return "memory"
        delta = extent.address - extent.file_offset
        same = (region for region in around if region.start - region.file_offset == delta)
        region = next(same, around[0])
        return _base(region.name) or f"memory {region.perms}".strip()

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
            return _base(self.modules[at].name)
        return ""


def _base(name: str) -> str:
    """Return the last part of a path of either system."""
    return name.replace("\\", "/").rpartition("/")[2]
