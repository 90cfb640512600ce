"""JSON Web Tokens: read strictly, told sparingly, in either width."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import tokens
from scanner.detect.credentials import jwt
from scanner.detect.credentials.jwt import Claims
from tests.detect.one_space import Bytes


def read(data: bytes, at: int = 0, width: int = 1) -> tuple[bytes, Claims] | None:
    """Read the token at an offset."""
    return jwt.read(Bytes(data), 0, at, width)


def part(value: object) -> bytes:
    """Return a part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("behind", [b"", b"\0", b'"', b",", b"&", b" ", b"\xff"])
def test_a_token_is_read_with_its_claims(width: int, behind: bytes) -> None:
    """Issuer, audience and expiry are told, whatever stands behind the token."""
    token = tokens.jwt("a", {"iss": "https://i.example", "aud": ["a", "b"], "exp": 1300819380})
    codec = "utf-16-le" if width == 2 else "latin-1"
    data = (b"\0" + token + behind).decode("latin-1").encode(codec)
    said = Claims(issuer="https://i.example", audience="a b", not_after="2011-03-22T18:43:00Z")
    assert read(data, width, width) == (token, said)


def test_an_encrypted_token_is_one() -> None:
    """Five parts whose header names the encryption are a token (RFC 7516 section 3.1)."""
    header = part({"alg": "RSA-OAEP", "enc": "A256GCM", "iss": "i"})
    token = b".".join([header, part(bytes(32)), part(bytes(12)), part(bytes(40)), part(bytes(16))])
    assert read(token) == (token, Claims(issuer="i"))


SIGNATURE = part(bytes(32))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"eyJ",
        b".".join([part({"alg": "none"}), part({"sub": "nobody"}), SIGNATURE]),
        b".".join([part({"typ": "JWT", "x": 1}), part({"sub": "nobody"}), SIGNATURE]),
        b".".join([part({"alg": "HS256"}), part(["no object"]), SIGNATURE]),
        b".".join([part({"alg": "HS256"}), part(b'{"cut": '), SIGNATURE]),
        b".".join([part({"alg": "HS256"}), part({"sub": "nobody"})]),
        b".".join([part({"alg": "HS256"}), part({"sub": "nobody"}), b"short"]),
        b".".join([part({"alg": "HS256"}), part(b"[" * 9000), SIGNATURE]),
        b".".join([part({"alg": "HS256"}), part(b'{"a":' + b"9" * 6000 + b"}"), SIGNATURE]),
        b".".join([part({"alg": "HS256"}), part({"sub": "a" * 20000}), SIGNATURE]),
    ],
)
def test_what_is_none_gives_nothing(data: bytes) -> None:
    """Unsigned, cut, nested, endless and malformed ones are nothing."""
    assert read(data) is None


def test_a_token_is_not_begun_in_its_middle() -> None:
    """The second part begins like a token too, and is none."""
    token = tokens.jwt()
    assert read(token, token.index(b".") + 1) is None


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": 5, "aud": {}, "exp": "soon"}, Claims()),
        ({"iss": "a\x1b[31m", "aud": "b" * 300, "exp": True}, Claims()),
        ({"exp": -1}, Claims()),
        ({"exp": 1e300}, Claims()),
        ({"exp": 1300819380.5}, Claims(not_after="2011-03-22T18:43:00Z")),
        ({"sub": "somebody", "email": "a@b.example"}, Claims()),
    ],
)
def test_only_what_may_be_told_is_told(claims: dict[str, object], said: Claims) -> None:
    """Control characters, long texts, other types and other claims are left out."""
    found = read(tokens.jwt("b", claims))
    assert found is not None
    assert found[1] == said


@settings(max_examples=30)
@given(st.binary(max_size=200), st.sampled_from([1, 2]))
def test_any_bytes_are_borne(data: bytes, width: int) -> None:
    """No bytes behind the first three letters make it raise."""
    assert read(b"eyJ" + data, 0, width) is None


@settings(max_examples=30)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_parts_are_borne(header: bytes, claims: bytes) -> None:
    """Nor does anything that decodes."""
    read(b".".join([part(b'{"' + header), part(b'{"' + claims), SIGNATURE]))
