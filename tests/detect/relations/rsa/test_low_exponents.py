"""Private exponents without their most significant part: enough with a modulus that was read."""

from collections.abc import Callable

import pytest

from fixtures import encodings, keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import low_exponents, rsa
from scanner.detect.relations.rsa.shelf import shelf
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]
KEY = keys.rsa_key(2048)
GAP = noise.text(512, 9)


def freed(key: keys.RsaKey, name: str, lost: int, form: str) -> bytes:
    """Free a block with an exponent: links stand where its top was, or its end is cut off."""
    raw = getattr(key, name).to_bytes(key.bits // 8, "big")[lost:]
    if form == "limbs":
        return GAP + raw[::-1] + bytes(lost) + GAP
    if form == "java":  # seen in Ada, whose words begin in the middle of one of 64 bits
        raw = encodings.java_words(int.from_bytes(raw))
        return GAP + bytes(4 + lost) + raw + bytes(8) + GAP
    links = b"".join((0x7F12_3456_7000 + at).to_bytes(8, "little") for at in range(lost // 8))
    return GAP + links + raw + bytes(8) + GAP


def found(pool: Pool, key: keys.RsaKey) -> list[Related]:
    """Search a pool for a key that a certificate names."""
    return list(rsa.search(pool, (publics.rsa(key.n, key.e, kind="certificate"),)))


@pytest.mark.parametrize("form", ["bytes", "limbs", "java"])
@pytest.mark.parametrize(
    ("name", "bits", "lost"),
    [("d", 1024, 16), ("d_euler", 2048, 8), ("d", 2048, 16), ("d_euler", 3072, 32)],
)
def test_an_exponent_without_its_top(
    make_pool: MakePool, bits: int, lost: int, name: str, form: str
) -> None:
    """What free() left of d as bytes, or a region's end of its limbs; found again by its place."""
    key = keys.rsa_key(bits)
    pool, memory = make_pool(freed(key, name, lost, form))
    (related,) = found(pool, key)
    public = describe(related.key)
    assert public.fingerprint.value == key.spki_sha256
    assert (related.proof, related.roles) == ("part of d factors n", (low_exponents.ROLE,))
    candidate = second_look.told(related)
    assert [describe(again).fingerprint for again in rsa.again(memory, candidate)] == [
        public.fingerprint
    ]


@pytest.mark.parametrize("at", [-1, -100, -180])
def test_one_bit_decides(make_pool: MakePool, at: int) -> None:
    """Anywhere in what is needed of d."""
    data = bytearray(freed(KEY, "d", 16, "bytes"))
    data[len(data) - len(GAP) - 8 + at] ^= 2
    assert not found(make_pool(bytes(data))[0], KEY)


def test_too_little_of_it(make_pool: MakePool) -> None:
    """Half of d is less than is looked for."""
    assert not found(make_pool(freed(KEY, "d", 128, "bytes"))[0], KEY)


def test_random_bytes(make_pool: MakePool) -> None:
    """Thousands of runs as long as an exponent."""
    data = b"".join(bytes(16) + noise.uniform(256, at) for at in range(500))
    assert not found(make_pool(data)[0], KEY)


def test_an_empty_pool(make_pool: MakePool) -> None:
    """Nothing to look at."""
    assert not found(make_pool(bytes(4096))[0], KEY)


def test_no_more_is_listed_than_is_tried(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moduli of hundreds of lengths had filled the memory with what would never be tried."""
    listed: list[int] = []
    rests = low_exponents._rests

    def counted(pool: Pool, size: int, e: int) -> low_exponents._Rests:
        listed.append(size)
        return rests(pool, size, e)

    monkeypatch.setattr(low_exponents, "MOST", (2, 2))
    monkeypatch.setattr(low_exponents, "_rests", counted)
    pool, _ = make_pool(freed(KEY, "d", 16, "bytes"))
    moduli = {1 << bits | 1: 3 for bits in range(2000, 2020)}
    assert list(low_exponents.search(shelf(pool, {}), moduli)) == []
    assert len(listed) == 2
