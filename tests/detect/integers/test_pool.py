"""The pool: edges of runs, read again whole, in bounded sections, and named where they stand."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import noise
from scanner.detect.integers import numbers, pool
from scanner.detect.integers.edges import judge
from scanner.detect.integers.runs import Runs
from tests.detect.integers.conftest import Load


def test_positions_are_places(load: Load) -> None:
    """Every block holds the dump's bytes, and a position names the place they came from."""
    data = noise.heap(1 << 16, 3) + noise.uniform(20_000, 1) + noise.text(999, 1)
    memory, runs = load(data)
    made = pool.load(memory, runs)
    for edge in (made.head, made.tail - 16):
        for position in edge[edge >= 0].tolist():
            place = made.place(position, 16)
            assert made.data[position : position + 16].tobytes() == data[place.offset :][:16]
            assert place.space == 0
    heads = {made.place(at, 1).offset for at in made.head[made.head >= 0].tolist()}
    tails = {made.place(at, 1).offset for at in made.tail[made.tail >= 0].tolist()}
    assert (heads, tails) == (set(runs.start.tolist()), set(runs.end.tolist()))


def test_long_runs_keep_their_edges(load: Load) -> None:
    """Of a long run, only so many bytes at each edge are kept."""
    memory, runs = load(bytes(512) + noise.uniform(1 << 18, 1) + bytes(512))
    made = pool.load(memory, runs)
    assert len(made.data) < 4 * pool.SPAN + (len(runs) + 2) * 6 * pool.MARGIN


def test_sections_are_bounded_and_overlap(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections hold every run, none too many bytes, and neighbours stand together in one."""
    monkeypatch.setattr(pool, "SECTION", 1 << 18)
    memory, runs = load(noise.heap(1 << 20, 3))
    parts = [pool.load(memory, part) for part in pool.sections(runs)]
    assert len(parts) > 3
    assert all(len(part.data) <= 1 << 18 for part in parts)
    held = [{p.place(at, 1).offset for at in p.head[p.head >= 0].tolist()} for p in parts]
    assert set().union(*held) == set(runs.start.tolist())
    for one, other in itertools.pairwise(held):
        assert max(one) - min(other) > pool.NEIGHBOURHOOD // 2


def test_a_little_more_than_a_section_stays_whole(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third more at most: of what is longer each part has no more than a section."""
    memory, runs = load(noise.heap(1 << 20, 3))
    size = len(pool.load(memory, runs).data)
    for share, parts in ((0.9, 1), (0.78, 1), (0.7, 2)):
        monkeypatch.setattr(pool, "SECTION", int(size * share))
        made = [pool.load(memory, part) for part in pool.sections(runs)]
        assert len(made) == parts
        assert parts == 1 or all(len(part.data) <= pool.SECTION for part in made)


def test_whole_runs_are_cut_with_an_overlap(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded whole, each byte of every run is there, and each 16 bytes of it in one block."""
    monkeypatch.setattr(pool, "SECTION", 1 << 14)
    data = noise.uniform(50_000, 1) + bytes(4096) + noise.heap(1 << 15, 3)
    memory, runs = load(data)
    pieces = set()
    for part in pool.whole(runs):
        made = pool.load(memory, part, pool.SECTION)
        assert len(made.data) < 3 * pool.SECTION
        for at in range(len(made.data) - 16):
            pieces.add(made.data[at : at + 16].tobytes())
    for start, end in zip(runs.start.tolist(), runs.end.tolist(), strict=True):
        for at in range(start, end - 15):
            assert data[at : at + 16] in pieces


def test_budgets_grow_with_depth_and_shrink_with_runs(load: Load) -> None:
    """Where runs are few more is spent on each; a deep scan spends most."""
    memory, runs = load(noise.heap(1 << 14, 3))
    few = pool.load(memory, runs)
    deep = pool.load(memory, runs, deep=True)
    many = dataclasses.replace(few, at=np.zeros(pool.FEW_RUNS + 1, np.int64))
    assert [made.budget(100, 10) for made in (few, many, deep)] == [100, 10, 100 * pool.DEEP]


def test_no_runs_no_sections(load: Load) -> None:
    """A dump without runs has an empty pool, of which nothing is asked."""
    memory, runs = load(bytes(4096))
    assert list(pool.sections(runs)) == []
    listed = numbers.numbers(judge(pool.load(memory, runs)), 1024)
    assert len(listed) == 0


@limits(deadline=None)
@given(
    edges=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 60), st.integers(3, 20)), max_size=9
    ),
    stated=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 480), st.integers(1, 200)), max_size=9
    ),
)
def test_what_lies_in_a_public_place_is_dropped(
    edges: list[tuple[int, int, int]], stated: list[tuple[int, int, int]]
) -> None:
    """A run is kept unless one place holds it, but for less than a word at either end."""
    made = sorted((space, 8 * at, 8 * (at + words)) for space, at, words in edges)
    places = [(space, at, at + size) for space, at, size in stated]
    left = pool.outside(runs_of(made), runs_of(places))
    wanted = [
        (space, start, end)
        for space, start, end in made
        if not any(s == space and a < start + 8 and b > end - 8 for s, a, b in places)
    ]
    assert list(zip(left.space, left.start, left.end, strict=True)) == wanted


def runs_of(rows: list[tuple[int, int, int]]) -> Runs:
    """Put rows of (space, start, end) into columns."""
    space, start, end = np.array(rows, np.int64).reshape(-1, 3).T
    return Runs(space=space, start=start, end=end)


def test_what_begins_before_its_block_is_placed_by_it(load: Load) -> None:
    """In the pool another block is there: a place in that had been a live key's, in Perl."""
    first, second = noise.uniform(64, 1), noise.uniform(48, 2)
    data = bytes(64) + first + bytes(72) + second + bytes(64)
    made = pool.load(*load(data))
    at = int(made.head[1])
    assert made.data[at : at + 48].tobytes() == second
    place = made.place(at, 48, ahead=40)
    assert (place.offset, place.size) == (data.find(second) - 40, 48)
    assert made.place(int(made.head[0]), 64, ahead=4096).offset == 0


@pytest.mark.parametrize("size", [32, 48, 64])
def test_a_copy_beside_another_number_of_its_size_is_kept(load: Load, size: int) -> None:
    """Of what stands three times the last stays: it is in the slot behind a number of its own."""
    point, scalar = noise.uniform(size, 1), noise.uniform(size, 2)
    apart, slot = bytes(256), bytes(32)
    pieces = (apart, point, apart, point, apart, scalar, slot, point, apart)
    memory, runs = load(b"".join(pieces))
    starts = list(itertools.accumulate(map(len, pieces), initial=0))
    kept = runs.start[pool.distinct(memory, runs)].tolist()
    assert [starts[1], starts[5], starts[7]] == kept
    far = (apart, point, apart, scalar, bytes(pool.MARGIN * 2), point, apart)
    memory, runs = load(b"".join(far))
    assert pool.distinct(memory, runs).tolist() == [True, True, False]
