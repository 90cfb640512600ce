"""Every byte belongs to one class, and what a dump claims and lacks is told."""

import struct

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import real
from scanner import dump
from scanner.dump import contents, source, storage
from scanner.dump.ledger import CLASSES, lacking, ledger
from scanner.model import Label, Layout, Region
from tests.dump.dump_bytes import elfcore, file_of, minidump, note

SPANS = st.lists(
    st.tuples(st.integers(-5, 60), st.integers(0, 20)).map(lambda r: (r[0], r[0] + r[1])),
    max_size=8,
)


@pytest.mark.parametrize("name", real.names())
def test_real_dumps(name: str) -> None:
    """The classes of a real dump sum up to its size, and most of it is memory."""
    with source.open_file(str(real.path(name))) as given_file:
        spill = storage.create_spill(None)
        contents.expand(
            given_file,
            spill,
            scratch=lambda: storage.create_spill(None),
            is_dump=dump.is_dump,
            max_bytes=1 << 32,
        )
        with source.File(spill.fd) as file:
            rows = ledger(dump.read_layout(file), file.size)
            assert sum(size for _, size in rows) == file.size
    assert [name for name, _ in rows] == list(CLASSES)
    assert dict(rows)["region"] > sum(dict(rows).values()) // 2


def test_classes() -> None:
    """Memory, notes, headers, streams and slack are told apart in dumps of both formats."""
    data = elfcore([(0x1000, b"m" * 300, 300)], notes=note(b"CORE", 6, b"n" * 16))
    with file_of(data + b"slack") as file:
        rows = dict(ledger(dump.read_layout(file), file.size))
    assert rows == {"region": 300, "note": 16, "header": 64 + 112, "stream": 0, "slack": 20 + 5}
    data = minidump(memory=[(0x1000, b"m" * 300)], streams=[(0x12345, b"s" * 40)])
    with file_of(data) as file:
        rows = dict(ledger(dump.read_layout(file), file.size))
    assert (rows["region"], rows["header"], rows["slack"]) == (300, 32 + 36, 0)
    assert rows["stream"] == len(data) - 300 - 68


@limits(max_examples=30, deadline=None)
@given(SPANS, SPANS, SPANS, st.integers(0, 60))
def test_sum(
    regions: list[tuple[int, int]],
    labels: list[tuple[int, int]],
    notes: list[tuple[int, int]],
    size: int,
) -> None:
    """Each byte counts once, under the first class that has it, however the tables overlap."""
    layout = Layout(
        format="elfcore",
        regions=tuple(Region(start=0, size=b - a, file_offset=a) for a, b in regions),
        labels=(
            *(Label(file_offset=a, size=b - a, name="stream X") for a, b in labels),
            *(Label(file_offset=a, size=b - a, name="note X") for a, b in notes),
        ),
    )
    expected = dict.fromkeys(CLASSES, 0)
    for at in range(size):
        inside = [any(a <= at < b for a, b in spans) for spans in (regions, notes, labels)]
        names = ("region", "note", "stream", "slack")
        expected[names[inside.index(True) if any(inside) else 3]] += 1
    assert dict(ledger(layout, size)) == expected


@limits(max_examples=30, deadline=None)
@given(SPANS, SPANS)
def test_lacking(claimed: list[tuple[int, int]], held: list[tuple[int, int]]) -> None:
    """What is claimed and not held is told exactly, in order."""
    found = lacking(claimed, held)
    assert found == sorted(found)
    assert {at for low, high in found for at in range(low, high)} == {
        at
        for low, high in claimed
        for at in range(max(low, 0), high)
        if not any(a <= at < b for a, b in held)
    }
    assert sum(high - low for low, high in found) == len(
        {at for low, high in found for at in range(low, high)}
    )


def test_committed_memory_that_is_not_there() -> None:
    """MemoryInfoList tells of memory: what of it no list holds is a gap, free pages are none."""
    rows = [(0x1000, 0x3000, 0x1000), (0x9000, 0x1000, 0x10000), (0xA000, 0x1000, 0x1000)]
    body = b"".join(
        struct.pack("<QQIIQIIII", base, base, 4, 0, size, state, 4, 0x20000, 0)
        for base, size, state in rows
    )
    infos = struct.pack("<2IQ", 16, 48, len(rows)) + body
    with file_of(minidump(memory=[(0x2000, b"m" * 0x1000)], streams=[(16, infos)])) as file:
        layout = dump.read_layout(file)
    assert [(gap.code, gap.start, gap.size) for gap in layout.gaps] == [
        ("not-captured", 0x1000, 0x1000),
        ("not-captured", 0x3000, 0x1000),
        ("not-captured", 0xA000, 0x1000),
    ]
    assert layout.faults == ()
