"""Numbers that stand in both byte orders."""

from collections.abc import Callable

import pytest

from fixtures import noise
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.relations.places import turned
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]

COUNT = 60
MAP = (0x2A1C71200F41).to_bytes(8, "little")


def heap(size: int, mine: bytes, *, ends: bool) -> bytes:
    """Return many numbers of V8's, one of them ours, in a crowd of other objects."""
    limbs = -(-size // 8)
    head = MAP + (2 * limbs).to_bytes(8, "little")
    behind = bytes(16) if ends else (0x03CBAB288CA1).to_bytes(8, "little") + MAP
    raw = noise.uniform(size * COUNT, 1)
    numbers = [raw[at : at + size] for at in range(0, len(raw), size)]
    numbers[COUNT // 2] = mine[::-1]
    data = b"".join(head + each + bytes(8 * limbs - size) + behind for each in numbers)
    crowd = noise.uniform(32 * (FEW_RUNS + 9), 2)
    return data + b"".join(bytes(16) + crowd[at : at + 32] for at in range(0, len(crowd), 32))


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("size", [28, 32, 48, 64, 66])
def test_bytes_at_any_place_tell_the_limbs(make_pool: MakePool, size: int, ends: bool) -> None:
    """Of many numbers the one is returned whose bytes stand elsewhere, the last byte first."""
    mine = noise.uniform(size, 9)
    data = heap(size, mine, ends=ends)
    pool, _ = make_pool(data + bytes(16) + noise.uniform(45, 3) + mine + bytes(32))
    (position,) = turned.numbers(pool, size, COUNT // 2).tolist()
    assert pool.data[position : position + size].tobytes() == mine[::-1]
    assert not len(turned.numbers(pool, size, COUNT)), "all of them are tried in any case"
    cut = bytes(16) + noise.uniform(45, 3) + mine[:-9] + noise.uniform(32, 4)
    pool, _ = make_pool(data + cut)
    assert not len(turned.numbers(pool, size, COUNT // 2))


def test_few_runs_and_the_end_of_memory(make_pool: MakePool) -> None:
    """In few runs nothing is looked for; where memory ends within a number it is none."""
    mine = noise.uniform(48, 9)
    pool, _ = make_pool(heap(48, mine, ends=True)[: 60 * 80] + mine)
    assert pool.few
    assert not len(turned.numbers(pool, 48, 8))
    pool, _ = make_pool(heap(48, mine, ends=True) + bytes(8) + mine[:40])
    assert not len(turned.numbers(pool, 48, 8))
