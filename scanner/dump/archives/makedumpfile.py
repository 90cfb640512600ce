"""Compressed dumps of Linux kernels (makedumpfile, QEMU): each page decoded, as one ELF core.

Layouts are those of makedumpfile's diskdump_mod.h: a header, a sub header, two bitmaps, a
descriptor for each page that the dump holds, and pages, each compressed on its own. This module
exists because no key in a compressed page can be seen. It refuses to lose a page: one that cannot
be decoded is zeros under a fault, and its bytes stay in what is swept of the file itself.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cramjam
import zstandard

from scanner.dump import bitmaps
from scanner.dump.archives import cores
from scanner.dump.archives.archive import Archive, Member
from scanner.dump.codecs import BROKEN
from scanner.dump.draft import MAX_REGIONS
from scanner.dump.lzop import unpack_lzo
from scanner.dump.source import CHUNK

MAX_NOTE_BYTES = 64 << 20
MAX_SPANS = 1 << 20
"""Runs of page data that are told apart from the rest of the file; what is more is swept twice."""
ZLIB, LZO, SNAPPY, INCOMPLETE, ZSTD = 1, 2, 4, 8, 0x20

_MACHINES = {
    b"x86_64": 62,
    b"aarch64": 183,
    b"s390x": 22,
    b"ppc64": 21,
    b"ppc64le": 21,
    b"riscv64": 243,
    b"loongarch64": 258,
    b"ia64": 50,
    b"arm": 40,
    b"armv7l": 40,
    b"ppc": 20,
    b"i386": 3,
    b"i586": 3,
    b"i686": 3,
}
"""utsname.machine, and what ELF calls it."""

_BINARY = re.compile(rb"[\0-\x08\x0e-\x1f]")
"""What stands in no text."""
_HEADS = (("<", True), (">", True), ("<", False), (">", False))
_DESCRIPTOR = 24


def sniff(head: bytes) -> bool:
    """Tell a compressed dump by its first eight bytes."""
    return head[:8] == b"KDUMP   "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dump:
    """What the headers say; offsets and sizes in bytes, none of them past the end of the file."""

    target: cores.Target
    block: int
    bitmap: int
    first: int
    last: int
    """Page frames between which the pages of this file lie."""
    table: int
    pages: int
    notes: tuple[tuple[int, int], ...]
    """Offset and size of ELF notes."""
    info: tuple[int, int]
    """Offset and size of VMCOREINFO, which is text."""
    erased: tuple[int, int]
    """The same of what was overwritten on purpose, a line each."""


class _Page(NamedTuple):
    """page_desc_t."""

    offset: int
    size: int
    flags: int


def read(archive: Archive) -> Iterator[Member]:
    """Yield the memory of the dump, as an ELF core with physical addresses."""
    dump = _headers(archive)
    if dump is not None:
        yield Member(name="memory", chunks=_core(archive, dump))


# --- headers ------------------------------------------------------------------------------------


def _headers(archive: Archive) -> _Dump | None:
    """Read both headers in whatever word size and byte order they are, or say why not."""
    for order, wide in _HEADS:
        dump = _headers_as(archive, order, wide=wide)
        if dump is not None:
            return dump
    archive.fault("corrupt-archive", "The headers of the compressed dump contradict its size.")
    return None


def _headers_as(archive: Archive, order: str, *, wide: bool) -> _Dump | None:
    file = archive.file
    layout = order + ("8si390s6x2qIiiI2I3I" if wide else "8si390s2x2lIiiI2I3I")
    codec = struct.Struct(layout)
    if file.size < codec.size:
        return None
    fields = codec.unpack(file.read(0, codec.size))
    version, names, status, block, sub, blocks, limit = (*fields[1:3], *fields[5:10])
    if not 1 <= version <= 64 or not 512 <= block <= 1 << 20 or block & (block - 1) or sub < 1:
        return None
    bitmap, table = (1 + sub) * block, (1 + sub + blocks) * block
    if not bitmap < table <= file.size:
        return None
    first, last, limit, notes, info, erased = _sub_header(
        archive, order, block, limit, wide=wide, version=version
    )
    half = (table - bitmap) // 2
    if (limit + 7) // 8 <= half:  # what exists, then what is dumped; older dumps have one of them
        bitmap += half
    bits = min(limit, 8 * (table - bitmap))
    if bits < limit:
        archive.fault("corrupt-archive", "The bitmap is shorter than the memory that it maps.")
    if last == 0 or not first <= last <= bits:  # else one of several files: it has these alone
        first, last = 0, bits
    pages = bitmaps.count(file, bitmap, last) - bitmaps.count(file, bitmap, first)
    if pages > (room := (file.size - table) // _DESCRIPTOR):
        text = f"The dump claims {pages} pages and has room for {room} descriptors."
        archive.fault("truncated-archive", text)
        pages = room
    if status & INCOMPLETE:
        archive.fault("truncated-archive", "Its writer says that the dump is incomplete.")
    machine = names[4 * 65 : 5 * 65].split(b"\0")[0]
    return _Dump(
        target=cores.Target(
            machine=_MACHINES.get(machine, 0), wide=wide, order=order, physical=True
        ),
        block=block,
        bitmap=bitmap,
        first=first,
        last=last,
        table=table,
        pages=pages,
        notes=(notes,) if notes[1] else (),
        info=info,
        erased=erased,
    )


def _sub_header(
    archive: Archive, order: str, block: int, limit: int, *, wide: bool, version: int
) -> tuple[int, int, int, tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Read kdump_sub_header: first and last page of a split dump, pages in all, notes, texts."""
    codec = struct.Struct(order + ("Q2i11Q" if wide else "I2i2IQIQIQI3Q"))
    if archive.file.size < block + codec.size:
        return 0, 0, limit, (0, 0), (0, 0), (0, 0)
    row = codec.unpack(archive.file.read(block, codec.size))
    split, first, last = row[2], row[3], row[4]
    if version >= 6:
        first, last, limit = row[11:14] if row[13] else (*row[11:13], limit)
    if version < 2 or not split:
        first = last = 0
    info = _fits(archive, row[5], row[6]) if version >= 3 else (0, 0)
    notes = _fits(archive, row[7], row[8]) if version >= 4 else (0, 0)
    erased = _fits(archive, row[9], row[10]) if version >= 5 else (0, 0)
    return first, last, limit, notes, info, erased


