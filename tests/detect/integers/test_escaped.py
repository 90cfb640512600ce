"""Base64 numbers with escapes: told in each spelling, in the relations too, and nothing else is."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures import keys, noise
from scanner.detect.integers import escaped
from tests.detect.integers.scans import private, scanned

RSA, EC = keys.rsa_key(2048), keys.ec_key("P-256")
SIGNED = next(
    key
    for key in (keys.okp_key("ed25519", label=f"escaped {at}") for at in range(64))
    if {43, 47} <= {*base64.b64encode(key.seed)} and 43 in base64.b64encode(key.public)
)
WRITERS: dict[str, Callable[[dict[str, str]], str]] = {
    "PHP": lambda fields: json.dumps(fields).replace("/", "\\/"),
    ".NET": lambda fields: json.dumps(fields).replace("+", "\\u002B"),
    "all": lambda fields: (
        json.dumps(fields).replace("/", "\\/").replace("+", "\\u002b").replace("=", "\\u003d")
    ),
    "a document in one": lambda fields: json.dumps(json.dumps(fields).replace("/", "\\/")),
}


def text(raw: bytes) -> str:
    """Return base64."""
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("writer", WRITERS)
def test_where_one_stands(writer: str, codec: str) -> None:
    """Between its quotes, wherever it begins, and it spells the number."""
    for shift in range(8):
        lead = b"\xee" * 16 + ("x" * shift + WRITERS[writer]({"seed": ""})).encode(codec)
        data = lead + WRITERS[writer]({"seed": text(SIGNED.seed)}).encode(codec) + bytes(32)
        starts, ends = escaped.find(np.frombuffer(data, np.uint8), [(0, len(data))])
        (start,), (end,) = starts.tolist(), ends.tolist()
        assert escaped.read(data[start:end]) == SIGNED.seed


def test_it_stands_behind_any_number_of_addresses() -> None:
    """The escapes of two thousand addresses had been all that were looked at in a piece."""
    address = b'{"a":"https:\\/\\/example.org\\/a\\/b"},'
    line = WRITERS["PHP"]({"seed": text(SIGNED.seed)}).encode()
    data = address * 6000 + line + address * 6000
    starts, ends = escaped.find(np.frombuffer(data, np.uint8), [(0, len(data))])
    (start,), (end,) = starts.tolist(), ends.tolist()
    assert escaped.read(data[start:end]) == SIGNED.seed


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
def test_it_stands_at_the_seams_of_pieces(codec: str) -> None:
    """Its escapes are the last bytes of one and the first of the next."""
    line = WRITERS["PHP"]({"seed": text(SIGNED.seed)}).encode(codec)
    for shift in range(-len(line) - 2, 3):
        lead = b"\xee" * ((1 << 18) + shift)
        data = np.frombuffer(lead + line + bytes(16), np.uint8)
        starts, ends = escaped.find(data, [(0, len(data))])
        (start,), (end,) = starts.tolist(), ends.tolist()
        assert escaped.read(data[start:end].tobytes()) == SIGNED.seed


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("writer", WRITERS)
def test_keys_are_proved(tmp_path: Path, writer: str, codec: str) -> None:
    """An RSA key by its own numbers, a seed by its public half, which is written so, too."""
    names = ("Modulus", "D", "P", "Q")
    numbers = (RSA.n, RSA.d, RSA.p, RSA.q)
    fields = {
        name: text(number.to_bytes((number.bit_length() + 7) // 8))
        for name, number in zip(names, numbers, strict=True)
    }
    parts = (fields, {"public": text(SIGNED.public)}, {"seed": text(SIGNED.seed)})
    data = b"".join(WRITERS[writer](part).encode(codec) + bytes(40) for part in parts)
    found = scanned(tmp_path, bytes(64) + data).candidates
    for key in (RSA, SIGNED):
        assert private(found, key.spki_sha256)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"https:\\/\\/example.org\\/a\\/b\\/c\\/d\\/e\\/f\\/g\\/hhhhhhhhhhhhhhhhhhhhhhhhhhhhh"}',
        b'"' + b"A\\/" * 22 + b'"',
        b'"' + b"\\u002B" * 44 + b'"',
        b'"' + base64.b64encode(EC.d.to_bytes(32)).replace(b"/", b"x") + b'"\\/',
        b"\\/" * 100,
        b"\\",
        b"",
        noise.uniform(1 << 16, 3),
    ],
)
def test_what_is_none(data: bytes) -> None:
    """Addresses, texts that are not mixed, those without an escape, noise, and next to nothing."""
    starts, _ = escaped.find(np.frombuffer(data, np.uint8), [(0, len(data))])
    assert not len(starts)
