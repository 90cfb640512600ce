"""Words found at any offset, held equal to a search in Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.kernels import words


def found(which: list[int], data: bytes, most: int = 1000) -> tuple[list[tuple[int, int]], int]:
    """Return (offset, word) of what the kernel finds, and how many there are."""
    made = words.index(np.array(which, np.uint64))
    at, row, total = words.find(made, np.frombuffer(data, np.uint8), most)
    return [(a, which[r]) for a, r in zip(at.tolist(), row.tolist(), strict=True)], total


def expected(which: list[int], data: bytes) -> list[tuple[int, int]]:
    """Look at every offset."""
    windows = (int.from_bytes(data[at : at + 8], "little") for at in range(len(data) - 7))
    return [(at, word) for at, word in enumerate(windows) if word in which]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3), unique=True, max_size=60),
    st.binary(max_size=100),
    st.data(),
)
def test_any_words(which: list[int], noise: bytes, data: st.DataObject) -> None:
    """Whatever stands there, at any offset: zeros, neighbours, the last word."""
    parts = [word.to_bytes(8, "little") for word in which] + [noise, b"", b"\0" * 9]
    text = b"".join(data.draw(st.lists(st.sampled_from(parts), max_size=12)))
    rows = expected(which, text)
    assert found(which, text) == (rows, len(rows))


def test_more_than_there_is_room_for() -> None:
    """The first are given, and all counted."""
    rows, total = found([0, 7], bytes(100), 5)
    assert rows == [(at, 0) for at in range(5)]
    assert total == 93


def test_many_words() -> None:
    """Those that share slots are told apart."""
    which = [(3 * n + 1) << 40 | n for n in range(100_000)]
    text = b"".join(word.to_bytes(8, "little") for word in which[::1000])
    rows, total = found(which, text)
    assert total == 100
    assert [word for _, word in rows] == which[::1000]


@pytest.mark.parametrize("size", [0, 7])
def test_too_few_bytes(size: int) -> None:
    """No word fits."""
    assert found([0], bytes(size)) == ([], 0)


def test_wrong_arrays() -> None:
    """Bytes that do not follow one another do not reach the kernel."""
    data = np.zeros(100, np.uint8)[::2]
    with pytest.raises(ValueError, match="follow"):
        words.find(words.index(np.array([1], np.uint64)), data, 1)
