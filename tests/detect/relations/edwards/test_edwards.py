"""Edwards and key agreement keys as bare bytes: found beside their public halves only."""

import hashlib
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import keys, noise
from scanner.detect.algebra import edwards25519, publics
from scanner.detect.algebra.material import Okp, describe
from scanner.detect.asn1 import keys as detect
from scanner.detect.integers import pool as pools
from scanner.detect.integers import readings
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.relations.edwards import edwards, montgomery, trials
from scanner.detect.relations.places import nearby, variety
from scanner.dump.space import Memory
from scanner.model import Place
from tests.detect.relations import second_look

MakePool = Callable[[bytes], tuple[Pool, Memory]]

SEARCHES = {
    "ed25519": edwards,
    "ed448": edwards,
    "x25519": montgomery,
    "x448": montgomery,
}
SIZE = 1 << 13
FEW = 400
L = (1 << 252) + 27742317777372353535851937790883648493


@pytest.fixture
def few_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have fewer seeds of Ed25519 tried: a crowd of more than these is small."""
    monkeypatch.setattr(edwards, "FLOOR", FEW)
    monkeypatch.setattr(edwards, "MOST_SEEDS", FEW)


def clamped(raw: bytes) -> bytes:
    """Clamp a scalar (RFC 7748 section 5)."""
    return bytes((raw[0] & 248,)) + raw[1:31] + bytes((raw[31] & 127 | 64,))


def scalar(key: keys.OkpKey) -> bytes:
    """Return the scalar of an Ed25519 key (RFC 8032 5.1.5)."""
    return clamped(hashlib.sha512(key.seed).digest()[:32])


def again(memory: Memory, related: edwards.Related) -> set[str]:
    """Return the fingerprints that a second look at a key gives."""
    public = describe(related.key)
    candidate = second_look.told(related)
    found = SEARCHES[public.algorithm].again(memory, candidate)
    return {describe(key).fingerprint.value for key in found}


PLACES: dict[str, Callable[[keys.OkpKey], list[tuple[int, bytes]]]] = {
    "seed, then public": lambda key: [(1024, key.seed + key.public)],
    "public, then seed": lambda key: [(1024, key.public + key.seed)],
    "public elsewhere, at an odd byte": lambda key: [(1024, key.seed), (4097, key.public)],
    "seed 192 bytes behind": lambda key: [(1024, key.public), (1216, key.seed)],
    "behind a length": lambda key: [
        (1018, len(key.seed).to_bytes(2, "little") + key.seed),
        (4096, key.public),
    ],
}


@pytest.mark.parametrize("shift", range(1, 8))
def test_a_seed_at_any_byte_of_what_has_no_address(
    make_pool: Callable[..., tuple[Pool, Memory]], shift: int
) -> None:
    """Seen in Go's own dump of a heap: its public half stands behind it, and no zero before."""
    key = keys.okp_key("ed25519")
    data = noise.plant(noise.text(SIZE, 3), 1024 + shift, b"\x40" + key.seed + key.public + b"\1")
    pool, memory = make_pool(data, addressed=False)
    (related,) = edwards.search(pool, [])
    assert again(memory, related) == {key.spki_sha256}
    assert related.places == (Place(space=0, offset=1025 + shift, size=32),)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("algorithm", SEARCHES)
def test_a_key_is_found_beside_its_public_half(
    make_pool: MakePool, algorithm: str, place: str
) -> None:
    """Wherever the two stand, the key is found once, where it stands, and again."""
    key = keys.okp_key(algorithm)
    data = noise.text(SIZE, 3)
    for at, raw in PLACES[place](key):
        data = noise.plant(data, at - 8, bytes(8) + raw + bytes(8))
    pool, memory = make_pool(data)
    (related,) = SEARCHES[algorithm].search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    (spot,) = related.places
    assert memory.read(spot.space, spot.offset, spot.size) == key.seed
    assert key.spki_sha256 in again(memory, related)


@pytest.mark.parametrize("shift", [1, 4])
@pytest.mark.parametrize("algorithm", ["ed25519", "x25519"])
def test_a_seed_in_a_heap_dump_of_java(make_pool: MakePool, algorithm: str, shift: int) -> None:
    """Seen in OpenJDK's HPROF: a byte[] begins at any byte, and behind it is the next one's tag."""
    key, data = keys.okp_key(algorithm), noise.text(SIZE, 3)
    for at, raw in ((1024 + shift, key.seed), (4099, key.public)):
        array = (len(raw)).to_bytes(4, "big") + b"\x08" + raw + b"#" + bytes(3)
        data = noise.plant(data, at, b"\x73" + bytes(3) + b"\1" + array)
    pool, _ = make_pool(data)
    (related,) = SEARCHES[algorithm].search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


PACKED = {"26 and 25 bits": ((26, 25) * 5, 4), "51 bits": ((51,) * 5, 8)}


@pytest.mark.parametrize("form", PACKED)
@pytest.mark.parametrize("algorithm", ["ed25519", "x25519"])
@pytest.mark.parametrize("flipped", [False, True])
def test_the_public_half_is_digits_of_a_library(
    make_pool: MakePool, algorithm: str, form: str, *, flipped: bool
) -> None:
    """Seen in PyCryptodome: u of X25519 in ten words of 32 bits, and nowhere as bytes.

    Digits of 51 bits, whose words seldom look random, stand in a run with what does.
    """
    key = keys.okp_key(algorithm)
    number, raw = int.from_bytes(key.public, "little") % (1 << 255) ^ flipped << 100, b""
    bits, word = PACKED[form]
    for size in bits:
        raw += (number % (1 << size)).to_bytes(word, "little")
        number >>= size
    beside = noise.uniform(24, 9) if word == 8 else b""
    parts = (bytes(8), key.seed, bytes(16), beside, raw, beside, bytes(8))
    pool, memory = make_pool(noise.plant(noise.text(SIZE, 3), 1016, b"".join(parts)))
    found = list(SEARCHES[algorithm].search(pool, ()))
    names = [describe(related.key).fingerprint.value for related in found]
    assert names == ([] if flipped else [key.spki_sha256])
    assert all(key.spki_sha256 in again(memory, related) for related in found)


