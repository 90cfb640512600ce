"""Certificates and public keys, whole and odd."""

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import described, encodings
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1 import der, x509
from scanner.model import Place
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "x509")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))

SIGNING = [
    *(recipes.rsa_key(bits) for bits in (1024, 2048, 4096)),
    *(recipes.ec_key(curve) for curve in recipes.CURVES),
    *(recipes.okp_key(name) for name in ("ed25519", "ed448")),
]
KEYS = [
    *SIGNING,
    recipes.rsa_key(512),
    recipes.rsa_key(1032),
    recipes.rsa_key(2048, e=3),
    *(recipes.okp_key(name) for name in ("x25519", "x448")),
]


def find(data: bytes) -> list[x509.PublicKey]:
    """Run the rules over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in x509.examine(Bytes(data), 0, offset, RULES[rule])
    ]


def _agrees(found: x509.PublicKey, key: recipes.Key) -> bool:
    match key:
        case recipes.RsaKey():
            return (found.algorithm, found.n, found.e) == ("rsa", key.n, key.e)
        case recipes.EcKey():
            return (found.curve, found.x, found.y) == (key.curve, key.x, key.y)
        case recipes.OkpKey():
            return (found.algorithm, found.raw) == (key.algorithm, key.public)


@pytest.mark.parametrize("key", KEYS)
def test_public_keys_are_read(key: recipes.Key) -> None:
    """A SubjectPublicKeyInfo gives its numbers, its name and its place."""
    spki = encodings.spki_der(key)
    [found] = find(b"\x30\x81" * 9 + spki + b"\x30" * 9)
    assert _agrees(found, key)
    assert found.witness.kind == "public-key"
    assert found.witness.fingerprint.value == key.spki_sha256
    assert found.witness.place == Place(space=0, offset=18, size=len(spki))


@pytest.mark.parametrize("lost", [4, 8, 16, 22])
@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
def test_an_rsa_key_outlives_the_head_of_its_spki(bits: int, lost: int) -> None:
    """What an allocator took back is gone; what is left says n and e, and no other number does."""
    key = recipes.rsa_key(bits)
    spki = encodings.spki_der(key)
    inner = spki[22 if bits == 1024 else 24 :]
    [found] = find(bytes(32) + b"\x55" * lost + spki[lost:])
    assert _agrees(found, key)
    assert found.witness.place == Place(
        space=0, offset=32 + len(spki) - len(inner), size=len(inner)
    )
    assert find(bytes(32) + inner[:-1]) == []
    assert find(bytes(32) + inner[:-1] + b"\0") == []


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("curve", described.CURVES)
def test_a_curve_that_is_described_instead_of_named(curve: str, compressed: bool) -> None:
    """The key is the same as that of a curve that is named."""
    key = recipes.ec_key(curve)
    data = described.spki_der(key, compressed=compressed)
    [found] = find(bytes(7) + data)
    assert _agrees(found, key)
    assert found.witness.fingerprint.value == key.spki_sha256
    assert found.witness.place == Place(space=0, offset=7, size=len(data))


@pytest.mark.parametrize("key", SIGNING)
def test_certificates_name_their_key(key: recipes.Key) -> None:
    """A certificate gives its key, its subject, its serial number and its expiry."""
    data = encodings.certificate_der(key, common_name="host, one", serial=0xABC, expired=True)
    found = {each.witness.kind: each for each in find(bytes(5) + data)}
    assert set(found) == {"certificate", "public-key"}
    certificate = found["certificate"]
    assert _agrees(certificate, key)
    assert not certificate.witness.subject
    witness = x509.labelled(certificate).witness
    assert witness.fingerprint.value == key.spki_sha256
    assert (witness.subject, witness.serial) == (r"CN=host\, one", "abc")
    assert witness.not_after == encodings.EXPIRED_AT.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert witness.place == Place(space=0, offset=5, size=len(data))


def _signed_part(data: bytes) -> bytes:
    return der.Reader(data).enter().element()


def test_a_certificate_without_its_signature_is_named_too() -> None:
    """The signed part alone, which OpenSSL keeps of each certificate, gives the same labels."""
    key = SIGNING[0]
    whole = encodings.certificate_der(key)
    part = _signed_part(whole)
    one, two = (
        x509.labelled(found)
        for data in (part, whole)
        for found in find(data)
        if found.witness.kind == "certificate"
    )
    assert one.witness.subject
    assert (one.witness.subject, one.witness.not_after) == (
        two.witness.subject,
        two.witness.not_after,
    )
    assert one.witness.place == Place(space=0, offset=0, size=len(part))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x02\x01\x07", b"\x02\x01\x87"),  # a negative serial number
        (b"490101000000Z", b"491301000000Z"),  # the thirteenth month
        (b"490101000000Z", b"4901010000000"),
        (b"throwaway.example", b"throwaway\xff\xfe\0\1\2\3\4\5"),  # no UTF-8
        (b"\x06\x03\x55\x04\x03", b"\x06\x03\x80\x04\x03"),  # no object identifier
    ],
)
def test_odd_certificates_still_give_their_key(old: bytes, new: bytes) -> None:
    """What a foreign parser dislikes costs labels, not the key; and nothing is warned of."""
    key = SIGNING[0]
    data = encodings.certificate_der(key)
    assert old in data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [x509.labelled(each) for each in find(data.replace(old, new))]
    kinds = [each.witness.kind for each in found if _agrees(each, key)]
    assert "certificate" in kinds


@pytest.mark.parametrize("key", KEYS)
def test_a_cut_public_key_is_nothing(key: recipes.Key) -> None:
    """Without its last byte it is none."""
    assert find(encodings.spki_der(key)[:-1]) == []


def test_a_cut_certificate_gives_what_is_left() -> None:
    """The signed part of a certificate whose end is missing still names its key."""
    data = encodings.certificate_der(SIGNING[0])
    assert {each.witness.kind for each in find(data[:-1])} == {"certificate", "public-key"}
    assert find(data[:100]) == []


def test_points_lie_on_their_curve() -> None:
    """A point beside the curve is no public key; a compressed one is."""
    for key in SIGNING:
        if isinstance(key, recipes.EcKey):
            spki = bytearray(encodings.spki_der(key))
            spki[-1] ^= 1
            assert find(bytes(spki)) == []
            algorithm = der.Reader(bytes(spki)).enter().element()
            point = bytes((2 + key.y % 2,)) + key.x.to_bytes(key.field_bytes, "big")
            body = algorithm + der.write(der.BIT_STRING, b"\0" + point)
            [found] = find(der.write(der.SEQUENCE, body))
            assert found.witness.fingerprint.value == key.spki_sha256


def test_private_keys_are_not_public_ones() -> None:
    """The algorithm of a PKCS#8 object makes no SubjectPublicKeyInfo of it."""
    for key in KEYS:
        assert find(encodings.pkcs8_der(key)) == []


def test_the_largest_signed_part_is_bounded() -> None:
    """A signed part that leaves no room for a certificate around it is nothing."""
    part = _signed_part(encodings.certificate_der(SIGNING[0]))
    content = part[4:]
    padded = der.write(0x0C, bytes(der.LIMIT - 8 - len(content)))
    assert x509.from_signed_part(der.write(der.SEQUENCE, content + padded)) is None


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SIGNING), st.data())
def test_damage_raises_nothing(key: recipes.Key, draw: st.DataObject) -> None:
    """A certificate with a few bytes overwritten gives a key or none, and no exception."""
    data = bytearray(encodings.certificate_der(key))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    for found in find(bytes(data)):
        assert found.bits > 0


@settings(max_examples=30)
@given(st.binary(max_size=100))
def test_random_bytes_are_nothing(data: bytes) -> None:
    """No key is read from noise."""
    assert find(data) == []
    assert find(bytes.fromhex("30820100 30820080 a003020102020101") + data) == []
    assert x509.from_spki(data) is None
    assert x509.from_certificate(data) is None
    assert x509.from_signed_part(data) is None
