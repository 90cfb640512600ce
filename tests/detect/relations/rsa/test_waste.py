"""Numbers that are made to pass for a key's until they are read in full: what they cost is bounded.

A dump of a few megabytes would have taken minutes: each of thousands of pairs seemed to be a key's.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa import low_exponents, rsa, shelf, totients
from scanner.dump.space import Memory
from scanner.errors import LimitExceeded

MakePool = Callable[..., tuple[Pool, Memory]]

KEY = keys.rsa_key(1024)
OTHER = keys.rsa_key(2048)
FACTORS = math.prod(range(3, 400, 2))
LOW = 0x1D2B_5E7A_93C4_60F7
COUNT = 60


def number(bits: int, seed: int, low: int = 1) -> int:
    """Return a number of so many bits whose lowest word is given."""
    high = int.from_bytes(noise.uniform(bits // 8 - 8, seed), "little") | 1 << bits - 65
    return high << 64 | low


def multiples() -> list[int]:
    """Return a prime, and products of it and of what is none, and has no small factor."""
    starts = (number(512, seed, low=2 * seed + 1) | 3 << 510 for seed in range(COUNT))
    rough = (next(n for n in itertools.count(at, 2) if math.gcd(n, FACTORS) == 1) for at in starts)
    return [KEY.p, *(n * KEY.p for n in rough if pow(3, n - 1, n) != 1)]


def exponents() -> list[int]:
    """Return a prime, and what would be the private exponents of it and of an even number."""
    found, e = [KEY.p], 65537
    for seed in range(COUNT):
        rest = number(524, seed)
        rest += (-pow(KEY.p - 1, -1, e) - rest) % e
        rest += e * (rest % 2 == 0)
        found.append(((KEY.p - 1) * rest + 1) // e)
    return found


def alike() -> list[int]:
    """Return numbers whose products all end as others do, and begin as hardly any does."""
    halves = [number(512, seed, LOW) for seed in range(COUNT)]
    return halves + [number(1024, seed, LOW * LOW % 2**64) for seed in range(COUNT)]


MODULUS = number(1024, 2000) | 1 << 1023


def fractions() -> list[int]:
    """Return a modulus, and numbers that are as near to a fraction of it as exponents are."""
    rows = ((60_001 + seed) * MODULUS // 65537 - number(512, seed) for seed in range(COUNT))
    return [MODULUS, *(d | 1 for d in rows)]


def lower() -> list[int]:
    """Return what leads as the lower part of the modulus' exponents would, without their top."""
    size, found = low_exponents.kept(1024), []
    for seed in range(COUNT):
        d = (60_001 + seed) * (MODULUS + 1) * pow(65537, -1, 1 << 8 * size) % (1 << 8 * size)
        found.append((d >> 8 * size - 128 << 8 * size - 128) | number(8 * size - 192, seed))
    return found


def upper() -> list[int]:
    """Return what begins as the modulus' exponents do, without their last two limbs."""
    return [d >> 128 for d in fractions()[1:]]


def orders() -> list[int]:
    """Return what begins as the order of the modulus' exponents does."""
    return [MODULUS - number(480, seed) - 1 for seed in range(COUNT)]


def less_one() -> list[int]:
    """Return a prime less one: it divides what is no product of two primes."""
    return [KEY.p - 1]


def none() -> tuple[PublicKey, ...]:
    """Return no public key."""
    return ()


def named() -> tuple[PublicKey, ...]:
    """Return public keys of which no number is there."""
    moduli = [number(1024, 1000 + seed, LOW * LOW % 2**64) for seed in range(COUNT)]
    moduli.append(KEY.p * (KEY.q + 2))
    return tuple(publics.rsa(n, 65537, kind="certificate") for n in (*moduli, MODULUS))


def laid(numbers: Sequence[int]) -> bytes:
    """Lay numbers behind a count of their bytes."""
    rows = (n.to_bytes(-(-n.bit_length() // 64) * 8, "little") for n in numbers)
    return bytes(64) + b"".join(len(row).to_bytes(8, "little") + row + bytes(24) for row in rows)


@pytest.mark.parametrize(
    ("numbers", "read"),
    [
        (multiples, none),
        (exponents, none),
        (alike, none),
        (fractions, none),
        (alike, named),
        (fractions, named),
        (lower, named),
        (upper, named),
        (less_one, named),
    ],
    ids=lambda given: given.__name__,
)
def test_what_is_nearly_a_key_is_given_up(
    make_pool: MakePool,
    monkeypatch: pytest.MonkeyPatch,
    numbers: Callable[[], list[int]],
    read: Callable[[], tuple[PublicKey, ...]],
) -> None:
    """And what had been found is told first."""
    own = [OTHER.p, OTHER.q, OTHER.n]
    data = laid([*own, *numbers()])
    (found,) = rsa.search(make_pool(data)[0], read())
    assert describe(found.key).fingerprint.value == OTHER.spki_sha256
    monkeypatch.setattr(shelf, "WASTED", 200)
    publics_ = (*read(), publics.rsa(OTHER.n, OTHER.e, kind="certificate"))
    told: list[object] = []
    with pytest.raises(LimitExceeded, match="too many to check"):
        told.extend(rsa.search(make_pool(data)[0], publics_))
    assert told or read is named  # of that all is looked at before any is told


def test_what_begins_as_an_order_is_given_up(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever other relations spend on it."""
    monkeypatch.setattr(shelf, "WASTED", 200)
    listed = shelf.shelf(make_pool(laid(orders()))[0], {})
    with pytest.raises(LimitExceeded):
        list(totients.search(listed, {MODULUS: 65537}))


def test_what_is_found_costs_nothing(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many keys there are."""
    monkeypatch.setattr(shelf, "WASTED", 0)
    several = [keys.rsa_key(1024, label=f"waste {index}") for index in range(3)]
    data = laid([n for key in several for n in (key.p, key.q, key.n)])
    found = {describe(one.key).fingerprint.value for one in rsa.search(make_pool(data)[0], ())}
    assert found == {key.spki_sha256 for key in several}


def test_a_crowd_whose_lowest_words_are_the_same_costs_little(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in CPython's integers, where a low word of ones or of one makes all products end alike.

    What does not begin as its modulus does is no reason to give a section up.
    """
    monkeypatch.setattr(shelf, "WASTED", 2_000)
    crowd = [number(512, seed, LOW) for seed in range(2 * COUNT)]
    crowd += [number(1024, seed, LOW * LOW % 2**64) for seed in range(COUNT)]
    (found,) = rsa.search(make_pool(laid([KEY.p, *crowd, KEY.q, KEY.n]))[0], ())
    assert describe(found.key).fingerprint.value == KEY.spki_sha256
