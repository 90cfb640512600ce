"""What is packed in a dump where no table says what lies: behind its end, in slack, in a stream.

Writers put padding there, names of sections, or nothing, and all of it is swept as it stands. This
module exists because files are joined by accident too, what is packed beside a dump's memory is
opaque to a sweep, and another dump has tables of its own. It refuses to doubt any other bytes: only
what begins with the mark of such a kind, or as zlib or base64 that decodes, is told, behind any
number of zeros and empty lines.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator

from scanner import dump
from scanner.dump import (
    archives,
    codecs,
    elfcore,
    kernel,
    ledger,
    lime,
    macho,
    minidump,
    qemu,
    texts,
    vmware,
)
from scanner.dump.ledger import Span, lacking
from scanner.dump.names import SECONDARY, TRAILS
from scanner.dump.source import CHUNK, File
from scanner.errors import Damaged
from scanner.model import Layout

NOTHING = b"\0\t\n\r "
"""What is padding."""
HEAD = max(archives.HEAD, codecs.HEAD)
MOST = 1 << 14
"""Places that are looked at, where there is more than padding: what is behind them is not known."""


def find(file: File, layout: Layout | None = None) -> tuple[Span, ...]:
    """Return, as (start, end), where something is packed that a dump's tables do not name.

    The ``layout`` of the file is read where it is not given. The first place of too many is one of
    these, whatever it holds; none overlaps another.
    """
    looked, reach = 0, 0
    found: list[Span] = []
    for start, end in _places(file, layout):
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


def behind_text(file: File) -> Span | None:
    """Return, as (start, end), what is packed behind lines of text; None where nothing is.

    It begins a line, with bytes that no text has among its first.
    """
    looked, at = 0, 0
    for start in _binary_lines(file):
        if start < at:
            continue  # padding that was looked at
        at = _first(file, start, file.size)
        looked += at < file.size
        if at < file.size and (looked > MOST or _packed(file, start, at, file.size)):
            return at, file.size
    return None


def _binary_lines(file: File) -> Iterator[int]:
    """Yield where lines begin that have a control character among their first HEAD bytes."""
    for base in range(0, file.size, CHUNK):
        chunk = file.read(base, min(CHUNK + HEAD, file.size - base))
        for line in _BINARY.finditer(chunk):
            if line.start() < CHUNK:
                yield base + line.start() + 1


_BINARY = re.compile(rb"\n[^\n]{0,%d}?[\0-\x08\x0e-\x1a\x1c-\x1f]" % (HEAD - 1))
"""Escape sequences are not rare in logs."""


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


def _places(file: File, layout: Layout | None) -> list[Span]:
    """Return what no table of a dump claims, and streams and notes of no known type, in order."""
    head, whole = file.read(0, min(file.size, dump.HEAD)), ((0, file.size),)
    if elfcore.sniff(head):  # of a machine's core, the tables of pages are read but once
        return sorted((*lacking(whole, elfcore.claimed(file)), *elfcore.unknown_notes(file)))
    read = next((read for sniff, read in _READ if sniff(head)), None)
    if read is None:
        return []
    try:
        layout = read(file) if layout is None else layout
    except Damaged:
        return []
    if not layout.labels:  # nothing of it could be read
        return []
    return sorted((*lacking(whole, _claimed(layout)), *_unknown(layout)))


_READ: tuple[tuple[Callable[[bytes], bool], Callable[[File], Layout]], ...] = (
    (minidump.sniff, minidump.parse),
    (macho.sniff, macho.parse),
    (kernel.sniff, functools.partial(kernel.parse, join=False)),
    (vmware.sniff, functools.partial(vmware.parse, join=False)),
    (lime.sniff, functools.partial(lime.parse, join=False)),
    (qemu.sniff, functools.partial(qemu.parse, join=False)),
    (texts.is_hprof, texts.parse_hprof),
    (texts.is_javacore, texts.parse_javacore),
)
"""How the tables of dumps are read, but for those of pages."""


def _claimed(layout: Layout) -> Iterable[Span]:
    named = ((label.file_offset, label.file_offset + label.size) for label in layout.labels)
    spans = itertools.chain(ledger.memory(layout), named)
    if layout.format == "qemu":  # between its sections stand marks of their ends
        return ((0, max((end for _, end in spans), default=0)),)
    return spans


def _unknown(layout: Layout) -> list[Span]:
    """Return streams that have a number for a name, notes of Mach-O, and what trails a dump."""
    return [
        (label.file_offset, label.file_offset + label.size)
        for label in layout.labels
        if label.name.startswith(("stream 0x", "note ", SECONDARY, TRAILS))
    ]


def _first(file: File, start: int, end: int) -> int:
    """Return the offset of the first byte between two that is no padding; else the second."""
    for at, chunk in file.data(start, end):
        if rest := chunk.lstrip(NOTHING):
            return at + len(chunk) - len(rest)
    return end
