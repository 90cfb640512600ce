"""What is packed in a dump where no table says what lies: behind its end, in slack, in a stream.

Writers put padding there, names of sections, or nothing, and all of it is swept as it stands. This
module exists because files are joined by accident too, what is packed beside a dump's memory is
opaque to a sweep, and another dump has tables of its own. It refuses to doubt any other bytes: only
what begins with the mark of such a kind, or as zlib or base64 that decodes, is told, behind any
number of zeros and empty lines.
"""

import itertools
from collections.abc import Iterable

from scanner import dump, regions
from scanner.dump import archives, codecs, elfcore, macho, minidump
from scanner.dump.ledger import Span, lacking
from scanner.dump.source import CHUNK, File
from scanner.errors import Damaged
from scanner.model import Layout

NOTHING = b"\0\t\n\r "
"""What is padding."""
HEAD = max(archives.HEAD, codecs.HEAD)
MOST = 1 << 14
"""Places that are looked at, where there is more than padding: what is behind them is not known."""


def find(file: File) -> tuple[Span, ...]:
    """Return, as (start, end), where something is packed that a dump's tables do not name.

    The first place of too many is one of these, whatever it holds; none overlaps another.
    """
    looked, reach = 0, 0
    found: list[Span] = []
    for start, end in _places(file):
        at = _first(file, start, end)
        if at == end or at < reach:
            continue
        looked += 1
        if looked > MOST or _packed(file, start, at, end):
            found.append((at, end))
            reach = end
        if looked > MOST:
            break
    return tuple(found)


def _packed(file: File, start: int, at: int, end: int) -> bool:
    """Tell whether what begins at an offset, behind its padding, is packed, or another dump."""
    head = file.read(at, min(end - at, HEAD))
    return bool(
        codecs.sniff_amid(head[: codecs.HEAD])
        or any(form.sniff(head[: dump.HEAD]) for form in dump.FORMATS)
        or archives.sniff(head)
        or archives.sniff_unopened(file.part(at, end))
        or (at > start and archives.sniff_unopened(file.part(start, end)))  # disks: zeros first
    )


def _places(file: File) -> list[Span]:
    """Return what no table of a dump claims, and streams and notes of no known type, in order."""
    head, whole = file.read(0, min(file.size, 64)), ((0, file.size),)
    if elfcore.sniff(head):  # of a machine's core, the tables of pages are read but once
        return sorted((*lacking(whole, elfcore.claimed(file)), *elfcore.unknown_notes(file)))
    form = next((form for form in (minidump, macho) if form.sniff(head)), None)
    try:
        layout = form.parse(file) if form else None
    except Damaged:
        return []
    return sorted((*lacking(whole, _claimed(layout)), *_unknown(layout))) if layout else []


def _claimed(layout: Layout) -> Iterable[Span]:
    held = regions.columns(layout.regions)
    memory = ((at, at + size) for at, size in zip(held.file, held.size, strict=True))
    named = ((label.file_offset, label.file_offset + label.size) for label in layout.labels)
    return itertools.chain(memory, named)


def _unknown(layout: Layout) -> list[Span]:
    """Return the streams of a minidump that have a number for a name, and notes of Mach-O."""
    return [
        (label.file_offset, label.file_offset + label.size)
        for label in layout.labels
        if label.name.startswith(("stream 0x", "note "))
    ]


def _first(file: File, start: int, end: int) -> int:
    """Return the offset of the first byte between two that is no padding; else the second."""
    for at in range(start, end, CHUNK):
        chunk = file.read(at, min(CHUNK, end - at))
        rest = chunk.lstrip(NOTHING)
        if rest:
            return at + len(chunk) - len(rest)
    return end
