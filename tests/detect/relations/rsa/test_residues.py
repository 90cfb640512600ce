"""What is congruent to a known number modulo a prime, and of the key else nothing but n."""

from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.relations.rsa.coefficients import LESS_ONE
from scanner.dump.space import Memory
from tests.detect.relations.rsa import test_rsa as rsa_tests

MakePool = Callable[..., tuple[Pool, Memory]]

GAP = bytes(64)
FAR = noise.text(NEIGHBOURHOOD + 4096)
KEYS = {bits: keys.rsa_key(bits) for bits in (2048, 3072)}
ROLES = ("R mod p", "R*R mod p", LESS_ONE)


def number(key: keys.RsaKey, role: str, *, of_q: bool = False, radix: int = 0) -> int:
    """Return what a role says of a prime; R has ``radix`` bits, or half as many as n."""
    radix = radix or key.n.bit_length() // 2
    p = key.q if of_q else key.p
    return p - 1 if role == LESS_ONE else pow(2, (ROLES.index(role) + 1) * radix, p)


@pytest.mark.parametrize(
    ("form", "role", "bits", "of_q"),
    [
        ("limbs-le", "R mod p", 2048, False),
        ("limbs-le", "R*R mod p", 2048, False),
        ("limbs-le", "R*R mod p", 3072, True),
        ("limbs-le", LESS_ONE, 2048, True),
        ("limbs-le", LESS_ONE, 3072, False),
    ],
)
def test_a_number_of_a_modulus_that_a_certificate_names(
    make_pool: MakePool, form: str, role: str, bits: int, of_q: bool
) -> None:
    """Seen in OpenSSL and in Go, which keep R*R mod p with p; and in what Go freed."""
    key = KEYS[bits]
    raw = rsa_tests.spell(number(key, role, of_q=of_q), form, bits // 2)[0]
    public = publics.rsa(key.n, key.e, kind="x")
    related = rsa_tests.only(rsa_tests.search(make_pool, GAP + raw + GAP, public), key)
    assert (related.encoding, related.proof) == (f"{role} {form}", "p | n")
    wrong = raw[:9] + bytes((raw[9] ^ 1,)) + raw[10:]
    assert rsa_tests.search(make_pool, GAP + wrong + GAP, public) == []


@pytest.mark.parametrize("role", ["R mod p", "R*R mod p", LESS_ONE])
@pytest.mark.parametrize(
    ("form", "digit", "named"), [("digits-28", 28, False), ("digits-60", 60, True)]
)
def test_a_number_in_digits(
    make_pool: MakePool, form: str, digit: int, role: str, *, named: bool
) -> None:
    """R fills the digits of p. Seen in LibTomCrypt on 32-bit Windows, after it let go of a key."""
    key = KEYS[2048]
    value = number(key, role, radix=-(-1024 // digit) * digit)
    raw = rsa_tests.spell(value, form, 1024)[0]
    public = [publics.rsa(key.n, key.e, kind="x")] if named else []
    modulus = b"" if named else rsa_tests.spell(key.n, form, 2048)[0] + GAP
    found = rsa_tests.search(make_pool, GAP + modulus + raw + GAP, *public)
    assert rsa_tests.only(found, key).encoding == f"{role} {form}"
    wrong = bytes((raw[0] ^ 2,)) + raw[1:]
    assert rsa_tests.search(make_pool, GAP + modulus + wrong + GAP, *public) == []


@pytest.mark.parametrize("others", [0, 30])
@pytest.mark.parametrize("role", ["R*R mod p", LESS_ONE])
def test_a_number_near_a_modulus_that_nobody_names(
    make_pool: MakePool, role: str, others: int
) -> None:
    """The modulus stands as a number; others of both lengths stand far from it."""
    key = KEYS[2048]
    raw = rsa_tests.spell(number(key, role), "limbs-le", 1024)[0]
    modulus = rsa_tests.spell(key.n, "limbs-le")[0]
    crowd = [GAP + noise.uniform(128 << (seed & 1), seed) for seed in range(others)]
    data = b"".join((*crowd, GAP, FAR, GAP, modulus, GAP, raw, GAP))
    assert rsa_tests.only(rsa_tests.search(make_pool, data), key).encoding == f"{role} limbs-le"
    assert rsa_tests.search(make_pool, data.replace(modulus, bytes(256))) == []