def test_the_scalar_is_a_field_of_a_structure(make_pool: MakePool) -> None:
    """Public half, scalar and prefix are one run, which begins at no multiple of its fields."""
    key = keys.okp_key("ed25519")
    fields = key.public + scalar(key) + hashlib.sha512(key.seed).digest()[32:]
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 3), 1024, bytes(24) + fields + bytes(8)))
    (related,) = edwards.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


def test_a_seed_of_ed448_near_a_point_that_is_kept_twice(make_pool: MakePool) -> None:
    """Seen in Deno: behind the point a scalar, then the seed, in one run among many others."""
    key = keys.okp_key("ed448")
    objects = [noise.uniform(64, seed) for seed in range(FEW_RUNS + 99)]
    mine = key.public + noise.uniform(7 + 56, 5) + key.seed + noise.uniform(63, 6)
    objects[5_000] = noise.uniform(40, 4) + mine
    objects[6_000] = key.public + noise.uniform(7, 9)
    pool, _ = make_pool(b"".join(bytes(16) + each for each in objects) + bytes(16))
    assert not pool.few
    (related,) = edwards.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("lacking", ["point", "prefix"])
def test_the_scalar_is_a_field_of_a_run_that_lacks_a_word(
    make_pool: MakePool, lacking: str
) -> None:
    """Seen in Tor: of one point in 256 the first word does not look random, of a prefix the last.

    In a heap of other objects, of which most are no fields.
    """
    key = next(
        key
        for key in (keys.okp_key(label=f"onion {n}") for n in range(4_000))
        if lacking == "prefix" or max(key.public[:8]) < 0x80
    )
    prefix = hashlib.sha512(key.seed).digest()[32:]
    if lacking == "prefix":
        prefix = prefix[:24] + bytes(each & 0x7F for each in prefix[24:])
    objects = [noise.uniform(48, seed) for seed in range(1500)]
    objects[700] = key.public + scalar(key) + prefix
    pool, memory = make_pool(b"".join(bytes(16) + each for each in objects) + bytes(16))
    (related,) = edwards.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert key.spki_sha256 in again(memory, related)


def test_scalars_below_the_order_behind_two_points(make_pool: MakePool) -> None:
    """Monero has no seed: two points and their scalars are one run, deep in a heap of others."""
    owned = [keys.okp_key(label=label) for label in ("spend", "view")]
    scalars = [int.from_bytes(scalar(key), "little") % L for key in owned]
    record = [key.public for key in owned] + [a.to_bytes(32, "little") for a in scalars]
    objects = [noise.uniform(48, seed) for seed in range(1500)]
    objects[1400] = b"".join(record)
    pool, memory = make_pool(b"".join(bytes(16) + each for each in objects) + bytes(16))
    found = {describe(each.key).fingerprint.value: each for each in edwards.search(pool, ())}
    assert found.keys() == {key.spki_sha256 for key in owned}
    assert all(name in again(memory, related) for name, related in found.items())


