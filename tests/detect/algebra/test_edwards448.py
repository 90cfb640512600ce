"""Multiples of the base point of edwards448: the library's, with their sign and without."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys, noise
from scanner.detect.algebra import edwards448
from scanner.detect.asn1.keys import okp_public


@settings(max_examples=20)
@given(seed=st.binary(min_size=57, max_size=57))
def test_a_multiple_is_the_library_s(seed: bytes) -> None:
    """With the sign of x; without it, y or -y."""
    public = okp_public("ed448", seed)
    digest = hashlib.shake_256(seed).digest(57)
    a = bytes((digest[0] & 252,)) + digest[1:55] + bytes((digest[55] | 128, 0))
    assert edwards448.multiple(a) == public
    found = list(edwards448.unsigned_multiples(a))
    assert len(found) == 2
    assert public[:56] + b"\0" in found


def test_a_multiple_of_the_order_gives_none() -> None:
    """Four times the order is clamped, and u is zero there."""
    order = (1 << 446) - 0x8335DC163BB124B65129C96FDE933D8D723A70AADC873D6D54A7BB0D
    a = (4 * order).to_bytes(57, "little")
    assert list(edwards448.unsigned_multiples(a)) == []
    assert edwards448.multiple(a) == b"\1" + bytes(56)


def test_what_is_a_point() -> None:
    """Every public key is, with either sign; of other numbers about half are, and no large one."""
    public = keys.okp_key("ed448").public
    assert edwards448.is_point(public)
    assert edwards448.is_point(public[:-1] + bytes((public[-1] ^ 0x80,)))
    others = [edwards448.is_point(noise.uniform(57, seed)) for seed in range(64)]
    assert 16 < sum(others) < 48
    assert not edwards448.is_point(b"\xff" * 57)
