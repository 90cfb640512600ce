"""Targets of what a dump is: readers of formats, and the spaces that they describe.

Whatever the bytes are, a reader gives tables that lie within the file, an account whose sum is the
file, and an error that its contract names or none.
"""

import contextlib
import functools
import struct
from collections.abc import Callable, Iterable

from fixtures import elfcore, heaps, kerneldump, lime, macho, minidump, qemu, vmware
from fixtures.machine import Machine
from scanner import dump
from scanner.dump import bitmaps, images, kernel, machine, space, texts, windows
from scanner.dump import elfcore as elf_reader
from scanner.dump import lime as lime_reader
from scanner.dump import macho as macho_reader
from scanner.dump import minidump as minidump_reader
from scanner.dump import qemu as qemu_reader
from scanner.dump import vmware as vmware_reader
from scanner.dump.ledger import lacking, ledger, tables
from scanner.dump.source import File
from scanner.errors import Damaged
from scanner.model import Layout, Region
from tests.dump import dump_bytes
from tests.dump.dump_bytes import bytes_at
from tests.fuzz import checks, mutators
from tests.fuzz.files import file_of
from tests.fuzz.target import Mutate, Target

PAGE = 4096
NO_DAMAGE = {"no-page-tables"}
MEMORY = [(0x1000, b"m" * 64), (0x9000, b"n" * 48)]
_FIELDS = (mutators.numbers, mutators.numbers, mutators.elsewhere)


def laid_out(file: File, layout: Layout, *, whole: bool = True) -> None:
    """Check what a reader says of a file: its tables, and, as ``whole``, its spaces and account."""
    checks.layout(layout, file.size)
    if not whole:
        return
    space_map, doubts = space.build(layout, file.size)
    assert space.covered(space_map) == file.size, "a byte is in no space"
    assert all(fault.code != "uncovered" for fault in doubts)
    rows = ledger(layout, file.size)
    assert sum(size for _, size in rows) == file.size, "the ledger is not the file"
    assert all(size >= 0 for _, size in rows)
    tables(layout)


def _cut_is_told(parse: Callable[[File], Layout], data: bytes, layout: Layout) -> None:
    """Check that a file which lacks the last byte of a region has a fault that says so."""
    if layout.regions and not {fault.code for fault in layout.faults} - NO_DAMAGE:
        end = max(region.file_offset + region.size for region in layout.regions)
        with contextlib.suppress(Damaged):
            again = parse(file_of(data[: end - 1]))
            assert {fault.code for fault in again.faults} - NO_DAMAGE, "a cut dump passes"


def _format(
    name: str,
    parse: Callable[[File], Layout],
    sniff: Callable[[bytes], bool],
    seeds: Callable[[], Iterable[bytes]],
    *covers: str,
    longest: int = 4096,
    weight: int = 1,
    mutate: tuple[Mutate, ...] = _FIELDS,
) -> Target:
    def run(data: bytes) -> None:
        file = file_of(data)
        if not sniff(data[: dump.HEAD]):
            return
        try:
            layout = parse(file)
        except Damaged as error:
            checks.refusal(error, data)
            return
        laid_out(file, layout, whole=checks.chosen(data))
        if checks.chosen(data):
            _cut_is_told(parse, data, layout)
        for fault in layout.faults:
            checks.untold(fault.text, data)

    return Target(
        name=f"dump-{name}",
        covers=(*covers, "dump.draft", "dump.space", "dump.layers", "dump.ledger"),
        run=run,
        seeds=seeds,
        mutate=mutate,
        longest=longest,
        weight=weight,
    )


def _minidumps() -> Iterable[bytes]:
    yield dump_bytes.minidump(memory=MEMORY, threads=[(7, 0x5000, b"stack" * 8)])
    yield dump_bytes.minidump(memory64=MEMORY, modules=[(0x400000, 0x1000, "a.exe")])
    yield dump_bytes.minidump(memory=MEMORY, order=">", padded=True)
    yield minidump.write(
        [minidump.Segment(address=0x1000, data=b"m" * 64)],
        streams=[minidump.comment_w("a comment")],
        slack=b"slack",
    ).data


