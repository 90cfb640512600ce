"""Suspended and saved VMware machines (.vmss, .vmsn): groups of tags, and maybe the memory.

A header counts groups of 80 bytes (name, offset, size); a group is a run of tags, each with a name,
up to three indices, and its data (as read by public forensic tools; VMware published no layout).
This module exists because memory may lie inside of such a file, as one run or several. It refuses
packed memory: what it holds cannot be seen.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.dump import paging
from scanner.dump.draft import Draft
from scanner.dump.names import PHYSICAL
from scanner.dump.source import File
from scanner.model import Layout

MAX_GROUPS = 1 << 12
MAX_TAGS = 1 << 20
MAX_RUNS = 1 << 10

_PAGE = 4096
_HEADER = struct.Struct("<3I")
_GROUP = struct.Struct("<64s2Q")
_MAGICS = (0xBED2BED0, 0xBAD1BAD1, 0xBED2BED2, 0xBED3BED3)
_LONG = 62
"""Sizes from here up say that the data's size follows."""


def sniff(head: bytes) -> bool:
    """Tell a state file by its magic, and by groups that could be."""
    if len(head) < _HEADER.size:
        return False
    magic, _, count = _HEADER.unpack_from(head)
    return magic in _MAGICS and 0 < count <= MAX_GROUPS


@dataclass(frozen=True, slots=True)
class _Tag:
    name: bytes
    indices: tuple[int, ...]
    offset: int
    size: int
    packed: bool


def parse(file: File, *, join: bool = True) -> Layout:
    """Read the groups, and of the group of the memory which run lies where.

    Pages are not always to ``join`` as processes have them.
    """
    draft = Draft(file.size)
    magic, _, count = _HEADER.unpack(file.read(0, _HEADER.size))
    draft.label(0, _HEADER.size, "header")
    held = draft.clip(_HEADER.size, count * _GROUP.size) // _GROUP.size
    if held < count:
        draft.fault("truncated", f"The file claims {count} groups and holds {held}.")
    table = file.read(_HEADER.size, held * _GROUP.size)
    draft.label(_HEADER.size, len(table), "directory")
    found = False
    for raw, offset, size in _GROUP.iter_unpack(table):
        name = raw.split(b"\0")[0]
        if draft.clip(offset, size) < size:
            draft.gap("truncated", None, size - draft.clip(offset, size))
        draft.label(offset, size, f"stream {name.decode('ascii', 'replace')}")
        if name == b"memory" and found:
            draft.fault("damaged-table", "The file has more than one group of memory.")
        elif name == b"memory":
            found, wide = True, magic & 0xF > 0
            room = size or (draft.file_size if offset else 0)  # what ends the tags tells as well
            end = offset + draft.clip(offset, room)
            _memory(draft, file, list(_tags(file, draft, offset, end, wide=wide)))
    arch = paging.join(file, draft, draft.physical()) if join else ""
    return draft.layout(format_name="vmware", arch=arch, pointer_size=8, byte_order="little")


def _tags(file: File, draft: Draft, at: int, end: int, *, wide: bool) -> Iterator[_Tag]:
    """Yield the tags of a group: flags, size of the name, name, indices, data."""
    for _ in range(MAX_TAGS):
        if at >= end:
            break
        head = file.read(at, min(2 + 255 + 12 + 18, end - at))
        if len(head) < 2 or head[:2] == b"\0\0":
            return
        flags, length = head[0], head[1]
        indices = flags >> 6
        start = 2 + length + 4 * indices
        if len(head) < start:
            break
        places = struct.unpack_from(f"<{indices}I", head, 2 + length)
        size, packed = flags & 0x3F, False
        if size >= _LONG:
            sizes = struct.Struct("<2QH" if wide else "<2IH")
            if len(head) < start + sizes.size:
                break
            size, whole, padding = sizes.unpack_from(head, start)
            packed = size != whole
            start += sizes.size + padding
        yield _Tag(head[2 : 2 + length], places, at + start, size, packed)
        at += start + size
    if at != end:
        draft.fault("damaged-table", f"The tags of the memory do not end at {end}.")


def _memory(draft: Draft, file: File, tags: list[_Tag]) -> None:
    """Add the runs of the memory; without regions it is one."""
    numbers = {
        (tag.name, tag.indices[:1]): int.from_bytes(file.read(tag.offset, tag.size), "little")
        for tag in tags
        if tag.size in {4, 8} and draft.clip(tag.offset, tag.size) == tag.size
    }
    body = next((tag for tag in tags if tag.name == b"Memory" and tag.size >= _LONG), None)
    if body is None:
        return  # it lies in a file beside this one
    if body.packed:
        draft.fault("unsupported", "The memory is packed, and nothing here unpacks it.")
        return
    count = numbers.get((b"regionsCount", ()), 0)
    if count == 0:
        draft.region(0, body.size, body.offset, name=PHYSICAL)
    for index in range(min(count, MAX_RUNS)):
        rows = [
            numbers.get((name, (index,)))
            for name in (b"regionPPN", b"regionPageNum", b"regionSize")
        ]
        if None in rows or count > MAX_RUNS:
            draft.fault("damaged-table", f"Of {count} regions of the memory some have no place.")
            return
        address, page, pages = (int(row or 0) * _PAGE for row in rows)
        draft.region(address, pages, body.offset + page, name=PHYSICAL)
