"""BER turned into DER."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import keys as recipes
from fixtures import keystores
from scanner.detect.asn1 import ber
from scanner.detect.asn1.der import DEPTH, Malformed

KEY = recipes.ec_key()


def test_der_stays_what_it_is() -> None:
    """An object with closed lengths comes out as it went in, and what follows is left."""
    data = keystores.pkcs12_open(KEY)
    assert ber.to_der(data + b"tail") == (data, len(data))


def test_open_lengths_are_closed_and_chains_joined() -> None:
    """A store in BER is the same store; its contents are BER inside of an OCTET STRING."""
    data = keystores.pkcs12_ber(KEY)
    closed, size = ber.to_der(data + b"tail")
    assert size == len(data)
    assert closed.startswith(bytes.fromhex("3082"))
    assert ber.to_der(closed) == (closed, len(closed))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x80",
        b"\x30\x80" * 40,  # deeper than anything real
        b"\x04\x80\x00\x00",  # an open length of what has no elements
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x03\x04\x05\x00",
        b"\x24\x03\x02\x01\x00",  # a chain of INTEGERs
        b"\x30\x80" + b"\x05\x00" * 5000 + b"\x00\x00",
    ],
)
def test_what_is_none_is_refused(data: bytes) -> None:
    """Open ends, lies and endless lists are malformed."""
    with pytest.raises(Malformed):
        ber.to_der(data)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 900), st.binary(max_size=200))
def test_arbitrary_bytes_are_der_or_malformed(cut: int, noise: bytes) -> None:
    """Nothing else is raised, and nothing deeper than the bound comes out."""
    data = keystores.pkcs12_ber(KEY)[:cut] + noise
    try:
        closed, size = ber.to_der(data)
    except Malformed:
        return
    assert size <= len(data)
    assert len(closed) <= len(data) + 6 * DEPTH * len(data)
