"""Raw images of a machine's memory (.vmem, .raw, dd): told by the tables of pages in them.

Such a file has no header: byte k is physical address k, but for the hole below 4 GiB that devices
take. This module exists because the tables prove what no magic says: a root in the file leads, by
addresses taken as offsets, through four levels of tables in the file. It refuses what is too small
to be a machine, and whatever bears out neither of the two layouts.
"""

from scanner.dump import paging
from scanner.dump.draft import Draft
from scanner.dump.names import PHYSICAL
from scanner.dump.pagetables import PAGE, Run
from scanner.dump.source import File
from scanner.model import Layout

LEAST = 1 << 20
HOLE = 3 << 30, 4 << 30
"""Where VMware leaves a hole, and where memory goes on."""


def recognise(file: File) -> Layout | None:
    """Return the layout of an image, or None where the file is none."""
    if file.size < LEAST or file.size % PAGE:
        return None
    for runs in _layouts(file.size):
        draft = Draft(file.size)
        for start, offset, size in runs:
            draft.region(start, size, offset, name=PHYSICAL)
        arch = paging.join(file, draft, runs)
        layout = draft.layout(
            format_name="memory-image", arch=arch, pointer_size=8, byte_order="little"
        )
        if all(fault.code != "no-page-tables" for fault in layout.faults):
            return layout
    return None


def _layouts(size: int) -> tuple[tuple[Run, ...], ...]:
    """Return the ways in which a file of this size may lie in memory, the likeliest first."""
    low, high = HOLE
    flat = ((0, 0, size),)
    if size <= low:
        return (flat,)
    return (((0, 0, low), (high, low, size - low)), flat)
