"""Positions, each once and in order."""

import numpy as np
import pytest

from scanner.detect.integers.distinct import distinct


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_each_once_in_order(count: int) -> None:
    """Of many that are equal, and of none."""
    positions = np.random.default_rng(count).integers(-9, 9 + count // 2, count)
    found = distinct(positions)
    assert found.dtype == np.int64
    assert found.tolist() == sorted(set(positions.tolist()))
