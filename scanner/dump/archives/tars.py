"""tar archives (POSIX.1-2024 pax, GNU and V7): members, sparse ones too, and what lies between.

The standard library reads the headers; this module exists because it stops at the end of the first
archive and takes damage for the end: what is neither header nor data is a gap, and a fault between
two members if it is not zeros. It refuses to extract: names, links and modes are labels.
"""

import io
import struct
import tarfile
from collections.abc import Iterator
from typing import cast

from scanner.dump.archives.archive import MAX_MEMBER_NAME, MAX_MEMBERS, Archive, Member, zeros
from scanner.dump.source import File
from scanner.errors import Unreadable

_BLOCK = 512
_HEADER_BYTES = 64 << 20
"""Bytes of one extended header: what pax allows has no bound."""
_MOST_HEAD = 1 << 16
"""Bytes of all headers of a member, but for the map of a sparse one, that hold nothing else."""
_CONTINUED, _CONTINUED_PAX = b"M", "GNU.volume.offset"
"""What goes on from another volume is told so, by its type or by a global header: GNU tar(1)'s -M,
without and with --format=posix."""
_BROKEN = (
    tarfile.TarError,
    ValueError,
    OverflowError,
    RecursionError,
    MemoryError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    struct.error,
)
"""What tarfile raises over headers that contradict themselves."""


def sniff(head: bytes) -> bool:
    """Tell a tar archive by the checksum of its first header, 512 bytes."""
    if len(head) < _BLOCK or not any(head[:100]):
        return False
    field = head[148:156].strip(b" \0")
    if not field or any(digit not in b"01234567" for digit in field):
        return False
    return int(field, 8) == sum(head[:148]) + 8 * 0x20 + sum(head[156:_BLOCK])


class _Raw(io.RawIOBase):
    """A file object over positioned reads, of which no single read is large."""

    def __init__(self, file: File) -> None:
        self._file, self._at = file, 0

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > _HEADER_BYTES:
            raise tarfile.ReadError("too large")
        left = max(self._file.size - self._at, 0)
        data = self._file.read(self._at, min(size, left)) if left else b""
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence or offset < 0:
            raise ValueError("only positions from the start")
        self._at = offset
        return offset

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def read(archive: Archive) -> Iterator[Member]:
    """Yield the members in the order of the file, of concatenated archives too."""
    end = 0
    try:
        tar = tarfile.open(fileobj=_Raw(archive.file), mode="r:", ignore_zeros=True)  # noqa: SIM115 - the file is not ours to close
        for _ in range(MAX_MEMBERS):
            info = tar.next()
            if info is None:
                break
            vars(tar)["members"] = []  # it would keep all of them
            if info.type == _CONTINUED or _CONTINUED_PAX in tar.pax_headers:
                archive.fault("unsupported", "The archive is one of several volumes.")
            _between(archive, end, info.offset)
            yield from _member(archive, info, tar.offset)
            if tar.offset < max(info.offset_data, end + _BLOCK):
                raise tarfile.ReadError("the archive goes backwards")
            end = tar.offset
        else:
            archive.fault("limit-members", f"More than {MAX_MEMBERS} members.")
    except Unreadable:
        raise
    except _BROKEN:
        archive.fault("corrupt-archive", "The archive cannot be read to its end.")
    _behind_global(archive, end, archive.file.size)


def _between(archive: Archive, start: int, end: int) -> None:
    """Note a fault where anything but zeros and global headers lies between two members."""
    end = min(end, archive.file.size)
    start = _behind_global(archive, start, end)
    if any(map(any, archive.file.chunks(start, end))):
        archive.fault("corrupt-archive", "Bytes between two members are no header.")


def _behind_global(archive: Archive, start: int, end: int) -> int:
    """Pass over global extended headers, of which tarfile tells nothing; they are swept."""
    while end - start >= _BLOCK:
        block = archive.file.read(start, _BLOCK)
        digits = block[124:136].strip(b" \0")
        octal = all(digit in b"01234567" for digit in digits)
        if block[156:157] != tarfile.XGLTYPE or not sniff(block) or not octal:
            break
        size = int(digits or b"0", 8)
        archive.know(start, _BLOCK + size + -size % _BLOCK)
        start += _BLOCK + size + -size % _BLOCK
    return min(start, end)


def _member(archive: Archive, info: tarfile.TarInfo, end: int) -> Iterator[Member]:
    """Yield a member that has data: a file, or one of a kind that nobody knows."""
    name = _name(archive, info)[:MAX_MEMBER_NAME]
    head = min(info.offset_data, end) - info.offset
    if head <= _MOST_HEAD or info.sparse is not None:
        archive.know(info.offset, head)
    rows = cast("list[tuple[int, int]] | None", info.sparse)  # its stub says bytes
    if rows is not None:
        yield Member(name=name, chunks=_sparse(archive, info, rows, end))
    elif info.size > 0 and (info.isreg() or info.type not in tarfile.SUPPORTED_TYPES):
        place = (info.offset_data, info.size)
        yield Member(name=name, chunks=archive.stored(*place), place=place)
        archive.know(info.offset_data + info.size, -info.size % _BLOCK)


def _name(archive: Archive, info: tarfile.TarInfo) -> str:
    """Return a member's name: of incremental archives of GNU tar without a time before it.

    Where POSIX has the beginning of a name, its header has the time of the last access.
    """
    at = min(info.offset_data, archive.file.size) - _BLOCK
    head = archive.file.read(at, _BLOCK) if at >= 0 else b""
    if head[257:265] != tarfile.GNU_MAGIC:
        return info.name
    time = head[345:357].split(b"\0")[0].decode("ascii", "replace")
    return info.name.removeprefix(f"{time}/") if time else info.name


def _sparse(
    archive: Archive, info: tarfile.TarInfo, rows: list[tuple[int, int]], end: int
) -> Iterator[bytes]:
    """Yield a sparse member with its holes as zeros; ``rows`` are (offset, size) of its data."""
    at, data = 0, info.offset_data
    for offset, size in rows:
        if size == 0:
            continue  # old headers have four rows, whether they need them or not
        if offset < at or size < 0 or offset + size > max(info.size, 0):
            archive.fault("corrupt-member", "The map of a sparse member contradicts itself.")
            return
        yield from zeros(offset - at)
        yield from archive.stored(data, size)
        at, data = offset + size, data + size
    yield from zeros(info.size - at)
    if end - data >= _BLOCK:
        archive.fault("corrupt-member", "A sparse member has data that its map leaves out.")
    else:
        archive.know(data, end - data)
