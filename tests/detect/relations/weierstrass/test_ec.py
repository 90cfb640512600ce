"""EC scalars: found in every form beside every form of the point, and nowhere else."""

import functools
import itertools
import struct
from collections.abc import Callable, Mapping, Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise
from scanner.detect import evidence
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Ec, describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import pool as pools
from scanner.detect.integers import readings
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import nearby
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import ec, matches, points, witnesses
from scanner.detect.relations.weierstrass.curves import CURVES, generator
from scanner.dump.space import Memory
from scanner.model import NONCE, Place
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

KEYS = {curve: keys.ec_key(curve) for curve in keys.CURVES}
SIZE = 1 << 14


def montgomery(number: int, modulus: int, size: int) -> bytes:
    """Spell a number times R, which fills the limbs of ``size`` bytes."""
    whole = -(-size // 8) * 8
    return (number * (1 << 8 * whole) % modulus).to_bytes(size, "little")


ROOMY = {"secp256k1": ((52, 8), (26, 4)), "P-521": ((58, 8),)}
"""Bits of a field's digits, and the bytes of the word that holds each."""


def packed(number: int, bits: int, word: int, whole: int = 256) -> bytes:
    """Spell a number of so many bits in words of so many bytes, of which each holds so many."""
    digits = [number >> at & ((1 << bits) - 1) for at in range(0, whole, bits)]
    return b"".join(digit.to_bytes(word, "little") for digit in digits)


def affine(key: keys.EcKey) -> dict[str, bytes]:
    """Spell the point as protocols and libraries keep it."""
    size, p = key.field_bytes, CURVES[key.curve].p
    wide = 1 << 512 * -(-size // 64)
    fields = {
        f"field of {bits} bits": b"".join(
            packed(number, bits, word, p.bit_length()) for number in (key.x, key.y)
        )
        for bits, word in ROOMY.get(key.curve, ())
    }
    return fields | {
        "uncompressed": encodings.public_point(key),
        "compressed": bytes((2 + key.y % 2,)) + encodings.big_endian(key.x, size),
        "limbs": encodings.little_limbs(key.x, size) + encodings.little_limbs(key.y, size),
        "montgomery": montgomery(key.x, p, size) + montgomery(key.y, p, size),
        "wide montgomery": (key.x * wide % p).to_bytes(size, "little"),
        "32-bit montgomery": ((key.x << 32 * -(-size // 4)) % p).to_bytes(size, "little"),
        "java": encodings.java_words(key.x),
        "CPython": encodings.digits30(key.x),
    }


def scalar(key: keys.EcKey) -> dict[str, tuple[bytes, bytes]]:
    """Spell the scalar, and what an allocator or a format puts before it."""
    size = key.field_bytes
    little, big = encodings.little_limbs(key.d), encodings.big_endian(key.d, size)
    chunk = ((size + 23) & ~15) | 1
    return {
        "limbs": (bytes(8), little),
        "limbs of a chunk": (chunk.to_bytes(8, "little"), little),
        "limbs padded": (bytes(8), little + bytes(80 - len(little))),
        "bytes": (bytes(8), big),
        "octet string": (bytes((0x30, 0x81, 0x04, size)), big),
        "SSH string": (size.to_bytes(4, "big"), big),
    }


def plant(parts: list[tuple[bytes, bytes]], seed: int, surroundings: bytes | None = None) -> bytes:
    """Write the parts in order, each at a multiple of 16, behind what stands before it."""
    data = noise.text(SIZE, seed) if surroundings is None else surroundings
    step = len(data) // len(parts)
    for index, (before, part) in enumerate(parts):
        at = index * step + 16 * (2 + (seed + index) % (step // 16 - 16))
        data = noise.plant(data, at - len(before), before + part + bytes(8))
    return data


def found(pool: Pool, known: list[PublicKey] | None = None) -> list[Related]:
    """Search a pool."""
    return list(ec.search(pool, known or []))


def named(related: Related) -> str:
    """Return the fingerprint of a key that was found."""
    return describe(related.key).fingerprint.value


def assert_all_found(pool: Pool, own: Sequence[keys.EcKey], *, kind: str = "") -> list[Related]:
    """Find these keys and no others, where public keys of a ``kind`` tell of all of them, if any.

    Keys of several curves in one pool take no turns of each other, and little more time than one.
    """
    known = [publics.ec(key.curve, key.x, key.y, kind=kind) for key in own if kind]
    told = found(pool, known)
    assert sorted(map(named, told)) == sorted(key.spki_sha256 for key in own)
    return told


@pytest.mark.parametrize(
    ("curve", "form", "public"),
    [
        pytest.param(curve, form, public, id=f"{curve}-{form}-{public}")
        for curve, key in KEYS.items()
        for form, public in zip(itertools.cycle(scalar(key)), affine(key), strict=False)
    ],
)
def test_a_scalar_is_found_beside_its_point(
    make_pool: MakePool, curve: str, form: str, public: str
) -> None:
    """Whatever spells the scalar and the point, the key is found, where it stands, and again.

    On each curve each spelling of either is tried, though not with each of the other.
    """
    key = KEYS[curve]
    data = plant([scalar(key)[form], (b"", b"\0" + affine(key)[public])], 3)
    pool, memory = make_pool(data)
    (related,) = found(pool)
    assert named(related) == key.spki_sha256
    (place,) = related.places
    there = memory.read(place.space, place.offset, place.size)
    size = key.field_bytes
    assert there in (key.d.to_bytes(size, "little"), encodings.big_endian(key.d, size))
    again = ec.again(memory, second_look.told(related))
    assert key.spki_sha256 in {describe(other).fingerprint.value for other in again}


@pytest.mark.parametrize(
    ("curve", "bits", "word", "past"),
    [
        ("secp256k1", 52, 8, 0),
        ("secp256k1", 26, 4, 0),
        ("secp256k1", 26, 4, 4),
        ("P-521", 58, 8, 0),
    ],
)
def test_a_point_in_words_with_room_for_carries(
    make_pool: MakePool, curve: str, bits: int, word: int, past: int
) -> None:
    """It is told without its scalar, for crowds; y must be behind x. Seen in Anvil (Rust)."""
    key = KEYS[curve]
    whole = CURVES[curve].p.bit_length()
    x, y, other = (packed(number, bits, word, whole) for number in (key.x, key.y, key.y ^ 1))
    before = noise.text(SIZE, 1) + bytes(past) + noise.uniform(32, 2)
    pool, _ = make_pool(before + x + y + bytes(SIZE - past))
    assert [found[1:3] for found in points.encoded(pool)] == [(key.x, key.y)]
    pool, _ = make_pool(before + x + other + bytes(SIZE - past))
    assert list(points.encoded(pool)) == []


@pytest.mark.parametrize("public", ["uncompressed", "compressed", "limbs", "montgomery"])
@pytest.mark.parametrize("curve", ["P-256", "P-384", "secp256k1"])
def test_of_a_scalar_and_its_negative_the_key_is_named(
    make_pool: MakePool, curve: str, public: str
) -> None:
    """Seen in CIRCL, which makes scalars odd: n - d stands before d, and gives the same x."""
    key = KEYS[curve]
    negative = (CURVES[curve].n - key.d).to_bytes(key.field_bytes, "little")
    own = scalar(key)["limbs"]
    parts = [(own[0], negative), own, (b"", bytes(8)), (b"", b"\0" + affine(key)[public])]
    pool, _ = make_pool(plant(parts, 3))
    (related,) = found(pool)
    assert named(related) == key.spki_sha256


def test_a_scalar_of_openssl_in_a_crowd(make_pool: MakePool) -> None:
    """Seen in librdkafka, which holds a hundred roots: OpenSSL gives scalars two words of zeros.

    On two curves, each in a crowd of its own numbers.
    """
    own, data = [KEYS["P-384"], KEYS["P-521"]], b""
    for key in own:
        size = -(-key.field_bytes // 8) * 8
        numbers = noise.uniform(size * 700, 5)
        lone = [numbers[at : at + size] for at in range(0, len(numbers), size)]
        crowd = b"".join(bytes(16) + raw[: key.field_bytes - 1] + bytes(9) for raw in lone)
        chunk = ((size + 24 + 15) & ~15 | 1).to_bytes(8, "little")
        data += crowd + bytes(16) + chunk + key.d.to_bytes(size + 16, "little") + bytes(16)
        data += crowd[: len(crowd) // 2]
    assert_all_found(make_pool(data)[0], own, kind="known")


def test_freed_blocks_take_no_turn_of_a_scalar(make_pool: MakePool) -> None:
    """Seen in Perl: near points of roots stood what was left of them, in the blocks of glibc."""
    key = KEYS["P-384"]
    point, rest = encodings.public_point(key), noise.uniform(40 * 400, 5)
    links = (0x558941000000 + at for at in range(0, len(rest), 40))
    freed = [
        struct.pack("<QQ", 0x40, link) + rest[at : at + 40]
        for at, link in zip(range(0, len(rest), 40), links, strict=True)
    ]
    own = struct.pack("<QQ", 0, 0x51) + encodings.little_limbs(key.d, 48) + bytes(24)
    data = bytes(15) + point + b"".join(bytes(16) + each for each in (*freed, own)) + bytes(16)
    (related,) = found(make_pool(data)[0])
    assert named(related) == key.spki_sha256


@pytest.mark.parametrize("few", [False, True])
def test_a_scalar_of_a_named_curve_that_few_use(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, *, few: bool
) -> None:
    """Seen in Perl: a server of eleven certificates, where other numbers took all the turns.

    On three curves, each among others of its size.
    """
    monkeypatch.setattr(pools, "FEW_RUNS", FEW_RUNS if few else 100)
    own, data = [], b""
    for curve, others in (
        ("brainpoolP256r1", 400),
        ("brainpoolP384r1", 180),
        ("brainpoolP512r1", 110),
    ):
        key = keys.ec_key(curve)
        size = key.field_bytes
        raw = noise.uniform(others * size, 5)
        lone = [raw[at : at + size] for at in range(0, len(raw), size)]
        lone.insert(others * 9 // 10, encodings.little_limbs(key.d, size))
        data += b"".join(bytes(16) + each for each in lone)
        own.append(key)
    pool, _ = make_pool(data + bytes(16))
    assert pool.few == few
    assert_all_found(pool, own, kind="known")


@functools.cache
def a_store_of_certificates(
    curve: str, roots: int, at: int = 0
) -> tuple[bytes, list[PublicKey], keys.EcKey]:
    """Compose what a server keeps of roots, and between them of its own certificate and key.

    Of each the certificate, the encoded point and OpenSSL's coordinates, pointers between them. The
    own scalar fills its block to the byte, 384 bytes behind x, with no allocator's size before it.
    """
    own = keys.ec_key(curve, label="served")
    points_of = [keys.ec_key(curve, label=f"root {index}") for index in range(roots)]
    points_of.insert(roots // 2, own)
    data, known = bytearray(), []
    for index, key in enumerate(points_of):
        size = -(-key.field_bytes // 8) * 8
        links = noise.pointers(512, index)
        x, y, d = (encodings.little_limbs(number, size) for number in (key.x, key.y, key.d))
        certificate = encodings.certificate_der(key, serial=index + 1)
        place = Place(space=0, offset=at + len(data) + 64, size=len(certificate))
        known.append(publics.ec(curve, key.x, key.y, kind="certificate", place=place))
        for part in (certificate, encodings.public_point(key)):
            data += links[:56] + bytes(8) + part + bytes(-len(part) % 16)
        data += links[:64] + x + links[: 384 - 2 * size - 64] + y + links[:64]
        data += (d if key is own else b"") + links[:64]
    return bytes(data), known, own


def test_a_scalar_among_many_certificates(make_pool: MakePool) -> None:
    """Seen in haproxy, whose allocator keeps no sizes, with 39 roots of P-384 in its store.

    Neither their points nor what their certificates hold is tried before it. On three curves.
    """
    data, known, own = b"", list[PublicKey](), list[keys.EcKey]()
    for curve, roots in (("P-384", 40), ("P-521", 150), ("brainpoolP512r1", 40)):
        store, certified, key = a_store_of_certificates(curve, roots, len(data))
        data += store
        known += certified
        own.append(key)
    pool, memory = make_pool(data)
    told = found(pool, known)
    assert sorted(map(named, told)) == sorted(key.spki_sha256 for key in own)
    places = [place for related in told for place in related.places]
    raws = [memory.read(place.space, place.offset, place.size) for place in places]
    assert sorted(int.from_bytes(raw, "little") for raw in raws) == sorted(key.d for key in own)


def test_another_scalar_among_many_certificates(make_pool: MakePool) -> None:
    """With one bit flipped it is none of theirs."""
    data, known, key = a_store_of_certificates("P-384", 40)
    d = encodings.little_limbs(key.d, 48)
    pool, _ = make_pool(data.replace(d, bytes((d[0] ^ 1,)) + d[1:]))
    assert found(pool, known) == []


def test_scalars_of_a_server_of_many_keys(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in haproxy with 4,000 certificates on P-256, whose allocator keeps no sizes.

    Of each key stand the encoded point, OpenSSL's coordinates, and d, in blocks of their own.
    """
    monkeypatch.setitem(ec.MOST, "P-256", (40, 40, 40))
    monkeypatch.setattr(nearby, "_STORE", 20)
    served = [keys.ec_key("P-256", label=f"served {index}") for index in range(60)]
    data, known = bytearray(), []
    for index, key in enumerate(served):
        links, p = noise.pointers(256, index), CURVES["P-256"].p
        x, y = (montgomery(number, p, 32) for number in (key.x, key.y))
        place = Place(space=0, offset=len(data) + 48, size=65)
        known.append(publics.ec("P-256", key.x, key.y, kind="certificate", place=place))
        data += links[:48] + encodings.public_point(key) + bytes(15)
        for part in (x, y, noise.uniform(32, index), encodings.little_limbs(key.d, 32)):
            data += links + part
    pool, _ = make_pool(bytes(data))
    told = {named(related) for related in found(pool, known)}
    assert len(told & {key.spki_sha256 for key in served}) >= 58


def test_a_scalar_of_a_slab_of_equal_objects_among_many_edges(make_pool: MakePool) -> None:
    """Seen in BIND with 300 zones: scalars of P-384 among coordinates, three or four side by side.

    Edges of runs of other lengths are far more than are tried.
    """
    key = KEYS["P-384"]
    numbers = noise.uniform(104 * 700, 5)
    crowd = b"".join(bytes(16) + numbers[at : at + 104] for at in range(0, len(numbers), 104))
    slab = noise.uniform(48, 1) + encodings.little_limbs(key.d, 48) + noise.uniform(96, 2)
    known = publics.ec("P-384", key.x, key.y, kind="known")
    (related,) = found(make_pool(crowd + bytes(16) + slab + crowd)[0], [known])
    assert named(related) == key.spki_sha256


def test_what_is_beside_a_point_takes_no_room_of_others(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in nginx with jemalloc on 32-bit x86: a handshake lay beside a copy of the point."""
    monkeypatch.setitem(ec.MOST, "P-384", (40, 40, 40))
    key, links = KEYS["P-384"], noise.pointers(64, 1)
    place = Place(space=0, offset=1000, size=97)
    known = publics.ec("P-384", key.x, key.y, kind="certificate", place=place)
    others = b"".join(links + noise.uniform(48, index) for index in range(14))
    d = encodings.little_limbs(key.d, 48)
    data = noise.uniform(2048, 3) + others + links + d + links
    (related,) = found(make_pool(data)[0], [known])
    assert named(related) == key.spki_sha256


def test_a_scalar_beside_a_bare_coordinate_among_points_of_signatures(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in Go: d, x and y in blocks of 112 bytes; what computes a signature leaves points."""
    monkeypatch.setitem(ec.MOST, "P-384", (40, 40, 40))
    key, step = KEYS["P-384"], 112
    passing = [keys.ec_key("P-384", label=f"passing {index}") for index in range(30)]
    data = bytearray()
    for index, other in enumerate(passing):
        numbers = (noise.uniform(48, 2 * index + each) for each in range(2))
        data += bytes(32) + b"".join(number + bytes(16) for number in numbers)
        data += encodings.public_point(other)
    data += bytes(-len(data) % step + step)
    for number in (key.d, key.x, key.y):
        data += encodings.little_limbs(number, 48).ljust(step, b"\0")
    (related,) = found(make_pool(bytes(data) + encodings.public_point(key))[0])
    assert named(related) == key.spki_sha256


def test_a_scalar_far_from_the_points_of_a_store(make_pool: MakePool) -> None:
    """Seen in stunnel: a block that the scalar fills, 8 kB from x, behind what its allocator keeps.

    Numbers that begin or end beside points are more than are tried.
    """
    data, known, key = a_store_of_certificates("P-384", 40)
    d = encodings.little_limbs(key.d, 48)
    crowd = bytearray()
    for index, root in enumerate(known):
        numbers = noise.uniform(72 * 5, index)
        crowd += noise.pointers(512, index) + encodings.little_limbs(root.x, 48)
        crowd += b"".join(bytes(24) + numbers[at : at + 72] for at in range(0, 72 * 5, 72))
    head = struct.pack("<4Q", 0x115, 0xABADBEBA << 16, 0xA110C8ED << 16, 0)
    far = bytes(64) + noise.pointers(8192) + head + d + bytes(64)
    pool, _ = make_pool(data.replace(d, b"") + crowd + far)
    assert [named(related) for related in found(pool, known)] == [key.spki_sha256]


@pytest.mark.parametrize("announced", [True, False])
def test_a_scalar_that_may_be_the_x_of_a_compressed_point(
    make_pool: MakePool, announced: bool
) -> None:
    """Sui writes 02 before a scalar of P-256; half of all scalars are the x of some point."""
    key = keys.ec_key("P-256", label="2")
    head = (33).to_bytes(8, "little") + b"\2" if announced else bytes(8)
    parts = [(head, encodings.big_endian(key.d, 32)), (b"", encodings.public_point(key))]
    pool, _ = make_pool(plant(parts, 3))
    assert (key.d in {x for _, x, _, _ in points.compressed(pool)}) == announced
    assert [named(related) for related in found(pool)] == [key.spki_sha256]


def test_a_scalar_before_its_compressed_point_in_a_crowd(make_pool: MakePool) -> None:
    """Seen in Node.js (ecurve): both stand in a pool of buffers, and nothing counts their bytes."""
    key = keys.ec_key("secp256k1")
    numbers = noise.uniform(32 * 2_500, 5)
    crowd = b"".join(bytes(8) + numbers[at : at + 32] for at in range(0, len(numbers), 32))
    point = bytes((2 + key.y % 2,)) + encodings.big_endian(key.x, 32)
    own = bytes(8) + encodings.big_endian(key.d, 32) + point + bytes(7)
    (related,) = found(make_pool(crowd + own + crowd[: len(crowd) // 2])[0])
    assert named(related) == key.spki_sha256


def test_a_scalar_behind_the_bignum_that_counts_its_limbs(make_pool: MakePool) -> None:
    """Seen in AWS-LC, whose tables of points have edges of runs nearer to points than scalars.

    On two curves, limbs of 64 bits on one and of 32 on the other, in a crowd of its own numbers.
    """
    own, data = [KEYS["P-384"], KEYS["P-521"]], b""
    for key, limb in zip(own, (8, 4), strict=True):
        size = -(-key.field_bytes // 8) * 8
        numbers = noise.uniform(size * 4_500, 5)
        lone = [numbers[at : at + size - 8] for at in range(0, len(numbers), size)]
        crowd = b"".join(
            bytes(16) + raw + bytes((at % 8, *bytes(15))) for at, raw in enumerate(lone)
        )
        count = (-(-key.field_bytes // limb)).to_bytes(4, "little")
        scalar = count + count + bytes(4) + b"\2\0\0\0" + encodings.little_limbs(key.d)
        data += crowd + bytes(16) + scalar + bytes(24) + crowd[: len(crowd) // 2]
    pool, _ = make_pool(data)
    assert not pool.few
    assert_all_found(pool, own, kind="known")


def test_a_freed_scalar_before_its_known_point_in_a_crowd(make_pool: MakePool) -> None:
    """Seen in ring: what was freed before the scalar joins its run, which ends at the point.

    On two curves, each in a crowd of its own numbers.
    """
    own, data = [KEYS["P-384"], KEYS["P-521"]], b""
    for key in own:
        size = key.field_bytes
        lone = noise.uniform(size * 700, 5)
        crowd = b"".join(bytes(16) + lone[at : at + size] for at in range(0, len(lone), size))
        point = encodings.public_point(key)
        private = montgomery(key.d, CURVES[key.curve].n, -(-size // 8) * 8)
        record = noise.uniform(72, 6) + private + len(point).to_bytes(8, "little") + point
        data += crowd + bytes(32) + record + bytes(32) + crowd
        data += bytes(-len(data) % 16)
    told = assert_all_found(make_pool(data)[0], own, kind="known")
    assert {related.encoding for related in told} == {"d limbs-le montgomery"}


def test_every_copy_of_a_point_leads_to_its_scalar(make_pool: MakePool) -> None:
    """Seen in ring: the scalar ends a run before its point; a certificate is elsewhere, in a crowd.

    More may be scalars there than are tried, the last bytes of each no less likely. One scalar
    stands as it is, and another one, far from it, in Montgomery form.
    """
    key, other = own = [keys.ec_key("P-384", label=label) for label in ("default", "other")]
    rows = [noise.uniform(136, seed) for seed in range(ec.MOST["P-384"][1])]
    numbers = key.d, (other.d << 384) % CURVES["P-384"].n
    for each, number, at in zip(own, numbers, (len(rows), len(rows) // 2), strict=True):
        scalar = number.to_bytes(48, "little") + (97).to_bytes(8, "little")
        mine = noise.uniform(88, 7777) + scalar + encodings.public_point(each)
        rows.insert(at, mine + bytes(-len(mine) % 16))
    pool, _ = make_pool(b"".join(bytes(32) + row for row in rows) + bytes(32))
    place = Place(space=0, offset=32, size=96)
    known = [publics.ec("P-384", one.x, one.y, kind="certificate", place=place) for one in own]
    assert sorted(map(named, found(pool, known))) == sorted(each.spki_sha256 for each in own)


@pytest.mark.parametrize("form", ["plain", "montgomery"])
def test_a_point_in_runs_of_its_own_leads_to_its_scalar(make_pool: MakePool, form: str) -> None:
    """Among more numbers of a coordinate's size than are tried, those near the point come first."""
    key = KEYS["P-384"]
    size, p = key.field_bytes, CURVES[key.curve].p
    radix = CURVES[key.curve].radix if form == "montgomery" else 1
    others = [noise.uniform(size, seed) for seed in range(sum(ec.MOST["P-384"][:2]) // 2 + 4)]
    own = [(n % p).to_bytes(size, "little") for n in (key.x * radix, key.y * radix, key.d)]
    pool, _ = make_pool(b"".join(bytes(32) + part for part in (*others, *own)) + bytes(32))
    assert [named(related) for related in found(pool)] == [key.spki_sha256]


@pytest.mark.parametrize("flipped", [False, True])
def test_a_point_in_runs_of_its_own_in_a_crowd(make_pool: MakePool, flipped: bool) -> None:
    """Where there are very many runs, a point is one whose coordinates stand side by side."""
    key = KEYS["P-256"]
    crowd = noise.uniform(32 * (FEW_RUNS + 100), 3)
    lone = [crowd[at : at + 32] for at in range(0, len(crowd), 32)]
    head = (0x31).to_bytes(8, "little")
    x, y = (n.to_bytes(32, "little") for n in (key.x, key.y ^ flipped))
    mine = head + x + bytes(8) + head + y + bytes(8)
    pool, _ = make_pool(b"".join(bytes(56) + part for part in lone) + bytes(56) + mine + bytes(64))
    told = [(curve, x, y) for curve, x, y, _ in points.affine(pool)]
    assert not pool.few
    assert told == ([] if flipped else [("P-256", key.x, key.y)])


def test_a_scalar_of_p521_in_a_crowd_of_longer_numbers(make_pool: MakePool) -> None:
    """Seen in PARI/GP: a word of counts before each number, 66 words of many of them.

    No such count is of bytes, and what fills a run of its own is rarer: a point, and its scalar.
    """
    key = KEYS["P-521"]
    head = (66).to_bytes(8, "little")[:7] + b"\x40"
    others = [noise.uniform(512, 1000 + at) for at in range(200)]
    others += [noise.uniform(32, at) for at in range(FEW_RUNS)]
    longer = b"".join((head if len(raw) > 500 else bytes(8)) + raw + bytes(24) for raw in others)
    head = (11).to_bytes(8, "little")[:7] + b"\x40"
    mine = b"".join(
        head + encodings.little_limbs(number, 72) + bytes(96) for number in (key.d, key.x, key.y)
    )
    pool, _ = make_pool(bytes(64) + longer + mine)
    assert not pool.few
    assert [named(related) for related in found(pool)] == [key.spki_sha256]


def test_a_scalar_of_p384_among_numbers_of_a_signature(make_pool: MakePool) -> None:
    """Seen in Node.js: BigInts without end, of which one stands as bytes too; x is in an array."""
    key = KEYS["P-384"]
    head = (0x2A1C71200F41).to_bytes(8, "little") + (12).to_bytes(8, "little")
    raw = noise.uniform(48 * 1_500 + 32 * FEW_RUNS, 5)
    lone = [raw[at : at + 48] for at in range(0, 48 * 1_500, 48)]
    lone[900] = key.d.to_bytes(48, "little")
    data = b"".join(head + each + bytes(8) for each in lone)
    data += b"".join(bytes(16) + raw[at : at + 32] for at in range(48 * 1_500, len(raw), 32))
    x, d = (number.to_bytes(48, "big") for number in (key.x, key.d))
    data += bytes(12) + (49).to_bytes(4, "little") + bytes((2 + key.y % 2,)) + x + bytes(40)
    pool, _ = make_pool(data + noise.uniform(61, 7) + d + noise.uniform(64, 8) + bytes(64))
    assert not pool.few
    assert [named(related) for related in found(pool)] == [key.spki_sha256]


def test_a_scalar_beside_its_point_in_one_run(make_pool: MakePool) -> None:
    """Seen in rust-secp256k1: x, the scalar, it again and the point; nobody else uses the curve.

    And the same on P-384, whose run goes on behind the point; each in a crowd of its own numbers.
    """
    own, data = [KEYS["secp256k1"], KEYS["P-384"]], b""
    for key, last in zip(own, (bytes(8), bytes((0, *range(201, 208)))), strict=True):
        size = key.field_bytes
        numbers = noise.uniform(size * 1_900, 7)
        crowd = b"".join(numbers[at : at + size] + bytes(16) for at in range(0, len(numbers), size))
        d, x = encodings.big_endian(key.d, size), encodings.big_endian(key.x, size)
        data += crowd + x + d + d + affine(key)["limbs"] + last + bytes(16) + crowd
    pool, _ = make_pool(data)
    assert pool.few
    assert {related.proof for related in assert_all_found(pool, own)} == {matches.PROOF}


def test_a_scalar_between_others_and_its_point(make_pool: MakePool) -> None:
    """Seen in Node.js's pool of buffers: a signature, the scalar, its point; more stand elsewhere.

    All sizes of 32 bytes share a list, of which a curve that is dear to try sees the beginning:
    there, what stands next to points of P-256. One scalar is at whole words, and one is not.
    """
    other, own = (
        KEYS["P-256"],
        {shift: keys.ec_key("secp256k1", label=f"{shift}") for shift in (0, 5)},
    )
    numbers = noise.uniform(32 * 4_000, 9)
    crowd = b"".join(numbers[at : at + 32] + bytes(16) for at in range(0, len(numbers), 32))
    told = b"".join(
        bytes(16) + numbers[at : at + 32] + bytes(8) + encodings.public_point(other) + bytes(15)
        for at in range(0, 32 * 200, 32)
    )
    both = b""
    for shift, key in own.items():
        both += bytes(64) + noise.uniform(1024 + shift, 8) + encodings.big_endian(key.d, 32)
        both += encodings.public_point(key) + noise.uniform(512, 10) + bytes(-shift - 65 & 15)
    pool, _ = make_pool(crowd + told + both + bytes(64) + crowd)
    assert {key.spki_sha256 for key in own.values()} <= {named(related) for related in found(pool)}


@pytest.mark.parametrize("shift", range(1, 8))
def test_limbs_at_any_byte_of_what_has_no_address(make_pool: MakePool, shift: int) -> None:
    """Seen in Go's own dump of a heap: objects behind counts that have a byte or more."""
    key = KEYS["P-256"]
    data = noise.text(SIZE, 7)
    for at, number in enumerate((key.x, key.d, key.y), 1):
        raw = b"\x80\x18\x40" + encodings.little_limbs(number, 32) + bytes(24)
        data = noise.plant(data, 1024 * at + shift * at, raw)
    pool, memory = make_pool(data, addressed=False)
    (related,) = found(pool)
    assert named(related) == key.spki_sha256
    assert related.encoding == "d limbs-le"
    assert key.d in {
        one.d for one in ec.again(memory, second_look.told(related)) if isinstance(one, Ec)
    }


@pytest.mark.parametrize("label", ["ak", "al", "bl", "bm", "bn"])
def test_a_field_whose_words_are_filled_in_part(make_pool: MakePool, label: str) -> None:
    """Four bytes of 24 are filled in part, or not at all: of three points one looked not random."""
    key = keys.ec_key("secp256k1", label=label)
    d, point = encodings.little_limbs(key.d), affine(key)["field of 52 bits"]
    data = noise.plant(noise.text(SIZE, 3), 2048, bytes(8) + d + bytes(8))
    data = noise.plant(data, 4096, bytes(8) + point + bytes(8))
    (related,) = found(make_pool(data)[0])
    assert named(related) == key.spki_sha256


def big_endian_words(number: int, size: int, word: int) -> bytes:
    """Spell a number as a big-endian machine does: limbs, least significant first."""
    raw = number.to_bytes(-(-size // word) * word, "big")
    return b"".join(raw[at : at + word] for at in range(len(raw) - word, -1, -word))


@pytest.mark.parametrize("form", ["limbs", "montgomery"])
@pytest.mark.parametrize("word", [4, 8])
@pytest.mark.parametrize("curve", KEYS)
def test_a_scalar_is_found_on_a_big_endian_machine(
    make_pool: MakePool, curve: str, word: int, form: str
) -> None:
    """Each limb is big-endian there, and the least significant one comes first (s390x, PowerPC)."""
    key = KEYS[curve]
    size, p = key.field_bytes, CURVES[curve].p
    radix = 1 << 8 * word * -(-size // word) if form == "montgomery" else 1
    d, x = big_endian_words(key.d, size, word), big_endian_words(key.x * radix % p, size, word)
    pool, memory = make_pool(plant([(bytes(8), d), (b"", bytes(8) + x)], 4), "big")
    (related,) = found(pool)
    assert related.encoding == f"d limbs-be{8 * word}"
    assert named(related) == key.spki_sha256
    (place,) = related.places
    assert memory.read(place.space, place.offset, place.size) == d
    again = ec.again(memory, second_look.told(related))
    assert key.spki_sha256 in {describe(other).fingerprint.value for other in again}


@pytest.mark.parametrize("coordinates", ["x", "xy"])
@pytest.mark.parametrize("curve", ["P-224", "P-256", "P-521"])
def test_a_scalar_in_montgomery_form_on_a_big_endian_machine(
    make_pool: MakePool, curve: str, coordinates: str
) -> None:
    """Seen in Botan 3 on s390x, of a freed key: its point is named by nobody, and in limbs."""
    key = keys.ec_key(curve)
    private = key.d * CURVES[curve].radix % CURVES[curve].n
    numbers = (private, *(getattr(key, name) for name in coordinates))
    parts = [big_endian_words(number, key.field_bytes, 8) for number in numbers]
    pool, memory = make_pool(b"".join(bytes(64) + part for part in parts) + bytes(64), "big")
    (related,) = found(pool)
    assert related.encoding == "d limbs-be64 montgomery"
    assert named(related) == key.spki_sha256
    again = ec.again(memory, second_look.told(related))
    assert key.spki_sha256 in {describe(other).fingerprint.value for other in again}


@pytest.mark.parametrize(
    ("curve", "digit", "word"),
    [("P-384", 30, 4), ("secp256k1", 52, 8), ("secp256k1", 26, 4), ("P-521", 58, 8)],
)
def test_a_point_in_digits_on_a_big_endian_machine(
    make_pool: MakePool, curve: str, digit: int, word: int
) -> None:
    """The scalar stands in limbs: of Python's integers one is the point, or it is a field's."""
    key = KEYS[curve]
    how = Reading(name="digits", digit=digit, word=word, swapped=True, align=word)
    x = readings.encode(how, key.x, CURVES[curve].p.bit_length())
    d = big_endian_words(key.d, key.field_bytes, 8)
    pool, _ = make_pool(plant([(bytes(8), d), (b"", bytes(8) + x)], 4), "big")
    (related,) = found(pool)
    assert named(related) == key.spki_sha256


def test_a_scalar_of_p521_that_is_counted_without_its_zero(make_pool: MakePool) -> None:
    """Seen in wolfSSL on 32-bit ARM: 65 bytes in use, a zero and limbs, among passing numbers."""
    key = evidence.ec_derived("P-521", int.from_bytes(noise.uniform(65, 3), "big"))
    assert key is not None
    counted = (65).to_bytes(8, "little") + key.d.to_bytes(72, "little")
    passing = [noise.uniform(65, at) + bytes(15) for at in range(100)]
    crowd = b"".join(passing[:50]) + bytes(8) + counted + bytes(16) + b"".join(passing[50:])
    x = bytes(4) + key.x.to_bytes(72, "little")
    pool, _ = make_pool(noise.text(1 << 12, 1) + bytes(16) + crowd + noise.text(1 << 12, 2) + x)
    assert [describe(one.key).fingerprint for one in found(pool)] == [describe(key).fingerprint]


def test_limbs_of_coordinates_take_no_turns_of_scalars(make_pool: MakePool) -> None:
    """Seen in Go on s390x: whatever its curve code left ends with zeros, as limbs of P-521 do."""
    key, p = KEYS["P-521"], CURVES["P-521"].p
    passing = [int.from_bytes(noise.uniform(65, at), "big") for at in range(200)]
    crowd = b"".join(big_endian_words(number, 66, 8) + bytes(8) for number in passing)
    d = (66).to_bytes(4, "big") + encodings.big_endian(key.d, 66)
    x = big_endian_words((key.x << 576) % p, 66, 8)
    data = noise.text(1 << 12, 1) + bytes(16) + crowd + bytes(12) + d + bytes(30) + x + bytes(16)
    pool, _ = make_pool(data, "big")
    assert key.spki_sha256 in map(named, found(pool))


@pytest.mark.parametrize("word", [8, 4])
def test_multiples_of_a_table_take_no_turns_of_scalars(make_pool: MakePool, word: int) -> None:
    """Seen in Go on s390x and MIPS: its multiples of G on P-521 have limbs of 64 bits on both."""
    key, p = KEYS["P-521"], CURVES["P-521"].p
    table = b"".join(
        big_endian_words(int.from_bytes(b"\1" + noise.uniform(65, at), "big"), 66, 8)
        for at in range(600)
    )
    d = bytes(64) + big_endian_words(key.d, 66, word) + bytes(64)
    x = big_endian_words((key.x << 576) % p, 66, 8)
    pool, _ = make_pool(bytes(64) + table + d + x + bytes(64), "big", word=word)
    assert key.spki_sha256 in map(named, found(pool))


@pytest.mark.parametrize("curve", KEYS)
def test_a_known_point_needs_not_stand_there(make_pool: MakePool, curve: str) -> None:
    """The point of a certificate or of the operator's list bears witness as well."""
    key = KEYS[curve]
    pool, _ = make_pool(plant([scalar(key)["limbs"]], 5))
    assert found(pool) == []
    witness = publics.ec(curve, key.x, key.y, kind="known")
    assert [named(related) for related in found(pool, [witness])] == [key.spki_sha256]


@pytest.mark.parametrize("curve", KEYS)
def test_a_freed_scalar_behind_what_overwrote_the_rest(make_pool: MakePool, curve: str) -> None:
    """The point ends right before the scalar, random bytes follow: no edge of a run is near."""
    key = KEYS[curve]
    point = encodings.public_point(key)
    freed = noise.uniform(48, 3) + point + noise.uniform(-len(point) % 16, 1)
    freed += encodings.little_limbs(key.d) + noise.uniform(56, 2)
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 5), 1024, bytes(8) + freed + bytes(8)))
    assert key.spki_sha256 in map(named, found(pool))


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
@pytest.mark.parametrize("form", ["point", "limbs"])
def test_a_freed_point_whose_y_is_left(make_pool: MakePool, curve: str, form: str) -> None:
    """An allocator wrote over the first 16 bytes of the block, and x stands nowhere."""
    key = KEYS[curve]
    block = encodings.public_point(key) if form == "point" else encodings.little_limbs(key.y)
    point = noise.uniform(16, 8) + block[16:]
    big = encodings.big_endian(key.d, key.field_bytes)
    parts = [(len(big).to_bytes(8, "little"), big), (bytes(8), point)]
    pool, _ = make_pool(plant(parts, 5))
    (related,) = found(pool)
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert related.proof == matches.PROOF
    other = bytes((big[-1] ^ 1,)) + big[1:]
    pool, _ = make_pool(plant([(parts[0][0], other), parts[1]], 5))
    assert not found(pool)


@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("spell", ["limbs", "bytes", "java"])
def test_a_scalar_of_p521_that_needs_a_word_less(
    make_pool: MakePool, spell: str, word: int
) -> None:
    """One of 512 does. Seen in OpenSSL: a pointer that had been freed stood behind its limbs."""
    key = evidence.ec_derived("P-521", int.from_bytes(noise.uniform(64, 3), "big"))
    assert key is not None
    before, raw = {
        "limbs": (struct.pack("<Q", 0x51), encodings.little_limbs(key.d, 64)),
        "bytes": (bytes(6) + b"\x04\x40", encodings.big_endian(key.d, 64)),
        "java": (struct.pack("<Q", 16 << 32 | 0x1030), encodings.java_words(key.d)),
    }[spell]
    behind = struct.pack("<QQ", 0x7F_A402_A39E_40, 0x51)
    data = plant([(before, raw + behind)], 3)
    known = [publics.ec("P-521", key.x, key.y, kind="known")]
    pool, memory = make_pool(data, word=word)
    (related,) = found(pool, known)
    assert named(related) == describe(key).fingerprint.value
    assert related.places[0].size == 64
    assert key.d in {m.d for m in ec.again(memory, second_look.told(related)) if type(m) is Ec}


@pytest.mark.parametrize("length", [b"\x41\0", b"\0\0\0\x41", b"\x04\x41"])
def test_a_scalar_of_p521_without_its_leading_zero(make_pool: MakePool, length: bytes) -> None:
    """Half of the scalars are 65 bytes long where numbers have no leading zeros."""
    key = KEYS["P-521"]
    short = noise.uniform(52, 1) + length + encodings.big_endian(key.d) + noise.uniform(40, 2)
    parts = [(bytes(8), short), (bytes(8), encodings.public_point(key))]
    pool, memory = make_pool(plant(parts, 3))
    (related,) = found(pool)
    assert named(related) == key.spki_sha256
    fresh = [describe(each) for each in ec.again(memory, second_look.told(related))]
    assert key.spki_sha256 in {each.fingerprint.value for each in fresh}


def test_a_scalar_of_p521_without_its_zero_in_a_crowd(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in SoftHSM on 32-bit x86: those with their zero are as many as are tried."""
    monkeypatch.setitem(ec.MOST, "P-521", (16, 16, 16))
    key = KEYS["P-521"]
    others = b"".join(noise.uniform(65, seed) + b"\1" + bytes(22) for seed in range(40))
    short = struct.pack("<Q", 0x51) + encodings.big_endian(key.d) + bytes(23)
    data = bytes(64) + others + encodings.public_point(key) + bytes(11) + others + short
    pool, _ = make_pool(data + bytes(64))
    assert list(map(named, found(pool))) == [key.spki_sha256]


def test_scalars_near_a_point_as_a_library_spells_it_come_first(make_pool: MakePool) -> None:
    """Of more numbers than are derived, those beside the point's limbs are."""
    key = KEYS["P-384"]
    objects = [noise.uniform(48, seed) for seed in range(1200)]
    objects[900:902] = [encodings.little_limbs(key.x, 48), encodings.little_limbs(key.d, 48)]
    data = encodings.public_point(key) + bytes(15) + b"".join(bytes(16) + each for each in objects)
    pool, _ = make_pool(data + bytes(16))
    assert [key.spki_sha256] == list(map(named, found(pool)))


@pytest.mark.parametrize("announced", ["CPython", "64 bits", "32 bits"])
def test_a_scalar_behind_a_version(make_pool: MakePool, announced: str) -> None:
    """What WIF decodes to: 80, the scalar, 01 and a checksum, with no zero byte around."""
    key = KEYS["secp256k1"]
    raw = b"\x80" + encodings.big_endian(key.d, 32) + b"\x01\x9a\xbc\xde\xf0"
    head = {
        "CPython": len(raw).to_bytes(8, "little") + b"\xff" * 8,
        "64 bits": len(raw).to_bytes(8, "little"),
        "32 bits": len(raw).to_bytes(4, "little"),
    }[announced]
    data = noise.plant(noise.text(SIZE, 7), 1024 - len(head), head + raw)
    data = noise.plant(data, 8192, bytes(8) + encodings.public_point(key) + bytes(8))
    (found,) = ec.search(make_pool(data)[0], ())
    assert describe(found.key).fingerprint.value == key.spki_sha256
    assert found.places == (Place(space=0, offset=1025, size=32),)


def assert_found_in_crowd(
    make_pool: MakePool, own: Sequence[keys.EcKey], objects: Sequence[bytes]
) -> None:
    """Find the keys that some of many objects hold, and no others; their points stand before."""
    points = [encodings.public_point(key) for key in own]
    before = b"".join(bytes(-len(point) % 8 + 16) + point for point in points)
    pool, _ = make_pool(before + b"".join(bytes(16) + each for each in objects) + bytes(32))
    assert not pool.few
    assert sorted(map(named, found(pool))) == sorted(key.spki_sha256 for key in own)


def test_a_scalar_behind_a_byte_or_a_few_in_a_crowd(make_pool: MakePool) -> None:
    """Seen in BearSSL, of whose decoder's buffer a scalar is the second part.

    Behind one byte and behind three, on each of three curves.
    """
    leads = list(itertools.product(("P-256", "P-384", "P-521"), (1, 3)))
    own = [keys.ec_key(curve, label=f"behind {lead}") for curve, lead in leads]
    objects = [noise.uniform(56 + at % 5 * 8, at) for at in range(FEW_RUNS + 99)]
    for at, (key, (_, lead)) in enumerate(zip(own, leads, strict=True)):
        raw = noise.uniform(lead, 3) + encodings.big_endian(key.d, key.field_bytes)
        objects[FEW_RUNS // 3 + 500 * at] = raw + bytes(-len(raw) % 8)
    assert_found_in_crowd(make_pool, own, objects)


def test_a_scalar_behind_the_count_of_its_bits_in_a_crowd(make_pool: MakePool) -> None:
    """Seen in Erlang/OTP 27: a binary on the heap of a process, between pointers. On two curves."""
    own = [KEYS["P-256"], KEYS["P-384"]]
    objects = [noise.uniform(own[at % 2].field_bytes, at) for at in range(FEW_RUNS + 99)]
    links = struct.pack("<QQ", 0x7F9852A11301, 0x7F9852A111F2)
    for at, key in enumerate(own):
        scalar = encodings.big_endian(key.d, key.field_bytes)
        head = struct.pack("<QQ", (len(scalar) // 8 + 1) << 6 | 0x20, 8 * len(scalar))
        objects[FEW_RUNS // 3 + 500 * at] = links + head + scalar + links
    assert_found_in_crowd(make_pool, own, objects)


def test_a_scalar_that_a_generator_gave_out_in_a_crowd(make_pool: MakePool) -> None:
    """Seen in Deno: a key was let go, and what it came from stood in rand's block of 256 bytes.

    On two curves.
    """
    own = [KEYS["P-256"], KEYS["P-384"]]
    objects = [noise.uniform(56, at) for at in range(FEW_RUNS + 99)]
    for at, key in enumerate(own):
        drawn = noise.uniform(20, 1) + encodings.big_endian(key.d, key.field_bytes)
        block = (drawn + noise.uniform(256, 2))[:256] + (len(drawn) // 4 + 3).to_bytes(8, "little")
        objects[FEW_RUNS // 3 + 500 * at] = block
    assert_found_in_crowd(make_pool, own, objects)


def test_a_derived_point_bears_no_witness(make_pool: MakePool) -> None:
    """A point that was derived from the parsed key itself proves nothing."""
    key = KEYS["P-256"]
    pool, _ = make_pool(plant([scalar(key)["limbs"]], 5))
    derived = publics.ec("P-256", key.x, key.y, kind="public-key")
    assert found(pool, [derived]) == []
    place = Place(space=0, offset=0, size=91)
    read = publics.ec("P-256", key.x, key.y, kind="public-key", place=place)
    assert len(found(pool, [read])) == 1


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_a_scalar_in_montgomery_form(make_pool: MakePool, curve: str) -> None:
    """A scalar times R modulo the order (ring) is found beside the encoded point."""
    key = KEYS[curve]
    secret = montgomery(key.d, CURVES[curve].n, key.field_bytes)
    pool, memory = make_pool(plant([(bytes(8), secret), (b"", encodings.public_point(key))], 7))
    (related,) = found(pool)
    assert named(related) == key.spki_sha256
    assert related.encoding == "d limbs-le montgomery"
    again = ec.again(memory, second_look.told(related))
    assert key.spki_sha256 in {describe(other).fingerprint.value for other in again}


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521", "secp256k1"])
@pytest.mark.parametrize("rest", [0, 2])
def test_a_scalar_in_montgomery_form_without_an_encoded_point(
    make_pool: MakePool, curve: str, rest: int
) -> None:
    """The point stands in limbs, as Botan 3 keeps it; words of another object may follow."""
    key = KEYS[curve]
    size = -(-key.field_bytes // 8) * 8
    secret = montgomery(key.d, CURVES[curve].n, size) + noise.uniform(8 * rest, 3)
    parts = [(bytes(8), secret), (bytes(8), encodings.little_limbs(key.x, size))]
    pool, memory = make_pool(plant(parts, 7))
    (related,) = found(pool)
    assert named(related) == key.spki_sha256
    assert related.encoding == "d limbs-le montgomery"
    again = ec.again(memory, second_look.told(related))
    assert key.spki_sha256 in {describe(other).fingerprint.value for other in again}


@pytest.mark.parametrize(
    ("curves", "shift"),
    [(("P-256", "P-521"), 0), (("P-256", "P-384", "P-521"), 4), (("secp256k1",), 0)],
)
def test_a_scalar_in_montgomery_form_of_a_32_bit_machine_in_a_crowd(
    make_pool: MakePool, curves: Sequence[str], shift: int
) -> None:
    """Seen in Botan 3: behind pointers, with room for longer ones, at half a word.

    R fills limbs of 32 bits, which is another one on P-521. On each curve in a crowd of its own
    numbers.
    """
    own, data = [KEYS[curve] for curve in curves], b""
    for key in own:
        size = -(-key.field_bytes // 4) * 4
        secret = ((key.d << 8 * size) % CURVES[key.curve].n).to_bytes(size, "little")
        pointers = struct.pack("<4I", 0x0928EFCC, 0x0928EFC0, 0x09FCA6C0, 0x09FCA680)
        crowd = noise.uniform(size * 200, 5)
        between = struct.pack("<2Q", 0, size)
        lone = b"".join(between + crowd[at : at + size] for at in range(0, len(crowd), size))
        mine = between + bytes(shift) + pointers + secret + bytes(72 - size + 4 - shift)
        for part in (lone, mine, bytes(16) + encodings.little_limbs(key.x, size) + bytes(64)):
            data += part + bytes(-len(part) % 16)
    pool, memory = make_pool(data)
    for related in assert_all_found(pool, own):
        assert related.encoding == "d limbs-le montgomery"
        again = ec.again(memory, second_look.told(related))
        assert named(related) in {describe(other).fingerprint.value for other in again}


def test_scalars_within_objects_in_montgomery_form_in_a_crowd(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in a server of Botan 3 with many certificates: what allocators announce is far more.

    On two curves, each in a crowd of its own numbers.
    """
    monkeypatch.setattr(pools, "FEW_RUNS", 100)
    monkeypatch.setattr(ec, "MOST_UNSHIFTED", 4)
    own, data = list[keys.EcKey](), b""
    for curve in ("P-384", "P-521"):
        served = [keys.ec_key(curve, label=f"served {index}") for index in range(12)]
        size = -(-served[0].field_bytes // 8) * 8
        rows = noise.uniform(1_500 * size, 7)
        room = struct.pack("<QQ", 0, (size + 8 + 15) & ~15 | 1)
        crowd = [
            rows[at : at + size] if size == 48 else rows[at : at + 65] + bytes(7)
            for at in range(0, len(rows), size)
        ]
        data += b"".join(room + each + bytes(-size % 16) for each in crowd) + bytes(64)
        for index, key in enumerate(served):
            first = struct.pack("<4Q", *(0x7F70_E3A8_F000 + 64 * each for each in (0, 9, 5, index)))
            secret = montgomery(key.d, CURVES[curve].n, size)
            data += first + secret + bytes(72 - size) + struct.pack("<Q", 0x198) + first
        own += served
        data += bytes(64)
    assert_all_found(make_pool(data)[0], own, kind="certificate")


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize(
    ("form", "proof"),
    [
        ("x", NONCE),
        ("DER", NONCE),
        ("montgomery x", NONCE),
        ("compressed", matches.PROOF),
        ("limbs", matches.PROOF),
        ("montgomery", matches.PROOF),
    ],
)
def test_a_point_without_y_is_that_of_a_signature(
    make_pool: MakePool, curve: str, form: str, proof: str
) -> None:
    """Of a nonce's point x alone is kept, as r; the report may tell it from a key."""
    key = KEYS[curve]
    forms = affine(key)
    forms["x"] = encodings.little_limbs(key.x, key.field_bytes)
    forms["DER"] = encode_dss_signature(key.x, key.d >> 1)
    forms["montgomery x"] = montgomery(key.x, CURVES[curve].p, key.field_bytes)
    pool, _ = make_pool(plant([scalar(key)["limbs"], (bytes(8), forms[form])], 5))
    assert [(named(related), related.proof) for related in found(pool)] == [
        (key.spki_sha256, proof)
    ]


@pytest.mark.parametrize("curve", ["P-256", "P-521", "brainpoolP256r1", "secp256k1"])
@pytest.mark.parametrize("power", [1, 2])
def test_a_power_of_r_is_no_key(make_pool: MakePool, curve: str, power: int) -> None:
    """R modulo the order, or its square, beside a table of multiples of G, which holds R*G."""
    field = CURVES[curve]
    number = pow(field.radix, power, field.n)
    spelled = number.to_bytes(field.size, "little")
    half = number * pow(field.half_radix, -1, field.n) % field.n
    parts = [(bytes(8), spelled)]
    for point in (evidence.ec_derived(curve, d) for d in (1, field.radix % field.n, number, half)):
        assert point is not None
        x, y = (montgomery(value, field.p, field.size) for value in (point.x, point.y))
        parts.append((bytes(8), x + y))
    pool, _ = make_pool(plant(parts, 6))
    assert found(pool) == []


def test_what_is_no_key_is_derived_once(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often its point stands."""
    refused: list[int] = []
    monkeypatch.setattr(matches, "_closes", lambda key: bool(refused.append(key.d)))
    key = KEYS["P-256"]
    data = noise.plant(noise.text(SIZE, 3), 1016, bytes(8) + encodings.little_limbs(key.d))
    x = bytes(8) + encodings.big_endian(key.x, 32)
    pool, _ = make_pool(noise.plant(data, 1056, x * 20 + bytes(8)))
    assert found(pool) == []
    assert refused.count(key.d) == 1


@pytest.mark.parametrize("power", [1, 2, 4, 5])
def test_a_root_of_one_is_no_key(make_pool: MakePool, power: int) -> None:
    """By which secp256k1's endomorphism multiplies: in hex, beside that multiple of G."""
    order = CURVES["secp256k1"].n
    number = pow(3, (order - 1) // 6 * power, order)
    point = evidence.ec_derived("secp256k1", number)
    assert point is not None
    encoded = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    pool, _ = make_pool(plant([(bytes(8), number.to_bytes(32, "big")), (bytes(8), encoded)], 6))
    assert found(pool) == []


def test_java_words(make_pool: MakePool) -> None:
    """BigInteger.mag is read behind the length of its array."""
    key = KEYS["P-256"]
    length = (8).to_bytes(4, "little")
    parts = [(length, encodings.java_words(key.d)), (b"", encodings.public_point(key))]
    pool, _ = make_pool(plant(parts, 9))
    assert [named(related) for related in found(pool)] == [key.spki_sha256]


def test_java_words_among_thousands_of_arrays(make_pool: MakePool) -> None:
    """A heap full of arrays as long: those near a point that was met are tried first."""
    key = KEYS["P-256"]
    header = bytes(12) + (8).to_bytes(4, "little")
    arrays = [header + noise.uniform(32, seed) for seed in range(1, 1600)]
    arrays[1590] = header + encodings.java_words(key.d)
    point = bytes(16) + encodings.public_point(key) + bytes(15)
    pool, _ = make_pool(b"".join(arrays) + point)
    assert [named(related) for related in found(pool)] == [key.spki_sha256]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 99),
    kind=st.sampled_from(["text", "text16", "pointers", "zeros"]),
    form=st.sampled_from(["limbs", "bytes", "limbs of a chunk", "octet string"]),
    bit=st.integers(0, 255),
    which=st.sampled_from(["neither", "scalar", "point"]),
)
def test_one_bit_decides(
    make_pool: MakePool, seed: int, kind: str, form: str, bit: int, which: str
) -> None:
    """A key is found in any surroundings; with one bit of it or of its point flipped it is not."""
    d = int.from_bytes(noise.uniform(32, seed), "big") >> 1
    derived = ec.ec_derived("P-256", d)
    assert isinstance(derived, Ec)
    key = keys.EcKey(label="", curve="P-256", d=d, x=derived.x, y=derived.y)
    before, raw = scalar(key)[form]
    secret = bytearray(raw)
    x = bytearray(encodings.big_endian(key.x, 32))
    if which == "scalar":
        secret[bit // 8] ^= 1 << bit % 8
    if which == "point":
        x[bit // 8] ^= 1 << bit % 8
    parts = [(before, bytes(secret)), (b"\x02", bytes(x))]
    pool, _ = make_pool(plant(parts, seed, noise.KINDS[kind](SIZE, seed)))
    assert len(found(pool)) == (which == "neither")


@pytest.mark.parametrize("kind", ["heap", "uniform", "mixed"])
def test_random_bytes_hold_no_key(make_pool: MakePool, kind: str) -> None:
    """Random objects and stretches give nothing."""
    make = noise.mixed if kind == "mixed" else noise.KINDS[kind]
    pool, _ = make_pool(make(1 << 15, 11))
    assert found(pool) == []


def test_the_scalar_is_no_witness_of_itself(make_pool: MakePool) -> None:
    """A scalar alone proves nothing, however often it stands there."""
    form = scalar(KEYS["P-256"])
    pool, _ = make_pool(plant([form["limbs"], form["octet string"], form["bytes"]], 13))
    assert found(pool) == []


def test_an_empty_pool(make_pool: MakePool) -> None:
    """Where nothing looks random nothing is tried."""
    pool, _ = make_pool(bytes(4096))
    assert found(pool) == []


def test_a_generator_alone_names_no_key(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL's table has the generators of all curves: each of its programs would take longer."""
    asked: dict[str, int] = {}

    def most(
        pool: Pool, name: str, near: Sequence[Place], points: Mapping[int, int], *, used: bool
    ) -> int:
        asked[name] = counted(pool, name, near, points, used=used)
        return asked[name]

    counted = ec._most
    monkeypatch.setattr(ec, "_most", most)
    name = "brainpoolP384r1"
    x, y = generator(CURVES[name])
    table = b"\x04" + x.to_bytes(48) + y.to_bytes(48)
    pool, _ = make_pool(noise.uniform(4_800, 6) + bytes(16) + table + bytes(16))
    found(pool)
    alone = asked[name]
    key = keys.ec_key(name)
    found(pool, [publics.ec(name, key.x, key.y, kind="certificate")])
    assert (alone, asked[name]) == (ec.MOST[name][1], ec.MOST_OF_KEYS[name][0])


def test_a_scalar_in_a_slab_where_a_library_has_the_curve_in_use(make_pool: MakePool) -> None:
    """Seen in luaossl on jemalloc and mimalloc: slots end to end, and the generator beside them.

    No public key is there but in Montgomery form. On two curves.
    """
    own, data = [keys.ec_key(curve) for curve in ("brainpoolP512r1", "brainpoolP384r1")], b""
    for key in own:
        size, p = key.field_bytes, CURVES[key.curve].p
        crowd = noise.uniform(140 * 3 * size, 8)
        rows = [crowd[at : at + 3 * size] + bytes(size) for at in range(0, len(crowd), 3 * size)]
        rows.append(montgomery(generator(CURVES[key.curve])[0], p, size) + bytes(size))
        rows.append(montgomery(key.x, p, size) + montgomery(key.y, p, size) + bytes(size))
        rows.append(encodings.little_limbs(key.d, size) + crowd[: 2 * size] + bytes(size))
        data += bytes(size) + b"".join(rows)
    pool, _ = make_pool(data)
    assert pool.few
    assert_all_found(pool, own)


def test_a_scalar_in_a_slab_of_its_point_among_many_edges(make_pool: MakePool) -> None:
    """Seen in haproxy on mimalloc, with a hundred certificates: slots end to end, and no edge.

    What stands before the scalar is the rest of a slot that was let go. On two curves.
    """
    own, data = [KEYS["P-384"], keys.ec_key("brainpoolP512r1")], b""
    for key in own:
        size = slot = key.field_bytes
        crowd = noise.uniform(700 * (size + 24), 9)
        others = [crowd[at : at + size + 24] for at in range(0, len(crowd), size + 24)]
        slots = [noise.uniform(slot, index) for index in range(12)]
        slots[2] = montgomery(key.x, CURVES[key.curve].p, size)
        slots[8] = encodings.little_limbs(key.d, size)
        slab = b"".join(slots)
        half = len(others) // 2
        front, behind = (
            b"".join(bytes(16) + each for each in rows) for rows in (others[:half], others[half:])
        )
        front += bytes(32 - len(front) % 16) + bytes(8)
        data += front + slab[8:] + behind
    assert_all_found(make_pool(data + bytes(16))[0], own, kind="certificate")


@pytest.mark.parametrize("curve", ["P-384", "brainpoolP384r1"])
def test_a_scalar_in_a_slab_of_its_curve_s_numbers(make_pool: MakePool, curve: str) -> None:
    """Seen in luaossl on jemalloc: of the public key x was there in Montgomery form, no more."""
    key, size, p = keys.ec_key(curve), 48, CURVES[curve].p
    crowd = noise.uniform(3_000 * 200, 9)
    others = [bytes(24) + crowd[at : at + 200] for at in range(0, len(crowd), 200)]
    slots = [noise.uniform(size, index) for index in range(12)]
    slots[2:4] = (montgomery(each, p, size) for each in generator(CURVES[curve]))
    slots[4] = montgomery(key.x, p, size)
    slots[8] = encodings.little_limbs(key.d, size)
    others[1_500] = bytes(40) + b"".join(slots)[8:-16] + bytes(24)
    pool, _ = make_pool(b"".join(others) + bytes(16))
    (related,) = found(pool)
    assert named(related) == key.spki_sha256


def test_half_of_a_coordinate_before_a_scalar_takes_no_other_ground(make_pool: MakePool) -> None:
    """Seen in Perl: the end of a root's y stood right before a live key on brainpoolP384r1.

    Where that coordinate had begun another block was in the pool, whose place reached into the key.
    """
    key, root = keys.ec_key("brainpoolP384r1"), KEYS["P-384"]
    end = root.y.to_bytes(48)[31:]
    front = noise.uniform(64, 3) + bytes(32)
    own = end + bytes(7) + (0x51).to_bytes(8, "little") + encodings.little_limbs(key.d, 48)
    pool, _ = make_pool(bytes(64) + front + bytes(8) + own + bytes(16) + noise.uniform(9_600, 4))
    known = [publics.ec("P-384", root.x, root.y, kind="certificate")]
    known += [publics.ec("brainpoolP384r1", key.x, key.y, kind="certificate")]
    met = witnesses.meet(pool, known, ec.MOST)
    secret = pool.place(pool.data.tobytes().find(encodings.little_limbs(key.d, 48)), 48)
    for place in met.taken["P-384"]:
        assert place.offset + place.size <= secret.offset or place.offset >= secret.offset + 48
    (related,) = found(pool, known)
    assert named(related) == key.spki_sha256


def test_objects_nearest_to_a_curve_s_own_points_lose_no_room(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in Perl on 32-bit x86: what stood near points of another curve took all the turns."""
    monkeypatch.setattr(pools, "FEW_RUNS", 100)
    curve, size = "brainpoolP256r1", 32
    key, point = keys.ec_key(curve), keys.ec_key("P-256")
    raw = noise.uniform(1_600 * size, 6)
    crowd = [raw[at : at + size] for at in range(0, len(raw), size)]
    crowd.insert(800, b"\x04" + point.x.to_bytes(size) + point.y.to_bytes(size))
    own = bytes(100_000) + b"\x04" + key.x.to_bytes(size) + key.y.to_bytes(size) + bytes(1_000)
    own += noise.uniform(1_000, 7) + bytes(100_000)
    there = [*crowd, own, encodings.little_limbs(key.d, size)]
    header = bytes(8) + (0x31).to_bytes(8, "little")
    pool, _ = make_pool(b"".join(header + each + bytes(-len(each) % 16) for each in there))
    known = [publics.ec(curve, key.x, key.y, kind="certificate")]
    known.append(publics.ec("P-256", point.x, point.y, kind="certificate"))
    (related,) = found(pool, known)
    assert named(related) == key.spki_sha256


def test_a_key_next_to_a_nonce_that_was_found(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in NSS on 32-bit x86: both stand in one run, and more is tried than has its turn."""
    monkeypatch.setitem(ec.MOST, "P-256", (40, 40, 40))
    key, nonce = KEYS["P-256"], evidence.ec_derived("P-256", KEYS["P-256"].d ^ 1 << 99)
    assert nonce is not None
    own = noise.uniform(8, 1) + encodings.little_limbs(key.d) + encodings.little_limbs(nonce.d)
    points = (montgomery(number, CURVES["P-256"].p, 32) for number in (key.x, nonce.x))
    others = [noise.uniform(40, seed) for seed in range(2, 10)]
    parts = (own, *others, *points)
    pool, _ = make_pool(b"".join(bytes(64) + part for part in parts) + bytes(64))
    keys_found = [related.key.d for related in found(pool) if isinstance(related.key, Ec)]
    assert sorted(keys_found) == sorted([key.d, nonce.d])
