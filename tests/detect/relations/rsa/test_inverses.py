"""Two primes and the inverse of one modulo the other, and no modulus."""

from collections.abc import Callable

import pytest

from fixtures import keys
from scanner.detect.algebra.material import describe
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa import inverses, rsa
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

KEY = keys.rsa_key(2048)
QINV, PINV = pow(KEY.q, -1, KEY.p), pow(KEY.p, -1, KEY.q)
TABLE = {reading.name: reading for reading in readings.LITTLE_ENDIAN}


def laid(*numbers: tuple[int, str]) -> bytes:
    """Lay numbers in blocks of their own, each as it is spelled."""
    rows = (readings.encode(TABLE[form], value, 1024) for value, form in numbers)
    return bytes(64) + b"".join(row + bytes(1024 - len(row)) for row in rows)


@pytest.mark.parametrize("inverse", [QINV, PINV])
@pytest.mark.parametrize(
    "forms", [("digits-28",) * 2, ("bytes-be", "digits-28"), ("limbs-le",) * 2]
)
def test_two_primes_and_a_coefficient(
    make_pool: MakePool, forms: tuple[str, str], inverse: int
) -> None:
    """Whichever the inverse is of, it is spelled as one of the primes is."""
    pool, memory = make_pool(laid((KEY.q, forms[1]), (inverse, forms[1]), (KEY.p, forms[0])))
    (related,) = rsa.search(pool, ())
    assert (related.proof, related.roles) == (inverses.PROOF, ("p", "p"))
    assert describe(related.key).fingerprint.value == KEY.spki_sha256
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize("wrong", [(4, 0), (0, 4)])
def test_another_number_is_no_coefficient(make_pool: MakePool, wrong: tuple[int, int]) -> None:
    """A bit is wrong of the inverse, or of a prime."""
    numbers = (KEY.q, QINV ^ wrong[0], KEY.p ^ wrong[1])
    pool, _ = make_pool(laid(*((number, "limbs-le") for number in numbers)))
    assert list(rsa.search(pool, ())) == []
