"""Flattened dumps (makedumpfile -F): records of a file that was written through a pipe.

A header of 4096 bytes, then records of offset, size (both big-endian) and bytes, which may go back
and write over what stood there, until both are -1. This module exists because addresses hold in the
file that the records make up alone; what was written over stays in what is swept of this one. It
refuses to make holes larger than the file is.
"""

import heapq
import itertools
import struct
from collections.abc import Iterator

from scanner.dump.archives.archive import Archive, Member
from scanner.dump.source import CHUNK

MAX_RECORDS = 1 << 22
HOLES = 64 << 20
"""Bytes that holes may have beyond the size of the file."""

_HEAD = 4096
_RECORD = struct.Struct(">2q")

_Record = tuple[int, int, int]
"""Offset in the file that is made, end of it there, offset in this file."""


def sniff(head: bytes) -> bool:
    """Tell a flattened dump by its first 16 bytes."""
    return head[:16] == b"makedumpfile\0\0\0\0"


def read(archive: Archive) -> Iterator[Member]:
    """Yield the file that the records make up."""
    records = list(_records(archive))
    if records:
        yield Member(name="dump", chunks=_joined(archive, records))


def _records(archive: Archive) -> Iterator[_Record]:
    file, at = archive.file, _HEAD
    for _ in range(MAX_RECORDS):
        if at + _RECORD.size > file.size:
            archive.fault("truncated-archive", "The records of the dump have no end.")
            return
        offset, size = _RECORD.unpack(file.read(at, _RECORD.size))
        if offset == size == -1:
            archive.know(0, at + _RECORD.size)
            return
        at += _RECORD.size
        if offset < 0 or size < 0:
            archive.fault("corrupt-archive", "A record of the dump has no place.")
            return
        held = min(size, file.size - at)
        if held < size:
            archive.fault("truncated-archive", "A record of the dump is cut.")
        if held:
            yield offset, offset + held, at
        at += held
    archive.fault("limit-members", f"More than {MAX_RECORDS} records.")


def _joined(archive: Archive, records: list[_Record]) -> Iterator[bytes]:
    """Yield the file from its start, of each place what was written last, and zeros in holes."""
    room = archive.file.size + HOLES
    at = 0
    for start, end, source in _visible(records):
        hole = start - at
        room -= hole
        if room < 0:
            archive.fault("limit-bytes", "The records of the dump lie too far apart.")
            return
        for done in range(0, hole, CHUNK):
            yield bytes(min(CHUNK, hole - done))
        yield from archive.stored(source, end - start)
        at = end


def _visible(records: list[_Record]) -> Iterator[_Record]:
    """Yield disjoint parts of the records, by offset; a later record hides an earlier one."""
    order = sorted(range(len(records)), key=lambda index: records[index][0])
    edges = sorted({edge for record in records for edge in record[:2]})
    active: list[tuple[int, int]] = []
    coming = 0
    held: _Record | None = None
    for low, high in itertools.pairwise(edges):
        while coming < len(order) and records[order[coming]][0] <= low:
            index = order[coming]
            heapq.heappush(active, (-index, records[index][1]))
            coming += 1
        while active and active[0][1] <= low:
            heapq.heappop(active)
        if not active:
            continue
        offset, _, source = records[-active[0][0]]
        part = (low, high, source + low - offset)
        if held and held[1] == low and held[2] + low - held[0] == part[2]:
            held = (held[0], high, held[2])
            continue
        if held:
            yield held
        held = part
    if held:
        yield held
