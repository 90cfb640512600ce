"""Primes and a modulus without their low limbs."""

from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa import high_ends, rsa
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

KEY = keys.rsa_key(2048)
LINKS = 16


def freed(number: int, spare: bytes = b"") -> bytes:
    """Return a block of limbs, maybe with room for more, whose first bytes are links."""
    raw = number.to_bytes(-(-number.bit_length() // 8), "little") + spare
    links = bytes(8) + (0x5555_9210_F010).to_bytes(8, "little")
    return len(raw).to_bytes(8, "little") + links + raw[LINKS:] + bytes(8)


@pytest.mark.parametrize("spare", [b"", noise.uniform(8, 5)], ids=["full", "room"])
def test_limbs_that_were_freed(make_pool: MakePool, spare: bytes) -> None:
    """What is left of n, p and q is the key, whatever stands in a limb of room behind n."""
    blocks = (freed(KEY.p), freed(KEY.n, spare), freed(KEY.q))
    pool, memory = make_pool(bytes(64) + b"".join(blocks) + bytes(64))
    (related,) = rsa.search(pool, ())
    assert describe(related.key).fingerprint.value == KEY.spki_sha256
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("name", ["limbs-be64", "limbs-be32"])
def test_limbs_of_a_big_endian_machine(make_pool: MakePool, name: str, named: bool) -> None:
    """Each limb is big-endian there, and the low ones come first too: links take them likewise.

    With a certificate one prime is enough.
    """
    how = next(reading for reading in readings.BIG_ENDIAN if reading.name == name)
    numbers = (KEY.p,) if named else (KEY.p, KEY.n, KEY.q)
    raws = [readings.encode(how, number, number.bit_length()) for number in numbers]
    blocks = (len(raw).to_bytes(8, "big") + bytes(LINKS) + raw[LINKS:] + bytes(8) for raw in raws)
    pool, memory = make_pool(bytes(64) + b"".join(blocks) + bytes(64), "big")
    known = (publics.rsa(KEY.n, KEY.e, kind="certificate"),) if named else ()
    (related,) = rsa.search(pool, known)
    assert describe(related.key).fingerprint.value == KEY.spki_sha256
    assert related.encoding == f"{name} (part)"
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize("bit", [LINKS * 8, 900, 2000])
def test_a_modulus_that_begins_otherwise_is_none(make_pool: MakePool, bit: int) -> None:
    """A bit of what is left of n is wrong."""
    blocks = (freed(KEY.p), freed(KEY.n ^ 1 << bit), freed(KEY.q))
    pool, _ = make_pool(bytes(64) + b"".join(blocks) + bytes(64))
    assert list(rsa.search(pool, ())) == []


@pytest.mark.parametrize("bits", [(1, 1), (8, 1), (64, 127)])
def test_a_prime_that_is_whole_but_for_a_bit_is_none(
    make_pool: MakePool, bits: tuple[int, int]
) -> None:
    """It lost no limbs: one bit of each prime decides, as it does of whole ones, but the lowest."""
    p, q = (number ^ 1 << bit for number, bit in zip((KEY.p, KEY.q), bits, strict=True))
    rows = [number.to_bytes(size, "little") for number, size in ((KEY.n, 256), (p, 128), (q, 128))]
    pool, _ = make_pool(bytes(64) + bytes(48).join(rows) + bytes(64))
    assert list(rsa.search(pool, ())) == []


def test_groups_of_diffie_hellman_use_up_no_lattice(make_pool: MakePool) -> None:
    """They begin with ones, and with a prime that did, what begins alike would be a product."""
    ones = noise.uniform(120, 1) + b"\xff" * 8
    tops = [noise.uniform(7, 2 + n) + b"\xc9" for n in range(high_ends.MOST_LATTICES + 1)]
    rows = [
        noise.uniform(size - 8, 99 + size + n) + top
        for n, top in enumerate(tops)
        for size in (128, 256)
    ]
    blocks = [freed(KEY.p), freed(KEY.n), freed(KEY.q)]
    pool, _ = make_pool(bytes(64) + bytes(48).join((ones, *rows, *blocks)) + bytes(64))
    (related,) = rsa.search(pool, ())
    assert describe(related.key).fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize("which", [KEY.p, KEY.q], ids="pq")
def test_one_prime_near_the_modulus_is_enough(make_pool: MakePool, which: int) -> None:
    """Another number has what was the block of the other; a bit of what is left of n decides."""
    other = freed(int.from_bytes(noise.uniform(128, 9)) | 1 << 1023)
    blocks = (freed(KEY.n), other, freed(which))
    pool, memory = make_pool(bytes(64) + b"".join(blocks) + bytes(64))
    (related,) = rsa.search(pool, ())
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256
    blocks = (freed(KEY.n ^ 1 << 900), other, freed(which))
    pool, _ = make_pool(bytes(64) + b"".join(blocks) + bytes(64))
    assert list(rsa.search(pool, ())) == []


@pytest.mark.parametrize("which", [(KEY.p, KEY.q), (KEY.q, KEY.p)], ids="pq")
def test_one_in_montgomery_form_stands_for_a_prime(
    make_pool: MakePool, which: tuple[int, int]
) -> None:
    """Seen in RustCrypto: R modulo q is R - q. Of neither prime the other is near, nor n."""
    far = noise.text(70_000)
    one = freed((1 << 1024) - which[1])
    pool, memory = make_pool(far.join((freed(which[0]), freed(KEY.n), one, b"")))
    (related,) = rsa.search(pool, ())
    assert describe(related.key).fingerprint.value == KEY.spki_sha256
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256
    one = freed((1 << 1024) - which[1] ^ 1 << 1000)
    assert (
        list(rsa.search(make_pool(far.join((freed(which[0]), freed(KEY.n), one, b"")))[0], ()))
        == []
    )
