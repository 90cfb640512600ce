"""Keys of which primes and their exponents stand side by side, and no modulus."""

from collections.abc import Callable

import pytest

from fixtures import keys
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations import rsa
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]

KEYS = [keys.rsa_key(1024), keys.rsa_key(1024, label="second"), keys.rsa_key(1024, label="third")]
BLOCK = 64 + 32
"""Bytes of an array of Go, which holds words to spare."""


def laid(*numbers: int) -> bytes:
    """Lay the numbers in blocks of one size."""
    return bytes(64) + b"".join(n.to_bytes(BLOCK, "little") for n in numbers) + bytes(64)


def numbers(key: keys.RsaKey, *, coefficient: bool = True) -> list[int]:
    """Return what Go keeps of a key that was let go."""
    inverse = [pow(key.q, -1, key.p)] if coefficient else []
    return [key.p, key.q, key.dp, key.dq, *inverse]


def told(make_pool: MakePool, data: bytes) -> set[str]:
    """Return the fingerprints of the keys that are found."""
    return {describe(one.key).fingerprint.value for one in rsa.search(make_pool(data)[0], ())}


@pytest.mark.parametrize("coefficient", [True, False])
@pytest.mark.parametrize("many", [2, 3])
def test_keys_side_by_side(make_pool: MakePool, many: int, *, coefficient: bool) -> None:
    """Each prime is put to its own: the coefficient tells, or the order."""
    data = laid(*(n for key in KEYS[:many] for n in numbers(key, coefficient=coefficient)))
    assert told(make_pool, data) == {key.spki_sha256 for key in KEYS[:many]}


def test_primes_of_keys_that_are_mingled(make_pool: MakePool) -> None:
    """The coefficient tells against the order."""
    one, two = (numbers(key) for key in KEYS[:2])
    data = laid(*(n for both in zip(one, two, strict=True) for n in both))
    assert told(make_pool, data) == {key.spki_sha256 for key in KEYS[:2]}


def test_a_prime_that_is_left_over(make_pool: MakePool) -> None:
    """Of three primes without a coefficient nobody knows which two are one key's."""
    assert (
        told(make_pool, laid(*numbers(KEYS[0], coefficient=False), KEYS[1].p, KEYS[1].dp)) == set()
    )
