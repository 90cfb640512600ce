"""ELF cores: which bytes of the file stand at which address.

Layouts are those of Linux' fs/binfmt_elf.c. This module exists because real cores break what
libraries take for granted: files cut by a size limit, a segment of which the writer left a part
out. It refuses to invent what was left out (it is a gap, never zeros), and it trusts no count,
offset or size.
"""

import bisect
import itertools
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from scanner.dump import machine, paging, registers, segments
from scanner.dump.draft import MAX_NAME, MAX_REGIONS, Draft, base_name
from scanner.dump.ledger import Span
from scanner.dump.names import MACHINES, NOTES, PHYSICAL, SYSTEMS
from scanner.dump.segments import Segment
from scanner.dump.source import File
from scanner.errors import Damaged
from scanner.model import Layout, Module, Thread

MAX_NOTES = 1 << 18
MAX_NOTE_BYTES = 64 << 20
"""Bytes of NT_FILE notes that are read, of all of them together."""
MAX_MACHINE_BYTES = 4 << 20
"""The same of VMCOREINFO and QEMU's notes: 440 bytes for each processor."""

_PT_LOAD = 1
_PT_NOTE = 4
_ET_CORE = 4
_CONGRUENT = 8
"""What addresses and offsets of a segment are congruent modulo, by the gABI up to a page. Where
they are not, one of them is wrong, and limbs may be aligned in either."""

_PROGRAMS = (1, 2, 3)
"""ET_REL, ET_EXEC, ET_DYN."""
_X86_64 = 62
_WORDS = struct.Struct("<3Q")

_PERMS = ("", "x", "w", "wx", "r", "rx", "rw", "rwx")
"""PF_X, PF_W, PF_R."""


def sniff(head: bytes) -> bool:
    """Tell an ELF core by its first 18 bytes."""
    return _type(head) == _ET_CORE


def sniff_program(head: bytes) -> bool:
    """Tell what links and runs, by the same bytes: a program, a library, an object file."""
    return _type(head) in _PROGRAMS


def _type(head: bytes) -> int | None:
    """Return e_type, which has the file's own byte order; None of what is no ELF file."""
    if len(head) < 18 or head[:4] != b"\x7fELF" or head[4] not in {1, 2} or head[5] not in {1, 2}:
        return None
    return int.from_bytes(head[16:18], "little" if head[5] == 1 else "big")


def parse(file: File) -> Layout:
    """Read the tables of an ELF core. Raises Damaged where the header itself is cut."""
    head = file.read(0, min(file.size, 64))
    if not sniff(head) or len(head) < (52 if head[4] == 1 else 64):
        raise Damaged("the ELF core has no whole header", reason=f"the file has {file.size} bytes")
    return _Reader(file, head).read()


def claimed(file: File) -> Iterator[Span]:
    """Yield what the header, segments and section headers claim, as (start, end).

    Where there is no segment nobody knows, and it is the whole file.
    """
    head = file.read(0, min(file.size, 64))
    if len(head) < (52 if head[4] == 1 else 64):
        yield 0, file.size
        return
    fields = segments.header(head)
    count, held = 0, False
    for one in segments.read(file, Draft(file.size), fields):
        count += 1
        held |= one.filesz > 0
        yield one.offset, one.offset + one.filesz
    yield 0, fields.size if held else file.size
    yield fields.phoff, fields.phoff + count * fields.phentsize
    if fields.shoff:
        yield fields.shoff, fields.shoff + max(fields.shnum, 1) * fields.shentsize


def sections(file: File) -> Iterator[Span]:
    """Yield what section headers describe, as (start, end): Xen keeps a guest's pages in one."""
    head = file.read(0, min(file.size, 64))
    if len(head) < (52 if head[4] == 1 else 64):
        return
    fields = segments.header(head)
    layout = struct.Struct(fields.order + ("2I4Q" if fields.wide else "6I"))
    for index in range(fields.shnum if fields.shentsize >= layout.size else 0):
        at = fields.shoff + index * fields.shentsize
        if at + layout.size > file.size:
            return
        _, kind, _, _, offset, size = layout.unpack(file.read(at, layout.size))
        if kind != 8:  # SHT_NOBITS, of which the file has no byte
            yield offset, offset + size


