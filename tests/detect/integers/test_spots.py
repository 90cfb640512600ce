"""Where a test holds is the same however the pool is cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.integers import spots as room
from scanner.detect.integers.spots import spots


@given(data=st.binary(max_size=64), piece=st.integers(1, 9))
def test_no_place_is_lost_between_pieces(data: bytes, piece: int) -> None:
    """A test that looks at two bytes sees those at the end of a piece and the start of the next."""
    row = np.frombuffer(data, np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_PIECE", piece)
        found = spots(len(row) - 1, lambda at, end: row[at:end] < row[at + 1 : end + 1])
    assert found.tolist() == [at for at in range(len(data) - 1) if data[at] < data[at + 1]]
    assert found.dtype == np.int64
