"""ELF cores: what the reader makes of sound ones, and of those that lie."""

import contextlib
import io
import struct

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from scanner.dump import elfcore as reader
from scanner.errors import Damaged
from scanner.model import Gap, Layout, Module, Thread
from tests.dump.dump_bytes import elfcore, file_of, note

LOADS = [(0x400000, b"text" * 10, 0x1000), (0x7FFF0000, b"stack" * 9, 45), (0x10000, b"", 0x2000)]


def _files(entries: list[tuple[int, int, str]], *, order: str = "<", word: str = "Q") -> bytes:
    rows = b"".join(struct.pack(f"{order}3{word}", start, end, 0) for start, end, _ in entries)
    paths = b"".join(path.encode() + b"\0" for *_, path in entries)
    data = struct.pack(f"{order}2{word}", len(entries), 4096) + rows + paths
    return note(b"CORE", 0x46494C45, data, order=order)


def _status(pid: int, *, wide: bool = True, order: str = "<") -> bytes:
    at = 32 if wide else 24
    return note(b"CORE", 1, bytes(at) + struct.pack(order + "I", pid) + bytes(100), order=order)


SOUND = elfcore(
    LOADS, notes=_status(77) + _files([(0x400000, 0x401000, "/usr/bin/signer")]) + bytes(12)
)


def _parse(data: bytes, *, extra: int = 0) -> Layout:
    with file_of(data, extra=extra) as file:
        return reader.parse(file)


def _codes(layout: Layout) -> set[str]:
    return {fault.code for fault in layout.faults}


def _patched(data: bytes, offset: int, layout: str, value: int) -> bytes:
    out = bytearray(data)
    struct.pack_into(layout, out, offset, value)
    return bytes(out)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("slack", [0, 8])
def test_agrees_with_pyelftools(wide: bool, order: str, extended: bool, slack: int) -> None:
    """In both classes and byte orders pyelftools reads the same segments and threads."""
    data = elfcore(
        LOADS,
        notes=_status(4711, wide=wide, order=order),
        wide=wide,
        order=order,
        extended=extended,
        stride=(56 if wide else 32) + slack,
    )
    oracle = ELFFile(io.BytesIO(data))
    layout = _parse(data)
    assert layout.faults == ()
    assert [(r.start, r.size, r.file_offset) for r in layout.regions] == [
        (segment["p_vaddr"], segment["p_filesz"], segment["p_offset"])
        for segment in oracle.iter_segments()
        if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
    ]
    assert layout.threads == (Thread(id=4711),)
    assert layout.pointer_size == (8 if wide else 4)
    assert layout.byte_order == ("little" if order == "<" else "big")
    assert layout.arch == "x86_64"


def test_gaps_are_not_zeros() -> None:
    """What p_memsz has beyond p_filesz was not captured: a gap, and no fault."""
    layout = _parse(SOUND)
    assert layout.gaps == (
        Gap(code="not-captured", start=0x400028, size=0x1000 - 40),
        Gap(code="not-captured", start=0x10000, size=0x2000),
    )
    assert layout.faults == ()
    assert [region.perms for region in layout.regions] == ["rw", "rw"]


@pytest.mark.parametrize(("wide", "order"), [(True, "<"), (False, ">")])
def test_names_of_mapped_files(wide: bool, order: str) -> None:
    """NT_FILE names regions by base name and modules by path, joining a file's mappings."""
    files = _files(
        [
            (0x400000, 0x401000, "/opt/secret dir/signer"),
            (0x401000, 0x403000, "/opt/secret dir/signer"),
            (0x500000, 0x501000, "/lib/libc.so.6"),
        ],
        order=order,
        word="Q" if wide else "I",
    )
    loads = [(0x401000, b"data", 4), (0x500FFF, b"x", 1), (0x600000, b"heap", 4)]
    layout = _parse(elfcore(loads, notes=files, wide=wide, order=order))
    assert [region.name for region in layout.regions] == ["signer", "libc.so.6", ""]
    assert layout.modules == (
        Module(start=0x400000, size=0x3000, name="/opt/secret dir/signer"),
        Module(start=0x500000, size=0x1000, name="/lib/libc.so.6"),
    )


