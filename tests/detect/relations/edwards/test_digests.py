"""SHA-512 of an Ed25519 seed, and the public key elsewhere."""

import hashlib
from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards import edwards
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[[bytes], tuple[Pool, Memory]]

KEY = keys.okp_key("ed25519", label="digest")
DIGEST = hashlib.sha512(KEY.seed).digest()
GAP = bytes(512)


def found(make_pool: MakePool, raw: bytes, *known: publics.PublicKey) -> list[Related]:
    """Search memory, and prove again what is found."""
    pool, memory = make_pool(raw)
    related = list(edwards.search(pool, known))
    for each in related:
        again = edwards.again(memory, second_look.told(each))
        assert describe(each.key).fingerprint in [describe(one).fingerprint for one in again]
    return related


@pytest.mark.parametrize(("before", "behind"), [(0, 0), (32, 0), (0, 96)])
def test_a_digest_at_an_edge_of_a_run(make_pool: MakePool, before: int, behind: int) -> None:
    """The public key stands elsewhere, or a certificate has it."""
    raw = noise.uniform(before, 1) + DIGEST + noise.uniform(behind, 2)
    named = publics.okp("ed25519", KEY.public, kind="certificate")
    for data, known in ((GAP + raw + GAP, (named,)), (GAP + raw + GAP + KEY.public + GAP, ())):
        (related,) = found(make_pool, data, *known)
        assert (related.encoding, related.proof) == ("SHA-512 of the seed", "a*B = A")
        assert related.key.public == KEY.public


@pytest.mark.parametrize("at", [0, 17, 31])
def test_a_flipped_bit_is_no_key(make_pool: MakePool, at: int) -> None:
    """Of the five bits that are clamped any value is right, and no other."""
    wrong = bytearray(DIGEST)
    wrong[at] ^= 0x10
    assert found(make_pool, GAP + bytes(wrong) + GAP + KEY.public + GAP) == []
    right = bytes((DIGEST[0] ^ 7,)) + DIGEST[1:31] + bytes((DIGEST[31] ^ 0xC0,)) + DIGEST[32:]
    assert len(found(make_pool, GAP + right + GAP + KEY.public + GAP)) == 1


def test_the_seed_is_told_where_it_stands(make_pool: MakePool) -> None:
    """A key is told once, by what it was made of."""
    data = GAP + DIGEST + GAP + KEY.seed + KEY.public + GAP
    (related,) = found(make_pool, data)
    assert related.encoding == "seed"
