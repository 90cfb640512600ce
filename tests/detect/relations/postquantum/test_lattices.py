"""ML-DSA keys as bare bytes: seeds whose rho stands elsewhere, expanded keys, and nothing else."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import noise, pqc
from scanner.detect.algebra import mldsa
from scanner.detect.algebra.material import describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import x509
from scanner.detect.integers.pool import FEW_RUNS, Pool
from scanner.detect.relations.postquantum import lattices
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[[bytes], tuple[Pool, Memory]]

NAMES = sorted(mldsa.SETS)
SIZE = 1 << 14


def named(name: str) -> str:
    """Return the fingerprint of the key of a set."""
    public, _ = mldsa.keys(name, pqc.seed(name))
    return hashlib.sha256(pqc.spki(name, public)).hexdigest()


def certified(name: str) -> PublicKey:
    """Return the public key as a certificate gives it."""
    public, _ = mldsa.keys(name, pqc.seed(name))
    found = x509.from_spki(pqc.spki(name, public))
    assert found is not None
    return replace(found, witness=replace(found.witness, kind="certificate"))


def search(pool: Pool, memory: Memory, *known: PublicKey) -> list[tuple[str, int, str, str]]:
    """Return (fingerprint, offset, encoding, proof) of what is found; a second look agrees."""
    rows = []
    for found in lattices.search(pool, known):
        name = describe(found.key).fingerprint.value
        (again,) = lattices.again(memory, second_look.told(found))
        assert describe(again).fingerprint.value == name
        rows.append((name, found.places[0].offset, found.encoding, found.proof))
    return rows


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
    pool, memory = make_pool(noise.plant(data, 8 * at + 32, bytes(8)))
    proof = "seed derives the public key"
    assert search(pool, memory, certified(name)) == [(named(name), 8 * at, "seed", proof)]


def test_a_seed_is_expanded_once(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often its rho stands."""
    seeds: list[bytes] = []
    keys = mldsa.keys
    monkeypatch.setattr(mldsa, "keys", lambda name, seed: seeds.append(seed) or keys(name, seed))
    seed = pqc.seed("ml-dsa-44")
    rho = mldsa.rho("ml-dsa-44", seed)
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + seed + bytes(8))
    pool, _ = make_pool(noise.plant(data, 4096, (rho + bytes(8)) * 9))
    assert len(list(lattices.search(pool, ()))) == 1
    assert seeds == [seed]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", [4096, 4099])
@pytest.mark.parametrize("lead", [8, 14])
def test_a_seed_whose_rho_stands_elsewhere(
    make_pool: MakePool, name: str, at: int, lead: int
) -> None:
    """Without a certificate the seed is found by how its public key begins, wherever that is.

    At an odd place as well: OpenSSL frees PKCS#8 text, and rho beside it, as they are.
    """
    public, _ = mldsa.keys(name, pqc.seed(name))
    data = noise.plant(noise.text(SIZE), 1024, bytes(lead) + pqc.seed(name) + bytes(8))
    pool, memory = make_pool(noise.plant(data, at, public))
    assert search(pool, memory) == [(named(name), 1024 + lead, "seed", "seed derives rho")]
    pool, memory = make_pool(data)
    assert search(pool, memory) == []


@pytest.mark.parametrize("tag", [b"\x80\x20", b"\x80\x21"])
@pytest.mark.parametrize("name", NAMES)
def test_a_freed_seed_behind_its_tag_in_a_crowd(make_pool: MakePool, name: str, tag: bytes) -> None:
    """Seen in OpenSSL: its block of PKCS#8 keeps the end of the header, and the seed at no word."""
    public, _ = mldsa.keys(name, pqc.seed(name))
    crowd = noise.uniform(48 * (FEW_RUNS + 99), 1)
    objects = [crowd[at : at + 48] for at in range(0, len(crowd), 48)]
    objects[5000] = noise.uniform(16, 1) + b"\x03\x12\x04\x22" + tag + pqc.seed(name)
    objects[7000] = public
    pool, memory = make_pool(
        b"".join(bytes(16) + each + bytes(-len(each) % 16) for each in objects)
    )
    assert not pool.few
    found = [row[0] for row in search(pool, memory)]
    assert found == ([named(name)] if tag[1] == len(pqc.seed(name)) else [])


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(NAMES),
    kind=st.sampled_from(("zeros", "text", "pointers")),
    at=st.integers(8, 1000),
)
def test_an_expanded_key(make_pool: MakePool, name: str, kind: str, at: int) -> None:
    """An expanded key is found where its run begins, with nothing else in the dump."""
    _, expanded = mldsa.keys(name, pqc.seed(name))
    data = noise.plant(getattr(noise, kind)(SIZE, at), 8 * at - 8, bytes(8) + expanded)
    pool, memory = make_pool(data)
    assert search(pool, memory) == [(named(name), 8 * at, "expanded", "A*s1 + s2 = t")]


