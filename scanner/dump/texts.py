"""Dumps of Java that hold no memory as such: heaps as records, and javacores, which are text.

They have no addresses that a pointer could follow, so their bytes are swept as they stand, and only
named here. This module exists because a known format that is whole may pass, and one that is cut
must not: each reader looks for the end that its writer leaves. It refuses to take a head alone for
a whole file.
"""

import struct
from collections.abc import Iterator

from scanner.dump.draft import Draft
from scanner.dump.names import TRAILS
from scanner.dump.source import CHUNK, File
from scanner.errors import Damaged
from scanner.model import Layout

MAX_RECORDS = 1 << 22
TAIL = 4096
"""Bytes at the end of a text in which its last line is looked for."""
BLOCK = 4096
"""Bytes of a text that are judged together."""

_PRINTABLE = bytes(range(0x20, 0x7F))
_CONTROL = bytes({*range(0x20)} - {*range(9, 14)})

_HPROF = b"JAVA PROFILE 1.0."
_JAVACORES = (b"0SECTION       TITLE", b"NULL           ---")
_END = b"---------------------- END OF DUMP"

_HEAP, _SEGMENT, _HEAP_END = 0x0C, 0x1C, 0x2C
_CONTENTS = frozenset({"heap", "sites", "samples"})
"""What a writer comes to last: names and classes alone are a dump that was cut."""
_RECORDS = {
    0x01: "strings",
    0x02: "classes",
    0x03: "classes",
    0x04: "stack traces",
    0x05: "stack traces",
    0x06: "sites",
    0x07: "sites",
    0x0A: "threads",
    0x0B: "threads",
    _HEAP: "heap",
    0x0D: "samples",
    0x0E: "settings",
    _SEGMENT: "heap",
    _HEAP_END: "heap",
}
"""HPROF_* tags (hprof_b_spec.h of the JDK), and what a run of such records is called."""


def is_hprof(head: bytes) -> bool:
    """Tell a Java heap dump."""
    return head.startswith(_HPROF)


def is_javacore(head: bytes) -> bool:
    """Tell a javacore of OpenJ9."""
    return head.startswith(_JAVACORES)


def parse_hprof(file: File) -> Layout:
    """Walk the records: tag, time, size, all big-endian, and as many bytes. Raises Damaged."""
    head = file.read(0, min(file.size, 64))
    end = head.find(b"\0")
    if end < 0 or len(head) < end + 13:
        raise Damaged("the heap dump has no whole header", reason=f"it has {file.size} bytes")
    width = int.from_bytes(head[end + 1 : end + 5], "big")
    draft = Draft(file.size)
    draft.label(0, end + 13, "header")
    if width not in {4, 8}:
        draft.fault("damaged-table", f"Identifiers of {width} bytes cannot be.")
    run, start, last, segments, found = "", end + 13, 0, False, False
    behind = file.size
    for tag, at in _records(file, draft, end + 13):
        if not tag:
            behind = at
            break
        name = _RECORDS[tag]
        if name != run:
            draft.label(start, at - start, f"stream {run}")
            run, start = name, at
        last, segments, found = tag, segments or tag == _SEGMENT, found or name in _CONTENTS
    draft.label(start, behind - start, f"stream {run}")
    draft.label(behind, file.size - behind, TRAILS)
    if not found or (segments and last != _HEAP_END):
        draft.fault("truncated", "The heap dump has no end.")
    return draft.layout(
        format_name="hprof",
        arch="java",
        pointer_size=4 if width == 4 else 8,
        byte_order="big",
    )


def _records(file: File, draft: Draft, at: int) -> Iterator[tuple[int, int]]:
    """Yield tag and offset of each record, as far as they fit; 0 and where a whole dump ends."""
    base, window, last = at, b"", 0
    for _ in range(MAX_RECORDS):
        if at == file.size:
            return
        if at + 9 > base + len(window):
            base, window = at, file.read(at, min(CHUNK, file.size - at))
        if len(window) - (at - base) < 9:
            if last not in {_HEAP, _HEAP_END}:
                draft.gap("truncated", None, 9)
            else:
                yield 0, at
            return
        tag, _, size = struct.unpack_from(">B2I", window, at - base)
        if tag not in _RECORDS:
            if last in {_HEAP, _HEAP_END}:
                yield 0, at
                return
            draft.fault("damaged-table", f"No record of a known kind stands at {at}.")
            return
        yield tag, at
        last = tag
        if tag == _HEAP and (size == 0 or file.size - at > 1 << 32):
            return  # of a heap of more than 4 GiB the size says nothing: it is the last record
        if size > file.size - at - 9:
            draft.gap("truncated", None, size - (file.size - at - 9))
            return
        at += 9 + size
    draft.fault("limit-records", f"More than {MAX_RECORDS} records.")


def parse_javacore(file: File) -> Layout:
    """Look for the line that ends a javacore."""
    draft = Draft(file.size)
    start = max(file.size - TAIL, 0)
    tail = file.read(start, file.size - start)
    end = tail.find(b"\n", tail.rfind(_END)) + 1 if _END in tail else 0
    behind = start + end if end else file.size
    draft.label(0, behind, "stream text")
    draft.label(behind, file.size - behind, TRAILS)
    if _END not in tail:
        draft.fault("truncated", "The javacore has no end.")
    if binary := sum(map(_binary, file.chunks(0, behind))):
        draft.fault("damaged-table", f"{binary:,} bytes of the javacore's text are binary.")
    return draft.layout(format_name="javacore", arch="java", pointer_size=8, byte_order="little")


def _binary(chunk: bytes) -> int:
    """Return how many bytes of a chunk lie in blocks that are no text.

    A javacore is lines that begin with a tag in ASCII: a block is binary where fewer than half of
    its bytes are printable, or one in 16 is a control character.
    """
    blocks = (chunk[at : at + BLOCK] for at in range(0, len(chunk) - BLOCK + 1, BLOCK))
    return sum(
        BLOCK
        for block in blocks
        if 2 * len(block.translate(None, _PRINTABLE)) > BLOCK
        or 16 * len(block.translate(None, _CONTROL)) < 15 * BLOCK
    )
