"""Windows kernel dumps: which page lies where, and what is said of those that cannot be read."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import encodings, kerneldump, keys
from fixtures.kerneldump import BITMAP, COMPLETE_RANGES, FULL, KERNEL_RANGES, PAGE, SUMMARY
from fixtures.written import Written
from scanner import dump
from scanner.dump import bitmaps, space
from scanner.dump.ledger import ledger
from scanner.model import Layout
from tests.dump.dump_bytes import damage, file_of
from tests.dump.opening import verdict

RUNS = [
    (0x1000, b"a" * PAGE),
    (0x7000, b"b" * PAGE + b"c" * PAGE),
    (0x40000000, b"d" * 3 * PAGE),
]
KINDS = (FULL, SUMMARY, BITMAP, KERNEL_RANGES, COMPLETE_RANGES)


def layout_of(data: bytes) -> Layout:
    """Read a dump, and check that every byte of it has a place."""
    with file_of(data) as file:
        layout = dump.read_layout(file)
        space_map, _ = space.build(layout, file.size)
        assert space.covered(space_map) == file.size
        assert sum(size for _, size in ledger(layout, file.size)) == file.size
    return layout


def held(layout: Layout) -> list[tuple[int, int, int]]:
    """Return address, size and file offset of the regions."""
    return [(r.start, r.size, r.file_offset) for r in layout.regions]


def placed(written: Written, prefix: str) -> list[tuple[int, int, int]]:
    """Return what the writer put where."""
    return [
        (place.address, place.size, place.file_offset)
        for name, place in written.places.items()
        if name.startswith(prefix) and place.address is not None
    ]


@pytest.mark.parametrize("machine", ["x86_64", "arm64"])
@pytest.mark.parametrize("kind", KINDS)
def test_wide(kind: int, machine: str) -> None:
    """Each kind with 64 bits gives each page its physical address."""
    written = kerneldump.write(kind, RUNS, machine=machine, trailing=kerneldump.blobs(b"words" * 5))
    layout = layout_of(written.data)
    assert damage(layout) == set()
    assert held(layout) == placed(written, "run:")
    assert (layout.format, layout.arch, layout.pointer_size) == ("kerneldump", machine, 8)
    assert layout.system == "windows build 19041"
    last = layout.labels[-1]
    assert (last.name, last.size) == ("stream secondary data", 80)


@pytest.mark.parametrize("kind", [FULL, SUMMARY])
def test_narrow(kind: int) -> None:
    """The kinds with 32 bits give each page its physical address."""
    written = kerneldump.write(kind, RUNS, machine="i386", comment=b"by hand")
    layout = layout_of(written.data)
    assert damage(layout) == set()
    assert held(layout) == placed(written, "run:")
    assert (layout.arch, layout.pointer_size) == ("i386", 4)


@pytest.mark.parametrize("machine", ["x86_64", "i386"])
def test_triage(machine: str) -> None:
    """A small dump gives its blocks and its stack virtual addresses."""
    base = 0xFFFFF80000000000 if machine == "x86_64" else 0x81000000
    blocks = [(base, b"k" * 100), (base + 100, b"l" * 60), (base + 0x9000, b"m" * 8)]
    written = kerneldump.write_triage(
        blocks,
        stack=(base + 0x5000, b"s" * 64),
        machine=machine,
        strings=b"x",
        trailing=kerneldump.blobs(b"a", b"b"),
    )
    layout = layout_of(written.data)
    assert damage(layout) == set()
    assert sorted(held(layout)) == sorted([*placed(written, "block:"), *placed(written, "stack")])
    assert layout.labels[-1].name == "stream secondary data"


def codes(data: bytes) -> set[str]:
    """Return the faults of a dump."""
    return damage(layout_of(data))


@pytest.mark.parametrize(("machine", "word"), [("i386", 4), ("x86_64", 8)])
def test_blocks_that_begin_within_a_word(machine: str, word: int) -> None:
    """Where no word begins, an address may be wrong, and limbs be aligned in another way."""
    for at in range(2 * word):
        data = kerneldump.write_triage([(0x80001000 + at, b"k" * 100)], machine=machine).data
        doubted = [region.doubted for region in layout_of(data).regions if region.size == 100]
        assert doubted == [at % word != 0]


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    """Write numbers over a dump."""
    out = bytearray(data)
    struct.pack_into("<" + layout, out, at, *values)
    return bytes(out)


WIDE = {kind: kerneldump.write(kind, RUNS).data for kind in KINDS}
SMALL = kerneldump.write_triage([(0x1000, b"k" * 100)]).data

DAMAGED: dict[str, tuple[bytes, set[str]]] = {
    "header alone": (WIDE[FULL][:0x2000], {"truncated"}),
    "half a header": (WIDE[FULL][:0x1FFF], {"damaged"}),
    "unknown kind": (patched(WIDE[FULL], 0xF98, "I", 77), {"unknown-kind"}),
    "a header, and pages": (patched(WIDE[FULL], 0xF98, "I", 3), {"damaged-table"}),
    "a run less": (patched(WIDE[FULL], 0x88, "I", 2), {"damaged-count"}),
    "a page less": (patched(WIDE[FULL], 0xA0, "Q", 0), {"damaged-count"}),
    "no run": (patched(WIDE[FULL], 0x88, "I", 0), {"damaged-count"}),
    "10**9 runs": (patched(WIDE[FULL], 0x88, "I", 10**9), {"damaged-count"}),
    "a run of 2**63 pages": (
        patched(WIDE[FULL], 0xA0, "Q", 1 << 63),
        {"address-wrap", "truncated"},
    ),
    "page frame 2**60": (patched(WIDE[FULL], 0x98, "Q", 1 << 60), {"address-wrap"}),
    "bitmap longer than the file": (patched(WIDE[BITMAP], 0x2030, "Q", 1 << 50), {"damaged-table"}),
    "bitmap with another count": (patched(WIDE[BITMAP], 0x2028, "Q", 7), {"damaged-table"}),
    "bitmap without a mark": (patched(WIDE[BITMAP], 0x2000, "I", 0), {"damaged-table"}),
    "ranges without a mark": (patched(WIDE[KERNEL_RANGES], 0x2000, "I", 0), {"damaged-table"}),
    "ranges past the end": (
        patched(WIDE[KERNEL_RANGES], 0x2018, "Q", 1 << 60),
        {"truncated"},
    ),
    "first page in the table": (
        patched(WIDE[KERNEL_RANGES], 0x2018, "Q", 0x2000),
        {"damaged-table"},
    ),
    "the same page twice": (
        patched(WIDE[KERNEL_RANGES], 0x2040, "2Q", RUNS[0][0] // PAGE, 2),
        set(),
    ),
    "2**32-1 blocks": (patched(SMALL, 0x207C, "I", 0xFFFFFFFF), {"damaged-count"}),
    "no end mark": (patched(SMALL, 0x2008, "I", 0), {"damaged-table"}),
    "declared size past the end": (patched(SMALL, 0x2004, "I", 1 << 20), {"truncated"}),
}
"""Damaged dumps, and the faults that they must have."""


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name: str) -> None:
    """Each kind of damage has its fault."""
    data, expected = DAMAGED[name]
    assert codes(data) >= expected


@pytest.mark.parametrize("kind", KINDS)
def test_cut(kind: int) -> None:
    """A dump that is cut anywhere has a fault."""
    for cut in range(0, len(WIDE[kind]) - 1, 1021):
        if cut >= 8:
            assert codes(WIDE[kind][:cut]), cut


def test_a_key_in_the_comment() -> None:
    """The comment of the header stands in no page, and is swept: 119 letters are enough."""
    key = encodings.pkcs8_pem(keys.okp_key())
    assert len(key) <= 128
    written = kerneldump.write(FULL, RUNS, comment=key)
    assert verdict(written.data) == "blocked"


@limits(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(WIDE)),
    st.lists(st.tuples(st.integers(0, 0x2060), st.integers(0, 255)), max_size=12),
)
def test_any_damage(kind: int, changes: list[tuple[int, int]]) -> None:
    """Whatever stands in the header and the table, every byte has a place, and nothing raises."""
    out = bytearray(WIDE[kind])
    for at, value in changes:
        out[at] = value
    layout_of(bytes(out))


@limits(max_examples=30, deadline=None)
@given(st.binary(max_size=64), st.integers(0, 7))
def test_bitmap(raw: bytes, less: int) -> None:
    """Runs are exactly the bits that are set, whatever the step they are read in."""
    bits = max(8 * len(raw) - less, 0)
    value = int.from_bytes(raw, "little") & ((1 << bits) - 1)
    with file_of(b"x" + raw) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(bitmaps, "STEP", 3)
        found = list(bitmaps.runs(file, 1, bits, most=1 << 20))
        assert bitmaps.count(file, 1, bits) == value.bit_count()
        assert list(bitmaps.runs(file, 1, bits, most=2)) == found[:2]
    assert sum(((1 << count) - 1) << first for first, count in found) == value
    assert all(a + n < b for (a, n), (b, _) in itertools.pairwise(found))
