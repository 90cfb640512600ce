"""Rectangles: each row's range is looked at whole, once, and no array is larger than stated."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.relations.rsa.rectangles import rectangles

EDGES = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=120)


@given(EDGES, st.sampled_from([1, 64, 1 << 10, 1 << 15]))
def test_every_pair_is_in_one_rectangle(edges: list[tuple[int, int]], cells: int) -> None:
    """Rows follow each other without a gap, and the columns of each are within its rectangle."""
    low = np.array(sorted(min(pair) for pair in edges), np.int64)
    high = np.array(sorted(max(pair) for pair in edges), np.int64)
    seen = 0
    for rows, columns in rectangles(low, high, cells):
        assert rows.start == seen < rows.stop
        seen = rows.stop
        for row in range(rows.start, rows.stop):
            near = range(int(low[row]), int(high[row]))
            assert not near or (columns.start <= near[0] and near[-1] < columns.stop)
    assert seen == len(low)


def test_rows_are_bounded() -> None:
    """Wide ranges take a row at a time, narrow ones up to sixty-four."""
    none = np.zeros(1000, np.int64)
    for width, most in ((1 << 20, 1), (1 << 10, 32), (1 << 8, 128), (1, 64), (0, 64)):
        sizes = {rows.stop - rows.start for rows, _ in rectangles(none, none + width, 1 << 15)}
        assert max(sizes) == most


def test_the_first_range_does_not_tell_how_long_the_others_are() -> None:
    """Seen in Python full of integers: no exponent near the first primes, and all behind them.

    An array had 2.5 million cells, of 32,768.
    """
    low, high = np.zeros(1000, np.int64), np.arange(1000) * 40_000
    for rows, columns in rectangles(low, high, 1 << 15):
        cells = (rows.stop - rows.start) * (columns.stop - columns.start)
        assert rows.stop - rows.start == 1 or cells <= 1 << 16
