"""Numbers are listed where they stand, in their reading, and multiples of small primes are not."""

import numpy as np
import pytest

from fixtures import encodings, keys, noise
from scanner.detect.integers import numbers, pool, readings
from scanner.detect.integers.edges import judge
from tests.detect.integers.conftest import Load

KEY = keys.rsa_key(2048)


@pytest.mark.parametrize("reading", readings.LITTLE_ENDIAN)
@pytest.mark.parametrize("shift", [0, 8])
def test_numbers_are_listed_where_they_stand(
    load: Load, reading: readings.Reading, shift: int
) -> None:
    """A prime is listed in its reading at its place, with its ends."""
    raw = readings.encode(reading, KEY.p, 1024)
    data = bytearray(noise.pointers(8192, 1))
    data[2048 + shift : 2048 + shift + len(raw) + 24] = raw + bytes(24)
    made = pool.load(*load(bytes(data)))
    listed = numbers.numbers(judge(made), 1024)
    rows = [
        index
        for index, at in enumerate(listed.position.tolist())
        if made.place(at, 1).offset == 2048 + shift
        and made.readings[int(listed.reading[index])] is reading
    ]
    (row,) = rows
    assert made.number(int(listed.position[row]), 1024, int(listed.reading[row])) == KEY.p
    assert int(listed.low[row]) == KEY.p & (1 << 64) - 1
    assert int(listed.top[row]) == KEY.p >> 960
    assert listed.exact[row]


def test_big_endian_machines(load: Load) -> None:
    """On a big-endian machine, limbs are read with their bytes turned around."""
    raw = encodings.big_limbs(KEY.p)
    data = bytes(2048) + raw + bytes(2048)
    made = pool.load(*load(data, byte_order="big"))
    listed = numbers.numbers(judge(made), 1024)
    values = {
        made.number(at, 1024, reading)
        for at, reading in zip(listed.position.tolist(), listed.reading.tolist(), strict=True)
    }
    assert KEY.p in values


def test_multiples_of_small_primes_are_not_listed(load: Load) -> None:
    """What a small prime divides is no prime and no modulus; as an exponent it is listed."""
    number = KEY.p - KEY.p % 30 + 15
    data = bytes(2048) + encodings.little_limbs(number) + bytes(2048)
    edges = judge(pool.load(*load(data)))
    for full in (True, False):
        listed = numbers.numbers(edges, 1024, full=full)
        low = np.uint64(number & (1 << 64) - 1)
        assert bool(np.any(listed.low == low)) is not full
