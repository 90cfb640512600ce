"""What anybody computes from public numbers is no key, and in doubt it is one."""

import hashlib
import hmac
from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_derived
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.weierstrass import comb, digit_nonces, ec
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.detect.relations.weierstrass.tweaks import CURVE
from scanner.dump.space import Memory
from tests.detect.relations.weierstrass import test_digit_nonces as in_digits
from tests.detect.relations.weierstrass.test_nonces import heap

MakePool = Callable[..., tuple[Pool, Memory]]

PARENT = keys.ec_key(CURVE, label="parent")
CODE = noise.uniform(32, 7)
HOW = in_digits.HELD["digits-30"]


def compressed(x: int, y: int) -> bytes:
    """Spell a point (SEC 1 2.3.3)."""
    return bytes((2 + (y & 1),)) + x.to_bytes(32, "big")


def child(x: int, y: int, code: bytes, index: int) -> tuple[Ec, tuple[int, int], bytes]:
    """Derive a child (BIP 32): its tweak as the key that it looks like, its point, its code."""
    raw = hmac.digest(code, compressed(x, y) + index.to_bytes(4, "big"), "sha512")
    key = ec_derived(CURVE, int.from_bytes(raw[:32], "big"))
    assert key is not None
    [point] = comb.add(CURVES[CURVE].p, [((key.x, key.y), (x, y))])
    return key, point, raw[32:]


def output(x: int, root: bytes = b"") -> Ec:
    """Return the tweak of an output (BIP 341), as the key that it looks like."""
    tag = hashlib.sha256(b"TapTweak").digest()
    raw = hashlib.sha256(tag + tag + x.to_bytes(32, "big") + root).digest()
    key = ec_derived(CURVE, int.from_bytes(raw, "big"))
    assert key is not None
    return key


def coordinates(key: Ec) -> list[bytes]:
    """Spell a scalar and its point, as limbs."""
    return [number.to_bytes(32, "little") for number in (key.d, key.x, key.y)]


def padded(point: tuple[int, int]) -> bytes:
    """Spell a point so that whole words are filled."""
    return compressed(*point) + bytes(7)


def told(pool: Pool, *known: PublicKey) -> set[int]:
    """Return the scalars that are told."""
    return {one.key.d for one in ec.search(pool, known) if isinstance(one.key, Ec)}


@pytest.mark.parametrize("gone", ["", "parent", "code", "child"])
def test_children_of_an_extended_public_key(make_pool: MakePool, gone: str) -> None:
    """Seen in @scure/bip32: BigInts of the tweak and its point, the rest in arrays of bytes."""
    key, point, _ = child(PARENT.x, PARENT.y, CODE, 3)
    rest = {"parent": padded((PARENT.x, PARENT.y)), "code": CODE, "child": padded(point)}
    noisy = [noise.uniform(32, seed) for seed in range(100, 120)]
    there = [raw for name, raw in rest.items() if name != gone]
    pool, _ = make_pool(heap([*coordinates(key), *noisy, *there]))
    assert told(pool) == ({key.d} if gone else set())


@pytest.mark.parametrize("label", ["parent", "a", "b", "c", "d", "e"])
def test_children_of_points_of_either_sign(make_pool: MakePool, label: str) -> None:
    """The x of a parent is that of two points, and half of all parents have the odd one."""
    parent = keys.ec_key(CURVE, label=label)
    key, point, _ = child(parent.x, parent.y, CODE, 3)
    rest = [padded((parent.x, parent.y)), CODE, padded(point)]
    pool, _ = make_pool(heap([*coordinates(key), *rest]))
    assert told(pool) == set()


def test_a_chain_code_that_does_not_fill_its_run(make_pool: MakePool) -> None:
    """Seen in V8, where words that look random stood behind one."""
    key, point, _ = child(PARENT.x, PARENT.y, CODE, 0)
    rest = [padded((PARENT.x, PARENT.y)), CODE + noise.uniform(24, 11), padded(point)]
    pool, _ = make_pool(heap([*coordinates(key), *rest]))
    assert told(pool) == set()


