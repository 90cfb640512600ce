"""Flattened dumps (makedumpfile -F): records of a file that was written through a pipe.

A header of 4096 bytes, then records of offset, size (both big-endian) and bytes, which may go back
and write over what stood there, until both are -1. This module exists because addresses hold in the
file that the records make up alone; what was written over stays in what is swept of this one. It
refuses to make holes larger than the file is, and to take more records than it can put in order.
"""

import heapq
import itertools
import struct
from array import array
from collections.abc import Iterator

import numpy as np

from scanner.dump.archives.archive import Archive, Member, zeros
from scanner.dump.source import CHUNK

MAX_RECORDS = 1 << 21
"""makedumpfile writes half a megabyte at a time; to put one in order takes some 100 bytes."""
HOLES = 64 << 20
"""Bytes that holes may have beyond the size of the file."""

_HEAD = 4096
_RECORD = struct.Struct(">2q")

_Records = tuple["array[int]", "array[int]", "array[int]"]
"""Of each record: offset in the file that is made, end of it there, offset in this file."""


def sniff(head: bytes) -> bool:
    """Tell a flattened dump by its first 16 bytes."""
    return head[:16] == b"makedumpfile\0\0\0\0"


def read(archive: Archive) -> Iterator[Member]:
    """Yield the file that the records make up."""
    records = _records(archive)
    if records[0]:
        yield Member(name="dump", chunks=_joined(archive, records))


def _records(archive: Archive) -> _Records:
    records = array("q"), array("q"), array("q")
    file, at = archive.file, _HEAD
    for _ in range(MAX_RECORDS):
        if at + _RECORD.size > file.size:
            archive.fault("truncated-archive", "The records of the dump have no end.")
            return records
        offset, size = _RECORD.unpack(file.read(at, _RECORD.size))
        if offset == size == -1:
            archive.know(0, at + _RECORD.size)
            return records
        at += _RECORD.size
        if offset < 0 or size < 0 or offset + size >= 1 << 63:
            archive.fault("corrupt-archive", "A record of the dump has no place.")
            return records
        held = min(size, file.size - at)
        if held < size:
            archive.fault("truncated-archive", "A record of the dump is cut.")
        if held:
            for column, value in zip(records, (offset, offset + held, at), strict=True):
                column.append(value)
        at += held
    archive.fault("limit-members", f"More than {MAX_RECORDS} records.")
    return records


def _joined(archive: Archive, records: _Records) -> Iterator[bytes]:
    """Yield the file from its start, of each place what was written last, and zeros in holes."""
    room = archive.file.size + HOLES
    at = 0
    for start, end, source in _visible(records):
        hole = start - at
        room -= hole
        if room < 0:
            archive.fault("limit-bytes", "The records of the dump lie too far apart.")
            return
        yield from zeros(hole)
        yield from archive.stored(source, end - start)
        at = end


def _visible(records: _Records) -> Iterator[tuple[int, int, int]]:
    """Yield disjoint parts of the records, by offset; a later record hides an earlier one."""
    starts, ends, sources = records
    order = np.argsort(np.asarray(starts), kind="stable")
    active: list[int] = []
    coming = 0
    held: tuple[int, int, int] | None = None
    for low, high in itertools.pairwise(_edges(starts, ends)):
        while coming < len(order) and starts[index := int(order[coming])] <= low:
            heapq.heappush(active, -index)
            coming += 1
        while active and ends[-active[0]] <= low:
            heapq.heappop(active)
        if not active:
            continue
        last = -active[0]
        part = (low, high, sources[last] + low - starts[last])
        if held and held[1] == low and held[2] + low - held[0] == part[2]:
            held = (held[0], high, held[2])
            continue
        if held:
            yield held
        held = part
    if held:
        yield held


def _edges(starts: "array[int]", ends: "array[int]") -> Iterator[int]:
    """Yield where records begin and end, each place once, in order."""
    edges = np.unique(np.concatenate((np.asarray(starts), np.asarray(ends))))
    for at in range(0, len(edges), CHUNK):
        yield from edges[at : at + CHUNK].tolist()
