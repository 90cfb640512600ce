"""Minidumps: what the reader makes of sound ones, and of those that lie."""

import contextlib
import logging
import struct

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from minidump.minidumpfile import MinidumpFile

from scanner.dump import HEAD, read_layout
from scanner.dump import minidump as reader
from scanner.errors import Damaged
from scanner.model import Gap, Layout, Module, Thread
from tests.dump.dump_bytes import file_of, minidump

SOUND = minidump(
    memory=[(0x1000, b"a" * 40), (0x9000, b"b" * 7)],
    memory64=[(0x7FF000, b"c" * 100), (0x20000, b"d" * 33)],
    threads=[(0x1A2C, 0x50000, b"stack" * 4)],
    modules=[(0x400000, 0x9000, "C:\\Windows\\System32\\ntdll.dll")],
    streams=[(11, b"c\0o\0"), (0x47670007, b"HOME=/root\0"), (0xFFFF1234, b"user")],
)


def _parse(data: bytes, *, extra: int = 0) -> Layout:
    with file_of(data, extra=extra) as file:
        return reader.parse(file)


def _codes(layout: Layout) -> set[str]:
    return {fault.code for fault in layout.faults}


def _bytes(layout: Layout, data: bytes) -> dict[int, bytes]:
    return {
        region.start: data[region.file_offset : region.file_offset + region.size]
        for region in layout.regions
    }


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("padded", [False, True])
def test_reads_both_lists_and_stacks(order: str, padded: bool) -> None:
    """Both memory lists and the stacks are read, in either byte order, padded or not."""
    data = minidump(
        memory=[(0x1000, b"list"), (0x9000, b"second")],
        memory64=[(0x7FF000, b"one"), (0x20000, b"two")],
        threads=[(7, 0x50000, b"stack")],
        modules=[(0x400000, 0x9000, "/usr/bin/signer")],
        order=order,
        padded=padded,
    )
    layout = _parse(data)
    assert layout.faults == ()
    assert _bytes(layout, data) == {
        0x1000: b"list",
        0x9000: b"second",
        0x7FF000: b"one",
        0x20000: b"two",
        0x50000: b"stack",
    }
    assert layout.modules == (Module(start=0x400000, size=0x9000, name="/usr/bin/signer"),)
    assert layout.threads == (Thread(id=7, stack_start=0x50000, stack_size=5),)
    assert layout.byte_order == ("little" if order == "<" else "big")


def test_agrees_with_minidump_package() -> None:
    """The minidump package reads the same ranges, modules and threads."""
    logging.disable()
    try:
        oracle = MinidumpFile.parse_bytes(
            minidump(
                memory=[(0x1000, b"a" * 40), (0x9000, b"b" * 7)],
                threads=[(0x1A2C, 0x50000, b"stack" * 4)],
                modules=[(0x400000, 0x9000, "C:\\Windows\\ntdll.dll")],
            )
        )
        oracle64 = MinidumpFile.parse_bytes(minidump(memory64=[(0x2000, b"c" * 9), (0x10, b"d")]))
    finally:
        logging.disable(logging.NOTSET)
    layout = _parse(
        minidump(
            memory=[(0x1000, b"a" * 40), (0x9000, b"b" * 7)],
            threads=[(0x1A2C, 0x50000, b"stack" * 4)],
            modules=[(0x400000, 0x9000, "C:\\Windows\\ntdll.dll")],
        )
    )
    assert [(r.start, r.size, r.file_offset) for r in layout.regions[:2]] == [
        (segment.start_virtual_address, segment.size, segment.start_file_address)
        for segment in oracle.memory_segments.memory_segments
    ]
    assert [(m.start, m.size, m.name) for m in layout.modules] == [
        (module.baseaddress, module.size, module.name) for module in oracle.modules.modules
    ]
    assert [thread.id for thread in layout.threads] == [
        thread.ThreadId for thread in oracle.threads.threads
    ]
    layout = _parse(minidump(memory64=[(0x2000, b"c" * 9), (0x10, b"d")]))
    assert [(r.start, r.size, r.file_offset) for r in layout.regions] == [
        (segment.start_virtual_address, segment.size, segment.start_file_address)
        for segment in oracle64.memory_segments_64.memory_segments
    ]


