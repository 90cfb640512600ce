"""Exponents as long as p: found beside their public number, and few are raised."""

from collections.abc import Callable

import pytest

from fixtures import noise
from scanner.detect.algebra import effort, named_groups
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import discrete, long_exponents
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

P = named_groups.named()[0].p
SIZE = P.bit_length() // 8
X = int.from_bytes(noise.uniform(SIZE, 5), "big") >> 2
Y = pow(named_groups.G, X, P)
OTHERS = [int.from_bytes(noise.uniform(SIZE, seed), "big") >> 1 for seed in (6, 7)]


def end_to_end(*numbers: int) -> bytes:
    """Spell numbers as limbs behind the headers of an allocator."""
    return b"".join(
        bytes(8) + (SIZE + 17).to_bytes(8, "little") + number.to_bytes(SIZE, "little")
        for number in numbers
    )


def planted(*parts: bytes) -> bytes:
    """Write parts into text, 4096 bytes apart: more than counts as near."""
    data = noise.text(4096 * (len(parts) + 1), 3)
    for index, part in enumerate(parts):
        data = noise.plant(data, 4096 * index + 1024, part + bytes(16))
    return data


@pytest.mark.parametrize(
    "parts", [((P, Y, X),), ((P, X, Y),), ((P,), (Y, X)), ((P, *OTHERS), (X, Y))]
)
def test_beside_its_public_number(make_pool: MakePool, parts: tuple[tuple[int, ...], ...]) -> None:
    """On either side, next to p or far from it; and a second look has the same key."""
    pool, memory = make_pool(planted(*(end_to_end(*part) for part in parts)))
    (related,) = discrete.search_dh(pool, ())
    assert (related.key.x, related.proof) == (X, "g**x = y")
    assert (related.places[0].size, related.encoding) == (SIZE, "x limbs-le")
    again = discrete.again(memory, second_look.told(related))
    assert X in {key.x for key in again}


@pytest.mark.parametrize(
    "parts",
    [
        ((P, Y), (X,)),
        ((P, Y ^ 4, X),),
        ((P, Y, X ^ 4),),
        ((P ^ 1 << 300, Y, X),),
    ],
)
def test_what_is_no_key(make_pool: MakePool, parts: tuple[tuple[int, ...], ...]) -> None:
    """Apart from each other, with one bit changed, or without the prime."""
    pool, _ = make_pool(planted(*(end_to_end(*part) for part in parts)))
    assert list(discrete.search_dh(pool, ())) == []


def test_few_are_raised(make_pool: MakePool) -> None:
    """Far from p as the bound allows, near it a few; of numbers that vary too little none."""
    poor = [int.from_bytes(noise.uniform(16, seed) * (SIZE // 16), "big") >> 1 for seed in (8, 9)]
    hows = [how for how in readings.LITTLE_ENDIAN if how.name == "limbs-le"]
    raised = effort.raising(P.bit_length(), P.bit_length())
    for numbers, first, left in (
        (OTHERS, (), 2),
        (OTHERS, (P,), 0),
        (poor, (), 0),
        ((P, P - 2), (), 0),
    ):
        pool, _ = make_pool(planted(end_to_end(P), end_to_end(*first, *numbers)))
        bound = effort.Bound(long_exponents.SPENT)
        assert list(long_exponents.exponents(pool, P, named_groups.G, hows, bound)) == []
        assert long_exponents.SPENT - bound.left == left * raised
    nothing = effort.Bound(raised - 1)
    pool, _ = make_pool(planted(end_to_end(P), end_to_end(Y, X)))
    assert list(long_exponents.exponents(pool, P, named_groups.G, hows, nothing)) == []
