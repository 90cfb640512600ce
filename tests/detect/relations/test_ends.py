"""Memory may end anywhere: within a word, a pointer, a point; no relation reads beyond it."""

import itertools
from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra import publics
from scanner.detect.integers.pool import Pool
from scanner.dump.space import Memory
from scanner.stages.calls import RELATED
from scanner.stages.relate import RELATIONS, Search

MakePool = Callable[..., tuple[Pool, Memory]]

SIZES, ENDS = (32, 64, 128, 256), (0, 3, 5, 66, 69)
"""Random bytes, and the zeros behind them up to the end."""

RSA, EC, DSA = keys.rsa_key(1024), keys.ec_key("P-256"), keys.dsa_numbers()
KNOWN = (
    publics.rsa(RSA.n, RSA.e, kind="known"),
    publics.ec("P-256", EC.x, EC.y, kind="known"),
    publics.ffc("dsa", DSA["p"], DSA["q"], DSA["g"], DSA["y"], kind="known"),
    publics.okp("ed25519", noise.uniform(32, 1), kind="known"),
    publics.okp("x448", noise.uniform(56, 1), kind="known"),
)


@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize(
    ("algorithms", "search"),
    [(dict(RELATED)[name], search) for name, search, _ in RELATIONS],
    ids=[name for name, *_ in RELATIONS],
)
def test_memory_that_ends_behind_random_bytes(
    make_pool: MakePool, algorithms: tuple[str, ...], search: Search, word: int
) -> None:
    """Seen in points in extended coordinates: an end within a word was the end of the search.

    Every other size and end is tried with words of eight bytes, the others with those of four.
    """
    known = [key for key in KNOWN if key.algorithm in algorithms]
    pairs = list(itertools.product(SIZES, ENDS))
    for size, behind in pairs[word // 8 :: 2]:
        pool, _ = make_pool(bytes(64) + noise.uniform(size, behind) + bytes(behind), word=word)
        assert list(search(pool, known)) == []


@pytest.mark.parametrize(
    ("name", "number", "row"),
    [("dsa", DSA["x"], 2), ("ec-digits", EC.d, 1)],
    ids=["dsa", "ec-digits"],
)
def test_memory_that_ends_within_a_digit(
    make_pool: MakePool, name: str, number: int, row: int
) -> None:
    """Found by a fuzzer: a number whose last digit has its zeros behind the end of memory."""
    digits = bytes(2) + encodings.digits30(number)
    search = next(search for own, search, _ in RELATIONS if own == name)
    for lost in (0, 1):
        data = digits[: len(digits) - lost]
        pool, _ = make_pool(data, addressed=False, word=4)
        places = [place for found in search(pool, KNOWN[row : row + 1]) for place in found.places]
        assert bool(places) == (lost == 0)
        assert all(place.offset + place.size <= len(data) for place in places)
