"""A layout while it is read: where what a format claims is cut to what the file has.

This module exists so that each format reader clips, counts and complains alike. It refuses to
raise: damage becomes a gap and a fault, and the bytes stay in the sweep.
"""

from scanner.dump.names import PHYSICAL
from scanner.dump.registers import MAX_JOINED, Parts
from scanner.model import Fault, Gap, Label, Layout, Module, Region, Thread
from scanner.regions import Regions

MAX_REGIONS = 1 << 20
MAX_LABELS = 1 << 17
MAX_FAULTS = 64
"""Faults that are told of one dump; one is enough for the verdict."""
MAX_NAME = 4096
"""Characters of a name that a dump gives."""
MAX_PROCESS = 80
"""Characters of a program's name."""

_WORD = 8
_TOP, _LOW = 1 << 64, 1 << 32
_THUNKS = "wow64.dll"
"""What Windows runs 32-bit programs with, and Wine."""


class Draft:
    """Collects the tables of one dump of ``file_size`` bytes."""

    def __init__(self, file_size: int) -> None:
        self.file_size = file_size
        self.modules: list[Module] = []
        self.threads: list[Thread] = []
        self.system = ""
        self.process = ""
        self.arguments: int | None = None
        self.joined: list[Parts] = []
        self._regions = Regions()
        self._gaps: list[Gap] = []
        self._faults: dict[tuple[str, str], Fault] = {}
        self._labels: list[Label] = []
        self._cut_ranges = 0
        self._cut_bytes = 0

    @property
    def full(self) -> bool:
        """Whether no further region will be taken."""
        return len(self._regions) >= MAX_REGIONS

    def fault(self, code: str, text: str) -> None:
        """Note damage, once for each code and sentence."""
        if len(self._faults) < MAX_FAULTS:
            self._faults.setdefault((code, text), Fault(code=code, text=text))

    def region(
        self,
        start: int,
        size: int,
        file_offset: int,
        *,
        perms: str = "",
        name: str = "",
        context: int = 0,
        doubted: bool = False,
    ) -> None:
        """Note bytes with an address; what lies past the end of the file becomes a gap."""
        if size <= 0:
            return
        if self.full:
            self.fault(
                "limit-regions", f"More than {MAX_REGIONS} regions; the rest has no address."
            )
            return
        if start + size > _TOP:
            self.fault("address-wrap", f"The range at {start:#x} ends past the address space.")
            size, doubted = _TOP - start, True
        present = self.clip(file_offset, size)
        if present < size:
            self.gap("truncated", start + present, size - present)
        if present:
            self._regions.add(
                start,
                present,
                file_offset,
                perms=perms,
                name=name[:MAX_NAME],
                context=context,
                doubted=doubted,
            )

    def physical(self) -> list[tuple[int, int, int]]:
        """Return address, file offset and size of the regions of physical memory."""
        return [
            (region.start, region.file_offset, region.size)
            for region in self._regions
            if region.name == PHYSICAL
        ]

    def by_address(self) -> list[Region]:
        """Return the regions so far, by address."""
        return sorted(self._regions, key=lambda region: region.start)

    def gap(self, code: str, start: int | None, size: int) -> None:
        """Note memory that is not in the file: ``not-captured`` or ``truncated``."""
        if size <= 0:
            return
        if code == "truncated":
            self._cut_ranges += 1
            self._cut_bytes += size
        if len(self._gaps) < MAX_REGIONS:
            self._gaps.append(Gap(code=code, start=start, size=size))

    def clip(self, file_offset: int, size: int) -> int:
        """Return how many of the bytes at an offset the file has."""
        return max(min(size, self.file_size - file_offset), 0)

    def label(self, file_offset: int, size: int, name: str) -> None:
        """Name bytes outside of the regions, as far as the file has them."""
        present = self.clip(file_offset, size)
        if present and len(self._labels) < MAX_LABELS:
            self._labels.append(Label(file_offset=file_offset, size=present, name=name[:MAX_NAME]))

    def layout(self, *, format_name: str, arch: str, pointer_size: int, byte_order: str) -> Layout:
        """Return what was read; one fault stands for all that lies past the end of the file.

        Of a 32-bit program that 64-bit Windows runs pointers and limbs have four bytes, though the
        dump may be one of 64 bits, as Task Manager writes it.
        """
        if pointer_size == _WORD and self._emulated():
            pointer_size //= 2
        if self._cut_ranges:
            ranges = "1 range" if self._cut_ranges == 1 else f"{self._cut_ranges:,} ranges"
            self._faults[("truncated", "")] = Fault(
                code="truncated",
                text=f"The dump claims {self._cut_bytes:,} bytes, in {ranges}, past the end of the "
                "file.",
            )
        return Layout(
            format=format_name,
            arch=arch,
            pointer_size=pointer_size,
            byte_order=byte_order,
            regions=self._regions,
            gaps=tuple(self._gaps),
            faults=tuple(self._faults.values()),
            labels=tuple(self._labels),
            modules=tuple(self.modules),
            threads=tuple(self.threads),
            system=self.system,
            process=base_name(self.process)[:MAX_PROCESS],
            arguments=self.arguments,
            joined=tuple(self.joined[:MAX_JOINED]),
        )

    def _emulated(self) -> bool:
        """Tell by the modules whether a 64-bit system ran a 32-bit program."""
        if any(base_name(module.name).lower() == _THUNKS for module in self.modules):
            return True
        ends = [module.start + module.size for module in self.modules]
        return self.system.startswith("windows") and bool(ends) and max(ends) <= _LOW


def base_name(path: str) -> str:
    """Return the last part of a path of either kind of system: all of it that a region shows."""
    return path.rstrip("/\\").replace("\\", "/").rpartition("/")[2][:MAX_NAME]
