"""Nonces of ECDSA: told from keys by the signature's own equation, and in doubt not at all."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from fixtures import encodings, keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.weierstrass import ec, matches
from scanner.detect.relations.weierstrass.curves import CURVES
from scanner.dump.space import Memory
from scanner.model import NONCE
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]
CURVE_NAMES = ("P-256", "secp256k1", "P-384")
SHORT = "brainpoolP256r1"
"""A curve whose order is far below the greatest hash of its length."""

OWN = {curve: keys.ec_key(curve) for curve in (*CURVE_NAMES, SHORT)}
NONCES = {curve: keys.ec_key(curve, label="nonce") for curve in OWN}
HASH = hashlib.sha256(b"hi").digest()


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature by a key of fixtures, with a nonce that is another one."""

    curve: str
    normalised: bool = False
    digest: bytes = HASH

    @property
    def s(self) -> int:
        """Return s, or n - s (BIP 62)."""
        n, own, once = CURVES[self.curve].n, OWN[self.curve], NONCES[self.curve]
        z = int.from_bytes(self.digest, "big")
        s = (z + once.x * own.d) * pow(once.d, -1, n) % n
        return n - s if self.normalised else s


def limbs(number: int, curve: str) -> bytes:
    """Spell a number as V8 does."""
    return encodings.little_limbs(number, OWN[curve].field_bytes)


def heap(objects: list[bytes]) -> bytes:
    """Lay objects out as V8 lays BigInts out, each behind two words of its own."""
    head = bytes.fromhex("410f84ce393f0000 0800000000000000")
    return bytes(64) + b"".join(head + each for each in objects) + bytes(64)


def told(pool: Pool, known: list[PublicKey] | None = None) -> dict[str, str]:
    """Return the proof of each key that is found, by its fingerprint."""
    return {describe(one.key).fingerprint.value: one.proof for one in ec.search(pool, known or [])}


def of(curve: str, proof: str) -> dict[str, str]:
    """Return what is to be told of both scalars, the nonce's proof being that."""
    return {OWN[curve].spki_sha256: matches.PROOF, NONCES[curve].spki_sha256: proof}


def process(curve: str, s: bytes, z: bytes, *, whole: bool = True) -> bytes:
    """Return a heap of BigInts: both scalars and points, and of a signature s and the hash.

    Of the nonce's point x stands there, and y if it is ``whole``.
    """
    own, once = OWN[curve], NONCES[curve]
    numbers = [own.d, own.x, own.y, once.d]
    point = [limbs(once.x, curve), *([limbs(once.y, curve)] if whole else [])]
    rest = [noise.uniform(len(point[0]), seed) for seed in range(6)]
    return heap([limbs(each, curve) for each in numbers] + rest + [*point, s, *rest[:3], z])


@pytest.mark.parametrize(
    ("curve", "normalised", "swapped"),
    [
        (curve, normalised, (row + normalised) % 2 == 0)
        for row, curve in enumerate(CURVE_NAMES)
        for normalised in (False, True)
    ],
)
def test_a_nonce_whose_point_is_whole(
    make_pool: MakePool, curve: str, *, normalised: bool, swapped: bool
) -> None:
    """Seen in @noble/curves and ethers on Node.js: y stands too, and s is not beside r.

    Either s in either byte order, though not on each curve.
    """
    signature = Signature(curve, normalised)
    s = limbs(signature.s, curve)
    raws = (s[::-1], HASH[::-1]) if swapped else (s, HASH)
    assert told(make_pool(process(curve, *raws))[0]) == of(curve, NONCE)


def test_a_hash_above_the_order(make_pool: MakePool) -> None:
    """What was signed is the hash less the order, and the hash itself is what stands."""
    digest = b"\xff" + HASH[1:]
    s = limbs(Signature(SHORT, digest=digest).s, SHORT)
    known = publics.ec(SHORT, OWN[SHORT].x, OWN[SHORT].y, kind="certificate")
    assert told(make_pool(process(SHORT, s, digest))[0], [known]) == of(SHORT, NONCE)


