"""A prime and d, and no modulus."""

from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers import readings
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.relations.rsa import rsa
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

KEY = keys.rsa_key(2048)
TABLE = {reading.name: reading for reading in readings.LITTLE_ENDIAN}
GAP = bytes(24)


def laid(form: str, *numbers: int) -> bytes:
    """Lay numbers apart, each of as many bytes as it takes."""
    rows = (readings.encode(TABLE[form], value, value.bit_length() + 7 & ~7) for value in numbers)
    return bytes(64) + b"".join(row + bytes(-len(row) % 8) + GAP for row in rows) + bytes(64)


@pytest.mark.parametrize("form", ["limbs-le", "bytes-be", "digits-30"])
@pytest.mark.parametrize("number", ["d", "d_euler"])
@pytest.mark.parametrize("prime", ["p", "q"])
def test_an_exponent_and_a_prime(make_pool: MakePool, form: str, number: str, prime: str) -> None:
    """Either exponent names the other prime, and so the key."""
    pool, memory = make_pool(laid(form, getattr(KEY, prime), getattr(KEY, number)))
    (related,) = rsa.search(pool, ())
    assert (related.proof, sorted(related.roles)) == ("e*d = 1 mod p-1", ["d", "p"])
    assert describe(related.key).fingerprint.value == KEY.spki_sha256
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256


def test_an_exponent_behind_links(make_pool: MakePool) -> None:
    """What an allocator writes before d, and an old limb behind it, may look random too."""
    data = bytes(64) + noise.uniform(8, 1) + KEY.d_euler.to_bytes(256, "little")
    data += noise.uniform(8, 2) + bytes(24) + KEY.q.to_bytes(128, "little") + bytes(64)
    (related,) = rsa.search(make_pool(data)[0], ())
    assert describe(related.key).fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize("prime", ["p", "q"])
@pytest.mark.parametrize("form", ["java-words", "limbs-le"])
def test_arrays_that_are_far_apart(make_pool: MakePool, form: str, prime: str) -> None:
    """What counts their digits tells them. Seen in Java, whose collector had left p, q and d."""
    digit = 8 if form == "limbs-le" else 4

    def array(value: int) -> bytes:
        row = readings.encode(TABLE[form], value, value.bit_length() + 7 & ~7)
        return b"\x98\x38\x17\0" + (len(row) // digit).to_bytes(4, "little") + row + bytes(24)

    far = bytes(2 * NEIGHBOURHOOD)
    data = far.join((bytes(64), array(getattr(KEY, prime)), array(KEY.d), bytes(64)))
    (related,) = rsa.search(make_pool(data)[0], ())
    assert describe(related.key).fingerprint.value == KEY.spki_sha256
    assert list(rsa.search(make_pool(far.join((array(KEY.p), array(KEY.d ^ 2))))[0], ())) == []


@pytest.mark.parametrize("wrong", [4, 1 << 1000])
def test_another_number_is_no_exponent(make_pool: MakePool, wrong: int) -> None:
    """A bit is wrong of d, or of the prime."""
    pool, _ = make_pool(laid("limbs-le", KEY.p, KEY.d ^ wrong))
    assert list(rsa.search(pool, ())) == []
    pool, _ = make_pool(laid("limbs-le", KEY.p ^ wrong, KEY.d))
    assert list(rsa.search(pool, ())) == []
