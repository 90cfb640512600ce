"""What readers that are not ours make of a dump: gdb, lldb, pyelftools and the minidump package.

Each returns what it read as text, structure and not content: threads and their registers and
stacks, modules, ranges of memory. Nothing is imported from the scanner. Backtraces walk the stack,
so they are content too; a secret is no return address.
"""

import logging
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile
from minidump.constants import MINIDUMP_STREAM_TYPE
from minidump.minidumpfile import MinidumpFile

SECONDS = 300
MOST_STREAMS = 256

_GDB = (
    "info threads",
    "thread apply all backtrace 40",
    "thread apply all info registers",
    "info files",
    "info proc mappings",
)
_LLDB = (
    "target list",
    "thread list",
    "thread backtrace all -c 40",
    "memory region --all",
    "image list",
)
_GO_ON = "settings set interpreter.stop-command-source-on-error false"


def gdb(path: Path) -> str:
    """Return threads, stacks, sections and mappings of an ELF core."""
    asked = [word for command in _GDB for word in ("-ex", command)]
    return _said("gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-c", path, *asked)


def lldb(path: Path) -> str:
    """Return threads, stacks, modules and regions of an ELF core or a minidump."""
    asked = [word for command in _LLDB for word in ("-o", command)]
    return _said("lldb", "--no-lldbinit", "--batch", "-O", _GO_ON, "-c", path, *asked)


def _said(*words: str | Path) -> str:
    """Return what a program says of a file, wherever that lies."""
    (path,) = (word for word in words if isinstance(word, Path))
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=path.parent,
    )
    return f"{done.returncode}\n{done.stdout}{done.stderr}".replace(str(path), "DUMP")


def elf(path: Path) -> str:
    """Return headers, program headers and notes of an ELF core, as pyelftools reads them."""
    lines: list[str] = []
    with path.open("rb") as file:
        read = ELFFile(file)
        lines.append(repr(sorted(read.header.items(), key=str)))
        for segment in read.iter_segments():
            lines.append(repr(sorted(segment.header.items())))
            if segment["p_type"] == "PT_NOTE":
                lines += _notes(segment)
    return "\n".join(lines)


def _notes(segment: object) -> Iterator[str]:
    for note in segment.iter_notes():  # type: ignore[attr-defined]
        yield f"{note['n_offset']} {note['n_name']} {note['n_type']} {note['n_descsz']}"
        if note["n_type"] == "NT_FILE":
            yield repr(note["n_desc"])


def minidump(path: Path) -> str:
    """Return streams, threads, modules and memory of a minidump, as the package reads them."""
    before = logging.root.manager.disable
    logging.disable()  # it tells of what it cannot find
    try:
        read = MinidumpFile.parse_bytes(_bearable(path.read_bytes()))
    finally:
        logging.disable(before)
    known = [entry for entry in read.directories if entry.StreamType.value]
    lines = [f"{entry.StreamType} {entry.Location}" for entry in known]
    tables = (read.threads, read.modules, read.memory_info)
    lines += [repr(part.to_table() if part else None) for part in tables]
    for part in (read.memory_segments, read.memory_segments_64):
        ranges = part.memory_segments if part else ()
        lines += [f"{r.start_virtual_address} {r.size} {r.start_file_address}" for r in ranges]
    lines.append(str(read.sysinfo))
    return "\n".join(lines)


def _bearable(data: bytes) -> bytes:
    """Return a minidump with the streams unknown to the package unused: it gives up at one.

    It counts as many of them as the header says, so of a hostile count a bounded part is left.
    """
    made = bytearray(data)
    count, table = struct.unpack_from("<II", data, 8)
    count = min(count, max(len(data) - table, 0) // 12, MOST_STREAMS)
    struct.pack_into("<I", made, 8, count)
    for at in range(table, table + 12 * count, 12):
        if int.from_bytes(data[at : at + 4], "little") not in _STREAMS:
            made[at : at + 4] = bytes(4)
    return bytes(made)


_STREAMS = {one.value for one in MINIDUMP_STREAM_TYPE}


READERS: dict[str, tuple[tuple[str, Callable[[Path], str]], ...]] = {
    "elf": (("pyelftools", elf), ("gdb", gdb), ("lldb", lldb)),
    "minidump": (("minidump", minidump), ("lldb", lldb)),
}
_MAGICS = {b"\x7fELF": "elf", b"MDMP": "minidump"}


def differing(before: Path, after: Path) -> tuple[list[str], list[str]]:
    """Return the readers that read two dumps of one name alike, and those to which they differ.

    A reader that is not there, and one that raises at both, is in neither list.
    """
    with before.open("rb") as file:
        kind = _MAGICS.get(file.read(4), "")
    same: list[str] = []
    differ: list[str] = []
    for name, read in READERS.get(kind, ()):
        if name in ("gdb", "lldb") and shutil.which(name) is None:
            continue
        one, other = _tried(read, before), _tried(read, after)
        if one != other:
            differ.append(name)
        elif one is not None:
            same.append(name)
    return same, differ


def _tried(read: Callable[[Path], str], path: Path) -> str | None:
    try:
        return read(path)
    except Exception:  # noqa: BLE001 - what another reader raises on damage is its own affair
        return None
