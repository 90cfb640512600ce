"""Numbers of 32-bit words behind a header that counts them, whatever type it says beside it."""

import struct
from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import headed
from scanner.detect.relations.weierstrass import ec
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

HEADERS: dict[str, Callable[[int], bytes]] = {
    "GNAT": lambda count: struct.pack("<I", count),
    "CLISP": lambda count: struct.pack("<HH", 0x1A, count),
    "CLISP with a word of zeros": lambda count: struct.pack("<HHI", 0x1A, count + 1, 0),
    "Chez": lambda count: struct.pack("<Q", count << 6 | 6),
}
CURVES = ("P-256", "secp256k1", "P-384", "P-521")


def placed(number: int, form: str, at: int = 0) -> bytes:
    """Put a number's words behind a header, so many bytes behind a word of 64 bits."""
    raw = encodings.java_words(number)
    before = HEADERS[form](len(raw) // 4)
    return bytes(64 + at - len(before)) + before + raw + bytes(-(at + len(raw)) % 8 + 8)


@pytest.mark.parametrize("form", HEADERS)
@pytest.mark.parametrize("curve", CURVES)
def test_a_key_of_bignums(make_pool: MakePool, curve: str, form: str) -> None:
    """The scalar is found behind each header, at any half of a word, where x stands so too."""
    key = keys.ec_key(curve)
    parts = [placed(number, form, at) for number, at in ((key.d, 4), (key.x, 0), (key.y, 4))]
    pool, memory = make_pool(bytes(256) + b"".join(parts) + bytes(256))
    (related,) = ec.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    again = ec.again(memory, second_look.told(related))
    assert key.spki_sha256 in {describe(other).fingerprint.value for other in again}


def test_a_number_behind_what_looks_as_random(make_pool: MakePool) -> None:
    """Seen in CLISP: what stood before is left, the header is part of the run, and d its end."""
    key = keys.ec_key("P-384")
    parts = [placed(number, "CLISP", 4) for number in (key.d, key.x, key.y)]
    parts[0] = noise.uniform(64, 3) + parts[0][64:]
    (related,) = ec.search(make_pool(bytes(256) + b"".join(parts) + bytes(256))[0], ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


def test_counted_words_have_a_share_of_their_own(make_pool: MakePool) -> None:
    """Seen in Ada: on secp256k1 fewer scalars are tried than runs are filled, P-256 takes them."""
    key = keys.ec_key("secp256k1")
    chunks = [
        struct.pack("<QQ", 0, 49) + noise.uniform(32, seed) + bytes(16) for seed in range(900)
    ]
    numbers = [placed(number, "GNAT") for number in (key.d, key.x, key.y)]
    (related,) = ec.search(make_pool(b"".join((*chunks, *numbers)) + bytes(256))[0], ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(struct.pack("<Q", 0x41), id="glibc's size"),
        pytest.param(struct.pack("<II", 7, 0x1000), id="a pointer"),
        pytest.param(struct.pack("<Q", 8), id="elements of an array"),
        pytest.param(struct.pack("<HH", 0x1A, 7), id="another count"),
    ],
)
def test_what_counts_no_words(make_pool: MakePool, before: bytes) -> None:
    """Sizes of allocators, upper halves of pointers and lengths of 64 bits are no such header."""
    pool, _ = make_pool(bytes(64) + before + noise.uniform(32, 3) + bytes(64))
    assert not len(headed.likeliest(pool, 32, 8))


def test_on_a_big_endian_machine(make_pool: MakePool) -> None:
    """Such words are bytes there."""
    pool, _ = make_pool(placed(keys.ec_key("P-256").d, "CLISP") + bytes(64), "big")
    assert not len(headed.likeliest(pool, 32, 8))
