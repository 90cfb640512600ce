"""Pairs of numbers, cut into rectangles that one array holds.

The relations compare each of some numbers with those near it: a row, and a range of columns. This
module exists so that all of them walk these ranges alike, at a bounded size of array. It refuses to
know what is compared.
"""

from collections.abc import Iterator

from scanner.arrays import Offsets

_FEWEST, _MOST = 16, 64
"""Rows of one rectangle, where there are so many."""


def rectangles(low: Offsets, high: Offsets, cells: int) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns, in order, that together have each row's range of columns in them.

    ``low`` and ``high`` are the ends of each row's range, both ascending. A rectangle has about
    ``cells`` cells at most, or the fewest rows.
    """
    first = 0
    while first < len(low):
        near = max(int(high[first] - low[first]), 1)
        rows = max(_FEWEST, min(max(near // 2, _MOST), cells // near))
        last = min(first + rows, len(low))
        start = int(low[first])
        yield slice(first, last), slice(start, max(int(high[last - 1]), start))
        first = last
