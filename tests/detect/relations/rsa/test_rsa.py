"""RSA: any private number, in any reading, anywhere; nothing where a bit is wrong."""

import functools
import itertools
import math
import pickle
import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Rsa, describe
from scanner.detect.integers import edges, readings
from scanner.detect.integers import pool as pools
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import crt, dividing, known, rsa, shelf
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.dump.space import Memory
from tests.detect.relations import second_look
from tests.detect.relations.rsa import test_ratios as ratio_tests

MakePool = Callable[..., tuple[Pool, Memory]]

KEY = keys.rsa_key(2048)
SMALL = keys.rsa_key(1024)
PUBLIC = publics.rsa(KEY.n, KEY.e, kind="certificate")
TABLE = {reading.name: reading for reading in readings.LITTLE_ENDIAN}
FORMS = sorted(TABLE)
SURROUNDINGS = ("zeros", "text", "pointers", "heap")
GAP = bytes(24)
FACTORS = math.prod(range(3, 104, 2))
FEW = 1000

anywhere = functools.partial(
    settings, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def few_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have fewer runs be many."""
    monkeypatch.setattr(pools, "FEW_RUNS", FEW)


def plant(kind: str, seed: int, at: Sequence[int], parts: Sequence[tuple[bytes, Reading]]) -> bytes:
    """Write numbers into surroundings, each in a stretch of its own, at its reading's alignment."""
    stretch = 3072
    data = bytearray(getattr(noise, kind)(stretch * len(parts), seed))
    for slot, (offset, (raw, reading)) in enumerate(zip(at, parts, strict=True)):
        start = slot * stretch + 64 + offset // reading.align * reading.align
        data[start - len(GAP) : start + len(raw) + len(GAP)] = GAP + raw + GAP
    return bytes(data)


def spell(number: int, form: str, bits: int = 0) -> tuple[bytes, Reading]:
    """Spell a number in a reading."""
    size = bits or number.bit_length()
    return readings.encode(TABLE[form], number, size), TABLE[form]


@functools.cache
def prime(bits: int, seed: int) -> int:
    """Return a prime of so many bits, of which the first four are set."""
    start = int.from_bytes(noise.uniform(bits // 8 + 1, seed), "little") % (1 << bits - 4)
    first = start | 15 << bits - 4 | 1
    return next(n for n in itertools.count(first, 2) if n % 65537 != 1 and pow(3, n - 1, n) == 1)


def search(make_pool: MakePool, data: bytes, *known: publics.PublicKey) -> list[Related]:
    """Return what is proved, after proving each again from its places alone."""
    pool, memory = make_pool(data)
    found = list(rsa.search(pool, known))
    for related in found:
        key = related.key
        assert isinstance(key, Rsa)
        assert key.n % key.p == 0
        candidate = second_look.told(related)
        (again,) = rsa.again(memory, candidate)
        assert describe(again).fingerprint == candidate.fingerprint
        assert isinstance(again, Rsa)
        assert again.p in (key.p, key.q)
    return found


def only(found: list[Related], key: keys.RsaKey = KEY) -> Related:
    """Return the one key, which must be the one that was planted."""
    (related,) = found
    assert describe(related.key).fingerprint.value == key.spki_sha256
    return related


@anywhere(max_examples=25)
@given(
    form=st.sampled_from(FORMS),
    kind=st.sampled_from(SURROUNDINGS),
    at=st.lists(st.integers(0, 2000), min_size=3, max_size=3),
    seed=st.integers(0, 1000),
)
def test_primes_and_their_product(
    make_pool: MakePool, form: str, kind: str, at: list[int], seed: int
) -> None:
    """p, q and n in one reading anywhere are a key that nobody named."""
    data = plant(kind, seed, at, [spell(value, form) for value in (KEY.p, KEY.n, KEY.q)])
    related = only(search(make_pool, data))
    assert (related.proof, related.encoding) == ("p*q = n", form)
    assert related.roles == ("p", "p")


@pytest.mark.parametrize("form", ["bytes-be", "limbs-le"])
@pytest.mark.parametrize("lone", [False, True])
def test_a_public_exponent_that_few_keys_have(make_pool: MakePool, form: str, lone: bool) -> None:
    """One of d and dp says it, behind many numbers of the primes' length that stand nearer."""
    e = (1 << 30) + 7
    d = pow(e, -1, math.lcm(KEY.p - 1, KEY.q - 1))
    others = [int.from_bytes(noise.uniform(128, seed), "big") | 1 | 1 << 1023 for seed in range(40)]
    rows = [KEY.n, KEY.p, *((KEY.p,) if lone else (KEY.q,)), *others, d % (KEY.p - 1), d]
    data = bytes(64) + b"".join(spell(value, form)[0] + GAP for value in rows) + bytes(64)
    (related,) = search(make_pool, data)
    assert isinstance(related.key, Rsa)
    assert (related.key.e, related.key.d, related.key.e_assumed) == (e, d, False)


@anywhere(max_examples=35)
@given(
    number=st.sampled_from(("p", "q", "d", "d_euler")),
    form=st.sampled_from(FORMS),
    kind=st.sampled_from(SURROUNDINGS),
    at=st.integers(0, 2000),
    seed=st.integers(0, 1000),
)
def test_one_number_of_a_known_modulus(
    make_pool: MakePool, number: str, form: str, kind: str, at: int, seed: int
) -> None:
    """A prime or a private exponent alone betrays a modulus that a certificate names."""
    value: int = getattr(KEY, number)
    bits = KEY.n.bit_length() if number.startswith("d") else 0
    data = plant(kind, seed, [at], [spell(value, form, bits)])
    related = only(search(make_pool, data, PUBLIC))
    assert related.proof == ("(n, e, d) factors n" if bits else "p | n")
    assert related.roles == ("d" if bits else "p",)


@anywhere(max_examples=8)
@given(
    number=st.sampled_from(("d", "d_euler")),
    form=st.sampled_from([form for form in FORMS if form != "digits-63"]),
    kind=st.sampled_from(SURROUNDINGS),
    at=st.lists(st.integers(0, 2000), min_size=2, max_size=2),
    seed=st.integers(0, 1000),
)
def test_a_modulus_and_its_exponent(
    make_pool: MakePool, number: str, form: str, kind: str, at: list[int], seed: int
) -> None:
    """A modulus and d in one reading are a key that nobody named, without a prime."""
    numbers = (getattr(KEY, number), KEY.n)
    data = plant(kind, seed, at, [spell(value, form, 2048) for value in numbers])
    related = only(search(make_pool, data))
    assert (related.proof, related.encoding) == ("(n, e, d) factors n", f"d {form}")
    assert related.roles == ("d",)


@pytest.mark.parametrize("private", [[KEY.d], [KEY.p, KEY.q]])
def test_numbers_of_one_pickle(make_pool: MakePool, private: list[int]) -> None:
    """A modulus and private numbers stand behind each other at any byte, each after its length."""
    data = bytes(67) + pickle.dumps([KEY.n, KEY.e, *private], 4) + bytes(64)
    related = only(search(make_pool, data))
    assert (related.key.n, related.key.e) == (KEY.n, KEY.e)


def test_a_public_exponent_of_primes_far_from_every_other_number(make_pool: MakePool) -> None:
    """Seen in OpenSSL on 32-bit x86: a copy of a prime lay below the heap of the others."""
    p, q, n = SMALL.p, SMALL.q, SMALL.n
    e = next(e for e in (3, 5, 17) if math.gcd(e, (p - 1) * (q - 1)) == 1)
    rows = [spell(number, "limbs-le")[0] for number in (q, p, n)]
    rows += [bytes(NEIGHBOURHOOD) + spell(pow(e, -1, r - 1), "limbs-le")[0] for r in (p, q)]
    (related,) = search(make_pool, GAP.join((b"", *rows, b"")))
    assert isinstance(related.key, Rsa)
    assert (related.key.e, related.key.e_assumed) == (e, False)


@pytest.mark.parametrize(
    ("shared", "form", "named"),
    [
        (212, "limbs-le", False),
        (212, "bytes-be", True),
        (3060, "limbs-le", True),
        (3060, "bytes-be", False),
    ],
)
def test_an_exponent_of_primes_that_share_much(
    make_pool: MakePool, shared: int, form: str, *, named: bool
) -> None:
    """Seen in a key of 4096 bits: d is of the order that lcm(p-1, q-1) is, and 53 divides both."""
    p, q = ratio_tests.primes(shared)
    n, d = ratio_tests.exponent(shared, 65537)
    public = [publics.rsa(n, 65537, kind="certificate")] if named else []
    data = plant("text", 1, [16, 40], [spell(n, form), spell(d, form, 1024)])
    (related,) = search(make_pool, data, *public)
    assert isinstance(related.key, Rsa)
    assert {related.key.p, related.key.q} == {p, q}
    assert related.proof == "(n, e, d) factors n"
    wrong = [spell(n, form), spell(d ^ 1 << 200, form, 1024)]
    assert search(make_pool, plant("text", 1, [16, 40], wrong), *public) == []


@anywhere(max_examples=15)
@given(
    number=st.sampled_from(("dp", "dq")),
    form=st.sampled_from(FORMS),
    kind=st.sampled_from(("zeros", "text", "pointers")),
    at=st.lists(st.integers(0, 2000), min_size=2, max_size=2),
    seed=st.integers(0, 1000),
)
def test_a_crt_exponent_near_its_modulus(
    make_pool: MakePool, number: str, form: str, kind: str, at: list[int], seed: int
) -> None:
    """A CRT exponent alone, with the modulus that a certificate names near it."""
    parts = [spell(getattr(KEY, number), form, KEY.bits // 2), spell(KEY.n, form)]
    related = only(search(make_pool, plant(kind, seed, at, parts), PUBLIC))
    assert (related.proof, related.roles) == ("(n, e, dp) factors n", ("dp",))


def test_the_nearest_to_a_modulus_are_kept(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd of moduli, with thousands of numbers around each, had filled the memory."""
    crowd = [noise.uniform(128, seed) for seed in range(20)]
    exponent = spell(KEY.dp, "limbs-le")[0]
    modulus = spell(KEY.n, "limbs-le")[0]
    data = GAP + GAP.join([*crowd, exponent, modulus]) + GAP
    monkeypatch.setattr(known, "_MOST_NEAR", 2)
    monkeypatch.setattr(crt, "MOST_NAMED", (0, 0))
    assert only(search(make_pool, data, PUBLIC)).roles == ("dp",)
    data = GAP + GAP.join([exponent, *crowd, modulus]) + GAP
    assert search(make_pool, data, PUBLIC) == []


@pytest.mark.parametrize("bits", [1024, 2048, 4096])
@pytest.mark.parametrize("name", ["dp", "dq"])
def test_an_exponent_in_der_far_from_a_modulus_that_nobody_named(
    make_pool: MakePool, name: str, bits: int
) -> None:
    """Seen in Botan 2: what is left of a freed PKCS#1 is one exponent, and n stands in limbs."""
    key = keys.rsa_key(bits)
    exponent = cut_out(key, name)
    far = noise.text(2 * NEIGHBOURHOOD, 5)
    for data in (
        GAP + exponent + GAP + far + GAP + spell(key.n, "limbs-le")[0] + GAP,
        GAP + spell(key.n, "limbs-le")[0] + GAP + far + GAP + exponent + GAP,
    ):
        (related,) = search(make_pool, data + bytes(-len(data) % 8))
        assert describe(related.key).fingerprint.value == key.spki_sha256
        assert (related.proof, related.roles) == ("(n, e, dp) factors n", ("dp",))


def test_a_prime_in_an_expression_of_libgcrypt(make_pool: MakePool) -> None:
    """Seen in strongSwan: its length is two bytes, the low one first, and a word before is full."""
    head = b"\x03\x01\x01\x00\x71\x01\xc1\x00\x00"
    key = keys.rsa_key(3072)
    raw = spell(key.q, "bytes-be", 1536)[0]
    public = publics.rsa(key.n, key.e, kind="x")
    data = GAP + bytes(6) + head + raw + b"\x04\x03\x01\x01\x00\x75\x01\xc1" + GAP
    assert only(search(make_pool, data, public), key).roles == ("p",)


@pytest.mark.parametrize(
    ("before", "behind", "form"),
    [(1, 1, "limbs-le"), (4, 1, "bytes-be"), (30, 1, "bytes-be"), (30, 6, "limbs-le")],
)
def test_a_private_exponent_in_a_slab(
    make_pool: MakePool, form: str, before: int, behind: int
) -> None:
    """Seen in Go: among numbers of its length, end to end, of a key that a certificate names."""
    raw = spell(KEY.d, form, 2048)[0]
    data = GAP + noise.uniform(before * 256, 1) + raw + noise.uniform(behind * 256, 2) + GAP
    (related,) = search(make_pool, data, PUBLIC)
    assert related.proof == "(n, e, d) factors n"
    wrong = data.replace(raw, raw[:99] + bytes((raw[99] ^ 1,)) + raw[100:])
    assert search(make_pool, wrong, PUBLIC) == []


@pytest.mark.parametrize(
    ("bits", "form"),
    [(1024, "bytes-be"), (1024, "digits-30"), (2048, "digits-30"), (4096, "limbs-le")],
)
def test_an_exponent_that_fills_its_run_and_a_modulus_that_nobody_named(
    make_pool: MakePool, bits: int, form: str
) -> None:
    """Seen in Deno and Go, which let go of a key: neither prime is left, and random numbers are."""
    key, half = keys.rsa_key(bits), bits // 2
    crowd = [int.from_bytes(noise.uniform(half // 8, seed), "big") | 1 for seed in range(30)]
    rows = [spell(value, form, half)[0] for value in (*crowd, key.dq)]
    data = b"".join(GAP + row + bytes(-len(row) % 8) for row in rows)
    far = noise.text(2 * NEIGHBOURHOOD, 5)
    data += GAP + far + GAP + spell(key.n, "limbs-le")[0] + GAP
    related = only(search(make_pool, data), key)
    assert (related.proof, related.roles) == ("(n, e, dp) factors n", ("dp",))
    other = spell(key.dq ^ 1 << 60, form, half)[0]
    assert search(make_pool, data.replace(rows[-1], other)) == []


@pytest.mark.parametrize("form", ["limbs-le", "bytes-be"])
def test_a_lone_prime_far_from_its_modulus_in_a_crowd(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Seen in Node, whose BigInts lie anywhere: few of what may be numbers fill their runs."""
    monkeypatch.setattr(dividing, "MOST_DIVISIONS", (4, 4))
    starts = [int.from_bytes(noise.uniform(128, at), "big") | 1 | 1 << 1023 for at in range(9)]
    crowd = [next(n for n in itertools.count(s, 2) if math.gcd(n, FACTORS) == 1) for s in starts]
    data = b"".join(GAP + spell(value, form)[0] for value in (*crowd, KEY.q))
    data += GAP + noise.text(2 * NEIGHBOURHOOD, 5) + GAP + spell(KEY.n, form)[0] + GAP
    assert only(search(make_pool, data)).proof == "p | n"
    assert search(make_pool, data.replace(spell(KEY.q, form)[0], spell(KEY.q + 2, form)[0])) == []


@pytest.mark.parametrize("part", ["exponent", "modulus"])
def test_an_exponent_in_der_with_a_flipped_bit(make_pool: MakePool, part: str) -> None:
    """Neither another exponent nor another modulus proves anything."""
    parts = {
        "exponent": bytearray(cut_out(KEY, "dq")),
        "modulus": bytearray(spell(KEY.n, "limbs-le")[0]),
    }
    parts[part][60] ^= 16
    data = GAP + bytes(parts["exponent"]) + GAP + bytes(parts["modulus"]) + GAP
    assert search(make_pool, data + bytes(-len(data) % 8)) == []


def cut_out(key: keys.RsaKey, name: str) -> bytes:
    """Cut the INTEGER of an exponent out of PKCS#1, as another library writes it; fill words."""
    der = encodings.pkcs1_der(key)
    raw = getattr(key, name).to_bytes(key.bits // 16, "big")
    at = der.index(raw)
    head = {64: b"\x02", 128: b"\x02\x81", 256: b"\x02\x82"}[len(raw)]
    element = der[der.rindex(head, 0, at) : at + len(raw)]
    return element + bytes(-len(element) % 8)


@pytest.mark.parametrize("lost", [8, 16, 32])
@pytest.mark.parametrize(("name", "named"), [("d", True), ("d", False), ("d_euler", False)])
def test_a_freed_private_exponent(make_pool: MakePool, lost: int, name: str, named: bool) -> None:
    """Seen in Nettle: free() wrote its links over the low limbs of d, and n stands in the heap."""
    key = keys.rsa_key(4096) if lost > 16 else KEY
    data = freed(key, name, lost, b"" if named else spell(key.n, "limbs-le")[0])
    known = (publics.rsa(key.n, key.e, kind="certificate"),) if named else ()
    (related,) = search(make_pool, data, *known)
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert (related.proof, related.roles) == ("part of d factors n", ("d without low bytes",))


def test_a_freed_private_exponent_in_a_crowd(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in ffmpeg: the top words of much noise say that it may be an exponent, and no more."""
    monkeypatch.setattr(shelf, "WASTED", 300)
    whole = freed(KEY, "d", 16, b"")
    crowd = []
    for at in range(9):
        one = bytearray(whole)
        one[100:256] = noise.uniform(156, at)
        crowd.append(bytes(one))
    data = spell(KEY.n, "limbs-le")[0].join([GAP, b"".join((*crowd, whole))])
    assert only(search(make_pool, data)).roles == ("d without low bytes",)


@pytest.mark.parametrize("at", [40, 100, 200, -256])
def test_a_freed_private_exponent_with_a_flipped_bit(make_pool: MakePool, at: int) -> None:
    """In either half of what is left of d, or in n, one bit is all it needs."""
    data = bytearray(freed(KEY, "d", 16, spell(KEY.n, "limbs-le")[0]))
    data[data.index(spell(KEY.n, "limbs-le")[0]) + 100 if at < 0 else 8 + at] ^= 8
    assert search(make_pool, bytes(data)) == []


def test_the_upper_half_of_an_exponent_is_no_secret(make_pool: MakePool) -> None:
    """k*n/e for some k up to e: whoever knows n can list them all."""
    data = freed(KEY, "d", 128, spell(KEY.n, "limbs-le")[0])
    assert search(make_pool, data, PUBLIC) == []


def freed(key: keys.RsaKey, name: str, lost: int, behind: bytes) -> bytes:
    """Free a block of glibc's with an exponent in limbs; another number stands behind it."""
    raw = getattr(key, name).to_bytes(key.bits // 8, "little")
    links = b"".join((0x7F12_3456_7000 + at).to_bytes(8, "little") for at in range(lost // 8))
    size = (len(raw) + 16 | 1).to_bytes(8, "little")
    return size + links + raw[lost:] + GAP[:16] + size + behind + GAP


@anywhere(max_examples=20)
@given(
    form=st.sampled_from([form for form in FORMS if form.startswith("digits")]),
    shift=st.integers(0, 15),
    kind=st.sampled_from(SURROUNDINGS),
)
def test_digits_at_any_byte(make_pool: MakePool, form: str, shift: int, kind: str) -> None:
    """Bytes without addresses have no alignment: digits may begin anywhere in them."""
    (p, _), (n, _) = spell(KEY.p, form), spell(KEY.n, form)
    parts = [(p, readings.BYTES), (n, readings.BYTES)]
    pool, _ = make_pool(plant(kind, 3, (shift, 7 * shift % 16), parts), addressed=False)
    assert pool.any_alignment.all()
    assert only(list(rsa.search(pool, []))).encoding == form


def test_few_positions_are_kept_of_bytes_without_alignment(make_pool: MakePool) -> None:
    """Of random objects hardly one edge is digits at any byte: the tables of a pool stay small.

    But for digits that leave one bit free, of which there are eight chances in 64.
    """
    objects = [bytes(16) + noise.uniform(64 + 8 * (seed % 9), seed) for seed in range(3000)]
    pool, _ = make_pool(b"".join(objects), addressed=False)
    found = edges.judge(pool)
    packed = [index for index, how in enumerate(pool.readings) if how.packed]
    kept = sum(len(side[index].at) for side in (found.begins, found.ends) for index in packed)
    assert kept < 10 * len(pool.at)


@pytest.mark.parametrize("form", ["digits-60", "digits-28", "digits-30"])
@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
def test_a_freed_prime_in_digits(make_pool: MakePool, form: str, bits: int) -> None:
    """Seen in dbclient: free() wrote its links over the low digits of p, and n is on the wire."""
    key = keys.rsa_key(bits)
    data = freed_digits(key.q, form, 16)
    public = publics.rsa(key.n, key.e, kind="ssh")
    (related,) = search(make_pool, data, public)
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert (related.proof, related.encoding) == ("part of p factors n", f"{form} (part)")


def test_a_freed_prime_in_digits_of_a_large_block(make_pool: MakePool) -> None:
    """Four digits of 60 bits go where the block is large; with a flipped bit nothing is left."""
    key = keys.rsa_key(4096)
    data = bytearray(freed_digits(key.p, "digits-60", 32))
    public = publics.rsa(key.n, key.e, kind="ssh")
    assert len(search(make_pool, bytes(data), public)) == 1
    data[len(GAP) + 100] ^= 8
    assert search(make_pool, bytes(data), public) == []


def freed_digits(prime: int, form: str, lost: int) -> bytes:
    """Free a block of glibc's with a prime in digits, and as many digits of zero behind it."""
    raw, _ = spell(prime, form)
    links = b"".join((0x7F12_3456_7000 + at).to_bytes(8, "little") for at in range(lost // 8))
    size = (2 * len(raw) + 16 | 1).to_bytes(8, "little")
    block = size + links + raw[lost:] + bytes(len(raw) + -len(raw) % 8)
    return GAP[:16] + block + GAP


def test_digits_are_the_likeliest_exponents(make_pool: MakePool) -> None:
    """Of seventeen readings of one run, equally near, those as digits are tried first."""
    parts = [spell(KEY.dp, "digits-30", KEY.bits // 2), spell(KEY.n, "digits-30")]
    related = only(search(make_pool, plant("zeros", 0, [0, 0], parts), PUBLIC))
    assert (related.encoding, related.roles) == ("digits-30", ("dp",))


@pytest.mark.parametrize("form", FORMS)
def test_a_prime_near_what_it_divides(make_pool: MakePool, form: str) -> None:
    """A modulus and p near each other are a key that nobody named, though q stands nowhere."""
    parts = [spell(KEY.n, form), spell(KEY.q, form)]
    related = only(search(make_pool, plant("text", 1, [500, 800], parts)))
    assert (related.proof, related.roles) == ("p | n", ("p",))


@pytest.mark.parametrize("form", ["limbs-le", "bytes-be", "digits-30"])
def test_a_prime_far_from_what_it_divides(make_pool: MakePool, form: str) -> None:
    """A modulus and a prime farther than a neighbourhood apart are a key, where runs are few."""
    raw, reading = spell(KEY.q, form)
    data = bytearray(plant("text", 1, [500], [spell(KEY.n, form)]) + bytes(4 * NEIGHBOURHOOD))
    start = 3 * NEIGHBOURHOOD // reading.align * reading.align
    data[start : start + len(raw)] = raw
    related = only(search(make_pool, bytes(data)))
    assert (related.proof, related.roles) == ("p | n", ("p",))


@pytest.mark.parametrize("form", FORMS)
def test_primes_with_their_exponents(make_pool: MakePool, form: str) -> None:
    """p, dp, q and dq are a key, though n stands nowhere."""
    key = KEY if form in {"bytes-be", "java-words", "limbs-le"} else SMALL  # which is quicker
    values = (key.p, key.dq, key.q, key.dp)
    parts = [spell(value, form, key.bits // 2) for value in values]
    related = only(search(make_pool, plant("pointers", 1, [500, 800, 1100, 8], parts)), key)
    assert related.proof == "e*dp = 1 mod p-1, e*dq = 1 mod q-1"
    assert sorted(related.roles) == ["dp", "dp", "p", "p"]


@pytest.mark.parametrize("public", [(), (PUBLIC,)])
@pytest.mark.parametrize("names", [("n", "p", "q", "dp"), ("dq", "d", "q", "p", "dp", "d")])
def test_numbers_in_chunks_of_one_heap(
    make_pool: MakePool, names: tuple[str, ...], public: tuple[publics.PublicKey, ...]
) -> None:
    """One word, a chunk's size, parts numbers that were allocated one behind the other (glibc)."""
    blob = b""
    for name in names:
        bits = KEY.bits if name in "nd" else KEY.bits // 2
        raw, reading = spell(getattr(KEY, name), "limbs-le", bits)
        blob += struct.pack("<Q", len(raw) + 8 | 1) + raw
    related = only(search(make_pool, plant("heap", 5, [512], [(blob, reading)]), *public))
    assert describe(related.key).fingerprint.value == KEY.spki_sha256


HEADERS = {
    "OpenJDK": lambda words: struct.pack("<II", 0x2A, words),
    "OpenJDK, wide": lambda words: struct.pack("<II", words, 0),
    "Chez Scheme": lambda words: struct.pack("<Q", words << 6 | 6),
    "CLISP": lambda words: struct.pack("<III", (words + 1) << 16 | 0x1A, 0, 0)[:8],
    "CLISP, top bit clear": lambda words: bytes(4) + struct.pack("<I", words << 16 | 0x1A),
}
"""What stands before the words of an integer, the most significant first, and counts them."""


@pytest.mark.usefixtures("few_runs")
@pytest.mark.parametrize("header", HEADERS)
def test_counted_words_among_many_runs(make_pool: MakePool, header: str) -> None:
    """Words most significant first stand behind their count, however many runs there are."""
    parts = []
    for number in (KEY.p, KEY.n, KEY.q):
        raw = b"".join(
            struct.pack("<I", number >> shift & 0xFFFFFFFF)
            for shift in range(number.bit_length() - 32, -32, -32)
        )
        parts.append((HEADERS[header](len(raw) // 4) + raw, TABLE["limbs-le"]))
    related = only(search(make_pool, _many_runs() + plant("pointers", 1, [8, 504, 56], parts)))
    assert (related.proof, related.encoding) == ("p*q = n", "java-words")


@pytest.mark.usefixtures("few_runs")
@pytest.mark.parametrize("many", [False, True])
def test_fields_of_a_protobuf_message(make_pool: MakePool, *, many: bool) -> None:
    """A message that holds a key is one run, its numbers behind a tag and their length (Tink)."""
    blob = bytes.fromhex("128c02120208031a") + _varint(KEY.n) + b"\x22\x03\x01\x00\x01"
    for tag, number in zip(b"\x1a\x22\x2a", (KEY.d, KEY.p, KEY.q), strict=True):
        blob += bytes((tag,)) + _varint(number)
    data = plant("heap", 5, [512], [(blob, TABLE["limbs-le"])])
    found = search(make_pool, (_many_runs() if many else b"") + data)
    assert only(found).encoding == "bytes-be"


def _many_runs() -> bytes:
    """Return more random runs of 64 bytes than a section may have to be looked at closely."""
    runs = noise.uniform(64 * (FEW + 1), 7)
    return b"".join(bytes(32) + runs[at : at + 64] for at in range(0, len(runs), 64))


def _varint(number: int) -> bytes:
    """Write a number of at least 128 bytes as protobuf's bytes: their length first."""
    raw = number.to_bytes(-(-number.bit_length() // 8), "big")
    return bytes((len(raw) & 0x7F | 0x80, len(raw) >> 7)) + raw


@pytest.mark.parametrize(
    ("form", "slots"),
    [
        ("limbs-le", (1, 2)),
        ("bytes-be", (14, 6)),
        ("limbs-le", (14, 6)),
        ("bytes-be", (4, 15)),
    ],
)
def test_primes_in_a_slab(make_pool: MakePool, form: str, slots: tuple[int, int]) -> None:
    """Objects of one size lie end to end in a slab (jemalloc), random ones between the primes."""
    spelled, reading = zip(*(spell(v, form, KEY.bits // 2) for v in (KEY.p, KEY.q)), strict=True)
    slab = [noise.uniform(len(spelled[0]), slot) for slot in range(16)]
    for slot, raw in zip(slots, spelled, strict=True):
        slab[slot] = raw
    found = search(make_pool, plant("heap", 5, [512], [(b"".join(slab), reading[0])]), PUBLIC)
    assert only(found).proof == "p*q = n"


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
@pytest.mark.parametrize("flipped", [False, True])
def test_primes_in_slots_between_the_rests_of_others(
    make_pool: MakePool, bits: int, *, flipped: bool
) -> None:
    """Seen in OpenSSL on mimalloc: what was freed before, and pointers behind, look random too."""
    key, half = keys.rsa_key(bits), bits // 16
    slab = bytearray(64 * half)
    for slot, number in ((3, key.p ^ flipped << 100), (7, key.q ^ flipped << 100)):
        start = slot * half
        rest = noise.uniform(half - 24, slot), noise.uniform(16, slot + 1)
        slab[start - len(rest[0]) : start] = rest[0]
        slab[start : start + half] = spell(number, "limbs-le", bits // 2)[0]
        slab[start + half : start + half + 16] = rest[1]
    known = publics.rsa(key.n, key.e, kind="certificate")
    found = search(make_pool, bytes(slab), known)
    assert [related.proof for related in found] == ([] if flipped else ["p*q = n"])


@pytest.mark.parametrize(
    ("form", "around"),
    [("limbs-le", "zeros"), ("bytes-be", "text"), ("limbs-le", "heap"), ("bytes-be", "heap")],
)
def test_numbers_end_to_end(make_pool: MakePool, form: str, around: str) -> None:
    """p, q, dp, dq and q's inverse in one run are a key: so BearSSL keeps them."""
    half = KEY.bits // 2
    values = (KEY.p, KEY.q, KEY.dp, KEY.dq, pow(KEY.q, -1, KEY.p))
    spelled = [spell(value, form, half) for value in values]
    blob = b"".join(raw for raw, _ in spelled), spelled[0][1]
    related = only(search(make_pool, plant(around, 5, [512], [blob])))
    assert related.proof == "e*dp = 1 mod p-1, e*dq = 1 mod q-1"
    first = related.places[0].offset
    assert [place.offset - first for place in related.places] == [0, 128, 256, 384]
    assert related.roles == ("p", "p", "dp", "dp")


@pytest.mark.parametrize("form", ["limbs-le", "bytes-be"])
@pytest.mark.parametrize("coefficient", [True, False])
def test_numbers_end_to_end_behind_other_random_bytes(
    make_pool: MakePool, form: str, *, coefficient: bool
) -> None:
    """Seen in what Go freed: before p stands another number, and the run ends with the last one."""
    values = [KEY.p, KEY.q, KEY.dp, KEY.dq]
    values += [pow(KEY.q, -1, KEY.p)] if coefficient else []
    spelled = [spell(value, form, KEY.bits // 2) for value in values]
    blob = noise.uniform(304, 3) + b"".join(raw for raw, _ in spelled), spelled[0][1]
    related = only(search(make_pool, plant("zeros", 5, [512], [blob])))
    assert related.proof == "e*dp = 1 mod p-1, e*dq = 1 mod q-1"
    assert related.roles == ("p", "p", "dp", "dp")


@pytest.mark.parametrize("coefficient", [True, False])
@pytest.mark.parametrize("turned", [False, True])
def test_numbers_end_to_end_that_were_freed(
    make_pool: MakePool, *, coefficient: bool, turned: bool
) -> None:
    """Seen in BearSSL: glibc's links are over 16 bytes of p; dp gives it, its end proves it."""
    values = [KEY.p, KEY.q, KEY.dp, KEY.dq]
    values += [pow(KEY.q, -1, KEY.p)] if coefficient else []
    blob = bytearray(b"".join(encodings.big_endian(value, 128) for value in values))
    blob[:16] = (0x5_591E_30DB).to_bytes(8, "little") + noise.uniform(8, 3)
    blob[64] ^= turned
    found = search(make_pool, plant("zeros", 5, [512], [(bytes(blob), TABLE["bytes-be"])]))
    if turned:
        assert found == []
        return
    related = only(found)
    assert related.roles == ("p without high bytes", "p", "dp", "dp")
    first = related.places[0].offset
    assert [place.offset - first for place in related.places] == [0, 112, 240, 368]
    assert related.places[0].size == 112


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("lost", [12, 13, 16])
def test_numbers_that_were_freed_and_nobody_names(
    make_pool: MakePool, lost: int, *, turned: bool
) -> None:
    """Seen in GnuTLS: p, q and n are blocks of their own, and of each the first bytes are gone."""
    links, parts = bytes(range(16 - lost)) + bytes(2) + noise.uniform(8, 3), []
    for number, size in ((KEY.p, 128), (KEY.n, 256), (KEY.q, 128)):
        rest = bytearray(encodings.big_endian(number, size)[lost:])
        rest[len(rest) // 2] ^= turned
        parts.append((links + rest, TABLE["bytes-be"]))
    found = search(make_pool, plant("zeros", 5, [512, 512, 512], parts))
    if turned:
        assert found == []
        return
    related = only(found)
    assert related.roles == ("p without high bytes", "p without high bytes")
    assert [place.size for place in related.places] == [112, 112]
    assert isinstance(related.key, Rsa)
    assert related.key.e_assumed


def test_a_damaged_copy_hides_no_whole_one(make_pool: MakePool) -> None:
    """Limbs of primes, written over in the midst, stand before both in bytes, with their ends."""
    parts = []
    for prime in (KEY.p, KEY.q):
        limbs, how = spell(prime, "limbs-le", KEY.bits // 2)
        copies = (limbs[:48] + noise.uniform(16, seed) + limbs[64:] for seed in range(100))
        damaged = (c for c in copies if math.gcd(int.from_bytes(c, "little"), FACTORS) == 1)
        parts.append((next(damaged), how))
    parts += [spell(prime, "bytes-be", KEY.bits // 2) for prime in (KEY.p, KEY.q)]
    only(
        search(make_pool, plant("zeros", 1, [0, 8, 16, 24, 32], [*parts, spell(KEY.n, "bytes-be")]))
    )


@pytest.mark.parametrize("bits", [1032, 1536, 2048, 2056])
@pytest.mark.parametrize("form", ["limbs-le", "digits-30"])
def test_odd_sizes(make_pool: MakePool, bits: int, form: str) -> None:
    """A modulus of any size betrays itself, if a certificate names it."""
    key = keys.rsa_key(bits)
    data = plant("heap", 2, [400], [spell(key.q, form)])
    (related,) = search(make_pool, data, publics.rsa(key.n, key.e, kind="certificate"))
    assert describe(related.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize(
    ("bits", "form"),
    [
        *zip((1280, 1792, 2304), ("limbs-le", "bytes-be", "java-words"), strict=True),
        *((bits, "digits-30") for bits in (1280, 1792, 2304, 2560)),
    ],
)
def test_primes_and_product_of_an_uncommon_length(
    make_pool: MakePool, bits: int, form: str
) -> None:
    """Seen in OpenSSL, with keys of 1792 to 16384 bits that no certificate named.

    Each reading has a length; digits, which fill no length evenly, have each of them.
    """
    key = keys.rsa_key(bits)
    parts = [spell(value, form) for value in (key.n, key.p, key.q)]
    (related,) = search(make_pool, plant("heap", bits, [16, 40, 8], parts))
    assert describe(related.key).fingerprint.value == key.spki_sha256
    for at in range(3):
        raw, how = parts[at]
        flipped = bytes((raw[0] ^ 4, *raw[1:-1], raw[-1] ^ 4))
        wrong = [*parts[:at], (flipped, how), *parts[at + 1 :]]
        assert search(make_pool, plant("heap", bits, [16, 40, 8], wrong)) == []


@pytest.mark.parametrize(
    ("form", "of"), [("limbs-le", "p"), ("limbs-le", "n"), ("bytes-be", "p"), ("digits-30", "n")]
)
def test_a_product_on_p521_is_no_modulus(make_pool: MakePool, form: str, of: str) -> None:
    """Two elements of its field may be prime; what is left of their product stands there then."""
    p, q = (prime(bits, seed) for bits, seed in ((521, 1), (520, 2)))
    parts = [spell(value, form) for value in (p * q, p, q)]
    (related,) = search(make_pool, plant("heap", 5, [16, 40, 8], parts))
    assert isinstance(related.key, Rsa)
    assert (related.key.p, related.key.q) == (p, q)
    left = spell(p * q % getattr(CURVES["P-521"], of), form)
    assert search(make_pool, plant("heap", 5, [16, 40, 8, 24], [*parts, left])) == []


def test_nothing_beside_it_hides_a_key_of_a_usual_length(make_pool: MakePool) -> None:
    """What its modulus leaves modulo p of P-521 may stand in a dump that somebody made."""
    numbers = (SMALL.n, SMALL.p, SMALL.q, SMALL.n % CURVES["P-521"].p)
    parts = [spell(value, "limbs-le") for value in numbers]
    (related,) = search(make_pool, plant("heap", 5, [16, 40, 8, 24], parts))
    assert isinstance(related.key, Rsa)
    assert related.key.n == SMALL.n


@pytest.mark.parametrize("form", ["limbs-le", "java-words"])
def test_uneven_primes_of_a_usual_length(make_pool: MakePool, form: str) -> None:
    """A modulus of 1536 bits whose primes are none of the lengths that are listed for it."""
    p, q = (prime(bits, seed) for bits, seed in ((772, 1), (764, 2)))
    assert (p * q).bit_length() == 1536
    parts = [spell(value, form) for value in (p * q, p, q)]
    (related,) = search(make_pool, plant("heap", 5, [16, 40, 8], parts))
    assert isinstance(related.key, Rsa)
    assert (related.key.p, related.key.q) == (p, q)


@pytest.mark.usefixtures("few_runs")
@pytest.mark.parametrize("form", ["limbs-le", "bytes-be", "digits-30"])
def test_an_uncommon_length_among_many_runs(make_pool: MakePool, form: str) -> None:
    """What the pool tells of its lengths does not depend on how much else stands in it."""
    key = keys.rsa_key(2560)
    parts = [spell(value, form) for value in (key.p, key.n, key.q)]
    data = plant("heap", 3, [16, 40, 8], parts)
    others = b"".join(noise.uniform(64, seed) + GAP for seed in range(FEW + 10))
    (related,) = search(make_pool, data + others)
    assert describe(related.key).fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("form", ["limbs-le", "bytes-be"])
@pytest.mark.parametrize("bits", [1792, 2304, 2560])
def test_a_modulus_of_an_uncommon_length_and_its_exponent(
    make_pool: MakePool, bits: int, form: str
) -> None:
    """Seen in Botan and in GMP: n and d stand, and no prime does."""
    key = keys.rsa_key(bits)
    parts = [spell(key.n, form), spell(key.d, form, bits)]
    (related,) = search(make_pool, plant("text", bits, [16, 40], parts))
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert related.proof == "(n, e, d) factors n"
    wrong = [parts[0], spell(key.d ^ 1 << 300, form, bits)]
    assert search(make_pool, plant("text", bits, [16, 40], wrong)) == []


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("named", [False, True])
def test_more_primes_than_two_and_an_exponent(
    make_pool: MakePool, count: int, *, named: bool
) -> None:
    """Seen in OpenSSL: n, d and all primes stand, and products of the first of them, no moduli."""
    other = keys.rsa_key(1024, label="second")
    primes = [SMALL.p, SMALL.q, other.p, other.q][:count]
    n, order = math.prod(primes), math.lcm(*(prime - 1 for prime in primes))
    d, bits = pow(65537, -1, order), n.bit_length()
    values = [n, *primes, *itertools.accumulate(primes[:-1], int.__mul__)]
    parts = [*(spell(value, "limbs-le") for value in values), spell(d, "limbs-le", bits)]
    public = publics.rsa(n, 65537, kind="certificate")
    found = search(
        make_pool, plant("zeros", 0, [64] * len(parts), parts), *([public] if named else [])
    )
    (key,) = [related.key for related in found]
    assert isinstance(key, Rsa)
    assert (key.n, key.e) == (n, 65537)
    assert set(primes) >= set(key.primes) > set()
    (alone,) = search(make_pool, plant("zeros", 0, [64, 64], [parts[0], parts[-1]]))
    assert isinstance(alone.key, Rsa)
    assert set(alone.key.primes) == set(primes)
    wrong = [parts[0], spell(d ^ 1 << 77, "limbs-le", bits)]
    assert search(make_pool, plant("zeros", 0, [64, 64], wrong)) == []


def test_uneven_primes(make_pool: MakePool) -> None:
    """A prime of a quarter of the modulus' length divides it as well as any."""
    small, large = SMALL.p, keys.rsa_key(3072).q
    public = publics.rsa(small * large, 65537, kind="certificate")
    for prime in (small, large):
        data = plant("heap", 2, [400], [spell(prime, "bytes-be")])
        (related,) = search(make_pool, data, public)
        assert isinstance(related.key, Rsa)
        assert {related.key.p, related.key.q} == {small, large}
        assert related.key.d * 65537 % math.lcm(small - 1, large - 1) == 1


def test_three_primes(make_pool: MakePool) -> None:
    """One prime of three is a proof, and names the key; all three give its exponent."""
    primes = [SMALL.p, SMALL.q, keys.rsa_key(1024, label="second").p]
    n = math.prod(primes)
    public = publics.rsa(n, 65537, kind="certificate")
    parts = [spell(prime, "limbs-le") for prime in primes]
    (one,) = search(make_pool, plant("zeros", 0, [64], parts[:1]), public)
    (two,) = search(make_pool, plant("zeros", 0, [64, 64], parts[:2]), public)
    assert isinstance(one.key, Rsa)
    assert isinstance(two.key, Rsa)
    assert (one.proof, one.key.n, one.key.d) == ("p | n", n, 0)
    assert set(two.key.primes) == set(primes)
    assert two.key.d * 65537 % math.lcm(*(prime - 1 for prime in primes)) == 1


def test_an_unusual_exponent_is_read_off(make_pool: MakePool) -> None:
    """Without a public key, the exponent follows from dp or d near the primes."""
    key = keys.rsa_key(1024, e=17)
    n, e = key.n, 0x1_0002_0003
    d = pow(e, -1, (key.p - 1) * (key.q - 1))
    parts = [spell(value, "limbs-le") for value in (n, key.p, key.q)]
    parts.append(spell(d % (key.p - 1), "limbs-le", 512))
    (related,) = search(make_pool, plant("text", 4, [0, 8, 16, 24], parts))
    assert isinstance(related.key, Rsa)
    assert (related.key.e, related.key.e_assumed) == (e, False)


@pytest.mark.parametrize("e", [(1 << 64) + 13, (1 << 128) + 1])
def test_a_large_exponent_is_that_of_the_public_key(make_pool: MakePool, e: int) -> None:
    """Of 64 bits and more, as OpenSSL takes them: the key is that of its certificate."""
    key = keys.rsa_key(1024)
    public = publics.rsa(key.n, e, kind="certificate")
    parts = [spell(value, "limbs-le") for value in (key.p, key.q)]
    (related,) = search(make_pool, plant("text", 4, [0, 8], parts), public)
    assert isinstance(related.key, Rsa)
    assert (related.key.e, related.key.e_assumed) == (e, False)


@pytest.mark.parametrize("lost", [16, 32])
@pytest.mark.parametrize("links", ["pointers", "random"])
@pytest.mark.parametrize("form", ["limbs-le", "bytes-be"])
def test_a_freed_prime(make_pool: MakePool, form: str, links: str, lost: int) -> None:
    """A prime that lost its first bytes to the allocator still divides the modulus it is near."""
    key = keys.rsa_key(2048)
    public = publics.rsa(key.n, key.e, kind="certificate")
    over = bytearray(noise.pointers(lost, 3))
    if links == "random":
        over[lost - 8 :] = noise.uniform(8, 1)
    over[:8] = (0x7F3A_1C00_2340).to_bytes(8, "little")
    raw = bytes(over) + spell(key.p, form)[0][lost:]
    data = plant("zeros", 0, [64, 64], [(raw, readings.LIMBS), spell(key.n, form)])
    (related,) = search(make_pool, data, public)
    assert describe(related.key).fingerprint.value == key.spki_sha256
    assert related.proof == "part of p factors n"


@pytest.mark.parametrize("over", [1, 30])
@pytest.mark.parametrize("bits", [1024, 2048, 4096])
def test_a_prime_in_der_whose_end_is_overwritten(make_pool: MakePool, bits: int, over: int) -> None:
    """The length before it says where it begins; of the rest of the file nothing is left."""
    key = keys.rsa_key(bits)
    der, prime = encodings.pkcs1_der(key), encodings.big_endian(key.q)
    at = der.index(prime)
    left = noise.uniform(40, 1) + der[at - 5 : at + len(prime) - min(over, len(prime) // 4)]
    data = noise.plant(noise.text(1 << 14, 3), 1001, left)
    public = publics.rsa(key.n, key.e, kind="certificate")
    (related,) = search(make_pool, data, public)
    assert describe(related.key).fingerprint.value == key.spki_sha256


@anywhere(max_examples=15)
@given(
    form=st.sampled_from(FORMS),
    bit=st.integers(1, 510),
    which=st.integers(0, 5),
    at=st.lists(st.integers(0, 2000), min_size=7, max_size=7),
)
def test_a_flipped_bit_proves_nothing(
    make_pool: MakePool, form: str, bit: int, which: int, at: list[int]
) -> None:
    """With one bit of every private number wrong, nothing is found.

    The lowest stays: without it a prime is p - 1, which does divide the key.
    """
    values = [*KEY.private_values().values()]
    values = [value ^ (1 << bit) for value in values[which:] + values[:which]]
    parts = [spell(value, form, max(value.bit_length(), 512)) for value in values]
    data = plant("zeros", 0, at, [*parts, spell(KEY.n, form)])
    assert search(make_pool, data, PUBLIC) == []


@pytest.mark.parametrize("kind", ["uniform", "heap", "code", "mixed"])
def test_noise_proves_nothing(make_pool: MakePool, kind: str) -> None:
    """Random bytes, however cut, are no key of a modulus that is known or stands there."""
    data = bytearray(getattr(noise, kind)(1 << 17, 9))
    data[4096:4352] = encodings.little_limbs(KEY.n)
    assert search(make_pool, bytes(data), PUBLIC) == []


def test_repeated_bytes_are_no_key(make_pool: MakePool) -> None:
    """A block that repeats is a multiple of its half, and no modulus."""
    half = KEY.p.to_bytes(128, "little")
    parts = [(half * 2, readings.LIMBS), (half, readings.LIMBS)]
    assert search(make_pool, plant("zeros", 0, [64, 64], parts)) == []


@pytest.mark.parametrize("other", ["square", "product", "prime and product"])
def test_numbers_and_their_product_are_no_key(make_pool: MakePool, other: str) -> None:
    """Seen in OpenJDK: whoever multiplies modulo n leaves both factors and the product behind."""
    starts = [int.from_bytes(noise.uniform(127, seed) + b"\xc0", "little") | 1 for seed in (2, 3)]
    random = [
        next(n for n in itertools.count(start, 2) if math.gcd(n, math.prod(range(3, 400, 2))) == 1)
        for start in starts
    ]
    one, two = {
        "square": (random[0], random[0]),
        "product": (random[0], random[1]),
        "prime and product": (KEY.p, random[1]),
    }[other]
    parts = [spell(value, "java-words") for value in (one, one * two, two)]
    assert search(make_pool, plant("zeros", 0, [64, 64, 64], parts)) == []


def test_a_known_prime_and_a_number_that_happens_to_be_prime(make_pool: MakePool) -> None:
    """Seen in Bouncy Castle: h of h*q, in which a signature ends, was prime, as one in 700 odd."""
    start = int.from_bytes(noise.uniform(127, 5) + b"\xc0", "little") | 1
    prime = next(n for n in itertools.count(start, 2) if pow(3, n - 1, n) == 1)
    values = (KEY.q, KEY.q * prime, prime, KEY.n)
    data = plant("zeros", 0, [64] * 4, [spell(value, "java-words") for value in values])
    only(search(make_pool, data, PUBLIC))
