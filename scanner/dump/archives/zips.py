"""ZIP archives (APPNOTE.TXT 6.3): every local header is walked, whatever the directory says.

Libraries read what the central directory names and nothing else: a member that it leaves out, or a
second one of the same name, would be lost. Here the local headers lead, the directory fills in
what they leave open and must agree. Encrypted members, methods that are not decoded here and
everything that contradicts itself are faults; what is no header, member or record of the directory
is a gap.
"""

import lzma
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scanner.dump.archives.archive import MAX_MEMBERS, Archive, Decoding, Member, member_name
from scanner.dump.codecs import XZ_MEMORY, Bounded, Decoder, open_decoder
from scanner.dump.source import CHUNK

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_HEADER = re.compile(rb"PK\x03\x04..[\0-\x7f].[\0-\x14\x5c-\x63]\0", re.DOTALL)
"""A local header: any version and flags, a method that exists."""
_MOST_FIELDS = 4096
"""Bytes of a name, extra fields and a comment, which may be 64 KiB each, that hold nothing else."""
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""What stands in no comment that anybody reads."""
_NONE32 = 0xFFFFFFFF
_DIRECTORY_BYTES = 64 << 20
_FIRST_READ = 512
"""Bytes in which the next header is looked for first: as a rule it follows."""

_AFF4 = b"aff4://"
"""The comment of an AFF4 image begins so: its members are blocks, packed each by itself."""
_METHODS = {8: "deflate", 12: "bzip2", 93: "zstd", 95: "xz"}


@dataclass(frozen=True, slots=True)
class _Row:
    """What the central directory says of a member."""

    packed: int
    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class _Header:
    """A local header. ``packed`` is -1 where nobody says."""

    name: str
    flags: int
    method: int
    crc: int | None
    packed: int
    size: int
    data: int
    """Offset of the first byte of the member's data."""


def sniff(head: bytes) -> bool:
    """Tell a ZIP archive by its first header, or the end of an empty one."""
    return _HEADER.match(head) is not None or head[:4] == b"PK\5\6"


def read(archive: Archive) -> Iterator[Member]:
    """Yield the members in the order of the file."""
    rows = _directory(archive)
    seen: set[int] = set()
    at = 0
    while (found := _find(archive, _records(archive, at))) is not None:
        header = _header(archive, found, rows.get(found))
        if header is None:
            at = found + 4
            continue
        if len(seen) == MAX_MEMBERS:
            archive.fault("limit-members", f"More than {MAX_MEMBERS} members.")
            return
        seen.add(found)
        fields = header.data - found - _LOCAL.size
        archive.know(found, _LOCAL.size + (fields if fields <= _MOST_FIELDS else 0))
        at = header.data + max(header.packed, 0)
        if header.flags & 1:
            archive.fault("encrypted", "A member of the archive is encrypted.")
        elif (source := _open(archive, header)) is None:
            text = f"A member of the archive has method {header.method}, which is not decoded."
            archive.fault("unsupported", text)
        else:
            yield Member(name=header.name, chunks=_checked(archive, header, source))
            if isinstance(source, Decoding):
                if header.packed >= 0 and source.end < at:
                    archive.fault("corrupt-member", "A member is smaller than its header says.")
                at = max(at, source.end)
        if header.flags & 8 and at > header.data:
            at = _descriptor(archive, at)
    if not rows.keys() <= seen:
        archive.fault("corrupt-archive", "The directory names members that are not there.")


def _descriptor(archive: Archive, at: int) -> int:
    """Return the offset behind a data descriptor (4.3.9), which may lack its signature."""
    at = min(at, archive.file.size)
    data = archive.file.read(at, min(26, archive.file.size - at))
    signed = data.startswith(b"PK\7\x08")
    sizes = (16, 24) if signed else (12, 20)
    size = next((size for size in sizes if data[size:].startswith(b"PK")), sizes[0])
    archive.know(at, size)
    return at + size


def _records(archive: Archive, at: int) -> int:
    """Return the offset behind the records of a directory that stand at an offset, if any do."""
    file = archive.file
    while at + 4 <= file.size:
        head = file.read(at, min(_END64.size, file.size - at))
        size = _record_size(head)
        if size == 0 or at + size > file.size:
            break
        known = size if size <= _MOST_FIELDS else _CENTRAL.size
        if head.startswith(b"PK\5\6"):
            comment = file.read(at + _END.size, size - _END.size)
            known = _END.size if _BINARY.search(comment) else size
        archive.know(at, known)
        at += size
    return at


def _record_size(head: bytes) -> int:
    """Return the bytes of a record of the directory, or of its end; 0 for what is neither."""
    kind = head[:4]
    if kind == b"PK\1\2" and len(head) >= _CENTRAL.size:
        fields: tuple[int, ...] = struct.unpack_from("<3H", head, 28)
        return _CENTRAL.size + sum(fields)
    if kind == b"PK\5\6" and len(head) >= _END.size:
        return _END.size + int.from_bytes(head[20:22], "little")
    if kind == b"PK\6\6" and len(head) >= _END64.size:
        return _END64.size
    return _LOCATOR.size if kind == b"PK\6\7" else 0


