"""Runs as a table of places: they travel small, and are not copied without need."""

import pickle

import numpy as np
import pytest

from scanner.detect.integers.runs import Runs, chosen, shared


@pytest.mark.parametrize("size", [24, (1 << 32) - 1, 1 << 32])
@pytest.mark.parametrize("count", [0, 1, 5000])
def test_runs_travel_whole_and_small(count: int, size: int) -> None:
    """Runs are the same behind a pickle, which takes half the bytes of what they say."""
    at = np.arange(count, dtype=np.int64)
    runs = Runs(space=at // 1000, start=at * 512 + (1 << 40), end=at * 512 + (1 << 40) + size)
    raw = pickle.dumps(runs)
    other = pickle.loads(raw)  # noqa: S301 - written above
    assert all((getattr(other, name) == getattr(runs, name)).all() for name in runs.__slots__)
    assert other.space.dtype == other.start.dtype == other.end.dtype == np.int64
    if size < 1 << 32:
        assert len(raw) < 12 * count + 1000


def test_all_runs_are_chosen_without_a_copy() -> None:
    """Of a heap where no run is as another, there are no two tables."""
    at = np.arange(9, dtype=np.int64)
    runs = Runs(space=at * 0, start=at * 64, end=at * 64 + 32)
    assert chosen(runs, at >= 0) is runs
    assert chosen(runs, at > 6).start.tolist() == [448, 512]
    assert chosen(runs, slice(0)).start.tolist() == []


def test_one_space_is_told_once() -> None:
    """Of a dump in one space the column of spaces takes a few bytes; of others it stays."""
    at = np.arange(5000, dtype=np.int64)
    alone, some = shared(at * 0 + 7), shared(at // 4999)
    assert (alone.base is not None, alone.strides, alone.tolist()) == (True, (0,), [7] * 5000)
    assert (some.strides, some[-1]) == ((8,), 1)
    assert len(shared(at[:0])) == 0
    runs = Runs(space=alone, start=at * 64, end=at * 64 + 32)
    other = pickle.loads(pickle.dumps(runs))  # noqa: S301 - written here
    assert other.space.strides == (0,)
    assert chosen(other, at > 4997).space.tolist() == [7, 7]
