"""What d was computed with, and of the key else nothing but n."""

import math
from collections.abc import Callable

import pytest

from fixtures import keys
from scanner.detect.algebra import publics
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa import totients
from scanner.dump.space import Memory
from tests.detect.relations.rsa import test_rsa as rsa_tests

MakePool = Callable[..., tuple[Pool, Memory]]

GAP = bytes(64)
KEY = keys.rsa_key(2048)
ORDER = (KEY.p - 1) * (KEY.q - 1)


@pytest.mark.parametrize("form", ["limbs-le", "bytes-be"])
@pytest.mark.parametrize("number", [ORDER, math.lcm(KEY.p - 1, KEY.q - 1), ORDER // 2])
def test_an_order_of_a_modulus_that_a_certificate_names(
    make_pool: MakePool, form: str, number: int
) -> None:
    """Seen in strongSwan's plugin gmp; the modulus itself, and a flipped bit, prove nothing."""
    raw = rsa_tests.spell(number, form, 2048)[0]
    public = publics.rsa(KEY.n, KEY.e, kind="x")
    modulus = rsa_tests.spell(KEY.n, form, 2048)[0]
    data = GAP.join((b"", modulus, raw, b""))
    related = rsa_tests.only(rsa_tests.search(make_pool, data, public), KEY)
    assert (related.encoding, related.proof) == (f"{totients.ROLE} {form}", totients.PROOF)
    wrong = data.replace(raw, raw[:99] + bytes((raw[99] ^ 1,)) + raw[100:])
    assert rsa_tests.search(make_pool, wrong, public) == []
