"""Windows kernel dumps: full, bitmap, runs of pages, and the small triage kind.

Layouts are those of ntiodump.h's DUMP_HEADER32 and DUMP_HEADER64, and of what public readers and
real dumps agree on for the tables behind them. This module exists because memory in these files is
physical (but for the triage kind) and far from all of the file: comments, contexts and the blobs
that drivers append are in no page map. It refuses to guess where two layouts are possible and the
count of pages bears neither out: the bytes are swept without addresses, under a fault.
"""

import struct
from typing import NamedTuple

from scanner.dump import bitmaps, paging
from scanner.dump.draft import MAX_REGIONS, Draft
from scanner.dump.names import IMAGE_MACHINES, PHYSICAL, SECONDARY, TRAILS
from scanner.dump.source import File
from scanner.errors import Damaged
from scanner.model import Layout

PAGE = 4096
MAX_BLOBS = 1 << 16
"""Values of drivers that are told apart."""


class _Shape(NamedTuple):
    """Where DUMP_HEADER32 or DUMP_HEADER64 has what; all offsets from the start of the file."""

    size: int
    word: str
    machine: int
    runs: int
    kind: int
    widest: int
    """Runs that the 700 bytes of the physical memory block can hold."""


_WIDE = _Shape(0x2000, "Q", 0x30, 0x88, 0xF98, 42)
_NARROW = _Shape(0x1000, "I", 0x20, 0x64, 0xF88, 86)

_BLOB = struct.Struct("<I16s3I")
"""Size, GUID, bytes of data, of padding before and behind them."""

_FULL, _SUMMARY, _HEADER, _TRIAGE = 1, 2, 3, 4
_BITMAPS = (5, 6, 7)
_RANGES = (8, 9, 10)


def sniff(head: bytes) -> bool:
    """Tell a kernel dump by its first eight bytes."""
    return head[:8] in {b"PAGEDUMP", b"PAGEDU64"}


def parse(file: File, *, join: bool = True) -> Layout:
    """Read the tables of a kernel dump; pages are not always to ``join`` as processes have them.

    Raises Damaged where the header itself is cut.
    """
    shape = _WIDE if file.read(0, min(file.size, 8)) == b"PAGEDU64" else _NARROW
    if file.size < shape.size:
        raise Damaged("the kernel dump has no whole header", reason=f"it has {file.size} bytes")
    return _Reader(file, shape).read(join=join)


