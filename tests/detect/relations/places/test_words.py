"""Words that are looked up: of thousands that are alike, those alone that stand whole."""

import itertools
from collections.abc import Callable

import numpy as np

from fixtures import noise
from scanner.detect.relations.places import words
from scanner.detect.relations.places.words import Whole


def randoms(first: int) -> Callable[[int], bytes]:
    """Return what gives other random bytes each time."""
    seeds = itertools.count(1 << 10 * first)
    return lambda size: noise.uniform(size, next(seeds))


def found(raws: list[bytes], data: bytes, *, ahead: int = 0) -> list[tuple[int, int]]:
    """Return what is found of values by the word behind so many of their bytes."""
    lows = [int.from_bytes(raw[ahead : ahead + 8], "little") for raw in raws]
    spelled = words.find(
        np.frombuffer(data, np.uint8),
        np.array(lows, np.uint64),
        lambda index: Whole(raws[index], ahead),
    )
    return sorted(spelled)


def test_values_that_share_their_word_by_right_are_told_by_it() -> None:
    """What was written over in part is told where hardly any are alike."""
    fresh = randoms(1)
    word = fresh(8)
    raws = [word + fresh(24) for _ in range(words.CROWD)]
    data = fresh(40) + word + fresh(40)
    assert found(raws, data) == [(index, 40) for index in range(words.CROWD)]


def test_of_a_crowd_that_shares_its_word_what_stands_whole_is_told() -> None:
    """A hostile dump: each of 500 values would have been compared at each of 500 places."""
    fresh = randoms(2)
    word = fresh(8)
    raws = [fresh(16) + word + fresh(8) for _ in range(500)]
    data = b"".join(fresh(16) + word + fresh(16) for _ in range(500)) + raws[77] + raws[400]
    assert found(raws, data, ahead=16) == [(77, 500 * 40 + 16), (400, 500 * 40 + 32 + 16)]


def test_of_a_crowd_the_same_bytes_count_as_where_few_are_compared() -> None:
    """Seen in PHP: of each step the first bytes are the number's own."""
    fresh = randoms(3)
    word = fresh(8)
    raws = [word + bytes(8) + fresh(8) + bytes(8) for _ in range(100)]
    mine = raws[42]
    data = np.frombuffer(fresh(16) + mine[:8] + fresh(8) + mine[16:24] + fresh(8), np.uint8)
    wanted = np.array([int.from_bytes(word, "little")] * len(raws), np.uint64)
    hits = list(words.find(data, wanted, lambda index: Whole(raws[index], 0, 16, 8)))
    assert hits == [(42, 16)]


def test_a_crowd_at_the_beginning_and_the_end_of_memory_is_none() -> None:
    """What would begin before memory, or end behind it, stands nowhere."""
    fresh = randoms(4)
    word = fresh(8)
    raws = [fresh(16) + word + fresh(8) for _ in range(50)]
    assert found(raws, word + fresh(64) + fresh(16) + word, ahead=16) == []


def test_words_of_two_different_bytes_at_most_stand_everywhere() -> None:
    """Zeros, small numbers and repeated characters are told; random words are not."""
    common = (0, 1, 255, 2**64 - 1, 0x2020202020202020, 0x0100000000000000, 0x5555AAAA5555AAAA)
    fresh = randoms(5)
    others = [int.from_bytes(fresh(8), "little") for _ in range(64)]
    told = words.common(np.array([*common, *others, 0x010203], np.uint64))
    assert told.tolist() == [True] * len(common) + [False] * 65
