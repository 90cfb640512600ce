"""Mach-O cores: segments, notes and threads, and what is said of those that lie."""

import struct

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import macho
from scanner import dump
from scanner.dump import space
from scanner.model import Gap, Layout
from tests.dump.dump_bytes import file_of

SEGMENTS = [
    (0x1000, b"text" * 1024, 4096),
    (0x2000, b"data" * 2048, 0x4000),
    (0x70000000, b"", 0x100000),
]


def layout_of(data: bytes) -> Layout:
    """Read a dump, and check that every byte of it has a place."""
    with file_of(data) as file:
        layout = dump.read_layout(file)
        space_map, _ = space.build(layout, file.size)
        assert space.covered(space_map) == file.size
    return layout


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("machine", macho.CPUS)
def test_core(machine: str, order: str) -> None:
    """Segments have their addresses; what was not written is a gap."""
    notes = [("process metadata", b'{"threads":[]}')]
    written = macho.write(SEGMENTS, machine=machine, order=order, notes=notes, threads=2)
    layout = layout_of(written.data)
    assert layout.faults == ()
    assert [(r.start, r.size, r.file_offset, r.perms) for r in layout.regions] == [
        (place.address, place.size, place.file_offset, "rw")
        for place in (written["segment:0"], written["segment:1"])
    ]
    assert layout.gaps == (
        Gap(code="not-captured", start=0x4000, size=0x2000),
        Gap(code="not-captured", start=0x70000000, size=0x100000),
    )
    assert (layout.format, layout.arch, layout.system) == ("macho", machine, "macos")
    assert layout.byte_order == ("little" if order == "<" else "big")
    assert [thread.id for thread in layout.threads] == [0, 1]
    assert "note process metadata" in {label.name for label in layout.labels}


def test_address_that_is_wrong() -> None:
    """A segment begins a page of memory and one of the file: else its address is wrong."""
    assert not any(region.doubted for region in layout_of(PLAIN).regions)
    first = layout_of(patched(PLAIN, 32 + 24, "Q", SEGMENTS[0][0] + 4)).regions
    assert next(region.doubted for region in first)


def test_programs_are_no_cores() -> None:
    """Programs and libraries are no dumps."""
    data = bytearray(macho.write(SEGMENTS).data)
    for kind in (1, 2, 6):
        data[12] = kind
        assert layout_of(bytes(data)).format == "raw"


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    """Write numbers over a dump."""
    out = bytearray(data)
    struct.pack_into("<" + layout, out, at, *values)
    return bytes(out)


PLAIN = macho.write(SEGMENTS).data


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (PLAIN[:20], "damaged"),
        (PLAIN[:60], "damaged-table"),
        (PLAIN[:-1], "truncated"),
        (patched(PLAIN, 16, "I", 0xFFFFFFFF), "damaged-count"),
        (patched(PLAIN, 20, "I", 0xFFFFFFFF), "damaged-table"),
        (patched(PLAIN, 36, "I", 0), "damaged-table"),
        (patched(PLAIN, 36, "I", 16), "damaged-table"),
        (patched(PLAIN, 32 + 40, "Q", (1 << 64) - 1), "truncated"),
        (patched(PLAIN, 32 + 24, "Q", (1 << 64) - 9), "address-wrap"),
    ],
)
def test_damaged(data: bytes, code: str) -> None:
    """Each kind of damage has its fault."""
    assert code in {fault.code for fault in layout_of(data).faults}


@limits(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=8))
def test_any_damage(changes: list[tuple[int, int]]) -> None:
    """Whatever is overwritten, nothing raises and each byte has a place."""
    out = bytearray(PLAIN)
    for at, value in changes:
        out[at] = value
    layout_of(bytes(out))