class _Reader:
    """Reads one dump into a draft."""

    def __init__(self, file: File, shape: _Shape) -> None:
        self._file = file
        self._shape = shape
        self._draft = Draft(file.size)
        self._head = file.read(0, shape.size)

    def read(self, *, join: bool) -> Layout:
        draft, shape = self._draft, self._shape
        draft.label(0, shape.size, "header")
        draft.system = f"windows build {self._u32(0xC)}"
        kind = self._u32(shape.kind)
        if kind == _TRIAGE:
            self._triage()
        elif kind == _FULL:
            self._full()
        elif kind in {_SUMMARY, *_BITMAPS}:
            self._bitmap()
        elif kind in _RANGES:
            self._ranges()
        elif kind != _HEADER:
            draft.fault("unknown-kind", f"Kernel dumps of kind {kind} are not known.")
        elif draft.file_size > 2 * shape.size:
            draft.fault("damaged-table", "The dump says that it is a header alone, and is not.")
        arch = IMAGE_MACHINES.get(self._u32(shape.machine), "unknown")
        root = int.from_bytes(self._head[0x10:0x18], "little")  # DirectoryTableBase
        if join:
            arch = paging.join(
                self._file,
                draft,
                draft.physical(),
                arch=arch.replace("unknown", ""),
                roots=[root],
                windows=True,
            )
        return draft.layout(
            format_name="kerneldump",
            arch=arch,
            pointer_size=8 if shape is _WIDE else 4,
            byte_order="little",
        )

    def _u32(self, offset: int) -> int:
        return int.from_bytes(self._head[offset : offset + 4], "little")

    def _numbers(self, offset: int, layout: str) -> tuple[int, ...] | None:
        """Read numbers behind the header, or note that the file ends before them."""
        size = struct.calcsize("<" + layout)
        if self._draft.clip(offset, size) < size:
            self._draft.fault("truncated", f"The dump ends before the table at {offset:#x}.")
            return None
        numbers: tuple[int, ...] = struct.unpack("<" + layout, self._file.read(offset, size))
        return numbers

    # --- physical memory ------------------------------------------------------------------------

    def _pages(self, first: int, count: int, offset: int) -> int:
        """Note a run of pages, and return the offset behind it."""
        size = count * PAGE
        if first * PAGE >= 1 << 64:
            self._draft.fault("address-wrap", f"Page frame {first:#x} cannot be.")
        else:
            self._draft.region(first * PAGE, size, offset, name=PHYSICAL)
        return offset + size

    def _full(self) -> None:
        """Read the runs of the header; the pages of each follow it, in order."""
        shape, draft = self._shape, self._draft
        codec = struct.Struct("<2" + shape.word)
        count = self._u32(shape.runs)
        if count > shape.widest:
            text = f"The header claims {count} runs and has room for {shape.widest}."
            draft.fault("damaged-count", text)
            count = shape.widest
        at, offset = shape.runs + codec.size, shape.size
        stated = codec.unpack_from(self._head, shape.runs)[1]
        for first, pages in codec.iter_unpack(self._head[at : at + count * codec.size]):
            offset = self._pages(first, pages, offset)
        if (offset - shape.size) // PAGE != stated:
            text = f"The runs of the header do not have the {stated} pages that it claims."
            draft.fault("damaged-count", text)
        if not count:
            draft.fault("damaged-count", "A full dump without a run of pages cannot be.")
        self._rest(offset)

    def _bitmap(self) -> None:
        """Read SDMP or FDMP, DUMP, a bitmap, and the pages of the bits that are set."""
        base, draft = self._shape.size, self._draft
        marks = self._numbers(base, "8I")
        if marks is None:
            return
        if marks[0] not in {0x504D4453, 0x504D4446} or marks[1] != 0x504D5544:
            draft.fault("damaged-table", "The bitmap of pages has no mark.")
            return
        # BMP_HEADER64: first page, pages, bits; SUMMARY_DUMP_HEADER of older systems: its own.
        fields = self._numbers(base + 0x20, "3Q") or (0, 0, 0)
        tried = [(0x38, *fields)] if self._shape is _WIDE else []
        tried += [(at, marks[3], marks[5], marks[4]) for at in (0x20, 0x28, 0x30, 0x18)]
        for at, offset, pages, bits in tried:
            end = base + at + (bits + 7) // 8
            if not 0 < pages <= bits or end > offset:
                continue
            if end <= draft.file_size and bitmaps.count(self._file, base + at, bits) == pages:
                draft.label(base, end - base, "directory")
                self._set_pages(base + at, bits, offset)
                return
        draft.fault("damaged-table", "The bitmap does not have as many pages as it claims.")

    def _set_pages(self, at: int, bits: int, offset: int) -> None:
        for first, count in bitmaps.runs(self._file, at, bits, most=MAX_REGIONS + 1):
            offset = self._pages(first, count, offset)
            if self._draft.full:
                break
        self._rest(offset)

    def _ranges(self) -> None:
        """Read RDMP: marker, RDMP, DUMP, bytes of the table, first page; then (page, count)."""
        base, draft = self._shape.size, self._draft
        head = self._numbers(base, "4I2Q")
        if head is None:
            return
        if head[:3] != (0x40, 0x504D4452, 0x504D5544) or base + 0x30 > head[5]:
            draft.fault("damaged-table", "The table of page ranges has no mark.")
            return
        offset, at = head[5], base + 0x30
        room = draft.clip(at, min(offset - at, 16 * (MAX_REGIONS + 1)))
        if room < offset - at:
            draft.fault("truncated", "The dump ends within its table of page ranges.")
        draft.label(base, offset - base, "directory")
        for start in range(at, at + room - 15, 1 << 20):
            size = min(1 << 20, at + room - start) // 16 * 16
            for first, count in struct.iter_unpack("<2Q", self._file.read(start, size)):
                if first == 0:
                    self._rest(offset)
                    return
                offset = self._pages(first, count, offset)
        self._rest(offset)

    def _rest(self, offset: int) -> None:
        """Label what drivers appended behind the pages, and what is none of that.

        DUMP_BLOB_FILE_HEADER, of which the marks are Dump and Blob, then DUMP_BLOB_HEADERs, each
        with its own size, a GUID, and the sizes of the data and of the padding around them.
        """
        draft, at = self._draft, offset
        if draft.clip(at, 16) == 16 and self._file.read(at, 12) == b"DumpBlob\x10\0\0\0":
            at += 16
            for _ in range(MAX_BLOBS):
                if draft.clip(at, _BLOB.size) < _BLOB.size:
                    break
                size, _, data, before, behind = _BLOB.unpack(self._file.read(at, _BLOB.size))
                held = size + before + data
                if size != _BLOB.size or draft.clip(at, held) < held:
                    break
                at += held + behind
        end = min(at, draft.file_size)
        draft.label(offset, end - offset, SECONDARY)
        draft.label(end, draft.file_size - end, TRAILS)

    # --- the small kind -------------------------------------------------------------------------

    def _triage(self) -> None:
        """Read TRIAGE_DUMP_HEADER: a stack, data blocks at virtual addresses, and tables."""
        base, draft = self._shape.size, self._draft
        wide = self._shape is _WIDE
        fields = self._numbers(base, "32I" if wide else "26I")
        if fields is None:
            return
        draft.label(base, 4 * len(fields), "header")
        tail = fields[24:] if wide else (fields[19], 0, *fields[20:])
        mask = (1 << 64) - 1 if wide else (1 << 32) - 1
        stack = fields[18] | fields[19] << 32 if wide else fields[18]
        draft.region(stack & mask, fields[11], fields[10], perms="rw", name="call stack")
        draft.region((tail[0] | tail[1] << 32) & mask, tail[3], tail[2], name="data page")
        draft.label(fields[14], fields[15], "stream StringPool")
        draft.label(tail[4], tail[5], "stream KdDebuggerData")
        self._blocks(tail[6], tail[7], mask)
        if draft.clip(fields[2], 4) < 4 or self._file.read(fields[2], 4) != b"TRGD":
            draft.fault("damaged-table", "The dump has no mark at the end that it declares.")
        if fields[1] > draft.file_size:
            draft.gap("truncated", None, fields[1] - draft.file_size)
        self._rest(max(fields[1], base))

    def _blocks(self, offset: int, count: int, mask: int) -> None:
        """Read TRIAGE_DATA_BLOCKs: address (64 bits), offset and size of each."""
        room = self._draft.clip(offset, self._draft.file_size) // 16
        if count > room:
            text = f"The dump claims {count} data blocks and holds {room}."
            self._draft.fault("damaged-count", text)
            count = room
        self._draft.label(offset, count * 16, "directory")
        for at in range(0, 16 * count, 1 << 20):
            size = min(1 << 20, 16 * count - at)
            for address, place, length in struct.iter_unpack(
                "<Q2I", self._file.read(offset + at, size)
            ):
                start, word = address & mask, 8 if self._shape is _WIDE else 4
                self._draft.region(start, length, place, doubted=start % word != 0)
