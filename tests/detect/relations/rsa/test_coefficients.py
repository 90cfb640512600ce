"""A prime beside what is less by one, its coefficient, and no modulus."""

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

KEY = keys.rsa_key(2048)
P, Q = KEY.p, KEY.q
INVERSE, OTHER = pow(Q, -1, P), pow(P, -1, Q)
TABLE = {reading.name: reading for reading in readings.LITTLE_ENDIAN}
GAP = bytes(24)


def laid(*numbers: int, form: str = "limbs-le") -> bytes:
    """Lay numbers of 1024 bits apart."""
    rows = (readings.encode(TABLE[form], value, 1024) for value in numbers)
    return bytes(64) + b"".join(row + GAP for row in rows) + bytes(64)


@pytest.mark.parametrize(
    ("numbers", "roles"),
    [
        ((P, P - 1, Q - 1, INVERSE), ["p", "p-1"]),
        ((Q - 1, OTHER, P - 1, Q), ["p", "p-1"]),
        ((INVERSE, P, Q, P - 1), ["p", "p"]),
    ],
)
@pytest.mark.parametrize("form", ["limbs-le", "bytes-be"])
def test_a_coefficient(
    make_pool: MakePool, numbers: tuple[int, ...], roles: list[str], form: str
) -> None:
    """Beside p - 1, p is tested, and the coefficient gives q, which stands, or q - 1."""
    pool, memory = make_pool(laid(*numbers, form=form))
    (related,) = rsa.search(pool, ())
    assert (related.proof, sorted(related.roles)) == ("q*qinv = 1 mod p", roles)
    assert describe(related.key).fingerprint.value == KEY.spki_sha256
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize(
    "numbers",
    [
        (P, P - 1, Q - 1, INVERSE ^ 4),
        (P, P - 1, Q - 1 ^ 4, INVERSE),
        (P, P - 1 ^ 1 << 300, Q - 1 ^ 4, INVERSE),
        (P, P - 1, INVERSE),
        (P, P - 1, Q, Q - 1),
    ],
)
def test_less_is_no_key(make_pool: MakePool, numbers: tuple[int, ...]) -> None:
    """A bit is wrong, or a number is missing."""
    assert list(rsa.search(make_pool(laid(*numbers))[0], ())) == []
