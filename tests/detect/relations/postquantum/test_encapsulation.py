"""ML-KEM keys as bare bytes: seeds whose rho stands elsewhere, and what they expand to."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import noise, pqc
from scanner.detect.algebra import mlkem
from scanner.detect.algebra.material import describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import x509
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.postquantum import encapsulation
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[[bytes], tuple[Pool, Memory]]
Row = tuple[str, int, int, str, str]

NAMES = sorted(mlkem.SETS)
SIZE = 1 << 15
PROOF = "seed derives rho"
EQUATION = "A*s + e = t"


def made(name: str) -> tuple[bytes, bytes]:
    """Return both halves of the key of a set."""
    seed = pqc.seed(name)
    return mlkem.keys(name, seed[:32], seed[32:])


def named(name: str) -> str:
    """Return the fingerprint of the key of a set."""
    return hashlib.sha256(pqc.spki(name, made(name)[0])).hexdigest()


def certified(name: str) -> PublicKey:
    """Return the public key as a certificate gives it."""
    found = x509.from_spki(pqc.spki(name, made(name)[0]))
    assert found is not None
    return replace(found, witness=replace(found.witness, kind="certificate"))


def search(pool: Pool, memory: Memory, *known: PublicKey) -> list[Row]:
    """Return (fingerprint, offset, size, encoding, proof) of what is found, and looked at again."""
    rows = []
    for found in encapsulation.search(pool, known):
        name = describe(found.key).fingerprint.value
        (again,) = encapsulation.again(memory, second_look.told(found))
        assert describe(again).fingerprint.value == name
        place = found.places[0]
        rows.append((name, place.offset, place.size, found.encoding, found.proof))
    return rows


def words_of(name: str, order: str) -> bytes:
    """Return an object in words: ``openssl`` has t, A, s and z; ``boringssl`` rho behind t.

    What A is, is derived from rho again: noise below q stands for it.
    """
    public, expanded = made(name)
    size = mlkem.SETS[name]
    t = mlkem.coefficients(public[: size.vector])
    s = mlkem.coefficients(expanded[: size.vector])
    a = (t * size.k)[: 512 * size.k**2]
    rho = public[-32:] + hashlib.sha3_256(public).digest() if order == "boringssl" else b""
    return t + rho + a + s + pqc.seed(name)[32:]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(NAMES),
    kind=st.sampled_from(("zeros", "text", "pointers", "code")),
    at=st.integers(8, 1000),
)
def test_a_seed_of_a_known_key(make_pool: MakePool, name: str, kind: str, at: int) -> None:
    """A seed at any word is found by the public key that a certificate has."""
    data = noise.plant(getattr(noise, kind)(SIZE, at), 8 * at - 8, bytes(8) + pqc.seed(name))
    pool, memory = make_pool(noise.plant(data, 8 * at + 64, bytes(8)))
    proof = "seed derives the public key"
    assert search(pool, memory, certified(name)) == [(named(name), 8 * at, 64, "d, z", proof)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", [4096, 4099])
@pytest.mark.parametrize("lead", [8, 14])
def test_a_seed_whose_rho_stands_elsewhere(
    make_pool: MakePool, name: str, at: int, lead: int
) -> None:
    """Without a certificate the seed is found by how its public key ends, wherever that is."""
    data = noise.plant(noise.text(SIZE), 1024, bytes(lead) + pqc.seed(name) + bytes(8))
    pool, memory = make_pool(noise.plant(data, at, made(name)[0]))
    assert search(pool, memory) == [(named(name), 1024 + lead, 64, "d, z", PROOF)]
    pool, memory = make_pool(data)
    assert search(pool, memory) == []


@pytest.mark.parametrize("name", NAMES)
def test_go_has_rho_and_its_hash_behind_the_seed(make_pool: MakePool, name: str) -> None:
    """One object: d, z, rho, H(ek), t, A and s (crypto/mlkem). z is not taken for rho."""
    public, _ = made(name)
    whole = pqc.seed(name) + public[-32:] + hashlib.sha3_256(public).digest()
    whole += mlkem.coefficients(public[:-32])
    pool, memory = make_pool(noise.plant(noise.text(SIZE), 1024, bytes(8) + whole + bytes(8)))
    assert search(pool, memory) == [(named(name), 1032, 64, "d, z", PROOF)]


@pytest.mark.parametrize("name", NAMES)
def test_a_half_of_a_seed_is_enough(make_pool: MakePool, name: str) -> None:
    """Of d all but z is derived: what stands beside it and is public is not called z."""
    public, _ = made(name)
    whole = pqc.seed(name)[:32] + public[-32:] + bytes(8)
    pool, memory = make_pool(noise.plant(noise.text(SIZE), 1024, bytes(8) + whole))
    assert search(pool, memory) == [(named(name), 1032, 32, "d", PROOF)]


@pytest.mark.parametrize("name", NAMES)
def test_openssl_has_words_and_the_seed_behind(make_pool: MakePool, name: str) -> None:
    """It keeps t, A, s, z and d, in this order; rho and the hash in an object of their own."""
    public, _ = made(name)
    whole = words_of(name, "openssl") + pqc.seed(name)[:32] + bytes(8)
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + whole)
    there = public[-32:] + hashlib.sha3_256(public).digest()
    pool, memory = make_pool(noise.plant(data, 20_000, bytes(12) + there + bytes(12)))
    at = 1032 + len(whole) - 8 - 64
    assert search(pool, memory) == [(named(name), at, 64, "z, d", PROOF)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", ["openssl", "boringssl"])
def test_words_without_a_seed(make_pool: MakePool, name: str, order: str) -> None:
    """That s and t belong together is told: OpenSSL read an expanded key, BoringSSL any."""
    public, _ = made(name)
    there = public[-32:] + hashlib.sha3_256(public).digest()
    whole = words_of(name, order)
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + whole + bytes(8))
    if order == "openssl":
        assert search(*make_pool(data)) == []  # nothing tells whose it is
        data = noise.plant(data, 20_000, bytes(12) + there + bytes(12))
    size = mlkem.WORDS * mlkem.SETS[name].k + 32
    row = (named(name), 1032 + len(whole) - size, size, "s words-16, z", EQUATION)
    assert search(*make_pool(data)) == [row]
    for at in (row[1], row[1] + size - 34, 1032):  # in the first and the last word of s, and in t
        broken = bytearray(data)
        broken[at] ^= 1
        assert search(*make_pool(bytes(broken))) == []


@pytest.mark.parametrize("label", ["ml-kem 1", "ml-kem 4", "ml-kem 7"])
def test_words_that_look_less_random(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    """Of so many words some part the run: what is before them is not in the pool."""
    monkeypatch.setattr(pqc, "seed", lambda _: pqc.noise(label, 64))
    whole = words_of("ml-kem-512", "boringssl")
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + whole + bytes(8))
    row = (named("ml-kem-512"), 1032 + len(whole) - 1056, 1056, "s words-16, z", EQUATION)
    assert search(*make_pool(data)) == [row]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(NAMES),
    kind=st.sampled_from(("zeros", "text", "pointers")),
    at=st.integers(64, 1000),
)
def test_an_encoded_key(make_pool: MakePool, name: str, kind: str, at: int) -> None:
    """It is found at any byte, with nothing else in the dump."""
    _, expanded = made(name)
    data = noise.plant(getattr(noise, kind)(SIZE, at), at - 8, bytes(8) + expanded + bytes(8))
    pool, memory = make_pool(data)
    assert search(pool, memory) == [(named(name), at, len(expanded), "expanded", EQUATION)]


@pytest.mark.parametrize("name", NAMES)
def test_an_encoded_key_between_other_random_bytes(make_pool: MakePool, name: str) -> None:
    """Where its run begins before it and ends behind it, a known public key tells where it is."""
    _, expanded = made(name)
    whole = noise.uniform(61, 1) + expanded + noise.uniform(61, 2)
    pool, memory = make_pool(noise.plant(noise.text(SIZE), 1024, whole))
    assert search(pool, memory) == []
    row = (named(name), 1085, len(expanded), "expanded", EQUATION)
    assert search(pool, memory, certified(name)) == [row]


@pytest.mark.parametrize("name", NAMES)
def test_a_key_is_told_once(make_pool: MakePool, name: str) -> None:
    """Beside its seed an expanded key is the same key."""
    public, expanded = made(name)
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + pqc.seed(name) + bytes(8))
    data = noise.plant(noise.plant(data, 4096, bytes(8) + expanded), 10_000, public)
    pool, memory = make_pool(data)
    assert [row[3] for row in search(pool, memory, certified(name))] == ["d, z"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_damaged_is_no_key(make_pool: MakePool, name: str) -> None:
    """Another bit in d or in s, another key's certificate, a public key alone, and a cut one."""
    seed, (public, expanded) = bytearray(pqc.seed(name)), made(name)
    seed[17] ^= 4
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + bytes(seed) + bytes(8))
    pool, memory = make_pool(noise.plant(data, 4096, public))
    assert search(pool, memory, *map(certified, NAMES)) == []
    broken = bytearray(expanded)
    broken[200] ^= 8
    for raw in (bytes(broken), expanded[:1000], public):
        pool, memory = make_pool(noise.plant(noise.text(SIZE), 1024, bytes(8) + raw + bytes(8)))
        assert search(pool, memory, certified(name)) == []