def test_names_from_the_auxiliary_vector() -> None:
    """The first stack holds AT_RANDOM's bytes, and AT_SYSINFO_EHDR is the vDSO."""
    auxv = note(b"CORE", 6, struct.pack("<6Q", 25, 0x7FFF0010, 33, 0x9000, 0, 0))
    loads = [(0x7FFF0000, bytes(64), 64), (0x9000, bytes(8), 8), (0xA000, bytes(8), 8)]
    layout = _parse(elfcore(loads, notes=auxv))
    assert [region.name for region in layout.regions] == ["[stack]", "[vdso]", ""]


def test_threads_of_other_systems() -> None:
    """FreeBSD and NetBSD cores tell their threads in their own notes."""
    freebsd = note(b"FreeBSD", 1, bytes(40) + struct.pack("<I", 100123) + bytes(60))
    netbsd = note(b"NetBSD-CORE@3", 33, b"regs") + note(b"NetBSD-CORE@3", 35, b"fregs")
    assert _parse(elfcore(LOADS, notes=freebsd)).threads == (Thread(id=100123),)
    assert _parse(elfcore(LOADS, notes=netbsd)).threads == (Thread(id=3),)


def _registers(pid: int, sp: int, fs_base: int) -> bytes:
    """Write an elf_prstatus of x86-64: pr_pid at 32, rsp at 264, fs_base at 280, 336 bytes."""
    body = bytearray(336)
    struct.pack_into("<I", body, 32, pid)
    struct.pack_into("<3Q", body, 264, sp, 0, fs_base)
    return note(b"CORE", 1, bytes(body))


def test_stacks_of_threads() -> None:
    """The first stack is the marked one; others end at a control block that points to itself."""
    tcb = 0x20000 + 0xF00
    stack = bytearray(0x1000)
    struct.pack_into("<3Q", stack, 0xF00, tcb, 0, tcb)
    other = bytearray(0x1000)  # a stack that something else made, with memory of its own around it
    struct.pack_into("<3Q", other, 0xF00, 0x30F00, 0, 0x30F08)
    loads = [
        (0x30000, bytes(other), 0x1000),
        (0x7FFF0000, bytes(64), 64),
        (0x20000, bytes(stack), 0x1000),
    ]
    notes = note(b"CORE", 6, struct.pack("<4Q", 25, 0x7FFF0010, 0, 0)) + b"".join(
        (
            _registers(1, 0x7FFF0008, 0x30F00),
            _registers(2, 0x20400, tcb),
            _registers(3, 0x30400, 0x30F00),  # the block does not point to itself
            _registers(4, 0x20F80, tcb),  # above the block
            _registers(5, 0x20400, 0x30F00),  # in another region
            _registers(6, 0x20400, 0x20FF0),  # past the region's end
            _registers(7, 0xDEAD0000, 2**64 - 1),  # nowhere
        )
    )
    assert _parse(elfcore(loads, notes=notes)).threads == (
        Thread(id=1, stack_start=0x7FFF0000, stack_size=64),
        Thread(id=2, stack_start=0x20000, stack_size=0xF00),
        *(Thread(id=number) for number in (3, 4, 5, 6, 7)),
    )


def test_labels() -> None:
    """Headers and notes are labelled where they stand."""
    labels = {label.name: label for label in _parse(SOUND).labels}
    for name in ("header", "program headers", "note NT_PRSTATUS", "note NT_FILE"):
        assert name in labels
    assert labels["program headers"].size == 4 * 56


def test_note_alignment_of_eight() -> None:
    """A PT_NOTE that is aligned to 8 has its descriptors there."""
    status = bytes(32) + struct.pack("<I", 5) + bytes(4)
    notes = struct.pack("<3I", 5, len(status), 1) + b"CORE" + bytes(8) + status
    data = elfcore(LOADS, notes=notes)
    assert _parse(_patched(data, 64 + 48, "<Q", 8)).threads == (Thread(id=5),)


def test_physical_addresses() -> None:
    """Where every p_vaddr is 0, as QEMU without paging writes it, p_paddr is the address."""
    layout = _parse(elfcore([(0x1000, b"low", 3), (1 << 32, b"high", 4)], physical=True))
    assert [region.start for region in layout.regions] == [0x1000, 1 << 32]


