"""Encoded points: told by their curve's equation, the compressed ones by their length too."""

from collections.abc import Callable
from typing import Literal

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra.curve_points import GROUPS, derive
from scanner.detect.algebra.material import Ec, describe
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.relations.weierstrass import ec, points
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]
KEYS = {curve: keys.ec_key(curve) for curve in keys.CURVES}
SIZE = 1 << 14


def shortened(key: keys.EcKey) -> bytes:
    """Spell a point as its x and the sign of y (SEC 1 2.3.3)."""
    return bytes((2 + key.y % 2,)) + encodings.big_endian(key.x, key.field_bytes)


LENGTHS: dict[str, Callable[[int], bytes]] = {
    "V8": lambda size: size.to_bytes(4, "little"),
    "64 bits": lambda size: size.to_bytes(8, "little"),
    "SSH": lambda size: size.to_bytes(4, "big"),
}


@pytest.mark.parametrize("announced", LENGTHS)
@pytest.mark.parametrize("curve", KEYS)
def test_a_compressed_point(make_pool: MakePool, curve: str, announced: str) -> None:
    """Behind its length, with the right one of both y."""
    key = KEYS[curve]
    raw = shortened(key)
    data = noise.plant(noise.text(SIZE, 3), 4096, bytes(8) + LENGTHS[announced](len(raw)) + raw)
    found = [row for row in points.compressed(make_pool(data)[0]) if row[0] == curve]
    assert [(x, y) for _, x, y, _ in found] == [(key.x, key.y)]


@pytest.mark.parametrize("curve", points.OFTEN)
def test_a_compressed_point_before_zeros(make_pool: MakePool, curve: str) -> None:
    """Seen in Node.js, whose buffers stand at multiples of eight bytes in a pool of them."""
    key = keys.ec_key(curve)
    raw = encodings.big_endian(key.d, key.field_bytes) + shortened(key)
    data = noise.plant(noise.text(SIZE, 3), 4096, bytes(8) + raw + bytes(-len(shortened(key)) % 8))
    found = [row[:3] for row in points.compressed(make_pool(data)[0])]
    assert (curve, key.x, key.y) in found


def test_a_number_before_zeros_is_no_point_without_its_last_byte(make_pool: MakePool) -> None:
    """One in 128 numbers begins with a kind."""
    raw = b"\2" + encodings.big_endian(KEYS["P-256"].x, 32)[:31]
    data = noise.plant(noise.text(SIZE, 3), 4096, bytes(8) + raw + bytes(8))
    assert not list(points.compressed(make_pool(data)[0]))


@pytest.mark.parametrize("head", [bytes(8), (34).to_bytes(8, "little")])
def test_without_its_length_a_compressed_point_is_any_number(
    make_pool: MakePool, head: bytes
) -> None:
    """Half of all numbers are the x of some point."""
    data = noise.plant(noise.text(SIZE, 3), 4096, head + shortened(KEYS["P-256"]))
    assert not list(points.compressed(make_pool(data)[0]))


@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("montgomery", [True, False])
def test_a_point_in_limbs_behind_its_scalar(
    make_pool: MakePool, word: int, *, montgomery: bool
) -> None:
    """Seen in Go on PowerPC: d, x and y are one run, the least significant word first."""
    key, p = KEYS["P-384"], CURVES["P-384"].p
    raw = encodings.big_endian(key.d, 48)
    for number in (key.x, key.y):
        limbs = encodings.big_endian((number << 384 * montgomery) % p, 48)
        raw += b"".join(limbs[at : at + word] for at in reversed(range(0, 48, word)))
    data = noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + raw + bytes(16))
    found = list(points.encoded(make_pool(data, "big")[0]))
    (place,) = (at for curve, x, y, at in found if (curve, x, y) == ("P-384", key.x, key.y))
    assert (place.offset, place.size) == (4096 + 16 + 48, 96)


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_a_point_in_montgomery_form_behind_its_scalar(make_pool: MakePool, curve: str) -> None:
    """Seen in p384 (Rust): d, x and y are one run, all of them in Montgomery form."""
    key, size = KEYS[curve], KEYS[curve].field_bytes
    both = (CURVES[curve].n, CURVES[curve].p)
    numbers = (key.d, both[0]), (key.x, both[1]), (key.y, both[1])
    raw = b"".join(((v << 8 * size) % m).to_bytes(size, "little") for v, m in numbers)
    data = noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + raw + bytes(16))
    pool, _ = make_pool(data)
    found = [row[:3] for row in points.encoded(pool)]
    assert (curve, key.x, key.y) in found
    told = [describe(one.key).fingerprint.value for one in ec.search(pool, ())]
    assert told == [key.spki_sha256]


