"""SLH-DSA keys as bare bytes: behind a pointer, before a public key, or with it elsewhere."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures import noise, pqc
from scanner.detect.algebra import slhdsa
from scanner.detect.algebra.material import describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import x509
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.postquantum import hashtrees
from scanner.dump.space import Memory
from tests.detect import planted as planted_scan
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

NAMES = sorted(slhdsa.SETS)
FAST = [name for name in NAMES if name.endswith("f")]
BASE, BASE_32, SIZE, AT = 0x7F00_0000_0000, 0x7F00_0000, 1 << 14, 1040


def named(name: str) -> str:
    """Return the fingerprint of the key of a set."""
    key = pqc.slh_key(name)
    return hashlib.sha256(pqc.spki(name, key[len(key) // 2 :])).hexdigest()


def certified(name: str) -> PublicKey:
    """Return the public key as a certificate gives it."""
    key = pqc.slh_key(name)
    found = x509.from_spki(pqc.spki(name, key[len(key) // 2 :]))
    assert found is not None
    return replace(found, witness=replace(found.witness, kind="certificate"))


def search(pool: Pool, memory: Memory, *known: PublicKey) -> list[tuple[str, int, int]]:
    """Return (fingerprint, offset, size) of what is found, each proved; a second look agrees."""
    rows = []
    for found in hashtrees.search(pool, known):
        assert found.proof == "SK.seed derives PK.root"
        name = describe(found.key).fingerprint.value
        (again,) = hashtrees.again(memory, second_look.told(found))
        assert describe(again).fingerprint.value == name
        rows.append((name, found.places[0].offset, found.places[0].size))
    return rows


def planted(whole: bytes) -> bytes:
    """Return text in which something stands at AT, between zeros."""
    return noise.plant(noise.text(SIZE), AT - 16, bytes(16) + whole + bytes(16))


@pytest.mark.parametrize("name", NAMES)
def test_an_object_of_openssl(make_pool: MakePool, name: str) -> None:
    """The parts, and the pointer to the public ones, with nothing else in the dump: all sets."""
    data = planted(pqc.slh_object(name, BASE + AT))
    assert search(*make_pool(data)) == [(named(name), AT, slhdsa.SETS[name].private)]


@pytest.mark.parametrize("name", FAST)
def test_an_object_of_a_32_bit_machine(make_pool: MakePool, name: str) -> None:
    """Seen on x86 and ARM: the pointer has four bytes, and another one is behind it."""
    data = planted(pqc.slh_object(name, BASE_32 + AT, 4) + BASE_32.to_bytes(4, "little"))
    assert search(*make_pool(data, word=4)) == [(named(name), AT, slhdsa.SETS[name].private)]


@pytest.mark.parametrize("name", FAST)
def test_a_pointer_elsewhere_is_none(make_pool: MakePool, name: str) -> None:
    """One that points past the public parts, and one in a file that has no addresses."""
    assert search(*make_pool(planted(pqc.slh_object(name, BASE + AT + 8)))) == []
    data = planted(pqc.slh_object(name, BASE + AT))
    assert search(*make_pool(data, addressed=False)) == []


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("lead", [0, 24, 61])
def test_a_key_whose_public_half_is_known(make_pool: MakePool, name: str, lead: int) -> None:
    """It is found wherever it stands, within random bytes too; without a certificate it is not."""
    key = pqc.slh_key(name)
    data = planted(noise.uniform(lead, 1) + key)
    assert search(*make_pool(data)) == []
    row = (named(name), AT + lead, len(key))
    assert search(*make_pool(data), certified(name)) == [row]
    others = [certified(other) for other in FAST if other != name]
    assert search(*make_pool(data), *others) == []


@pytest.mark.parametrize("name", FAST)
def test_a_key_whose_public_half_stands_elsewhere(make_pool: MakePool, name: str) -> None:
    """A buffer that it fills, and another that its public half fills, as liboqs asks for."""
    key = pqc.slh_key(name)
    data = noise.plant(planted(key), 8192, bytes(16) + key[len(key) // 2 :] + bytes(16))
    assert search(*make_pool(data)) == [(named(name), AT, len(key))]
    assert search(*make_pool(noise.plant(planted(key), 8192, bytes(16) + key + bytes(16)))) == []


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("shift", [0, 32])
def test_arrays_that_are_counted(make_pool: MakePool, name: str, shift: int) -> None:
    """Seen in Node.js (liboqs, @noble/post-quantum): random pointers follow V8's arrays."""
    key = pqc.slh_key(name)
    public, behind = key[len(key) // 2 :], noise.uniform(40, 7)
    for right in (True, False):
        rows = [
            bytes(24) + (len(raw) + 8 * (not right) << shift).to_bytes(8, "little") + raw + behind
            for raw in (key, public)
        ]
        data = noise.plant(noise.plant(noise.text(SIZE), AT - 32, rows[0]), 8192, rows[1])
        assert search(*make_pool(data)) == ([(named(name), AT, len(key))] if right else [])


@pytest.mark.parametrize("name", FAST)
def test_a_public_key_alone_is_none(make_pool: MakePool, name: str) -> None:
    """Its parts stand behind what is not theirs."""
    key = pqc.slh_key(name)
    for before in (bytes(len(key) // 2), noise.uniform(len(key) // 2, 3)):
        data = planted(before + key[len(key) // 2 :])
        assert search(*make_pool(data), certified(name)) == []


@pytest.mark.parametrize(("name", "part"), [*zip(FAST[::2], (0, 2, 3), strict=True)])
def test_a_flipped_bit_is_no_key(make_pool: MakePool, name: str, part: int) -> None:
    """In SK.seed, PK.seed and PK.root, each in a key of another size."""
    whole = bytearray(pqc.slh_object(name, BASE + AT))
    whole[part * slhdsa.SETS[name].n + 5] ^= 2
    assert search(*make_pool(planted(bytes(whole))), certified(name)) == []


@pytest.mark.parametrize("name", FAST)
def test_nothing_tells_of_sk_prf(make_pool: MakePool, name: str) -> None:
    """It makes signatures differ and no root: a key with another one signs for the same public."""
    whole = bytearray(pqc.slh_object(name, BASE + AT))
    whole[slhdsa.SETS[name].n + 5] ^= 2
    data = planted(bytes(whole))
    assert search(*make_pool(data)) == [(named(name), AT, slhdsa.SETS[name].private)]


@pytest.mark.parametrize("kind", ["uniform", "heap", "mixed", "table", "code"])
def test_nothing_in_noise(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Noise has no key, whichever public keys are known, and costs no root."""
    monkeypatch.setattr(slhdsa, "root", lambda *_: pytest.fail("a root was computed"))
    pool, memory = make_pool(getattr(noise, kind)(1 << 18, 5))
    assert search(pool, memory, *map(certified, NAMES)) == []


@pytest.mark.parametrize("n", [16, 24, 32])
def test_two_numbers_that_stand_alone_too_cost_little(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    """Seen of the random numbers of client and server in Java: an array of both, and each alone."""
    spent: list[int] = []
    monkeypatch.setattr(slhdsa, "root", lambda name, *_: spent.append(slhdsa.SETS[name].cost))
    whole = noise.uniform(4 * n, 11)
    data = planted(whole)
    for at, half in ((4096, whole[: 2 * n]), (8192, whole[2 * n :])):
        data = noise.plant(data, at, bytes(16) + half + bytes(16))
    assert search(*make_pool(data)) == []
    assert 0 < sum(spent) <= hashtrees.LEAST[0]


@pytest.mark.parametrize(
    ("spell", "form"), [(bytes.hex, "hex"), (lambda raw: b64encode(raw).decode(), "base64")]
)
@pytest.mark.parametrize("name", FAST[::2])
def test_a_key_in_text(tmp_path: Path, name: str, spell: Callable[[bytes], str], form: str) -> None:
    """A word of hex or base64, and the public half as another; it is read again, to be traced."""
    key = pqc.slh_key(name)
    words = (spell(raw).encode() for raw in (key, key[len(key) // 2 :]))
    (one,) = planted_scan.private(planted_scan.scanned(tmp_path, *words))
    assert (one.fingerprint.value, one.encoding) == (named(name), form)


def test_objects_without_end_are_bounded(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What points into itself, a thousand times, has no more roots computed than are afforded."""
    spent: list[int] = []

    def root(name: str, secret: bytes, public: bytes) -> bytes:
        spent.append(slhdsa.SETS[name].cost)
        return secret + public

    monkeypatch.setattr(slhdsa, "root", root)
    rows = []
    for index in range(200):
        at = BASE + 160 * index
        rows.append(noise.uniform(128, index) + (at + 64).to_bytes(8, "little") + bytes(24))
    pool, memory = make_pool(b"".join(rows))
    assert search(pool, memory) == []
    least = min(size.cost for size in slhdsa.SETS.values() if size.n == 32)
    assert hashtrees.EFFORT[0] - least < sum(spent) <= hashtrees.EFFORT[0]
