"""A CRT exponent as the number that it was read to, and nothing else of its key but the modulus."""

from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.integers.pool import FEW_RUNS, NEIGHBOURHOOD, Pool
from scanner.dump.space import Memory
from tests.detect.relations.rsa import test_rsa as rsa_tests

MakePool = Callable[..., tuple[Pool, Memory]]

GAP = bytes(64)
FAR = noise.text(NEIGHBOURHOOD + 4096)
KEYS = {bits: keys.rsa_key(bits) for bits in (2048, 3072)}


@pytest.mark.parametrize("bits", KEYS)
@pytest.mark.parametrize(("form", "others"), [("limbs-le", 60), ("bytes-be", 0)])
def test_an_exponent_far_from_its_modulus(
    make_pool: MakePool, form: str, bits: int, others: int
) -> None:
    """Seen in Botan, whose pool of secure memory lies apart, and in Go; among others like it."""
    key = KEYS[bits]
    crowd = [GAP + noise.uniform(bits // 16, seed) for seed in range(others)]
    for exponent in (key.dp, key.dq):
        raw = rsa_tests.spell(exponent, form, bits // 2)[0]
        modulus = rsa_tests.spell(key.n, "bytes-be")[0]
        data = b"".join((*crowd, GAP, raw, GAP, FAR, modulus, GAP))
        (related,) = rsa_tests.search(make_pool, data, publics.rsa(key.n, key.e, kind="x"))
        assert (related.encoding, related.proof) == (form, "(n, e, dp) factors n")


def test_an_exponent_of_a_modulus_that_is_only_named(make_pool: MakePool) -> None:
    """The modulus may be the operator's; a flipped bit of the exponent proves nothing."""
    key = KEYS[2048]
    raw = rsa_tests.spell(key.dp, "limbs-le", 1024)[0]
    known = publics.rsa(key.n, key.e, kind="known")
    assert len(rsa_tests.search(make_pool, GAP + raw + GAP, known)) == 1
    wrong = bytes((raw[0] ^ 2,)) + raw[1:]
    assert rsa_tests.search(make_pool, GAP + wrong + GAP, known) == []


def test_an_exponent_among_many_numbers(make_pool: MakePool) -> None:
    """Seen in Go, in Caddy: hundreds of numbers of signatures fill their runs, nearer to n."""
    key = KEYS[2048]
    raw = rsa_tests.spell(key.dp, "limbs-le", 1024)[0]
    crowd = (GAP + noise.uniform(128, seed) for seed in range(100))
    more = (GAP + noise.uniform(48, seed) for seed in range(FEW_RUNS + 1))
    modulus = rsa_tests.spell(key.n, "bytes-be")[0]
    data = b"".join((GAP, raw, GAP, FAR, *more, *crowd, GAP, modulus, GAP))
    (related,) = rsa_tests.search(make_pool, data, publics.rsa(key.n, key.e, kind="x"))
    assert related.roles == ("dp",)


@pytest.mark.parametrize("bits", KEYS)
@pytest.mark.parametrize(
    ("lost", "more"),
    [(96, b""), (240, b"\xd3\x1f\x82\xe9\x47\x9c\x05\xb8")],
    ids=["96", "240, stale"],
)
def test_exponents_amid_what_is_left_of_a_block(
    make_pool: MakePool, bits: int, more: bytes, lost: int
) -> None:
    """OpenSSL's freed numbers end to end, the first overwritten; a stale word behind the last.

    Seen in ssh-agent, whose modulus stands as a number elsewhere and is named by nothing.
    """
    key = KEYS[bits]
    numbers = (key.q, key.dp, key.dq, key.qinv)
    whole = b"".join(rsa_tests.spell(number, "limbs-le", bits // 2)[0] for number in numbers)
    block = whole[lost:] + more
    modulus = rsa_tests.spell(key.n, "limbs-le")[0]
    data = b"".join((GAP, block, GAP, FAR, modulus, GAP))
    (related,) = rsa_tests.search(make_pool, data)
    assert (related.roles, related.proof) == (("dp",), "(n, e, dp) factors n")
    wrong = bytes(byte ^ 2 for byte in block)
    assert rsa_tests.search(make_pool, data.replace(block, wrong)) == []
