"""Tables of pages: what adjoins in a process is read as one, wherever it lies in the dump."""

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import elfcore, kerneldump, lime, makedumpfile
from fixtures.machine import PAGE, Machine
from scanner import dump
from scanner.dump import elfcore as elfcore_reader
from scanner.dump import images, paging, space
from scanner.dump.space import Memory
from scanner.errors import Unmapped
from scanner.model import Layout
from tests.dump.dump_bytes import bytes_at, file_of
from tests.dump.opening import opened

SECRET = bytes(range(1, 251)) * 60
"""15,000 bytes: over four pages wherever they begin."""
AT = 0x7F12_3456_7F80


def machine(seed: int = 1) -> tuple[Machine, list[int]]:
    """Return a machine with a process that has the secret, and the pages of it."""
    made = Machine(seed=seed)
    for _ in range(3):
        made.process()
    return made, made.map(made.roots[2], AT, SECRET)


def joined(data: bytes, address: int, size: int) -> bytes:
    """Read a dump, and return what it has at a virtual address."""
    with file_of(data) as file:
        layout = dump.read_layout(file)
        assert layout.faults == ()
        space_map, faults = space.build(layout, file.size)
        assert faults == ()
        assert space.covered(space_map) == file.size
        return bytes_at(Memory(space_map, file), address, size)


@pytest.mark.parametrize("kind", ["kerneldump", "lime", "qemu", "vmcore"])
def test_pages_of_a_process_adjoin(kind: str) -> None:
    """In each format of physical memory, a value over pages that lie apart is read as one."""
    made, pages = machine()
    assert sorted(pages) != pages
    runs = made.runs()
    registers = struct.pack("<2I", 1, 440) + bytes(408) + struct.pack("<QQ", made.roots[1], 0)
    info = b"OSRELEASE=6.1\nSYMBOL(swapper_pg_dir)=%x\nNUMBER(phys_base)=%d\n"
    info %= (0xFFFFFFFF80000000 + made.kernel + 0x1000, -0x1000)
    notes = {
        "qemu": elfcore.Note(name="QEMU", type=0, data=registers + bytes(8)),
        "vmcore": elfcore.Note(name="VMCOREINFO", type=0, data=info),
    }
    if kind == "kerneldump":
        data = kerneldump.write(kerneldump.BITMAP, runs, table=made.roots[1]).data
    elif kind == "lime":
        data = lime.write(runs).data
    else:
        data = physical_core(runs, notes[kind])
    assert joined(data, AT, len(SECRET)) == SECRET


def physical_core(
    runs: list[tuple[int, bytes]], note: elfcore.Note, machine: str = "x86_64"
) -> bytes:
    """Write an ELF core whose segments have physical addresses."""
    segments = [elfcore.Segment(address=start, data=data) for start, data in runs]
    data = bytearray(elfcore.write(segments, notes=[note], machine=machine).data)
    for index, (start, _) in enumerate(runs):
        struct.pack_into("<2Q", data, 64 + 56 * (index + 1) + 16, 0, start)
    return bytes(data)


