"""Readings: every spelling of a number reads back, and what is no digit is told apart."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings
from scanner.detect.integers import readings
from scanner.detect.integers.readings import Reading


def smis(number: int, digit: int) -> bytes:
    """Spell digits as V8 keeps small integers: in the upper halves of words."""
    low = encodings.digits(number, digit, 4)
    return b"".join(bytes(4) + low[at : at + 4] for at in range(0, len(low), 4))


def compressed_smis(number: int, digit: int) -> bytes:
    """Spell digits as V8 keeps small integers with compressed pointers: one bit up."""
    low = encodings.digits(number, digit, 4)
    return struct.pack(
        f"<{len(low) // 4}I", *(2 * word for word in struct.unpack(f"<{len(low) // 4}I", low))
    )


def cells(number: int, digit: int, word: int, tag: bytes) -> bytes:
    """Spell digits as languages keep values that say of which kind they are."""
    low = encodings.digits(number, digit, word)
    return b"".join(low[at : at + word] + tag for at in range(0, len(low), word))


def doubles(number: int, digit: int) -> bytes:
    """Spell digits as languages do that know floating-point numbers alone."""
    low = struct.iter_unpack("<I", encodings.digits(number, digit, 4))
    return b"".join(struct.pack("<d8x", word) for (word,) in low)


def swapped(raw: bytes, word: int) -> bytes:
    """Turn the bytes of every word around."""
    return b"".join(raw[at : at + word][::-1] for at in range(0, len(raw), word))


SPELLED = {
    "limbs-le": encodings.little_limbs,
    "bytes-be": encodings.big_endian,
    "java-words": encodings.java_words,
    "digits-30": encodings.digits30,
    "digits-60": encodings.digits60,
    "digits-28": encodings.digits28,
    "digits-62": lambda number: encodings.digits(number, 62, 8),
    "digits-63": lambda number: encodings.digits(number, 63, 8),
    "digits-31": lambda number: encodings.digits(number, 31, 4),
    "smi64-28": lambda number: smis(number, 28),
    "smi64-26": lambda number: smis(number, 26),
    "smi32-28": lambda number: compressed_smis(number, 28),
    "smi32-26": lambda number: compressed_smis(number, 26),
    "moz-28": lambda number: cells(number, 28, 4, bytes.fromhex("0080f8ff")),
    "moz-26": lambda number: cells(number, 26, 4, bytes.fromhex("0080f8ff")),
    "jsc-28": lambda number: cells(number, 28, 4, bytes.fromhex("0000feff")),
    "jsc-26": lambda number: cells(number, 26, 4, bytes.fromhex("0000feff")),
    "zval-31": lambda number: cells(number, 31, 8, b"\x04" + bytes(7)),
    "zval-26": lambda number: cells(number, 26, 8, b"\x04" + bytes(7)),
    "cells-28": lambda number: cells(number, 28, 8, bytes(8)),
    "cells-26": lambda number: cells(number, 26, 8, bytes(8)),
    "cells-24": lambda number: cells(number, 24, 8, bytes(8)),
    "cells-32": lambda number: cells(number, 32, 8, bytes(8)),
    "doubles-28": lambda number: doubles(number, 28),
    "doubles-26": lambda number: doubles(number, 26),
    "limbs-be64": lambda number: encodings.big_limbs(number, limb=8),
    "limbs-be32": lambda number: encodings.big_limbs(number, limb=4),
}
"""Every reading in the words of the fixtures; on a big-endian machine, digits are swapped."""

TABLES = [(order, reading) for order in ("little", "big") for reading in readings.table(order)]


def spelled(reading: Reading, number: int) -> bytes:
    """Spell a number without the help of what is tested."""
    raw = SPELLED[reading.name](number)
    whole = reading.swapped and not reading.name.startswith("limbs")
    return swapped(raw, reading.word) if whole else raw


@pytest.mark.parametrize(("order", "reading"), TABLES)
@settings(max_examples=15, deadline=None)
@given(
    bits=st.sampled_from((512, 682, 1024, 1025, 1536, 2047)), seed=st.randoms(use_true_random=False)
)
def test_every_spelling_reads_back(order: str, reading: Reading, bits: int, seed: object) -> None:
    """Encoding, decoding, and the first and last 64 bits agree with the fixtures' spelling."""
    del order
    number = seed.getrandbits(bits) | 1 << (bits - 1)  # type: ignore[attr-defined]
    raw = readings.encode(reading, number, bits)
    assert raw.startswith(spelled(reading, number)) or spelled(reading, number).startswith(raw)
    assert len(raw) == readings.width(reading, bits)
    assert readings.decode(reading, raw) == number
    data, at = np.frombuffer(bytes(11) + raw + bytes(9), np.uint8), np.array([11])
    assert int(readings.low(reading, data, at, bits)[0]) == number & (1 << 64) - 1
    assert int(readings.top(reading, data, at, bits)[0]) >> 7 == number >> (bits - 57)
    assert readings.are_digits(reading, data, at, bits)[0]


