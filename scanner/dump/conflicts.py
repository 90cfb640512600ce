"""Tables of a minidump that cannot all be true, though each of them lies within the file.

A count or a size that claims too much is cut where it is read. An offset, a type or a count that
was damaged in another way still fits, and moves memory to where it does not belong, or leaves it
without an address: what crosses two ranges is then in pieces that nothing joins. In minidumps of
Windows, Breakpad, Crashpad, LLDB and Wine no byte has two addresses, and memory has a list. This
module judges the tables alone, and refuses to say which of them is the wrong one.
"""

from dataclasses import replace
from itertools import chain

import numpy as np

from scanner import regions
from scanner.dump.ledger import joined, ledger, memory, tables
from scanner.model import Fault, Layout

MOST_SLACK = 1024
"""Bytes that no table names, of a minidump without a memory list: names and records have so many
(CodeView, handles, annotations)."""


def checked(layout: Layout, file_size: int, *, listed: bool) -> Layout:
    """Return a layout with a fault for each thing in it that cannot be.

    ``listed`` says that the directory names a memory list.
    """
    faults: list[Fault] = []
    if _twice(layout):
        text = "Ranges of memory claim the same bytes of the file for different addresses."
        faults.append(Fault(code="damaged-ranges", text=text))
    held, own = memory(layout), tables(layout)
    if _total(held) + _total(own) > _total(joined(chain(held, own))):
        text = "Ranges of memory claim bytes of the tables that describe them."
        faults.append(Fault(code="damaged-ranges", text=text))
    if not listed and (slack := dict(ledger(layout, file_size))["slack"]) > MOST_SLACK:
        text = f"No memory list is there, and no table names {slack:,} bytes."
        faults.append(Fault(code="damaged-directory", text=text))
    return replace(layout, faults=(*layout.faults, *faults))


def _twice(layout: Layout) -> bool:
    """Whether regions share bytes of the file and give them different addresses."""
    held = regions.columns(layout.regions)
    file, size = np.array(held.file, np.int64), np.array(held.size, np.int64)
    order = np.lexsort((size, file))
    start, end = file[order], file[order] + size[order]
    delta = np.array(held.start, np.uint64)[order] - start.astype(np.uint64)
    reach = np.maximum.accumulate(end)
    shared = start[1:] < reach[:-1]
    return bool((shared & (delta[1:] != delta[:-1])).any())


def _total(spans: list[tuple[int, int]]) -> int:
    return sum(end - start for start, end in spans)