def test_sniff() -> None:
    """Only ET_CORE is a core, in the file's own byte order."""
    for order in "<>":
        data = elfcore(LOADS, order=order)
        assert reader.sniff(data[:64])
        for kind in (1, 2, 3):
            other = _patched(data, 16, order + "H", kind)[:64]
            assert (reader.sniff(other), reader.sniff_program(other)) == (False, True)
        assert not reader.sniff_program(data[:64])
    assert not reader.sniff(SOUND[:17])
    assert not reader.sniff(b"\x7fELF\x03\x01" + SOUND[6:64])


def test_no_header() -> None:
    """A header that is cut cannot be used."""
    for size in (0, 18, 63):
        with pytest.raises(Damaged):
            _parse(SOUND[:size])


@pytest.mark.parametrize("section", [0, 40, 1 << 40])
def test_extended_count_that_is_lost(section: int) -> None:
    """PN_XNUM without a section header still gives the segments, under a fault."""
    data = _patched(_patched(elfcore(LOADS), 56, "<H", 0xFFFF), 40, "<Q", section)
    layout = _parse(data)
    assert [region.start for region in layout.regions][:2] == [0x400000, 0x7FFF0000]
    assert "damaged-table" in _codes(layout)


def test_seventy_thousand_segments() -> None:
    """More segments than e_phnum can count are all read."""
    loads = [(0x1000 * index, b"", 0x1000) for index in range(70_000)]
    layout = _parse(elfcore([*loads, (1 << 40, b"last", 4)], extended=True))
    assert [region.start for region in layout.regions] == [1 << 40]
    assert len(layout.gaps) == 70_000
    assert layout.faults == ()


@pytest.mark.parametrize(
    ("offset", "layout", "value"),
    [
        (54, "<H", 0),  # e_phentsize
        (54, "<H", 55),
        (56, "<H", 0xFFFE),  # e_phnum
        (32, "<Q", 0),  # e_phoff
        (32, "<Q", 1 << 63),
    ],
)
def test_damaged_table(offset: int, layout: str, value: int) -> None:
    """A table of program headers that cannot be is a fault."""
    assert "damaged-table" in _codes(_parse(_patched(SOUND, offset, layout, value)))


def test_truncated() -> None:
    """Of a core that a size limit cut, what is there is a region, the rest a gap."""
    data = elfcore([(0x1000, b"a" * 100, 100), (0x5000, b"b" * 100, 300)])
    layout = _parse(data[:-40])
    assert [(region.start, region.size) for region in layout.regions] == [
        (0x1000, 100),
        (0x5000, 60),
    ]
    assert layout.gaps == (
        Gap(code="truncated", start=0x503C, size=40),
        Gap(code="not-captured", start=0x5064, size=200),
    )
    assert [(fault.code, fault.text) for fault in layout.faults] == [
        ("truncated", "The dump claims 40 bytes, in 1 range, past the end of the file.")
    ]


def test_offset_that_wraps() -> None:
    """An offset and a size that wrap are past the end of the file, never near its start."""
    at = 64 + 8
    layout = _parse(_patched(elfcore([(0x1000, b"a" * 100, 100)]), at, "<Q", (1 << 64) - 50))
    assert layout.regions == ()
    assert layout.gaps == (Gap(code="truncated", start=0x1000, size=100),)
    assert _codes(layout) == {"truncated"}


def test_address_that_wraps() -> None:
    """A region that wraps is cut at the top, doubted, and a fault."""
    layout = _parse(elfcore([((1 << 64) - 8, b"0123456789", 10)]))
    assert [(region.size, region.doubted) for region in layout.regions] == [(8, True)]
    assert _codes(layout) == {"address-wrap"}


def test_an_offset_that_no_address_fits() -> None:
    """A segment whose address and offset are not congruent is doubted: limbs lie in either way.

    One that begins at the second byte of the file had hidden a key.
    """
    loads = [(0x400000, bytes(64), 64), (0x500000, bytes(64), 64)]
    data = elfcore(loads)
    before = [region.file_offset for region in _parse(data).regions]
    for moved, doubted in ((0, False), (-1, True), (-8, False)):
        wrong = _patched(data, 64 + 56 + 8, "<Q", before[1] + moved)
        wrong = _patched(wrong, 64 + 56 + 16, "<Q", 0x500000 + before[1] % 8)
        assert _parse(wrong).regions[1].doubted is doubted


