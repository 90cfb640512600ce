"""The s of a signature is no key where its challenge recomputes, and in doubt it is one."""

import hashlib
from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_derived
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.weierstrass import challenges, ec
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.detect.relations.weierstrass.tweaks import CURVE
from scanner.dump.space import Memory
from tests.detect.relations.weierstrass.test_nonces import heap
from tests.detect.relations.weierstrass.test_tweaks import coordinates

MakePool = Callable[..., tuple[Pool, Memory]]
N = CURVES[CURVE].n
MESSAGE = noise.uniform(32, 3)


def even(label: str) -> tuple[int, bytes]:
    """Return a private number whose point has an even y, and the x of that (BIP 340)."""
    key = keys.ec_key(CURVE, label=label)
    return (N - key.d if key.y & 1 else key.d), key.x.to_bytes(32, "big")


def signature(message: bytes) -> tuple[bytes, bytes, bytes, Ec]:
    """Sign; return r, P, the challenge, and s as the key that it looks like."""
    (k, r), (d, public) = even("nonce"), even("signer")
    tag = hashlib.sha256(b"BIP0340/challenge").digest()
    raw = hashlib.sha256(tag + tag + r + public + message).digest()
    key = ec_derived(CURVE, (k + int.from_bytes(raw, "big") * d) % N)
    assert key is not None
    return r, public, raw, key


def told(pool: Pool, *known: PublicKey) -> set[int]:
    """Return the scalars that are told."""
    return {one.key.d for one in ec.search(pool, known) if isinstance(one.key, Ec)}


@pytest.mark.parametrize("gone", ["", "r", "public", "challenge", "message"])
def test_the_end_of_a_signature(make_pool: MakePool, gone: str) -> None:
    """Seen in bitcoin-utils for Python: nothing but s*G = R + e*P makes a key of s."""
    r, public, challenge, key = signature(MESSAGE)
    s = key.d.to_bytes(32, "big")
    rest = {"r": r + s, "public": public, "challenge": challenge, "message": MESSAGE}
    there = [raw for name, raw in rest.items() if name != gone]
    noisy = [noise.uniform(32, seed) for seed in range(100, 120)]
    pool, _ = make_pool(heap([*coordinates(key), *noisy, *there]))
    assert told(pool) == ({key.d} if gone else set())


def test_a_challenge_far_from_the_signature(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P and the message stand beside s, and the challenge as limbs. Seen in @noble/curves."""
    monkeypatch.setattr(challenges, "MOST_CHECKS", 0)
    r, public, challenge, key = signature(MESSAGE)
    e = int.from_bytes(challenge, "big") % N
    there = [r + key.d.to_bytes(32, "big"), public, MESSAGE, e.to_bytes(32, "little")]
    pool, _ = make_pool(heap([*coordinates(key), *there]))
    assert told(pool) == set()


def test_a_challenge_that_was_made_to_fit(make_pool: MakePool) -> None:
    """Whoever knows a public half makes R of it with any e and P; the hash is another."""
    r, public, challenge, _ = signature(MESSAGE)
    e = int.from_bytes(challenge, "big") % N
    (k, _), (d, _) = even("nonce"), even("signer")
    other = ec_derived(CURVE, (k + (e + 1) * d) % N)
    assert other is not None
    made = (e + 1).to_bytes(32, "big")
    there = [r + other.d.to_bytes(32, "big"), public, made, MESSAGE]
    pool, _ = make_pool(heap([*coordinates(other), *there]))
    assert told(pool) == {other.d}


def test_what_a_public_key_names_is_a_key(make_pool: MakePool) -> None:
    """Whatever was signed with it as s."""
    r, public, challenge, key = signature(MESSAGE)
    named = publics.ec(CURVE, key.x, key.y, kind="certificate")
    there = [r + key.d.to_bytes(32, "big"), public, challenge, MESSAGE]
    pool, _ = make_pool(heap([*coordinates(key), *there]))
    assert told(pool, named) == {key.d}
