"""Windows minidumps: which bytes of the file stand at which address.

Layouts are those of minidumpapiset.h and of Breakpad's minidump_format.h. This module exists
because a reader that trusts a minidump's counts, or leaves out streams that it does not know,
cannot serve a gate: each count is cut down to what its stream and the file can hold, and each such
cut is a fault. It refuses to judge what lies in the bytes, and it drops none: what it cannot
describe is swept.
"""

import bisect
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from scanner.dump import conflicts, registers
from scanner.dump.draft import MAX_NAME, MAX_REGIONS, Draft, base_name
from scanner.dump.ledger import lacking
from scanner.dump.names import ARCHES, PLATFORMS, PROTECTIONS, STREAMS
from scanner.dump.source import File
from scanner.errors import Damaged
from scanner.model import Layout, Module, Thread

MAX_STREAMS = 4096
MAX_MODULES = 1 << 16
MAX_THREADS = 1 << 16
MAX_COMMAND_LINE = 4 << 20
MAX_NAME_BYTES = 64 << 20
"""Bytes of names of modules that are read, of all of them together."""

ALTERED = "A minidump under another signature, as tools that hide from virus scanners write it."

_SIGNATURES = (b"MDMP", b"PMDM")
_HEADER = 32
_FEW = 64
"""Streams of a minidump that is told by its directory alone."""


def sniff(head: bytes) -> bool:
    """Tell a minidump by its first 4 bytes; ``PMDM`` is one of a big-endian writer."""
    return head[:4] in _SIGNATURES


def sniff_altered(head: bytes) -> bool:
    """Tell a minidump that hides (nanodump) by its directory: known streams that lie behind it."""
    if len(head) < _HEADER + 24:
        return False
    count, directory, checksum = struct.unpack_from("<3I", head, 8)
    streams = [*struct.iter_unpack("<3I", head[_HEADER : _HEADER + 24])]
    return (2 <= count <= _FEW and (directory, checksum) == (_HEADER, 0)) and all(
        kind in STREAMS and size and at >= _HEADER + 12 * count for kind, size, at in streams
    )


def parse(file: File) -> Layout:
    """Read the tables of a minidump. Raises Damaged where the header itself is cut."""
    if file.size < _HEADER:
        raise Damaged("the minidump has no whole header", reason=f"the file has {file.size} bytes")
    return _Reader(file).read()


@dataclass(frozen=True, slots=True)
class _Stream:
    """An entry of the directory, its size cut to the file."""

    type: int
    size: int
    offset: int