@pytest.mark.parametrize(
    ("number", "arch", "pointer"),
    [(0, "i386", 4), (9, "x86_64", 8), (12, "arm64", 8), (5, "arm", 4), (0x7777, "unknown", 8)],
)
def test_architectures(number: int, arch: str, pointer: int) -> None:
    """SystemInfo gives the architecture; one that we do not know is no damage."""
    layout = _parse(minidump(arch=number))
    assert (layout.arch, layout.pointer_size, layout.faults) == (arch, pointer, ())


@pytest.mark.parametrize(
    ("modules", "platform", "pointer"),
    [
        ([(0x400000, 0x9000, "C:\\a.exe"), (0x7FFB0000, 64, "C:\\Windows\\SysWOW64\\a.dll")], 2, 4),
        ([(0x400000, 0x9000, "C:\\a.exe")], 0x8201, 8),
        ([(0x400000, 64, "C:\\a.exe"), (0x7FFB_1234_0000, 64, "C:\\System32\\Wow64.dll")], 2, 4),
        ([(0x400000, 64, "C:\\a.exe"), (0x7FFB_1234_0000, 64, "C:\\System32\\ntdll.dll")], 2, 8),
        ([], 2, 8),
    ],
)
def test_32_bit_programs_of_64_bit_windows(
    modules: list[tuple[int, int, str]], platform: int, pointer: int
) -> None:
    """Task Manager writes a dump of 64 bits of a program whose pointers have four bytes."""
    system = struct.pack("<H6x4I32x", 9, 10, 0, 19045, platform)
    layout = _parse(minidump(modules=modules, streams=[(7, system)]))
    assert (layout.arch, layout.pointer_size) == ("x86_64", pointer)


def test_names_of_regions() -> None:
    """A stack and a module's memory are told by name; a module's by its base name."""
    layout = _parse(
        minidump(
            memory=[(0x1000, bytes(64)), (0x400010, bytes(8)), (0x9000, bytes(8))],
            threads=[(0x1A2C, 0x1020, bytes(32))],
            modules=[(0x400000, 0x9000, "C:\\secret dir\\ntdll.dll")],
        )
    )
    names = {region.start: region.name for region in layout.regions}
    assert names == {0x1000: "stack of thread 0x1a2c", 0x400010: "ntdll.dll", 0x9000: ""}


def test_permissions() -> None:
    """MemoryInfoList gives permissions, whatever sizes its header and entries state."""
    for lead, entry in ((16, 48), (24, 56)):
        row = struct.pack("<QQIIQIII", 0x1000, 0x1000, 4, 0, 0x1000, 0x1000, 0x40, 0x20000)
        info = struct.pack("<IIQ", lead, entry, 1).ljust(lead, b"\0") + row.ljust(entry, b"\0")
        layout = _parse(minidump(memory=[(0x1800, b"code")], streams=[(16, info)]))
        assert [region.perms for region in layout.regions] == ["rwx"]
        assert layout.faults == ()


def test_labels() -> None:
    """Streams, known or not, headers and contexts are labelled where they stand."""
    labels = {label.name: label for label in _parse(SOUND).labels}
    for name in ("header", "directory", "stream CommentW", "stream LinuxEnviron"):
        assert name in labels
    assert "stream 0xffff1234" in labels
    context = labels["thread context"]
    assert SOUND[context.file_offset : context.file_offset + context.size] == b"context!"


