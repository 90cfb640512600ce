"""Windows key blobs."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.programs import cng
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "cng")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
RSA = [
    *(recipes.rsa_key(bits) for bits in (1024, 2048, 3072, 4096)),
    recipes.rsa_key(2048, e=3),
    recipes.rsa_key(2048, e=17),
]
CURVES = [recipes.ec_key(curve) for curve in ("P-256", "P-384", "P-521")]
PRIVATE = {
    "BCRYPT RSA2": containers.cng_rsa2,
    "BCRYPT RSA3": containers.cng_rsa3,
    "CAPI PRIVATEKEYBLOB": encodings.capi_blob,
}


def find(data: bytes) -> list[Proved | PublicKey]:
    """Run the rules over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in cng.examine(Bytes(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("key", RSA, ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("form", sorted(PRIVATE))
def test_private_rsa_blobs(key: recipes.RsaKey, form: str) -> None:
    """A private blob is one key, and its place is the whole blob."""
    blob = PRIVATE[form](key)
    data = b"\xee" * 11 + blob + b"\xee" * 3
    proved, public = find(data)
    assert isinstance(proved, Proved)
    assert isinstance(public, PublicKey)
    said = proved.candidate
    assert (said.fingerprint.value, said.encoding) == (key.spki_sha256, form)
    assert [(place.offset, place.size) for place in said.places] == [(11, len(blob))]
    assert public.witness.fingerprint.value == key.spki_sha256
    again = next(cng.examine(Bytes(data), 0, 11, RULES[0]))
    assert isinstance(again, Proved)


@pytest.mark.parametrize("form", ["BCRYPT RSA3", "CAPI PRIVATEKEYBLOB"])
def test_a_blob_that_the_region_cuts(form: str) -> None:
    """Where only what the primes give is cut, the key is found, and its place is what is there."""
    data = PRIVATE[form](RSA[0])[:-20]
    proved, public = find(data)
    assert isinstance(proved, Proved)
    assert isinstance(public, PublicKey)
    (place,) = proved.candidate.places
    assert (place.offset, place.size) == (0, len(data))


@pytest.mark.parametrize("form", PRIVATE)
def test_the_place_of_the_public_key_holds_no_private_number(form: str) -> None:
    """Every byte of it is in the public blob as well."""
    data = PRIVATE[form](RSA[0])
    _, public = find(data)
    assert isinstance(public, PublicKey)
    assert public.witness.place is not None
    size = public.witness.place.size
    modulus = RSA[0].n.to_bytes(RSA[0].n.bit_length() // 8, "big")
    assert data[:size].endswith((modulus, modulus[::-1]))
    assert public.witness.place.offset == 0


@pytest.mark.parametrize("key", CURVES, ids=lambda key: key.curve)
@pytest.mark.parametrize("magic", ["S", "K", "generic"])
def test_ecc_blobs(key: recipes.EcKey, magic: str) -> None:
    """A private ECC blob is a key, a public one a witness, for signatures and for agreement."""
    for private in (True, False):
        blob = containers.cng_ecc(key, private=private)
        if magic == "K":
            blob = b"ECK" + blob[3:]
        elif magic == "generic":
            blob = b"ECD" + (b"V" if private else b"P") + blob[4:]
        found = find(b"\xee" * 3 + blob)
        assert [isinstance(f, Proved) for f in found] == ([True, False] if private else [False])
        last = found[-1]
        assert isinstance(last, PublicKey)
        assert last.witness.fingerprint.value == key.spki_sha256


def test_a_blob_of_curve25519() -> None:
    """Its point has no y, and its numbers are in the order of RFC 7748."""
    key = recipes.okp_key("x25519")
    blob = b"ECKV" + (32).to_bytes(4, "little") + key.public + bytes(32) + key.seed
    found, public = find(bytes(8) + blob + bytes(8))
    assert isinstance(found, Proved)
    assert isinstance(public, PublicKey)
    assert found.candidate.fingerprint.value == key.spki_sha256 == public.witness.fingerprint.value
    assert found.candidate.places[0].size == len(blob)
    assert not any(isinstance(one, Proved) for one in find(blob[:-2] + b"\xff" + blob[-1:]))


@pytest.mark.parametrize("form", [containers.cng_rsa1, containers.capi_public])
def test_public_rsa_blobs(form: object) -> None:
    """A public blob is a witness and no finding."""
    assert callable(form)
    (found,) = find(form(RSA[1]))
    assert isinstance(found, PublicKey)
    assert found.witness.fingerprint.value == RSA[1].spki_sha256


def test_a_blob_that_lost_its_first_words() -> None:
    """RSAPUBKEY is found without the PUBLICKEYSTRUC before it."""
    blob = encodings.capi_blob(RSA[0])
    proved, _ = find(bytes(8) + blob[8:])
    assert isinstance(proved, Proved)
    assert proved.candidate.places[0].offset == 8


@pytest.mark.parametrize("form", sorted(PRIVATE))
def test_a_flipped_bit_proves_nothing(form: str) -> None:
    """With a bit of n, p or q flipped there is no private key."""
    blob = PRIVATE[form](RSA[0])
    for at in (40, 40 + 128, 40 + 192):
        broken = bytearray(blob)
        broken[at] ^= 4
        assert not [f for f in find(bytes(broken)) if isinstance(f, Proved)]


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([b"RSA1", b"RSA2", b"RSA3", b"ECS2", b"ECK1", b"ECDV", b"ECKP"]),
    st.lists(st.sampled_from([0, 1, 3, 32, 48, 66, 128, 256, 2048, 65537, 2**32 - 1]), max_size=6),
    st.binary(max_size=300),
)
def test_arbitrary_bytes_raise_nothing(magic: bytes, words: list[int], noise: bytes) -> None:
    """Whatever a header says, nothing is raised."""
    data = magic + b"".join(struct.pack("<I", word) for word in words) + noise
    for prefix in (b"", b"\x07\2\0\0\0\xa4\0\0"):
        for offset in (0, len(prefix)):
            found = list(cng.examine(Bytes(prefix + data), 0, offset, RULES[0]))
            assert not [f for f in found if isinstance(f, Proved)]
