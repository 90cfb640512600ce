"""Numbers that stand in the pool, in whatever spelling, and as short as they are."""

from collections.abc import Callable

import pytest

from fixtures import noise
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places.standing import standing
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("how", readings.LITTLE_ENDIAN, ids=lambda how: how.name)
def test_a_number_is_found_where_it_stands(
    make_pool: MakePool, how: readings.Reading, size: int
) -> None:
    """And no other one, which ends or begins alike."""
    number = int.from_bytes(noise.uniform(size, 1), "big") | 1 << 8 * size - 1
    others = [number ^ 1 << bit for bit in (3, 4 * size, 8 * size - 4)]
    pool, _ = make_pool(bytes(64) + readings.encode(how, number, 8 * size) + bytes(64))
    rows = [(number, "it"), *((other, "another") for other in others), (1, "small")]
    ((owner, found, at),) = standing(pool, rows, [how])
    assert (owner, found) == ("it", how)
    spelled = readings.encode(how, number, 8 * size)
    assert readings.stands(how, pool.data, at, spelled)
