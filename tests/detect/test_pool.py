"""The pool: what repeats is loaded once, and every position leads back to its place."""

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import noise
from scanner.detect import pool
from scanner.detect.limbs import Runs
from scanner.dump import space
from scanner.dump.source import open_file
from scanner.dump.space import Memory
from scanner.model import Layout


def runs_at(rows: list[tuple[int, int]]) -> Runs:
    """Return runs of the first space."""
    starts, ends = (np.array(side, np.int64) for side in zip(*rows, strict=True))
    return Runs(space=np.zeros(len(rows), np.int64), start=starts, end=ends)


def memory_of(data: bytes, folder: Path) -> Memory:
    """Return raw bytes as memory."""
    path = folder / "raw"
    path.write_bytes(data)
    file = open_file(str(path))
    space_map, _ = space.build(Layout(format="raw"), file.size)
    return Memory(space_map, file)


def test_runs_that_repeat_are_dropped(tmp_path: Path) -> None:
    """Of equal runs the first is kept; one whose neighbours differ within a word is another."""
    run, gap = noise.uniform(64, 1), bytes(32)
    data = gap + run + gap + run + gap + run + b"\x01" + gap + noise.uniform(64, 2) + gap
    rows = [(32, 96), (128, 192), (224, 288), (321, 385)]
    kept = pool.distinct(memory_of(data, tmp_path), runs_at(rows))
    assert kept.start.tolist() == [32, 224, 321]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cuts=st.lists(st.integers(1, 999), min_size=2, max_size=20, unique=True),
    seed=st.integers(0, 99),
)
def test_positions_lead_back(tmp_path: Path, cuts: list[int], seed: int) -> None:
    """The edges of every run are in the pool, and their places are where they came from."""
    data = noise.uniform(8000, seed)
    bounds = sorted(cut * 8 for cut in cuts)
    rows = [(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False) if b - a >= 24]
    memory = memory_of(data, tmp_path)
    if not rows:
        return
    loaded = pool.load(memory, runs_at(rows))
    for head, tail in zip(loaded.head.tolist(), loaded.tail.tolist(), strict=True):
        for edge, size in ((head, 24), (tail - 24, 24)):
            if edge < 24:
                continue
            place = loaded.place(edge, size)
            raw = loaded.data[edge : edge + size].tobytes()
            assert raw == data[place.offset : place.offset + size]
