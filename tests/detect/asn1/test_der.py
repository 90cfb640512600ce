"""The strict reader, and the way back to a header."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect.asn1 import der


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "30",
        "3080 0000",  # indefinite length
        "3081 05 0203010001",  # length not minimal
        "3082 0005 0203010001",
        "3083 000005 0203010001",
        "3084 ffffffff",
        "3005 02030100",  # longer than the buffer
        "1f81 01 00",  # tag of several bytes
    ],
)
def test_other_headers_than_der_writes_are_refused(hostile: str) -> None:
    """Each value has one encoding; all others are Malformed."""
    with pytest.raises(der.Malformed):
        der.Reader(bytes.fromhex(hostile)).enter()


@pytest.mark.parametrize("content", ["", "0001", "ff80", "007f", "ffff"])
def test_integers_are_minimal(content: str) -> None:
    """An INTEGER with nine equal leading bits, or none at all, is Malformed."""
    raw = bytes.fromhex(content)
    with pytest.raises(der.Malformed):
        der.Reader(bytes((2, len(raw))) + raw).integer()


@given(st.integers(-(2**200), 2**200))
def test_minimal_integers_are_read(value: int) -> None:
    """Any integer that DER writes comes back."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    content = value.to_bytes(size, "big", signed=True)
    assert value == der.Reader(bytes((2, size)) + content).integer()


def test_depth_is_bounded() -> None:
    """Nesting ends in Malformed, not in a deep stack."""
    data = b""
    for _ in range(40):
        data = der.write(der.SEQUENCE, data)
    reader = der.Reader(data)
    for _ in range(der.DEPTH):
        reader = reader.enter()
    with pytest.raises(der.Malformed):
        reader.enter()


def test_leftovers_are_refused() -> None:
    """Finish passes at the end alone."""
    reader = der.Reader(bytes.fromhex("0500 0500"))
    reader.skip()
    with pytest.raises(der.Malformed):
        reader.finish()
    reader.skip()
    reader.finish()
    assert reader.peek() == -1


def test_bit_strings_hold_whole_bytes() -> None:
    """A BIT STRING with unused bits, or without its first byte, is Malformed."""
    assert der.Reader(bytes.fromhex("0302 00ff")).bits() == b"\xff"
    for hostile in ("0302 01fe", "0300"):
        with pytest.raises(der.Malformed):
            der.Reader(bytes.fromhex(hostile)).bits()


@given(st.integers(0, der.LIMIT - 4))
def test_the_size_stands_in_the_header(size: int) -> None:
    """Four bytes of a SEQUENCE tell its size, and its header is found again from behind."""
    whole = der.write(der.SEQUENCE, bytes(size))
    header = len(whole) - size
    assert der.total_size(whole[:4]) == len(whole)
    assert 7 in der.headers_before(bytes(7) + whole, 7 + header)


def test_large_objects_are_refused_before_they_are_read() -> None:
    """No header promises more than the limit."""
    assert der.total_size(bytes.fromhex("3082fffd")) is None
    assert der.total_size(bytes.fromhex("3083010000")) is None
    with pytest.raises(der.Malformed):
        der.write(der.SEQUENCE, bytes(0x10000))


@settings(max_examples=30)
@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Whatever the bytes, a walk over them ends or is Malformed."""
    reader = der.Reader(data)
    try:
        while reader.peek() != -1:
            if reader.peek() == der.SEQUENCE:
                reader.enter().integer()
            else:
                reader.bits(reader.peek())
    except der.Malformed:
        pass
    der.total_size(data)
    assert all(0 <= at < len(data) for at in der.headers_before(data, len(data)))
