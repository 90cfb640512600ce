"""Texts behind a byte that counts them, or an escape of what stands before: found as they are."""

import itertools
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from fixtures import encodings, noise
from scanner.detect.integers import bare_numbers, leads
from tests.detect.integers.scans import private
from tests.detect.integers.test_bare_numbers import HALVES, scanned, url
from tests.detect.integers.test_number_words import found_in
from tests.detect.one_space import Bytes

SIZE = 1 << 14


def counted(text: bytes, head: bytes = b"") -> bytes:
    """Put one byte before a text that counts it, or two where it is longer."""
    return head + len(text).to_bytes(1 + (len(text) > 255), "big") + text


SERIALIZED: dict[str, Callable[[bytes, bytes], bytes]] = {
    "MessagePack": lambda *halves: b"\x82" + b"".join(counted(h, b"\xa1d\xd9") for h in halves),
    "Java": lambda *halves: b"".join(struct.pack(">BH", 0x74, len(h)) + h for h in halves),
    "pickle": lambda *halves: pickle.dumps([half.decode() for half in halves], 4),
    "MySQL": lambda *halves: b"\x59\0\0\3" + b"\xfb".join(map(counted, halves)) + b"\7\0\0\4",
    "CBOR": lambda *halves: b"\x82" + b"\xff".join(counted(h, b"\x78") for h in halves) + b"\xff",
    "JSON within JSON (.NET)": lambda *halves: (
        json.dumps([h.decode() for h in halves]).replace('"', "\\u0022").encode()
    ),
    "JSON within a URL": lambda *halves: quote(json.dumps([h.decode() for h in halves])).encode(),
}
"""How a list of two texts is laid down."""


WIDTHS = [
    *((form, 1) for form in SERIALIZED),
    *((form, 2) for form in SERIALIZED if "JSON" in form),
]
SHORT = ("P-256", "Ed25519", "X25519")
"""Keys whose halves are equally long."""


@pytest.mark.parametrize(
    ("form", "width", "kind"),
    [
        *((*form, "P-521") for form in WIDTHS),
        *((*form, kind) for form, kind in zip(WIDTHS, itertools.cycle(SHORT), strict=False)),
    ],
)
def test_both_halves_serialized(tmp_path: Path, kind: str, form: str, width: int) -> None:
    """Neither the count of a text nor an escape is a part of it, of either length in each form."""
    secret, public, spki = HALVES[kind]
    raw = SERIALIZED[form](url(secret), url(public))
    raw = encodings.utf16(raw.decode()) if width == 2 else raw
    data = noise.plant(noise.text(SIZE, 3), 5001, bytes(8) + raw + bytes(8))
    (found,) = private(scanned(tmp_path, data), spki)
    place = found.places[0]
    assert data[place.offset : place.offset + place.size : width] == url(secret)


@pytest.mark.parametrize("size", [32, 57, 64, 66, 128, 256])
@pytest.mark.parametrize("pad", [b"", b"="])
def test_a_count_of_any_size(size: int, pad: bytes) -> None:
    """With what fills the last four characters up, or without."""
    text = url(noise.uniform(size, 4))
    text += pad * (-len(text) % 4)
    data = bytes(64) + counted(text) + bytes(64)
    at = data.index(text)
    assert (at, at + len(text.rstrip(b"="))) in found_in(data)
    read = bare_numbers.read(Bytes(data), 0, at, len(text))
    assert read is not None
    assert read.raw == noise.uniform(size, 4)


@pytest.mark.parametrize("before", [b"", b"+", b"x+", b"%22", b"%41", b"\\u0022", b"\\u0041"])
def test_a_sign_before_another_text(before: bytes) -> None:
    """A sign is a part of what follows where it neither counts it nor ends an escape."""
    for size in (43, 44, 64):
        text = noise.text(200, 9).translate(None, b" .,\n")[:size]
        data = np.frombuffer(bytes(9) + before + text + bytes(9), np.uint8)
        lead = before.lstrip(b"%\\")
        start, count = np.array([9 + len(before) - len(lead)]), np.array([len(lead) + size])
        found = leads.without(data, start, count, 1, np.ones(100, np.uint8))
        counts = size == ord("+") and before in (b"+", b"x+")
        assert (found[1].tolist() == [size]) is (counts or before in (b"%22", b"\\u0022"))
