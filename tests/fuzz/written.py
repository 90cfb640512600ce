"""Targets of the sweep's own: numbers written as words, as lists, and with a byte in each word.

What is found lies within what was looked at, however that is cut; and what is read of it is a
number's bytes.
"""

import base64
import json
import zlib
from collections.abc import Iterable

import numpy as np

from fixtures import keys as recipes
from fixtures import noise
from scanner.detect.encodings import listed
from scanner.detect.integers import apart, bare_numbers, number_words
from scanner.dump import space
from scanner.model import Layout
from tests.fuzz import mutators
from tests.fuzz.files import file_of
from tests.fuzz.target import Target

ED = recipes.okp_key("ed25519")
PAIR = ED.seed + ED.private_key.public_key().public_bytes_raw()

_SIGNS = (
    b",",
    b", ",
    b":",
    b"-",
    b"\\x",
    b"%",
    b"0x",
    b'"',
    b"[",
    b"\0",
    b"\n",
    b"255",
    b"ff",
    b"\\/",
)


def _spelled() -> list[str]:
    return [
        str(list(PAIR)),
        str([byte - (byte >> 7 << 8) for byte in ED.seed]),
        json.dumps(dict(enumerate(PAIR)), separators=(",", ":")),
        json.dumps({"data": list(PAIR)}, indent=2),
        ED.seed.hex(":"),
        ED.seed.hex("-").upper(),
        ", ".join(f"{byte:#x}" for byte in PAIR),
        repr(PAIR),
        "".join(f"%{byte:02X}" for byte in ED.seed),
        base64.b64encode(ED.seed.hex().encode()).decode(),
        base64.b64encode(PAIR).decode(),
        str(int.from_bytes(ED.seed)),
        json.dumps(base64.b64encode(PAIR).decode().replace("/", "\\/")),
        json.dumps(base64.b64encode(PAIR).decode()).replace("+", "\\u002B"),
    ]


def _seeds() -> Iterable[bytes]:
    """Write a key's halves in each spelling, in one byte a character or two, in text."""
    for index, text in enumerate(_spelled()):
        for codec in ("ascii", "utf-16-le"):
            yield noise.text(40 + index, index) + b"[" + text.encode(codec) + b"]" + bytes(9)
    yield bytes(40) + b"".join(byte.to_bytes(8, "little") for byte in PAIR) + bytes(40)


def _words(data: bytes) -> None:
    buffer = np.frombuffer(data, np.uint8)
    layout = Layout(format="raw", byte_order="little", pointer_size=8, regions=())
    space_map, _ = space.build(layout, len(data))
    memory = space.Memory(space_map, file_of(data))
    low = zlib.crc32(data) % (len(data) + 1) & -8
    for owned in ((0, len(data)), (low, len(data)), (0, low)):
        where = np.array([owned[0]]), np.array([owned[1]])
        starts, ends = number_words.find(buffer, *where, [owned])
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            assert owned[0] <= start < owned[1]
            assert start < end
            row = apart.read(data[start:end])
            assert row is None or row[1]
            text = bare_numbers.read(memory, 0, start, end - start)
            assert text is None or len(text.raw) in {*bare_numbers.SIZES, 65, 129}


def _listed(data: bytes) -> None:
    for row in listed.find(np.frombuffer(data, np.uint8)):
        spans = row.spans()
        assert len(spans) == len(row.data) >= listed.FEWEST
        assert all(0 <= first < last <= len(data) for first, last in spans)


TARGETS = (
    Target(
        name="number-words",
        covers=(
            "detect.integers.number_words",
            "detect.integers.bare_numbers",
            "detect.integers.listings",
            "detect.integers.escaped",
            "detect.integers.spaced",
        ),
        run=_words,
        seeds=_seeds,
        mutate=(mutators.literal(_SIGNS), mutators.elsewhere),
        longest=4096,
    ),
    Target(
        name="listed",
        covers=("detect.encodings.listed",),
        run=_listed,
        seeds=_seeds,
        mutate=(mutators.literal(_SIGNS), mutators.elsewhere),
        longest=4096,
    ),
)