def test_sound_dump_has_no_fault() -> None:
    """Unknown streams, unused entries and empty ranges are normal."""
    data = minidump(streams=[(0, b"unused"), (0x8000, b"x"), (23, b"y")], memory=[(0x1000, b"")])
    layout = _parse(data)
    assert (layout.faults, layout.gaps, layout.regions) == ((), (), ())


def test_repeated_ranges_are_one() -> None:
    """A stack that a memory list holds too, at the same offset, is one region."""
    data = bytearray(minidump(memory=[(0x50000, b"stack")], threads=[(1, 0x50000, b"stack")]))
    layout = _parse(bytes(data))
    assert len(layout.regions) == 1


def test_stack_offset_of_full_memory_dumps() -> None:
    """A stack without an offset is the memory list's, or was not captured."""
    data = bytearray(minidump(threads=[(1, 0x50000, b"stack")], memory64=[(0x40000, b"x")]))
    at = data.index(struct.pack("<QI", 0x50000, 5)) + 12
    data[at : at + 4] = bytes(4)
    layout = _parse(bytes(data))
    assert layout.gaps == (Gap(code="not-captured", start=0x50000, size=5),)
    assert layout.faults == ()


def test_stack_of_which_a_list_has_the_beginning_alone() -> None:
    """What a memory list leaves out of a stack is read by the thread's own word for it."""
    data = minidump(threads=[(1, 0x50000, b"the stack, whole")], memory=[(0x50000, b"the stack")])
    layout = _parse(data)
    assert (0x50000, 16) in {(region.start, region.size) for region in layout.regions}
    data = minidump(threads=[(1, 0x50000, b"st")], memory=[(0x4F000, b"y"), (0x50000, b"stack")])
    assert {region.size for region in _parse(data).regions} == {1, 5}


@pytest.mark.parametrize(("arch", "word"), [(0, 4), (9, 8)])
def test_ranges_that_begin_within_a_word(arch: int, word: int) -> None:
    """Where no word begins, an address may be wrong, and limbs be aligned in another way."""
    for start in range(0x1000, 0x1000 + 2 * word):
        [region] = _parse(minidump(memory=[(start, bytes(64))], arch=arch)).regions
        assert region.doubted is (start % word != 0)


def test_command_line_past_the_end() -> None:
    """Breakpad writes it last: a dump that is cut before it has its memory all the same."""
    data = minidump(memory=[(0x1000, b"memory")], streams=[(0x47670006, b"a\0b\0")])
    at = data.index(struct.pack("<2I", 0x47670006, 4)) + 8
    layout = _parse(data[:at] + struct.pack("<I", len(data) + 100) + data[at + 4 :])
    assert _codes(layout) == {"truncated"}
    assert [region.start for region in layout.regions] == [0x1000]
    assert layout.arguments is None


def test_every_list_is_read() -> None:
    """Of several streams of one type none is passed over."""
    second = struct.pack("<IQ2I", 1, 0x7000, 16, 0)
    third = struct.pack("<4Q", 1, 8, 0x9000, 8)
    layout = _parse(
        minidump(
            memory=[(0x1000, b"first")],
            memory64=[(0x5000, b"fourth")],
            streams=[(5, second), (9, third)],
        )
    )
    assert {region.start for region in layout.regions} == {0x1000, 0x5000, 0x7000, 0x9000}
    assert _codes(layout) == {"damaged-ranges"}, "the header's bytes are no memory"


def test_no_header() -> None:
    """A header that is cut cannot be used."""
    assert reader.sniff(b"MDMP")
    assert reader.sniff(b"PMDM")
    assert not reader.sniff(b"MDM")
    with pytest.raises(Damaged):
        _parse(b"MDMP" + bytes(27))


def test_signature_altered() -> None:
    """A dump that a tool hid behind another signature is read, under a fault that says so."""
    hidden = b"\x1a\xfe\x3c\x91\x07\x55\xc2\x88" + SOUND[8:]
    assert not reader.sniff(hidden)
    assert reader.sniff_altered(hidden[:HEAD])
    with file_of(hidden) as file:
        layout = read_layout(file)
    assert _codes(layout) == {"altered-signature"}
    assert layout.regions == _parse(SOUND).regions


