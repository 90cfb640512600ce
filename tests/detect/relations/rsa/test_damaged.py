"""Primes in Java's words and in bytes that lost their first ones: enough with their modulus."""

import heapq
import tracemalloc
from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa import damaged, rsa
from scanner.detect.relations.rsa.shelf import shelf
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]
KEY = keys.rsa_key(2048)
GAP = noise.text(512, 9)
ROLES = {"java": "p without high ints", "bytes": "p without high bytes"}


def placed(number: int, form: str, lost: int = 0) -> bytes:
    """Lay out a number without its first bytes; Ada's begin in the midst of a word."""
    plain = number.to_bytes(-(-number.bit_length() // 8))
    raw, pad = (encodings.java_words(number), bytes(4)) if form == "java" else (plain, bytes(8))
    return GAP + pad + bytes(lost) + raw[lost:] + pad + GAP


def freed(prime: int, form: str) -> bytes:
    """Free a block with a prime: the count before it is overwritten, and its first bytes are."""
    return placed(prime, form, 12 if form == "java" else 16)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("form", ROLES)
def test_two_primes_without_their_first_words(make_pool: MakePool, form: str, named: bool) -> None:
    """Seen in Ada: both are found by their low ends, with a modulus that nobody named too."""
    parts = [freed(KEY.p, form), freed(KEY.q, form)]
    parts += [] if named else [placed(KEY.n, form)]
    known = (publics.rsa(KEY.n, KEY.e, kind="certificate"),) if named else ()
    pool, memory = make_pool(b"".join(parts))
    (related,) = rsa.search(pool, known)
    assert describe(related.key).fingerprint.value == KEY.spki_sha256
    assert (related.proof, related.roles) == ("part of p factors n", (ROLES[form],))
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256


def digits(number: int, lost: int = 0) -> bytes:
    """Lay out a number of libtommath's in a block of its own, freed where it lost bytes."""
    parts = (number >> at & (1 << 60) - 1 for at in range(0, number.bit_length(), 60))
    raw = b"".join(part.to_bytes(8, "little") for part in parts)
    links = noise.pointers(lost, number & 0xFF)
    return GAP + (0x111).to_bytes(8, "little") + links + raw[lost:] + bytes(112)


@pytest.mark.parametrize("bits", [1024, 2048, 3072])
def test_primes_in_digits_far_from_a_modulus_that_nobody_names(
    make_pool: MakePool, bits: int
) -> None:
    """Seen in Rakudo: both lost their low digits, and begin a product as the modulus does."""
    key = keys.rsa_key(bits)
    far = noise.text(80 << 10, 3)
    parts = [digits(key.n), far, digits(key.p, 16), far, digits(key.q, 16)]
    pool, memory = make_pool(b"".join(parts))
    (related,) = rsa.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert (related.proof, related.roles) == ("part of p factors n", ("p without low digits",))
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == key.spki_sha256
    for at, number in ((0, key.n), (2, key.p), (4, key.q)):
        wrong = digits(number ^ 1 << number.bit_length() - 9, 16 if at else 0)
        others = [*parts[:at], wrong, *parts[at + 1 :]]
        assert list(rsa.search(make_pool(b"".join(others))[0], ())) == []


@pytest.mark.parametrize("which", ["p", "q", "n"])
@pytest.mark.parametrize("form", ROLES)
def test_one_bit_decides(make_pool: MakePool, form: str, which: str) -> None:
    """Of what is left of the primes, and of a modulus that nobody named."""
    parts = {
        "p": bytearray(freed(KEY.p, form)),
        "q": bytearray(freed(KEY.q, form)),
        "n": bytearray(placed(KEY.n, form)),
    }
    parts[which][-len(GAP) - 12] ^= 8
    assert not list(rsa.search(make_pool(b"".join(parts.values()))[0], ()))


def test_a_crowd_of_moduli_takes_no_memory(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what thousands that nothing holds could be tried on, what will be tried is kept."""
    monkeypatch.setattr(damaged, "MOST_LATTICES", (8, 8))
    rests = [bytes(16) + noise.uniform(112, seed) for seed in range(150)]
    shelved = shelf(make_pool(b"".join(rests) + bytes(16))[0], {})
    moduli = {
        int.from_bytes(noise.uniform(256, seed), "big") | 1 << 2047: 65537 for seed in range(50)
    }
    tracemalloc.start()
    try:
        assert list(damaged.search(shelved, moduli)) == []
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_of_each_modulus_no_more_is_ranked_than_is_tried(make_pool: MakePool) -> None:
    """And those are the same that come first of all: of 1,000 moduli all had been."""
    first = (KEY.n).to_bytes(256, "little")
    rests = [bytes(16) + noise.uniform(112, seed) for seed in range(300)]
    data = b"".join((*rests[:150], bytes(16), first, *rests[150:], freed(KEY.p, "limbs-le")))
    shelved = shelf(make_pool(data + bytes(16))[0], {})
    moduli = {KEY.n: 65537} | {
        int.from_bytes(noise.uniform(256, seed), "big") | 1 << 2047: 65537 for seed in range(5)
    }
    few, every = (list(damaged._ranked(shelved, moduli, most)) for most in (8, 1 << 30))
    kinds = {(n, rests.reading.name) for _, _, n, rests, _ in every}
    assert 8 * len(kinds) >= len(few) > 8
    assert len(every) > 4 * len(few)
    best = [
        [
            (far, at, n, rests.reading.name, index)
            for far, at, n, rests, index in heapq.nsmallest(8, rows, lambda row: row[:2])
        ]
        for rows in (few, every)
    ]
    assert best[0] == best[1]


@pytest.mark.parametrize(("named", "block"), [(True, 144), (False, 144), (True, 160)])
def test_a_lone_prime_far_from_its_modulus(make_pool: MakePool, named: bool, block: int) -> None:
    """Seen in CryptX: 112 bytes of a prime in its freed block, the public key 2 MB away.

    The block's size says that it is a prime's. Another size does not, nor does the modulus of
    another key lead anywhere.
    """
    head = bytes(8) + (block | 1).to_bytes(8, "little") + bytes(8) + noise.uniform(8, 3)
    rest = head + KEY.q.to_bytes(128)[16:] + bytes(8)
    modulus = KEY.n if named else keys.rsa_key(2048, label="second").n
    pool, _ = make_pool(GAP + rest + noise.text(70_000, 4) + placed(modulus, "bytes"))
    found = list(rsa.search(pool, (publics.rsa(modulus, KEY.e, kind="certificate"),)))
    prints = [describe(related.key).fingerprint.value for related in found]
    assert prints == ([KEY.spki_sha256] if named and block == 144 else [])
