"""SymCrypt's objects."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys as recipes
from fixtures import symcrypt as objects
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.structures import symcrypt
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "symcrypt")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in symcrypt.examine(Bytes(data), 0, offset, RULE)
    ]


@pytest.mark.parametrize("digit", [16, 32, 64])
@pytest.mark.parametrize(("bits", "e"), [(1024, 65537), (2048, 3), (3072, 65537), (4096, 65537)])
def test_rsa_keys_of_every_build(bits: int, e: int, digit: int) -> None:
    """An RSA key is found once, by its slots, with its own exponent, at both primes."""
    key = recipes.rsa_key(bits, e=e)
    data = bytes(96) + objects.rsa_object(key, digit=digit)
    (found,) = find(data)
    assert found.candidate.fingerprint.value == key.spki_sha256
    places = found.candidate.places
    assert {int.from_bytes(data[p.offset : p.offset + p.size], "little") for p in places} == {
        key.p,
        key.q,
    }


@pytest.mark.parametrize("digit", [16, 32, 64])
@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_ec_keys_of_every_build(curve: str, digit: int) -> None:
    """A scalar is proved by the Jacobian point in Montgomery form before it."""
    key = recipes.ec_key(curve)
    data = bytes(64) + objects.ec_object(key, digit=digit)
    (found,) = find(data)
    assert found.candidate.fingerprint.value == key.spki_sha256
    (place,) = found.candidate.places
    value = data[place.offset : place.offset + place.size]
    assert int.from_bytes(value, "little") == key.d


@pytest.mark.parametrize("at", [64 + 32 + 3, 64 + 32 + 70, 64 + 32 + 130, 64 + 32 + 3 * 64 + 33])
def test_a_flipped_bit_proves_nothing(at: int) -> None:
    """A bit of a coordinate or of the scalar changed leaves no key."""
    data = bytearray(objects.ec_object(recipes.ec_key()))
    data[at] ^= 8
    assert find(bytes(data)) == []


def test_primes_of_another_key_prove_nothing() -> None:
    """Slots whose numbers do not multiply to the modulus are no key."""
    mine = bytearray(objects.rsa_object(recipes.rsa_key(1024)))
    other = objects.rsa_object(recipes.rsa_key(1024, label="second"))
    middle = 192 + (len(mine) - 192) // 3
    mine[middle:] = other[middle:]
    assert find(bytes(mine)) == []


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([b"\0\0Ig", b"\0\0Dg"]),
    st.lists(st.sampled_from([0, 1, 2, 9, 96, 128, 160, 2**31, 2**32 - 1]), max_size=40),
    st.binary(max_size=100),
)
def test_arbitrary_bytes_raise_nothing(tag: bytes, words: list[int], noise: bytes) -> None:
    """Whatever a header says, nothing is raised."""
    data = noise + tag + b"".join(struct.pack("<I", word) for word in words) + noise
    assert list(symcrypt.examine(Bytes(data), 0, len(noise), RULE)) == []
