"""LiME: the memory of a Linux machine as ranges of physical addresses, one behind the other.

Each range is a header of 32 bytes (LiME's doc/README: magic, version, first and last address,
reserved) and its bytes. This module exists because addresses begin anew with each range. It refuses
to look for the next header where none stands: what follows has no address, under a fault.
"""

import struct

from scanner.dump import paging
from scanner.dump.draft import MAX_REGIONS, Draft
from scanner.dump.names import PHYSICAL, TRAILS
from scanner.dump.source import File
from scanner.model import Layout

MAGIC = 0x4C694D45
MARKS = (b"EMiL", b"AVML")
TRAILING = 512
"""Bytes that may follow the last range: unpacking leaves the name of a gzip stream there."""
HEADER = struct.Struct("<2I3Q")
"""Magic, version, first address, last address, reserved."""


def sniff(head: bytes) -> bool:
    """Tell a LiME file by its magic and version 1."""
    return head[:8] == struct.pack("<2I", MAGIC, 1)


def trails(file: File, at: int) -> bool:
    """Tell whether what follows the ranges is a name or a mark that a packer left there."""
    size = file.size - at
    if not 0 < at < file.size or size > TRAILING:
        return False
    head = file.read(at, min(size, 4))
    return head not in {mark[: len(head)] for mark in MARKS} and any(head)


def parse(file: File, *, join: bool = True) -> Layout:
    """Read the headers of all ranges; pages are not always to ``join`` as processes have them."""
    draft = Draft(file.size)
    draft.system = "linux kernel"
    at = 0
    for _ in range(MAX_REGIONS):
        if at == file.size:
            break
        if trails(file, at):
            draft.label(at, file.size - at, TRAILS)
            break
        if draft.clip(at, HEADER.size) < HEADER.size:
            draft.fault("truncated", "The dump ends within a header.")
            break
        magic, version, first, last, _ = HEADER.unpack(file.read(at, HEADER.size))
        if (magic, version) != (MAGIC, 1) or last < first:
            draft.fault("damaged-table", f"No header of a range stands at {at}.")
            break
        draft.label(at, HEADER.size, "header")
        draft.region(first, last - first + 1, at + HEADER.size, name=PHYSICAL)
        at += HEADER.size + last - first + 1
        if at > file.size:
            break
    else:
        draft.fault("limit-regions", f"More than {MAX_REGIONS} ranges; the rest has no address.")
    arch = paging.join(file, draft, draft.physical()) if join else ""
    return draft.layout(format_name="lime", arch=arch, pointer_size=8, byte_order="little")
