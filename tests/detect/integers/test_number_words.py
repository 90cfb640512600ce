"""What the sweep sees of numbers that are written as words: wherever they begin, and few others."""

import base64
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fixtures import noise
from scanner.detect.integers import bare_numbers, number_words
from scanner.dump import source, space
from scanner.dump.space import Memory
from scanner.model import Layout, Place
from tests.detect.integers.test_bare_numbers import SPELLINGS, bytewise, url


def found_in(data: bytes) -> list[tuple[int, int]]:
    """Return where stage one sees texts in a buffer: start and end."""
    buffer = np.frombuffer(data + bytes(-len(data) % 8), np.uint8)
    whole = np.array([0]), np.array([len(data)])
    starts, ends = number_words.find(buffer, *whole, [(0, len(buffer))])
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def test_a_word_of_small_letters_alone() -> None:
    """One text in 750 has only such where it is looked at first."""
    text = url(noise.uniform(66, 7))
    for at in range(len(text) - 8):
        plain = text[:at] + b"abcdefgh" + text[at + 8 :]
        assert found_in(bytes(64) + plain + bytes(64)) == [(64, 64 + len(plain))]


@pytest.mark.parametrize("size", [32, 48, 128, 256, 512])
def test_decimal_digits_as_bytes(size: int) -> None:
    """Seen in GNU bc: behind an allocator's header, which may hold a digit too, and its zeros."""
    digits = bytewise(noise.uniform(size, 7)[:-1] + b"\x7f")
    for at in range(8):
        header = b"\x41\1" + bytes(6 + at)
        data = noise.uniform(64) + header + digits + bytes(5) + b"\x31\0\0\0\0\0\0\0" * 4
        assert (72 + at, 72 + at + len(digits)) in found_in(data)


@pytest.mark.parametrize(
    "table", [b"\t" * 78, b"\1\2\1\3" * 19 + b"\1\2", bytes(range(1, 9)) * 9 + b"\1\2\3"]
)
def test_tables_of_small_numbers_are_no_digits(table: bytes) -> None:
    """As long as a number, and not as mixed."""
    assert found_in(b"\xff" * 64 + table + b"\xff" * 64) == []


def test_a_long_text_is_no_crowd() -> None:
    """Seen in Ruby: the modulus among thousands of paths, ten words of one row."""
    path = b"/usr/lib/Ruby/gems/3.1.0/Some-Gem-1.2.3/lib/Some.rb" + bytes(13)
    text = url(noise.uniform(256, 7))
    data = path * 32 * 400 + bytes(2048) + text + bytes(2048) + path * 32 * 100
    at = len(path) * 32 * 400 + 2048
    assert (at, at + len(text)) in found_in(data)


@settings(max_examples=30)
@given(
    st.sampled_from(bare_numbers.SIZES),
    st.sampled_from(["base64url", "hex", "base64url, two bytes a character"]),
    st.integers(0, 200),
    st.integers(0, 1 << 16),
)
def test_texts_are_seen_at_any_address(size: int, spelling: str, at: int, seed: int) -> None:
    """Each length and width, wherever a text begins."""
    text = SPELLINGS[spelling](noise.uniform(size, seed))
    assume(any(byte in b"0123456789" for byte in text[:43]))  # one in 1500 has none there
    data = noise.uniform(64, seed) + bytes(at + 2) + text + bytes(100)
    assert (64 + at + 2, 64 + at + 2 + len(text)) in found_in(data)


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize(
    ("before", "behind"),
    [(b"/keys/", b"/core"), (b"a+", b"+b"), (b"", b"/core"), (b"/", b""), (b"key-", b"_1")],
)
def test_hex_in_a_longer_text(before: bytes, behind: bytes, width: int) -> None:
    """Signs that base64 has part it from the rest; letters do not."""
    for size in (32, 48, 66):
        raw = noise.uniform(size, size)
        for at in range(40):
            text = before + raw.hex().encode() + behind
            data = bytes(64 + at * 2) + text.decode().encode(WIDTHS[width]) + bytes(64)
            first = 64 + at * 2 + len(before) * width
            assert (first, first + 2 * size * width) in found_in(data)
    for other in (b"xy" + raw.hex().encode() + b"/", b"/" + raw.hex().encode() + b"xy"):
        assert found_in(bytes(64) + other + bytes(64)) == []


WIDTHS = {1: "ascii", 2: "utf-16-le"}


@pytest.mark.parametrize("seen", [40, 50, 600])
def test_a_text_that_a_window_cuts(tmp_path: Path, seen: int) -> None:
    """It belongs to the window in which it begins, and is read whole."""
    raw = noise.uniform(512, 4)
    text = url(raw)
    data = bytes(4096 - seen) + text
    assert found_in(data[:4096]) == [(4096 - seen, 4096 - seen + bare_numbers.LONGEST)]
    (tmp_path / "file").write_bytes(data)
    made, _ = space.build(Layout(format="raw"), len(data))
    with source.open_file(str(tmp_path / "file")) as file:
        memory = Memory(made, file)
        place = Place(space=0, offset=4096 - seen, size=len(text))
        assert bare_numbers.number(memory, place) == raw
        assert bare_numbers.number(memory, Place(space=0, offset=10, size=64)) == bytes(64)


@pytest.mark.parametrize("data", [noise.text(1 << 16, 1), noise.uniform(1 << 16, 2), b"ab" * 9999])
def test_ordinary_bytes_hold_none(data: bytes) -> None:
    """Words, random bytes and rows without an end."""
    assert not found_in(data)


@pytest.mark.parametrize(
    ("size", "count"), [(100_000, 1), (4096, 20), (2052, 40), (900, 200), (64, 1500)]
)
@pytest.mark.parametrize("spelling", ["base64", "hex", "decimal"])
def test_long_words_hide_no_short_one(spelling: str, size: int, count: int) -> None:
    """Seen in a Python process with the URL of an image, which is one word of 130,000 letters."""
    lone = noise.uniform(32, 5).hex().encode()
    letters = {
        "base64": base64.b64encode(noise.uniform(size, 6)),
        "hex": noise.uniform(size, 6).hex().encode(),
        "decimal": noise.uniform(size, 6)
        .hex()
        .translate(str.maketrans("abcdef", "012345"))
        .encode(),
    }[spelling][:size]
    data = bytes(500) + lone + bytes(500) + (letters + b"\0") * count + lone + bytes(500)
    found = found_in(data)
    last = len(data) - 500 - len(lone)
    assert {(500, 500 + len(lone)), (last, last + len(lone))} <= set(found)
    assert size <= bare_numbers.LONGEST or len(found) == 2


def test_the_numbers_of_a_key_are_seen_among_digests_that_stand_apart() -> None:
    """Seen in a log with a digest every 2 KiB: eight numbers together are the greater crowd."""
    digest = noise.uniform(32, 3).hex().encode()
    line = noise.text(2048 - len(digest), 4)
    numbers = b'", "'.join(url(noise.uniform(256, seed)) for seed in range(5))
    data = (line + digest) * 900 + b' "' + numbers + b'" ' + (line + digest) * 900
    at = data.index(numbers)
    assert {start for start, _ in found_in(data)} >= {at, at + 346, at + 4 * 346}