def test_more_bytes_than_memory() -> None:
    """p_filesz beyond p_memsz cannot be: the region is doubted, and keeps its bytes."""
    layout = _parse(elfcore([(0x1000, b"0123456789", 4)]))
    assert [(region.size, region.doubted) for region in layout.regions] == [(10, True)]
    assert (layout.gaps, layout.faults) == ((), ())


@pytest.mark.parametrize("sizes", [(0xFFFFFFFF, 8), (5, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_damaged_notes(sizes: tuple[int, int]) -> None:
    """A note that does not fit is a fault, and the notes before it are read."""
    notes = _status(9) + struct.pack("<3I", *sizes, 1) + b"CORE\0\0\0\0" + bytes(8)
    layout = _parse(elfcore(LOADS, notes=notes))
    assert layout.threads == (Thread(id=9),)
    assert _codes(layout) == {"damaged-notes"}


def test_mapped_files_that_lie() -> None:
    """Counts that NT_FILE cannot hold are cut, under a fault; bad UTF-8 is replaced."""
    hostile = note(b"CORE", 0x46494C45, struct.pack("<5Q", 1 << 60, 4096, 0x400000, 0x401000, 0))
    layout = _parse(elfcore(LOADS, notes=hostile))
    assert "damaged-count" in _codes(layout)
    row = struct.pack("<5Q", 1, 4096, 0x400000, 0x401000, 0)
    path = b"/\xff" + b"x" * 9000 + b"\0"
    layout = _parse(elfcore(LOADS, notes=note(b"CORE", 0x46494C45, row + path)))
    assert len(layout.modules[0].name) == 4096
    assert layout.modules[0].name.startswith("/\ufffdx")


def test_many_notes_of_mapped_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of NT_FILE notes is bounded over all of them: segments may share one note."""
    files = _files([(0x400000, 0x401000, "/usr/bin/signer")])
    assert _codes(_parse(elfcore(LOADS, notes=files * 3))) == set()
    monkeypatch.setattr(reader, "MAX_NOTE_BYTES", len(files))
    layout = _parse(elfcore(LOADS, notes=files * 50))
    assert "limit-notes" in _codes(layout)
    assert len(layout.modules) <= 2


def test_no_segments() -> None:
    """A core that has no program headers, as Xen writes them, is no damage."""
    assert _parse(elfcore([])).faults == ()


@limits(max_examples=30, deadline=None)
@given(st.sampled_from([(2, 1), (1, 1), (2, 2), (1, 2)]), st.binary(min_size=40, max_size=300))
def test_arbitrary_bytes(kind: tuple[int, int], data: bytes) -> None:
    """Arbitrary bytes raise nothing but Damaged, and regions lie in the file."""
    number = b"\4\0" if kind[1] == 1 else b"\0\4"
    whole = b"\x7fELF" + bytes(kind) + bytes(10) + number + data
    with contextlib.suppress(Damaged):
        for region in _parse(whole).regions:
            assert 0 < region.size <= len(whole) - region.file_offset
            assert region.start + region.size <= 1 << 64


@limits(max_examples=30, deadline=None)
@given(st.data())
def test_flipped_and_cut(data: st.DataObject) -> None:
    """However a sound core is damaged, regions and labels lie in the file, and nothing raises."""
    damaged = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(18, len(damaged) - 4))
        damaged[at : at + 4] = data.draw(
            st.sampled_from([b"\xff\xff\xff\xff", bytes(4), b"\0\0\0\x80", b"\1\0\0\0"])
        )
    cut = bytes(damaged[: data.draw(st.integers(64, len(damaged)))])
    layout = _parse(cut)
    for place in (*layout.regions, *layout.labels):
        assert 0 < place.size <= len(cut) - place.file_offset
    for gap in layout.gaps:
        assert gap.code == "not-captured" or "truncated" in _codes(layout)