def _cores() -> Iterable[bytes]:
    loads = [(start, data, len(data) + 16) for start, data in MEMORY]
    notes = dump_bytes.note(b"CORE", 1, bytes(336)) + dump_bytes.note(b"CORE", 3, b"a" * 136)
    files = struct.pack("<5Q", 1, 4096, 0x1000, 0x2000, 0) + b"/lib/a.so\0"
    notes += dump_bytes.note(b"CORE", 0x46494C45, files)
    notes += dump_bytes.note(b"CORE", 6, struct.pack("<6Q", 3, 0x1040, 5, 2, 0, 0))
    for wide in (True, False):
        for order in "<>":
            yield dump_bytes.elfcore(loads, wide=wide, order=order, notes=notes)
    yield dump_bytes.elfcore(loads, extended=True)
    yield dump_bytes.elfcore(
        loads, physical=True, notes=dump_bytes.note(b"VMCOREINFO", 0, b"SYMBOL(swapper_pg_dir)=1\n")
    )
    yield dump_bytes.elfcore(loads, notes=dump_bytes.note(b"NetBSD-CORE@1", 33, bytes(64)))
    yield dump_bytes.elfcore(loads, notes=dump_bytes.note(b"FreeBSD", 1, bytes(64)))
    yield elfcore.write([elfcore.Segment(address=0x1000, data=b"m" * 64)], align=16).data


def _kernels() -> Iterable[bytes]:
    runs = [(0x1000, b"a" * PAGE), (0x7000, b"b" * PAGE)]
    kinds = (kerneldump.FULL, kerneldump.SUMMARY, kerneldump.BITMAP, kerneldump.KERNEL_RANGES)
    for kind in kinds:
        yield kerneldump.write(kind, runs).data[: 3 * PAGE]
    yield kerneldump.write(kerneldump.FULL, runs, machine="i386").data[: 2 * PAGE]
    yield kerneldump.write_triage([(0x1000, b"b" * 64)], stack=(0x9000, b"s" * 64)).data


def _machos() -> Iterable[bytes]:
    segments = [(start, data, len(data)) for start, data in MEMORY]
    for cpu in sorted(macho.CPUS):
        yield macho.write(segments, machine=cpu, notes=[("all image infos", b"x" * 16)]).data


def _states() -> Iterable[bytes]:
    for old in (True, False):
        yield vmware.write([(0, b"low!" * 32)], old=old).data
        yield vmware.write([(0, b"m" * PAGE), (1 << 32, b"h" * PAGE)], old=old).data
    yield vmware.write(None).data


def _saved() -> Iterable[bytes]:
    blocks = [("pc.ram", 4 * PAGE), ("vga.vram", 2 * PAGE)]
    sent: list[qemu.Sending] = [
        ("pc.ram", 0, b"p" * PAGE),
        ("pc.ram", PAGE, None),
        ("vga.vram", PAGE, b"v" * PAGE),
        ("pc.ram", 2 * PAGE, b"changes", qemu.CHANGES),
        ("pc.ram", 3 * PAGE, b"z" * PAGE, qemu.PACKED),
        ("pc.ram", 0, b"again" * 819 + b"!"),
    ]
    yield qemu.write(blocks, sent, early=[("early", b"state")]).data
    yield qemu.write(blocks, sent[:3], footers=False, described=False, huge=True, bits=12).data
    yield qemu.write(blocks, [], shared=True, machine="virt-10.0").data
    yield qemu.libvirt(qemu.write(blocks, sent[1:3]).data)
    mapped = qemu.write([("pc.ram", PAGE)], [("pc.ram", 0, b"p" * PAGE)], mapped=True).data
    for data in (mapped, qemu.libvirt(mapped, form=6)):  # the pages lie a mebibyte on: cut
        yield data[:2048]


def _texts(data: bytes) -> None:
    """Read a Java heap dump or a javacore."""
    file = file_of(data)
    for sniff, parse in (
        (texts.is_hprof, texts.parse_hprof),
        (texts.is_javacore, texts.parse_javacore),
    ):
        if sniff(data[: dump.HEAD]):
            try:
                laid_out(file, parse(file))
            except Damaged as error:
                checks.refusal(error, data)


HEAP = [(1, b"12345678name"), (2, b"class"), (0x1C, b"segment" * 9), (0x2C, b"")]


def _image(data: bytes) -> None:
    """Take the input for the lowest memory of a machine with the rest of it empty."""
    size = max(1 << 20, len(data) + -len(data) % PAGE)
    file = file_of(data, size)
    found = images.recognise(file)
    if found is not None:
        laid_out(file, found)


@functools.cache
def _machines() -> tuple[bytes, ...]:
    found = []
    for arm, base in ((False, 0), (True, 0), (True, 2 << 30)):
        made = Machine(2 << 20, arm=arm, base=base)
        made.process()
        made.map(made.roots[0], 0x7F12_3456_7000, bytes(range(250)) * 40)
        found.append(bytes(made.memory))
    return tuple(found)


