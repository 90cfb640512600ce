"""Machines that QEMU saved, as libvirt does with a head before it: memory at guest addresses.

The stream tells offsets within blocks of memory, and nothing of where the machine has them. The
block of its memory is told by its name; it begins at 0, or at a gigabyte on 64-bit ARM, and on x86
goes on at 4 GiB behind a hole (QEMU's hw/i386/pc_piix.c, pc_q35.c, hw/arm/virt.c). This module
exists to give those addresses. It refuses to give one to other blocks, of ROMs, devices and memory
that was added: each is a space of its own, in which an address is an offset.
"""

import re
from collections.abc import Iterator, Sequence

from scanner.dump import libvirt, migration, paging
from scanner.dump.draft import Draft
from scanner.dump.migration import Machine
from scanner.dump.names import PHYSICAL
from scanner.dump.pagetables import Run
from scanner.dump.ramblocks import Block
from scanner.dump.source import File
from scanner.model import Layout

MAX_KIND = 64
"""Characters of what the kind of a machine is called."""
HOLES = tuple(megabytes << 20 for megabytes in (3072, 2048, 3584, 2816, 1024))
"""Where the hole may begin, by the kind of machine and by max-ram-below-4g."""
ABOVE = 4 << 30
"""Where memory goes on behind it."""
FLAT = 3840 << 20
"""Bytes below it, at most."""
ADDED = 16 << 20
"""Bytes from which on a block that a user named is memory of the machine."""

_SPACES = 1 << 16
"""The spaces of other blocks are numbered from here on: those of processes are below."""
_NODE = re.compile(r"(?:/objects/)?ram-node([0-9]{1,3})")
_X86 = re.compile(r"pc(?:-|$)|q35|microvm|isapc")
_ARM, _RISCV = 1 << 30, 2 << 30
"""Where the memory of these machines begins."""


def sniff(head: bytes) -> bool:
    """Tell a stream by its magic, and a head of libvirt's before one that is not compressed."""
    saved = libvirt.head_of(head)
    return head.startswith(migration.MAGIC) or (saved is not None and saved.plain)


def parse(file: File, *, join: bool = True) -> Layout:
    """Read the stream, and lay out the memory in it; pages are not always to ``join``."""
    draft = Draft(file.size)
    at = 0
    head = libvirt.head_of(file.read(0, min(file.size, libvirt.SIZE)))
    if head is not None:
        libvirt.label(draft, head)
        at = head.stream
    machine = migration.read(file, draft, at)
    draft.system = f"qemu guest ({machine.name[:MAX_KIND]})" if machine.name else "qemu guest"
    main = _main(machine.blocks)
    for index, block in enumerate(machine.blocks):
        if block in main:
            continue
        name = f"block {block.name.rpartition('/')[2]}"
        for start, offset, size in block.held(machine.page):
            draft.region(start, size, offset, name=name, context=_SPACES + index)
    arch = _lay_out(file, draft, machine, main, join=join)
    if any(_is_added(block) and block not in main for block in machine.blocks):
        text = "Where memory lies that was added is not known: pages there were not joined."
        draft.fault("no-page-tables", text)
    return draft.layout(format_name="qemu", arch=arch, pointer_size=8, byte_order="little")


# --- which blocks ------------------------------------------------------------------------------


def _main(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that are the machine's memory, in the order of their addresses.

    It is one, called after the kind of machine, or one for each node, or one that a user named.
    """
    nodes = [(int(match[1]), block) for block in blocks if (match := _NODE.fullmatch(block.name))]
    if nodes:
        return [block for _, block in sorted(nodes, key=lambda node: node[0])]
    usual = [one for one in blocks if one.name.endswith(".ram") and "/" not in one.name]
    if usual:
        return [max(usual, key=lambda block: block.size)]
    added = [block for block in blocks if _is_added(block)]
    return added if len(added) == 1 else []


def _is_added(block: Block) -> bool:
    """Tell memory that a user named: devices and ROMs are named after their places or kinds."""
    name = block.name.removeprefix("/objects/")
    return block.size >= ADDED and "/" not in name and "." not in name


# --- where they are ----------------------------------------------------------------------------


def _lay_out(
    file: File, draft: Draft, machine: Machine, main: Sequence[Block], *, join: bool
) -> str:
    """Add the regions of the machine's memory, join its pages, and return what machine it is."""
    runs: list[Run] = []
    total = 0
    for block in main:
        runs += ((total + at, offset, size) for at, offset, size in block.held(machine.page))
        total += block.size
    arch, base = _kind(machine.name, main)
    hole, doubted = total, False
    if arch == "x86_64" and join:
        hole, doubted = _hole(file, machine.name, runs, total)
    for address, offset, size in _placed(runs, base, hole):
        draft.region(address, size, offset, name=PHYSICAL)
    if machine.shared and not runs:
        draft.gap("not-captured", base, total)
    if doubted:
        paging.unjoined(draft)
    if doubted or not join:
        return arch
    return paging.join(file, draft, draft.physical(), arch=arch)


def _kind(name: str, main: Sequence[Block]) -> tuple[str, int]:
    """Return the architecture, empty where nobody says, and where memory begins."""
    first = main[0].name if main else ""
    if first == "pc.ram" or _X86.search(name):
        return "x86_64", 0
    if first == "mach-virt.ram":
        return "arm64", _ARM
    if first == "riscv_virt_board.ram":
        return "riscv64", _RISCV
    return ("arm64", _ARM) if name.startswith("virt-") else ("", 0)


def _placed(runs: Sequence[Run], base: int, hole: int) -> Iterator[Run]:
    """Yield runs of memory, which begins at 0, at the machine's addresses, cut at the hole."""
    for start, offset, size in runs:
        below = max(min(hole - start, size), 0)
        if below:
            yield base + start, offset, below
        if size > below:
            yield start + below - hole + ABOVE, offset + below, size - below


def _hole(file: File, name: str, runs: Sequence[Run], total: int) -> tuple[int, bool]:
    """Return where the hole of an x86 machine begins, and whether that is doubted.

    The tables of pages may say otherwise than what is usual for the kind of machine.
    """
    if total <= min(HOLES):
        return total, False
    usual = _usual(name, total)
    holes = [hole for hole in HOLES if hole < total] + [total] * (total <= FLAT)
    found = paging.borne_out(file, [list(_placed(runs, 0, hole)) for hole in holes], runs)
    best = [holes[index] for index in found]
    if usual in best or not best:
        return usual or max(holes), usual is None
    return best[0], len(best) > 1


def _usual(name: str, total: int) -> int | None:
    """Return where the hole of a kind of machine begins; None for a kind that is not known."""
    for kind, most, hole in (
        ("q35", 2816 << 20, 2 << 30),
        ("i440fx", 3584 << 20, 3 << 30),
        ("microvm", 3 << 30, 3 << 30),
    ):
        if kind in name:
            return hole if total >= most else total
    return None
