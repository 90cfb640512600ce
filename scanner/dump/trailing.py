"""What trails a dump: a stream, an archive or a kind that is not opened, behind its own end.

Writers put padding behind a core, names of sections, or nothing, and all of it is swept as it
stands. This module exists because files are joined by accident too, and what is packed behind a
dump is opaque to a sweep. It refuses to doubt any other bytes: only what begins with the mark of
such a kind is told, behind any number of zeros and empty lines.
"""

from scanner.dump import archives, codecs, elfcore, macho, minidump
from scanner.dump.source import CHUNK, File
from scanner.errors import Damaged

NOTHING = b"\0\t\n\r "
"""What is padding."""
HEAD = max(archives.HEAD, codecs.HEAD)


def find(file: File) -> int | None:
    """Return the offset at which something is packed behind the end of a dump; else None."""
    end = _end(file)
    at = _first(file, end)
    if at == file.size:
        return None
    head = file.read(at, min(file.size - at, HEAD))
    known = (
        codecs.sniff_next(head)
        or archives.sniff(head)
        or archives.sniff_unopened(file.behind(at))
        or archives.sniff_unopened(file.behind(end))  # disks begin with zeros
    )
    return at if known else None


def _end(file: File) -> int:
    """Return the offset behind all that a dump's tables claim: its size where it has no tables."""
    head = file.read(0, min(file.size, 64))
    if elfcore.sniff(head):
        return elfcore.end(file)  # of a machine's core, the tables of pages are read but once
    form = next((form for form in (minidump, macho) if form.sniff(head)), None)
    try:
        layout = form.parse(file) if form else None
    except Damaged:
        return file.size
    if layout is None:
        return file.size
    ends = (
        *(region.file_offset + region.size for region in layout.regions),
        *(label.file_offset + label.size for label in layout.labels),
    )
    return max(ends, default=file.size)


def _first(file: File, at: int) -> int:
    """Return the offset of the first byte from one on that is no padding."""
    while at < file.size:
        chunk = file.read(at, min(CHUNK, file.size - at))
        rest = chunk.lstrip(NOTHING)
        if rest:
            return at + len(chunk) - len(rest)
        at += len(chunk)
    return file.size
