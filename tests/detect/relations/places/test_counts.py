"""Numbers of 32-bit limbs behind what counts them: found at any half of a word, and few else."""

import struct
from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import counts
from scanner.detect.relations.weierstrass import ec
from scanner.dump.space import Memory
from scanner.model import Place
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

HEADS: dict[str, tuple[str, ...]] = {
    "sp_int": ("used", "room"),
    "sp_int with a sign": ("used", "room", "sign"),
    "fp_int": ("used", "sign"),
    "fp_int with its size": ("used", "sign", "room"),
}
ROOM = 257


def counted(limbs: bytes, form: str = "sp_int", *, sign: int = 0, room: int = ROOM) -> bytes:
    """Return a structure of wolfSSL's: ints, and limbs with room for more."""
    ints = {"used": len(limbs) // 4, "room": room, "sign": sign}
    head = struct.pack(f"<{len(HEADS[form])}I", *(ints[name] for name in HEADS[form]))
    return head + limbs + bytes(4 * room - len(limbs))


def placed(limbs: bytes, form: str = "sp_int", *, at: int = 4, **ints: int) -> bytes:
    """Put such a structure where its limbs begin so many bytes behind a word."""
    part = counted(limbs, form, **ints)
    return bytes(64 + at - 4 * len(HEADS[form])) + part + bytes(-at % 8 + 4 * len(HEADS[form]))


def ecc_key(key: keys.EcKey) -> bytes:
    """Return x, y, z and k as wolfSSL's ecc_key holds them, one behind the other."""
    width = 4 * -(-key.field_bytes // 4)
    numbers = [number.to_bytes(width, "little") for number in (key.x, key.y, key.d)]
    one = (1).to_bytes(4, "little")
    return b"".join(counted(limbs) for limbs in (*numbers[:2], one, numbers[2]))


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("at", [0, 4])
@pytest.mark.parametrize("form", HEADS)
def test_each_structure_counts(make_pool: MakePool, form: str, at: int, sign: int) -> None:
    """A number is where its structure says; a length of 64 bits is none where a word begins."""
    limbs = noise.uniform(48, 5)
    pool, _ = make_pool(placed(limbs, form, at=at, sign=sign))
    found = counts.likeliest(pool, 48)
    if (form, at) == ("fp_int", 0):
        assert not len(found)
        return
    (position,) = found.tolist()
    assert pool.data[position : position + 48].tobytes() == limbs
    assert not len(counts.likeliest(pool, 32))


@pytest.mark.parametrize(("sign", "room"), [(2, ROOM), (0, 11), (0, 1 << 16)])
def test_what_is_no_structure_counts_nothing(make_pool: MakePool, sign: int, room: int) -> None:
    """A sign is none or one, and there is room for what is used, and not for far more."""
    before = struct.pack("<III", 12, room, sign)
    pool, _ = make_pool(bytes(56) + before + noise.uniform(48, 5) + bytes(64))
    assert not len(counts.likeliest(pool, 48))


def test_a_first_limb_too_small_to_look_random(make_pool: MakePool) -> None:
    """The run begins behind it, as neither it nor what counts has a byte above 0x7f."""
    limbs = bytes.fromhex("11223344") + noise.uniform(44, 5)
    pool, _ = make_pool(placed(limbs))
    (position,) = counts.likeliest(pool, 48).tolist()
    assert position == pool.head[0] - 4


def test_few_are_given_out(make_pool: MakePool) -> None:
    """Of a table of multiples those nearest to a public key, each number once."""
    parts = [placed(noise.uniform(32, seed), room=33) for seed in range(3 * counts.MOST)]
    table = b"".join(parts * 2)
    pool, _ = make_pool(table)
    found = counts.likeliest(pool, 32)
    assert len(found) == counts.MOST
    last = len(table) // 2 - len(parts[0])
    near = counts.likeliest(pool, 32, [Place(space=0, offset=last, size=32)])
    assert abs(pool.place(int(near[0]), 32).offset - last) < 128


def test_a_big_endian_machine_and_an_empty_pool(make_pool: MakePool) -> None:
    """There is nothing to find."""
    assert not len(counts.likeliest(make_pool(placed(noise.uniform(32, 5)), "big")[0], 32))
    assert not len(counts.likeliest(make_pool(bytes(64))[0], 32))
    assert not len(counts.likeliest(make_pool(placed(noise.uniform(32, 5)))[0], 16))


def test_a_scalar_of_32_bit_limbs_in_a_crowd(make_pool: MakePool) -> None:
    """Seen in wolfSSL built for words of 32 bits: every second number begins within a word.

    On four curves, each in a crowd of its own numbers.
    """
    own, data = {}, b""
    for curve in ("P-384", "P-521", "secp256k1", "brainpoolP384r1"):
        key = keys.ec_key(curve)
        crowd = (bytes(16) + noise.uniform(key.field_bytes & ~7, seed) for seed in range(200))
        data += b"".join(crowd) + bytes(64) + ecc_key(key) + bytes(64)
        data += bytes(-len(data) % 8)
        own[key.spki_sha256] = key
    pool, memory = make_pool(data)
    found = list(ec.search(pool, ()))
    assert sorted(describe(one.key).fingerprint.value for one in found) == sorted(own)
    for related in found:
        key = own[describe(related.key).fingerprint.value]
        (place,) = related.places
        there = memory.read(place.space, place.offset, place.size)
        assert there == key.d.to_bytes(key.field_bytes, "little")
        assert place.offset % 8 == 4
        again = ec.again(memory, second_look.told(related))
        assert key.spki_sha256 in {describe(other).fingerprint.value for other in again}
        assert encodings.little_limbs(key.d)[: key.field_bytes] == there
