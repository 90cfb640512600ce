"""Where each byte of a dump belongs: to memory, a note, a header, a stream, or to nothing named.

This module exists because what lies in no table carries secrets too: its share is told, in bytes.
The classes are disjoint and together they are the file; where tables overlap, memory is first.
"""

from collections.abc import Iterable
from itertools import chain

import numpy as np

from scanner import regions
from scanner.arrays import Offsets
from scanner.model import Label, Layout

CLASSES = ("region", "note", "header", "stream", "slack")
"""Memory; notes of a core; headers and directories; streams and what they point to; the rest."""

_HEADERS = ("header", "directory", "program headers", "section headers")

_TABLES = (
    *(
        f"stream {name}"
        for name in (
            "ThreadList",
            "ModuleList",
            "MemoryList",
            "Exception",
            "SystemInfo",
            "ThreadExList",
            "Memory64List",
            "HandleData",
            "FunctionTable",
            "UnloadedModuleList",
            "MiscInfo",
            "MemoryInfoList",
            "ThreadInfoList",
            "ThreadNames",
        )
    ),
    "note NT_AUXV",
)
"""What holds counts, addresses and offsets, and no text."""

Span = tuple[int, int]

_TOP = 1 << 64


def ledger(layout: Layout, file_size: int) -> tuple[tuple[str, int], ...]:
    """Return the bytes of each class of CLASSES; their sum is the size of the file."""
    spans: dict[str, list[Span]] = {name: [] for name in CLASSES}
    spans["region"] = memory(layout)
    for label in layout.labels:
        spans[_class(label)].append((label.file_offset, label.file_offset + label.size))
    rows: list[tuple[str, int]] = []
    covered: list[Span] = []
    total = 0
    for name in CLASSES[:-1]:
        covered = joined(chain(covered, spans[name]), file_size)
        size = sum(end - start for start, end in covered)
        rows.append((name, size - total))
        total = size
    return (*rows, ("slack", file_size - total))


def memory(layout: Layout) -> list[Span]:
    """Return the bytes of the regions, in order and apart."""
    held = regions.columns(layout.regions)
    starts, ends = union(np.array(held.file, np.int64), np.array(held.size, np.int64))
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def tables(layout: Layout) -> list[Span]:
    """Return the bytes that readers of a dump go by: headers, directories, tables; in order."""
    spans = [
        (label.file_offset, label.file_offset + label.size)
        for label in layout.labels
        if _class(label) == "header" or label.name in _TABLES
    ]
    return joined(spans)


def lacking(claimed: Iterable[Span], held: Iterable[Span]) -> list[Span]:
    """Return what spans of addresses claim and others do not hold, in order, as (start, end)."""
    there = joined(held)
    index = 0
    missing: list[Span] = []
    for start, end in joined(claimed):
        at = start
        while index < len(there) and there[index][0] < end:
            low, high = there[index]
            if low > at:
                missing.append((at, low))
            at = max(at, high)
            if high >= end:
                break
            index += 1
        if at < end:
            missing.append((at, end))
    return missing


def union(file: Offsets, size: Offsets) -> tuple[Offsets, Offsets]:
    """Return the starts and ends of the union of file extents, in order and apart."""
    if len(file) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    order = np.argsort(file, kind="stable")
    start = file[order]
    reach = np.maximum.accumulate(start + size[order])
    opens = np.ones(len(start), np.bool_)
    opens[1:] = start[1:] > reach[:-1]
    closes = np.append(np.flatnonzero(opens)[1:] - 1, len(start) - 1)
    return start[opens], reach[closes]


def _class(label: Label) -> str:
    if label.name.startswith("note "):
        return "note"
    return "header" if label.name in _HEADERS else "stream"


def joined(spans: Iterable[Span], limit: int = _TOP) -> list[Span]:
    """Return disjoint spans, in order, that cover the same bytes below a limit."""
    merged: list[Span] = []
    for start, stop in sorted(spans):
        first, end = max(start, 0), min(stop, limit)
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif first < end:
            merged.append((first, end))
    return merged
