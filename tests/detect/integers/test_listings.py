"""Lists of numbers: told in each spelling, wherever one begins, and nothing else is."""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures import keys, noise
from scanner.detect.encodings import listed
from scanner.detect.integers import listings
from tests.detect.integers.scans import private, scanned

P256, P521, ED = keys.ec_key("P-256"), keys.ec_key("P-521"), keys.okp_key("ed25519")
ED_PUBLIC = ED.private_key.public_key().public_bytes_raw()
SIZE = 1 << 14


def node(raw: bytes) -> str:
    """Return what Node.js prints of a Uint8Array."""
    rows = [", ".join(f"{byte:3d}" for byte in raw[at : at + 12]) for at in range(0, len(raw), 12)]
    return f"Uint8Array({len(raw)}) [\n  " + ",\n  ".join(rows) + "\n]"


def members(raw: bytes) -> dict[str, int]:
    """Return what JavaScript makes of a typed array that it takes for an object."""
    return {str(index): byte for index, byte in enumerate(raw)}


LISTS: dict[str, Callable[[bytes], str]] = {
    "id.json of Solana": lambda raw: json.dumps(list(raw), separators=(",", ":")),
    "Python": lambda raw: str(list(raw)),
    "Go": lambda raw: f"[{' '.join(map(str, raw))}]",
    "Java": lambda raw: str([byte - (byte >> 7 << 8) for byte in raw]),
    "Erlang": lambda raw: f"<<{','.join(map(str, raw))}>>",
    "Buffer": lambda raw: json.dumps({"type": "Buffer", "data": list(raw)}),
    "PowerShell": lambda raw: f"D : {' '.join(map(str, raw))}\r\nDP : ",
    "named": lambda raw: f"Key: {', '.join(map(str, raw))}\nEnd ",
    "indented": lambda raw: json.dumps({"key": {"data": list(raw)}}, indent=2),
    "typed array": lambda raw: json.dumps(members(raw), separators=(",", ":")),
    "typed array, indented": lambda raw: json.dumps(members(raw), indent=2),
    "Node.js": node,
    "Buffer of Node.js": lambda raw: f"<Buffer {raw.hex(' ')}>",
    "OpenSSL": lambda raw: f"{{{textwrap.fill(raw.hex(':'), 45)}}}",
    "BitConverter": lambda raw: f'"{raw.hex("-").upper()}"',
    "C": lambda raw: "{" + ", ".join(f"0x{byte:02x}" for byte in raw) + "}",
    "C, with as few digits": lambda raw: "{" + ",".join(f"{byte:#x}" for byte in raw) + "}",
    "escapes": lambda raw: '"' + "".join(f"\\x{byte:02x}" for byte in raw) + '"',
    "beside words": lambda raw: f"[a fade, seed {raw.hex(' ')} faced]",
    "URL": lambda raw: "=" + "".join(f"%{byte:02X}" for byte in raw) + "&",
}


def find(data: bytes) -> list[tuple[int, int]]:
    """Return start and end of what may be lists."""
    starts, ends = listings.find(np.frombuffer(data, np.uint8), [(0, len(data))])
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@pytest.mark.parametrize(
    ("spelling", "encoding"),
    [*((name, "ascii") for name in LISTS), ("Java", "utf-16-le"), ("typed array", "utf-16-le")],
)
def test_seed_and_public_key_in_one_list(tmp_path: Path, spelling: str, encoding: str) -> None:
    """As Solana's tools and TweetNaCl have them: nothing else of the key stands there."""
    text = LISTS[spelling](ED.seed + ED_PUBLIC).encode(encoding)
    data = noise.plant(noise.text(SIZE), 5000, text)
    found = private(scanned(tmp_path, data).candidates, ED.spki_sha256)
    (listing,) = [one for one in found if one.encoding == f"seed {listed.FORM}"]
    assert listing.proof
    assert 5000 <= listing.places[0].offset < 5000 + len(text) - listing.places[0].size


@pytest.mark.parametrize("spelling", ["id.json of Solana", "typed array", "BitConverter"])
@pytest.mark.parametrize(("key", "size"), [(P256, 32), (P521, 66), (P521, 65)])
def test_a_scalar_and_its_point(tmp_path: Path, spelling: str, key: keys.EcKey, size: int) -> None:
    """The point behind the byte of its kind; a scalar on P-521 without the zero it begins with."""
    spelled, width = LISTS[spelling], 32 if key is P256 else 66
    point = b"\4" + key.x.to_bytes(width) + key.y.to_bytes(width)
    data = noise.plant(noise.text(SIZE), 3001, spelled(key.d.to_bytes(size)).encode())
    data = noise.plant(data, 9002, spelled(point).encode())
    assert private(scanned(tmp_path, data).candidates, key.spki_sha256)


def test_a_modulus_and_its_exponent(tmp_path: Path) -> None:
    """Seen in xrdp, whose file of keys has them so, the last byte first."""
    key = keys.rsa_key(2048)
    rows = (
        f"{name}=" + ",".join(f"0x{byte:02x}" for byte in number.to_bytes(256, "little"))
        for name, number in (("pub_mod", key.n), ("pri_exp", key.d))
    )
    data = noise.plant(noise.text(SIZE), 5001, "\n".join((*rows, "[end]")).encode())
    (found,) = private(scanned(tmp_path, data).candidates, key.spki_sha256)
    assert found.encoding.endswith(listed.FORM)


@pytest.mark.parametrize("spelling", LISTS)
def test_a_list_is_told_wherever_it_begins(spelling: str) -> None:
    """At each byte: one word in four is looked at."""
    for at, size in [*((at, 32) for at in range(64, 96)), (64, 64), (64, 256)]:
        raw = noise.uniform(size, at)
        text = LISTS[spelling](raw)
        for encoding, width in (("ascii", 1), ("utf-16-le", 2)):
            place = at - at % width
            data = noise.plant(noise.text(SIZE), place, text.encode(encoding))
            data = noise.plant(data, place - 2, b"[\0")
            read = [listings.read(data[first:last]) for first, last in find(data)]
            assert read == [raw]


@pytest.mark.parametrize(
    "text",
    [
        ",".join(map(str, noise.uniform(31, 3))),
        ",".join(map(str, noise.uniform(40, 3))),
        ",".join(map(str, noise.uniform(3000, 3))),
        ",".join(str(300 + byte) for byte in noise.uniform(32, 3)),
        ",".join(["1", "22", "255", "0"] * 8),
        "2026-11-25 10:22:33 " * 16,
    ],
    ids=["short", "no size", "long", "no bytes", "few values", "dates"],
)
def test_what_is_no_such_list(text: str) -> None:
    """Other counts, other values, and what is longer than any number."""
    data = noise.plant(noise.text(SIZE), 4096, f"[{text}]".encode())
    assert not [one for one in find(data) if listings.read(data[one[0] : one[1]]) is not None]
