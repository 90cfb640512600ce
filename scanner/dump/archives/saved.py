"""Machines that libvirt saved and compressed: what QEMU wrote, as a file within.

The head of such a file and the domain's XML stand as they are, and are swept so; behind them is one
stream of gzip, bzip2, xz, lzop or zstd. This module exists because a stream that begins within a
file is opaque to a sweep. A stream that is not compressed is read in its place, and not here.
"""

from collections.abc import Iterator

from scanner.dump import libvirt
from scanner.dump.archives.archive import Archive, Member


def sniff(head: bytes) -> bool:
    """Tell a saved machine by libvirt's head, which says that the rest is compressed."""
    saved = libvirt.head_of(head)
    return saved is not None and not saved.plain


def read(archive: Archive) -> Iterator[Member]:
    """Yield the stream; whoever reads it undoes the compression."""
    file = archive.file
    saved = libvirt.head_of(file.read(0, min(file.size, libvirt.SIZE)))
    if saved is None:
        return
    archive.know(0, saved.stream)
    if saved.partial:
        archive.fault("truncated-archive", libvirt.PARTIAL)
    if saved.stream >= file.size:
        archive.fault("truncated-archive", "The file ends before the stream of the machine.")
        return
    yield Member(name="machine", chunks=archive.stored(saved.stream, file.size - saved.stream))
