"""Who signed with a nonce of DSA: as many places are looked at as are worth it."""

from collections.abc import Callable

import pytest

from fixtures import noise
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import dsa_nonces
from scanner.detect.relations.weierstrass import nonces
from scanner.dump.space import Memory


def test_places_without_end_are_bounded(
    make_pool: Callable[[bytes], tuple[Pool, Memory]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers near r are listed at its first places alone."""
    listed: list[object] = []
    monkeypatch.setattr(nonces, "numbers", lambda *asked: listed.append(asked) or ())
    r = noise.uniform(32, 3)
    pool, _ = make_pool((bytes(8) + r + bytes(8)) * 40)
    assert list(dsa_nonces._beside(pool, int.from_bytes(r), 32))
    assert 0 < len(listed) <= dsa_nonces.MOST_PLACES
