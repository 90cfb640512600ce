"""Where bytes of a pool are as a test wants them, a piece of the pool after the other.

A comparison makes an array as long as what it compares, and a test has several: of a pool of twenty
megabytes that is more memory than all that is found. This module knows no test.
"""

from collections.abc import Callable

import numpy as np

from scanner.arrays import Flags, Offsets

_PIECE = 1 << 18
"""Bytes that are looked at together: with what the test makes of them they stay in the cache."""


def spots(last: int, test: Callable[[int, int], Flags]) -> Offsets:
    """List the positions below ``last``, in order, where a test holds that is asked of ranges."""
    starts = range(0, last, _PIECE)
    parts = [np.flatnonzero(test(at, min(at + _PIECE, last))) + at for at in starts]
    return np.concatenate([np.empty(0, np.int64), *parts])