def digits(value: int, bits: int, count: int) -> bytes:
    """Spell a number in words of 64 bits with room for carries."""
    mask = (1 << bits) - 1
    return b"".join((value >> bits * at & mask).to_bytes(8, "little") for at in range(count))


@pytest.mark.parametrize(("curve", "bits", "count"), [("secp256k1", 52, 5), ("P-521", 58, 9)])
def test_a_point_in_roomy_words_behind_a_table(
    make_pool: MakePool, curve: str, bits: int, count: int
) -> None:
    """Of hundreds of numbers in such words; no two of them are a point."""
    key, p = KEYS[curve], CURVES[curve].p
    numbers = [int.from_bytes(noise.uniform(66, at)) % p for at in range(1_000)]
    data = b"".join(digits(number, bits, count) for number in numbers) + bytes(16)
    data += digits(key.x, bits, count) + digits(key.y, bits, count) + bytes(64)
    found = [row[:3] for row in points.encoded(make_pool(data)[0])]
    assert (curve, key.x, key.y) in found


@pytest.mark.parametrize("known", [True, False])
def test_a_compressed_point_says_which_curve_is_used(make_pool: MakePool, *, known: bool) -> None:
    """In a crowd, where what is nearest to a point of the curve comes first."""
    key = KEYS["P-384"]
    crowd = [noise.uniform(48, at) for at in range(FEW_RUNS + 1)]
    crowd[-40] = encodings.big_endian(key.d, 48)
    far = shortened(key) if known else shortened(key)[1:]
    data = b"".join(bytes(4) + (48).to_bytes(4, "little") + raw + bytes(8) for raw in crowd)
    data += bytes(64) + len(far).to_bytes(8, "little") + far + bytes(64)
    found = [describe(one.key).fingerprint.value for one in ec.search(make_pool(data)[0], ())]
    assert found == ([key.spki_sha256] if known else [])


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("curve", ["P-256", "P-384", "secp256k1"])
@pytest.mark.parametrize("before", [0, 8, 72])
def test_coordinates_in_one_run(
    make_pool: MakePool, curve: str, order: Literal["little", "big"], before: int
) -> None:
    """Without a tag, as fields of a structure: from its beginning on, or before its end."""
    key = KEYS[curve]
    size = key.field_bytes
    point = key.x.to_bytes(size, order) + key.y.to_bytes(size, order)
    raw = noise.uniform(before, 5) + point + bytes(16)
    data = noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + raw)
    found = [row for row in points.encoded(make_pool(data)[0]) if row[0] == curve]
    assert [(x, y) for _, x, y, _ in found] == [(key.x, key.y)]


def test_coordinates_that_are_no_point(make_pool: MakePool) -> None:
    """Numbers that are not related satisfy no curve's equation."""
    data = b"".join(noise.uniform(64, at) + bytes(16) for at in range(200))
    assert not list(points.encoded(make_pool(data)[0]))


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_random_bytes_behind_a_tag_hide_no_point(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, curve: str
) -> None:
    """There are more of them than are checked: of each size, what is announced comes first."""
    monkeypatch.setattr(points, "MOST", (2, 2))
    key = KEYS[curve]
    width = key.field_bytes
    noises = b"".join(b"\xe5\x04" + noise.uniform(142, at) + bytes(16) for at in range(8))
    point = encodings.big_endian(key.x, width) + encodings.big_endian(key.y, width)
    raw = noises + bytes((2 * width + 1, 4)) + point + bytes(16)
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + raw))
    assert (curve, key.x, key.y) in [row[:3] for row in points.encoded(pool)]


@pytest.mark.parametrize("curve", GROUPS)
@pytest.mark.parametrize("flipped", [0, 1])
def test_a_bare_point_says_that_a_seldom_curve_is_used(
    make_pool: MakePool, curve: str, flipped: int
) -> None:
    """Seen in Mbed TLS and GnuTLS, on P-192: the generator stands in the library's file alone."""
    d = int.from_bytes(noise.uniform(64, 7), "big") % CURVES[curve].n
    x, y = derive(curve, d)
    size = CURVES[curve].size
    raws = [number.to_bytes(size, "little") for number in (d, x, y ^ flipped)]
    data = b"".join(bytes(64) + raw + bytes(-size % 8) for raw in raws) + bytes(64)
    found = list(ec.search(make_pool(data)[0], []))
    assert [related.key.d for related in found if isinstance(related.key, Ec)] == (
        [] if flipped else [d]
    )