@pytest.mark.parametrize("algorithm", ["ed25519", "x25519"])
@pytest.mark.parametrize("near", [False, True])
def test_what_a_loop_computes_hides_no_key(
    make_pool: MakePool, algorithm: str, *, near: bool
) -> None:
    """Seen in OpenJDK, which opens PKCS#12 stores: arrays of 32 bytes in rows of thousands.

    An array that stands alone comes before those, though the public key is nearer to them.
    """
    key = keys.okp_key(algorithm)
    head = bytes.fromhex("0100000000000000 18230000 20000000")
    row = b"".join(head + noise.uniform(32, seed) for seed in range(6000))
    lone = bytes(1 << 16) + head + key.seed + bytes(1 << 12)
    pool, _ = make_pool(bytes(64) + b"\x03\x21\x00" + key.public + bytes(29) + row + lone)
    place = Place(space=0, offset=67, size=32)
    known = [publics.okp(algorithm, key.public, kind="certificate", place=place)] if near else []
    (related,) = SEARCHES[algorithm].search(pool, known)
    assert describe(related.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("algorithm", ["ed25519", "x25519"])
@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("machine", ["big", "little"])
def test_a_key_that_is_an_integer_of_python(
    make_pool: MakePool,
    algorithm: str,
    order: Literal["big", "little"],
    machine: Literal["big", "little"],
) -> None:
    """Seen in PGPy: what OpenPGP writes as a number is one, in digits of 30 bits."""
    key = keys.okp_key(algorithm)
    value = int.from_bytes(key.seed, order)
    digits = readings.encode(readings.python(readings.table(machine)), value, 256)
    data = noise.plant(noise.text(SIZE, 3), 1000, bytes(8) + (9).to_bytes(8, machine) + digits)
    pool, memory = make_pool(noise.plant(data, 4089, bytes(8) + key.public + bytes(8)), machine)
    (related,) = SEARCHES[algorithm].search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert (related.places[0].offset, related.places[0].size) == (1016, 36)
    assert "digits-30" in related.encoding
    assert key.spki_sha256 in again(memory, related)


NUMBERS: dict[str, Callable[[bytes], bytes]] = {
    "an MPI of OpenPGP": lambda k: bytes.fromhex("03010807 00 00ff") + k + b"\x10\xa2",
    "an S-expression": lambda k: bytes.fromhex("0d0101005f01 2000") + k + b"\4\3\1\4\0",
    "a run of its own": lambda k: bytes(8) + k + bytes(8),
}


@pytest.mark.parametrize("form", NUMBERS)
def test_x25519_as_a_number(make_pool: MakePool, form: str) -> None:
    """The most significant byte comes first, at any alignment; in a crowd where it has a length."""
    key = keys.okp_key("x25519")
    k = clamped(key.seed)
    objects = [noise.uniform(48, seed) for seed in range(1500)]
    objects[900] = key.public + NUMBERS[form](k[::-1])
    pool, memory = make_pool(b"".join(bytes(16) + each for each in objects) + bytes(16))
    (related,) = montgomery.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    (spot,) = related.places
    assert memory.read(spot.space, spot.offset, spot.size) == k[::-1]
    assert key.spki_sha256 in again(memory, related)
    assert isinstance(related.key, Okp)
    assert k[::-1] in {raw for _, raw in edwards.spelled(related.key)}


@pytest.mark.parametrize("length", [0, 32])
def test_an_x25519_scalar_behind_its_public_half_and_a_length(
    make_pool: MakePool, length: int
) -> None:
    """Seen in wolfSSL: a curve25519_key is a point, its size as one byte, and k."""
    key = keys.okp_key("x25519")
    fields = key.public + bytes((length,)) + key.seed + bytes.fromhex("03000000")
    data = noise.plant(noise.text(SIZE, 3), 1024 - 8, bytes(8) + fields + bytes(8))
    pool, memory = make_pool(data)
    (related,) = montgomery.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    (spot,) = related.places
    assert memory.read(spot.space, spot.offset, spot.size) == key.seed
    assert key.spki_sha256 in again(memory, related)


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("before", [0, 32])
@pytest.mark.parametrize("flipped", [False, True])
def test_an_ed448_seed_before_its_public_half_in_a_crowd(
    make_pool: MakePool, *, flipped: bool, before: int
) -> None:
    """Seen in CIRCL: one array of 114 bytes, among more runs than seeds are tried of.

    It may stand right behind another random-looking object.
    """
    key = keys.okp_key("ed448")
    objects = [noise.uniform(128, seed) for seed in range(500)]
    objects[400] = noise.uniform(before, 7) + key.seed + key.public[:-2]
    objects[400] += bytes((key.public[-2] ^ flipped, key.public[-1]))
    pool, _ = make_pool(b"".join(bytes(16) + each + bytes(-len(each) % 16) for each in objects))
    found = [describe(each.key).fingerprint.value for each in edwards.search(pool, ())]
    assert found == ([] if flipped else [key.spki_sha256])


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("behind", [16, 128])
@pytest.mark.parametrize("flipped", [False, True])
def test_a_seed_of_ed25519_in_a_slot_between_the_rest_of_others(
    make_pool: MakePool, behind: int, *, flipped: bool
) -> None:
    """Seen in OpenSSL on jemalloc, in luaossl: more seeds might begin or end runs than are tried.

    Slots of 32 bytes begin at multiples of these. In GnuTLS on tcmalloc more of them were full.
    """
    key = keys.okp_key()
    objects = [noise.uniform(96, seed) for seed in range(3_000)]
    seed = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    rest = noise.uniform(behind, 3) + bytes(24)
    objects[2_000] = bytes(16) + noise.uniform(8, 2) + seed + rest
    objects[2_500] = bytes(40) + key.public + bytes(24)
    pool, _ = make_pool(b"".join(bytes(8) + each + bytes(24) for each in objects))
    found = [describe(each.key).fingerprint.value for each in edwards.search(pool, ())]
    assert found == ([] if flipped else [key.spki_sha256])


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("rest", [bytes(7), bytes.fromhex("994867b17f0000")])
@pytest.mark.parametrize("flipped", [False, True])
def test_an_ed448_seed_in_a_slot_behind_the_rest_of_another(
    make_pool: MakePool, rest: bytes, *, flipped: bool
) -> None:
    """Seen in OpenSSL on jemalloc, in luaossl: more seeds might begin with runs than are tried."""
    key = keys.okp_key("ed448")
    objects = [noise.uniform(120, seed) + bytes(8) for seed in range(500)]
    seed = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    objects[300] = noise.uniform(64, 2) + seed + rest
    objects[400] = key.public + bytes(71)
    pool, _ = make_pool(b"".join(bytes(16) + each for each in objects) + bytes(16))
    found = [describe(each.key).fingerprint.value for each in edwards.search(pool, ())]
    assert found == ([] if flipped else [key.spki_sha256])


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
def test_an_ed448_seed_whose_last_words_do_not_look_random(
    make_pool: MakePool, *, flipped: bool
) -> None:
    """Seen on the stack of a program of Nettle's, amid other numbers: one seed in 256 is such."""
    key = next(
        key
        for key in (keys.okp_key("ed448", label=f"stack {n}") for n in range(4_000))
        if max(key.seed[48:56]) < 0x80
    )
    objects = [noise.uniform(40 + 8 * (seed % 40), seed) for seed in range(150)]
    objects[20] = key.public
    objects[60] = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    parts = [bytes(16) + each + bytes(-len(each) % 8) for each in objects]
    pool, _ = make_pool(b"".join(parts) + bytes(16))
    found = [describe(each.key).fingerprint.value for each in edwards.search(pool, ())]
    assert found == ([] if flipped else [key.spki_sha256])


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
def test_an_ed448_seed_right_behind_its_public_half(make_pool: MakePool, *, flipped: bool) -> None:
    """Seen in wolfSSL: two arrays of 57 bytes, so that the seed is at no word's beginning."""
    key = keys.okp_key("ed448")
    objects = [noise.uniform(128, seed) for seed in range(400)]
    objects[300] = key.public + bytes((key.seed[0] ^ flipped,)) + key.seed[1:] + bytes(14)
    pool, memory = make_pool(b"".join(bytes(16) + each for each in objects))
    found = list(edwards.search(pool, ()))
    assert [describe(one.key).fingerprint.value for one in found] == [key.spki_sha256] * (
        not flipped
    )
    assert all(key.spki_sha256 in again(memory, one) for one in found)


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(("algorithm", "crowd"), [("ed25519", 800), ("ed448", 6000)])
def test_a_seed_between_two_copies_of_its_public_half_in_a_crowd(
    make_pool: MakePool, algorithm: str, crowd: int, *, flipped: bool
) -> None:
    """Seen in wolfSSL, in a process of more numbers than seeds are tried of."""
    key = keys.okp_key(algorithm)
    objects = [noise.uniform(200, seed) + bytes(8) for seed in range(crowd)]
    seed = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    record = key.public + seed + key.public + noise.uniform(13, 1)
    objects[crowd * 5 // 6] = record + bytes(-len(record) % 16)
    pool, memory = make_pool(b"".join(bytes(16) + each for each in objects))
    found = list(edwards.search(pool, ()))
    assert [describe(one.key).fingerprint.value for one in found] == [key.spki_sha256] * (
        not flipped
    )
    assert all(key.spki_sha256 in again(memory, one) for one in found)


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("seed_first", [False, True])
@pytest.mark.parametrize("algorithm", ["ed448", "x448"])
def test_a_block_of_parameters_in_a_crowd(
    make_pool: MakePool, algorithm: str, *, seed_first: bool, flipped: bool
) -> None:
    """Seen in OpenSSL: both halves fill whole words, and the block was freed as it was."""
    key = keys.okp_key(algorithm)
    objects = [noise.uniform(56, seed) + bytes(8) for seed in range(400)]
    parts = [key.public, bytes((key.seed[0] ^ 4 * flipped,)) + key.seed[1:]]
    filled = [part + bytes(-len(part) % 8) for part in parts[:: -1 if seed_first else 1]]
    objects[300] = b"".join(filled) + bytes(16)
    pool, memory = make_pool(b"".join(bytes(16) + each for each in objects))
    found = list(SEARCHES[algorithm].search(pool, ()))
    assert [describe(one.key).fingerprint.value for one in found] == [key.spki_sha256] * (
        not flipped
    )
    assert all(key.spki_sha256 in again(memory, one) for one in found)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("algorithm", ["ed25519", "x25519"])
def test_a_run_of_a_private_and_a_public_half_in_a_crowd(
    make_pool: MakePool, algorithm: str, *, flipped: bool
) -> None:
    """Seen in rspamd: libsodium's secret key, and a pair, in a process of very many numbers."""
    key = keys.okp_key(algorithm)
    objects = [noise.uniform(96, seed) for seed in range(6000)]
    last = bytes((key.public[-1] ^ (flipped << 3),))
    objects[4000] = key.seed + key.public[:-1] + last + bytes(32)
    pool, _ = make_pool(b"".join(bytes(16) + each for each in objects))
    found = [describe(one.key).fingerprint.value for one in SEARCHES[algorithm].search(pool, ())]
    assert found == [key.spki_sha256] * (not flipped)


def test_a_scalar_says_which_x25519_key_it_is_too(make_pool: MakePool) -> None:
    """Unless a public key that was met says whose it is."""
    key, zeros = keys.okp_key("ed25519"), bytes(32)
    u = edwards25519.montgomery(key.public)
    pool, _ = make_pool(zeros + scalar(key) + zeros + key.public + zeros)
    (related,) = edwards.search(pool, ())
    assert u == detect.okp_public("x25519", scalar(key))
    assert related.twin.hex() == publics.okp("x25519", u, kind="known").witness.fingerprint.value
    met = publics.okp("ed25519", key.public, kind="known")
    assert [one.twin for one in edwards.search(pool, [met])] == [b""]
    pool, _ = make_pool(zeros + key.seed + zeros + key.public + zeros)
    assert [one.twin for one in edwards.search(pool, ())] == [b""]


@pytest.mark.parametrize("zeros", range(7))
def test_a_multiple_of_b_has_its_y_whatever_the_scalar(zeros: int) -> None:
    """What X25519 would clamp is had by way of another scalar, or of another base."""
    labels = (f"{zeros} {label}" for label in range(5000))
    for key in (keys.okp_key("ed25519", label=label) for label in labels):
        a = int.from_bytes(scalar(key), "little") % L
        if a % (1 << zeros + 1) == 1 << zeros:
            break
    expected = key.public[:-1] + bytes((key.public[-1] & 0x7F,))
    assert edwards25519.unsigned_multiple(a.to_bytes(32, "little")) == expected


@pytest.mark.parametrize("label", ["one", "two", "three", "four"])
@pytest.mark.parametrize("form", ["seed", "scalar", "scalar below the order", "both"])
def test_y_alone_bears_witness(make_pool: MakePool, label: str, form: str) -> None:
    """Seen in PHP (phpseclib on GMP): y is a bare number, and nothing there says the sign of x."""
    key = keys.okp_key("ed25519", label=label)
    a = scalar(key)
    if form == "scalar below the order":
        a = (int.from_bytes(a, "little") % L).to_bytes(32, "little")
    data = noise.text(SIZE, 7)
    if form != "seed":
        data = noise.plant(data, 1016, bytes(8) + a + bytes(8))
    if form in {"seed", "both"}:
        data = noise.plant(data, 6136, bytes(8) + key.seed + bytes(8))
    y = key.public[:31] + bytes((key.public[31] & 127,))
    pool, memory = make_pool(noise.plant(data, 4088, bytes(8) + y + bytes(8)))
    (related,) = edwards.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert related.encoding == ("seed" if form in {"seed", "both"} else "a limbs-le")
    assert key.spki_sha256 in again(memory, related)


@pytest.mark.parametrize("label", ["one", "two", "three"])
@pytest.mark.parametrize("witness", ["point", "y", "known", "-y"])
def test_a_scalar_of_ed448(make_pool: MakePool, label: str, witness: str) -> None:
    """Clamped, with something else behind its 56 bytes; the negated y is another point's."""
    key = keys.okp_key("ed448", label=label)
    digest = hashlib.shake_256(key.seed).digest(57)
    a = bytes((digest[0] & 252,)) + digest[1:55] + bytes((digest[55] | 128,))
    y = int.from_bytes(key.public[:56], "little")
    negated = ((1 << 448) - (1 << 224) - 1 - y).to_bytes(56, "little")
    there = {"point": key.public, "y": key.public[:56] + b"\x5a", "-y": negated}
    data = noise.plant(noise.text(SIZE, 7), 1016, bytes(8) + a + b"\x31" + bytes(7))
    data = noise.plant(data, 4088, bytes(8) + there.get(witness, b"") + bytes(8))
    known = [publics.okp("ed448", key.public, kind="known")] if witness == "known" else []
    pool, memory = make_pool(data)
    found = list(edwards.search(pool, known))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if witness == "-y" else [key.spki_sha256]
    )
    for related in found:
        assert (related.encoding, related.proof) == ("a limbs-le", "a*B = A")
        assert key.spki_sha256 in again(memory, related)


def test_of_very_many_scalars_the_place_says_the_sign(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on what is computed leaves no key out."""
    monkeypatch.setattr(trials, "MOST_SIGNS", 2)
    owned = [keys.okp_key("ed25519", label=f"owner {number}") for number in range(5)]
    rows = [bytes(8) + raw + bytes(8) for key in owned for raw in (scalar(key), key.public)]
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 7), 1024, b"".join(rows)))
    found = {describe(each.key).fingerprint.value for each in edwards.search(pool, ())}
    assert found == {key.spki_sha256 for key in owned}


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("behind", [0x00, 0x80, 0x5A])
def test_y_of_ed448_alone_bears_witness(make_pool: MakePool, behind: int, *, flipped: bool) -> None:
    """Seen in PHP (phpseclib on GMP): y fills seven limbs, and something else is behind them."""
    key = keys.okp_key("ed448")
    data = noise.plant(noise.text(SIZE, 7), 1016, bytes(8) + key.seed + bytes(7))
    y = key.public[:55] + bytes((key.public[55] ^ flipped, behind))
    pool, memory = make_pool(noise.plant(data, 4088, bytes(8) + y + bytes(8)))
    found = list(edwards.search(pool, ()))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )
    assert all(key.spki_sha256 in again(memory, related) for related in found)


@pytest.mark.usefixtures("few_seeds")
def test_ed448_is_sought_among_many_numbers_where_a_public_key_was_read(
    make_pool: MakePool,
) -> None:
    """A seed whose run begins a word before it comes after every edge of the others."""
    key = keys.okp_key("ed448")
    objects = [noise.uniform(72, seed) for seed in range(300)]
    objects[200] = noise.uniform(8, 999) + key.seed + noise.uniform(7, 998)
    pool, _ = make_pool(b"".join(bytes(16) + each for each in objects) + bytes(16))
    (related,) = edwards.search(pool, [publics.okp("ed448", key.public, kind="ssh")])
    assert describe(related.key).fingerprint.value == key.spki_sha256


def test_an_ed448_seed_among_arrays_of_its_length_in_a_crowd(make_pool: MakePool) -> None:
    """Seen in OpenJDK, in which a signature leaves several of them: each begins with its length."""
    key = keys.okp_key("ed448")
    arrays = [noise.uniform(len(key.seed), seed) for seed in range(100)]
    count = bytes(12) + len(key.seed).to_bytes(4, "little")
    data = b"".join(count + each + bytes(95) for each in (*arrays, key.seed))
    crowd = noise.uniform(33 * FEW_RUNS, 5)
    data += b"".join(crowd[at : at + 32] + bytes(32) for at in range(0, len(crowd), 32))
    (related,) = edwards.search(make_pool(data + key.public + bytes(64))[0], ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


def test_an_ed448_seed_behind_the_header_of_its_public_half_in_a_crowd(
    make_pool: MakePool,
) -> None:
    """Seen in Node.js: arrays of bytes on V8's heap, a pointer to their map and a count before."""
    key = keys.okp_key("ed448")
    crowd = noise.uniform(33 * FEW_RUNS + 64 * 1_000, 5)
    data = b"".join(crowd[at : at + 32] + bytes(32) for at in range(0, 33 * FEW_RUNS, 32))
    blocks = (crowd[at : at + 57] for at in range(33 * FEW_RUNS, len(crowd) - 64, 64))
    data += b"".join(bytes(8) + (0x51).to_bytes(8, "little") + each + bytes(7) for each in blocks)
    header = bytes(8) + (57 << 32).to_bytes(8, "little")
    links = noise.uniform(7 + 64, 3)
    data += header + key.public + bytes(7 + 64) + header + key.seed + links + bytes(64)
    pool, _ = make_pool(data)
    assert not pool.few
    (related,) = edwards.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("algorithm", ["ed25519", "ed448"])
def test_seeds_of_a_server_of_many_keys(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, algorithm: Literal["ed25519", "ed448"]
) -> None:
    """Seen in haproxy with 1,700 certificates: of 150 on Ed448 no key had been told."""
    monkeypatch.setattr(pools, "FEW_RUNS", 0)
    monkeypatch.setattr(edwards, "MOST_SEEDS", 400)
    monkeypatch.setattr(nearby, "_STORE", 64)
    served = [keys.okp_key(algorithm, label=f"served {index}") for index in range(200)]
    data, known = bytearray(), []
    for index, key in enumerate(served):
        links, size = noise.pointers(256, index), len(key.public)
        place = Place(space=0, offset=len(data) + 48, size=size)
        known.append(publics.okp(algorithm, key.public, kind="certificate", place=place))
        data += links[:48] + key.public + bytes(-size % 16) + links
        data += key.seed + bytes(-size % 16) + links
    pool, _ = make_pool(bytes(data))
    found = {describe(related.key).fingerprint.value for related in edwards.search(pool, known)}
    assert len(found & {key.spki_sha256 for key in served}) >= 190


def test_the_string_of_ssh_whose_fields_before_are_gone(make_pool: MakePool) -> None:
    """Seed and public half stand behind their length of 64, at an odd byte inside of a run."""
    key = keys.okp_key("ed25519")
    freed = noise.uniform(61, 1) + (64).to_bytes(4, "big") + key.seed + key.public[:20]
    data = noise.plant(noise.text(SIZE, 3), 1024, bytes(8) + freed + noise.uniform(40, 2))
    data = noise.plant(data, 4096, bytes(8) + key.public + bytes(8))
    pool, _ = make_pool(data)
    (related,) = edwards.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


def test_a_vector_of_lisp_among_many_numbers(make_pool: MakePool) -> None:
    """SBCL writes a vector's length as a small integer, twice its number: bytes before a seed."""
    key = keys.okp_key("ed25519")
    rows = noise.uniform(32 * 12_000, 7)
    crowd = b"".join(bytes(24) + rows[at : at + 32] for at in range(0, len(rows), 32))
    header = (0x9D).to_bytes(8, "little") + (32 << 1).to_bytes(8, "little")
    held = bytes(16).join((header + key.public, header + key.seed, bytes(8)))
    pool, _ = make_pool(crowd + bytes(24) + held)
    (related,) = edwards.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("algorithm", SEARCHES)
def test_a_known_key_needs_not_stand_there(make_pool: MakePool, algorithm: str) -> None:
    """The operator's key bears witness; one derived from a parsed private key does not."""
    key = keys.okp_key(algorithm)
    pool, _ = make_pool(noise.plant(noise.text(SIZE, 5), 2048 - 8, bytes(8) + key.seed + bytes(8)))
    search = SEARCHES[algorithm].search
    assert list(search(pool, ())) == []
    assert list(search(pool, [publics.okp(algorithm, key.public, kind="public-key")])) == []
    known = publics.okp(algorithm, key.public, kind="known")
    assert len(list(search(pool, [known]))) == 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("known", [False, True])
def test_a_scalar_without_its_seed(make_pool: MakePool, seed: int, *, known: bool) -> None:
    """The clamped scalar that ring keeps is found by a*B = A, whichever sign x has."""
    key = keys.okp_key(label=f"scalar {seed}")
    data = noise.plant(noise.text(SIZE, 7), 1024 - 8, bytes(8) + scalar(key) + bytes(8))
    if not known:
        data = noise.plant(data, 4096, key.public)
    pool, memory = make_pool(data)
    witnesses = [publics.okp("ed25519", key.public, kind="known")] if known else []
    (related,) = edwards.search(pool, witnesses)
    assert related.proof == "a*B = A"
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert key.spki_sha256 in again(memory, related)


@pytest.mark.parametrize("before", [0, 64])
@pytest.mark.parametrize("a", [0, 1, 8, L])
def test_no_scalar_beside_a_public_key(make_pool: MakePool, a: int, before: int) -> None:
    """Seen in PHP: zeros next to a public key, and p - 1 in libsodium's table of small orders.

    The base point stands in every library. Where the key begins the dump, nothing is before it.
    """
    public = keys.okp_key("ed25519").public
    number = a.to_bytes(32, "little")
    head = bytes(before)[:-32] + number[: before // 2] + public + number
    table = noise.uniform(64, 4) + ((1 << 255) - 20).to_bytes(32, "little") + noise.uniform(64, 5)
    table += edwards25519.multiple((1).to_bytes(32, "little")) + noise.uniform(64, 6)
    table += edwards25519.multiple((8).to_bytes(32, "little")) + noise.uniform(64, 7)
    pool, _ = make_pool(head + bytes(4096) + table + bytes(64))
    place = Place(space=0, offset=before, size=32)
    known = publics.okp("ed25519", public, kind="certificate", place=place)
    assert list(edwards.search(pool, [known])) == []


def test_no_piece_lies_between_blocks(make_pool: MakePool) -> None:
    """Of the pool's bytes those that stand in no run's block are of no dump."""
    pool, _ = make_pool(noise.uniform(64, 1) + bytes(4096) + noise.uniform(64, 2) + bytes(64))
    ends = pool.ends
    assert [int(end - at) for at, end in zip(pool.at, ends, strict=True)] == [96, 128]
    spots = np.array([pool.at[0] - 32, pool.at[0], ends[0] - 32, ends[0] - 31, pool.at[1] - 1])
    assert variety.fits(pool, spots, 32).tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("label", ["one", "two", "three"])
@pytest.mark.parametrize("seeded", [False, True])
@pytest.mark.parametrize("order", [(1024, 2048, 4096, 6144), (6144, 2048, 1024, 4096)])
def test_the_negated_point_is_no_other_key(
    make_pool: MakePool, order: tuple[int, int, int, int], label: str, *, seeded: bool
) -> None:
    """A verifier's -A stands beside the scalar; the seed tells the key, or the scalar does."""
    key = keys.okp_key(label=label)
    negated = key.public[:31] + bytes((key.public[31] ^ 128,))
    seed = key.seed if seeded else bytes(32)
    data = noise.text(SIZE, 7)
    for at, raw in zip(order, (seed, scalar(key), negated, key.public), strict=True):
        data = noise.plant(data, at - 8, bytes(8) + raw + bytes(8))
    pool, _ = make_pool(data)
    found = [describe(related.key).fingerprint.value for related in edwards.search(pool, ())]
    assert found == [key.spki_sha256]


def test_an_eighth_of_a_scalar(make_pool: MakePool) -> None:
    """SymCrypt's X25519 scalar, divided by the cofactor, is found."""
    key = keys.okp_key("x25519")
    eighth = (int.from_bytes(clamped(key.seed), "little") >> 3).to_bytes(32, "little")
    data = noise.plant(noise.text(SIZE, 9), 1024 - 8, bytes(8) + eighth + bytes(8))
    pool, memory = make_pool(noise.plant(data, 4096, key.public))
    (related,) = montgomery.search(pool, ())
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert key.spki_sha256 in again(memory, related)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 99),
    kind=st.sampled_from(["text", "text16", "pointers", "zeros"]),
    algorithm=st.sampled_from(["ed25519", "x25519"]),
    bit=st.integers(3, 245),
    which=st.sampled_from(["neither", "private", "public"]),
)
def test_one_bit_decides(
    make_pool: MakePool, seed: int, kind: str, algorithm: str, bit: int, which: str
) -> None:
    """A key is found in any surroundings; with one bit of either half flipped it is not."""
    private = noise.uniform(32, seed)
    halves = {
        "private": bytearray(private),
        "public": bytearray(detect.okp_public(algorithm, private)),
    }
    if which in halves:
        halves[which][bit // 8] ^= 1 << bit % 8
    data = noise.plant(noise.KINDS[kind](SIZE, seed), 1016, bytes(8) + halves["private"] + bytes(8))
    pool, _ = make_pool(noise.plant(data, 4095, b"\0" + halves["public"] + b"\0"))
    assert len(list(SEARCHES[algorithm].search(pool, ()))) == (which == "neither")


@pytest.mark.parametrize("kind", ["heap", "uniform"])
def test_random_bytes_hold_no_key(make_pool: MakePool, kind: str) -> None:
    """Random objects give nothing, and an empty pool neither."""
    pool, _ = make_pool(noise.KINDS[kind](1 << 15, 11))
    empty, _ = make_pool(bytes(4096))
    for search in (edwards.search, montgomery.search):
        assert list(search(pool, ())) == []
        assert list(search(empty, ())) == []


def test_every_private_spelling() -> None:
    """What is searched for of a proved key: seed, scalar, modulo L, its eighth, the prefix; k."""
    key = keys.okp_key("ed25519")
    a = scalar(key)
    reduced = (int.from_bytes(a, "little") % L).to_bytes(32, "little")
    whole = Okp(algorithm="ed25519", seed=key.seed, public=key.public)
    prefix = hashlib.sha512(key.seed).digest()[32:]
    assert {raw for _, raw in edwards.spelled(whole)} == {key.seed, a, reduced, prefix}
    bare = Okp(algorithm="ed25519", seed=b"", public=key.public, a=a)
    eighth = (int.from_bytes(a, "little") >> 3).to_bytes(32, "little")
    assert {raw for _, raw in edwards.spelled(bare)} == {a, reduced, eighth}
    key = keys.okp_key("ed448")
    digest = hashlib.shake_256(key.seed).digest(114)
    a = bytes((digest[0] & 252,)) + digest[1:55] + bytes((digest[55] | 128, 0))
    whole = Okp(algorithm="ed448", seed=key.seed, public=key.public)
    assert {raw for _, raw in edwards.spelled(whole)} == {key.seed, a, digest[57:]}
    bare = Okp(algorithm="ed448", seed=b"", public=key.public, a=a)
    assert {raw for _, raw in edwards.spelled(bare)} == {a}
    other = keys.okp_key("x25519")
    agreement = Okp(algorithm="x25519", seed=other.seed, public=other.public)
    k = clamped(other.seed)
    eighth = (int.from_bytes(k, "little") >> 3).to_bytes(32, "little")
    assert {raw for _, raw in edwards.spelled(agreement)} == {other.seed, k, eighth, k[::-1]}


def heap(objects: list[bytes], between: int) -> bytes:
    """Lay objects of 32 bytes out as glibc's allocator does, each apart from the one before."""
    return b"".join((0x31).to_bytes(8, "little") + raw + bytes(8 + between) for raw in objects)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("order", [1, -1])
def test_a_pair_comes_first_in_a_crowd(make_pool: MakePool, order: int, flipped: bool) -> None:
    """A seed allocated beside its public half is tried before thousands of lone numbers."""
    key = keys.okp_key("ed25519")
    crowd = noise.uniform(32 * (edwards.MOST_SEEDS + 1_000), 5)
    lone = [crowd[at : at + 32] for at in range(0, len(crowd), 32)]
    seed = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    data = heap(lone, 48) + heap([key.public, seed][::order], 0) + bytes(64)
    found = list(edwards.search(make_pool(data)[0], ()))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("between", [b"", b"\xff" * 8])
def test_an_object_of_a_seed_and_its_public_half_in_a_crowd(
    make_pool: MakePool, between: bytes, flipped: bool
) -> None:
    """Seen in TweetNaCl on Node: 64 bytes behind their length, in a heap of lone numbers."""
    key = keys.okp_key("ed25519")
    crowd = noise.uniform(32 * (FEW + 200), 5)
    lone = [crowd[at : at + 32] for at in range(0, len(crowd), 32)]
    own = bytes((key.seed[0] ^ flipped,)) + key.seed[1:] + key.public
    data = heap(lone, 48) + (64).to_bytes(8, "little") + between + own + bytes(72)
    data += heap(lone[: len(lone) // 2], 64) + key.public + bytes(64)
    found = list(edwards.search(make_pool(data)[0], ()))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
def test_a_freed_record_in_a_crowd(make_pool: MakePool, *, flipped: bool) -> None:
    """Seen in ring: a mark of glibc's joins what is left of a scalar's record, a, prefix and A."""
    key = keys.okp_key("ed25519")
    crowd = noise.uniform(32 * (FEW + 200), 5)
    lone = [crowd[at : at + 32] for at in range(0, len(crowd), 32)]
    a = bytearray(scalar(key))
    a[5] ^= flipped
    record = noise.uniform(8, 7) + a + noise.uniform(32, 6) + key.public
    data = heap(lone, 48) + (0x81).to_bytes(8, "little") + bytes(8) + record + bytes(64)
    known = publics.okp("ed25519", key.public, kind="known")
    found = list(edwards.search(make_pool(data)[0], [known]))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(("lead", "tail"), [(b"\x90", b"\x12\x34"), (b"\x90", b""), (b"\x00", b"")])
def test_a_seed_behind_a_version_in_a_crowd(
    make_pool: MakePool, lead: bytes, tail: bytes, *, flipped: bool
) -> None:
    """What a wallet decoded (a version, a seed, a checksum) is tried before all that is aligned."""
    key = keys.okp_key("ed25519")
    crowd = noise.uniform(32 * (FEW + 200), 5)
    lone = [crowd[at : at + 32] for at in range(0, len(crowd), 32)]
    raw = lead + bytes((key.seed[0] ^ flipped,)) + key.seed[1:] + tail
    head = len(raw).to_bytes(8, "little") + b"\xff" * 8  # of CPython: the length, and no hash yet
    data = heap(lone, 48) + bytes(16) + head + raw + bytes(72 - len(raw)) + key.public + bytes(64)
    found = list(edwards.search(make_pool(data)[0], ()))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )


def crowded(structure: bytes) -> bytes:
    """Put a structure that is one run behind a crowd of lone numbers."""
    crowd = noise.uniform(32 * (FEW + 200), 5)
    lone = [crowd[at : at + 32] for at in range(0, len(crowd), 32)]
    return heap(lone, 48) + bytes(16) + structure + bytes(64)


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("rest", [0, 40, 200])
def test_a_key_pair_within_a_structure_in_a_crowd(
    make_pool: MakePool, rest: int, *, flipped: bool
) -> None:
    """Seen in Zig: a public half, the seed and the public half again, behind keys of other curves.

    The structure is one run, and nothing in it stands at a multiple of its size.
    """
    key = keys.okp_key("ed25519")
    seed = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    pair = key.public + seed + key.public
    data = crowded(noise.uniform(248, 6) + pair + noise.uniform(rest, 7))
    found = list(edwards.search(make_pool(data)[0], ()))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("before", [56, 88])
def test_a_public_half_elsewhere_leads_to_a_seed_within_a_structure(
    make_pool: MakePool, before: int, *, flipped: bool
) -> None:
    """Behind the seed and alone on the heap."""
    key = keys.okp_key("ed25519")
    seed = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    structure = noise.uniform(before, 6) + seed + key.public + noise.uniform(72, 7)
    data = crowded(structure) + heap([key.public], 0) + bytes(64)
    found = list(edwards.search(make_pool(data)[0], ()))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )


@pytest.mark.usefixtures("few_seeds")
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("shift", [0, 3])
def test_a_seed_behind_its_known_public_half_in_a_crowd(
    make_pool: MakePool, shift: int, *, flipped: bool
) -> None:
    """Within a structure, at a byte of any address."""
    key = keys.okp_key("ed25519")
    seed = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    structure = noise.uniform(248 + shift, 6) + key.public + seed + noise.uniform(205 - shift, 7)
    known = publics.okp("ed25519", key.public, kind="known")
    found = list(edwards.search(make_pool(crowded(structure))[0], [known]))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("before", [24, 56, 88])
def test_a_seed_and_its_only_public_half_within_a_structure(
    make_pool: MakePool, before: int, *, flipped: bool
) -> None:
    """Where there is little else to try, every word of a short run is."""
    key = keys.okp_key("ed25519")
    seed = bytes((key.seed[0] ^ flipped,)) + key.seed[1:]
    structure = noise.uniform(before, 6) + seed + key.public + noise.uniform(72, 7)
    data = noise.plant(noise.text(SIZE, 3), 1024, bytes(16) + structure + bytes(16))
    found = list(edwards.search(make_pool(data)[0], ()))
    assert [describe(one.key).fingerprint.value for one in found] == (
        [] if flipped else [key.spki_sha256]
    )
