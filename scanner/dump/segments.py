"""The header of an ELF core and its program headers, as they stand.

Layouts are those of the System V ABI (gabi, chapters 4 and 5). This module exists because a core
may have more segments than e_phnum can count (PN_XNUM), or a count that is lost. It refuses to read
more of them than the file holds.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from scanner.dump.draft import MAX_REGIONS, Draft
from scanner.dump.source import File

_PN_XNUM = 0xFFFF
_BATCH = 1 << 20


class Segment(NamedTuple):
    """Elf32_Phdr or Elf64_Phdr, in one order."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Elf32_Ehdr or Elf64_Ehdr, as far as a core needs it."""

    wide: bool
    """It has 64 bits."""
    order: str
    """Of bytes, as :mod:`struct` spells it."""
    machine: int
    size: int
    phoff: int
    phentsize: int
    phnum: int
    shoff: int
    shentsize: int
    shnum: int

    @property
    def lost(self) -> bool:
        """Tell whether sections, and a place for segments, say that there are some: e_phnum is 0.

        What has sections alone, as Xen's dump-core writes them, has no such place.
        """
        return self.phnum == 0 and self.phoff > 0 and self.shnum > 1

    @property
    def big(self) -> bool:
        """Tell whether the most significant byte comes first."""
        return self.order == ">"


def header(head: bytes) -> Header:
    """Read the header, of which the 52 or 64 first bytes of a file are given."""
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    fields: tuple[int, ...] = struct.unpack_from(
        order + ("2HI3QI6H" if wide else "2HI3II6H"), head, 16
    )
    return Header(
        wide=wide,
        order=order,
        machine=fields[1],
        size=fields[7] if fields[7] >= 52 else 64,
        phoff=fields[4],
        phentsize=fields[8],
        phnum=fields[9],
        shoff=fields[5],
        shentsize=fields[10],
        shnum=fields[11],
    )


def read(file: File, draft: Draft, head: Header) -> Iterator[Segment]:
    """Yield the program headers, each cut to its standard fields; what is wrong is a fault."""
    layout = head.order + ("2I6Q" if head.wide else "8I")
    codec = struct.Struct(layout)
    if head.phnum == 0:
        if head.lost:
            draft.fault("damaged-table", "The core has a table of segments, and counts none in it.")
        return
    stride = head.phentsize
    if stride < codec.size:
        draft.fault("damaged-table", f"Program headers of {stride} bytes cannot be.")
        stride = codec.size
    count = _count(file, draft, head, codec, stride)
    draft.label(head.phoff, count * stride, "program headers")
    if stride > 1024:  # no writer known; read what is standard of each
        for index in range(count):
            yield _segment(head, codec.unpack(file.read(head.phoff + index * stride, codec.size)))
        return
    padded = struct.Struct(f"{layout}{stride - codec.size}x")
    batch = _BATCH // stride
    for first in range(0, count, batch):
        size = min(batch, count - first) * stride
        for row in padded.iter_unpack(file.read(head.phoff + first * stride, size)):
            yield _segment(head, row)


def _segment(head: Header, row: tuple[int, ...]) -> Segment:
    if head.wide:
        return Segment(*row)
    kind, offset, vaddr, paddr, filesz, memsz, flags, align = row
    return Segment(kind, flags, offset, vaddr, paddr, filesz, memsz, align)


def _count(file: File, draft: Draft, head: Header, codec: struct.Struct, stride: int) -> int:
    """Return e_phnum, or what section header 0 says instead (PN_XNUM), cut to the file."""
    count = head.phnum
    room = draft.clip(head.phoff, draft.file_size) // stride
    if not head.phoff:
        draft.fault("damaged-table", "The program headers lie within the ELF header.")
        return 0
    if count == _PN_XNUM:
        count = _extended(file, draft, head) or _estimated(file, draft, head, codec, stride)
    if count > room:
        draft.fault("damaged-table", f"The core claims {count} segments and holds {room}.")
        count = room
    if count > MAX_REGIONS:
        draft.fault("limit-regions", f"The core has {count} segments; {MAX_REGIONS} are read.")
        count = MAX_REGIONS
    return count


def _extended(file: File, draft: Draft, head: Header) -> int:
    """Return sh_info of section header 0, or 0 where there is none."""
    at = head.shoff + (44 if head.wide else 28)
    if not head.shoff or draft.clip(at, 4) < 4:
        return 0
    return int.from_bytes(file.read(at, 4), "big" if head.big else "little")


def _estimated(file: File, draft: Draft, head: Header, codec: struct.Struct, stride: int) -> int:
    """Guess a count that is lost: the table ends where the first segment's bytes begin."""
    draft.fault("damaged-table", "The core's count of segments is lost; it is a guess.")
    if draft.clip(head.phoff, codec.size) < codec.size:
        return 0
    first = _segment(head, codec.unpack(file.read(head.phoff, codec.size))).offset
    end = first if first > head.phoff else draft.file_size
    return min(end - head.phoff, draft.clip(head.phoff, draft.file_size)) // stride
