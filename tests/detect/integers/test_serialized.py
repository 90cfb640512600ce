"""Numbers that a serializer wrote behind each other are listed, and no lone header."""

import pickle
import struct
from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.integers import pool, serialized
from tests.detect.integers.conftest import Load

KEY = keys.rsa_key(2048)
NUMBERS = (KEY.n, KEY.d, KEY.p, KEY.q)


def _size(number: int) -> int:
    return (number.bit_length() + 7) // 8


def _little(number: int) -> bytes:
    return number.to_bytes(_size(number), "little")


def _big(number: int) -> bytes:
    return number.to_bytes(_size(number), "big")


def _erlang(number: int) -> bytes:
    size = _size(number)
    head = b"n%c\0" % size if size < 256 else b"o" + struct.pack(">IB", size, 0)
    return head + _little(number)


def _ruby(number: int) -> bytes:
    words = _size(number) // 2
    return b"l+" + (bytes((words + 5,)) if words < 123 else b"\1%c" % words) + _little(number)


def _cbor(number: int) -> bytes:
    size = _size(number)
    head = b"\x58%c" % size if size < 256 else b"\x59" + struct.pack(">H", size)
    return head + _big(number)


def _message_pack(number: int) -> bytes:
    size = _size(number)
    head = b"\xc4%c" % size if size < 256 else b"\xc5" + struct.pack(">H", size)
    return head + _big(number)


def _v8(number: int) -> bytes:
    size = 2 * _size(number)
    return b"Z" + bytes((size & 0x7F | 0x80, size >> 7)) + _little(number)


def _gob(number: int) -> bytes:
    size = _size(number) + 1
    head = b"\xff%c" % size if size < 256 else b"\xfe" + struct.pack(">H", size)
    return head + b"\2" + _big(number)


FORMS: tuple[tuple[str, Callable[[int], bytes]], ...] = (
    ("<", lambda number: pickle.dumps(number, 4)[11:-1]),
    ("<", _erlang),
    ("<", _ruby),
    ("<", _v8),
    (">", _cbor),
    (">", _message_pack),
    (">", _gob),
)


def _listed(load: Load, data: bytes, order: str) -> set[int]:
    """Return the numbers that are listed, of the sizes that RSA keys of 2048 bits have."""
    made = pool.load(*load(data))
    found = set()
    for size in (128, 256):
        for at in serialized.listed(made, size, order).tolist():
            raw = made.data[at : at + size].tobytes()
            found.add(int.from_bytes(raw, "little" if order == "<" else "big"))
    return found


@pytest.mark.parametrize(("order", "form"), FORMS)
@pytest.mark.parametrize("shift", [0, 3])
def test_numbers_behind_each_other(
    load: Load, order: str, form: Callable[[int], bytes], shift: int
) -> None:
    """Each number of a key is listed, at any byte, with names of fields between."""
    names = (b"\x8c\7modulus", b"\x8c\3dee", b"\x8c\6prime1", b"\x8c\6prime2")
    written = b"".join(name + form(each) for name, each in zip(names, NUMBERS, strict=True))
    data = noise.plant(noise.zeros(8192), 4096 + shift, written)
    assert _listed(load, data, order) >= set(NUMBERS)


@pytest.mark.parametrize("order", ["<", ">"])
def test_stretches_list_what_one_of_all_bytes_does(
    load: Load, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a stretch of the pool ends, the same numbers are listed, of each length in order."""
    written = b"".join(form(each) for _, form in FORMS for each in NUMBERS)
    data = noise.uniform(4096, 1) + written + noise.uniform(20_000, 2) + written
    whole, parts = (pool.load(*load(data), pool.SECTION) for _ in range(2))
    sizes = range(serialized.SHORTEST, serialized.LONGEST + 2)
    expected = [serialized.listed(whole, size, order).tolist() for size in sizes]
    monkeypatch.setattr(serialized, "_STRETCH", 211)
    assert [serialized.listed(parts, size, order).tolist() for size in sizes] == expected
    assert sum(map(len, expected)) > len(NUMBERS)


@pytest.mark.parametrize(("order", "form"), FORMS)
def test_a_header_alone_is_chance(load: Load, order: str, form: Callable[[int], bytes]) -> None:
    """A number is not listed by its own header, nor beside one of a length that is no key's."""
    written = noise.uniform(512, 1) + form(KEY.n) + form(KEY.n >> 1900) + noise.uniform(512, 2)
    data = noise.plant(noise.zeros(8192), 4096, written)
    assert KEY.n not in _listed(load, data, order)
