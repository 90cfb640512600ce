"""An ELF core around memory that an archive held: what stands before the memory.

This module exists so that memory which was packed, or written as text, comes out as a dump that a
reader already knows, with its addresses. It refuses to know where the memory came from.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_XNUM = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What kind of machine it was."""

    machine: int = 0
    """e_machine; 0 where nobody says."""
    wide: bool = True
    order: str = "<"
    """As struct spells it."""
    physical: bool = False
    """Addresses are physical ones."""


def head(
    target: Target, segments: Sequence[tuple[int, int]], *, notes: bytes = b"", align: int = 1
) -> bytes:
    """Return header, program headers and notes (gABI 4 and 5), up to a multiple of ``align``.

    ``segments`` are (address, bytes), and must follow one behind the other. Where e_phnum is too
    small for their number, section header 0 has it (PN_XNUM).
    """
    wide, order = target.wide, target.order
    header, row, section = (64, 56, 64) if wide else (52, 32, 40)
    count = len(segments) + 1
    extended = count >= _XNUM
    table = header + (section if extended else 0)
    at = table + row * count
    body = -(-(at + len(notes)) // align) * align
    rows = [_row(target, 4, at, 0, len(notes))]
    offset = body
    for address, size in segments:
        rows.append(_row(target, 1, offset, address, size))
        offset += size
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    number = _XNUM if extended else count
    ends = (0, header, row, number, section if extended else 0, int(extended), 0)
    places = (0, table, header if extended else 0)
    word = "Q" if wide else "I"
    out = ident + struct.pack(f"{order}2HI3{word}I6H", 4, target.machine, 1, *places, *ends)
    if extended:
        null = bytes(44 if wide else 28) + struct.pack(order + "I", count)
        out += null.ljust(section, b"\0")
    return (out + b"".join(rows) + notes).ljust(body, b"\0")


def note(target: Target, owner: bytes, data: bytes, *, kind: int = 0) -> bytes:
    """Return one note; its parts are padded to four bytes."""
    name = owner + b"\0"
    sizes = struct.pack(target.order + "3I", len(name), len(data), kind)
    return sizes + name.ljust(-(-len(name) // 4) * 4, b"\0") + data + bytes(-len(data) % 4)


def _row(target: Target, kind: int, offset: int, address: int, size: int) -> bytes:
    limit = (1 << 64) - 1 if target.wide else (1 << 32) - 1
    address &= limit
    virtual, physical = (0, address) if target.physical else (address, 0)
    if target.wide:
        fields = (kind, 4, offset, virtual, physical, size, size, 4)
        return struct.pack(target.order + "2I6Q", *fields)
    narrow = (kind, offset & limit, virtual, physical, size & limit, size & limit, 4, 4)
    return struct.pack(target.order + "8I", *narrow)
