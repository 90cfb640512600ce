"""Pieces: in which order they are tried."""

from collections.abc import Callable

import pytest

from fixtures import noise
from scanner.arrays import Offsets
from scanner.detect.integers import pool as pools
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.relations.places import pieces
from scanner.dump.space import Memory
from scanner.model import Place

MakePool = Callable[[bytes], tuple[Pool, Memory]]

MOST = 8


@pytest.mark.parametrize("objects", [1, MOST])
def test_few_announced_objects_come_before_what_stands_beside_points(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, objects: int
) -> None:
    """Seen in Node.js: a scalar in an array of its own, and thousands of edges beside points."""
    monkeypatch.setattr(pools, "FEW_RUNS", 0)
    beside = b"".join(noise.uniform(48, seed) + bytes(16) for seed in range(4 * MOST))
    apart = bytes(NEIGHBOURHOOD + 4096)
    head = (32).to_bytes(8, "little")
    own = b"".join(head + noise.uniform(32, 99 + seed) + bytes(24) for seed in range(objects))
    pool, _ = make_pool(bytes(64) + beside + apart + own + bytes(64))
    near = [Place(space=0, offset=64 * at, size=32) for at in range(1, 4 * MOST)]
    found = pieces.aligned(pool, 32, MOST, near)
    raw = noise.uniform(32, 99)
    assert len(found) == MOST
    first = [pool.data[at : at + 32].tobytes() for at in found[:objects].tolist()]
    assert (raw in first) == (objects == 1)


def test_blocks_with_two_words_more_come_before_others_that_are_announced(
    make_pool: MakePool,
) -> None:
    """Seen in Perl (OpenSSL): eighty such, and 1,800 that allocators' sizes or lengths announce."""
    said = b"".join(
        (0x41).to_bytes(8, "little") + noise.uniform(48, n) + bytes(8) for n in range(60)
    )
    own = (0x51).to_bytes(8, "little") + noise.uniform(48, 99) + bytes(16)
    pool, _ = make_pool(bytes(64) + said + bytes(8) + own + bytes(64))
    near = [Place(space=0, offset=64 * at, size=48) for at in range(1, 60)]
    found = pieces.aligned(pool, 48, MOST, near)
    assert pool.data[found[0] : found[0] + 48].tobytes() == noise.uniform(48, 99)


@pytest.mark.parametrize("most", [1, MOST, 1000])
@pytest.mark.parametrize("search", [pieces.aligned, pieces.loose])
def test_pieces_are_the_same_however_many_are_compared_at_once(
    make_pool: MakePool,
    monkeypatch: pytest.MonkeyPatch,
    search: Callable[..., Offsets],
    most: int,
) -> None:
    """Of equal pieces the first, as many as are asked for, and the nearest to a place first."""
    objects = [noise.uniform(32, seed % 20) + bytes(16) for seed in range(60)]
    pool, _ = make_pool(bytes(64) + b"".join(objects) + bytes(64))
    near = [Place(space=0, offset=64 + 48 * 30, size=32)]
    expected = search(pool, 32, most, near).tolist()
    monkeypatch.setattr(pieces, "_LEAST", 1)
    assert search(pool, 32, most, near).tolist() == expected
    raws = {pool.data[at : at + 32].tobytes() for at in expected}
    assert len(raws) == len(expected) >= min(most, 20)