def unknown_notes(file: File) -> Iterator[Span]:
    """Yield the descriptors of notes whose owner is no known system, as (start, end)."""
    head = file.read(0, min(file.size, 64))
    if len(head) < (52 if head[4] == 1 else 64):
        return
    found = segments.read(file, Draft(file.size), segments.header(head))
    for note in _Reader(file, head).every_note(found):
        if note.owner.partition(b"@")[0] not in (b"CORE", *SYSTEMS):
            yield note.offset, note.offset + note.size


class _Note(NamedTuple):
    owner: bytes
    type: int
    offset: int
    size: int


class _Reader:
    """Reads one core into a draft."""

    def __init__(self, file: File, head: bytes) -> None:
        self._file = file
        self._draft = Draft(file.size)
        self._header = segments.header(head)
        self._wide, self._order = self._header.wide, self._header.order
        self._word = 8 if self._wide else 4
        self._draft.label(0, self._header.size, "header")
        self._files: list[tuple[int, int, str]] = []
        self._note_bytes = MAX_NOTE_BYTES
        self._machine_bytes = MAX_MACHINE_BYTES
        self._marks: dict[int, str] = {}
        self._registers: dict[int, tuple[int, int]] = {}
        self._roots: dict[int, None] | None = None
        """Of page tables; None where the core is of a process."""
        self._process = False

    def read(self) -> Layout:
        found = list(segments.read(self._file, self._draft, self._header))
        loads = [segment for segment in found if segment.type == _PT_LOAD]
        self._section_headers()
        for note in self.every_note(found):
            self._note(note)
        self._loads(loads)
        self._stacks()
        narrow, wide = MACHINES.get(self._header.machine, ("unknown", "unknown"))
        arch = wide if self._wide else narrow
        if self._roots is not None:
            runs = [
                (load.paddr, load.offset, self._draft.clip(load.offset, load.filesz))
                for load in loads
            ]
            arch = paging.join(
                self._file,
                self._draft,
                runs,
                arch=arch.replace("unknown", ""),
                roots=[*self._roots],
            )
            if not runs:  # sections have them, as those of Xen's dump-core do
                paging.unjoined(self._draft)
        return self._draft.layout(
            format_name="elfcore",
            arch=arch,
            pointer_size=self._word,
            byte_order="big" if self._header.big else "little",
        )

    def _section_headers(self) -> None:
        """Label the section headers, which say where nothing lies that segments do not have."""
        head = self._header
        if head.shoff:
            size = max(head.shnum, 1) * head.shentsize
            self._draft.label(head.shoff, size, "section headers")
            if missing := size - self._draft.clip(head.shoff, size):
                self._draft.gap("truncated", None, missing)

    # --- memory ---------------------------------------------------------------------------------

    def _loads(self, loads: list[Segment]) -> None:
        """Turn PT_LOADs into regions; what p_memsz has beyond p_filesz was not captured."""
        draft = self._draft
        # QEMU's dump-guest-memory without paging: all p_vaddr are 0, p_paddr is the address.
        physical = all(load.vaddr == 0 for load in loads)
        if self._roots is None and machine.is_machine(
            [(load.vaddr, load.paddr) for load in loads],
            sections=0 if self._header.lost else self._header.shnum,
            kind=(self._header.machine, self._wide),
            process=self._process,
        ):
            self._roots = {}
        self._files.sort()
        starts = [start for start, _, _ in self._files]
        marks = sorted(self._marks)
        for load in loads:
            start = load.paddr if physical else load.vaddr
            name = PHYSICAL if physical else ""
            at = bisect.bisect_right(starts, start) - 1
            if at >= 0 and start < self._files[at][1]:
                name = self._files[at][2]
            elif (at := bisect.bisect_left(marks, start)) < len(marks):
                name = self._marks[marks[at]] if marks[at] < start + load.memsz else ""
            draft.region(
                start,
                load.filesz,
                load.offset,
                perms=_PERMS[load.flags & 7],
                name=name,
                doubted=load.filesz > load.memsz or (start - load.offset) % _CONGRUENT != 0,
            )
            draft.gap("not-captured", start + load.filesz, load.memsz - load.filesz)

    # --- notes ----------------------------------------------------------------------------------

    def every_note(self, found: Iterable[Segment]) -> Iterator[_Note]:
        """Yield the notes of those segments that have some, up to MAX_NOTES."""
        left = MAX_NOTES
        for segment in found:
            if segment.type != _PT_NOTE:
                continue
            present = self._draft.clip(segment.offset, segment.filesz)
            self._draft.gap("truncated", None, segment.filesz - present)
            alignment = 8 if segment.align == 8 else 4
            for note in self._walk(segment.offset, segment.offset + present, alignment):
                if not left:
                    self._draft.fault("limit-notes", f"More than {MAX_NOTES} notes.")
                    return
                left -= 1
                yield note

    def _walk(self, at: int, end: int, alignment: int) -> Iterator[_Note]:
        """Yield the notes between two offsets: namesz, descsz, type, then name and descriptor."""
        codec = struct.Struct(self._order + "3I")
        base, window = at, b""
        while end - at >= codec.size:
            if at + 64 > base + len(window):
                base, window = at, self._file.read(at, min(end - at, 1 << 16))
            name_size, size, kind = codec.unpack_from(window, at - base)
            name_at = at + codec.size
            data_at = at + _padded(codec.size + name_size, alignment)
            if name_size > end - name_at or size > max(end - data_at, 0):
                self._draft.fault("damaged-notes", f"A note at {at} does not fit in its segment.")
                return
            owner = window[name_at - base : name_at - base + min(name_size, 32)].split(b"\0")[0]
            yield _Note(owner, kind, data_at, size)
            at = data_at + _padded(size, alignment)

    def _note(self, note: _Note) -> None:
        name = NOTES.get((note.owner, note.type)) or f"type {note.type:#x}"
        owner = note.owner.decode("ascii", "replace")
        title = f"note {name}" if (note.owner, note.type) in NOTES else f"note {owner} {name}"
        self._draft.label(note.offset, note.size, title)
        if (system := SYSTEMS.get(note.owner.partition(b"@")[0])) is not None:
            self._draft.system = self._draft.system or system
        self._process |= name in {"NT_PRPSINFO", "NT_AUXV", "NT_FILE"}
        if name == "NT_PRSTATUS":
            self._thread(note)
        elif (note.owner, note.type) == (b"CORE", 3):
            self._program(note)
        elif note.owner.startswith(b"NetBSD-CORE@") and note.owner[12:].isdigit():
            thread = Thread(id=int(note.owner[12:]))  # one of several notes of one LWP
            if self._draft.threads[-1:] != [thread]:
                self._draft.threads.append(thread)
        elif name in {"VMCOREINFO", "QEMU"}:
            self._machine_wide(note)
        elif name == "NT_FILE":
            self._mapped_files(note)
        elif name == "NT_AUXV":
            self._auxiliary(note)
        elif name == "NT_X86_XSTATE" and len(self._draft.joined) < registers.MAX_JOINED:
            self._draft.joined += registers.of_note(
                self._file, note.offset, note.size, wide=self._wide
            )

    def _machine_wide(self, note: _Note) -> None:
        """Note that the core is of a whole machine, and where its tables of pages begin."""
        if note.size > self._machine_bytes:
            self._draft.fault(
                "limit-notes", f"More than {MAX_MACHINE_BYTES:,} bytes of VMCOREINFO."
            )
        data = self._file.read(note.offset, min(note.size, self._machine_bytes))
        self._machine_bytes -= len(data)
        root = machine.root_of(note.owner, data)
        self._roots = self._roots or {}
        if root is not None and len(self._roots) <= paging.MAX_ROOTS:
            self._roots[root] = None

    def _thread(self, note: _Note) -> None:
        """Read pr_pid of struct elf_prstatus (Linux), or of prstatus_t (FreeBSD)."""
        at = {b"CORE": 32, b"FreeBSD": 40}[note.owner] if self._wide else 24
        if note.size >= at + 4:
            data = self._file.read(note.offset + at, 4)
            number = int.from_bytes(data, "big" if self._header.big else "little")
            self._draft.threads.append(Thread(id=number))
        amd64 = self._header.machine == _X86_64 and self._wide
        if amd64 and note.owner == b"CORE" and note.size >= 288:
            sp, _, fs_base = _WORDS.unpack(self._file.read(note.offset + 264, 24))
            self._registers[len(self._draft.threads) - 1] = sp, fs_base

    def _program(self, note: _Note) -> None:
        """Read pr_fname and count the words of pr_psargs (struct elf_prpsinfo of Linux).

        What the words are is never kept. Where they fill their 80 bytes, there may be more.
        """
        at = 40 if self._wide else 32 if note.size == 128 else 28
        if note.size < at + 96:
            return
        data = self._file.read(note.offset + at, 96)
        self._draft.process = data[:16].split(b"\0")[0].decode("utf-8", "replace")
        words = data[16:].split(b"\0")[0]
        if len(words) < 79:
            self._draft.arguments = max(len(words.split()) - 1, 0)

    def _stacks(self) -> None:
        """Give threads their stacks: the first one's is marked, the others end with their TCB.

        A stack that glibc made holds the thread's control block at its top, to which fs_base points
        and which points to itself twice (tcbhead_t of sysdeps/x86_64/nptl/tls.h). Stacks of other
        makers (of goroutines, say) lie in memory that holds more than a stack: nothing is claimed.
        """
        if not self._registers:
            return
        threads, regions = self._draft.threads, self._draft.by_address()
        starts = [region.start for region in regions]
        for index, (sp, fs_base) in self._registers.items():
            at = bisect.bisect_right(starts, sp) - 1
            if at < 0 or sp >= regions[at].start + regions[at].size:
                continue
            start, size, file = regions[at].start, regions[at].size, regions[at].file_offset
            if regions[at].name != "[stack]":
                size = fs_base - start
                if not sp < fs_base <= start + regions[at].size - 24:
                    continue
                head, _, own = _WORDS.unpack(self._file.read(file + size, 24))
                if not head == own == fs_base:
                    continue
            threads[index] = Thread(id=threads[index].id, stack_start=start, stack_size=size)

    def _auxiliary(self, note: _Note) -> None:
        """Note what the auxiliary vector points at: the first stack, and the vDSO."""
        codec = struct.Struct(self._order + ("2Q" if self._wide else "2I"))
        count = min(note.size // codec.size, 256)
        known = {25: "[stack]", 31: "[stack]", 33: "[vdso]"}  # AT_RANDOM, AT_EXECFN, SYSINFO_EHDR
        for kind, value in codec.iter_unpack(self._file.read(note.offset, count * codec.size)):
            if kind in known:
                self._marks.setdefault(value, known[kind])

    def _mapped_files(self, note: _Note) -> None:
        """Read NT_FILE: count, page size, count of (start, end, page), then as many paths."""
        draft, letter = self._draft, "Q" if self._wide else "I"
        head = struct.Struct(f"{self._order}2{letter}")
        entry = struct.Struct(f"{self._order}3{letter}")
        if note.size < head.size:
            draft.fault("damaged-notes", "An NT_FILE note has no count.")
            return
        if note.size > self._note_bytes:
            draft.fault("limit-notes", f"NT_FILE notes have more than {MAX_NOTE_BYTES:,} bytes.")
        data = self._file.read(note.offset, min(note.size, self._note_bytes))
        self._note_bytes -= len(data)
        if len(data) < head.size:
            return
        count, _ = head.unpack_from(data)
        if count > (held := (len(data) - head.size) // entry.size):
            draft.fault("damaged-count", f"NT_FILE claims {count} entries and holds {held}.")
            count = held
        end = head.size + count * entry.size
        paths = data[end:].split(b"\0", count)[:count]
        if len(paths) < count:
            draft.fault("damaged-count", f"NT_FILE claims {count} paths and holds {len(paths)}.")
        rows = entry.iter_unpack(data[head.size : end])
        ends = itertools.accumulate((len(path) + 1 for path in paths), initial=note.offset + end)
        for (start, stop, _), path, at in zip(rows, paths, ends, strict=False):
            text = path[: 4 * MAX_NAME].decode("utf-8", "replace")[:MAX_NAME]
            self._files.append((start, stop, base_name(text)))
            last = draft.modules[-1] if draft.modules else None
            if last and last.name == text and last.start + last.size == start and stop > start:
                draft.modules[-1] = replace(last, size=stop - last.start)
            elif len(draft.modules) < MAX_REGIONS:
                draft.modules.append(
                    Module(
                        start=start,
                        size=max(stop - start, 0),
                        name=text,
                        name_offset=at,
                        name_size=len(path),
                    )
                )


def _padded(size: int, alignment: int) -> int:
    return size + -size % alignment