def _roots(data: bytes) -> None:
    """Read what a note says of where tables of pages begin, and a bitmap of pages."""
    for owner in (b"QEMU", b"VMCOREINFO"):
        root = machine.root_of(owner, data)
        assert root is None or root >= 0
    if not checks.chosen(data, 4):
        return
    bits = 8 * len(data) - (len(data) > 0)
    file = file_of(data)
    total = 0
    last = 0
    for first, count in bitmaps.runs(file, 0, bits, most=1 << 16):
        assert first >= last
        assert count > 0
        last, total = first + count, total + count
    assert total == bitmaps.count(file, 0, bits)
    assert last <= bits


def _spaces(data: bytes) -> None:
    """Take the input for a table of regions: address, size, offset, each of 64 bits."""
    size = 1 << 16
    regions = []
    for start, length, offset in struct.iter_unpack("<QHH4x", data[: len(data) // 16 * 16]):
        where, count = offset % size, min(length, size - offset % size, (1 << 64) - start)
        if count:
            regions.append(Region(start=start, size=count, file_offset=where))
    layout = Layout(format="elfcore", regions=tuple(regions))
    file = file_of(b"", size)
    laid_out(file, layout)
    space_map, _ = space.build(layout, size)
    memory = space.Memory(space_map, file)
    for region in regions[:4]:
        assert len(bytes_at(memory, region.start, 1)) == 1
    held = [(r.start, r.start + r.size) for r in regions]
    assert lacking(held, held) == []
    tasks = windows.cut(space_map)
    swept = sum(place.size for task in tasks for place in task)
    assert swept == int(space_map.size.sum())


TARGETS = (
    _format(
        "minidump",
        minidump_reader.parse,
        minidump_reader.sniff,
        _minidumps,
        "dump.minidump",
        longest=2048,
        weight=3,
    ),
    _format(
        "elfcore",
        elf_reader.parse,
        elf_reader.sniff,
        _cores,
        "dump.elfcore",
        longest=2048,
        weight=3,
    ),
    _format(
        "kernel",
        kernel.parse,
        kernel.sniff,
        _kernels,
        "dump.kernel",
        "dump.bitmaps",
        longest=3 * PAGE,
    ),
    _format(
        "lime",
        lime_reader.parse,
        lime_reader.sniff,
        lambda: [lime.write([(0x1000, b"m" * 64), (0x9000, b"n" * 48)]).data],
        "dump.lime",
        longest=512,
        weight=3,
    ),
    _format(
        "macho",
        macho_reader.parse,
        macho_reader.sniff,
        _machos,
        "dump.macho",
        longest=1024,
        weight=4,
    ),
    _format(
        "vmware",
        vmware_reader.parse,
        vmware_reader.sniff,
        _states,
        "dump.vmware",
        longest=2048,
        weight=4,
    ),
    _format(
        "qemu",
        qemu_reader.parse,
        qemu_reader.sniff,
        _saved,
        "dump.qemu",
        "dump.migration",
        "dump.ramblocks",
        "dump.libvirt",
        longest=5 * PAGE,
        weight=3,
    ),
    Target(
        name="dump-java",
        covers=("dump.texts",),
        run=_texts,
        seeds=lambda: [
            heaps.hprof(HEAP),
            heaps.hprof(HEAP, width=4),
            b"0SECTION       TITLE subcomponent dump\r\n---------------------- END OF DUMP",
        ],
        mutate=_FIELDS,
        longest=512,
        weight=4,
    ),
    Target(
        name="dump-image",
        covers=("dump.images", "dump.paging", "dump.pagetables"),
        run=_image,
        seeds=_machines,
        mutate=_FIELDS,
        longest=2 << 20,
    ),
    Target(
        name="roots-and-bitmaps",
        covers=("dump.machine", "dump.bitmaps"),
        run=_roots,
        seeds=lambda: [
            b"NUMBER(phys_base)=4194304\nSYMBOL(swapper_pg_dir)=ffffffff82a10000\nKERNELOFFSET=0\n",
            struct.pack("<2I", 1, 440) + bytes(range(200)) * 2,
            b"\x00\xff\x0f" * 20,
        ],
        mutate=(mutators.words, mutators.numbers),
        longest=512,
    ),
    Target(
        name="spaces",
        covers=("dump.space", "dump.layers", "dump.windows", "dump.ledger"),
        run=_spaces,
        seeds=lambda: [
            b"".join(struct.pack("<QHH4x", *row) for row in rows)
            for rows in (
                [(0x1000, 64, 0), (0x1040, 64, 640), (0x1020, 64, 200)],
                [((1 << 64) - 16, 16, 0), (0, 100, 50), (0, 100, 50)],
            )
        ],
        mutate=_FIELDS,
        longest=256,
    ),
)