def test_a_child_of_a_child(make_pool: MakePool) -> None:
    """Its parent stands nowhere: that follows from the tweak of its own."""
    key, point, code = child(PARENT.x, PARENT.y, CODE, 0)
    last, _, _ = child(*point, code, 500)
    known = [padded((PARENT.x, PARENT.y)), CODE, point[0].to_bytes(32, "big")]
    pool, _ = make_pool(heap([*coordinates(key), *known, *coordinates(last)]))
    assert told(pool) == set()


def test_an_extended_key_as_it_is_written(make_pool: MakePool) -> None:
    """Version, depth, parent and index before the chain code, and the point behind it."""
    key, point, _ = child(PARENT.x, PARENT.y, CODE, 1)
    written = bytes.fromhex("0488b21e 03 d880d7d8 80000000") + CODE + padded((PARENT.x, PARENT.y))
    pool, _ = make_pool(heap([*coordinates(key), bytes(3) + written, padded(point)]))
    assert told(pool) == set()


def test_a_hardened_child_is_a_key(make_pool: MakePool) -> None:
    """Its tweak is a hash of the parent's private key."""
    raw = hmac.digest(CODE, b"\0" + PARENT.d.to_bytes(32, "big") + b"\x80\0\0\0", "sha512")
    key = ec_derived(CURVE, int.from_bytes(raw[:32], "big"))
    assert key is not None
    [point] = comb.add(CURVES[CURVE].p, [((key.x, key.y), (PARENT.x, PARENT.y))])
    rest = [padded((PARENT.x, PARENT.y)), CODE, padded(point)]
    pool, _ = make_pool(heap([*coordinates(key), *rest]))
    assert told(pool) == {key.d}


@pytest.mark.parametrize("root", [b"", noise.uniform(32, 9)], ids=["alone", "root"])
@pytest.mark.parametrize("flipped", [False, True])
def test_the_tweak_of_an_output(make_pool: MakePool, root: bytes, *, flipped: bool) -> None:
    """A bit of the x makes it the hash of another one."""
    key = output(PARENT.x, root)
    hashed = (PARENT.x ^ flipped).to_bytes(32, "big") + root
    pool, _ = make_pool(heap([*coordinates(key), hashed]))
    assert told(pool) == ({key.d} if flipped else set())


@pytest.mark.parametrize("flipped", [False, True])
def test_tweaks_in_digits(make_pool: MakePool, *, flipped: bool) -> None:
    """Seen in Python, with textbook arithmetic; the chain code is bytes."""
    key, point, _ = child(PARENT.x, PARENT.y, CODE, 2)
    own = output(PARENT.x)
    numbers = [*(key.d, key.x, key.y), *(own.d, own.x, own.y), *point]
    data = in_digits.heap(HOW, [*numbers, PARENT.x ^ flipped, PARENT.y], 256)
    pool, _ = make_pool(data + heap([CODE]))
    found = {one.key.d for one in digit_nonces.search(pool, []) if isinstance(one.key, Ec)}
    assert found == ({key.d, own.d} if flipped else set())


def test_what_a_public_key_names_is_a_key(make_pool: MakePool) -> None:
    """Nobody publishes the point of a tweak."""
    key = output(PARENT.x)
    pool, _ = make_pool(heap([*coordinates(key), PARENT.x.to_bytes(32, "big")]))
    assert told(pool, publics.ec(CURVE, key.x, key.y, kind="certificate")) == {key.d}


def test_numbers_in_digits_are_read(make_pool: MakePool) -> None:
    """A tweak in bytes, of a point in digits."""
    key = output(PARENT.x)
    digits = readings.encode(HOW, PARENT.x, 256)
    spelled = [key.d.to_bytes(32, "big"), key.x.to_bytes(32, "big"), key.y.to_bytes(32, "big")]
    pool, _ = make_pool(heap([*spelled, digits + bytes(4)]))
    assert told(pool) == set()
