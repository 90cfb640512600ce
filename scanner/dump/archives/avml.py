"""AVML, version 2: the memory of a Linux machine in ranges, each packed with framed Snappy.

A range is a header like LiME's, a Snappy stream, and eight bytes that count what the stream takes
(AVML's image.rs). This module exists because a stream says nothing of where its bytes belong: what
comes out is LiME. It refuses to go on behind a range that does not decode to what its header says.
"""

import struct
from collections.abc import Iterator

import cramjam

from scanner.dump.archives.archive import MAX_MEMBERS, Archive, Member
from scanner.dump.codecs import BROKEN, SNAPPY_CHUNK
from scanner.dump.lime import HEADER
from scanner.dump.lime import MAGIC as LIME
from scanner.dump.source import CHUNK

_AVML = 0x4C4D5641
_IDENTIFIER = b"\xff\x06\0\0sNaPpY"
_PAGE = 4096


def sniff(head: bytes) -> bool:
    """Tell a file with packed ranges by its magic and version 2."""
    return head[:8] == struct.pack("<2I", _AVML, 2)


def read(archive: Archive) -> Iterator[Member]:
    """Yield the memory of the dump, as LiME."""
    yield Member(name="memory", chunks=_ranges(archive))


def _ranges(archive: Archive) -> Iterator[bytes]:
    file, at = archive.file, 0
    for _ in range(MAX_MEMBERS):
        if at == file.size:
            archive.know(0, at)
            return
        if at + HEADER.size > file.size:
            archive.fault("truncated-archive", "The dump ends within a header.")
            return
        magic, version, first, last, _ = HEADER.unpack(file.read(at, HEADER.size))
        if last % _PAGE == 0 and first < last:  # the address behind the last one
            last -= 1
        if (magic, version) not in {(_AVML, 2), (LIME, 1)} or last < first:
            archive.fault("corrupt-archive", "No header of a range stands where one should.")
            return
        yield HEADER.pack(LIME, 1, first, last, 0)
        at += HEADER.size
        if magic == LIME:
            yield from archive.stored(at, last - first + 1)
            at = min(at + last - first + 1, file.size)
            continue
        packed = _Range(archive, at)
        yield from packed.decoded(last - first + 1)
        if not packed.whole:
            return
        at = packed.at
    archive.fault("limit-members", f"More than {MAX_MEMBERS} ranges.")


class _Range:
    """One Snappy stream; behind it ``at`` is where the next header should stand."""

    def __init__(self, archive: Archive, at: int) -> None:
        self.at = at
        self.whole = False
        self._archive = archive
        self._held, self._base = b"", at

    def decoded(self, size: int) -> Iterator[bytes]:
        """Yield exactly ``size`` bytes, or fewer under a fault."""
        archive, start = self._archive, self.at
        left = size
        while left > 0:
            chunk = self._chunk()
            if chunk is None:
                return
            self.at += len(chunk)
            if chunk[0] not in {0, 1}:
                if chunk != _IDENTIFIER and any(chunk[4:]):
                    archive.fault("corrupt-member", "A chunk of a range is of no known kind.")
                    return
                continue
            try:
                data = bytes(cramjam.snappy.decompress(_IDENTIFIER + chunk))
            except BROKEN:
                data = b""
            if not 0 < len(data) <= left:
                archive.fault("corrupt-member", "A range cannot be decoded to its end.")
                return
            left -= len(data)
            archive.take(self.at - len(chunk), len(chunk))
            yield data
        if self._bytes(8) != struct.pack("<Q", self.at - start):
            archive.fault("corrupt-member", "A range does not end where its header says.")
            return
        self.at += 8
        self.whole = True

    def _chunk(self) -> bytes | None:
        """Return the next chunk of the stream: kind, size in three bytes, data."""
        head = self._bytes(4)
        size = 4 + int.from_bytes(head[1:4], "little")
        if len(head) == 4 and size <= SNAPPY_CHUNK:
            chunk = self._bytes(size)
            if len(chunk) == size:
                return chunk
        kind = "truncated-archive" if self.at + size > self._archive.file.size else "corrupt-member"
        self._archive.fault(kind, "A range of the dump is cut.")
        return None

    def _bytes(self, size: int) -> bytes:
        """Return the next bytes, fewer at the end of the file."""
        skip, file = self.at - self._base, self._archive.file
        if skip + size > len(self._held):
            self._held = file.read(self.at, min(CHUNK, file.size - self.at))
            self._base, skip = self.at, 0
        return self._held[skip : skip + size]
