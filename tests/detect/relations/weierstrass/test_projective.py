"""Points as three numbers, x = X/Z: told by the curve's equation, and their scalars with them."""

from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.weierstrass import ec, projective
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]
CURVE_NAMES = ("P-256", "P-384", "secp256k1", "brainpoolP256r1", "brainpoolP512r1")
KEYS = {curve: keys.ec_key(curve) for curve in CURVE_NAMES}
SIZE = 1 << 14


def homogeneous(key: keys.EcKey, seed: int, word: int = 0) -> bytes:
    """Spell a point as X, Y, Z in Montgomery form, in limbs of a big-endian ``word`` if any."""
    size, p = key.field_bytes, CURVES[key.curve].p
    z = int.from_bytes(noise.uniform(size, seed), "little") % p
    numbers = [value * z * (1 << 8 * size) % p for value in (key.x, key.y, 1)]
    raw = b"".join(number.to_bytes(size, "little") for number in numbers)
    parts = [raw[at : at + (word or 1)] for at in range(0, len(raw), word or 1)]
    return b"".join(part[::-1] for part in parts)


def pair(key: keys.EcKey, *, d: int = 0, padding: bytes = bytes(7)) -> bytes:
    """Lay a key pair out as Zig does."""
    scalar = encodings.big_endian(d or key.d, key.field_bytes)
    return homogeneous(key, 5) + b"\0" + padding + scalar


def named(pool: Pool) -> list[str]:
    """Return the fingerprints of the keys that are found."""
    return [describe(one.key).fingerprint.value for one in ec.search(pool, ())]


@pytest.mark.parametrize(
    ("before", "padding"),
    [
        *((before, bytes(7)) for before in (0, 40, 200)),
        (40, b"\x34" + bytes(6)),
        (200, noise.uniform(7, 9)),
    ],
)
@pytest.mark.parametrize("curve", CURVE_NAMES)
def test_a_key_pair_of_zig(make_pool: MakePool, curve: str, before: int, padding: bytes) -> None:
    """The scalar stands behind the point, in a structure that is one run, or two."""
    key = KEYS[curve]
    raw = noise.uniform(before, 6) + pair(key, padding=padding) + noise.uniform(56, 7)
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + raw + bytes(16)))
    assert named(pool) == [key.spki_sha256]


@pytest.mark.parametrize("curve", CURVE_NAMES)
def test_another_scalar_is_no_key(make_pool: MakePool, curve: str) -> None:
    """The point alone proves nothing."""
    raw = pair(KEYS[curve], d=KEYS[curve].d ^ 1 << 100)
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + raw + bytes(16)))
    assert [row[0] for row in projective.points(pool)] == [curve]
    assert not named(pool)


@pytest.mark.parametrize("coordinate", range(3))
@pytest.mark.parametrize("curve", CURVE_NAMES)
def test_one_bit_decides(make_pool: MakePool, curve: str, coordinate: int) -> None:
    """Three numbers that are no point do not satisfy the equation."""
    key = KEYS[curve]
    raw = bytearray(pair(key))
    raw[coordinate * key.field_bytes + 9] ^= 1
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + raw + bytes(16)))
    assert not list(projective.points(pool))
    assert not named(pool)


@pytest.mark.parametrize("word", [4, 8])
@pytest.mark.parametrize("before", [0, 24])
@pytest.mark.parametrize("curve", CURVE_NAMES)
def test_where_it_ends_its_run(make_pool: MakePool, curve: str, before: int, word: int) -> None:
    """On a big-endian machine: at either edge of a run."""
    key = KEYS[curve]
    raw = noise.uniform(before, 6) + homogeneous(key, 5, word)
    data = noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + raw + bytes(16))
    found = list(projective.points(make_pool(data, "big")[0]))
    assert {row[:3] for row in found} == {(curve, key.x, key.y)}


def test_random_bytes_are_no_points(make_pool: MakePool) -> None:
    """Whatever stands behind them."""
    data = b"".join(noise.uniform(96, at) + bytes(16) for at in range(400))
    assert not list(projective.points(make_pool(data)[0]))