class _Reader:
    """Reads one minidump into a draft, names first, because regions are made with their names."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._draft = Draft(file.size)
        self._order = ">" if (signature := file.read(0, 4)) == b"PMDM" else "<"
        if signature not in _SIGNATURES:
            self._draft.fault("altered-signature", ALTERED)
        self._arch = ("unknown", 8)
        self._entries_left = MAX_REGIONS
        self._infos_left = MAX_REGIONS
        self._name_bytes = MAX_NAME_BYTES
        self._seen: set[tuple[int, int, int]] = set()

    def read(self) -> Layout:
        streams = self._directory()
        self._system_info(streams)
        for stream in streams:
            if stream.type == 4:
                self._module_list(stream)
            elif stream.type == 6:
                self._exception(stream)
            elif stream.type == 0x47670006:
                self._command_line(stream)
        stacks = [
            stack
            for stream in streams
            if stream.type in (3, 8)
            for stack in self._thread_list(stream)
        ]
        infos = [stream for stream in streams if stream.type == 16]
        protections = [entry for stream in infos for entry in self._memory_info(stream)]
        names = _Names(self._draft, stacks, protections)
        listed: list[tuple[int, int]] = []
        for stream in streams:
            if stream.type in (5, 9):
                for start, size, offset in self._ranges(stream):
                    listed.append((start, start + size))
                    self._region(names, start, size, offset)
        self._stacks(names, stacks, listed)
        held = [*listed, *((stack.start, stack.end) for stack in stacks)]
        for start, end in lacking(((low, high) for low, high, _ in protections), held):
            self._draft.gap("not-captured", start, end - start)
        if self._draft.modules:
            self._draft.process = self._draft.modules[0].name
        layout = self._draft.layout(
            format_name="minidump",
            arch=self._arch[0],
            pointer_size=self._arch[1],
            byte_order="little" if self._order == "<" else "big",
        )
        kinds = {stream.type for stream in streams}
        return conflicts.checked(layout, self._file.size, listed=not kinds.isdisjoint({5, 9}))

    def _fields(self, layout: str, offset: int) -> tuple[Any, ...] | None:
        """Read one structure, or return None where the file has no such bytes."""
        codec = struct.Struct(self._order + layout)
        if self._draft.clip(offset, codec.size) < codec.size:
            return None
        return codec.unpack(self._file.read(offset, codec.size))

    def _directory(self) -> list[_Stream]:
        """Read MINIDUMP_HEADER and the directory.

        Where the count cannot be true, what follows the real entries is none: reading ends at the
        first entry that does not fit in the file.
        """
        draft = self._draft
        draft.label(0, _HEADER, "header")
        _, _, count, offset = struct.unpack(self._order + "4I", self._file.read(0, 16))
        if not count:
            return []
        room = min(draft.clip(offset, draft.file_size) // 12, MAX_STREAMS)
        if offset < _HEADER:
            draft.fault("damaged-directory", "The stream directory lies within the header.")
            return []
        if hostile := count > room:
            draft.fault("damaged-directory", f"The directory claims {count} streams of {room}.")
            count = room
        draft.label(offset, 12 * count, "directory")
        streams: dict[_Stream, None] = {}
        for kind, size, at in self._rows("3I", offset, count):
            present = draft.clip(at, size)
            if kind == 0:
                continue
            if present < size:
                if hostile:
                    break
                draft.gap("truncated", None, size - present)
            stream = _Stream(kind, present, at)
            if stream not in streams:
                draft.label(at, present, f"stream {STREAMS.get(kind, f'{kind:#x}')}")
                streams[stream] = None
        return list(streams)

    def _rows(self, layout: str, offset: int, count: int) -> Iterator[tuple[Any, ...]]:
        if count <= 0:
            return iter(())
        codec = struct.Struct(self._order + layout)
        return codec.iter_unpack(self._file.read(offset, codec.size * count))

    def _list(self, stream: _Stream, layout: str, most: int) -> Iterator[tuple[Any, ...]]:
        """Yield the entries of a list that a u32 count leads; some writers pad it to 8 bytes."""
        if not stream.size:
            return iter(())
        name = STREAMS[stream.type]
        head = self._fields("I", stream.offset) if stream.size >= 4 else None
        if head is None:
            self._draft.fault("damaged-stream", f"The stream {name} has no count.")
            return iter(())
        (count,) = head
        entry = struct.calcsize(self._order + layout)
        lead = 8 if stream.size == 8 + entry * count else 4
        return self._rows(
            layout, stream.offset + lead, self._count(name, count, stream.size - lead, entry, most)
        )

    def _count(self, name: str, count: int, room: int, entry: int, most: int) -> int:
        """Cut a count to what its stream holds, and to a stated bound; no writer leaves room."""
        if count > (held := max(room, 0) // entry):
            self._draft.fault("damaged-count", f"{name} claims {count} entries and holds {held}.")
            count = held
        elif count < held:
            self._draft.fault("damaged-count", f"{name} has room for {held} entries, not {count}.")
        if count > most:
            code = "limit-regions" if name in {"MemoryList", "Memory64List"} else "limit-entries"
            self._draft.fault(code, f"{name} has {count} entries; {most} are read.")
            count = most
        return count

    def _system_info(self, streams: list[_Stream]) -> None:
        for stream in streams:
            if stream.type == 7 and (fields := self._fields("H", stream.offset)) is not None:
                self._arch = ARCHES.get(fields[0], ("unknown", 8))
                if (version := self._fields("4I", stream.offset + 8)) is not None:
                    *numbers, platform = version
                    name = PLATFORMS.get(platform, "")
                    said = any(numbers) and name
                    number = ".".join(map(str, numbers))
                    self._draft.system = f"{name} {number}" if said else name
                return

    def _module_list(self, stream: _Stream) -> None:
        """Read MINIDUMP_MODULE: base, size, name; label the records that it points to."""
        draft = self._draft
        most = MAX_MODULES - len(draft.modules)
        for base, size, _, _, name, cv_size, cv, misc_size, misc in self._list(
            stream, "Q4I52x4I16x", most
        ):
            draft.label(cv, cv_size, "CodeView record")
            draft.label(misc, misc_size, "debug record")
            text = self._string(name)
            draft.modules.append(
                Module(
                    start=base,
                    size=size,
                    name=text,
                    name_offset=name + 4 if text else None,
                    name_size=len(text.encode("utf-16-le", "surrogatepass")),
                )
            )

    def _string(self, offset: int) -> str:
        """Read MINIDUMP_STRING: u32 length in bytes, UTF-16 without its terminator."""
        if not offset:
            return ""
        head = self._fields("I", offset)
        if head is None or self._draft.clip(offset + 4, head[0]) < head[0]:
            self._draft.fault("damaged-name", "The name of a module does not lie in the file.")
            return ""
        self._draft.label(offset, 4 + head[0], "module name")
        size = min(head[0], 2 * MAX_NAME)
        if size > self._name_bytes:
            text = f"Names of modules have more than {MAX_NAME_BYTES:,} bytes; the rest has none."
            self._draft.fault("limit-names", text)
            return ""
        self._name_bytes -= size
        data = self._file.read(offset + 4, size)
        return data.decode("utf-16-le" if self._order == "<" else "utf-16-be", "replace")

    def _exception(self, stream: _Stream) -> None:
        """Label the context of MINIDUMP_EXCEPTION_STREAM: its location follows 160 bytes."""
        if stream.size >= 168 and (where := self._fields("2I", stream.offset + 160)) is not None:
            self._context("exception context", where[1], where[0])

    def _context(self, name: str, offset: int, size: int) -> None:
        """Label a CONTEXT, and note the registers that it holds in halves."""
        self._draft.label(offset, size, name)
        if len(self._draft.joined) < registers.MAX_JOINED and self._order == "<":
            self._draft.joined += registers.of_context(self._file, offset, size, self._arch[0])

    def _thread_list(self, stream: _Stream) -> Iterator["_Stack"]:
        """Yield the stacks of MINIDUMP_THREAD, or MINIDUMP_THREAD_EX with its backing store."""
        draft = self._draft
        most = MAX_THREADS - len(draft.threads)
        tail = "" if stream.type == 3 else "16x"
        for row in self._list(stream, "I20xQ4I" + tail, most):
            thread, start, size, offset, context_size, context = row
            self._context("thread context", context, context_size)
            draft.threads.append(
                Thread(id=thread, stack_start=start if size else None, stack_size=size)
            )
            if size:
                yield _Stack(thread, start, start + size, offset)

    def _memory_info(self, stream: _Stream) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, permissions) of MINIDUMP_MEMORY_INFO, whatever sizes it states."""
        head = self._fields("2IQ", stream.offset) if stream.size >= 16 else None
        if head is None:
            return
        lead, entry, count = head
        if lead < 16 or not 48 <= entry <= 4096:
            self._draft.fault("damaged-stream", "MemoryInfoList states sizes that cannot be.")
            return
        count = self._count("MemoryInfoList", count, stream.size - lead, entry, self._infos_left)
        self._infos_left -= count
        for base, size, state, protect in self._rows(
            f"Q16xQ2I{entry - 40}x", stream.offset + lead, count
        ):
            if state == 0x1000:  # MEM_COMMIT
                yield base, base + size, PROTECTIONS.get(protect & 0xFF, "")

    def _ranges(self, stream: _Stream) -> Iterator[tuple[int, int, int]]:
        """Yield (address, size, file offset) of each range of a memory list, each once."""
        ranges = self._memory_list(stream) if stream.type == 5 else self._memory64_list(stream)
        for entry in ranges:
            if entry not in self._seen:
                self._seen.add(entry)
                yield entry

    def _memory_list(self, stream: _Stream) -> Iterator[tuple[int, int, int]]:
        for row in self._list(stream, "Q2I", self._entries_left):
            self._entries_left -= 1
            yield row[0], row[1], row[2]

    def _memory64_list(self, stream: _Stream) -> Iterator[tuple[int, int, int]]:
        """Read MINIDUMP_MEMORY64_LIST: the bytes of all ranges are one run, in list order."""
        if not stream.size:
            return
        head = self._fields("2Q", stream.offset) if stream.size >= 16 else None
        if head is None:
            self._draft.fault("damaged-stream", "The stream Memory64List has no count.")
            return
        count, base = head
        count = self._count("Memory64List", count, stream.size - 16, 16, self._entries_left)
        self._entries_left -= count
        rows = list(self._rows("2Q", stream.offset + 16, count))
        offsets = accumulate((size for _, size in rows), initial=base)
        for (start, size), offset in zip(rows, offsets, strict=False):
            yield start, size, offset

    def _region(self, names: "_Names", start: int, size: int, offset: int) -> None:
        """Note a range, doubted where writers begin none but around a pointer: offsets are odd."""
        perms, name = names.perms(start), names.name(start, start + size)
        odd = start % self._arch[1] != 0
        self._draft.region(start, size, offset, perms=perms, name=name, doubted=odd)

    def _command_line(self, stream: _Stream) -> None:
        """Count the arguments of /proc/PID/cmdline; what they are is never kept."""
        if 0 < stream.size <= MAX_COMMAND_LINE:
            data = self._file.read(stream.offset, stream.size)
            self._draft.arguments = max(data.rstrip(b"\0").count(b"\0"), 0)

    def _stacks(
        self, names: "_Names", stacks: list["_Stack"], listed: list[tuple[int, int]]
    ) -> None:
        """Add the stacks that do not stand, to their ends, in a memory list.

        In a dump with full memory a stack's 32-bit offset may be 0 or cut off, so addresses that
        lists cover are theirs.
        """
        missing = lacking(((stack.start, stack.end) for stack in stacks), listed)
        ends = [end for _, end in missing]
        for stack in stacks:
            at = bisect.bisect_right(ends, stack.start)
            if at == len(missing) or missing[at][0] >= stack.end:
                continue
            size = stack.end - stack.start
            if not stack.offset:
                self._draft.gap("not-captured", stack.start, size)
            elif (stack.start, size, stack.offset) not in self._seen:
                self._seen.add((stack.start, size, stack.offset))
                self._region(names, stack.start, size, stack.offset)