@pytest.mark.parametrize("kind", ["lime", "image", "vmcore", "kerneldump"])
def test_arm(kind: str) -> None:
    """Tables of 64-bit ARM are told from others, and found without a hint."""
    made = Machine(arm=True)
    made.process()
    user = made.process()
    pages = made.map(user, AT, SECRET)
    assert sorted(pages) != pages
    vmalloc = 0xFFFF800010000000
    made.map(made.kernel, vmalloc, SECRET)
    info = b"SYMBOL(swapper_pg_dir)=%x\nNUMBER(kimage_voffset)=0x%x\n"
    info %= (0xFFFF800008000000 + made.kernel, 0xFFFF800008000000)
    if kind == "vmcore":
        note = elfcore.Note(name="VMCOREINFO", type=0, data=info)
        data = physical_core(made.runs(), note, machine="aarch64")
        assert joined(data, vmalloc, len(SECRET)) == SECRET
    elif kind == "kerneldump":
        data = kerneldump.write(kerneldump.FULL, made.runs(), machine="arm64").data
    else:
        data = lime.write(made.runs()).data if kind == "lime" else bytes(made.memory)
    assert joined(data, AT, len(SECRET)) == SECRET
    with file_of(data) as file:
        layout = dump.read_layout(file)
    assert layout.arch == "arm64"
    assert {region.start for region in layout.regions if region.context} >= {AT // PAGE * PAGE}


@pytest.mark.parametrize("kind", ["lime", "image", "vmcore"])
def test_five_levels(kind: str) -> None:
    """With five levels of tables, as Linux has them on newer processors, pages are joined too."""
    made = Machine(levels=5)
    for _ in range(3):
        made.map(made.process(), 0x400000, SECRET)
    made.map(made.roots[2], AT, SECRET)
    far = 0x0073_1234_5678_9F80
    made.map(made.roots[3], far, SECRET)
    vmalloc = 0xFFA0000010000000
    made.map(made.kernel, vmalloc, SECRET)
    if kind == "vmcore":
        data = physical_core(made.runs(), elfcore.Note(name="VMCOREINFO", type=0, data=b"x"))
    else:
        data = lime.write(made.runs()).data if kind == "lime" else bytes(made.memory)
    for address in (AT, far, vmalloc):
        assert joined(data, address, len(SECRET)) == SECRET


def test_runs_that_overlap() -> None:
    """Each /proc/vmcore has the kernel's text twice: what lies behind it in memory is not lost."""
    made, pages = machine()
    runs = made.runs()
    note = elfcore.Note(name="VMCOREINFO", type=0, data=b"x")
    text = (2 * PAGE, runs[0][1][2 * PAGE : 5 * PAGE])
    assert max(pages) > 5 * PAGE
    for both in ([text, *runs], [*runs, text], [*runs, *runs]):
        assert joined(physical_core(both, note), AT, len(SECRET)) == SECRET


@pytest.mark.parametrize("kind", ["windows", "told", "linux", "old linux", "arm"])
def test_pages_that_are_not_present(kind: str) -> None:
    """What a process may not use for the moment, and is still in memory, is joined as well.

    Windows keeps pages that it took from a process, Linux those of PROT_NONE and of hints for NUMA.
    """
    made = Machine(arm=kind == "arm")
    root = made.process()
    made.map(root, 0x400000, SECRET)
    address = 0x000F_FFFF_FFFF_F000
    entries = {
        "windows": lambda page: page | 0x880,
        "told": lambda page: page | 0x880,
        "linux": lambda page: (~page & address) | 0x160,
        "old linux": lambda page: page | 0x160,
        "arm": lambda page: page | 0xFC2,
    }
    made.map(root, AT, SECRET, entry=entries[kind])
    if kind == "windows":
        made.memory[root + 8 * 400 : root + 8 * 401] = struct.pack("<Q", root | 0x63)
    if kind == "told":
        data = kerneldump.write(kerneldump.FULL, made.runs(), table=root).data
    else:
        data = lime.write(made.runs()).data
    assert joined(data, AT, len(SECRET)) == SECRET


def test_compressed_dump() -> None:
    """What a compressed dump of Linux has is joined as well."""
    made, _ = machine()
    _, _, [(_, data, _)] = opened(makedumpfile.write(made.runs(), info=b"").data)
    assert joined(data, AT, len(SECRET)) == SECRET


def test_raw_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """A raw image is told by its tables, with a hole for devices and without one."""
    made, _ = machine()
    data = bytes(made.memory)
    assert joined(data, AT, len(SECRET)) == SECRET
    with file_of(data) as file:
        assert dump.read_layout(file).format == "memory-image"
    high = 0x100000
    monkeypatch.setattr(images, "HOLES", (0x80000, 0x40000, 0xC0000))
    monkeypatch.setattr(images, "ABOVE", high)
    for low in (*images.HOLES, high):
        made = Machine(free=[*range(16, low // PAGE), *range(high // PAGE, 1024)])
        for _ in range(9):
            made.map(made.process(), AT, SECRET)
        data = bytes(made.memory[:low] + made.memory[high:])
        assert joined(data, AT, len(SECRET)) == SECRET


def test_an_image_whose_hole_nothing_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all tables lie below the hole, no layout is better than another: that is a fault."""
    monkeypatch.setattr(images, "HOLES", (0x200000, 0x300000))
    monkeypatch.setattr(images, "ABOVE", 0x380000)
    made = Machine(free=range(16, 512))
    made.map(made.process(), AT, SECRET)
    assert codes(bytes(made.memory)) == {"no-page-tables"}


@pytest.mark.parametrize("gigabytes", [0, 1, 2, 32, 1024])
def test_memory_of_arm_that_begins_elsewhere(gigabytes: int) -> None:
    """QEMU's virt has its memory from 1 GiB on, others from 2; elsewhere the tables say where."""
    made = Machine(arm=True, base=gigabytes << 30)
    for _ in range(2):
        made.map(made.process(), AT, SECRET)
    noise = [(1 << 30 | 3, 40), (7, 50)]  # whatever looks like a root, and points nowhere
    for at, (entry, count) in enumerate(noise):
        for page in range(count):
            made.memory += (entry + (at + page << 12)).to_bytes(8, "little").ljust(PAGE, b"\0")
    assert joined(bytes(made.memory), AT, len(SECRET)) == SECRET


@pytest.mark.parametrize("arm", [False, True])
def test_an_image_that_was_cut(arm: bool) -> None:
    """No header says where memory ends; tables, and pages of users, that are not there do."""
    made = Machine(arm=arm)
    for _ in range(10):
        root = made.process()
        for at in range(AT, AT + (8 << 30), 1 << 30):
            made.map(root, at, SECRET[:PAGE])
    assert codes(bytes(made.memory)) == set()
    for pages in (1000, 980, 960):
        assert codes(bytes(made.memory[: pages * PAGE])) == {"truncated"}, pages


def test_what_is_no_image() -> None:
    """Noise, zeros, and an image whose addresses are no offsets, stay unknown."""
    made, _ = machine()
    shifted = bytes(4 * PAGE) + bytes(made.memory[: -4 * PAGE])
    for data in (bytes(2 << 20), hashlib.shake_128(b"").digest(2 << 20), shifted, bytes(100)):
        with file_of(data) as file:
            assert dump.read_layout(file) == Layout(format="raw")


def test_kernel_and_shared_pages() -> None:
    """The kernel's own pages are joined once, and pages that two processes share as well."""
    made, pages = machine()
    vmalloc = 0xFFFFC90000001000
    made.map(made.kernel, vmalloc, SECRET)
    other = made.process()
    made.share(other, 0x5000, pages)
    data = lime.write(made.runs()).data
    assert joined(data, vmalloc, len(SECRET)) == SECRET
    with file_of(data) as file:
        layout = dump.read_layout(file)
    assert {region.name for region in layout.regions} == {
        "physical memory",
        "kernel",
        f"process with page table {made.roots[2]:#x}",
    }
    assert sum(region.size for region in layout.regions if region.context) < 16 * PAGE


def test_page_that_is_not_there() -> None:
    """A page that the dump lacks is not bridged."""
    made, pages = machine()
    data = lime.write(made.runs(without=(pages[2],))).data
    assert joined(data, AT, 2 * PAGE - AT % PAGE) == SECRET[: 2 * PAGE - AT % PAGE]
    with pytest.raises(Unmapped):
        joined(data, AT, len(SECRET))


def test_far_ends_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of long runs of pages, only what is near a seam has a virtual address."""
    monkeypatch.setattr(paging, "AROUND", 64)
    made, _ = machine()
    data = lime.write(made.runs()).data
    edge = AT // PAGE * PAGE + PAGE
    assert joined(data, edge - 64, 128) == SECRET[edge - AT - 64 : edge - AT + 64]
    with pytest.raises(Unmapped):
        joined(data, edge - 65, 128)


def codes(data: bytes) -> set[str]:
    """Return the faults of a dump."""
    with file_of(data) as file:
        layout = dump.read_layout(file)
        space_map, doubts = space.build(layout, file.size)
        assert space.covered(space_map) == file.size
    return {fault.code for fault in (*layout.faults, *doubts)}


def test_no_tables() -> None:
    """Physical memory without tables, or of a machine whose tables are not read, is a fault."""
    runs = [(0x1000, b"m" * 2 * PAGE), (0x9000, bytes(PAGE))]
    assert codes(lime.write(runs).data) == {"no-page-tables"}
    assert codes(kerneldump.write(kerneldump.FULL, runs).data) == {"no-page-tables"}
    made, _ = machine()
    for other in ("arm64", "i386"):
        data = kerneldump.write(kerneldump.FULL, made.runs(), machine=other).data
        assert codes(data) == {"no-page-tables"}


def test_machines_that_are_not_named() -> None:
    """Cores of machines without a note of theirs are not taken for those of processes.

    QEMU's of s390x is one segment from zero on; Xen's has sections and no segments; others say
    where in memory a segment was. ESP-IDF says that too, of machines without tables of pages, and
    so do some writers of processes.
    """
    text = b"words and words " * 300
    lone = elfcore.write([elfcore.Segment(address=0, data=text)], machine="s390x").data
    assert codes(lone) == {"no-page-tables"}
    for name, program, expected in (
        ("x86_64", "", {"no-page-tables"}),
        ("x86_64", "signer", set()),
        ("xtensa", "", set()),
    ):
        segments = [elfcore.Segment(address=0x3FFB0000, data=text)]
        data = bytearray(elfcore.write(segments, program=program, machine=name).data)
        form, width = ("<Q", 8) if data[4] == 2 else ("<I", 4)
        at = data.index(struct.pack(form, 0x3FFB0000), 52)
        struct.pack_into(form, data, at + width, 0x3FFB0000)
        assert codes(bytes(data)) == expected
    sections = bytearray(elfcore.write([]).data)
    struct.pack_into("<3H", sections, 58, 64, 7, 6)
    assert "no-page-tables" in codes(bytes(sections))
    struct.pack_into("<H", sections, 56, 0)  # e_phnum, of gdb's core of a process
    assert codes(bytes(sections)) == {"damaged-table"}
    struct.pack_into("<Q", sections, 32, 0)  # e_phoff
    assert codes(bytes(sections)) == {"no-page-tables"}


def test_a_machine_that_is_told_by_its_tables() -> None:
    """Tables of pages say what machine it was where the header does not: QEMU's kdump files."""
    made, _ = machine()
    segments = [elfcore.Segment(address=start, data=data) for start, data in made.runs()]
    notes = [elfcore.Note(name="QEMU", type=0, data=bytes(440))]
    data = bytearray(elfcore.write(segments, notes=notes).data)
    struct.pack_into("<H", data, 18, 0)  # e_machine
    kernel = bytearray(kerneldump.write(kerneldump.FULL, made.runs()).data)
    struct.pack_into("<I", kernel, 0x30, 0xFFFF)  # MachineImageType
    for whole in (data, kernel):
        with file_of(bytes(whole)) as file:
            layout = dump.read_layout(file)
        assert (layout.arch, layout.faults) == ("x86_64", ())


def test_notes_of_a_machine_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes that lie over each other are read up to a bound, in time that grows with them."""
    monkeypatch.setattr(elfcore_reader, "MAX_MACHINE_BYTES", 4096)
    made, _ = machine()
    registers = struct.pack("<2I", 1, 440) + bytes(432)
    notes = [elfcore.Note(name="QEMU", type=0, data=registers) for _ in range(12)]
    segments = [elfcore.Segment(address=start, data=data) for start, data in made.runs()]
    assert codes(elfcore.write(segments, notes=notes).data) == {"limit-notes"}


@pytest.mark.parametrize("bits", [0x67, 0x443])
def test_tables_without_end(bits: int) -> None:
    """Tables that point at each other are read up to a bound, under a fault."""
    memory = bytearray(64 * PAGE)
    for page in range(64):
        for index in range(512):
            entry = ((page + index) % 64 * PAGE) | bits
            struct.pack_into("<Q", memory, page * PAGE + 8 * index, entry)
    assert codes(lime.write([(0, bytes(memory))]).data) >= {"limit-page-tables"}


@limits(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 30), st.booleans(), st.data())
def test_any_tables(seed: int, arm: bool, data: st.DataObject) -> None:
    """Whatever stands in the tables, nothing raises and each byte has a place."""
    made = Machine(seed=seed, arm=arm)
    made.map(made.process(), AT, SECRET)
    for root in made.roots:
        for _ in range(4):
            at = root + 8 * data.draw(st.sampled_from([0, 254, 256, 273, 510, 511]))
            made.memory[at : at + 8] = data.draw(st.binary(min_size=8, max_size=8))
    codes(lime.write(made.runs()).data)


def test_layout_of_contexts() -> None:
    """Two processes may have other bytes at the same address."""
    made = Machine()
    texts = [b"one of them " * 1000, b"the other one " * 1000]
    for text in texts:
        made.map(made.process(), 0x400000, text)
    with file_of(lime.write(made.runs()).data) as file:
        layout = dump.read_layout(file)
        space_map, faults = space.build(layout, file.size)
        assert faults == ()
        memory = Memory(space_map, file)
        wholes = {
            memory.read(index, 0, int(size)) for index, size in enumerate(space_map.size.tolist())
        }
    for text in texts:
        assert any(text in whole for whole in wholes)
