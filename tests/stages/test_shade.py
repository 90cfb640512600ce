"""The map of a file says what its bytes look like, covers each byte once, and costs little."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import elfcore, noise, real
from scanner import dump, rules
from scanner.dump import ledger, source, space, windows
from scanner.engine import scanning
from scanner.engine.scanning import Scan, ScanRequest
from scanner.model import Cell
from scanner.progress import Silence
from scanner.stages import shade


def looks(data: bytes, folder: Path) -> list[str]:
    """Return the entropy of each cell of an unknown file with these bytes."""
    path = folder / "file"
    path.write_bytes(data)
    with source.open_file(str(path)) as file:
        layout = dump.read_layout(file)
        space_map, _ = space.build(layout, file.size)
        memory = space.Memory(space_map, file)
        shader = shade.Shader(space_map)
        counts = shade.empty(len(data))
        for task in windows.cut(space_map):
            for window in windows.windows(memory, task):
                shader.add(counts, window)
    starts, ends = ledger.union(space_map.piece_file, space_map.piece_size)
    return [cell.entropy for cell in shade.cells(len(data), counts, starts, ends)]


def test_sorts_of_bytes(tmp_path: Path) -> None:
    """Zeros, pointers, text of two widths, random bytes and half of each are told apart."""
    made = np.random.default_rng(7)
    size = shade.BLOCK
    pointers = b"".join(
        int(n).to_bytes(8, "little") for n in made.integers(1 << 46, size=size // 8)
    )
    text = noise.text(size)
    parts = {
        "zero": bytes(size),
        "low": pointers,
        "text": text,
        "random": made.bytes(size),
        "mixed": made.bytes(size // 2) + bytes(size // 2),
    }
    for name, part in parts.items():
        assert looks(part * 3, tmp_path) == [name] * 3
    assert looks(text.decode().encode("utf-16-le"), tmp_path) == ["text"] * 2
    assert looks(b"".join(parts.values()), tmp_path) == list(parts)


@pytest.mark.parametrize(
    ("size", "cell"),
    [(0, 4096), (1, 4096), (1 << 24, 4096), ((1 << 24) + 1, 8192), (10**12, 244_142_080)],
)
def test_cells_are_few(size: int, cell: int) -> None:
    """A map has at most 4096 cells, each of whole blocks but the last."""
    assert shade.cell_bytes(size) == cell
    assert -(-size // cell) <= shade.MOST_CELLS
    assert shade.stride(size) % 2 == 1
    assert shade.stride(size) * 8 * 15 <= cell


@settings(max_examples=30)
@given(st.integers(0, 20_000), st.lists(st.integers(0, 20_000), max_size=6))
def test_cells_cover_each_byte_once(size: int, cuts: list[int]) -> None:
    """Cells add up to the file, and what they say was swept to the ranges that were."""
    edges = sorted({min(cut, size) for cut in cuts})
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    starts, ends = np.array(pairs, np.int64).reshape(-1, 2).T
    cells = shade.cells(size, shade.empty(size), starts, ends)
    assert sum(cell.bytes for cell in cells) == size
    flags = np.zeros(size, np.bool_)
    for start, end in pairs:
        flags[start:end] = True
    found = [int(flags[i : i + shade.BLOCK].sum()) for i in range(0, size, shade.BLOCK)]
    assert [cell.swept for cell in cells] == found


def scanned(path: Path, jobs: int) -> Scan:
    """Scan a file."""
    request = ScanRequest(path=str(path), jobs=jobs, in_process=jobs == 1, rules=rules.load())
    return scanning.scan(request, Silence())


def test_a_scan_has_a_map() -> None:
    """The map of a whole scan is of the content's bytes, all of them swept."""
    coverage = scanned(real.path("python-public"), 1).coverage
    assert sum(cell.bytes for cell in coverage.map) == coverage.file_bytes
    assert all(cell.swept == cell.bytes for cell in coverage.map)
    assert len({cell.entropy for cell in coverage.map}) >= 4


def test_a_map_is_the_same_for_any_jobs(tmp_path: Path) -> None:
    """Scattered segments give each byte its cell, whoever swept them."""
    made = np.random.default_rng(3)
    segments = [
        elfcore.Segment(address=0x10_0000 + i * 0x10_0000, data=data)
        for i, data in enumerate([made.bytes(40_960), bytes(81_920), noise.text(40_960)])
    ]
    path = tmp_path / "core"
    path.write_bytes(elfcore.write(segments[::-1]).data)
    one, two = (scanned(path, jobs).coverage.map for jobs in (1, 2))
    assert one == two
    assert [cell for cell in one if cell.entropy == "zero"][:1] == [
        Cell(bytes=4096, swept=4096, entropy="zero")
    ]
    kinds = [cell.entropy for cell in one]
    assert (kinds.count("random"), kinds.count("text")) >= (9, 9)
