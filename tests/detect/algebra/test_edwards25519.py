"""Multiples of the base point of edwards25519: the library's, with their sign and without."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import keys
from scanner.detect.algebra import edwards25519
from scanner.detect.algebra.edwards25519 import ORDER, SIGN
from scanner.detect.asn1.keys import okp_public

P = (1 << 255) - 19
P448 = (1 << 448) - (1 << 224) - 1
EIGHTHS = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
"""y of the points of order 8."""
EIGHTHS_U = (
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
)
"""u of the points of order 8."""


@given(seed=st.binary(min_size=32, max_size=32), reduced=st.booleans())
def test_a_multiple_is_the_library_s(seed: bytes, *, reduced: bool) -> None:
    """Clamped or below the order, with the sign of x and without."""
    public = okp_public("ed25519", seed)
    digest = hashlib.sha512(seed).digest()
    a = bytes((digest[0] & 248,)) + digest[1:31] + bytes((digest[31] & 127 | 64,))
    if reduced:
        a = (int.from_bytes(a, "little") % ORDER).to_bytes(32, "little")
    assert edwards25519.multiple(a) == public
    unsigned = public[:-1] + bytes((public[-1] & ~SIGN,))
    assert edwards25519.unsigned_multiple(a) == unsigned


@pytest.mark.parametrize("times", range(9))
def test_a_multiple_of_the_order_gives_none(times: int) -> None:
    """X25519 gives u = 0 there, which is what the point of order 2 has."""
    a = (times * ORDER).to_bytes(32, "little")
    assert edwards25519.unsigned_multiple(a) == b""


def _spelled(value: int) -> list[bytes]:
    """Spell a coordinate of edwards25519 in every way that decoders take: signs, and y + p."""
    values = [value, value + P] if value < 19 else [value]
    return [(v | sign << 255).to_bytes(32, "little") for v in values for sign in (0, 1)]


def _numbers(field: int, eighths: tuple[str, ...]) -> list[int]:
    return [0, 1, field - 1, *(int.from_bytes(bytes.fromhex(y), "little") for y in eighths)]


def test_points_of_small_order_are_known_however_written() -> None:
    """On both curves of 25519, and those of order 4 at most on both of 448."""
    for algorithm, eighths in (("ed25519", EIGHTHS), ("x25519", EIGHTHS_U)):
        for value in _numbers(P, eighths):
            assert all(edwards25519.small_order(algorithm, raw) for raw in _spelled(value))
        key = keys.okp_key(algorithm)
        assert not edwards25519.small_order(algorithm, key.public)
    for algorithm, size in (("ed448", 57), ("x448", 56)):
        for value in (0, 1, P448 - 1, P448, P448 + 1):
            assert edwards25519.small_order(algorithm, value.to_bytes(size, "little"))
        assert not edwards25519.small_order(algorithm, keys.okp_key(algorithm).public)
    assert edwards25519.small_order("ed448", (1 | SIGN << 448).to_bytes(57, "little"))
