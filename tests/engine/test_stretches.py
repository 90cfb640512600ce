"""The map of the address space is small, true to the regions and the same whoever sweeps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import elfcore, minidump, noise, real, tokens
from scanner import policy, rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.engine.stretches import MOST_CELLS, MOST_STRETCHES, stretches
from scanner.labels import WITHHELD, Labels
from scanner.model import Cell, DumpReport, Layout, Module, Region, Stretch, Thread
from scanner.progress import Silence
from scanner.report import FORMATS
from tests.engine.test_scanning import report_bytes

PAGE = 4096


def cells_of(kinds: str) -> tuple[Cell, ...]:
    """Return cells of a page: zero, low, text, mixed, random, unswept, by their first letters."""
    words = {word[0]: word for word in ("zero", "low", "text", "mixed", "random")}
    return tuple(
        Cell(bytes=PAGE, swept=PAGE * (kind != "u"), entropy=words.get(kind, "mixed"))
        for kind in kinds
    )


def drawn(layout: Layout, cells: tuple[Cell, ...]) -> tuple[Stretch, ...]:
    """Return the map of a layout."""
    return stretches(layout, Labels.of(layout), cells, PAGE)


def test_regions_by_address() -> None:
    """Each has its place, bytes, name or owner, and looks as its bytes in the file do."""
    layout = Layout(
        format="elfcore",
        regions=(
            Region(start=0x9000, size=2 * PAGE, file_offset=4 * PAGE, perms="rw"),
            Region(start=0x1000, size=2 * PAGE, file_offset=PAGE, name="/usr/bin/signer"),
            Region(start=0x3000, size=PAGE, file_offset=3 * PAGE, perms="rw"),
            Region(start=0x4000, size=PAGE, file_offset=0, perms="rw"),
            Region(start=2**64 - PAGE, size=PAGE, file_offset=6 * PAGE, name="[vsyscall]"),
        ),
        modules=(Module(start=0x1000, size=0x1000, name="C:\\x\\app.exe"),),
        threads=(Thread(id=7, stack_start=0xA000, stack_size=PAGE),),
    )
    found = drawn(layout, cells_of("ltrzmuz"))
    assert [(s.address, s.size, s.bytes, s.label, s.cells) for s in found] == [
        (0x1000, 0x2000, 0x2000, "app.exe", ("text", "random")),
        (0x3000, 0x2000, 0x2000, "memory rw", ("zero", "low")),
        (0x9000, 0x2000, 0x2000, "stack of thread 0x7", ("mixed", "unswept")),
        (2**64 - PAGE, PAGE, PAGE, "[vsyscall]", ("zero",)),
    ]


def test_what_has_no_address_of_the_dump_is_not_in_it() -> None:
    """File-only bytes, other address spaces, hostile regions and overlaps add nothing."""
    region = Region(start=0x1000, size=2 * PAGE, file_offset=0)
    assert drawn(Layout(format="raw"), cells_of("zz")) == ()
    assert drawn(Layout(format="elfcore", regions=(replace(region, context=1),)), ()) == ()
    hostile = (
        region,
        region,
        replace(region, start=0x2000, file_offset=2 * PAGE),
        replace(region, start=0x1800, size=PAGE),
        replace(region, start=0x8000, file_offset=3 * PAGE),
        replace(region, start=0x8000, file_offset=-PAGE),
        replace(region, start=0x8000, size=0),
        replace(region, start=-1),
        replace(region, start=2**64),
        replace(region, start=2**64 - PAGE),
        replace(region, start=0x8000, size=1 << 62),
    )
    found = drawn(Layout(format="elfcore", regions=hostile), cells_of("lztr"))
    assert [(s.address, s.bytes, s.cells) for s in found] == [
        (0x1000, 3 * PAGE, ("low", "zero", "random")),
        (2**64 - PAGE, PAGE, ("low",)),
    ]


def test_small_neighbours_are_told_as_one() -> None:
    """Of many regions the largest and what stands far apart stay; the rest joins, holes told."""
    rows = [
        Region(
            start=0x10000 + k * 2 * PAGE,
            size=PAGE,
            file_offset=k * PAGE,
            name=f"part {k}",
        )
        for k in range(1000)
    ]
    rows[500] = replace(rows[500], start=1 << 40, name="far away")
    rows[501:] = [replace(row, start=row.start + (1 << 44)) for row in rows[501:]]
    cells = cells_of("zr" * 500)
    found = drawn(Layout(format="minidump", regions=tuple(rows)), cells)
    assert len(found) == MOST_STRETCHES
    assert sum(one.bytes for one in found) == 1000 * PAGE
    assert [one.label for one in found if one.address == 1 << 40] == ["far away"]
    joined = [one for one in found if one.bytes < one.size]
    assert joined
    assert all(one.label.endswith(" more") for one in joined)


def test_holes_have_no_look() -> None:
    """A part of a stretch of which the file has no byte is None."""
    rows = [
        Region(start=k * 15 * PAGE, size=8 * PAGE, file_offset=k * 8 * PAGE, name=str(k))
        for k in range(300)
    ]
    found = drawn(Layout(format="minidump", regions=tuple(rows)), cells_of("t" * 2400))
    assert {cell for one in found for cell in one.cells} == {"text", None}


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(0, 2**64), st.integers(0, 2**40), st.integers(-9, 70_000)),
        max_size=40,
    ),
    st.text("zltmru", min_size=1, max_size=17),
)
def test_any_regions(rows: list[tuple[int, int, int]], kinds: str) -> None:
    """Whatever the regions, the map is within its bounds, in order, apart, and looks like cells."""
    layout = Layout(
        format="elfcore",
        regions=tuple(Region(start=a, size=s, file_offset=f) for a, s, f in rows),
    )
    found = drawn(layout, cells_of(kinds))
    ends = [0, *(one.address + one.size for one in found)]
    assert all(one.address >= end for one, end in zip(found, ends, strict=False))
    assert ends[-1] <= 2**64
    assert all(0 < one.bytes <= one.size for one in found)
    words = {cell.entropy for cell in cells_of(kinds)} | {"unswept"}
    assert {cell for one in found for cell in one.cells} <= words | {None}
    assert sum(len(one.cells) for one in found) <= MOST_CELLS + MOST_STRETCHES


def test_large_dumps_have_few_cells() -> None:
    """Many bytes in many regions have no more cells than the bound, in proportion to size."""
    size = 4096 * PAGE
    rows = [
        Region(start=1 << 40, size=size // 2, file_offset=0, name="large"),
        Region(start=1 << 50, size=size // 4, file_offset=size // 2, name="middle"),
        *(
            Region(start=(1 << 51) + (k << 30), size=PAGE, file_offset=k * PAGE)
            for k in range(1000)
        ),
    ]
    found = drawn(Layout(format="elfcore", regions=tuple(rows)), cells_of("zr" * 2048))
    counts = {one.label: len(one.cells) for one in found}
    assert sum(len(one.cells) for one in found) <= MOST_CELLS + MOST_STRETCHES
    assert counts["large"] > 1.9 * counts["middle"] > 300


# --- of whole scans -----------------------------------------------------------------------------


def scanned(path: Path, jobs: int = 1) -> scanning.Scan:
    """Scan a file."""
    request = ScanRequest(path=str(path), jobs=jobs, in_process=jobs == 1, rules=rules.load())
    return scanning.scan(request, Silence())


def test_a_map_is_the_same_for_any_jobs(tmp_path: Path) -> None:
    """Scattered segments look as they do in the file, whoever swept them."""
    made = np.random.default_rng(3)
    parts = {0x10_0000: made.bytes(40_960), 0x80_0000: bytes(81_920), 0x7F00_0000: noise.text(8192)}
    segments = [elfcore.Segment(address=at, data=data) for at, data in parts.items()]
    path = tmp_path / "core"
    path.write_bytes(elfcore.write(segments[::-1]).data)
    one, two = (scanned(path, jobs).coverage.memory for jobs in (1, 2))
    assert one == two
    assert [(s.address, s.bytes) for s in one] == [(at, len(data)) for at, data in parts.items()]
    assert [set(s.cells) for s in one] == [{"random"}, {"zero"}, {"text"}]


def test_real_dumps_have_a_map() -> None:
    """The stack of a thread and what the program is called are in it; all its memory is."""
    report = scanned(real.path("openssl-server-rsa"))
    found = report.coverage.memory
    assert sum(one.bytes for one in found) == sum(r.size for r in report.layout.regions)
    labels = {one.label for one in found}
    assert "openssl" in labels
    assert any(label.startswith("stack of thread") for label in labels)


def test_a_file_without_addresses_has_none(tmp_path: Path) -> None:
    """Of bytes of no format there is no map of addresses."""
    path = tmp_path / "raw"
    path.write_bytes(noise.text(50_000))
    assert scanned(path).coverage.memory == ()


@pytest.mark.parametrize("wide", [False, True])
def test_a_name_that_is_a_token_is_in_no_report(tmp_path: Path, *, wide: bool) -> None:
    """A file called after a token is found, and no report calls anything by that name."""
    name = tokens.slack("in a name").decode()
    data = noise.text(3 * PAGE) + tokens.slack("in memory") + bytes(PAGE)
    data += bytes(-len(data) % PAGE)
    start, end = 0x7F00_0000_0000, 0x7F00_0000_0000 + len(data)
    if wide:
        module = minidump.Module(start=start, size=len(data), name=f"C:\\files\\{name}")
        raw = minidump.write([minidump.Segment(address=start, data=data)], modules=[module]).data
    else:
        mapped = elfcore.Mapped(start=start, end=end, name=f"/files/{name}")
        raw = elfcore.write([elfcore.Segment(address=start, data=data)], files=[mapped]).data
    found: DumpReport = report_bytes(raw, tmp_path)
    assert len(found.findings) == 2
    assert [one.label for one in found.coverage.memory] == [WITHHELD]
    regions = {o.region for f in found.findings for o in f.occurrences}
    assert WITHHELD in regions
    whole = policy.combine([found], rules_sha256=rules.digest(rules.load()))
    for _, render in FORMATS:
        assert name[-20:] not in render(whole, color=False, verbose=True, quiet=False, width=100)
