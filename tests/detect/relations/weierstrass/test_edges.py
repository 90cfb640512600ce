"""Rows of bytes become limbs as each reading says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.relations.weierstrass import edges
from scanner.detect.relations.weierstrass.curves import BIG, JAVA, LITTLE, WORDS, Reading
from scanner.kernels import curves

WAYS = (LITTLE, BIG, JAVA, *WORDS)


@pytest.mark.parametrize("how", WAYS, ids=[how.name for how in WAYS])
@given(st.lists(st.binary(min_size=72, max_size=72), min_size=1, max_size=4), st.integers(1, 9))
def test_limbs(how: Reading, raws: list[bytes], words: int) -> None:
    """The number is that which the reading decodes."""
    size = 8 * words
    rows = np.array([list(raw[:size]) for raw in raws], np.uint8)
    found = edges.limbs(rows, how, 9)
    assert [curves.number(row) for row in found] == [how.decode(raw[:size]) for raw in raws]
