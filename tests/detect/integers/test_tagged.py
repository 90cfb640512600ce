"""Rows of digits with tags: told wherever they begin, and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import noise
from scanner.detect.integers import limbs, tagged
from scanner.detect.integers.tagged import Words

TAGS = {"PHP": 4, "QuickJS": 0}


def row(count: int, tag: int, seed: int) -> Words:
    """Return cells of two words: a random digit of 28 bits, and a tag."""
    cells = np.full((count, 2), tag, np.uint64)
    cells[:, 0] = (np.frombuffer(noise.uniform(4 * count, seed), "<u4") >> 4) | 1 << 16
    return cells.ravel()


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
@settings(max_examples=30, deadline=None)
@given(at=st.integers(8, 60), count=st.integers(10, 30), seed=st.integers(0, 1 << 16))
def test_a_row_is_told_wherever_it_begins(tag: int, at: int, count: int, seed: int) -> None:
    """Looked for once in eight words, it is flagged whole, and nothing beside it."""
    words = np.frombuffer(noise.pointers(256 * 8, seed), "<u8").copy()
    assert not len(tagged.eights(words))
    words[at : at + 2 * count] = row(count, tag, seed)
    assert len(tagged.eights(words))
    flagged = np.flatnonzero(tagged.in_rows(words))
    assert set(flagged.tolist()) >= set(range(at, at + 2 * count - 2))
    assert (flagged >= at - 2).all()
    assert (flagged < at + 2 * count + 2).all()


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
@pytest.mark.parametrize("before", range(1, 21))
def test_a_row_is_told_across_pieces(tag: int, before: int) -> None:
    """Of a row of ten, cut anywhere by the end of what is judged at once, no word is lost."""
    words = np.frombuffer(noise.pointers(2 * limbs.PIECE * 8, before), "<u8").copy()
    at = limbs.PIECE - before
    words[at : at + 20] = row(10, tag, before)
    starts, ends = limbs.find(words.view(np.uint8), np.array([0]), np.array([words.nbytes]))
    assert any(
        start <= 8 * at and end >= 8 * (at + 18) for start, end in zip(starts, ends, strict=True)
    )


def test_what_is_no_row_is_not_told() -> None:
    """Random words, zeros, and cells whose digits repeat or whose tags differ."""
    cells = row(40, TAGS["PHP"], 1)
    other = cells.copy()
    other[1::4] = 6
    same = np.tile(cells[:2], 40)
    for words in (np.frombuffer(noise.uniform(8192, 1), "<u8"), np.zeros(512, "<u8"), other, same):
        within = np.concatenate((np.zeros(16, np.uint64), words, np.zeros(16, np.uint64)))
        assert not len(tagged.eights(within))
        assert not tagged.in_rows(within).any()
