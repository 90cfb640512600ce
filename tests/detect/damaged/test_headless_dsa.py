"""DSA keys in DER that lost its beginning."""

import functools
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from fixtures import noise
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless
from scanner.model import Confidence
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "headless")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
FORMS = {
    "PKCS8-DER (damaged)": (serialization.PrivateFormat.PKCS8, Confidence.STRUCTURE),
    "DSA-DER (damaged)": (serialization.PrivateFormat.TraditionalOpenSSL, Confidence.PROOF),
}
LOST = 16
"""Bytes that go when a block is freed: both forms keep p whole."""


TRIED = {
    (160, 1024): 700,
    (224, 1024): 1792,
    (256, 1024): 1058,
    (224, 2048): 602,
    (256, 2048): 710,
    (256, 3072): 856,
}
"""Cofactors that give no prime, by the bits of q and p: a search over them takes seconds."""


@functools.cache
def key(bits: int, size: int = 1024) -> dsa.DSAPrivateKey:
    """Return a key of ``size`` bits with an order of ``bits``, behind fixed numbers."""
    q = int.from_bytes(noise.uniform(bits // 8, 2), "big") | 1 << bits - 1 | 1
    while pow(2, q - 1, q) != 1:
        q += 2
    k = int.from_bytes(noise.uniform((size - bits) // 8, 1), "big") | 3 << size - 2 - bits
    k = (k & ~1) + TRIED.get((bits, size), 0)
    while (k * q + 1).bit_length() != size or pow(2, k * q, k * q + 1) != 1:
        k += 2
    group = dsa.DSAParameterNumbers(k * q + 1, q, pow(2, k, k * q + 1))
    x = int.from_bytes(noise.uniform(bits // 8, 5), "big") >> 1
    public = dsa.DSAPublicNumbers(pow(group.g, x, group.p), group)
    return dsa.DSAPrivateNumbers(x, public).private_key()


def written(bits: int, encoding: str, size: int = 1024) -> bytes:
    """Write a key."""
    form, _ = FORMS[encoding]
    plain = serialization.NoEncryption()
    return key(bits, size).private_bytes(serialization.Encoding.DER, form, plain)


def named(bits: int, size: int = 1024) -> str:
    """Return the fingerprint of a key."""
    spki = (
        key(bits, size)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return hashlib.sha256(spki).hexdigest()


def overwritten(bits: int, size: int, encoding: str, lost: int) -> tuple[bytearray, int]:
    """Write zeros over a key up to byte ``lost`` of p, and say where q begins."""
    whole = bytearray(written(bits, encoding, size))
    p = key(bits, size).private_numbers().public_numbers.parameter_numbers.p.to_bytes(size // 8)
    at = whole.index(p)
    whole[: at + lost] = bytes(at + lost)
    return whole, at + len(p)


def found(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        proved
        for _, offset in SWEEPER.sweep(data)
        for proved in headless.examine(Bytes(data), 0, offset, RULE)
    ]


@pytest.mark.parametrize("encoding", FORMS)
@pytest.mark.parametrize("bits", [160, 256])
def test_what_stands_from_p_on_is_a_key(bits: int, encoding: str) -> None:
    """An order of any size, either form: the key is named; y alone makes a proof of it."""
    whole = written(bits, encoding)
    lost = whole.index(b"\x02\x81\x81\x00") if "PKCS8" in encoding else LOST // 2 - 1
    (only,) = found(bytes(64) + whole[lost:] + bytes(64))
    said = only.candidate
    assert said.fingerprint.value == named(bits)
    assert (said.encoding, said.confidence) == (encoding, FORMS[encoding][1])


@pytest.mark.parametrize("encoding", FORMS)
def test_whole_objects_are_left_to_others(encoding: str) -> None:
    """What another rule reads is not told twice."""
    assert found(bytes(64) + written(160, encoding) + bytes(64)) == []


@pytest.mark.parametrize("encoding", FORMS)
def test_one_bit_decides(encoding: str) -> None:
    """A group or a public number that does not close is no key."""
    whole = bytearray(written(160, encoding)[LOST // 2 - 1 :])
    p = whole.index(b"\x02\x81\x81\x00")
    for at in (p + 40, len(whole) - 60, p + 145):
        damaged = bytes(whole[p:at]) + bytes((whole[at] ^ 1,)) + bytes(whole[at + 1 :])
        assert found(bytes(64) + damaged + bytes(64)) == []


@pytest.mark.parametrize("encoding", FORMS)
@pytest.mark.parametrize(("bits", "size"), [(160, 1024), (224, 2048), (256, 2048)])
def test_the_first_bytes_of_p_follow_from_q(bits: int, size: int, encoding: str) -> None:
    """Seen in LibTomCrypt and Crypto++: up to the bytes of q are gone of p, but not one more."""
    for lost in (1, 4, 20, bits // 8):
        data, _ = overwritten(bits, size, encoding, lost)
        (only,) = found(bytes(384) + data + bytes(64))
        assert only.candidate.fingerprint.value == named(bits, size)
        assert (only.candidate.encoding, only.candidate.confidence) == (
            encoding,
            FORMS[encoding][1],
        )
    data, _ = overwritten(bits, size, encoding, bits // 8 + 1)
    assert found(bytes(384) + data + bytes(64)) == []


@pytest.mark.parametrize("encoding", FORMS)
def test_one_bit_decides_without_the_first_bytes_of_p(encoding: str) -> None:
    """With a bit of the rest of p, of q or of g flipped, the group does not close."""
    for shift in (-60, -1, 20, 90):
        data, q = overwritten(256, 2048, encoding, 20)
        data[q + shift] ^= 4
        assert found(bytes(384) + data + bytes(64)) == []
