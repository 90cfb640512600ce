"""What a shelf keeps of the numbers that were listed, and what it lets go."""

from collections.abc import Callable

from fixtures import noise
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa.shelf import shelf
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]


def test_listings_are_kept_but_of_slabs(make_pool: MakePool) -> None:
    """Several relations ask for the same; numbers end to end are more, and asked for once."""
    numbers = noise.uniform(256 * 40, 3)
    listed = shelf(make_pool(numbers + bytes(64))[0], {})
    plain = listed.numbers(1024, full=False)
    assert listed.numbers(1024, full=False) is plain
    count = len(listed.listed)
    laid = listed.numbers(1024, full=False, laid=True)
    assert len(laid) > 2 * len(plain) > 0
    assert set(laid.position.tolist()) > set(plain.position.tolist())
    assert len(listed.listed) == count
    again = listed.numbers(1024, full=False, laid=True)
    assert again is not laid
    assert again.position.tolist() == laid.position.tolist()