@pytest.mark.parametrize("name", NAMES)
def test_an_expanded_key_behind_other_random_bytes(make_pool: MakePool, name: str) -> None:
    """Where its run begins before it, it is found by the rho of a known public key."""
    _, expanded = mldsa.keys(name, pqc.seed(name))
    data = noise.plant(noise.text(SIZE), 1024, noise.uniform(61, 1) + expanded)
    pool, memory = make_pool(data)
    assert search(pool, memory) == []
    proof = "A*s1 + s2 = t"
    assert search(pool, memory, certified(name)) == [(named(name), 1085, "expanded", proof)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lost", [8, 16, 32])
def test_a_freed_expanded_key_has_the_rho_of_its_public_key(
    make_pool: MakePool, name: str, lost: int
) -> None:
    """An allocator's links took it: a certificate has it, or a public key whose hash is there."""
    public, expanded = mldsa.keys(name, pqc.seed(name))
    data = noise.plant(noise.text(SIZE), 1024, noise.pointers(lost, 1) + expanded[lost:])
    pool, memory = make_pool(data)
    others = [certified(other) for other in NAMES if other != name]
    assert search(pool, memory, *others) == []
    found = [(named(name), 1024, "expanded", "A*s1 + s2 = t")]
    assert search(pool, memory, *others, certified(name)) == found
    pool, memory = make_pool(noise.plant(data, 8192, bytes(8) + public + bytes(8)))
    assert search(pool, memory) == found


@pytest.mark.parametrize("name", NAMES)
def test_a_key_is_told_once(make_pool: MakePool, name: str) -> None:
    """Beside its seed an expanded key is the same key."""
    public, expanded = mldsa.keys(name, pqc.seed(name))
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + pqc.seed(name) + bytes(8))
    data = noise.plant(noise.plant(data, 4096, bytes(8) + expanded), 10_000, public)
    pool, memory = make_pool(data)
    assert [row[2] for row in search(pool, memory, certified(name))] == ["seed"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_damaged_is_no_key(make_pool: MakePool, name: str) -> None:
    """A seed with another bit, another key's certificate, and an expanded key that is cut."""
    seed, (_, expanded) = bytearray(pqc.seed(name)), mldsa.keys(name, pqc.seed(name))
    seed[17] ^= 4
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + bytes(seed) + bytes(8))
    pool, memory = make_pool(data)
    assert search(pool, memory, *map(certified, NAMES)) == []
    data = noise.plant(noise.text(SIZE), 1024, bytes(8) + expanded)[:3000]
    pool, memory = make_pool(data)
    assert search(pool, memory, certified(name)) == []


@pytest.mark.parametrize("kind", ["uniform", "heap", "mixed", "table", "code"])
def test_nothing_in_noise(make_pool: MakePool, kind: str) -> None:
    """Noise has no key, whichever public keys are known."""
    pool, memory = make_pool(getattr(noise, kind)(1 << 18, 5))
    assert search(pool, memory, *map(certified, NAMES)) == []


def test_vectors_without_end_are_bounded(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What begins as an expanded key, ten thousand times, is not recomputed each time."""
    calls: list[str] = []
    whole = mldsa.public_of
    monkeypatch.setattr(mldsa, "public_of", lambda n, raw: calls.append(n) or whole(n, raw))
    _, expanded = mldsa.keys("ml-dsa-65", pqc.seed("ml-dsa-65"))
    pool, memory = make_pool((bytes(8) + expanded[:256]) * 10_000)
    assert search(pool, memory) == []
    assert len(calls) == lattices.MOST_PLACES
    assert search(pool, memory, certified("ml-dsa-65")) == []
    assert len(calls) == 3 * lattices.MOST_PLACES