@pytest.mark.parametrize("at", [8, 12, 16, 32, 40])
def test_no_minidump_at_all(at: int) -> None:
    """One field that no minidump has is enough not to take a file for one."""
    changed = bytearray(bytes(8) + SOUND[8:HEAD])
    changed[at : at + 4] = b"\xff\xff\xff\x7f" if at != 40 else bytes(4)
    assert not reader.sniff_altered(bytes(changed))
    assert not reader.sniff_altered(SOUND[:55])


def test_directory_past_the_end() -> None:
    """A directory that is not in the file is a fault."""
    head = struct.pack("<4I16x", 0x504D444D, 0xA793, 3, 0xFFFFFFFF)
    assert _codes(_parse(head)) == {"damaged-directory"}


@pytest.mark.parametrize("count", [1 << 31, 0xFFFFFFFF, 5000])
def test_hostile_stream_count(count: int) -> None:
    """Whatever the count of streams says, the real ones are read, under a fault."""
    data = minidump(memory64=[(0x1000, b"\xff" * 9000)], count=count)
    layout = _parse(data)
    assert _bytes(layout, data)[0x1000] == b"\xff" * 9000
    assert "damaged-directory" in _codes(layout)


@pytest.mark.parametrize("kind", [3, 4, 5, 8, 9, 16])
def test_hostile_counts(kind: int) -> None:
    """A count that its stream cannot hold is cut down, under a fault."""
    stream = struct.pack("<IIQ", 16, 48, 1 << 60) if kind == 16 else b"\xff" * 8 + bytes(100)
    assert _codes(_parse(minidump(streams=[(kind, stream)]))) >= {"damaged-count"}


@pytest.mark.parametrize("kind", [3, 4, 5, 9])
def test_counts_that_are_too_small(kind: int) -> None:
    """A list that is larger than its count says is damaged: no writer leaves room."""
    data = bytearray(SOUND)
    offset = next(at for stream, _, at in struct.iter_unpack("<3I", data[32:128]) if stream == kind)
    data[offset] -= 1
    assert "damaged-count" in _codes(_parse(bytes(data)))


def test_ranges_that_share_bytes() -> None:
    """Bytes of the file that have two addresses, or are a table's, are some table's fault."""
    data = bytearray(minidump(memory=[(0x1000, b"a" * 40), (0x9000, b"b" * 40)]))
    at = data.index(struct.pack("<Q", 0x9000)) + 12
    (offset,) = struct.unpack_from("<I", data, at)
    for wrong in (offset - 1, offset + 1):
        struct.pack_into("<I", data, at, wrong)
        assert _codes(_parse(bytes(data))) == {"damaged-ranges"}
    struct.pack_into("<I", data, at, offset)
    assert _codes(_parse(bytes(data))) == set()


@pytest.mark.parametrize("at", [13, 32 + 12 + 1])
def test_memory_without_a_list(at: int) -> None:
    """Memory of which the directory lost the list has no address, and is told by its size."""
    data = bytearray(minidump(memory=[(0x1000, bytes(range(256)) * 16)]))
    data[at] ^= 1
    assert "damaged-directory" in _codes(_parse(bytes(data)))
    assert _codes(_parse(minidump(streams=[(11, b"a comment" * 400)]))) == set()


def test_truncated_memory64() -> None:
    """Of a file cut within its memory, what is there is a region, the rest a gap."""
    data = minidump(memory64=[(0x1000, b"a" * 100), (0x5000, b"b" * 100), (0x9000, b"c" * 9)])
    layout = _parse(data[:-59])
    assert [(region.start, region.size) for region in layout.regions] == [
        (0x1000, 100),
        (0x5000, 50),
    ]
    assert layout.gaps == (
        Gap(code="truncated", start=0x5032, size=50),
        Gap(code="truncated", start=0x9000, size=9),
    )
    assert _codes(layout) == {"truncated"}


