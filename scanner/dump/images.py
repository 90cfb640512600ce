"""Raw images of a machine's memory (.vmem, .raw, dd): told by the tables of pages in them.

Such a file has no header: byte k is physical address k, but for the hole below 4 GiB that devices
take, of which each machine has its own, and for what lies before the memory of some. This module
exists because the tables prove what no magic says: a root in the file leads, by addresses taken as
offsets from where memory begins, through all levels of tables in the file. It refuses what is too
small to be a machine, and to choose among layouts that the tables bear out alike; and as no header
says where the memory ends, it believes the tables that lead to what is not there.
"""

from scanner.dump import paging
from scanner.dump.draft import Draft
from scanner.dump.names import PHYSICAL
from scanner.dump.pagetables import PAGE, Run
from scanner.dump.source import File
from scanner.model import Layout

LEAST = 1 << 20
HOLES = tuple(megabytes << 20 for megabytes in (3072, 2048, 2816, 3328, 3584, 3840, 3968))
"""Where the hole begins: VMware and QEMU's i440fx, QEMU's q35 (two ways), Firecracker, VirtualBox,
Xen, Hyper-V."""
ABOVE = 4 << 30
"""Where memory goes on behind it."""
BASES = (0, 1 << 30, 2 << 30)
"""Where the memory of 64-bit ARM begins: on a Raspberry Pi, on QEMU's virt, on a Tegra. Where else,
the tables say, if it is at a gigabyte."""


def recognise(file: File) -> Layout | None:
    """Return the layout of an image, or None where the file is none."""
    if file.size < LEAST or file.size % PAGE:
        return None
    flat = ((0, 0, file.size),)
    holes = [((0, 0, hole), (ABOVE, hole, file.size - hole)) for hole in HOLES if hole < file.size]
    if not holes:
        return _joined(file, flat, arch="x86_64") or _of_arm(file)
    layouts = (*holes, flat)
    found = paging.borne_out(file, layouts)
    if len(found) > 1:
        return _joined(file, layouts[found[0]], doubted=True)
    return _joined(file, layouts[found[0]]) if found else _of_arm(file)


def _of_arm(file: File) -> Layout | None:
    base = paging.base_of_arm(file, BASES)
    return None if base is None else _joined(file, ((base, 0, file.size),), arch="arm64")


def _joined(
    file: File, runs: tuple[Run, ...], *, arch: str = "", doubted: bool = False
) -> Layout | None:
    draft = Draft(file.size)
    for start, offset, size in runs:
        draft.region(start, size, offset, name=PHYSICAL)
    if doubted:
        paging.unjoined(draft)
    else:
        arch = paging.join(file, draft, runs, arch=arch, whole=True)
    layout = draft.layout(
        format_name="memory-image", arch=arch or "unknown", pointer_size=8, byte_order="little"
    )
    if not doubted and any(fault.code == "no-page-tables" for fault in layout.faults):
        return None
    return layout
