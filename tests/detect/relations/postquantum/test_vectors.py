"""ML-DSA keys of which s1, s2 and t0 stand as words of 32 bits."""

from collections.abc import Callable

import numpy as np
import pytest

from fixtures import noise, pqc
from scanner.detect.algebra import mldsa
from scanner.detect.algebra.material import describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.postquantum import lattices
from scanner.dump.space import Memory
from tests.detect.relations import second_look
from tests.detect.relations.postquantum.test_lattices import certified, named

MakePool = Callable[[bytes], tuple[Pool, Memory]]

NAMES = sorted(mldsa.SETS)
FORMS = ("words-32", "words-32 plus q", "ints-32")


def parts(name: str, form: str) -> tuple[bytes, bytes, bytes, bytes]:
    """Return rho, K, the public key's hash, and the vectors in words."""
    _, expanded = mldsa.keys(name, pqc.seed(name))
    return (
        expanded[:32],
        expanded[32:64],
        expanded[64 : mldsa.HEAD],
        mldsa.coefficients(name, expanded)[form],
    )


def search(pool: Pool, memory: Memory, *known: PublicKey) -> list[tuple[str, int, str]]:
    """Return (fingerprint, offset, encoding) of what is found; a second look agrees."""
    rows = []
    for found in lattices.search(pool, known):
        name = describe(found.key).fingerprint.value
        (again,) = lattices.again(memory, second_look.told(found))
        assert describe(again).fingerprint.value == name
        rows.append((name, found.places[0].offset, found.encoding))
    return rows


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_vectors_behind_rho_and_k(make_pool: MakePool, name: str, form: str) -> None:
    """As circl has them: rho and K before s1, the hash behind t0."""
    rho, own, hashed, words = parts(name, form)
    data = bytes(4096) + rho + own + words + hashed + bytes(4096)
    pool, memory = make_pool(data)
    assert search(pool, memory) == [(named(name), 4160, "s1, s2 and t0")]


@pytest.mark.parametrize("name", NAMES)
def test_vectors_before_all_that_looks_random(make_pool: MakePool, name: str) -> None:
    """As Zig has them: within one long run of A and transformed vectors, and rho is far behind."""
    rho, own, hashed, words = parts(name, "words-32 plus q")
    others = np.frombuffer(noise.uniform(40 << 10, 3), "<u4") % (200 << 20) + mldsa.Q
    data = noise.uniform(4000, 1) + hashed + words + others.tobytes() + rho + own + hashed
    pool, memory = make_pool(bytes(64) + data + bytes(64))
    assert search(pool, memory) == [(named(name), 4128, "s1, s2 and t0")]


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_has_the_rho(make_pool: MakePool, name: str) -> None:
    """Where no rho stands near, that of a known key is tried; without it nothing tells the key."""
    *_, hashed, words = parts(name, "ints-32")
    pool, memory = make_pool(bytes(64) + hashed + words + bytes(64))
    assert search(pool, memory) == []
    others = [certified(other) for other in NAMES]
    assert search(pool, memory, *others) == [(named(name), 128, "s1, s2 and t0")]


@pytest.mark.parametrize("lacking", ["s1", "t0", "rho"])
def test_vectors_that_do_not_belong_together(make_pool: MakePool, lacking: str) -> None:
    """One coefficient that is another one, or another rho, is no key."""
    rho, own, _, words = parts("ml-dsa-44", "ints-32")
    changed = np.frombuffer(words, "<i4").copy()
    at = {"s1": 100, "t0": -1000, "rho": 0}[lacking]
    changed[at] = -changed[at] or 1
    if lacking == "rho":
        rho, changed = noise.uniform(32, 5), np.frombuffer(words, "<i4")
    pool, memory = make_pool(bytes(64) + rho + own + changed.tobytes() + bytes(64))
    assert search(pool, memory) == []


def test_small_numbers_without_end(make_pool: MakePool) -> None:
    """Tables of small numbers are no vectors, however long; nor are vectors that memory cuts."""
    table = np.random.default_rng(1).integers(-2, 3, 1 << 18).astype("<i4").tobytes()
    pool, memory = make_pool(bytes(64) + noise.uniform(64, 1) + table)
    assert search(pool, memory) == []
    rho, own, _, words = parts("ml-dsa-87", "ints-32")
    for cut in (1, 4, 5000, len(words) - 40):
        pool, memory = make_pool(bytes(64) + rho + own + words[:-cut])
        assert search(pool, memory) == []
