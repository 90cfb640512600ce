"""Dumps of Linux kernels: compressed pages become an ELF core, flattened ones their file."""

import gzip
import importlib.util
import itertools
import struct
import tracemalloc
from array import array

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import makedumpfile
from fixtures.makedumpfile import BLOCK, LZO, RAW, SNAPPY, ZLIB, ZSTD
from scanner.dump.archives import flattened
from tests.dump.dump_bytes import damage, elfcore
from tests.dump.opening import codes, memory, opened

RUNS = [
    (0x3000, bytes(range(256)) * 16),
    (0x10000, b"words of a kernel " * 1024),
    (0x200000, bytes(2 * BLOCK)),
]
RUNS = [(start, data[: len(data) // BLOCK * BLOCK]) for start, data in RUNS]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("codec", [RAW, ZLIB, LZO, SNAPPY, ZSTD])
def test_pages(codec: int, wide: bool, order: str) -> None:
    """Pages of every codec, word size and byte order are decoded, at their addresses."""
    if codec == LZO and importlib.util.find_spec("lzallright") is None:
        pytest.skip("no LZO here")
    machine = "x86_64" if wide else "i686"
    written = makedumpfile.write(RUNS, codec=codec, wide=wide, order=order, machine=machine)
    found, rest, dumps = opened(written.data)
    assert found.faults == ()
    assert found.archive == "makedumpfile"
    [(name, data, layout)] = dumps
    assert name == "memory"
    assert memory(data, layout) == RUNS
    assert damage(layout) == set()
    assert (layout.pointer_size, layout.byte_order) == (
        8 if wide else 4,
        "little" if order == "<" else "big",
    )
    assert layout.arch == ("x86_64" if wide else "i386")
    assert layout.system == "linux kernel"
    assert {label.name for label in layout.labels} >= {"note VMCOREINFO"}
    assert b"OSRELEASE=6.1.0-test" in rest
    assert RUNS[0][1] not in rest


def test_what_trails() -> None:
    """Bytes behind the pages are kept, under a fault, and a dump among them is one."""
    found, rest, _ = opened(makedumpfile.write(RUNS, trailing=b"appended").data)
    assert codes(found) == {"stray-bytes"}
    assert rest.endswith(b"appended")
    core = elfcore([(0x1000, b"the memory of a core" * 300, 6000)])
    found, _, dumps = opened(makedumpfile.write(RUNS, trailing=gzip.compress(core)).data)
    assert found.faults == ()
    assert [data for _, data, _ in dumps][1:] == [core]


@pytest.mark.parametrize("wide", [True, False])
def test_what_was_erased(wide: bool) -> None:
    """The list of what was overwritten on purpose is known, as text; nothing else is there."""
    listed = b"erase init_task.comm 16\nerase saved_command_line 40\n"
    found, rest, [_] = opened(makedumpfile.write(RUNS, wide=wide, erased=listed).data)
    assert found.faults == ()
    assert rest.endswith(listed)
    data = makedumpfile.write(RUNS, wide=wide, erased=b"\x1f\x9d packed").data
    assert codes(opened(data)[0]) == {"unopened"}


def test_more_segments_than_a_header_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of pages beyond what e_phnum can count are segments all the same."""
    monkeypatch.setattr(makedumpfile, "BLOCK", 512)
    runs = [(2 * frame * 512, bytes(512)) for frame in range(66_000)]
    written = makedumpfile.write(runs)
    _, _, [(_, _, layout)] = opened(written.data)
    assert len(layout.regions) == len(runs)
    assert damage(layout) == set()


def test_split() -> None:
    """A file of a dump that was split has its own pages, at their addresses."""
    written = makedumpfile.write(RUNS, split=(0x10, 0x200))
    found, _, [(_, data, layout)] = opened(written.data)
    assert found.faults == ()
    assert memory(data, layout) == RUNS[1:2]


def test_split_without_pages() -> None:
    """Seen in makedumpfile, which leaves the last files of a small dump without a page."""
    written = makedumpfile.write(RUNS, split=(0x200, 0x200))
    found, _, [(_, data, layout)] = opened(written.data + bytes(24 * 99))
    assert found.faults == ()
    assert memory(data, layout) == []
    lying = patched(patched(PLAIN.data, BLOCK + 12, "I", 1), BLOCK + 80, "2Q", 2, 2)
    assert codes(opened(lying)[0]) == {"stray-bytes"}


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    """Write numbers over a dump."""
    out = bytearray(data)
    struct.pack_into("<" + layout, out, at, *values)
    return bytes(out)


PLAIN = makedumpfile.write(RUNS)
TABLE = PLAIN["descriptors"].file_offset
FLAT = makedumpfile.flatten(PLAIN.data)
DAMAGED: dict[str, tuple[bytes, set[str]]] = {
    "signature alone": (PLAIN.data[:100], {"corrupt-archive"}),
    "a block of 3 bytes": (patched(PLAIN.data, 428, "I", 3), {"corrupt-archive"}),
    "a bitmap past the end": (patched(PLAIN.data, 436, "I", 1 << 30), {"corrupt-archive"}),
    "2**40 pages": (patched(PLAIN.data, BLOCK + 96, "Q", 1 << 40), {"corrupt-archive"}),
    "the writer gave up": (makedumpfile.write(RUNS, status=8).data, {"truncated-archive"}),
    "a page never written": (patched(PLAIN.data, TABLE, "Q", 0), {"truncated-archive"}),
    "a page past the end": (patched(PLAIN.data, TABLE, "Q", 1 << 60), {"truncated-archive"}),
    "a page of 4 GB": (
        patched(PLAIN.data, TABLE, "QI", 4, 0xFFFFFFFF),
        {"truncated-archive"},
    ),
    "a page of three blocks": (
        patched(PLAIN.data, TABLE, "QI", 4, 3 * BLOCK),
        {"corrupt-member"},
    ),
    "no zlib": (patched(PLAIN.data, TABLE, "Q", 8), {"corrupt-member"}),
    "two codecs": (patched(PLAIN.data, TABLE + 12, "I", 3), {"corrupt-member"}),
    "notes past the end": (
        patched(PLAIN.data, BLOCK + 32, "2Q", 1 << 50, 99),
        {"corrupt-archive"},
    ),
    "cut in the pages": (PLAIN.data[:-5], {"truncated-archive"}),
    "cut in the table": (PLAIN.data[: TABLE + 30], {"truncated-archive"}),
    "flattened, header alone": (FLAT[:4096], {"truncated-archive"}),
    "flattened, cut": (FLAT[:9000], {"truncated-archive", "corrupt-archive"}),
    "flattened, no end": (FLAT[:-16], {"truncated-archive"}),
    "flattened, a record before the file": (
        FLAT[:-16] + struct.pack(">2q", -5, 3),
        {"corrupt-archive"},
    ),
    "flattened, a hole": (
        FLAT[:-16] + struct.pack(">2q", 1 << 60, 1) + b"x" + FLAT[-16:],
        {"limit-bytes"},
    ),
}
"""Damaged dumps, and a fault that they must have."""


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name: str) -> None:
    """Each kind of damage has its fault, and what was not decoded is swept as it stands."""
    data, expected = DAMAGED[name]
    found, _, _ = opened(data)
    assert codes(found) & expected


def test_flattened() -> None:
    """Records make up their file; what they wrote over is kept beside it."""
    found, rest, dumps = opened(FLAT)
    assert found.faults == ()
    assert found.archive == "flattened"
    [(name, data, layout)] = dumps
    assert name == "dump!memory"
    assert memory(data, layout) == RUNS
    assert b"stale" * 4 in rest
    core = elfcore([(0x1000, b"m" * 9000, 9000)])
    _, _, [(name, data, _)] = opened(makedumpfile.flatten(core))
    assert (name, data) == ("dump", core)


@limits(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.binary(min_size=1, max_size=12)), max_size=12))
def test_last_record_wins(writes: list[tuple[int, bytes]]) -> None:
    """However records overlap, each byte is what was written to it last."""
    image, stream, records = bytearray(64), bytearray(), []
    for at, data in writes:
        image[at : at + len(data)] = data
        records.append((at, at + len(data), len(stream)))
        stream += data
    seen = bytearray(64)
    columns = [array("q", column) for column in zip(*records, strict=True)] or [array("q")] * 3
    parts = list(flattened._visible((columns[0], columns[1], columns[2])))
    for start, end, where in parts:
        seen[start:end] = stream[where : where + end - start]
    assert seen == image
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(parts))


@limits(max_examples=30, deadline=None)
@given(
    st.sampled_from([PLAIN.data, FLAT]),
    st.lists(st.tuples(st.integers(8, 9000), st.integers(0, 255)), max_size=8),
)
def test_any_damage(data: bytes, changes: list[tuple[int, int]]) -> None:
    """Whatever is overwritten, nothing raises and the parts have all of the spill."""
    out = bytearray(data)
    for at, value in changes:
        out[at] = value
    opened(bytes(out))


def test_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record takes few bytes of memory until it is in order; there is an end to them."""
    rows = b"".join(struct.pack(">2qs", index * 3, 1, b"a") for index in range(30_000))
    data = b"makedumpfile\0\0\0\0".ljust(4096, b"\0") + rows + struct.pack(">2q", -1, -1)
    tracemalloc.start()
    try:
        found, _, _ = opened(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.faults == ()
    assert peak < 30_000 * 200 + (16 << 20)
    monkeypatch.setattr(flattened, "MAX_RECORDS", 10)
    assert codes(opened(data)[0]) == {"limit-members"}
