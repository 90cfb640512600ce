"""Pairs of numbers, cut into rectangles that one array holds.

The relations compare each of some numbers with those near it: a row, and a range of columns. This
module exists so that all of them walk these ranges alike, at a bounded size of array. It refuses to
know what is compared.
"""

from collections.abc import Iterator

from scanner.arrays import Offsets

_MOST = 64
"""Rows of one rectangle whose ranges are short."""


def rectangles(low: Offsets, high: Offsets, cells: int) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns, in order, that together have each row's range of columns in them.

    ``low`` and ``high`` are the ends of each row's range, both ascending. A rectangle has about
    ``cells`` cells at most, or one row.
    """
    first = 0
    while first < len(low):
        near = max(int(high[first] - low[first]), 1)
        rows = max(min(max(near // 2, _MOST), cells // near), 1)
        start = int(low[first])
        while rows > 1 and rows * (int(high[first : first + rows][-1]) - start) > 2 * cells:
            rows //= 2  # the ranges behind the first are longer
        last = min(first + rows, len(low))
        yield slice(first, last), slice(start, max(int(high[last - 1]), start))
        first = last