@pytest.mark.parametrize("number", [False, True])
@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_a_signature_in_words_most_significant_first(
    make_pool: MakePool, curve: str, *, number: bool
) -> None:
    """Seen in Racket, as Java lays out a BigInteger: s, and the hash if it is a ``number`` too."""
    z = encodings.java_words(int.from_bytes(HASH, "big")) if number else HASH
    s = encodings.java_words(Signature(curve).s)
    assert told(make_pool(process(curve, s, z))[0]) == of(curve, NONCE)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_who_signed_with_a_nonce(make_pool: MakePool, *, whole: bool, flipped: bool) -> None:
    """Seen in Go, in lego: of seven nonces the keys and the hashes stood there, and no y."""
    own, once, z = OWN["P-256"], NONCES["P-256"], bytearray(HASH)
    z[9] ^= flipped
    s = limbs(Signature("P-256").s, "P-256")
    pool, _ = make_pool(process("P-256", s, bytes(z), whole=whole))
    signers = {describe(one.key).fingerprint.value: one.signer for one in ec.search(pool, [])}
    signer = b"" if flipped else bytes.fromhex(own.spki_sha256)
    assert signers == {own.spki_sha256: b"", once.spki_sha256: signer}


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("curve", CURVE_NAMES)
def test_a_key_without_its_point_that_signed(
    make_pool: MakePool, curve: str, *, written: bool, flipped: bool
) -> None:
    """Seen in Go: of a key that was let go d alone was left, in slots beside the nonce and r."""
    own, once = OWN[curve], NONCES[curve]
    z = HASH[:9] + bytes([HASH[9] ^ flipped]) + HASH[10:]
    r, s = once.x, Signature(curve).s
    rest = (r, s) if not written else (r,)
    numbers = [limbs(each, curve)[::-1] for each in (own.d, own.d, once.d, once.d, r, *rest)]
    raw = encode_dss_signature(r, s) if written else b""
    data = bytes(64) + b"".join(numbers) + z + bytes(67) + raw + bytes(64)
    pool, memory = make_pool(data)
    found = {describe(one.key).fingerprint.value: one for one in ec.search(pool, [])}
    assert found[once.spki_sha256].proof == NONCE
    assert (own.spki_sha256 in found) != flipped
    if not flipped:
        one = found[own.spki_sha256]
        assert (one.proof, one.encoding) == ("s*k = z + r*d", "d bytes-be")
        assert found[once.spki_sha256].signer == bytes.fromhex(own.spki_sha256)
        assert own.spki_sha256 in {
            describe(key).fingerprint.value for key in ec.again(memory, second_look.told(one))
        }


@pytest.mark.parametrize("flipped", ["s", "hash"])
@pytest.mark.parametrize("curve", CURVE_NAMES)
def test_in_doubt_it_is_a_key(make_pool: MakePool, curve: str, flipped: str) -> None:
    """A point beside numbers that are no signature is a key's."""
    s, z = bytearray(limbs(Signature(curve).s, curve)), bytearray(HASH)
    (s if flipped == "s" else z)[9] ^= 1
    assert told(make_pool(process(curve, bytes(s), bytes(z)))[0]) == of(curve, matches.PROOF)


@pytest.mark.parametrize("curve", CURVE_NAMES)
def test_a_known_key_is_one_whatever_it_signed(make_pool: MakePool, curve: str) -> None:
    """A certificate names no nonce."""
    once = NONCES[curve]
    pool, _ = make_pool(process(curve, limbs(Signature(curve).s, curve), HASH))
    known = publics.ec(curve, once.x, once.y, kind="certificate")
    assert told(pool, [known]) == of(curve, matches.PROOF)


@pytest.mark.parametrize("form", ["signature", "coordinates", "negated", "alone"])
@pytest.mark.parametrize("curve", [*CURVE_NAMES, "P-521"])
def test_r_and_s_in_der(make_pool: MakePool, curve: str, form: str) -> None:
    """Whoever signed: of such a signature no more is needed. A point's x and y are none."""
    key = keys.ec_key(curve)
    other = {
        "signature": key.d >> 1,
        "coordinates": key.y,
        "negated": CURVES[curve].p - key.y,
        "alone": 0,
    }[form]
    size = -(-key.field_bytes // 8) * 8
    raw = encode_dss_signature(key.x, other)
    raw = raw if form != "alone" else raw[3:]
    numbers = [encodings.little_limbs(each, size) for each in (key.d, key.x, key.y)]
    pool, _ = make_pool(heap(numbers) + bytes(5) + raw + bytes(64))
    assert told(pool) == {key.spki_sha256: NONCE if form == "signature" else matches.PROOF}
