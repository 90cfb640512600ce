"""Rows of digits with tags: told wherever they begin, and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import noise
from scanner.detect.integers import limbs, tagged
from scanner.detect.integers.tagged import Words

TAGS = {"PHP": 4, "QuickJS": 0, "Lua": 3, "Duktape": 0, "MuJS": 4 << 56}
DOUBLES = ("Duktape", "MuJS")
USED = {"Lua": 0xFFFF_FFFF_FFFF_FF00, "Duktape": 0xFFFF_FFFF_0000_0000, "MuJS": 0xFFFF_FFFF}
"""Bits beside a tag that may be anything."""


def row(count: int, language: str, seed: int) -> Words:
    """Return cells of two words: a random digit of 28 bits, and a tag in memory that was used."""
    cells = np.full((count, 2), TAGS[language], np.uint64)
    digits = (np.frombuffer(noise.uniform(4 * count, seed), "<u4") >> 4) | 1 << 16
    cells[:, 0] = digits.astype("<f8").view("<u8") if language in DOUBLES else digits
    used = np.frombuffer(noise.uniform(8 * count, seed + 1), "<u8")
    cells[:, 1] |= used & np.uint64(USED.get(language, 0))
    return cells.ravel()


@pytest.mark.parametrize("language", TAGS)
@settings(max_examples=20, deadline=None)
@given(at=st.integers(8, 60), count=st.integers(10, 30), seed=st.integers(0, 1 << 16))
def test_a_row_is_told_wherever_it_begins(language: str, at: int, count: int, seed: int) -> None:
    """Looked for once in eight words, it is flagged whole, and nothing beside it."""
    words = np.frombuffer(noise.pointers(256 * 8, seed), "<u8").copy()
    assert not len(tagged.eights(words))
    words[at : at + 2 * count] = row(count, language, seed)
    assert len(tagged.eights(words))
    flagged = np.flatnonzero(tagged.in_rows(words))
    assert set(flagged.tolist()) >= set(range(at, at + 2 * count - 2))
    assert (flagged >= at - 2).all()
    assert (flagged < at + 2 * count + 2).all()


@pytest.mark.parametrize("language", TAGS)
@pytest.mark.parametrize("before", range(1, 21, 2))
def test_a_row_is_told_across_pieces(language: str, before: int) -> None:
    """Of a row of ten, cut anywhere by the end of what is judged at once, no word is lost."""
    words = np.frombuffer(noise.pointers(2 * limbs.PIECE * 8, before), "<u8").copy()
    at = limbs.PIECE - before
    words[at : at + 20] = row(10, language, before)
    starts, ends = limbs.find(words.view(np.uint8), np.array([0]), np.array([words.nbytes]))
    assert any(
        start <= 8 * at and end >= 8 * (at + 18) for start, end in zip(starts, ends, strict=True)
    )


def test_what_is_no_row_is_not_told() -> None:
    """Random words, zeros, and cells whose digits repeat, are addresses or whose tags differ."""
    cells = row(40, "PHP", 1)
    other = cells.copy()
    other[1::4] = 6
    same = np.tile(cells[:2], 40)
    random = np.frombuffer(noise.uniform(8192, 1), "<u8")
    for words in (random, np.zeros(512, "<u8"), other, same):
        within = np.concatenate((np.zeros(16, np.uint64), words, np.zeros(16, np.uint64)))
        assert not len(tagged.eights(within))
        assert not tagged.in_rows(within).any()
    cells[::2] = np.arange(0xA43018, 0xA43018 + 40 * 0x68, 0x68)
    assert not len(
        tagged.eights(np.concatenate((np.zeros(8, np.uint64), cells, np.zeros(8, "<u8"))))
    )
