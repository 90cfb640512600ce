"""The s of a signature is no key where the text that was hashed stands, and in doubt it is one."""

import hashlib
from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_derived
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.weierstrass import digit_nonces, ec, points
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.detect.relations.weierstrass.tweaks import CURVE
from scanner.dump.space import Memory
from tests.detect.relations.weierstrass import test_digit_nonces as in_digits
from tests.detect.relations.weierstrass.test_nonces import heap
from tests.detect.relations.weierstrass.test_tweaks import coordinates

MakePool = Callable[..., tuple[Pool, Memory]]
N = CURVES[CURVE].n
ONCE, OWN = keys.ec_key(CURVE, label="nonce"), keys.ec_key(CURVE, label="signer")


def compressed(key: keys.EcKey) -> bytes:
    """Return the point of a key."""
    return bytes((points.COMPRESSED[key.y & 1],)) + key.x.to_bytes(32, "big")


def ending(text: bytes, *, added: bool = False, more: int = 0) -> tuple[Ec, int]:
    """Sign what hashes so; return s as the key that it looks like, and e."""
    e = int.from_bytes(hashlib.sha256(text).digest(), "big") % N + more
    key = ec_derived(CURVE, (ONCE.d + (-e if added else e) * OWN.d) % N)
    assert key is not None
    return key, e


def told(pool: Pool, *known: PublicKey) -> set[int]:
    """Return the scalars that are told."""
    return {one.key.d for one in ec.search(pool, known) if isinstance(one.key, Ec)}


@pytest.mark.parametrize("gone", ["", "r", "text", "hash"])
def test_a_signature_of_bitcoin_cash(make_pool: MakePool, gone: str) -> None:
    """R.x, P and 32 bytes are hashed, and R.x stands before s. Seen in bitcore-lib-cash."""
    text = ONCE.x.to_bytes(32, "big") + compressed(OWN) + noise.uniform(32, 3)
    key, _ = ending(text, more=gone == "hash")
    there = {"r": text[:32] + key.d.to_bytes(32, "big"), "text": text}
    noisy = [noise.uniform(32, seed) for seed in range(100, 120)]
    rest = [raw for name, raw in there.items() if name != gone]
    pool, _ = make_pool(heap([*coordinates(key), *noisy, *rest]))
    assert told(pool) == ({key.d} if gone else set())


@pytest.mark.parametrize("gone", ["", "text", "e", "hash"])
@pytest.mark.parametrize("size", [4, 200])
def test_a_signature_of_zilliqa(make_pool: MakePool, size: int, gone: str) -> None:
    """R, P and any message are hashed, and e stands. Seen in @zilliqa-js/crypto."""
    text = compressed(ONCE) + compressed(OWN) + noise.uniform(size, 3)
    key, e = ending(text, added=True, more=gone == "hash")
    how = in_digits.HELD["smi64-26"]
    numbers = [key.d, key.x, key.y] + [e] * (gone != "e")
    data = in_digits.heap(how, numbers, 256) + heap([text] * (gone != "text"))
    pool, _ = make_pool(data)
    found = [one.key.d for one in digit_nonces.search(pool, [])]
    assert found == ([key.d] if gone else [])


def test_what_a_public_key_names_is_a_key(make_pool: MakePool) -> None:
    """Whatever was signed with it as s."""
    text = ONCE.x.to_bytes(32, "big") + compressed(OWN) + noise.uniform(32, 3)
    key, _ = ending(text)
    named = publics.ec(CURVE, key.x, key.y, kind="certificate")
    pool, _ = make_pool(heap([*coordinates(key), text, text[:32] + key.d.to_bytes(32, "big")]))
    assert told(pool, named) == {key.d}
    assert told(pool) == set()
