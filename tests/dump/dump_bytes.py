"""Dumps as bytes, for the tests of the readers; shares no layout with what it tests."""

import os
import struct
import tempfile
from collections.abc import Sequence

from scanner.dump.source import File
from scanner.dump.space import Memory, find
from scanner.errors import Unmapped
from scanner.model import Layout


def file_of(data: bytes, *, extra: int = 0) -> File:
    """Return an open file with these bytes, and a hole of ``extra`` bytes behind them."""
    with tempfile.TemporaryFile() as handle:
        handle.write(data)
        handle.flush()
        handle.truncate(len(data) + extra)
        return File(os.dup(handle.fileno()))


def bytes_at(memory: Memory, address: int, size: int) -> bytes:
    """Return ``size`` bytes from an address on; raises Unmapped if not all are there."""
    where = find(memory.map, address)
    if where is None:
        raise Unmapped(f"no byte at address {address:#x}")
    return memory.read(where[0], where[1], size)


def damage(layout: Layout) -> set[str]:
    """Return the faults of a dump, but for what made-up memory without tables of pages has."""
    return {fault.code for fault in layout.faults} - {"no-page-tables"}


class _Writer:
    """A minidump in the making: its bytes, and the directory's entries."""

    def __init__(self, streams: int, order: str) -> None:
        self.order = order
        self.out = bytearray(32 + 12 * streams)
        self.directory: list[tuple[int, int, int]] = []

    def put(self, data: bytes) -> int:
        self.out.extend(data)
        return len(self.out) - len(data)

    def put_stream(self, kind: int, data: bytes) -> None:
        self.directory.append((kind, len(data), self.put(data)))

    def put_list(self, kind: int, entries: list[bytes], *, padded: bool) -> None:
        if entries:
            head = struct.pack(self.order + "I", len(entries)) + bytes(4 * padded)
            self.put_stream(kind, head + b"".join(entries))

    def module(self, base: int, size: int, name: str) -> bytes:
        text = name.encode("utf-16-le" if self.order == "<" else "utf-16-be")
        at = self.put(struct.pack(self.order + "I", len(text)) + text + b"\0\0")
        return struct.pack(self.order + "Q4I84x", base, size, 0, 0, at)

    def thread(self, number: int, start: int, data: bytes) -> bytes:
        row = (number, start, len(data), self.put(data), 8, self.put(b"context!"))
        return struct.pack(self.order + "I20xQ4I", *row)

    def memory(self, start: int, data: bytes) -> bytes:
        return struct.pack(self.order + "Q2I", start, len(data), self.put(data))

    def put_memory64(self, memory: Sequence[tuple[int, bytes]]) -> None:
        if memory:
            base = len(self.out) + 16 + 16 * len(memory)
            rows = [struct.pack(self.order + "2Q", start, len(data)) for start, data in memory]
            self.put_stream(9, struct.pack(self.order + "2Q", len(rows), base) + b"".join(rows))
            self.put(b"".join(data for _, data in memory))


def minidump(
    *,
    memory: Sequence[tuple[int, bytes]] = (),
    memory64: Sequence[tuple[int, bytes]] = (),
    threads: Sequence[tuple[int, int, bytes]] = (),
    modules: Sequence[tuple[int, int, str]] = (),
    streams: Sequence[tuple[int, bytes]] = (),
    arch: int = 9,
    order: str = "<",
    padded: bool = False,
    count: int | None = None,
) -> bytes:
    """Write a minidump: memory and stacks as (address, bytes), modules as (base, size, name)."""
    total = len(streams) + 1 + sum(map(bool, (memory, memory64, threads, modules)))
    writer = _Writer(total, order)
    for kind, data in streams:
        writer.put_stream(kind, data)
    writer.put_stream(7, struct.pack(order + "H", arch) + bytes(54))
    writer.put_list(4, [writer.module(*module) for module in modules], padded=padded)
    writer.put_list(3, [writer.thread(*thread) for thread in threads], padded=padded)
    writer.put_list(5, [writer.memory(*entry) for entry in memory], padded=padded)
    writer.put_memory64(memory64)
    number = total if count is None else count
    struct.pack_into(order + "4I", writer.out, 0, 0x504D444D, 0xA793, number, 32)
    for index, entry in enumerate(writer.directory):
        struct.pack_into(order + "3I", writer.out, 32 + 12 * index, *entry)
    return bytes(writer.out)


def note(owner: bytes, kind: int, data: bytes, *, order: str = "<") -> bytes:
    """Write one note, its parts padded to 4 bytes."""
    head = struct.pack(order + "3I", len(owner) + 1, len(data), kind)
    name = owner + bytes(1 + -(len(owner) + 1) % 4)
    return head + name + data + bytes(-len(data) % 4)


def elfcore(
    loads: Sequence[tuple[int, bytes, int]],
    *,
    notes: bytes = b"",
    wide: bool = True,
    order: str = "<",
    machine: int = 62,
    stride: int | None = None,
    extended: bool = False,
    physical: bool = False,
) -> bytes:
    """Write a core with PT_LOADs as (address, bytes in the file, size in memory)."""
    header, entry = (64, 56) if wide else (52, 32)
    stride = entry if stride is None else stride
    section = (64 if wide else 40) if extended else 0
    count = len(loads) + bool(notes)
    at = header + section + stride * count
    table, body = bytearray(), bytearray(notes)
    rows = [(4, 4, at, 0, 0, len(notes), 0)] if notes else []
    for address, data, size in loads:
        where = (0, address) if physical else (address, 0)
        rows.append((1, 6, at + len(body), *where, len(data), size))
        body += data
    for kind, flags, offset, vaddr, paddr, filesz, memsz in rows:
        if wide:
            row = struct.pack(order + "2I6Q", kind, flags, offset, vaddr, paddr, filesz, memsz, 4)
        else:
            row = struct.pack(order + "8I", kind, offset, vaddr, paddr, filesz, memsz, flags, 4)
        table += row.ljust(stride, b"\xaa")
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    first = struct.pack(order + "2HI", 4, machine, 1)
    word = "Q" if wide else "I"
    places = struct.pack(f"{order}3{word}", 0, header + section, header if extended else 0)
    number = 0xFFFF if extended else count
    last = struct.pack(order + "I6H", 0, header, stride, number, section, 1 if extended else 0, 0)
    sections = bytes(section)
    if extended:
        info = 44 if wide else 28
        sections = bytes(info) + struct.pack(order + "I", count) + bytes(section - info - 4)
    return ident + first + places + last + sections + table + body
