"""RSA primes of which the number is left that a generator gave for them."""

from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import drawn, rsa
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[[bytes], tuple[Pool, Memory]]

KEY = keys.rsa_key(2048)


def block(given: bytes, *, count: int = 64) -> bytes:
    """Write a generator's block that ends with what it gave last, and how many words it gave."""
    rest = noise.uniform(256 - 4 * count, 2)
    first = noise.uniform(4 * count - len(given), 3)
    return bytes(64) + first + given + rest + count.to_bytes(8, "little") + bytes(64)


def found(pool: Pool, key: keys.RsaKey = KEY) -> list[Related]:
    """Search for a key whose public half was read."""
    known = publics.rsa(key.n, key.e, kind="certificate")
    return list(rsa.search(pool, [known]))


@pytest.mark.parametrize("count", [32, 47, 64])
@pytest.mark.parametrize("prime", ["p", "q"])
def test_a_prime_that_a_generator_gave(make_pool: MakePool, prime: str, count: int) -> None:
    """Its two top bits are set later, and up to a million is added; found again by its place."""
    number = getattr(KEY, prime) - 654_322 & ~(3 << 1022)
    pool, memory = make_pool(block(number.to_bytes(128, "big"), count=count))
    (related,) = found(pool)
    public = describe(related.key)
    assert public.fingerprint.value == KEY.spki_sha256
    assert (related.proof, related.roles) == ("part of p factors n", (drawn.ROLE,))
    candidate = second_look.told(related)
    (again,) = rsa.again(memory, candidate)
    assert describe(again).fingerprint == public.fingerprint


def test_of_many_moduli_each_is_tried(make_pool: MakePool) -> None:
    """A program that knows a hundred roots has as many moduli, and one of them is its own."""
    pool, _ = make_pool(block((KEY.p - 2).to_bytes(128, "big"), count=40))
    roots = [int.from_bytes(noise.uniform(256, at), "big") | 1 << 2047 | 1 for at in range(100)]
    known = [publics.rsa(n, 65537, kind="certificate") for n in (*roots, KEY.n)]
    (related,) = rsa.search(pool, known)
    assert describe(related.key).fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize("at", [1, 64, 120])
def test_one_bit_decides(make_pool: MakePool, at: int) -> None:
    """Above what is added; and of a number that was not given yet nothing is tried."""
    raw = bytearray((KEY.p - 2).to_bytes(128, "big"))
    assert found(make_pool(block(bytes(raw)))[0])
    raw[at] ^= 2
    assert not found(make_pool(block(bytes(raw)))[0])
