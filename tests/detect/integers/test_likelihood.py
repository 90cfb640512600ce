"""Evidence for random bytes: random ones have it, whatever else there is seldom does."""

import numpy as np
import pytest

from fixtures import noise
from scanner.detect.integers import likelihood

SIZES = (24, 32, 64, 128)


@pytest.mark.parametrize("size", SIZES)
def test_random_bytes_have_it(size: int) -> None:
    """Of twenty thousand random pieces, at most a few miss the score."""
    data = np.frombuffer(noise.uniform(20_000 * size, 1), np.uint8)
    verdict = likelihood.looks_random(data, np.arange(20_000) * size, size)
    assert np.count_nonzero(~verdict) <= 6


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["code", "pointers"])
def test_other_bytes_do_not(kind: str, size: int) -> None:
    """Code and pointers score lower; text, without a byte above 0x7f, never comes so far."""
    data = np.frombuffer(getattr(noise, kind)(1 << 18, 1), np.uint8)
    positions = np.arange(0, len(data) - size, 61)
    passed = np.count_nonzero(likelihood.looks_random(data, positions, size))
    assert passed <= len(positions) * (0.5 if size < 64 else 0.2)


def test_words_score_as_bytes_do() -> None:
    """Whole words have the score of their bytes."""
    data = np.frombuffer(noise.uniform(24 * 500, 2), np.uint8)
    scores = likelihood.of_words(data.view(np.uint64).reshape(-1, 3))
    good = likelihood.looks_random(data, np.arange(500) * 24, 24)
    assert np.array_equal(scores >= np.float32(likelihood.least(24)), good)


def test_nothing_is_asked_of_no_positions() -> None:
    """No positions, no verdicts."""
    data = np.zeros(64, np.uint8)
    assert len(likelihood.looks_random(data, np.empty(0, np.int64), 24)) == 0


def test_values_are_counted() -> None:
    """Each row has as many values as a set of its bytes, in however many rows."""
    rows = np.frombuffer(noise.heap(24 * 5000, 3), np.uint8).reshape(-1, 24)
    assert likelihood.values(rows).tolist() == [len(set(row.tolist())) for row in rows]
    assert likelihood.values(rows[:0]).tolist() == []
