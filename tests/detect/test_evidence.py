"""Equations that close for numbers that were read."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys as recipes
from scanner.detect import evidence
from scanner.detect.algebra import effort

KEYS = [recipes.rsa_key(2048), recipes.rsa_key(2048, e=3), recipes.rsa_key(1024)]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.n.bit_length()}-{key.e}")
def test_exponents_give_the_primes(key: recipes.RsaKey) -> None:
    """An exponent modulo either order, or plus a multiple of it, factors its modulus."""
    order = (key.p - 1) * (key.q - 1)
    least = order // math.gcd(key.p - 1, key.q - 1)
    for d in {pow(key.e, -1, order), pow(key.e, -1, least), pow(key.e, -1, least) + least}:
        if d < key.n:
            found = evidence.rsa_exponents(key.n, key.e, d)
            assert found is not None
            assert {found.p, found.q} == {key.p, key.q}


def test_primes_of_unlike_sizes_that_share_much() -> None:
    """Neither a small prime nor a factor common to p - 1 and q - 1 hides a key."""
    p = 2**107 - 1
    for q in (2**521 - 1, 2**607 - 1):
        order = math.lcm(p - 1, q - 1)
        e = next(e for e in range(5, 999, 2) if math.gcd(e, order) == 1)
        found = evidence.rsa_exponents(p * q, e, pow(e, -1, order))
        assert found is not None
        assert {found.p, found.q} == {p, q}


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 1023))
def test_another_exponent_gives_nothing(key: recipes.RsaKey, bit: int) -> None:
    """An exponent of which one bit is false, and a small one, factor nothing."""
    assert evidence.rsa_exponents(key.n, key.e, key.d ^ 1 << bit) is None
    assert evidence.rsa_exponents(key.n, key.e, 3 + bit) is None


def test_a_torn_exponent_of_a_huge_modulus_costs_no_power() -> None:
    """As of the openssl program's key of 15,360 bits, whose pages lie anywhere in memory."""
    n = (1 << 15360) - (1 << 8000) | 1
    d = 5 * n // 65537 + (1 << 12000) | 1
    with effort.bounded(0) as bound:
        assert evidence.rsa_exponents(n, 65537, d) is None
    assert bound.refused == 0


@pytest.mark.parametrize("bits", [512, 1024, 2048])
@pytest.mark.parametrize("e", [3, 65537, (1 << 63) - 25])
def test_exponents_of_any_size_factor_the_modulus(bits: int, e: int) -> None:
    """Small and large public exponents give the primes, whichever order d is of."""
    key = recipes.rsa_key(bits)
    orders = (math.lcm(key.p - 1, key.q - 1), (key.p - 1) * (key.q - 1))
    for order in orders if math.gcd(e, orders[1]) == 1 else ():
        found = evidence.rsa_exponents(key.n, e, pow(e, -1, order))
        assert found is not None
        assert {found.p, found.q} == {key.p, key.q}


@pytest.mark.parametrize("order", ["least", "whole"])
@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.n.bit_length()}-{key.e}")
def test_an_exponent_whose_end_is_wrong_costs_no_power(
    key: recipes.RsaKey, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes say all of two primes, where the first half of d is right."""
    orders = {
        "least": math.lcm(key.p - 1, key.q - 1),
        "whole": (key.p - 1) * (key.q - 1),
    }
    d = pow(key.e, -1, orders[order])
    monkeypatch.delattr(evidence, "by_roots")
    for bit in range(1, key.n.bit_length() // 2, 37):
        assert evidence.rsa_exponents(key.n, key.e, d ^ 1 << bit) is None


@pytest.mark.parametrize("count", [3, 4])
def test_more_primes_than_two(count: int) -> None:
    """Their order is farther from the modulus, and powers tell it."""
    whole = [recipes.rsa_key(1024, label=f"evidence {index}") for index in range(2)]
    primes = [p for key in whole for p in (key.p, key.q)][:count]
    n, orders = math.prod(primes), [p - 1 for p in primes]
    e = next(e for e in (65537, 257, 17) if math.gcd(e, math.prod(orders)) == 1)
    ds = (pow(e, -1, order) for order in (math.lcm(*orders), math.prod(orders)))
    found = [key for d in ds if (key := evidence.rsa_exponents(n, e, d)) is not None]
    assert found
    assert all(n % key.p == 0 for key in found)