def _fits(archive: Archive, offset: int, size: int) -> tuple[int, int]:
    if size > MAX_NOTE_BYTES or offset + size > archive.file.size:
        archive.fault("corrupt-archive", "Notes of the dump lie past its end.")
        return 0, 0
    return offset, size


# --- the core that is written -------------------------------------------------------------------


def _core(archive: Archive, dump: _Dump) -> Iterator[bytes]:
    """Yield an ELF core: header, program headers, notes, and all pages in order."""
    archive.know(0, dump.table + _DESCRIPTOR * dump.pages)
    for span in (*dump.notes, dump.info):
        archive.know(*span)
    if not _BINARY.search(archive.file.read(*dump.erased)):
        archive.know(*dump.erased)
    runs = list(bitmaps.runs(archive.file, dump.bitmap, dump.last, most=MAX_REGIONS + 1))
    notes = b"".join(archive.file.read(*span) for span in dump.notes)
    if b"VMCOREINFO" not in notes:  # an empty one says that it is a machine's memory
        notes += cores.note(dump.target, b"VMCOREINFO", archive.file.read(*dump.info))
    segments = [(first * dump.block, count * dump.block) for first, count in _cut(runs, dump)]
    yield cores.head(dump.target, segments, notes=notes, align=dump.block)
    yield from _Pages(archive, dump).decoded()


def _cut(runs: list[tuple[int, int]], dump: _Dump) -> list[tuple[int, int]]:
    """Return what of the runs this file has, as far as its pages go."""
    kept: list[tuple[int, int]] = []
    left = dump.pages
    for first, count in runs:
        start = max(first, dump.first)
        size = min(first + count - start, left)
        if size > 0:
            kept.append((start, size))
            left -= size
    return kept


class _Pages:
    """Decodes the pages of a dump, and notes which bytes of it they were made of."""

    def __init__(self, archive: Archive, dump: _Dump) -> None:
        self._archive = archive
        self._dump = dump
        self._last: _Page | None = None
        self._page = b""
        self._start = self._end = 0
        self._spans = 0

    def decoded(self) -> Iterator[bytes]:
        """Yield every page, in the order of the descriptors."""
        dump, file = self._dump, self._archive.file
        codec = struct.Struct(dump.target.order + "Q2IQ")
        step = CHUNK // codec.size
        for first in range(0, dump.pages, step):
            count = min(step, dump.pages - first)
            table = file.read(dump.table + first * codec.size, count * codec.size)
            for offset, size, flags, _ in codec.iter_unpack(table):
                yield self._decode(_Page(offset, size, flags))
        self._archive.take(self._start, self._end - self._start)

    def _decode(self, page: _Page) -> bytes:
        """Return a page of the dump's size; zeros, under a fault, where there is none."""
        if page == self._last:
            return self._page
        archive, block = self._archive, self._dump.block
        data = b""
        if page.offset == 0 or page.offset + page.size > archive.file.size:
            archive.fault("truncated-archive", "Pages of the dump were never written.")
        elif page.size > 2 * block:
            archive.fault("corrupt-member", "A page of the dump is larger than a page can be.")
        else:
            data = self._unpack(archive.file.read(page.offset, page.size), page.flags)
        if len(data) == block:
            self._take(page)
        else:
            data = bytes(block)
        self._last, self._page = page, data
        return data

    def _unpack(self, data: bytes, flags: int) -> bytes:
        """Return what a page decodes to, or nothing, under a fault."""
        block, packed = self._dump.block, flags & (ZLIB | LZO | SNAPPY | ZSTD)
        page = None
        try:
            if packed == 0:
                page = data
            elif packed == ZLIB:
                page = zlib.decompressobj().decompress(data, block + 1)
            elif packed == SNAPPY and cramjam.snappy.decompress_raw_len(data) == block:
                page = bytes(cramjam.snappy.decompress_raw(data))
            elif packed == ZSTD:
                page = zstandard.ZstdDecompressor().stream_reader(data).read(block + 1)
            elif packed == LZO:
                page = unpack_lzo(data, block)
                if page is None:
                    text = "Pages are packed with LZO, and nothing that unpacks it is installed."
                    self._archive.fault("unsupported", text)
                    return b""
        except BROKEN:
            page = None
        if page is None or len(page) != block:
            self._archive.fault("corrupt-member", "A page of the dump cannot be decoded.")
            return b""
        return page

    def _take(self, page: _Page) -> None:
        """Note that a page was made of its bytes; runs of them are one."""
        if page.offset == self._end:
            self._end += page.size
            return
        if self._spans < MAX_SPANS:
            self._spans += 1
            self._archive.take(self._start, self._end - self._start)
            self._start, self._end = page.offset, page.offset + page.size