@pytest.mark.parametrize("reading", [r for r in readings.LITTLE_ENDIAN if r.packed])
def test_random_words_are_no_digits(reading: Reading) -> None:
    """A word with a bit outside of its digit is none, and the number is refused."""
    raw = bytearray(readings.encode(reading, (1 << 1024) - 1, 1024))
    raw[7 * reading.step : 7 * reading.step + reading.word] = b"\xff" * reading.word
    data = np.frombuffer(bytes(raw), np.uint8)
    assert not readings.are_digits(reading, data, np.array([0]), 1024)[0]
    assert readings.decode(reading, bytes(raw)) is None


@pytest.mark.parametrize(
    "word", [b"\x00\x00\x00\x00\x00\x80\x50\xc0", struct.pack("<d", 3.5), b"\x01" + bytes(7)]
)
def test_a_fraction_is_no_digit(word: bytes) -> None:
    """Nor is what is below zero, or a word that is hardly more than zero."""
    (how,) = (reading for reading in readings.LITTLE_ENDIAN if reading.name == "doubles-28")
    raw = bytearray(readings.encode(how, (1 << 512) - 1, 512))
    raw[3 * how.step : 3 * how.step + 8] = word
    assert readings.decode(how, bytes(raw)) is None


@pytest.mark.parametrize("how", [reading for _, reading in TABLES if reading.packed])
def test_the_widest_of_a_family_has_all_digits(how: Reading) -> None:
    """What stands as digits stands as those of the widest reading of the same words."""
    table = readings.BIG_ENDIAN if how.swapped else readings.LITTLE_ENDIAN
    wide = readings.widest(how, table)
    data = np.frombuffer(readings.encode(how, 3**300, 480), np.uint8)
    slots = readings.count(how, 480)
    assert readings.are_digits(wide, data, np.zeros(1, np.int64), slots * wide.digit)[0]
    assert wide.digit >= how.digit


@pytest.mark.parametrize(
    ("order", "reading"), [row for row in TABLES if not row[1].double], ids=str
)
def test_weights_make_remainders(order: str, reading: Reading) -> None:
    """The bytes of a number times their weights are the number, modulo the modulus."""
    del order
    number, modulus = 3**600 | 1 << 1000, 3 * 5 * 7 * 11 * 13
    raw, weights = readings.encode(reading, number, 1001), readings.weights(reading, 1001, modulus)
    total = sum(byte * weight for byte, weight in zip(raw, weights, strict=True))
    assert total % modulus == number % modulus


@pytest.mark.parametrize("reading", readings.LITTLE_ENDIAN, ids=lambda reading: reading.name)
def test_what_is_behind_a_tag_tells_nothing(reading: Reading) -> None:
    """Seen in PHP: an array of integers keeps there what stood in its memory before."""
    raw = readings.encode(reading, 3**160, 254)
    rows = np.frombuffer(raw, np.uint8).reshape(-1, reading.step).copy()
    rows[:, reading.told :] ^= 0x31
    data = np.concatenate((np.zeros(3, np.uint8), rows.ravel()))
    assert readings.stands(reading, data, 3, raw)
    for at in (-1, 2, 4, len(data)):
        assert not readings.stands(reading, data, at, raw)
    for at in range(reading.told):
        data[3 + reading.step + at] ^= 1
        assert not readings.stands(reading, data, 3, raw)
        data[3 + reading.step + at] ^= 1
    assert (reading.told < reading.step) == (reading.word == 8 and reading.cell == 16)


def test_a_part_of_a_word_is_no_number() -> None:
    """Bytes that end within a word are refused; bytes alone are always a number."""
    assert readings.decode(readings.JAVA, bytes(7)) is None
    assert readings.decode(readings.BYTES, b"\x01\x00") == 256


def test_java_s_words_stand_beside_limbs_and_bytes() -> None:
    """A big-endian machine has them as bytes."""
    names = [[how.name for how in readings.unpacked(readings.table(o))] for o in ("little", "big")]
    expected = [["limbs-le", "java-words", "bytes-be"], ["limbs-be64", "limbs-be32", "bytes-be"]]
    assert names == expected
