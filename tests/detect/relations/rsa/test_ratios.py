"""e*d/n of a key is nearly a simple fraction, whatever its primes share; of others it is not."""

import functools
import math

import numpy as np
import pytest

from fixtures import noise
from scanner.detect.relations.rsa import ratios

SHARED = (2, 22, 106, 212, 254, 250, 360, 3060)


@functools.cache
def primes(shared: int) -> tuple[int, int]:
    """Return two primes of 512 bits, of both of which a number divides what is one less."""
    found: list[int] = []
    for seed in (1, 2):
        start = int.from_bytes(noise.uniform(64, seed), "little") >> 4 | 15 << 508
        prime = start // shared * shared + 1
        while prime % 65537 == 1 or pow(2, prime - 1, prime) != 1:
            prime += shared
        found.append(prime)
    return found[0], found[1]


def exponent(shared: int, e: int) -> tuple[int, int]:
    """Return n and the least d of a key."""
    p, q = primes(shared)
    return p * q, pow(e, -1, math.lcm(p - 1, q - 1))


@pytest.mark.parametrize("shared", SHARED)
def test_a_key_is_told(shared: int) -> None:
    """By the floats of the first words, and by all bits; not with one of these flipped."""
    n, d = exponent(shared, 65537)
    shift = n.bit_length() - 64
    ratio = np.array([(d >> shift) / (n >> shift)])
    assert ratios.near(ratio, 65537).tolist() == [0]
    assert ratios.told(n, d, 65537)
    assert ratios.told(n >> 512, d >> 512, 65537)
    wrong = d ^ 1 << 930
    assert not ratios.told(n, wrong, 65537)
    assert not ratios.told(n, d, 65539)
    assert not ratios.told(n, 0, 65537)


def test_chance_is_rare() -> None:
    """Of random numbers one pair in tens of thousands is looked at as a whole."""
    tops = np.random.default_rng(3).uniform(0.5, 1, (2, 1 << 10))
    ratio = tops[0] / tops[1][:, None]
    assert 0 < len(ratios.near(ratio, 65537)) < 40
    assert len(ratios.near(ratio, 3)) < 4


def test_what_is_too_small_is_no_exponent() -> None:
    """Nor is what is larger than the modulus, or it."""
    assert not len(ratios.near(np.array([0.0, 1e-12, 1.0, 2.0]), 65537))


@pytest.mark.parametrize("e", [3, 65537])
@pytest.mark.parametrize("bits", [1, 8, 16])
def test_one_number_read_at_two_bytes_is_no_key(e: int, bits: int) -> None:
    """Seen in bytes of no alignment: the one is the other times a power of two; nor is its half."""
    n, _ = exponent(2, 65537)
    assert not len(ratios.near(np.array([2.0**-bits, 2.0**-bits * (1 - 2.0**-50)]), e))
    assert not ratios.told(n, n >> bits, e)


@pytest.mark.parametrize("below", range(1, ratios.LARGEST + 1, 15))
def test_every_fraction_is_near(below: int) -> None:
    """Each with a denominator up to the largest, and times what all are multiplied by."""
    above = np.arange(1, below + 1, dtype=np.float64)
    ratio = above / below / ratios.MULTIPLE / 65537
    assert len(ratios.near(ratio, 65537)) == below  # none is a power of two
    assert len(ratios.near(ratio * (1 + 2.0**-30), 65537)) < below
