"""Points of named curves: both ways of computing agree with each other and with the standards."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import sm2
from scanner.detect.algebra import curve_points
from scanner.detect.algebra.curve_points import CURVES, GROUPS, Group

P256 = Group(
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    a=-3,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    g=(
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
)
"""A curve that the library has too: what is computed here is compared on it."""


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, P256.n - 1))
def test_the_formulas_are_those_of_the_library(d: int) -> None:
    """A scalar gives the same point, and that decodes to itself."""
    expected = curve_points.derive("P-256", d)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(GROUPS, "P-256", P256)
        assert curve_points.derive("P-256", d) == expected
        for encoded in _encodings(*expected):
            assert curve_points.decode("P-256", encoded) == expected
    other = curve_points.derive("P-256", P256.n - d)
    assert other == (expected[0], P256.p - expected[1])


def _encodings(x: int, y: int) -> tuple[bytes, bytes]:
    raw = x.to_bytes(32, "big")
    return b"\x04" + raw + y.to_bytes(32, "big"), bytes((2 + y % 2,)) + raw


def test_the_standards_example() -> None:
    """The key pair of GB/T 32918.5 appendix A."""
    d = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
    x = 0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020
    y = 0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13
    assert curve_points.derive("SM2", d) == (x, y)


def test_openssls_key() -> None:
    """The pair that OpenSSL made, in both encodings; and what it would agree on with itself."""
    point = sm2.X, sm2.Y
    assert curve_points.derive("SM2", sm2.D) == point
    assert curve_points.contains("SM2", *point)
    for encoded in _encodings(*point):
        assert curve_points.decode("SM2", encoded) == point
    n = GROUPS["SM2"].n
    (x,) = curve_points.shared("SM2", sm2.D, [point])
    assert x == curve_points.derive("SM2", sm2.D**2 % n)[0]


@pytest.mark.parametrize("curve", GROUPS)
def test_a_group_is_one(curve: str) -> None:
    """G lies on the curve, n is its order, and a root modulo p is a power."""
    group = GROUPS[curve]
    assert group.p % 4 == 3
    assert curve_points.contains(curve, *group.g)
    assert curve_points.derive(curve, group.n - 1) == (group.g[0], group.p - group.g[1])
    assert curve not in CURVES
    x, y = group.g
    for point in ((x + group.p, y), (x, y - group.p), (x, y + group.p)):
        assert not curve_points.contains(curve, *point)


@pytest.mark.parametrize("curve", ["SM2", "P-256"])
def test_what_is_no_point(curve: str) -> None:
    """Off the curve, above p, of other lengths; and scalars that are none."""
    x, y = curve_points.derive(curve, 12345)
    good, short = _encodings(x, y)
    for raw in (b"", good[:-1], good + b"\0", b"\x05" + good[1:], short + b"\0", b"\0" * 65):
        with pytest.raises(ValueError):  # noqa: PT011 - its text is nobody's
            curve_points.decode(curve, raw)
    assert not curve_points.contains(curve, x, y ^ 1)
    order = P256.n if curve == "P-256" else GROUPS[curve].n
    for d in (0, order, order + 1):
        with pytest.raises(ValueError):  # noqa: PT011
            curve_points.derive(curve, d)


def test_shared_is_what_a_key_agreement_gives() -> None:
    """On a curve of the library, the x of its own exchange."""
    key = ec.derive_private_key(777, ec.SECP384R1())
    other = ec.derive_private_key(999, ec.SECP384R1()).public_key()
    numbers = other.public_numbers()
    expected = int.from_bytes(key.exchange(ec.ECDH(), other), "big")
    assert curve_points.shared("P-384", 777, [(numbers.x, numbers.y)]) == [expected]
