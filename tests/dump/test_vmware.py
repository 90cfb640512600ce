"""State files of VMware: where the memory lies, and what is said where it cannot be read."""

import struct

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import vmware
from fixtures.vmware import PAGE
from scanner import dump
from scanner.dump import space
from scanner.model import Layout
from tests.dump.dump_bytes import damage, file_of
from tests.dump.opening import memory

RUNS = [(0, b"low " * PAGE), (0x100000000, b"high" * PAGE)]


def layout_of(data: bytes) -> Layout:
    """Read a dump, and check that every byte of it has a place."""
    with file_of(data) as file:
        layout = dump.read_layout(file)
        space_map, _ = space.build(layout, file.size)
        assert space.covered(space_map) == file.size
    return layout


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("runs", [RUNS, RUNS[:1]])
def test_memory(runs: list[tuple[int, bytes]], old: bool) -> None:
    """Memory inside of the file has its physical addresses, as one run or several."""
    data = vmware.write(runs, old=old).data
    layout = layout_of(data)
    assert damage(layout) == set()
    assert memory(data, layout) == runs
    assert layout.format == "vmware"
    assert {label.name for label in layout.labels} >= {"stream guest", "stream memory"}


def test_memory_beside() -> None:
    """A file without memory is whole: the memory is a file of its own."""
    layout = layout_of(vmware.write(None).data)
    assert (layout.faults, layout.regions) == ((), ())


def test_memory_twice() -> None:
    """One group is the memory: each more would be walked again, and there may be thousands."""
    layout = layout_of(vmware.write(RUNS, others=(("memory", bytes(2)),)).data)
    assert "damaged-table" in damage(layout)
    assert layout.regions == ()


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    """Write numbers over a dump."""
    out = bytearray(data)
    struct.pack_into("<" + layout, out, at, *values)
    return bytes(out)


PLAIN = vmware.write(RUNS)
COUNT = PLAIN.data.index(b"regionsCount") + 12


def test_memory_without_a_size() -> None:
    """Where the table has no size for the memory, its tags end as they do."""
    data = patched(PLAIN.data, 12 + 80 + 72, "Q", 0)
    layout = layout_of(data)
    assert damage(layout) == set()
    assert memory(data, layout) == RUNS
    assert "truncated" in damage(layout_of(data[:-100]))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (vmware.write(RUNS, packed=True).data, "unsupported"),
        (PLAIN.data[:100], "truncated"),
        (PLAIN.data[:-100], "truncated"),
        (patched(PLAIN.data, 8, "I", 4000), "truncated"),
        (patched(PLAIN.data, COUNT, "I", 3), "damaged-table"),
        (patched(PLAIN.data, COUNT, "I", 0xFFFFFFFF), "damaged-table"),
        (patched(PLAIN.data, 12 + 80 + 72, "Q", 40), "damaged-table"),
        (patched(PLAIN.data, 12 + 80 + 64, "Q", 1 << 60), "truncated"),
    ],
)
def test_damaged(data: bytes, code: str) -> None:
    """Each kind of damage has its fault."""
    assert code in damage(layout_of(data))


@limits(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(4, 400), st.integers(0, 255)), max_size=8))
def test_any_damage(changes: list[tuple[int, int]]) -> None:
    """Whatever is overwritten, nothing raises and each byte has a place."""
    out = bytearray(PLAIN.data)
    for at, value in changes:
        out[at] = value
    layout_of(bytes(out))
