"""The comb of a fixed base: the same powers as Python's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.relations.fields.fixedbase import powers

P = (1 << 127) - 1


@given(st.integers(0, 1 << 128), st.integers(1, 90), st.data())
def test_powers_are_those_of_pow(base: int, bits: int, data: st.DataObject) -> None:
    """Whatever the base, and whatever the length that the tables are made for."""
    exponent = data.draw(st.integers(0, (1 << bits) - 1))
    assert powers(base, P, bits)(exponent) == pow(base, exponent, P)


@pytest.mark.parametrize("exponent", [-1, 1 << 264])
def test_an_exponent_out_of_range_is_refused(exponent: int) -> None:
    """Negative ones, and those that are longer than what the tables were made for."""
    with pytest.raises(ValueError, match="out of range"):
        powers(2, P, 257)(exponent)
