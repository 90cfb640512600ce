"""EC scalars in digits: found beside every form of the point, and nowhere else."""

import struct
from collections.abc import Callable
from typing import Literal

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise, sm2
from scanner.detect.algebra import publics
from scanner.detect.algebra.curve_points import GROUPS, derive
from scanner.detect.algebra.material import Ec, describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import readings
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import digits
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import digit_scalars
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

P224 = keys.ec_key("P-224")
"""Its rows in an interpreter's arrays are too short to be seen."""
KEYS = {c: keys.ec_key(c) for c in digit_scalars.MOST if c not in GROUPS and c != P224.curve}
USUAL = {curve: key for curve, key in KEYS.items() if curve not in digit_scalars.RARE}
RARE = {curve: key for curve, key in KEYS.items() if curve in digit_scalars.RARE}
HELD = {reading.name: reading for reading in digits.held(readings.LITTLE_ENDIAN)}


def plant(kind: str, at: int, raw: bytes, *points: bytes) -> bytes:
    """Write a scalar behind a small number, and its point a page further on."""
    data = bytearray(getattr(noise, kind)(1 << 14, 3))
    start = 4096 + at * 8
    head = (0x27 << 58 | len(raw) // 8 + 1, len(raw) // 8)
    data[start - 16 : start + len(raw) + 16] = struct.pack("<2Q", *head) + raw + bytes(16)
    for slot, point in enumerate(points, 2):
        data[slot * 4096 - 8 : slot * 4096 + len(point) + 8] = bytes(8) + point + bytes(8)
    return bytes(data)


def spell(number: int, reading: Reading, key: keys.EcKey) -> bytes:
    """Spell a number of the curve's size."""
    return readings.encode(reading, number, 521 if key.curve == "P-521" else 8 * key.field_bytes)


def search(
    make_pool: MakePool, data: bytes, *known: PublicKey, order: str = "little"
) -> list[Related]:
    """Return what is proved, after proving each again from its place alone."""
    pool, memory = make_pool(data, order)
    found = list(digit_scalars.search(pool, known))
    for related in found:
        assert isinstance(related.key, Ec)
        candidate = second_look.told(related)
        again = {describe(key).fingerprint for key in digit_scalars.again(memory, candidate)}
        assert candidate.fingerprint in again
    return found


@pytest.mark.parametrize(
    ("beside", "reading", "key"),
    [
        pytest.param(beside, reading, key, id=f"{beside}-{name}-{curve}")
        for row, (name, reading) in enumerate(HELD.items())
        for column, (curve, key) in enumerate(USUAL.items())
        for beside in [("digits", "bytes")[(row + column) % 2]]
    ],
)
def test_a_scalar_beside_its_point(
    make_pool: MakePool, key: keys.EcKey, reading: Reading, beside: str
) -> None:
    """The scalar is found by x in the same digits, and by the encoded point.

    In each reading by either, on two of the curves each.
    """
    point = encodings.public_point(key) if beside == "bytes" else spell(key.x, reading, key)
    (found,) = search(make_pool, plant("heap", 5, spell(key.d, reading, key), point))
    assert describe(found.key).fingerprint.value == key.spki_sha256
    assert (found.proof, found.encoding) == ("d*G = Q", f"d {reading.name}")


@pytest.mark.parametrize("key", USUAL.values(), ids=USUAL)
@pytest.mark.parametrize(
    ("word", "order"), [(8, "little"), (8, "big"), (4, "little")], ids=["64", "big-endian", "32"]
)
@pytest.mark.parametrize("counted", [True, False])
def test_a_scalar_of_pypy(
    make_pool: MakePool,
    key: keys.EcKey,
    word: int,
    order: Literal["little", "big"],
    *,
    counted: bool,
) -> None:
    """Its digits leave one bit of a word free: an array's length before them says what they are."""
    name = f"digits-{8 * word - 1}"
    reading = next(how for how in readings.table(order) if how.name == name)
    count = readings.count(reading, CURVES[key.curve].n.bit_length())
    head = (0x498).to_bytes(word, order) + (count + (not counted)).to_bytes(word, order)
    rows = [head + spell(number, reading, key) + bytes(2 * word) for number in (key.d, key.y)]
    pool, memory = make_pool(bytes(64) + rows[0] + bytes(4096) + rows[1], order, word=word)
    found = list(digit_scalars.search(pool, ()))
    told = [(describe(one.key).fingerprint.value, one.encoding) for one in found]
    assert told == ([(key.spki_sha256, f"d {name}")] if counted else [])
    for one in found:
        candidate = second_look.told(one)
        again = {describe(same).fingerprint for same in digit_scalars.again(memory, candidate)}
        assert candidate.fingerprint in again


@pytest.mark.parametrize("key", USUAL.values(), ids=USUAL)
@pytest.mark.parametrize("flipped", [False, True])
def test_a_freed_point_whose_y_is_left(
    make_pool: MakePool, key: keys.EcKey, *, flipped: bool
) -> None:
    """Seen in python-ecdsa with gmpy2: glibc wrote two words over the limbs of both coordinates."""
    limbs = bytearray(encodings.little_limbs(key.y, key.field_bytes))
    limbs[20] ^= flipped
    freed = noise.uniform(16, 8) + limbs[16:]
    found = search(make_pool, plant("heap", 5, spell(key.d, HELD["digits-30"], key), freed))
    fingerprints = [describe(one.key).fingerprint.value for one in found]
    assert fingerprints == ([] if flipped else [key.spki_sha256])


@pytest.mark.parametrize("key", USUAL.values(), ids=USUAL)
@pytest.mark.parametrize("flipped", [False, True])
def test_a_point_of_which_y_alone_is_seen(
    make_pool: MakePool, key: keys.EcKey, *, flipped: bool
) -> None:
    """Seen in python-ecdsa: x in digits stood in no run, as one in six hundred does."""
    reading = HELD["digits-30"]
    y = spell(key.y ^ flipped << 100, reading, key)
    found = search(make_pool, plant("heap", 5, spell(key.d, reading, key), y))
    fingerprints = [describe(one.key).fingerprint.value for one in found]
    assert fingerprints == ([] if flipped else [key.spki_sha256])


@pytest.mark.parametrize("key", [P224, RARE["brainpoolP256r1"]], ids=lambda k: k.curve)
@pytest.mark.parametrize("table", [True, False])
def test_a_scalar_behind_a_table_of_points(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, key: keys.EcKey, *, table: bool
) -> None:
    """Seen in python-ecdsa, which keeps G doubled again and again, in digits: they are no scalars.

    What is no table takes the turns.
    """
    most = 16
    monkeypatch.setitem(digit_scalars.MOST, key.curve, (most, most))
    reading = HELD["digits-30"]
    points = [derive(key.curve, 1 << bit) for bit in range(most)]
    others = [number ^ (not table) << 99 for point in points for number in point]
    header = struct.pack("<3Q", 1, 0x7F2C_E4AF_FF40, readings.count(reading, 8 * key.field_bytes))
    data = b""
    for number in (*others, key.d, key.x):
        data += (header + spell(number, reading, key)).ljust(96, b"\0")
    found = search(make_pool, data)
    fingerprints = [describe(one.key).fingerprint.value for one in found]
    assert fingerprints == ([key.spki_sha256] if table else [])


def test_a_root_of_one_is_no_key(make_pool: MakePool) -> None:
    """By which secp256k1's endomorphism multiplies: elliptic has it, and that multiple of G."""
    reading, key, order = HELD["smi64-26"], KEYS["secp256k1"], CURVES["secp256k1"].n
    number = pow(3, (order - 1) // 3, order)
    x, y = derive("secp256k1", number)
    point = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    assert search(make_pool, plant("heap", 5, spell(number, reading, key), point)) == []


@pytest.mark.parametrize("key", USUAL.values(), ids=USUAL)
@pytest.mark.parametrize("name", ["zval-31", "zval-26"])
def test_a_point_in_memory_that_was_used(make_pool: MakePool, key: keys.EcKey, name: str) -> None:
    """Seen in phpseclib: behind the tags of x there is what stood there before, as here a text."""
    scalar, point = (spell(number, HELD[name], key) for number in (key.d, key.x))
    used = b"".join(point[at : at + 12] + b"3031" for at in range(0, len(point), 16))
    (found,) = search(make_pool, plant("heap", 5, scalar, used))
    assert describe(found.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("cells-32", b"\x03was us"),
        ("cells-24", b"\x03was us"),
        ("doubles-28", b"in use\x00\x04"),
        ("doubles-26", b"\x00\x00\x00\x00used"),
    ],
    ids=["Lua-32", "Lua-24", "MuJS", "Duktape"],
)
def test_numbers_whose_tags_are_a_byte(make_pool: MakePool, name: str, tag: bytes) -> None:
    """Seen in Lua, MuJS and Duktape: the rest of the word behind a digit is what stood there."""
    key = KEYS["P-256"]
    tag = tag.ljust(8, b"e")
    raws = [spell(number, HELD[name], key) for number in (key.d, key.x)]
    used = [b"".join(raw[at : at + 8] + tag for at in range(0, len(raw), 16)) for raw in raws]
    (found,) = search(make_pool, plant("heap", 5, *used))
    assert describe(found.key).fingerprint.value == key.spki_sha256
    assert found.encoding == f"d {name}"


@pytest.mark.parametrize("key", RARE.values(), ids=RARE)
@pytest.mark.parametrize("reading", [*HELD.values()][::2], ids=[*HELD][::2])
def test_a_scalar_of_a_rare_curve(make_pool: MakePool, key: keys.EcKey, reading: Reading) -> None:
    """Seen in ``ecdsa`` for Python: the curve's generator, an integer too, says that it is used."""
    scalar, point = spell(key.d, reading, key), key.x.to_bytes(key.field_bytes, "little")
    (found,) = search(make_pool, plant("heap", 5, scalar, point, spell(base(key), reading, key)))
    assert describe(found.key).fingerprint.value == key.spki_sha256
    assert (found.proof, found.encoding) == ("d*G = Q", f"d {reading.name}")
    assert search(make_pool, plant("heap", 5, scalar, point)) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_scalar_of_a_rare_curve_among_many_runs(make_pool: MakePool, *, known: bool) -> None:
    """Seen in Python, with keys of several packages: the generator in digits says enough there."""
    key, how = RARE["brainpoolP256r1"], readings.DIGITS_30
    scalar, point, generator = (spell(number, how, key) for number in (key.d, key.x, base(key)))
    crowd = b"".join(noise.uniform(32, at) + bytes(16) for at in range(FEW_RUNS + 1))
    data = plant("heap", 5, scalar, point, generator if known else base(key).to_bytes(32)) + crowd
    found = [describe(one.key).fingerprint.value for one in search(make_pool, data)]
    assert found == ([key.spki_sha256] if known else [])


@pytest.mark.parametrize("name", ["digits-30", "digits-28"])
def test_a_scalar_of_p224(make_pool: MakePool, name: str) -> None:
    """Seen in ``ecdsa`` for Python. Of its generator x in digits of 28 bits looks not random."""
    reading, at = HELD[name], int(name == "digits-28")
    scalar, point = spell(P224.d, reading, P224), P224.x.to_bytes(28, "little")
    generator = derive(P224.curve, 1)[at]
    (found,) = search(make_pool, plant("heap", 5, scalar, point, spell(generator, reading, P224)))
    assert describe(found.key).fingerprint.value == P224.spki_sha256
    assert search(make_pool, plant("heap", 5, scalar, point)) == []


@pytest.mark.parametrize("name", ["digits-60", "digits-28"])
@pytest.mark.parametrize("curve", ["P-192", "P-224", "brainpoolP320r1"])
@pytest.mark.parametrize("flipped", [0, 1])
def test_a_scalar_of_a_rare_curve_beside_both_coordinates(
    make_pool: MakePool, curve: str, name: str, flipped: int
) -> None:
    """Seen in LibTomCrypt: the point says that the curve is in use, for no generator stands."""
    how, bits = HELD[name], CURVES[curve].p.bit_length()
    d = int.from_bytes(noise.uniform(64, 7), "big") % CURVES[curve].n
    x, y = derive(curve, d)
    raws = [readings.encode(how, number, bits) for number in (d, x, y ^ flipped)]
    found = search(make_pool, plant("heap", 5, *raws))
    assert [related.key.d for related in found if isinstance(related.key, Ec)] == (
        [] if flipped else [d]
    )


def test_a_scalar_of_sm2(make_pool: MakePool) -> None:
    """Seen in ``gmalg``: integers of Python, where the generator is one of them."""
    how = readings.DIGITS_30
    generator = GROUPS["SM2"].g[0]
    scalar, point, base_point = (
        readings.encode(how, number, 256) for number in (sm2.D, sm2.X, generator)
    )
    (found,) = search(make_pool, plant("heap", 5, scalar, point, base_point))
    assert describe(found.key).fingerprint.value == sm2.SPKI_SHA256
    assert search(make_pool, plant("heap", 5, scalar, point)) == []


def base(key: keys.EcKey) -> int:
    """Return the generator's x, as OpenSSL has it."""
    group = keys.RARE_CURVES[key.curve]()
    return ec.derive_private_key(1, group).public_key().public_numbers().x


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    curve=st.sampled_from(sorted(KEYS)),
    name=st.sampled_from(sorted(HELD)),
    kind=st.sampled_from(("zeros", "text", "pointers", "heap")),
    at=st.integers(0, 200),
)
def test_a_scalar_of_a_known_key(
    make_pool: MakePool, curve: str, name: str, kind: str, at: int
) -> None:
    """A certificate's key is found by its scalar alone, whatever is around it."""
    key = KEYS[curve]
    public = publics.ec(curve, key.x, key.y, kind="certificate")
    (found,) = search(make_pool, plant(kind, at, spell(key.d, HELD[name], key)), public)
    assert describe(found.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize(
    ("key", "name"),
    [*((key, "smi64-26") for key in USUAL.values()), (KEYS["P-256"], "smi32-26")],
    ids=[*USUAL, "32"],
)
def test_a_scalar_of_bn_js_in_a_crowd(make_pool: MakePool, key: keys.EcKey, name: str) -> None:
    """Seen in ``elliptic`` on Node: x times 2^(26 words), and thousands of passing numbers.

    The scalar was read from bytes or text, so its array has a word for each three bytes. Node for
    32-bit Windows keeps it in 31 bits of a word.
    """
    reading = HELD[name]
    bits = 521 if key.curve == "P-521" else 8 * key.field_bytes
    size = readings.count(reading, bits)
    x = key.x * pow(2, 26 * size, CURVES[key.curve].p) % CURVES[key.curve].p
    crowd = b"".join(
        bytes(8) + array(reading, size, spell(pow(3, at + 300, CURVES[key.curve].n), reading, key))
        for at in range(digit_scalars.MOST_READ + 50)
    )
    mine = array(reading, -(-key.field_bytes // 3), spell(key.d, reading, key) + bytes(8))
    point = array(reading, size, spell(x, reading, key))
    data = bytes(64) + crowd + mine + bytes(64) + point + bytes(64)
    (found,) = search(make_pool, data)
    assert describe(found.key).fingerprint.value == key.spki_sha256
    assert found.encoding == f"d {name}"


@pytest.mark.parametrize(
    ("key", "name"),
    [(KEYS["secp256k1"], "smi64-28"), (KEYS["P-521"], "smi32-28")],
    ids=["64", "32"],
)
def test_a_scalar_of_jsbn_in_a_crowd(make_pool: MakePool, key: keys.EcKey, name: str) -> None:
    """Seen in kbpgp on Node: an array that has grown, behind more numbers than are tried."""
    reading = HELD[name]
    bits = 521 if key.curve == "P-521" else 8 * key.field_bytes
    size = readings.count(reading, bits)
    crowd = b"".join(
        bytes(8) + array(reading, 31, spell(pow(3, at + 300, CURVES[key.curve].n), reading, key))
        for at in range(digit_scalars.MOST[key.curve][0] + digit_scalars.MOST_GROWN + 100)
    )
    grown = 17 if size <= 17 else 43
    holes = bytes((grown - size) * reading.word)
    mine = array(reading, grown, spell(key.d, reading, key) + holes)
    x = key.x.to_bytes(key.field_bytes, "big")
    data = bytes(64) + crowd + mine + bytes(64) + x + bytes(64)
    (found,) = search(make_pool, data)
    assert describe(found.key).fingerprint.value == key.spki_sha256
    assert found.encoding == f"d {name}"


def test_a_scalar_among_pairs_of_digits(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in LibTomCrypt on 32-bit x86: two digits of 28 bits look like one of 60."""
    key, reading = KEYS["P-521"], HELD["digits-28"]
    monkeypatch.setitem(digit_scalars.MOST, key.curve, (30, 30))
    numbers = (int.from_bytes(noise.uniform(256, seed), "big") for seed in range(31))
    crowd = b"".join(bytes(64) + readings.encode(reading, number, 2048) for number in numbers)
    mine = bytes(64) + spell(key.d, reading, key) + bytes(64) + spell(key.x, reading, key)
    (found,) = search(make_pool, mine + crowd + bytes(64))
    assert describe(found.key).fingerprint.value == key.spki_sha256
    assert found.encoding == "d digits-28"


@pytest.mark.parametrize(
    ("key", "tag", "order"),
    [
        *((key, 1, "little") for key in USUAL.values()),
        (KEYS["P-384"], 8, "little"),
        (KEYS["P-384"], 1, "big"),
        (KEYS["P-384"], 8, "big"),
    ],
    ids=[*USUAL, "tagged", "big-endian", "big-endian-tagged"],
)
def test_a_scalar_of_python_behind_tables_of_points(
    make_pool: MakePool, key: keys.EcKey, tag: int, order: Literal["little", "big"]
) -> None:
    """Seen in ``ecdsa``: tables of multiples, integer after integer, and what looks like digits.

    On s390x, too.
    """
    bits = 521 if key.curve == "P-521" else 8 * key.field_bytes
    held = readings.python(readings.table(order))
    size = readings.count(held, bits)
    head = bytes(12) + (size * tag).to_bytes(8, order)
    numbers = [
        spell(pow(3, at + 300, CURVES[key.curve].n), held, key)
        for at in range(digit_scalars.MOST[key.curve][0] + 100)
    ]
    table = b"".join(head + raw for raw in numbers)
    loose = b"".join(bytes(24) + raw for raw in numbers)
    mine = bytes(64) + head + spell(key.d, held, key) + bytes(64)
    data = bytes(64) + table + loose + mine + spell(key.x, held, key) + bytes(64)
    (found,) = search(make_pool, data, order=order)
    assert describe(found.key).fingerprint.value == key.spki_sha256


def array(reading: Reading, length: int, words: bytes) -> bytes:
    """Write an array of V8: a tagged pointer to its map, its length, its words."""
    head = (0x2B185C980211 % (1 << 8 * reading.word), length << reading.shift)
    raw = b"".join(part.to_bytes(reading.word, "little") for part in head) + words
    return raw + bytes(-len(raw) % 8)


@pytest.mark.parametrize("reading", HELD.values(), ids=HELD)
def test_another_scalar_or_none_proves_nothing(make_pool: MakePool, reading: Reading) -> None:
    """A scalar without its point, beside another's, or with a wrong bit is no key."""
    key, other = KEYS["P-256"], KEYS["secp256k1"]
    right, point = spell(key.d, reading, key), spell(key.x, reading, key)
    wrong = spell(key.d ^ 1 << 100, reading, key)
    assert search(make_pool, plant("heap", 0, right)) == []
    assert search(make_pool, plant("heap", 0, right, spell(other.x, reading, other))) == []
    assert search(make_pool, plant("heap", 0, wrong, point)) == []


@pytest.mark.parametrize("kind", ["text", "pointers", "heap", "uniform"])
def test_noise_proves_nothing(make_pool: MakePool, kind: str) -> None:
    """Memory of any kind without a scalar gives nothing."""
    assert search(make_pool, getattr(noise, kind)(1 << 16, 9)) == []
