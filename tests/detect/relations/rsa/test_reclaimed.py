"""Keys of which the CRT exponents stand whole, and of the primes what an allocator left."""

from collections.abc import Callable

import pytest

from fixtures import keys
from scanner.detect.algebra.material import describe
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa import rsa
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

KEYS = [keys.rsa_key(2048), keys.rsa_key(2048, label="second")]
POINTERS = bytes.fromhex("2869e1f72869e1f7")
"""What glibc writes into a block that it takes back, on 32-bit x86: it looks random."""


def block(number: int, name: str, links: bytes = b"") -> bytes:
    """Lay out a number of 1024 bits as a block of a heap; its first bytes are links, if any."""
    how = next(reading for reading in readings.LITTLE_ENDIAN if reading.name == name)
    raw = readings.encode(how, number, 1024)
    return bytes(16) + links + raw[len(links) :] + bytes(16 + -len(raw) % 8)


def laid(key: keys.RsaKey, name: str, links: bytes) -> bytes:
    """Lay out what LibTomCrypt leaves: p and q lost their front, dp and dq did not."""
    primes = [block(n, name, links) for n in (key.p, key.q)]
    return b"".join((*primes, *(block(n, name) for n in (key.dp, key.dq))))


@pytest.mark.parametrize("links", [POINTERS, bytes(16)])
@pytest.mark.parametrize("name", ["digits-28", "limbs-le", "bytes-be", "java-words"])
def test_primes_that_lost_their_first_bytes(make_pool: MakePool, name: str, links: bytes) -> None:
    """Each exponent gives its prime, and what is left of the prime says that it is that."""
    if name != "digits-28" and links == POINTERS:
        links = bytes(8)
    pool, memory = make_pool(bytes(64) + b"".join(laid(key, name, links) for key in KEYS))
    found = list(rsa.search(pool, ()))
    wanted = {key.spki_sha256 for key in KEYS}
    assert {describe(one.key).fingerprint.value for one in found} == wanted
    again = (rsa.again(memory, second_look.told(one))[0] for one in found)
    assert {describe(one).fingerprint.value for one in again} == wanted


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("name", ["digits-28", "bytes-be"])
def test_one_bit_decides(make_pool: MakePool, name: str, which: int) -> None:
    """Of either prime and of either exponent."""
    data = bytearray(laid(KEYS[0], name, bytes(16)))
    data[len(data) // 4 * which + len(data) // 8] ^= 1
    assert not list(rsa.search(make_pool(bytes(64) + bytes(data))[0], ()))


def test_one_prime_is_none(make_pool: MakePool) -> None:
    """A prime that nothing multiplies is no key."""
    half = block(KEYS[0].p, "limbs-le", bytes(16)) + block(KEYS[0].dp, "limbs-le")
    assert not list(rsa.search(make_pool(bytes(64) + half + bytes(64))[0], ()))


@pytest.mark.parametrize(
    ("name", "inverse", "links"),
    [
        ("digits-28", "qinv", POINTERS),
        ("digits-28", "pinv", b""),
        ("limbs-le", "pinv", POINTERS),
        ("limbs-le", "qinv", b""),
        ("bytes-be", "qinv", POINTERS),
        ("bytes-be", "pinv", b""),
    ],
)
def test_a_coefficient_is_enough(
    make_pool: MakePool, name: str, inverse: str, links: bytes
) -> None:
    """Seen on 32-bit ARM: nothing of p, q and n, and the first bytes of qinv are gone too."""
    key = KEYS[0]
    both = (key.q, key.p) if inverse == "qinv" else (key.p, key.q)
    blocks = [block(n, name) for n in (key.dp, key.dq)]
    data = bytes(64) + b"".join(blocks) + block(pow(both[0], -1, both[1]), name, links)
    pool, memory = make_pool(data + bytes(64))
    (related,) = rsa.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == key.spki_sha256
    for at in (len(data) // 2, len(data) - 64):
        wrong = bytearray(data + bytes(64))
        wrong[at] ^= 1
        assert not list(rsa.search(make_pool(bytes(wrong))[0], ()))
