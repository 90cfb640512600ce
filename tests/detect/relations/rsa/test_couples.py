"""Keys of which primes and their exponents stand side by side, and no modulus."""

import struct
from collections.abc import Callable
from typing import Literal

import pytest

from fixtures import keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa import rsa
from scanner.detect.relations.rsa.arithmetic import complete, is_prime
from scanner.detect.relations.rsa.shelf import Shelf
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


def test_primes_that_are_mingled_without_a_coefficient(make_pool: MakePool) -> None:
    """Where numbers of one key stand among those of another, the order says nothing."""
    one, two = KEYS[:2]
    data = laid(one.p, two.p, one.q, two.q, one.dp, two.dp, one.dq, two.dq)
    assert told(make_pool, data) == set()


def test_a_prime_that_is_left_over(make_pool: MakePool) -> None:
    """Of three primes without a coefficient nobody knows which two are one key's."""
    one, two = KEYS[:2]
    data = laid(one.p, one.dp, one.q, one.dq, two.p, two.dp)
    assert told(make_pool, data) == set()


@pytest.mark.parametrize("e", [3, 17])
def test_other_public_exponents(make_pool: MakePool, e: int) -> None:
    """The least exponents are tried as well."""
    key = keys.rsa_key(1024, e=e)
    assert told(make_pool, laid(key.p, key.q, key.dp, key.dq)) == {key.spki_sha256}


def test_a_prime_of_which_many_low_bits_are_zero(make_pool: MakePool) -> None:
    """A power of two divides p - 1, by which low words cannot be divided: 2**20."""
    p, q, e = KEYS[0].p >> 20 << 20 | 1, KEYS[0].q, KEYS[0].e
    while not is_prime(p):
        p -= 1 << 20
    key = complete(p, q, e)
    assert key is not None
    exponents = (pow(e, -1, prime - 1) for prime in (p, q))
    assert told(make_pool, laid(p, q, *exponents)) == {describe(key).fingerprint.value}


def test_words_of_ones_fit_nothing(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What CPython keeps before each object of bytes ends every number behind it.

    Seen in a process with 20,000 signatures, whose pairs took 3 s.
    """
    read: list[int] = []
    value = Shelf.value
    monkeypatch.setattr(Shelf, "value", lambda *row: read.append(row[2]) or value(*row))
    head = struct.pack("<4Q", 1, 0x7F5A0C3B1E40, 64, (1 << 64) - 1)
    signatures = noise.uniform(200 * 64, 3)
    objects = (head + signatures[at : at + 64] + bytes(16) for at in range(0, len(signatures), 64))
    assert told(make_pool, b"".join(objects)) == set()
    assert read == []


@pytest.mark.parametrize("order", ["big", "little"])
def test_numbers_in_slots_of_a_slab(make_pool: MakePool, order: Literal["big", "little"]) -> None:
    """Exponents as far before or behind each prime as the other's, whatever lies between."""
    size, key = 1536 // 16, keys.rsa_key(1536)
    for slots in ((6, 7, 2, 3), (1, 4, 9, 12)):
        slab = [noise.uniform(size, slot) for slot in range(16)]
        for slot, number in zip(slots, (key.p, key.q, key.dp, key.dq), strict=True):
            slab[slot] = number.to_bytes(size, order)
        data = bytes(64) + b"".join(slab) + bytes(64)
        assert told(make_pool, data) == {key.spki_sha256}
