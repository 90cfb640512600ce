"""Nonces in digits: told from keys by the signature's own equation, and in doubt not at all."""

from collections.abc import Callable

import pytest

from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import digits
from scanner.detect.relations.weierstrass import digit_nonces
from scanner.dump.space import Memory
from scanner.model import NONCE
from tests.detect.relations.weierstrass.test_nonces import HASH, NONCES, OWN, Signature

MakePool = Callable[[bytes], tuple[Pool, Memory]]
HELD = {how.name: how for how in digits.held(readings.LITTLE_ENDIAN)}


def heap(how: Reading, numbers: list[int], size: int) -> bytes:
    """Lay numbers out in digits, each behind two words of its own."""
    head = bytes.fromhex("410f84ce393f0000 000000000a000000")
    return bytes(64) + b"".join(head + readings.encode(how, one, size) + head for one in numbers)


def told(pool: Pool, *known: PublicKey) -> dict[str, tuple[str, str]]:
    """Return the proof of each key that is found, and who signed, by its fingerprint."""
    found = digit_nonces.search(pool, known)
    return {describe(one.key).fingerprint.value: (one.proof, one.signer.hex()) for one in found}


@pytest.mark.parametrize(("curve", "name"), [("P-256", "smi64-26"), ("secp256k1", "moz-26")])
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("hashed", ["digits", "bytes", "gone"])
def test_a_nonce_beside_the_key_that_signed(
    make_pool: MakePool, curve: str, name: str, *, normalised: bool, hashed: str
) -> None:
    """Seen in elliptic on Node.js, which leaves both coordinates of a nonce's point."""
    own, once, how = OWN[curve], NONCES[curve], HELD[name]
    bits, z = 8 * own.field_bytes, int.from_bytes(HASH, "big")
    numbers = [own.d, own.x, own.y, once.d, once.y, once.x, Signature(curve, normalised).s]
    data = heap(how, numbers + [z] * (hashed == "digits"), bits)
    pool, _ = make_pool(data + (HASH + bytes(64)) * (hashed == "bytes"))
    key = {own.spki_sha256: ("d*G = Q", "")}
    plain = {once.spki_sha256: ("d*G = Q", "")}
    nonce = {once.spki_sha256: (NONCE, own.spki_sha256)}
    assert told(pool) == key | (plain if hashed == "gone" else nonce)


def test_a_nonce_of_pypy(make_pool: MakePool) -> None:
    """In digits of 63 bits behind their count, as the key that signed."""
    how = next(how for how in readings.LITTLE_ENDIAN if how.name == "digits-63")
    own, once, head = OWN["P-256"], NONCES["P-256"], bytes.fromhex("9804000001000000 05") + bytes(7)
    numbers = [own.d, own.x, own.y, once.d, once.y, once.x, Signature("P-256").s]
    rows = [bytes(64) + head + readings.encode(how, one, 256) for one in numbers]
    pool, _ = make_pool(b"".join(rows) + bytes(64) + HASH + bytes(64))
    nonce = {once.spki_sha256: (NONCE, own.spki_sha256)}
    assert told(pool) == {own.spki_sha256: ("d*G = Q", "")} | nonce


def test_a_key_whose_point_was_read_is_no_nonce(make_pool: MakePool) -> None:
    """Whatever stands beside it: who has two keys may sign with one what is made of the other."""
    own, once = OWN["P-256"], NONCES["P-256"]
    numbers = [own.d, own.x, once.d, once.x, Signature("P-256").s]
    pool, _ = make_pool(heap(HELD["smi64-26"], numbers, 256) + HASH + bytes(64))
    public = publics.ec("P-256", once.x, once.y, kind="certificate")
    assert told(pool, public)[once.spki_sha256] == ("d*G = Q", "")
    assert told(pool)[once.spki_sha256] == (NONCE, own.spki_sha256)


def test_an_r_that_stands_very_often(make_pool: MakePool) -> None:
    """Near the first of its places s is looked for, however many there are."""
    own, once, how = OWN["P-256"], NONCES["P-256"], HELD["smi64-26"]
    numbers = [own.d, own.x, once.d, once.y, once.x, Signature("P-256").s, *[once.x] * 2000]
    pool, _ = make_pool(heap(how, numbers, 256) + HASH + bytes(64))
    assert told(pool)[once.spki_sha256] == (NONCE, own.spki_sha256)
