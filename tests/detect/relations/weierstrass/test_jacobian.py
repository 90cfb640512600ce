"""Points as X, Y and Z in blocks of their own: witnesses of a scalar, and two of them are."""

from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers import pool as pools
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.relations.weierstrass import ec, jacobian
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.dump.space import Memory

MakePool = Callable[..., tuple[Pool, Memory]]
KEYS = {curve: keys.ec_key(curve) for curve in ("P-256", "P-384", "P-521", "secp256k1")}
FORMS = ("jacobian", "jacobian montgomery", "homogeneous")
SIZE = 1 << 14


def multiplied(key: keys.EcKey, form: str) -> list[bytes]:
    """Spell a point as X, Y and Z."""
    size, p = key.field_bytes, CURVES[key.curve].p
    z = int.from_bytes(noise.uniform(size, 5), "little") % p
    by_x, by_y = (z, z) if form == "homogeneous" else (z**2, z**3)
    radix = CURVES[key.curve].radix if form.endswith("montgomery") else 1
    numbers = [n * radix % p for n in (key.x * by_x, key.y * by_y, z)]
    return [number.to_bytes(-(-size // 8) * 8, "little") for number in numbers]


def dump(key: keys.EcKey, blocks: list[bytes], *, d: int = 0) -> bytes:
    """Lay numbers out as an allocator does, and the scalar far from them."""
    chunk = bytes(8) + b"\x51" + bytes(7)
    data = noise.plant(noise.text(SIZE, 3), 1 << 12, b"".join(map(chunk.__add__, blocks)) + chunk)
    limbs = encodings.little_limbs(d or key.d)
    return noise.plant(data, 3 << 12, chunk + limbs + chunk)


def named(pool: Pool) -> list[str]:
    """Return the fingerprints of the keys that are found."""
    return [describe(one.key).fingerprint.value for one in ec.search(pool, ())]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("curve", KEYS)
def test_three_neighbours(make_pool: MakePool, curve: str, form: str) -> None:
    """The equation tells them, and the scalar is found."""
    key = KEYS[curve]
    pool, _ = make_pool(dump(key, multiplied(key, form)))
    assert {row[:3] for row in jacobian.points(pool) if row[1]} == {(curve, key.x, key.y)}
    assert named(pool) == [key.spki_sha256]


@pytest.mark.parametrize("form", FORMS)
def test_two_neighbours(make_pool: MakePool, form: str) -> None:
    """Of OpenSSL's P-256 X is elsewhere."""
    key = KEYS["P-256"]
    pool, _ = make_pool(dump(key, multiplied(key, form)[1:]))
    assert not [row for row in jacobian.points(pool) if row[1]]
    assert named(pool) == [key.spki_sha256]


def test_two_neighbours_in_a_crowd(make_pool: MakePool) -> None:
    """Where hundreds of pairs come before: seen in Node.js, with keys that it had made."""
    key, head = KEYS["P-256"], b"\x31" + bytes(7)
    numbers = noise.uniform(32 * (FEW_RUNS + 1), 5)
    rows = [numbers[at : at + 32] for at in range(0, len(numbers), 32)]
    pairs = [head + b"".join(row + head for row in rows[at : at + 2]) for at in range(0, 1_600, 2)]
    pairs.append(head + b"".join(row + head for row in multiplied(key, "jacobian montgomery")[1:]))
    scalar = head + encodings.little_limbs(key.d) + head
    blocks = [block.ljust(256, b"\0") for block in (scalar, *pairs)]
    pool, _ = make_pool(
        b"".join(blocks) + bytes(256) + b"".join(head + row for row in rows[1_600:])
    )
    assert not pool.few
    assert named(pool) == [key.spki_sha256]


@pytest.mark.parametrize(
    ("few", "order", "form"),
    [
        ((row + column) % 2 == 0, order, form)
        for row, order in enumerate(["ZY", "YZ", "ZX", "XZ"])
        for column, form in enumerate(FORMS)
    ],
)
def test_two_that_are_not_neighbours(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, order: str, form: str, *, few: bool
) -> None:
    """In a heap that was used before others stand between them, and either is the first.

    Each order, and each form, in few runs and in many.
    """
    if not few:
        monkeypatch.setattr(pools, "FEW_RUNS", 0)
    key = KEYS["P-256"]
    spelled = dict(zip("XYZ", multiplied(key, form), strict=True))
    one, other = (spelled[name] for name in order)
    pool, _ = make_pool(dump(key, [one, *(noise.uniform(32, at) for at in range(20, 40)), other]))
    assert pool.few == few
    assert named(pool) == [key.spki_sha256]


@pytest.mark.parametrize("wrong", ["d", "XY", "Z"])
def test_one_bit_decides(make_pool: MakePool, wrong: str) -> None:
    """Neither another scalar nor other numbers are a key."""
    key = KEYS["P-256"]
    blocks = multiplied(key, "jacobian")
    for at in ("XYZ".index(name) for name in wrong if name != "d"):
        blocks[at] = bytes((blocks[at][0] ^ 1,)) + blocks[at][1:]
    pool, _ = make_pool(dump(key, blocks, d=key.d ^ (wrong == "d")))
    assert not named(pool)


def test_numbers_at_random_are_no_points(make_pool: MakePool) -> None:
    """Whatever neighbours they have."""
    key = KEYS["P-256"]
    pool, _ = make_pool(dump(key, [noise.uniform(32, at) for at in range(20)]))
    rows = list(jacobian.points(pool))
    assert rows
    assert not [row for row in rows if row[1]]
    assert not named(pool)


def fields(key: keys.EcKey, *, plain: bool = False) -> bytes:
    """Spell a point as BoringSSL keeps it: X, Y and Z in fields of nine limbs."""
    numbers = multiplied(key, "jacobian" if plain else "jacobian montgomery")
    return b"".join(number.ljust(72, b"\0") for number in numbers)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("curve", [*KEYS, "brainpoolP256r1", "brainpoolP512r1"])
def test_a_generated_key_of_boringssl(make_pool: MakePool, curve: str, *, plain: bool) -> None:
    """The point is one structure of fields of one size, and its scalar in another block."""
    key = keys.ec_key(curve)
    point = fields(key, plain=plain)
    scalar = bytes(16) + key.d.to_bytes(72, "little") + bytes(16)
    data = noise.plant(noise.text(SIZE, 3), 4096, bytes(16) + point + bytes(16))
    pool, _ = make_pool(noise.plant(data, 8192, scalar))
    assert [row[:3] for row in jacobian.points(pool) if row[1]] == [(curve, key.x, key.y)]
    assert named(pool) == [key.spki_sha256]
