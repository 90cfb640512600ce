"""Pieces that are worth a trial: each once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.relations import variety


@given(st.data(), st.sampled_from([8, 20, 32, 57]))
def test_of_equal_pieces_the_first_stays(data: st.DataObject, size: int) -> None:
    """Whole words of a piece are compared, whatever others its first one is like."""
    raw = data.draw(st.lists(st.sampled_from(b"\0\1"), min_size=size, max_size=size + 200))
    spots = data.draw(st.lists(st.integers(0, len(raw) - size), max_size=60))
    kept = variety.once(np.array(raw, np.uint8), np.array(spots, np.int64), size)
    first: dict[bytes, int] = {}
    for index, at in enumerate(spots):
        first.setdefault(bytes(raw[at : at + (size & ~7)]), index)
    assert kept.tolist() == sorted(first.values())
