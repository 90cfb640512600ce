"""ELF cores of whole machines: how one is told, and where it says that its tables of pages begin.

Writers of such cores (kdump's /proc/vmcore, QEMU's dump-guest-memory, Xen's dump-core) agree in
little: notes of their own, physical addresses, or sections instead of segments. This module exists
because a core of a machine that is taken for a process is swept in the order of its pages, in which
a key may lie in pieces. It refuses to take what it does not know for a process.
"""

import re
import struct
from collections.abc import Sequence

UNPAGED = frozenset({(94, False), (243, False)})
"""Machines, and whether they have 64 bits, whose cores have addresses without a table of pages:
Xtensa and 32-bit RISC-V, as ESP-IDF writes them."""

_SYMBOL = re.compile(rb"^SYMBOL\(swapper_pg_dir\)=([0-9a-f]{1,16})$", re.MULTILINE)
_BASE = re.compile(rb"^NUMBER\(phys_base\)=(-?[0-9]{1,20})$", re.MULTILINE)
_OFFSET = re.compile(rb"^NUMBER\(kimage_voffset\)=0x([0-9a-f]{1,16})$", re.MULTILINE)


def is_machine(
    loads: Sequence[tuple[int, int]], *, sections: int, kind: tuple[int, bool], process: bool
) -> bool:
    """Tell a machine by its PT_LOADs, (p_vaddr, p_paddr), or by having sections in their place.

    ``kind`` is e_machine, and whether it has 64 bits; ``process`` means that the core has a note of
    a process, whose writers leave p_paddr at zero or repeat p_vaddr.
    """
    if not loads:
        return sections > 1
    if all(virtual == 0 for virtual, _ in loads):
        return True
    if any(physical not in {0, virtual} for virtual, physical in loads):
        return True
    named = any(physical for _, physical in loads)
    return named and not process and kind not in UNPAGED


def root_of(owner: bytes, data: bytes) -> int | None:
    """Return where tables begin by a note of QEMU's, or by VMCOREINFO; None where none says."""
    return _root_of_qemu(data) if owner == b"QEMU" else _root_of_vmcoreinfo(data)


def _root_of_vmcoreinfo(text: bytes) -> int | None:
    """Return the address of the Linux kernel's own table.

    The kernel's text is mapped from phys_base on (x86-64), or kimage_voffset above where it lies.
    """
    symbol, base, offset = (pattern.search(text) for pattern in (_SYMBOL, _BASE, _OFFSET))
    if symbol is None or (base is None and offset is None):
        return None
    root = int(symbol[1], 16)
    root -= int(offset[1], 16) if offset else 0xFFFFFFFF80000000 - int(base[1] if base else 0)
    return root if 0 <= root < 1 << 48 else None


def _root_of_qemu(data: bytes) -> int | None:
    """Return CR3 of a note of QEMU's (QEMUCPUState: 18 registers, 10 segments, CR0 to CR4)."""
    return int(struct.unpack_from("<Q", data, 416)[0]) if len(data) >= 432 else None
