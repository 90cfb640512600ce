"""Keys of libuecc: a scalar's eighth, and x of its point on an isomorphic curve behind it."""

from collections.abc import Callable

import pytest

from fixtures import keys
from scanner.detect.algebra import edwards25519
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards import edwards
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[[bytes], tuple[Pool, Memory]]

P, A = (1 << 255) - 19, 486662


def halves(key: keys.OkpKey, parity: int) -> tuple[bytes, bytes, bytes]:
    """Return a clamped scalar, its eighth, and u/v of its point with a bit for its sign."""
    whole = bytes((key.seed[0] & 248,)) + key.seed[1:31] + bytes((key.seed[31] & 127 | 64,))
    u = int.from_bytes(key.public, "little")
    square = u * pow(u * u + A * u + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    eighth = (int.from_bytes(whole, "little") >> 3).to_bytes(32, "little")
    return whole, eighth, (x | parity << 255).to_bytes(32, "little")


def found(make_pool: MakePool, raw: bytes) -> tuple[list[Related], Memory]:
    """Search memory in which these bytes are a block of their own."""
    pool, memory = make_pool(bytes(2048) + raw + bytes(2048))
    return list(edwards.search(pool, [])), memory


@pytest.mark.parametrize("parity", [0, 1])
def test_a_key_of_fastd_is_found(make_pool: MakePool, parity: int) -> None:
    """It is told as the scalar that it is, by the point's usual encoding."""
    scalar, eighth, half = halves(keys.okp_key("x25519", label="fastd"), parity)
    (related,), memory = found(make_pool, eighth + half)
    assert (related.encoding, related.proof) == ("a/8 limbs-le", "a*B = A")
    assert related.key.public == edwards25519.multiple(scalar)
    (again,) = edwards.again(memory, second_look.told(related))
    assert describe(again).fingerprint == describe(related.key).fingerprint


@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_what_is_no_pair_is_no_key(make_pool: MakePool, at: int) -> None:
    """A bit of either half changed, or both in the other order."""
    _, eighth, half = halves(keys.okp_key("x25519", label="fastd"), 0)
    raw = bytearray(eighth + half)
    raw[at] ^= 2
    assert found(make_pool, bytes(raw))[0] == []
    assert found(make_pool, half + eighth)[0] == []