def _find(archive: Archive, at: int) -> int | None:
    """Return where the next local header is."""
    size, step = archive.file.size, _FIRST_READ
    while at + _LOCAL.size <= size:
        window = archive.file.read(at, min(step, size - at))
        if (match := _HEADER.search(window)) is not None:
            return at + match.start()
        if len(window) < step:
            return None
        at, step = at + len(window) - 16, CHUNK
    return None


def _header(archive: Archive, at: int, row: _Row | None) -> _Header | None:
    """Read a local header, or None where it is none or does not fit in the file."""
    if archive.file.size - at < _LOCAL.size:
        return None
    fields = _LOCAL.unpack(archive.file.read(at, _LOCAL.size))
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = fields
    data = at + _LOCAL.size + name_size + extra_size
    if data > archive.file.size:
        archive.fault("truncated-archive", "A header of the archive is cut.")
        return None
    tail = archive.file.read(at + _LOCAL.size, name_size + extra_size)
    packed, size, _ = _wide(tail[name_size:], packed, size, 0)
    known: int | None = crc
    if flags & 8:  # sizes and checksum follow the data
        packed, size, known = (row.packed, row.size, row.crc) if row else (-1, -1, None)
    elif row is not None and (row.packed, row.size) != (packed, size):
        archive.fault("corrupt-archive", "The directory and a member do not agree.")
    return _Header(member_name(tail[:name_size]), flags, method, known, packed, size, data)


def _wide(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """Take sizes from the ZIP64 extended information (4.5.3) where 32 bits cannot hold them."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + length]
            values = iter(struct.unpack_from(f"<{len(body) // 8}Q", body))
            size = next(values, size) if size == _NONE32 else size
            packed = next(values, packed) if packed == _NONE32 else packed
            offset = next(values, offset) if offset == _NONE32 else offset
            break
        at += 4 + length
    return packed, size, offset


def _open(archive: Archive, header: _Header) -> Iterable[bytes] | None:
    """Return what a member decodes to, or None where its method is not decoded here."""
    start, end = header.data, archive.file.size
    if header.packed >= 0:
        if start + header.packed > end:
            archive.fault("truncated-archive", "A member of the archive is cut.")
        end = min(end, start + header.packed)
    if header.method == 0 and header.packed >= 0:
        return archive.stored(start, end - start)
    if header.method == 14:
        return _lzma(archive, header, end)
    name = _METHODS.get(header.method)
    return archive.decoded(start, end, open_decoder(name)) if name else None


def _lzma(archive: Archive, header: _Header, end: int) -> Iterable[bytes] | None:
    """Open LZMA data (5.8.8): version, size of the properties, properties; then the stream."""
    if end - header.data < 9 or header.size < 0:
        return None
    archive.know(header.data, 9)
    properties = archive.file.read(header.data + 4, 5)
    decoder: Decoder = Bounded(lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=XZ_MEMORY))
    size = (1 << 64) - 1 if header.flags & 2 else header.size  # bit 1: an end marker is there
    lead = properties + size.to_bytes(8, "little")
    return archive.decoded(header.data + 9, end, decoder, lead)


def _checked(archive: Archive, header: _Header, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a member; a size or checksum that is not its header's is a fault."""
    crc = size = 0
    for piece in pieces:
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        yield piece
    if header.crc is not None and (crc, size) != (header.crc, header.size):
        archive.fault("corrupt-member", "A member of the archive is not what its header says.")


def _directory(archive: Archive) -> dict[int, _Row]:
    """Read the central directory: what it says of each local header, by offset."""
    file = archive.file
    tail_at = max(file.size - (1 << 16) - _END.size, 0)
    tail = file.read(tail_at, file.size - tail_at)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        archive.fault("truncated-archive", "The archive has no directory.")
        return {}
    _, disk, first, _, count, size, offset, _ = _END.unpack_from(tail, at)
    if tail.startswith(_AFF4, at + _END.size):
        archive.fault("unopened", "The archive is AFF4, whose images are not opened.")
    if _LOCATOR.size <= at and tail[at - _LOCATOR.size :].startswith(b"PK\6\7"):
        where = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)[2]
        if where + _END64.size <= file.size:
            fields = _END64.unpack(file.read(where, _END64.size))
            disk, first, count, size, offset = fields[4], fields[5], *fields[7:]
    if disk or first:
        archive.fault("unsupported", "The archive is one of several parts.")
    if offset + size > file.size or size > _DIRECTORY_BYTES:
        archive.fault("corrupt-archive", "The directory of the archive is not where it should be.")
        return {}
    rows = _rows(file.read(offset, size))
    _records(archive, offset)
    if len(rows) != count:
        archive.fault("corrupt-archive", f"The directory claims {count} members of {len(rows)}.")
    return rows


def _rows(data: bytes) -> dict[int, _Row]:
    rows: dict[int, _Row] = {}
    at = 0
    while data[at : at + 4] == b"PK\1\2" and at + _CENTRAL.size <= len(data):
        fields = _CENTRAL.unpack_from(data, at)
        crc, packed, size, name_size, extra_size, comment_size = fields[7:13]
        behind = at + _CENTRAL.size + name_size
        extra = data[behind : behind + extra_size]
        packed, size, offset = _wide(extra, packed, size, fields[-1])
        rows[offset] = _Row(packed, size, crc)
        at += _CENTRAL.size + name_size + extra_size + comment_size
    return rows
