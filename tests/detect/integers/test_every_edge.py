"""Every edge of every run is a place of a number; runs of its size come first, and are counted."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect.integers import every_edge
from scanner.detect.integers.runs import Runs
from scanner.dump import space
from scanner.dump.space import Memory
from scanner.model import Layout
from tests.dump.dump_bytes import file_of

WHOLE = bytes(range(256)) * 16


def runs_of(rows: list[tuple[int, int]]) -> Runs:
    """Return runs of one space, by start and length."""
    start = np.array([row[0] for row in rows], np.int64)
    size = np.array([row[1] for row in rows], np.int64)
    return Runs(space=np.zeros(len(rows), np.int64), start=start, end=start + size)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 120), st.integers(1, 20)), max_size=20),
    st.sampled_from([20, 32, 48, 66]),
    st.integers(0, 30),
)
def test_places(drawn: list[tuple[int, int]], size: int, most: int) -> None:
    """Those of a plain loop, in any order; what is read there is what the dump has."""
    rows = [(8 * start, 8 * length) for start, length in drawn]
    with file_of(WHOLE) as file:
        memory = Memory(space.build(Layout(format="raw"), len(WHOLE))[0], file)
        found = every_edge.find(memory, runs_of(rows), size, most)
        every = every_edge.find(memory, runs_of(rows), size, 1 << 20)
        fitting = runs_of([row for row in rows if size - 8 <= row[1] <= -(-size // 8) * 8 + 8])
        count = len(every_edge.find(memory, fitting, size, 1 << 20))
        raws = {
            int(found.offset[first + at]): row.tobytes()
            for first, raw in every_edge.read(memory, found)
            for at, row in enumerate(raw)
        }
    whole = -(-size // 8) * 8
    own, others = set[int](), set[int]()
    for start, length in rows:
        spots = {start, start - size % 8, *(start + length - w for w in (size, whole, size & ~7))}
        good = {at for at in spots if at >= 0 and at + size <= len(WHOLE)}
        if length >= size - 8:
            (own if length <= whole + 8 else others).update(good)
    assert set(every.offset.tolist()) == own | others
    assert every.left == 0
    assert len(found) == min(most, len(every))
    count = len(
        every_edge.find(
            memory, runs_of([r for r in rows if size - 8 <= r[1] <= whole + 8]), size, 1 << 20
        )
    )
    assert found.left == max(count - most, 0)
    assert set(found.offset[:count].tolist()) <= own
    assert raws == {at: WHOLE[at : at + size] for at in found.offset.tolist()}
