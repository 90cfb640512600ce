"""Archives opened into memory, for the tests of their readers."""

import contextlib

from scanner import dump
from scanner.dump import contents, source
from scanner.dump.contents import Contents
from scanner.model import Layout
from tests.dump.dump_bytes import file_of


def opened(data: bytes) -> tuple[Contents, bytes, list[tuple[str, bytes, Layout]]]:
    """Open bytes; return what was found, the rest, and name, bytes and layout of each dump."""
    with contextlib.closing(source.create_spill(None)) as spill, file_of(data) as file:
        found = contents.expand(
            file,
            spill,
            scratch=lambda: source.create_spill(None),
            is_dump=dump.is_dump,
            max_bytes=1 << 30,
        )
        whole = source.File(spill.fd)
        rest = b"".join(whole.read(*piece) for piece in found.pieces)
        dumps = []
        for part in found.members:
            inner = source.File(spill.fd, part.pieces)
            dumps.append((part.name, inner.read(0, inner.size), dump.read_layout(inner)))
    return found, rest, dumps


def codes(found: Contents) -> set[str]:
    """Return the faults of an archive."""
    return {fault.code for fault in found.faults}


def memory(data: bytes, layout: Layout) -> list[tuple[int, bytes]]:
    """Return the bytes of each region."""
    return [(r.start, data[r.file_offset : r.file_offset + r.size]) for r in layout.regions]
