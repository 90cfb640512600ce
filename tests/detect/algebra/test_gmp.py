"""GMP's numbers give what Python's do, and what leaves the module is Python's."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.algebra import gmp

LONG = st.integers(-(1 << 2100), 1 << 2100)


@given(base=LONG, exponent=st.integers(0, 1 << 300), modulus=st.integers(1, 1 << 2100))
def test_powers_are_those_of_pow(base: int, exponent: int, modulus: int) -> None:
    """Of any base, a negative one too."""
    found = gmp.power(base, exponent, modulus)
    assert type(found) is int
    assert found == pow(base, exponent, modulus)


@given(value=LONG, modulus=st.integers(2, 1 << 2100))
def test_inverses_are_those_of_pow(value: int, modulus: int) -> None:
    """And there is none where both have a common factor."""
    if math.gcd(value, modulus) == 1:
        found = gmp.inverse(value, modulus)
        assert type(found) is int
        assert found == pow(value, -1, modulus)
        assert gmp.power(value, -3, modulus) == pow(value, -3, modulus)
    else:
        with pytest.raises(ValueError, match="no inverse"):
            gmp.inverse(value, modulus)


@given(value=LONG, other=st.integers(1, 1 << 1100))
def test_its_numbers_are_looked_up_as_pythons(value: int, other: int) -> None:
    """They are equal, have the same hash, and divide and shift with the same rounding."""
    ours = gmp.mpz(value)
    assert {value: 1}[ours] == {ours: 1}[value] == 1
    assert (ours % other, ours // other, ours >> 7) == (value % other, value // other, value >> 7)


OTHER = """{line}
__version__ = {asked}("hypothesis")
mpz = int
"""
SAID = """import sys
from scanner.detect.algebra import gmp
print(gmp.mpz(5), "importlib.metadata" in sys.modules)
from importlib.metadata import version
print(version("hypothesis"))
"""


@pytest.mark.parametrize(
    ("line", "asked", "loads"),
    [
        ("import importlib.metadata as imp", "imp.version", False),
        ("from importlib.metadata import version", "version", False),
        ("import importlib.metadata as imp", "imp.distribution", True),
        ("from importlib.metadata import PackageNotFoundError, version", "version", True),
    ],
)
def test_what_the_library_asks_of_importlib(
    tmp_path: Path, line: str, asked: str, loads: bool
) -> None:
    """Its own version it is not told; whatever else it asks for it gets, and so do others."""
    (tmp_path / "gmpy2.py").write_text(OTHER.format(line=line, asked=asked), "utf-8")
    root = Path(__file__).resolve().parents[3]
    code = f"import sys; sys.path[:0] = {[str(tmp_path), str(root)]!r}\n{SAID}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    first, second = done.stdout.splitlines()
    assert first == f"5 {loads}"
    assert second.split(".")[0].isdigit()