@pytest.mark.parametrize("kind", ["uniform", "heap", "mixed", "table", "code"])
def test_nothing_in_noise(make_pool: MakePool, kind: str) -> None:
    """Noise has no key, whichever public keys are known."""
    pool, memory = make_pool(getattr(noise, kind)(1 << 18, 5))
    assert search(pool, memory, *map(certified, NAMES)) == []


def test_a_seed_is_expanded_once(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it stands, before words as well, and however often its rho does."""
    public, _ = made("ml-kem-512")
    made_of: list[bytes] = []
    keys = mlkem.keys
    monkeypatch.setattr(mlkem, "keys", lambda *of: made_of.append(of[1]) or keys(*of))
    seed, rho = pqc.seed("ml-kem-512"), public[-mlkem.RHO :]
    pool, _ = make_pool(noise.plant(noise.text(SIZE), 1024, bytes(8) + (seed + rho + bytes(8)) * 9))
    assert len(list(encapsulation.search(pool, ()))) == 1
    assert made_of == [seed[: mlkem.HALF]] * 2  # for its hash, and for the key


def test_keys_without_end_are_bounded(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What begins as an encoded key, thousands of times, is not transformed each time."""
    calls: list[int] = []
    whole = mlkem.is_secret
    monkeypatch.setattr(mlkem, "is_secret", lambda raw: calls.append(1) or whole(raw))
    monkeypatch.setattr(encapsulation, "MOST_PLACES", 16)
    public, _ = made("ml-kem-1024")
    pool, memory = make_pool((bytes(8) + public[:1200]) * 100)
    assert search(pool, memory) == []
    assert 16 <= len(calls) <= 16 * (1 + len(NAMES))
