"""Characters and what stands between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.encodings.stride import Stride

STRIDES = [
    Stride(name="utf-16", gap=b"\0"),
    Stride(name="utf-32", gap=bytes(3)),
    Stride(name="cells", gap=b"\0\0\x08\x08"),
]


@pytest.mark.parametrize("stride", STRIDES, ids=lambda stride: stride.name)
def test_a_text_and_what_is_none(stride: Stride) -> None:
    """The last character has nothing behind it; what stands alone is no character."""
    text = stride.spread(b"abcd")
    assert stride.plain(text) == b"abcd"
    alien = b"x" * stride.size
    assert stride.plain(alien + text + stride.gap + alien) == b"\0abcdx"
    assert stride.plain(alien + text + bytes((1,)) * len(stride.gap) + alien) == b"\0abcd\0"
    assert stride.plain(b"") == b""
    assert stride.ahead(text) == 0


def test_no_gap() -> None:
    """Text with a byte a character is what it is."""
    assert Stride(name="", gap=b"").plain(b"any\0text") == b"any\0text"


@pytest.mark.parametrize("stride", STRIDES, ids=lambda stride: stride.name)
@given(st.binary(max_size=64))
def test_any_bytes(stride: Stride, raw: bytes) -> None:
    """Each character is that of its word, or zero, and those between two gaps are never zero."""
    plain = stride.plain(raw)
    assert len(plain) == -(-len(raw) // stride.size)
    heads = raw[:: stride.size]
    assert all(one in (0, head) for one, head in zip(plain, heads, strict=True))