def test_range_past_the_address_space() -> None:
    """A range that wraps is cut at the top, doubted, and a fault."""
    layout = _parse(minidump(memory64=[((1 << 64) - 4, b"12345678")]))
    assert [(region.size, region.doubted) for region in layout.regions] == [(4, True)]
    assert _codes(layout) == {"address-wrap"}


def test_sizes_that_sum_past_everything() -> None:
    """Huge sizes put what follows past the end of the file, and no number wraps."""
    rows = struct.pack("<6Q", 2, 500, 0x1000, (1 << 64) - 1, 0x2000, 1 << 63)
    layout = _parse(minidump(streams=[(9, rows)]), extra=1000)
    assert "truncated" in _codes(layout)
    assert sum(region.size for region in layout.regions) <= 2000


def test_names_that_lie() -> None:
    """A name that is not in the file is a fault; a long one is cut; bad UTF-16 is replaced."""
    data = bytearray(minidump(modules=[(0x1000, 16, "x" * 5000), (0x2000, 16, "y")]))
    layout = _parse(bytes(data))
    assert len(layout.modules[0].name) == 4096
    at = data.index("y".encode("utf-16-le") + b"\0\0", 10_000) - 4
    struct.pack_into("<I", data, at, 1 << 31)
    assert _codes(_parse(bytes(data))) == {"damaged-name"}
    struct.pack_into("<I2s", data, at, 2, b"\x00\xd8")
    assert _parse(bytes(data)).modules[1].name == "\ufffd"


def test_many_long_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of names is bounded over all modules: they may share the bytes of a name."""
    monkeypatch.setattr(reader, "MAX_NAME_BYTES", 3 * 200)
    layout = _parse(minidump(modules=[(at << 16, 16, "x" * 100) for at in range(1, 9)]))
    assert _codes(layout) == {"limit-names"}
    assert [len(module.name) for module in layout.modules] == [100] * 3 + [0] * 5


def test_two_hundred_thousand_ranges() -> None:
    """A full-memory dump of a large process is read whole."""
    count = 200_000
    rows = b"".join(struct.pack("<2Q", 0x1000 * index, 16) for index in range(count))
    before = len(minidump(streams=[(9, bytes(16) + rows)]))
    stream = struct.pack("<2Q", count, before) + rows
    layout = _parse(minidump(streams=[(9, stream)]), extra=16 * count)
    assert len(layout.regions) == count
    assert layout.faults == ()


@limits(max_examples=30, deadline=None)
@given(st.sampled_from([b"MDMP", b"PMDM"]), st.binary(max_size=300))
def test_arbitrary_bytes(magic: bytes, data: bytes) -> None:
    """Arbitrary bytes raise nothing but Damaged, and regions lie in the file."""
    with contextlib.suppress(Damaged):
        layout = _parse(magic + data)
        for region in layout.regions:
            assert 0 < region.size <= len(magic + data) - region.file_offset
            assert region.start + region.size <= 1 << 64


@limits(max_examples=30, deadline=None)
@given(st.data())
def test_flipped_and_cut(data: st.DataObject) -> None:
    """However a sound dump is damaged, regions and labels lie in the file, and nothing raises."""
    damaged = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(damaged) - 4))
        damaged[at : at + 4] = data.draw(
            st.sampled_from([b"\xff\xff\xff\xff", bytes(4), b"\0\0\0\x80", b"\1\0\0\0"])
        )
    cut = bytes(damaged[: data.draw(st.integers(32, len(damaged)))])
    layout = _parse(cut)
    for place in (*layout.regions, *layout.labels):
        assert 0 < place.size <= len(cut) - place.file_offset
    for gap in layout.gaps:
        assert gap.code == "not-captured" or "truncated" in _codes(layout)
