"""Base32 in either alphabet: what is written is read, and nothing that is not canonical."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import noise
from scanner.detect.encodings import base32


@given(st.binary(min_size=1, max_size=64))
def test_what_is_written_is_read(raw: bytes) -> None:
    """In either case, and in rspamd's."""
    text = base64.b32encode(raw).rstrip(b"=")
    assert base32.decode(text) == base32.decode(text.lower()) == raw
    assert base32.decode_legible(base32.encode_legible(raw)) == raw


@given(st.binary(max_size=64))
def test_any_bytes(text: bytes) -> None:
    """Those that no alphabet has are no text."""
    raw = base32.decode(text)
    assert raw is None or base64.b32encode(raw).rstrip(b"=") == text.upper()
    legible = base32.decode_legible(text)
    assert legible is None or len(legible) == len(text) * 5 // 8


def test_a_text_of_rspamd() -> None:
    """What rspamadm 3.12 printed of a public key."""
    text = b"ybzyqf3fb363gaf1ugmuf8oebzjckppuqrshxk674cpgr7i1mpry"
    assert base32.encode_legible(base32.decode_legible(text) or b"") == text


@pytest.mark.parametrize("decode", [base32.decode, base32.decode_legible])
def test_bits_that_are_left_are_zeros(decode: object) -> None:
    """Of 52 characters the last has one bit."""
    assert callable(decode)
    spell = {base32.decode: lambda raw: base64.b32encode(raw)[:52].lower()}
    text = spell.get(decode, base32.encode_legible)(noise.uniform(32, 3))
    letters = base32.ALPHABET if decode is base32.decode else base32.LEGIBLE
    last = [text[:-1] + letters[at : at + 1] for at in range(32)]
    assert sum(decode(each) is not None for each in last) == 2


def test_a_text_in_both_cases() -> None:
    """Nobody mixes them."""
    text = base64.b32encode(noise.uniform(32, 3))[:52]
    assert base32.decode(text[:20].lower() + text[20:]) is None
