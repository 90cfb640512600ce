"""Cabinets (.cab), as Windows Error Reporting and support tools pack dumps: stored and MSZIP.

Layouts are those of Microsoft's MS-CAB: a header, folders, files, and blocks of data, each of which
unpacks to at most 32 KiB; an MSZIP block is deflate that goes on from the block before it. A folder
is one stream that files are cut from. This module exists because a dump in a cabinet is opaque. It
refuses LZX and Quantum, and sets of several cabinets: what it cannot unpack is a fault. What a
folder holds beside its files is a stray.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.dump.archives.archive import MAX_MEMBERS, Archive, Member, member_name

BLOCK = 1 << 15
"""Bytes that a block unpacks to at most; the last 32 KiB are what the next one may refer to."""

_HEADER = struct.Struct("<4s5I2B5H")
_FOLDER = struct.Struct("<I2H")
_FILE = struct.Struct("<2I4H")
_PREVIOUS, _NEXT, _RESERVED = 1, 2, 4
_STORED, _MSZIP = 0, 1
_MOST_RESERVED, _MOST_SIGNATURE = 256, 1 << 16
_SIGNED, _SIGNATURE = 0x100000, struct.Struct("<3I8x")
_BESIDE = "beside the files"


def sniff(head: bytes) -> bool:
    """Tell a cabinet by its first eight bytes."""
    return head[:8] == b"MSCF\0\0\0\0"


@dataclass(frozen=True, slots=True)
class _File:
    name: bytes
    offset: int
    """In what its folder unpacks to."""
    size: int


@dataclass(frozen=True, slots=True)
class _Folder:
    start: int
    blocks: int
    kind: int
    files: tuple[_File, ...]


def read(archive: Archive) -> Iterator[Member]:
    """Yield the files of each folder, in the order of their bytes."""
    folders, reserve = _folders(archive)
    for folder in folders:
        stream = _Stream(archive, folder, reserve)
        for file in folder.files:
            if file.offset < stream.offset:
                archive.fault("corrupt-archive", "Two files of the cabinet share bytes.")
                continue
            if file.offset > stream.offset:
                yield Member(name=_BESIDE, chunks=stream.until(file.offset), stray=True)
            yield Member(name=member_name(file.name), chunks=stream.until(file.offset + file.size))
        yield Member(name=_BESIDE, chunks=stream.rest(), stray=True)


def _folders(archive: Archive) -> tuple[list[_Folder], int]:
    """Return the folders, and the bytes that each block has reserved."""
    file = archive.file
    if file.size < _HEADER.size:
        archive.fault("truncated-archive", "The cabinet has no whole header.")
        return [], 0
    fields = _HEADER.unpack(file.read(0, _HEADER.size))
    size, files_at, folder_count, file_count, flags = (
        fields[2],
        fields[4],
        fields[8],
        fields[9],
        fields[10],
    )
    archive.know(0, _HEADER.size)
    if size > file.size:
        archive.fault("truncated-archive", "The cabinet is shorter than it says.")
    if flags & (_PREVIOUS | _NEXT):
        archive.fault("unsupported", "The cabinet is one of several, which belong together.")
    at, reserve, extra = _HEADER.size, 0, 0
    if flags & _RESERVED and file.size >= at + 4:
        header, extra, reserve = struct.unpack("<H2B", file.read(at, 4))
        _reserved(archive, at + 4, header)
        archive.know(at, 4)
        at += 4 + header
    for _ in range((flags & (_PREVIOUS | _NEXT)).bit_count() * 2):
        start = at
        _, at = _text(archive, at)
        archive.know(start, at - start)
    rows = []
    for _ in range(folder_count):
        if at + _FOLDER.size > file.size:
            archive.fault("truncated-archive", "The cabinet ends within its folders.")
            break
        rows.append(_FOLDER.unpack(file.read(at, _FOLDER.size)))
        archive.know(at, _FOLDER.size + extra)
        at += _FOLDER.size + extra
    files = _files(archive, files_at, file_count)
    if not files.keys() <= set(range(len(rows))):
        archive.fault("corrupt-archive", "Files of the cabinet lie in a folder that is not there.")
    return [
        _Folder(start, blocks, kind, tuple(sorted(files.get(index, ()), key=lambda f: f.offset)))
        for index, (start, blocks, kind) in enumerate(rows)
    ], reserve


def _reserved(archive: Archive, at: int, size: int) -> None:
    """Note what a header has reserved: of 20 bytes, where a signature stands behind the cabinet."""
    file = archive.file
    if size > _MOST_RESERVED or at + size > file.size:
        return
    archive.know(at, size)
    if size != _SIGNATURE.size:
        return
    kind, start, length = _SIGNATURE.unpack(file.read(at, size))
    fits = kind == _SIGNED and length <= _MOST_SIGNATURE and start + length <= file.size
    if fits and file.read(start, min(length, 2)) == b"\x30\x82":  # a SEQUENCE: PKCS #7
        archive.know(start, length)


def _files(archive: Archive, at: int, count: int) -> dict[int, list[_File]]:
    """Return the files by the number of their folder."""
    found: dict[int, list[_File]] = {}
    for _ in range(min(count, MAX_MEMBERS)):
        if at + _FILE.size > archive.file.size:
            archive.fault("truncated-archive", "The cabinet ends within its files.")
            break
        size, offset, folder, *_ = _FILE.unpack(archive.file.read(at, _FILE.size))
        start = at
        name, at = _text(archive, at + _FILE.size)
        archive.know(start, at - start)
        found.setdefault(folder, []).append(_File(name, offset, size))
    return found


def _text(archive: Archive, at: int) -> tuple[bytes, int]:
    """Return a text that ends with a zero byte, and the offset behind it."""
    at = min(at, archive.file.size)
    data = archive.file.read(at, min(257, archive.file.size - at))
    text = data.split(b"\0")[0]
    return text, at + len(text) + 1


class _Stream:
    """What a folder unpacks to, read once and forward."""

    def __init__(self, archive: Archive, folder: _Folder, reserve: int) -> None:
        self.offset = 0
        self._archive = archive
        self._blocks = _blocks(archive, folder, reserve)
        self._held = b""

    def rest(self) -> Iterator[bytes]:
        """Yield what is left of the folder."""
        yield self._held
        yield from self._blocks

    def until(self, offset: int) -> Iterator[bytes]:
        """Yield what comes next, up to an offset in the folder."""
        left = offset - self.offset
        while left > 0:
            if not self._held:
                self._held = next(self._blocks, b"")
                if not self._held:
                    self._archive.fault("truncated-archive", "A file of the cabinet is cut.")
                    return
            part, self._held = self._held[:left], self._held[left:]
            self.offset += len(part)
            left -= len(part)
            yield part


def _blocks(archive: Archive, folder: _Folder, reserve: int) -> Iterator[bytes]:
    """Yield what each block of a folder unpacks to; a block that cannot be unpacked is the last."""
    kind = folder.kind & 0xF
    if kind not in {_STORED, _MSZIP}:
        archive.fault("unsupported", f"A folder is packed by method {kind}, which is not unpacked.")
        return
    at, window = folder.start, b""
    for _ in range(folder.blocks):
        if at + 8 + reserve > archive.file.size:
            archive.fault("truncated-archive", "The cabinet ends within its data.")
            return
        _, packed, size = struct.unpack("<I2H", archive.file.read(at, 8))
        archive.know(at, 8 + reserve)
        at += 8 + reserve
        data = archive.file.read(at, min(packed, archive.file.size - at))
        found, used = _inflate(data, window) if kind == _MSZIP else (data, packed)
        if len(found) != size or size > BLOCK:
            archive.fault("corrupt-member", "A block of the cabinet cannot be unpacked.")
            return
        archive.take(at, used)
        at += packed
        window = (window + found)[-BLOCK:]
        yield found


def _inflate(data: bytes, window: bytes) -> tuple[bytes, int]:
    """Return what an MSZIP block unpacks to, and of how many bytes; nothing where it cannot be."""
    decoder = zlib.decompressobj(-15, zdict=window) if window else zlib.decompressobj(-15)
    try:
        found = decoder.decompress(data[2:], BLOCK + 1) if data[:2] == b"CK" else b""
    except zlib.error:
        return b"", 0
    return (found, len(data) - len(decoder.unused_data)) if decoder.eof else (b"", 0)