@dataclass(frozen=True, slots=True)
class _Stack:
    thread: int
    start: int
    end: int
    offset: int


class _Names:
    """What a region is called, and what may be done with it: looked up by address."""

    def __init__(
        self, draft: Draft, stacks: list[_Stack], protections: list[tuple[int, int, str]]
    ) -> None:
        modules = sorted((module.start, module.size, module.name) for module in draft.modules)
        self._module_starts = [start for start, _, _ in modules]
        self._modules = [(start + size, base_name(name)) for start, size, name in modules]
        protections.sort()
        self._protection_starts = [start for start, _, _ in protections]
        self._protections = protections
        self._stacks = sorted(stacks, key=lambda stack: stack.start)
        self._stack_starts = [stack.start for stack in self._stacks]
        self._stack_ends = {stack.end: stack for stack in stacks}

    def name(self, start: int, end: int) -> str:
        """Name a stack by its base, or as part of one; else the module that an address is in."""
        stack = self._stack_ends.get(end)
        if stack is not None and start <= stack.start:
            return f"stack of thread {stack.thread:#x}"
        at = bisect.bisect_right(self._stack_starts, start) - 1
        if at >= 0 and end <= self._stacks[at].end:
            return f"stack of thread {self._stacks[at].thread:#x}"
        at = bisect.bisect_right(self._module_starts, start) - 1
        if at >= 0 and start < self._modules[at][0]:
            return self._modules[at][1]
        return ""

    def perms(self, start: int) -> str:
        """Return the permissions of the page at an address, where the dump lists them."""
        at = bisect.bisect_right(self._protection_starts, start) - 1
        if at >= 0 and start < self._protections[at][1]:
            return self._protections[at][2]
        return ""
