"""Places and positions: how far they are apart, and which pieces are where others surely are."""

from collections.abc import Callable

import numpy as np

from fixtures import noise
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import nearby
from scanner.dump.space import Memory
from scanner.model import Place

MakePool = Callable[..., tuple[Pool, Memory]]


def a_pool(make_pool: MakePool) -> Pool:
    """Return a pool of one run, whose positions are the dump's, less 32."""
    return make_pool(bytes(64) + noise.uniform(512, 1) + bytes(64))[0]


def test_pieces_on_taken_ground_have_a_byte_of_it(make_pool: MakePool) -> None:
    """A piece that ends where a place begins has none, nor has one that begins where it ends."""
    pool = a_pool(make_pool)
    here = np.arange(0, 200)
    offsets = nearby.coordinates(pool, here)
    places = [Place(space=0, offset=at, size=size) for at, size in ((164, 4), (100, 48), (110, 8))]
    clear = nearby.clear(pool, here, 48, nearby.spans(places))
    taken = ((offsets > 52) & (offsets < 148)) | ((offsets > 116) & (offsets < 168))
    assert np.array_equal(clear, ~taken)
    assert nearby.clear(pool, here, 48, nearby.spans(())).all()


def test_poor_ground_comes_last(make_pool: MakePool) -> None:
    """What is on it stands behind the parts that came after, each in its part's order."""
    pool = a_pool(make_pool)
    base = int(nearby.coordinates(pool, np.zeros(1, np.int64))[0])
    ground = nearby.Ground(
        taken=nearby.spans([Place(space=0, offset=base + 100, size=8)]),
        poor=nearby.spans([Place(space=0, offset=base + 200, size=8)]),
    )
    parts = [np.array([204, 104, 10]), np.array([207, 20])]
    found = np.concatenate(list(nearby.sorted_out(pool, parts, 8, ground)))
    assert found.tolist() == [10, 20, 204, 207]
    unknown = nearby.sorted_out(pool, parts, 8, nearby.UNKNOWN)
    assert np.concatenate(list(unknown)).tolist() == [204, 104, 10, 207, 20]


def test_the_nearest_to_either_side_come_first(make_pool: MakePool) -> None:
    """How far a position is counts, not in which direction; without marks the order stays."""
    pool = a_pool(make_pool)
    positions = np.array([10, 290, 105, 98])
    base = int(nearby.coordinates(pool, np.zeros(1, np.int64))[0])
    marks = nearby.marks([Place(space=0, offset=base + at, size=1) for at in (300, 100)])
    assert nearby.nearest(pool, positions, marks).tolist() == [98, 105, 290, 10]
    assert nearby.nearest(pool, positions, nearby.marks(())).tolist() == positions.tolist()
