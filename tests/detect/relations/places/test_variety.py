"""Pieces that are worth a trial: each once."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import encodings, keys, noise
from scanner.detect.integers import pool as pools
from scanner.detect.relations.places import variety

SIZE = 66


@pytest.mark.parametrize("crowd", [False, True])
@pytest.mark.parametrize(
    ("raw", "long"),
    [
        (keys.ec_key("P-521").d.to_bytes(SIZE, "big"), True),
        (encodings.little_limbs(keys.ec_key("P-521").d, SIZE), True),
        (noise.uniform(64, 1), False),
        (bytes(2) + noise.uniform(64, 1), False),
    ],
    ids=["bytes", "limbs", "512 bits", "512 bits behind zeros"],
)
def test_a_number_of_512_bits(
    make_pool: Callable[..., tuple[pools.Pool, object]],
    monkeypatch: pytest.MonkeyPatch,
    raw: bytes,
    long: bool,
    crowd: bool,
) -> None:
    """Where there are many runs it is none of P-521, whatever pads it."""
    if crowd:
        monkeypatch.setattr(pools, "FEW_RUNS", 0)
    pool, _ = make_pool(bytes(64) + raw.ljust(128, b"\0"))
    at = pool.data.tobytes().find(raw)
    found = variety.sifted(pool, np.array([at]), SIZE, 1)
    assert len(found) == (long or not crowd)


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
