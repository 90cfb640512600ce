"""Pieces that stand more than once: they come first where there are many."""

from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.relations import ec, repeated
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]
KEY = keys.ec_key("P-384")
SIZE, STEP = KEY.field_bytes, 128


def heap(times: int, crowd: int = FEW_RUNS) -> bytes:
    """Lay out numbers behind their length, among them the scalar, and the x of its point."""
    numbers = noise.uniform(SIZE * crowd, 5)
    rows = [numbers[at : at + SIZE] for at in range(0, len(numbers), SIZE)]
    for index in range(times):
        rows.insert(len(rows) * (index + 2) // 4, encodings.little_limbs(KEY.d, SIZE))
    rows.append(encodings.little_limbs(KEY.x, SIZE))
    blocks = (SIZE.to_bytes(8, "little") + row for row in rows)
    return b"".join(
        block + (index + 1).to_bytes(2, "little") + bytes(STEP - 2 - len(block))
        for index, block in enumerate(blocks)
    )


@pytest.mark.parametrize("times", [1, 2])
def test_copies_in_a_crowd(make_pool: MakePool, times: int) -> None:
    """A number that was moved is the scalar; what stands once is one of thousands."""
    pool, _ = make_pool(heap(times))
    assert len(repeated.copied(pool, SIZE, 9)) == (times > 1)
    found = [describe(one.key).fingerprint.value for one in ec.search(pool, ())]
    assert found == [KEY.spki_sha256] * (times > 1)


def test_where_there_are_few(make_pool: MakePool) -> None:
    """All of them are tried anyhow."""
    assert not len(repeated.copied(make_pool(heap(2, 9))[0], SIZE, 9))
