"""Machines that QEMU and libvirt saved: pages in any order, at the machine's own addresses."""

import bz2
import gzip
import lzma
import random
import struct

import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import encodings, keys, qemu
from fixtures.machine import Machine
from fixtures.qemu import CHANGES, ELSEWHERE, PACKED, PAGE, PC
from fixtures.written import Written
from scanner import dump
from scanner.dump import migration, pagetables, ramblocks, space
from scanner.dump import qemu as reader
from scanner.dump.names import PHYSICAL
from scanner.model import Layout, Verdict
from tests.dump.dump_bytes import damage, file_of
from tests.dump.opening import codes, judged, opened

RAM, VIDEO = ("pc.ram", 64 * PAGE), ("0000:00:02.0/vga.vram", 8 * PAGE)
KEY = keys.rsa_key(2048)
AT = 0x5555_5555_5000 + PAGE - 700
"""Seven hundred bytes before a page ends."""


def page(mark: int) -> bytes:
    """Return a page of its own."""
    return struct.pack("<Q", mark + 1) * (PAGE // 8)


def layout_of(data: bytes) -> Layout:
    """Read a dump, and check that every byte of it has a place."""
    with file_of(data) as file:
        layout = dump.read_layout(file)
        space_map, _ = space.build(layout, file.size)
        assert space.covered(space_map) == file.size
    return layout


def memory(data: bytes, layout: Layout, name: str = PHYSICAL) -> dict[int, bytes]:
    """Return what lies where, page for page."""
    return {
        r.start + at: data[r.file_offset + at : r.file_offset + at + PAGE]
        for r in layout.regions
        if r.name == name
        for at in range(0, r.size, PAGE)
    }


def faults(layout: Layout) -> set[str]:
    """Return the faults of a machine that has no tables of pages."""
    return damage(layout) - {"no-page-tables"}


PLAIN = qemu.write(
    [RAM, VIDEO],
    [*((RAM[0], at * PAGE, page(at)) for at in (3, 9, 4)), (VIDEO[0], PAGE, page(50))],
    early=[("virtio-mem-early", b"\x7e\0\0\0\x28no footer")],
)


def test_pages() -> None:
    """Pages have the machine's addresses, devices' memory a space of its own, states a name."""
    layout = layout_of(PLAIN.data)
    assert faults(layout) == set()
    assert (layout.format, layout.arch, layout.system) == ("qemu", "x86_64", f"qemu guest ({PC})")
    assert memory(PLAIN.data, layout) == {at * PAGE: page(at) for at in (3, 9, 4)}
    assert memory(PLAIN.data, layout, "block vga.vram") == {PAGE: page(50)}
    spaces = {region.context for region in layout.regions}
    assert len(spaces) == 2
    named = {(label.name, label.file_offset, label.size) for label in layout.labels}
    for name in ("virtio-mem-early", "timer", "cpu"):
        state = PLAIN[f"state:{name}"]
        start = state.file_offset - len(name) - 14
        assert (f"stream state of {name}", start, state.size + len(name) + 19) in named
    described = PLAIN["description"]
    assert any(
        name == "stream description of devices" and at + size == len(PLAIN.data)
        for name, at, size in named
    )
    assert described.file_offset + described.size == len(PLAIN.data)


@limits(max_examples=30, deadline=None)
@given(st.data())
def test_any_order(data: st.DataObject) -> None:
    """The last copy of a page counts, in whatever order and sections pages and blocks come."""
    blocks = data.draw(st.permutations([RAM, VIDEO, ("pc.bios", 4 * PAGE)]))
    places = [(name, at) for name, size in blocks for at in range(0, size, PAGE)]
    order = data.draw(st.lists(st.tuples(st.sampled_from(places), st.booleans()), max_size=60))
    sent = [
        (name, at, None if zeros else page(index))
        for index, ((name, at), zeros) in enumerate(order)
    ]
    parts = data.draw(st.integers(1, 70))
    footers, described = data.draw(st.booleans()), data.draw(st.booleans())
    written = qemu.write(blocks, sent, parts=parts, footers=footers, described=described)
    layout = layout_of(written.data)
    assert faults(layout) == set()
    last = {(name, at): content for name, at, content in sent}
    called = {RAM[0]: PHYSICAL, VIDEO[0]: "block vga.vram", "pc.bios": "block pc.bios"}
    for name, region in called.items():
        held = {at: content for (block, at), content in last.items() if block == name and content}
        assert memory(written.data, layout, region) == held


def machine(size: int = 4 << 20, **how: bool) -> Machine:
    """Return a machine with a process that has a key over two pages."""
    made = Machine(size, **how)
    made.process()
    pages = made.map(made.process(), AT, encodings.pkcs8_der(KEY))
    assert pages[0] + PAGE != pages[1]
    return made


def saved(made: Machine, *, mapped: bool = False, seed: int = 0) -> Written:
    """Save a machine, its pages in any order and some of them sent before as something else."""
    sent = qemu.pages("pc.ram", bytes(made.memory))
    random.Random(seed).shuffle(sent)  # noqa: S311 - an order, no secret
    again = [(name, at, b"?" * PAGE) for name, at, data in sent[::5] if data is not None]
    return qemu.write([("pc.ram", len(made.memory))], [*again, *sent], mapped=mapped, parts=100)


def whole(data: bytes) -> tuple[list[tuple[int, int | None]], Verdict, set[str]]:
    """Return where a scan finds the key whole, the verdict, and the faults."""
    last = judged(data)[-1]
    places = [
        (extent.file_offset, extent.address)
        for finding in last.findings
        for one in finding.occurrences
        if one.encoding == "PKCS8-DER"
        for extent in one.extents
    ]
    return places, last.verdict, {fault.code for fault in last.coverage.faults}


@pytest.mark.parametrize("mapped", [False, True])
def test_key_over_two_pages(mapped: bool) -> None:
    """A key over two pages of a process blocks, at its address and where it lies in the file."""
    data = saved(machine(), mapped=mapped).data
    places, verdict, found = whole(data)
    der = encodings.pkcs8_der(KEY)
    expected = [(data.rfind(der[:700]), AT), (data.rfind(der[700:]), AT + 700)]
    assert (places, verdict, found) == (expected, Verdict.BLOCKED, set())


def test_key_in_an_earlier_copy() -> None:
    """A page that was sent again is bytes of the file all the same."""
    der = encodings.pkcs8_der(KEY)
    made = Machine(2 << 20)
    made.map(made.process(), AT, b"words and words " * 500)
    sent = [("pc.ram", 0, der.ljust(PAGE, b"\0")), *qemu.pages("pc.ram", bytes(made.memory))]
    places, verdict, found = whole(qemu.write([("pc.ram", len(made.memory))], sent).data)
    assert (places[0][1], verdict, found) == (None, Verdict.BLOCKED, set())


def test_machine_without_a_key() -> None:
    """A machine that holds no key passes."""
    made = Machine(2 << 20)
    made.map(made.process(), AT, b"words and words " * 500)
    assert whole(saved(made).data)[1] is Verdict.PASS


def test_key_in_the_state_of_a_device() -> None:
    """What devices hold is swept, and called after them."""
    made = Machine(2 << 20)
    made.map(made.process(), AT, b"words and words " * 500)
    sent = qemu.pages("pc.ram", bytes(made.memory))
    state = b"state" * 9 + encodings.pkcs8_der(KEY) + b"state"
    data = qemu.write([("pc.ram", len(made.memory))], sent, devices=[("tpm", state)]).data
    last = judged(data)[-1]
    assert last.verdict is Verdict.BLOCKED
    regions = {one.region for finding in last.findings for one in finding.occurrences}
    assert "stream state of tpm" in regions


def test_arm() -> None:
    """The memory of QEMU's virt begins at a gigabyte."""
    made = Machine(2 << 20, arm=True, base=1 << 30)
    made.map(made.process(), AT, encodings.pkcs8_der(KEY))
    sent = qemu.pages("mach-virt.ram", bytes(made.memory))
    data = qemu.write(
        [("mach-virt.ram", len(made.memory))], sent, machine="virt-10.0", bits=12
    ).data
    assert layout_of(data).arch == "arm64"
    places, verdict, found = whole(data)
    assert ([at for _, at in places], verdict, found) == ([AT, AT + 700], Verdict.BLOCKED, set())


# --- where memory lies --------------------------------------------------------------------------

GIB = 1 << 30


@pytest.mark.parametrize(
    ("kind", "size", "hole"),
    [
        ("pc-q35-10.0", 2 * GIB, 2 * GIB),
        ("pc-q35-10.0", 3 * GIB, 2 * GIB),
        ("pc-i440fx-10.0", 3 * GIB, 3 * GIB),
        ("pc-i440fx-10.0", 4 * GIB, 3 * GIB),
        ("microvm", 4 * GIB, 3 * GIB),
    ],
)
def test_hole(kind: str, size: int, hole: int) -> None:
    """Memory of x86 goes on at 4 GiB, behind a hole that each kind of machine has elsewhere."""
    offsets = sorted({0, hole - PAGE, min(hole, size - PAGE), size - PAGE})
    sent = [("pc.ram", at, page(index)) for index, at in enumerate(offsets)]
    data = qemu.write([("pc.ram", size)], sent, machine=kind).data
    expected = [at if at < hole else at - hole + 4 * GIB for at in offsets]
    assert sorted(memory(data, layout_of(data))) == expected


def test_hole_that_the_tables_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of pages say where the hole is, whatever is usual; here all is small."""
    low, high, above = 0x80000, 0x180000, 0x400000
    free = [*range(16, low // PAGE), *range(above // PAGE, (above + high) // PAGE)]
    made = Machine(above + 0x200000, free=free, seed=3)
    made.process()
    made.map(made.process(), AT, encodings.pkcs8_der(KEY))
    held = bytes(made.memory[:low] + made.memory[above : above + high])
    monkeypatch.setattr(reader, "HOLES", (0x100000, low, 0xC0000))
    monkeypatch.setattr(reader, "ABOVE", above)
    data = qemu.write([("pc.ram", len(held))], qemu.pages("pc.ram", held)).data
    layout = layout_of(data)
    assert layout.faults == ()
    assert max(memory(data, layout)) >= above
    assert any(region.start == AT // PAGE * PAGE for region in layout.regions)


def test_nodes() -> None:
    """The memory of several nodes is one, in their order; what a user named is the memory alone."""
    sent = [("ram-node1", PAGE, page(1)), ("ram-node0", 0, page(2))]
    data = qemu.write([("ram-node1", 8 * PAGE), ("ram-node0", 4 * PAGE)], sent).data
    assert memory(data, layout_of(data)) == {5 * PAGE: page(1), 0: page(2)}
    data = qemu.write([("mine", 16 << 20), VIDEO], [("mine", PAGE, page(1))]).data
    assert memory(data, layout_of(data)) == {PAGE: page(1)}


def test_added_memory() -> None:
    """Nothing says where memory lies that was added to a machine: it is no pass."""
    made = machine()
    sent = [*qemu.pages("pc.ram", bytes(made.memory)), ("dimm0", 0, page(7))]
    data = qemu.write([("pc.ram", len(made.memory)), ("dimm0", 128 << 20)], sent).data
    layout = layout_of(data)
    assert {fault.code for fault in layout.faults} == {"no-page-tables"}
    assert memory(data, layout, "block dimm0") == {0: page(7)}


# --- what is not read ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "data"), [(CHANGES, b"\1\2ab"), (PACKED, page(2)), (ELSEWHERE, b"")]
)
def test_sent_otherwise(how: int, data: bytes) -> None:
    """Pages that were sent as changes, packed or another way are told."""
    sent = [("pc.ram", 0, page(1)), ("pc.ram", PAGE, data, how), ("pc.ram", 2 * PAGE, page(3))]
    found = layout_of(qemu.write([RAM], sent).data)
    assert faults(found) == {"unsupported"}
    assert sorted(r.start for r in found.regions) == [0, 2 * PAGE]


def test_shared_memory() -> None:
    """Memory that another program has, too, is elsewhere: the file is whole without it."""
    layout = layout_of(qemu.write([RAM], [], shared=True).data)
    assert (layout.faults, [gap.code for gap in layout.gaps]) == ((), ["not-captured"])


def test_huge_pages() -> None:
    """The size of a block's pages may stand behind its own."""
    data = qemu.write([RAM, VIDEO], [("pc.ram", 0, page(1))], huge=True).data
    layout = layout_of(data)
    assert (faults(layout), memory(data, layout)) == (set(), {0: page(1)})


def test_larger_pages() -> None:
    """Pages have the size that the configuration tells."""
    sent = [("pc.ram", 2 * PAGE, page(1) + page(2))]
    data = qemu.write([RAM], sent, bits=13).data
    layout = layout_of(data)
    assert faults(layout) == set()
    assert memory(data, layout) == {2 * PAGE: page(1), 3 * PAGE: page(2)}


def test_too_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages beyond the bound have no address, and that is told; those before keep theirs."""
    monkeypatch.setattr(ramblocks, "MAX_REGIONS", 3)
    sent = [("pc.ram", at * PAGE, page(at)) for at in (0, 1, 2, 3, 1)]
    for mapped in (False, True):
        sparse = sent if not mapped else [("pc.ram", at * 2 * PAGE, page(at)) for at in range(5)]
        layout = layout_of(qemu.write([RAM], sparse, mapped=mapped).data)
        assert faults(layout) == {"limit-regions"}
        assert len([r for r in layout.regions if r.name == PHYSICAL]) == 3


# --- damage -------------------------------------------------------------------------------------


def test_cut_anywhere() -> None:
    """Wherever a stream is cut it is incomplete, and the pages before have their addresses.

    Before what describes the devices it is whole: that may be left out (suppress-vmdesc).
    """
    for at in range(9, len(PLAIN.data), 7):
        layout = layout_of(PLAIN.data[:at])
        assert faults(layout) or at == PLAIN["description"].file_offset - 5
        held = memory(PLAIN.data, layout)
        assert held.items() <= {at * PAGE: page(at) for at in (3, 9, 4)}.items()


def test_cut_without_footers() -> None:
    """Without footers, the end is told by the last byte at least."""
    data = qemu.write([RAM], [("pc.ram", 0, page(1))], footers=False, described=False).data
    assert faults(layout_of(data)) == set()
    assert faults(layout_of(data[:-1])) == {"truncated"}


MAPPED = qemu.write([RAM, VIDEO], [("pc.ram", PAGE, page(1)), (VIDEO[0], 0, page(2))], mapped=True)


def test_mapped() -> None:
    """Pages with fixed places are those whose bits are set, behind another head as well."""
    for data in (MAPPED.data, qemu.libvirt(MAPPED.data, form=6)):
        layout = layout_of(data)
        assert faults(layout) == set()
        assert memory(data, layout) == {PAGE: page(1)}
        assert memory(data, layout, "block vga.vram") == {0: page(2)}
    for at in (90, 400, 1 << 20, (1 << 20) + 2 * PAGE, 2 << 20, len(MAPPED.data) - 1):
        assert faults(layout_of(MAPPED.data[:at])) == {"truncated"}


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """Write bytes over a dump."""
    return data[:at] + new + data[at + len(new) :]


START = PLAIN.data.index(b"\3ram") + 12
HEAD = MAPPED.data.index(b"pc.ram") + 14


@pytest.mark.parametrize(
    "data",
    [
        patched(PLAIN.data, 7, b"\2"),
        patched(PLAIN.data, 8, b"\0"),
        patched(PLAIN.data, 9, b"\xff"),
        patched(PLAIN.data, START, b"\0" * 7),
        patched(PLAIN.data, START + 8, b"\6vc.ram"),
        patched(PLAIN.data, START + 15, b"\xff" * 8),
        patched(PLAIN.data, PLAIN["page:0"].file_offset - 8, b"\xff"),
        patched(PLAIN.data, PLAIN["page:1"].file_offset - 1, b"\x01"),
        patched(PLAIN.data, PLAIN["page:1"].file_offset - 8, b"\xff"),
        patched(MAPPED.data, HEAD, b"\0\0\0\2"),
        patched(MAPPED.data, HEAD + 20, bytes(8)),
        qemu.write([RAM, RAM], []).data,
    ],
)
def test_damaged(data: bytes) -> None:
    """Each contradiction is a fault; a stream of devices alone, and nothing behind, is none."""
    assert faults(layout_of(data)) & {"damaged-table", "truncated"}
    assert not faults(layout_of(patched(PLAIN.data, 8, b"\0")[:9]))


@limits(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(4, len(PLAIN.data) - 1), st.integers(0, 255)), max_size=8))
def test_any_damage(changes: list[tuple[int, int]]) -> None:
    """Whatever is overwritten, nothing raises and each byte has a place."""
    out = bytearray(PLAIN.data)
    for at, value in changes:
        out[at] = value
    layout_of(bytes(out))


@pytest.mark.parametrize("name", [b"configuration/capabilities", b"configuration/secret-in-here"])
def test_no_text_of_the_stream_is_told(name: bytes) -> None:
    """What is said of a configuration repeats none of it."""
    piece = b"\x05" + bytes([len(name)]) + name + b"\0\0\0\1\xff\xff\xff\xff"
    data = b"QEVM\0\0\0\3\7\0\0\0\x09virt-10.0" + piece
    [fault] = layout_of(data).faults
    assert fault.code == "damaged-table"
    assert not {"configuration", "capabilities", "secret"} & set(fault.text.split())


def test_footers_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like a footer is tried so often, and no more."""
    monkeypatch.setattr(migration, "MAX_TRIES", 100)
    state = b"\x7e\0\0\0\x3c\xff" * 1000
    data = qemu.write([RAM], [], devices=[("timer", state)]).data
    assert faults(layout_of(data)) == {"truncated"}


# --- libvirt ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", "<>")
def test_libvirt(order: str) -> None:
    """Behind libvirt's head and XML the stream is read in its place."""
    data = qemu.libvirt(PLAIN.data, order=order)
    layout = layout_of(data)
    assert (layout.format, faults(layout)) == ("qemu", set())
    assert memory(data, layout) == {at * PAGE: page(at) for at in (3, 9, 4)}
    names = [label.name for label in layout.labels]
    assert names[:3] == ["header", "stream domain XML", "stream cookie"]


def test_libvirt_unfinished() -> None:
    """A save that was not finished says so."""
    assert faults(layout_of(qemu.libvirt(PLAIN.data, partial=True))) == {"truncated"}
    found, _, _ = opened(qemu.libvirt(gzip.compress(PLAIN.data), form=1, partial=True))
    assert codes(found) == {"truncated-archive"}


@pytest.mark.parametrize(
    ("form", "packed"),
    [
        (1, gzip.compress(PLAIN.data)),
        (2, bz2.compress(PLAIN.data)),
        (3, lzma.compress(PLAIN.data)),
        (5, zstandard.compress(PLAIN.data)),
    ],
)
def test_libvirt_compressed(form: int, packed: bytes) -> None:
    """A compressed stream is a dump within; the XML stays in what is swept of the file."""
    found, rest, [(name, data, layout)] = opened(qemu.libvirt(packed, form=form))
    assert (found.archive, codes(found), name, data) == ("libvirt", set(), "machine", PLAIN.data)
    assert faults(layout) == set()
    assert qemu.XML in rest


def test_libvirt_without_a_stream() -> None:
    """A head that promises a stream, and has none, is cut."""
    found, _, _ = opened(qemu.libvirt(b"", form=1))
    assert codes(found) == {"truncated-archive"}


def test_secret_in_the_xml() -> None:
    """The XML is swept, whether the stream is compressed or not."""
    made = Machine(2 << 20)
    made.map(made.process(), AT, b"words and words " * 500)
    pem = encodings.pkcs8_pem(KEY)
    for form in (0, 1):
        stream = saved(made).data
        data = qemu.libvirt(gzip.compress(stream) if form else stream, form=form, xml=pem + b"\0")
        assert Verdict.BLOCKED in {report.verdict for report in judged(data)}


def test_tables_of_more_than_one_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are found in pages that lie apart, however few are read at a time."""
    monkeypatch.setattr(pagetables, "_CHUNK", 3 * PAGE)
    assert layout_of(saved(machine()).data).faults == ()
