"""Numbers that adjoin: whichever is first, the nearest first, and none that overlap."""

from collections.abc import Callable

import numpy as np

from fixtures import noise
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import adjoining
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]


def test_numbers_that_adjoin(make_pool: MakePool) -> None:
    """Sixteen bytes behind the one, forty before it, and too far away."""
    data, at = bytes(1024), {}
    for seed, (place, size) in enumerate(((128, 32), (200, 256), (472, 32), (600, 32))):
        data = noise.plant(data, place, noise.uniform(size, seed))
        at[place] = noise.uniform(size, seed)
    pool, _ = make_pool(data)
    long, short = adjoining.filling(pool, 256), adjoining.filling(pool, 32)
    assert (len(long), len(short)) == (1, 3)
    assert adjoining.filling(pool, 256) is long  # listed once
    first, second = adjoining.pairs(pool, (long, 256), (short, 32))
    assert set(first.tolist()) == set(long.tolist())
    found = [pool.data[where : where + 32].tobytes() for where in second.tolist()]
    assert found == [at[472], at[128]]
    back = adjoining.pairs(pool, (short, 32), (long, 256))
    assert [rows.tolist() for rows in back] == [second.tolist(), first.tolist()]
    assert len(adjoining.pairs(pool, (long, 256), (short, 32), 200)[0]) == 3


def test_nothing_adjoins_nothing(make_pool: MakePool) -> None:
    """Numbers that overlap do not adjoin."""
    pool, _ = make_pool(noise.plant(bytes(1024), 128, noise.uniform(256, 1)))
    none, long = np.empty(0, np.int64), adjoining.filling(pool, 256)
    for one, other in ((none, long), (long, none), (long, long), (long, long + 224)):
        assert not len(adjoining.pairs(pool, (one, 256), (other, 32))[0])
