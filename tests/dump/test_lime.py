"""LiME and AVML: ranges of physical memory, packed or not."""

import struct

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import lime
from scanner import dump
from scanner.dump import space
from scanner.model import Layout
from tests.dump.dump_bytes import damage, file_of
from tests.dump.opening import codes, memory, opened

RANGES = [
    (0x1000, b"low memory " * 7000),
    (0x100000, bytes(range(256)) * 2048),
    (0x100000000, b"high" * 1024),
]
RANGES = [(start, data[: len(data) // 4096 * 4096]) for start, data in RANGES]
PLAIN = lime.write(RANGES)
PACKED = lime.write(RANGES, packed=True)


def layout_of(data: bytes) -> Layout:
    """Read a dump, and check that every byte of it has a place."""
    with file_of(data) as file:
        layout = dump.read_layout(file)
        space_map, _ = space.build(layout, file.size)
        assert space.covered(space_map) == file.size
    return layout


def test_ranges() -> None:
    """Each range stands at its physical address."""
    layout = layout_of(PLAIN.data)
    assert memory(PLAIN.data, layout) == RANGES
    assert damage(layout) == set()
    assert (layout.format, layout.system) == ("lime", "linux kernel")
    assert {region.name for region in layout.regions} == {"physical memory"}


def test_packed() -> None:
    """Packed ranges are decoded; beside them only headers are left."""
    found, rest, [(name, data, layout)] = opened(PACKED.data)
    assert found.faults == ()
    assert (found.archive, name) == ("avml", "memory")
    assert memory(data, layout) == RANGES
    assert damage(layout) == set()
    assert len(rest) < 200


def test_mixed() -> None:
    """A range that is not packed may stand among packed ones."""
    data = PACKED.data + lime.write([(1 << 40, b"plain" * 4096)]).data
    found, _, [(_, inner, layout)] = opened(data)
    assert found.faults == ()
    assert memory(inner, layout) == [*RANGES, (1 << 40, b"plain" * 4096)]


def test_end_behind_the_last_address() -> None:
    """Some writers give the address behind the last one: it is a multiple of a page."""
    data = bytearray(PACKED.data)
    struct.pack_into("<Q", data, 16, RANGES[0][0] + len(RANGES[0][1]))
    found, _, [(_, inner, layout)] = opened(bytes(data))
    assert found.faults == ()
    assert memory(inner, layout) == RANGES


def test_what_trails() -> None:
    """A name behind the last range, as unpacking gzip leaves it, is no damage."""
    layout = layout_of(PLAIN.data + b"memory.lime\0")
    assert damage(layout) == set()
    assert layout.labels[-1].name == "stream trailing bytes"


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    """Write numbers over a dump."""
    out = bytearray(data)
    struct.pack_into("<" + layout, out, at, *values)
    return bytes(out)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (PLAIN.data[:20], "truncated"),
        (PLAIN.data[:-1], "truncated"),
        (PLAIN.data + PLAIN.data[:20], "truncated"),
        (PLAIN.data + b"t" * 600, "damaged-table"),
        (PLAIN.data + bytes(64), "damaged-table"),
        (patched(PLAIN.data, 16, "Q", 0x10), "damaged-table"),
        (patched(PLAIN.data, 16, "Q", (1 << 64) - 1), "truncated"),
    ],
)
def test_damaged(data: bytes, code: str) -> None:
    """Each kind of damage has its fault."""
    assert code in damage(layout_of(data))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (PACKED.data[:20], "truncated-archive"),
        (PACKED.data[:-1], "corrupt-member"),
        (PACKED.data[:-20], "truncated-archive"),
        (PACKED.data + bytes(64), "corrupt-archive"),
        (patched(PACKED.data, 60, "Q", 0), "corrupt-member"),
        (patched(PACKED.data, 16, "Q", 0x1FFE), "corrupt-member"),
        (patched(PACKED.data, 32, "I", 0xFFFFFFFF), "truncated-archive"),
    ],
)
def test_damaged_packed(data: bytes, code: str) -> None:
    """Each kind of damage has its fault, and what was not decoded is swept as it stands."""
    found, _, _ = opened(data)
    assert code in codes(found)


@limits(max_examples=30, deadline=None)
@given(
    st.sampled_from([PLAIN.data, PACKED.data]),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_any_damage(data: bytes, changes: list[tuple[int, int]]) -> None:
    """Whatever is overwritten, nothing raises."""
    out = bytearray(data)
    for at, value in changes:
        out[at] = value
    opened(bytes(out))
    layout_of(bytes(out))
