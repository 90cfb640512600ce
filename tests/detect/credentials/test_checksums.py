"""Checksums of tokens: what is said of a sum, and of formats without one."""

import zlib

import pytest

from fixtures import tokens
from scanner.detect.credentials import checksums


@pytest.mark.parametrize("prefix", ["ghp", "gho", "ghu", "ghs", "ghr", "npm"])
def test_sums_in_base_62(prefix: str) -> None:
    """The right sum holds, and no other: a changed character is seen wherever it stands."""
    token = tokens.summed(prefix)
    assert checksums.holds(token) is True
    for at in (4, 20, 33, 34, 39):
        other = b"a" if token[at : at + 1] != b"a" else b"b"
        assert checksums.holds(token[:at] + other + token[at + 1 :]) is False


def test_sums_in_hex() -> None:
    """Grafana writes the sum of all that stands before it, in either case."""
    body = b"glsa_" + tokens.text("grafana", 32).encode()
    total = f"{zlib.crc32(body):08x}".encode()
    assert checksums.holds(body + b"_" + total) is True
    assert checksums.holds(body + b"_" + total.upper()) is True
    assert checksums.holds(body + b"_" + bytes(reversed(total))) is False


def test_formats_without_a_sum() -> None:
    """Nothing is said of other tokens, nor of a longer text that begins like one."""
    for token in (tokens.slack(), tokens.jwt(), tokens.summed("ghp") + b"x", b"ghp_", b""):
        assert checksums.holds(token) is None
