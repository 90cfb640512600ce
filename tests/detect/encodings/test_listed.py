"""Bytes that a text lists: printed by anything, read back here, and traced in either order."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures import encodings, keys, noise
from scanner import rules
from scanner.detect.encodings import listed
from scanner.engine.scanning import ScanRequest, scan
from scanner.progress import Silence

SIZE = 1 << 15
KEY = keys.rsa_key(2048)
RAW = noise.uniform(256, 3)

LISTS: dict[str, Callable[[bytes], str]] = {
    "C": lambda raw: ", ".join(f"0x{byte:02x}" for byte in raw),
    "xxd -i": lambda raw: ",\n  ".join(f"0x{byte:x}" for byte in raw),
    "settings": lambda raw: ",".join(f"0x{byte:02X}" for byte in raw),
    "Python": lambda raw: str([*raw])[1:-1],
    "Go": lambda raw: " ".join(map(str, raw)),
    "JSON": lambda raw: json.dumps([*raw], separators=(",", ":"))[1:-1],
    "JSON, indented": lambda raw: json.dumps([*raw], indent=8)[2:-2].strip(),
    "Java": lambda raw: str([byte - 256 if byte > 127 else byte for byte in raw])[1:-1],
    "JavaScript": lambda raw: json.dumps(dict(enumerate(raw)), separators=(",", ":"))[1:-1],
    "colons": lambda raw: raw.hex(":"),
    "spaces": lambda raw: raw.hex(" "),
    ".NET": lambda raw: raw.hex("-").upper(),
    "escapes": lambda raw: repr(raw)[2:-1],
    "octal": lambda raw: "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"\\\"'" else f"\\{byte:03o}" for byte in raw
    ),
}


@pytest.mark.parametrize(
    ("characters", "at"), [("latin-1", 64), ("utf-16-le", 64), ("utf-16-le", 65)]
)
@pytest.mark.parametrize("form", LISTS)
def test_a_row_is_read_back(form: str, characters: str, at: int) -> None:
    """With its place, from its first character to its last."""
    text = LISTS[form](RAW).encode(characters)
    around = [part.encode(characters) for part in ("x = [", "]\n")]
    data = text.join((noise.zeros(at) + around[0], around[1] + noise.uniform(SIZE, 5)))
    (row,) = (row for row in listed.find(np.frombuffer(data, np.uint8)) if RAW in row.data)
    first = row.data.index(RAW)
    spans = row.spans()[first : first + len(RAW)]
    assert data[spans[0][0] : spans[-1][1]] == text


def test_a_string_that_ends_in_an_escape() -> None:
    """Found by fuzzing: the place of a group that was given up had been lost."""
    raw = b"\\xb9\\xed0\\xaa\\xbb\\255x9eV\\x83xdyW\\\\x91\\"
    (row, *_) = listed.find(np.frombuffer(raw, np.uint8))
    assert row.data == b"\xb9\xed0\xaa\xbb\xadx9eV\x83xdyW\\x91"


def test_what_is_no_row() -> None:
    """Words, tables of large numbers, a few numbers, random bytes."""
    rows = [
        b"a bad cab faced a deed, be it abed or a facade, and ceded a decade " * 9,
        b"1172 4096 65536 10242 " * 99,
        b", ".join(b"%d" % byte for byte in RAW[: listed.FEWEST - 1]),
        noise.uniform(SIZE, 5),
    ]
    for raw in rows:
        assert not [*listed.find(np.frombuffer(raw + b"\n" * 128, np.uint8))]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("form", ["settings", "Go", "escapes"])
def test_each_copy_is_traced(tmp_path: Path, form: str, order: int) -> None:
    """So that a redacted copy holds none: whole ones, and what is left of one."""
    d, q = KEY.d.to_bytes(256, "big")[::order], KEY.q.to_bytes(128, "big")[::order]
    whole, part = LISTS[form](d).encode(), LISTS[form](q[9:99]).encode()
    data = noise.plant(noise.pointers(SIZE, 3), 4096, encodings.pkcs1_der(KEY))
    data = noise.plant(data, 9001, b"d=" + whole + b";")
    data = noise.plant(data, 16001, b"q=" + part + b";")
    path = tmp_path / "dump"
    path.write_bytes(data)
    found = scan(
        ScanRequest(path=str(path), in_process=True, rules=rules.load(), deep=True), Silence()
    )
    places = {
        (one.place.offset, one.place.size): one.encoding
        for one in found.sightings
        if listed.FORM in one.encoding
    }
    assert places == {(9003, len(whole)): "d listed", (16003, len(part)): "q listed (part)"}
