"""Mach-O cores: which bytes of the file stand at which address.

Layouts are those of Apple's mach-o/loader.h. This module exists because a core of macOS has a load
command for each of thousands of mappings, most of them empty. It refuses what is no core: programs,
libraries and fat files are left to whoever sweeps bytes.
"""

import struct
from collections.abc import Iterator

from scanner.dump.draft import MAX_REGIONS, Draft
from scanner.dump.names import CPU_TYPES
from scanner.dump.source import File
from scanner.errors import Damaged
from scanner.model import Layout, Thread

MAX_COMMAND_BYTES = 256 << 20
"""Bytes of load commands that are read: 72 for a mapping."""

_MAGICS = {
    b"\xce\xfa\xed\xfe": ("<", False),
    b"\xcf\xfa\xed\xfe": ("<", True),
    b"\xfe\xed\xfa\xce": (">", False),
    b"\xfe\xed\xfa\xcf": (">", True),
}
_MH_CORE = 4
_LC_SEGMENT, _LC_THREAD, _LC_UNIXTHREAD, _LC_SEGMENT_64, _LC_NOTE = 1, 4, 5, 0x19, 0x31
_PERMS = ("", "r", "w", "rw", "x", "rx", "wx", "rwx")
"""VM_PROT_READ, VM_PROT_WRITE, VM_PROT_EXECUTE."""


def sniff(head: bytes) -> bool:
    """Tell a Mach-O core by its first 16 bytes, in its own byte order."""
    kind = _MAGICS.get(head[:4])
    return kind is not None and head[12:16] == struct.pack(kind[0] + "I", _MH_CORE)


def parse(file: File) -> Layout:
    """Read the load commands. Raises Damaged where the header itself is cut."""
    head = file.read(0, min(file.size, 32))
    order, wide = _MAGICS[head[:4]]
    size = 32 if wide else 28
    if len(head) < size:
        raise Damaged("the Mach-O core has no whole header", reason=f"it has {file.size} bytes")
    draft = Draft(file.size)
    cpu, _, _, count, total = struct.unpack_from(order + "5I", head, 4)
    draft.label(0, size, "header")
    draft.system = "macos"
    for kind, at, length in _commands(file, draft, order, size, count, total):
        _command(file, draft, order, kind, at, length)
    return draft.layout(
        format_name="macho",
        arch=CPU_TYPES.get(cpu, "unknown"),
        pointer_size=8 if wide else 4,
        byte_order="little" if order == "<" else "big",
    )


def _commands(
    file: File, draft: Draft, order: str, at: int, count: int, total: int
) -> Iterator[tuple[int, int, int]]:
    """Yield kind, offset and size of each load command; sizeofcmds and ncmds must agree."""
    end = at + min(total, MAX_COMMAND_BYTES, draft.clip(at, draft.file_size))
    if end < at + total:
        draft.fault("damaged-table", f"The core claims {total:,} bytes of commands.")
    draft.label(at, end - at, "directory")
    codec = struct.Struct(order + "2I")
    for _ in range(min(count, MAX_REGIONS)):
        if at + codec.size > end:
            break
        kind, length = codec.unpack(file.read(at, codec.size))
        if length < codec.size or at + length > end:
            draft.fault("damaged-table", f"A load command at {at} does not fit.")
            return
        yield kind, at, length
        at += length
        count -= 1
    if count > 0:
        draft.fault("damaged-count", f"The core claims {count} load commands more than it has.")


def _command(file: File, draft: Draft, order: str, kind: int, at: int, length: int) -> None:
    layouts = {_LC_SEGMENT: "16s8I", _LC_SEGMENT_64: "16s4Q4I", _LC_NOTE: "16s2Q"}
    if kind in {_LC_THREAD, _LC_UNIXTHREAD}:
        draft.threads.append(Thread(id=len(draft.threads)))
    if kind not in layouts:
        return
    codec = struct.Struct(order + layouts[kind])
    if length < 8 + codec.size:
        draft.fault("damaged-table", f"A load command at {at} is too short.")
        return
    name, *fields = codec.unpack(file.read(at + 8, codec.size))
    if kind == _LC_NOTE:
        owner = name.split(b"\0")[0].decode("ascii", "replace")
        draft.label(fields[0], fields[1], f"note {owner}")
        draft.gap("truncated", None, fields[1] - draft.clip(fields[0], fields[1]))
        return
    start, memory, offset, size, _, protection = fields[:6]
    odd = (start - offset) % 8 != 0  # both begin pages
    draft.region(start, size, offset, perms=_PERMS[protection & 7], doubted=odd or size > memory)
    draft.gap("not-captured", start + size, memory - size)
