"""The comb gives what the library gives, for any scalars on any curve."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect.algebra import curve_points
from scanner.detect.evidence import ec_derived
from scanner.detect.relations.weierstrass import comb
from scanner.detect.relations.weierstrass.curves import CURVES, generator


@pytest.mark.parametrize("name", CURVES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_points_are_those_of_the_library(name: str, data: st.DataObject) -> None:
    """Random scalars, small ones, and those next to the order."""
    curve = CURVES[name]
    near = st.integers(1, 1 << 14)
    scalars = data.draw(
        st.lists(
            st.one_of(
                st.integers(1, curve.n - 1),
                near,
                near.map(lambda x: curve.n - x),
                near.map(lambda x: x << curve.n.bit_length() - 24),
            ),
            max_size=40,
        )
    )
    for d, point in zip(scalars, comb.points(curve, scalars), strict=True):
        key = ec_derived(name, d)
        assert key is not None
        assert point is None or point == (key.x, key.y)


@pytest.mark.parametrize("name", CURVES)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_multiples_are_those_of_the_library(name: str, data: st.DataObject) -> None:
    """Of any point: a key agreement gives the same x, and y is on the curve."""
    curve = CURVES[name]
    scalar = st.integers(1, curve.n - 1)
    base = ec_derived(name, data.draw(scalar))
    assert base is not None
    point = base.x, base.y
    scalars = data.draw(st.lists(st.one_of(scalar, st.integers(1, 40)), max_size=12))
    assert None not in comb.multiples(curve, point, [curve.n // 3, curve.n // 5])
    for d, found in zip(scalars, comb.multiples(curve, point, scalars), strict=True):
        assert found is None or [found[0]] == curve_points.shared(name, d, [point])
        assert found is None or curve_points.contains(name, *found)
        whole = ec_derived(name, d * base.d % curve.n)
        assert found is None or (whole is not None and found == (whole.x, whole.y))


@pytest.mark.parametrize("name", ["secp256k1", "brainpoolP384r1", "P-256", "P-384"])
@pytest.mark.parametrize("count", [1, 40, 200])
def test_many_scalars_or_few(name: str, count: int) -> None:
    """Whichever way is the faster: the keys, and none where a number is no scalar."""
    curve = CURVES[name]
    scalars = [pow(7, at, curve.n) for at in range(200, 200 + count)]
    derived = comb.derive(curve, [0, curve.n, *scalars, curve.n - 1, curve.n + 5])
    assert [key is None for key in derived] == [True, True, *[False] * (count + 1), True]
    for d, key in [*zip(scalars, derived[2:], strict=False)][:: 1 + count // 20]:
        again = ec_derived(name, d)
        assert again is not None
        assert key is not None
        assert (key.curve, key.d, key.x, key.y) == (name, d, again.x, again.y)
        assert {type(key.d), type(key.x), type(key.y)} == {int}


def test_the_order_has_no_point() -> None:
    """Nor has zero, or what is greater."""
    curve = CURVES["secp256k1"]
    assert comb.points(curve, [curve.n, 0, curve.n + 1, 1 << 300, -1]) == [None] * 5


@pytest.mark.parametrize("width", [*comb.WIDTHS[:-2]])
@pytest.mark.parametrize("name", ["P-521", "P-256"])
def test_windows_of_any_width(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The odd values of windows reach the smallest and the greatest scalar, even ones too."""
    monkeypatch.setattr(comb, "WIDTHS", (width,))
    curve = CURVES[name]
    scalars = [
        curve.n - 1,
        curve.n - 4,
        1,
        2,
        1 << width - 1,
        (1 << width) - 1,
        (1 << 255) - 1,
        curve.n >> 1,
    ]
    found = comb.multiples(curve, generator(curve), scalars)
    for d, point in zip(scalars, found, strict=True):
        key = ec_derived(name, d)
        assert key is not None
        assert point == (key.x, key.y)
