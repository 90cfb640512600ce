"""Entries of the systemd journal as ``journalctl -o export`` writes them (Journal Export Formats).

A field is a line, or its name on a line, a size in 64 bits, as many bytes, and an end of line; an
empty line ends an entry. This module exists because a core in such a field is bytes to everybody
else. It gives the fields that are no text; what is text is swept as it stands.
"""

import re
from collections.abc import Iterator

from scanner.dump import codecs
from scanner.dump.archives.archive import MAX_MEMBERS, Archive, Member, member_name
from scanner.dump.source import CHUNK, File

MOST_TEXT = 64 << 10
"""Bytes of a field that may be text of several lines: it has no line of its own then."""
MAX_FIELDS = 1 << 20
"""Fields that are no line, text or not."""
LEAST = 4 << 10
"""Bytes that are looked at together, unless the file ends."""

_START = re.compile(
    rb"__(?:CURSOR=s=[0-9a-f]+;|REALTIME_TIMESTAMP=[0-9]{10,20}\n|MONOTONIC_TIMESTAMP=[0-9]+\n)"
)
_LINES = re.compile(rb"(?:[A-Za-z0-9_]{1,64}+=[^\0-\x08\n\x0e-\x1a\x1c-\x1f]*+\n|\n)++")
_LINE = re.compile(rb"[A-Za-z0-9_]{1,64}=")
_NAME = re.compile(rb"([A-Za-z0-9_]{1,64})\n")
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
"""What no text has: an escape may be there, for colours."""
_SIZE = 8


def sniff(head: bytes) -> bool:
    """Tell entries by the first field, which says where or when the first one was written."""
    return _START.match(head) is not None


class _Window:
    """A piece of a file, of which the next bytes are looked at without reading them again."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._start = 0
        self.data = b""

    def at(self, offset: int) -> int:
        """Return where an offset is in ``data``, with enough behind it."""
        end = self._start + len(self.data)
        if offset < self._start or (offset + LEAST > end and end < self._file.size):
            self._start = offset
            self.data = self._file.read(offset, min(CHUNK, self._file.size - offset))
        return offset - self._start


def read(archive: Archive) -> Iterator[Member]:
    """Yield the fields that are no text."""
    file, window = archive.file, _Window(archive.file)
    at = fields = count = 0
    while at < file.size:
        where = window.at(at)
        if lines := _LINES.match(window.data, where):
            archive.know(at, lines.end() - where)
            at += lines.end() - where
        elif _LINE.match(window.data, where):
            if (end := _end_of_line(archive, at)) is None:
                archive.fault("corrupt-archive", "A line of an entry is no text.")
                return
            archive.know(at, end - at)
            at = end
        elif name := _NAME.match(window.data, where):
            start = at + name.end() - where + _SIZE
            size = int.from_bytes(window.data[name.end() : name.end() + _SIZE], "little")
            archive.know(at, start - at)
            fields += 1
            if fields > MAX_FIELDS or count == MAX_MEMBERS:
                archive.fault("limit-members", "The entries have more fields than are read.")
                return
            if start + size >= file.size:
                archive.fault("truncated-archive", "A field of an entry is cut.")
            if _is_text(file, start, size):
                archive.know(start, size)
            else:
                count += 1
                yield Member(name=member_name(name[1]), chunks=archive.stored(start, size))
            at = start + size
            if at < file.size and file.read(at, 1) != b"\n":
                archive.fault("corrupt-archive", "A field is not as long as it says.")
                return
            archive.know(at, 1)
            at += 1
        else:
            archive.fault("corrupt-archive", "A line of an entry is no field.")
            return


def _end_of_line(archive: Archive, start: int) -> int | None:
    """Return the offset behind a line that goes on behind a window; None where it is no text."""
    file = archive.file
    for at in range(start, file.size, CHUNK):
        text, end, _ = file.read(at, min(CHUNK, file.size - at)).partition(b"\n")
        if _BINARY.search(text):
            return None
        if end:
            return at + len(text) + 1
    archive.fault("truncated-archive", "The last line of the entries is cut.")
    return file.size


def _is_text(file: File, start: int, size: int) -> bool:
    """Tell a field that has several lines of text, and is not packed in them."""
    if size > MOST_TEXT or start >= file.size:
        return False
    data = file.read(start, min(size, file.size - start))
    packed = codecs.sniff_layer(data[: codecs.HEAD])
    return packed is None and _BINARY.search(data) is None
