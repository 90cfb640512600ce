"""Points of which x and y are blocks that adjoin, in processes of very many numbers."""

import struct
from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.relations.weierstrass import blocks, ec
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]

Written = Callable[[int], bytes]

FORMS: dict[str, Written] = {
    "glibc": lambda number: struct.pack("<QQ", 0, 0x31) + encodings.little_limbs(number, 32),
    "Mono": lambda number: struct.pack("<QQ", 0, 8) + encodings.little_limbs(number, 32),
    "SBCL": lambda number: (
        struct.pack("<QQ", 0, 5 << 8 | 0x11) + encodings.little_limbs(number, 32)
    ),
    "Racket": lambda number: struct.pack("<QQ", 0, 8 << 6 | 6) + encodings.java_words(number),
}


def crowd(written: Written) -> bytes:
    """Return what loops let go of: numbers in pairs, one of another size behind each."""
    raw = noise.uniform(32 * (FEW_RUNS + 100), 3)
    numbers = [int.from_bytes(raw[at : at + 32], "big") | 1 << 255 for at in range(0, len(raw), 32)]
    other = bytes(8) + noise.uniform(40, 5) + bytes(48)
    return b"".join(written(n) + (other if at % 2 else b"") for at, n in enumerate(numbers))


def moved(written: Written, numbers: list[int], seed: int) -> bytes:
    """Return a row of numbers that a collector moved, others first and last."""
    others = [int.from_bytes(noise.uniform(32, seed + at), "big") | 1 << 255 for at in range(6)]
    return bytes(64) + b"".join(map(written, [*others[:3], *numbers, *others[3:]])) + bytes(64)


@pytest.mark.parametrize(
    ("around", "form", "curve"), [("Racket", "Racket", "P-256"), ("glibc", "SBCL", "secp256k1")]
)
def test_the_scalar_of_a_point_that_was_moved(
    make_pool: MakePool, around: str, form: str, curve: str
) -> None:
    """It is not far, and tried before thousands of others, whatever header says that these are."""
    key, written = keys.ec_key(curve), FORMS[form]
    others = [int.from_bytes(noise.uniform(32, 77 + at), "big") | 1 << 255 for at in range(5)]
    mine = moved(written, [key.d, *others, key.x, key.y], 900)
    pool, _ = make_pool(bytes(64) + crowd(FORMS[around]) + mine)
    assert not pool.few
    (related,) = ec.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("form", FORMS)
def test_either_coordinate_is_first(make_pool: MakePool, form: str) -> None:
    """Seen in Mono, SBCL and Racket; and one bit tells that a pair is no point."""
    key, written = keys.ec_key("P-256"), FORMS[form]
    rows = ([key.x, key.y], [key.y, key.x], [key.x, key.y ^ 1])
    for numbers, count in zip(rows, (1, 1, 0), strict=True):
        pool, _ = make_pool(moved(written, numbers, 40))
        assert [row[:3] for row in blocks.points(pool)] == count * [("P-256", key.x, key.y)]


def test_blocks_of_a_big_endian_machine_are_passed_over(make_pool: MakePool) -> None:
    """There limbs and bytes are the same, and are read elsewhere."""
    key = keys.ec_key("P-256")
    data = moved(FORMS["Mono"], [key.x, key.y], 40)
    assert not list(blocks.points(make_pool(data, "big")[0]))
