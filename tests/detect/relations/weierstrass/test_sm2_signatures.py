"""The s of a signature of SM2 is no key where r, r + s, a hash and P stand; in doubt it is one."""

from collections.abc import Callable

import pytest

from fixtures import noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import Ec
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_derived
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.weierstrass import digit_nonces, ec
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.detect.relations.weierstrass.sm2_signatures import CURVE
from scanner.dump.space import Memory
from tests.detect.relations.weierstrass import test_digit_nonces as in_digits
from tests.detect.relations.weierstrass.test_nonces import heap

MakePool = Callable[..., tuple[Pool, Memory]]
N, P, SIZE = CURVES[CURVE].n, CURVES[CURVE].p, CURVES[CURVE].size
HASH = int.from_bytes(noise.uniform(SIZE, 3))


def made(seed: int) -> Ec:
    """Return a key of this seed."""
    key = ec_derived(CURVE, int.from_bytes(noise.uniform(SIZE, seed)) % N)
    assert key is not None
    return key


def bystander() -> PublicKey:
    """Return a public key without which nothing is tried on the curve."""
    key = made(13)
    return publics.ec(CURVE, key.x, key.y, kind="certificate")


def signature() -> tuple[Ec, dict[str, int]]:
    """Sign a hash; return s as the key that it looks like, and what stands beside it."""
    d, k = made(11), made(12)
    r = (HASH + k.x) % N
    key = ec_derived(CURVE, (k.d - r * d.d) * pow(1 + d.d, -1, N) % N)
    assert key is not None
    return key, {"r": r, "t": (r + key.d) % N, "e": HASH, "public": d.x}


def process(key: Ec, rest: dict[str, int]) -> bytes:
    """Return a heap of s, s*G and other numbers, in limbs."""
    noisy = [noise.uniform(SIZE, seed) for seed in range(100, 120)]
    numbers = [number.to_bytes(SIZE, "little") for number in (key.d, key.x, key.y, *rest.values())]
    return heap([*numbers, *noisy])


def told(pool: Pool, *known: PublicKey) -> set[int]:
    """Return the scalars that are told, where somebody uses the curve."""
    return {one.key.d for one in ec.search(pool, [bystander(), *known]) if isinstance(one.key, Ec)}


@pytest.mark.parametrize("flipped", ["", "r", "t", "e", "public"])
def test_the_end_of_a_signature(make_pool: MakePool, flipped: str) -> None:
    """Seen in gmsm for Go, and in sm-crypto-v2 for Node.js."""
    key, rest = signature()
    pool, _ = make_pool(process(key, {name: x ^ (name == flipped) for name, x in rest.items()}))
    assert told(pool) == ({key.d} if flipped else set())


def test_the_end_of_a_signature_in_digits(make_pool: MakePool) -> None:
    """As CPython has the numbers."""
    key, rest = signature()
    how = in_digits.HELD["digits-30"]
    numbers = [key.d, key.x, key.y, rest["public"]]
    data = in_digits.heap(how, [*numbers, rest["r"], rest["t"], rest["e"]], 8 * SIZE)
    pool, _ = make_pool(data)
    assert [one.key.d for one in digit_nonces.search(pool, [bystander()])] == []
    pool, _ = make_pool(in_digits.heap(how, numbers, 8 * SIZE))
    assert [one.key.d for one in digit_nonces.search(pool, [bystander()])] == [key.d]


def test_a_key_that_a_peer_has_a_signature_made_for(make_pool: MakePool) -> None:
    """With P of its own it makes r and e that fit a key of which it knows d*G; but not r + d."""
    key, peer, r = made(21), made(22), made(23).d
    whole = ec_derived(CURVE, (key.d + (r + key.d) * peer.d) % N)
    assert whole is not None
    e = (r - whole.x) % N
    rest = {"r": r, "e": e, "public": peer.x}
    pool, _ = make_pool(process(key, rest))
    assert told(pool) == {key.d}
    pool, _ = make_pool(process(key, {**rest, "t": (r + key.d) % N}))
    assert told(pool) == set()


def test_what_a_public_key_names_is_a_key(make_pool: MakePool) -> None:
    """Whatever stands beside it."""
    key, rest = signature()
    named = publics.ec(CURVE, key.x, key.y, kind="certificate")
    pool, _ = make_pool(process(key, rest))
    assert told(pool, named) == {key.d}
