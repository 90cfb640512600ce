"""Bytes that stand one to a word: told in each kind of array, and nothing else is."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures import encodings, keys, noise
from scanner.detect.integers import spaced
from tests.detect.integers.scans import private, scanned

P256, ED = keys.ec_key("P-256"), keys.okp_key("ed25519")
ED_PUBLIC = ED.private_key.public_key().public_bytes_raw()
SIZE = 1 << 14


def cells(kind: str, value: Callable[[int], int], behind: bytes = b"") -> Callable[[bytes], bytes]:
    """Return what lays bytes down as such words."""
    return lambda raw: b"".join(struct.pack(kind, value(byte)) + behind for byte in raw)


ARRAYS: dict[str, Callable[[bytes], bytes]] = {
    "int[]": cells("<I", lambda byte: byte),
    "V8, compressed pointers": cells("<I", lambda byte: byte << 1),
    "V8": cells("<Q", lambda byte: byte << 32),
    "long[]": cells("<Q", lambda byte: byte),
    "Ruby, OCaml": cells("<Q", lambda byte: byte << 1 | 1),
    "Guile, Emacs": cells("<Q", lambda byte: byte << 2 | 2),
    "Chez Scheme": cells("<Q", lambda byte: byte << 3),
    "JavaScriptCore": cells("<Q", lambda byte: 0xFFFE << 48 | byte),
    "SpiderMonkey": cells("<Q", lambda byte: 0xFFF88 << 44 | byte),
    "PHP": cells("<Q", lambda byte: byte, struct.pack("<Q", 4)),
    "Lua": cells("<Q", lambda byte: byte, b"\3" + bytes(range(7, 14))),
    "Erlang": cells("<Q", lambda byte: byte << 4 | 15, struct.pack("<Q", 0x7F30_1122_3341)),
}


@pytest.mark.parametrize("array", ARRAYS)
def test_both_halves_of_a_key_in_arrays(tmp_path: Path, array: str) -> None:
    """Seen in elliptic (Node.js), Ruby, PHP and Lua: nothing else of the key stands there."""
    spelled = ARRAYS[array]
    data = noise.plant(noise.pointers(SIZE, 3), 4096, spelled(ED.seed))
    data = noise.plant(data, 9008, spelled(ED_PUBLIC))
    (found,) = private(scanned(tmp_path, data).candidates, ED.spki_sha256)
    assert (found.places[0].offset, found.places[0].size) == (4096, len(spelled(ED.seed)))
    assert found.encoding == f"seed {spaced.FORM}"
    assert found.proof


def test_a_scalar_whose_point_stands_behind_its_kind(tmp_path: Path) -> None:
    """As elliptic has its encoded points; the array's length stands before it, as a small one."""
    spelled = ARRAYS["V8"]
    scalar, point = (P256.d.to_bytes(32), b"\4" + P256.x.to_bytes(32) + P256.y.to_bytes(32))
    data = noise.plant(noise.pointers(SIZE, 3), 4096, spelled(bytes([32]) + scalar))
    data = noise.plant(data, 9008, spelled(bytes([65]) + point))
    (found,) = private(scanned(tmp_path, data).candidates, P256.spki_sha256)
    assert (found.places[0].offset, found.places[0].size) == (4096 + 8, 256)


@pytest.mark.parametrize("spelled", [ARRAYS["V8"], lambda raw: encodings.utf16(raw.hex())])
def test_half_of_a_number_takes_more_room_than_the_whole(
    tmp_path: Path, spelled: Callable[[bytes], bytes]
) -> None:
    """Seen in elliptic, which checked a signature: R || s as bytes, s and R in arrays."""
    whole = noise.uniform(64, 9)
    data = noise.plant(noise.pointers(SIZE, 3), 4096, whole)
    data = noise.plant(data, 6808, bytes(8) + spelled(whole[:32]) + bytes(8))
    data = noise.plant(data, 9008, bytes(8) + spelled(whole[32:]) + bytes(8))
    found = scanned(tmp_path, data)
    assert not found.candidates
    assert not found.coverage.faults


@pytest.mark.parametrize("array", ["V8", "PHP"])
def test_each_copy_is_traced(tmp_path: Path, array: str) -> None:
    """So that a dump can be redacted: in other arrays too, and with the public half behind it."""
    spelled = ARRAYS[array]
    places = {4096: spelled(ED.seed), 6800: ARRAYS["int[]"](ED.seed), 9008: spelled(ED.seed)}
    data = noise.pointers(SIZE, 3)
    for at, raw in places.items():
        data = noise.plant(data, at, raw)
    data = noise.plant(data, 9008 + len(places[9008]), spelled(ED_PUBLIC))
    found = scanned(tmp_path, data, deep=True)
    sightings = {(one.place.offset, one.place.size) for one in found.sightings}
    assert sightings == {(at, len(raw)) for at, raw in places.items()}


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("fill", [noise.zeros, lambda size: noise.uniform(size, 5)])
def test_a_row_is_told_wherever_it_begins(array: str, fill: Callable[[int], bytes]) -> None:
    """Between zeros and between random words, at each word: one in seven is looked at."""
    for word in range(64, 64 + 2 * 7):
        for size in (32, 64):
            raw = ARRAYS[array](noise.uniform(size, word))
            data = np.frombuffer(noise.plant(fill(SIZE), 8 * word, raw), np.uint8)
            starts, ends = spaced.find(data, [(0, SIZE)])
            found = set(zip(starts.tolist(), ends.tolist(), strict=True))
            assert (8 * word, 8 * word + len(raw)) in found
            assert spaced.read(raw) == noise.uniform(size, word)


@pytest.mark.parametrize("word", range(7))
def test_a_row_at_the_beginning_of_what_is_filled(word: int) -> None:
    """The first word that is looked at may be any."""
    raw = ARRAYS["PHP"](noise.uniform(64, 3))
    data = np.frombuffer(noise.plant(noise.uniform(SIZE, 5), 8 * word, raw), np.uint8)
    starts, ends = spaced.find(data, [(8 * word, SIZE)])
    assert (8 * word, 8 * word + len(raw)) in zip(starts.tolist(), ends.tolist(), strict=True)


@pytest.mark.parametrize("size", range(0, 48, 8))
def test_a_few_words(size: int) -> None:
    """Found by fuzzing: less than there is from a word to what it is compared with."""
    assert not len(spaced.find(np.frombuffer(noise.uniform(48, 1), np.uint8), [(0, size)])[0])


@pytest.mark.parametrize(
    "row",
    [
        [*range(0x7F3011223000, 0x7F3011224000, 16)],
        [*b"what has seven bits alone is text, and is none" * 2],
        [7] * 300,
        [*range(1 << 9)],
        [*noise.uniform(1000, 3)],
    ],
    ids=["pointers", "text", "one value", "a count", "a long row"],
)
def test_what_is_no_such_row(row: list[int]) -> None:
    """Addresses, text, small numbers that do not vary, and what is longer than any number."""
    raw = noise.zeros(512) + b"".join(value.to_bytes(8, "little") for value in row)
    data = np.frombuffer(raw + noise.zeros(8192), np.uint8)
    assert not len(spaced.find(data, [(0, len(data))])[0])
