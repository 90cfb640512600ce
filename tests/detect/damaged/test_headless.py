"""Private keys in DER that lost its beginning."""

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, encodings
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import headless
from scanner.model import Confidence
from tests.detect.one_space import Bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "headless")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
RSA = [
    *(recipes.rsa_key(bits) for bits in recipes.RSA_SIZES),
    recipes.rsa_key(2048, e=3),
    recipes.rsa_key(2048, e=17),
]
CURVES = [recipes.ec_key(curve) for curve in recipes.CURVES]


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in headless.examine(Bytes(data), 0, offset, RULE)
    ]


def starts(key: recipes.RsaKey) -> dict[str, int]:
    """Return where in the PKCS#1 form each number's INTEGER begins."""
    values = {"n": key.n, "e": key.e} | key.private_values()
    at, found = 7, {}
    for name, value in values.items():
        found[name] = at
        size = value.bit_length() // 8 + 1
        at += size + (2 if size < 128 else 3 if size < 256 else 4)
    form = encodings.pkcs1_der(key)
    shift = len(form) - at
    return {name: start + shift for name, start in found.items()}


@pytest.mark.parametrize("key", RSA, ids=lambda key: f"{key.bits}-{key.e}")
@pytest.mark.parametrize("left", ["e", "d", "p", "q", "dp"])
@pytest.mark.parametrize("extra", [0, 40])
def test_rsa_whatever_the_allocator_took(key: recipes.RsaKey, left: str, extra: int) -> None:
    """From any number on, and with part of the one before, the key is found once and proved."""
    form = encodings.pkcs1_der(key)
    cut = starts(key)[left] - extra
    data = b"\xaa" * 33 + bytes(cut) + form[cut:] + b"\x99" * 50
    found = find(data)
    assert [f.candidate.fingerprint.value for f in found] == [key.spki_sha256]
    said = found[0].candidate
    assert said.confidence is Confidence.PROOF
    assert said.encoding == "PKCS1-DER (damaged)"
    (place,) = said.places
    assert place.offset + place.size == 33 + len(form)
    assert 33 + cut <= place.offset <= 33 + starts(key)[left]
    (again,) = headless.examine(Bytes(data), 0, place.offset, RULE)
    assert again.candidate.fingerprint == said.fingerprint


@pytest.mark.parametrize("key", RSA, ids=lambda key: f"{key.bits}-{key.e}")
@pytest.mark.parametrize(("left", "gone"), [("p", "dq"), ("q", "qinv")])
def test_rsa_of_which_both_ends_are_gone(key: recipes.RsaKey, left: str, gone: str) -> None:
    """Where one prime alone has its exponent, it proves it, and the other has to be prime."""
    form, at = encodings.pkcs1_der(key), starts(key)
    piece = form[at[left] - 40 : at[gone] + 40]
    for data in (bytes(33) + piece + bytes(500), bytes(33) + piece[:-40] + b"\x99" * 50):
        assert {f.candidate.fingerprint.value for f in find(data)} == {key.spki_sha256}
    other = bytearray(bytes(33) + piece + bytes(500))
    other[33 + 40 + 40] ^= 4
    assert find(bytes(other)) == []


def test_exponents_without_their_highest_bits() -> None:
    """Where dp, dq and qinv alone are left, none of them needs a byte of zeros before it."""
    made = recipes.rsa_key(2048, label="other")
    key = replace(made, p=made.q, q=made.p)
    assert max(value.bit_length() for value in (key.dp, key.dq, key.qinv)) < 1024
    form = encodings.pkcs1_der(key)
    for cut in (starts(key)["q"] + 20, starts(key)["dp"] - 1):
        found = find(bytes(64) + form[cut:] + bytes(64))
        assert {f.candidate.fingerprint.value for f in found} == {key.spki_sha256}


@pytest.mark.parametrize("left", ["d", "p", "q", "dp", "dq"])
def test_rsa_without_its_end(left: str) -> None:
    """Where the end is gone, n, e and d are enough, and so is whatever more is left."""
    key = recipes.rsa_key(1024)
    form, where = encodings.pkcs1_der(key), starts(key)
    ends = dict(zip(where, [*list(where.values())[1:], len(form)], strict=True))
    found = find(bytes(4) + form[where["n"] : ends[left]] + b"\xff" * 400)
    assert [f.candidate.fingerprint.value for f in found] == [key.spki_sha256]


@pytest.mark.parametrize("key", [*RSA, *CURVES], ids=lambda key: key.spki_sha256[:8])
@pytest.mark.parametrize("lost", [16, 32])
def test_freed_pkcs8(key: recipes.Key, lost: int) -> None:
    """A freed PKCS#8 buffer is found, unless what is left is whole (another rule finds that)."""
    data = b"\x42" * 9 + containers.headless(key, lost) + b"\x42" * 70
    found = [f.candidate.fingerprint.value for f in find(data)]
    assert found == ([key.spki_sha256] if lost == 32 else [])


@pytest.mark.parametrize("algorithm", ["ed25519", "x25519"])
def test_freed_seed(algorithm: str) -> None:
    """A seed whose header is gone is proved by the public key behind it."""
    key = recipes.okp_key(algorithm)
    (found,) = find(bytes(3) + containers.headless(key, 16) + bytes(64))
    assert found.candidate.fingerprint.value == key.spki_sha256
    place = found.candidate.places[0]
    assert place.offset == 19
    data = bytes(3) + containers.headless(key, 16) + bytes(64)
    assert next(headless.examine(Bytes(data), 0, 19, RULE)).candidate == found.candidate


@pytest.mark.parametrize("key", CURVES, ids=lambda key: key.curve)
def test_sec1_without_its_header(key: recipes.EcKey) -> None:
    """A scalar, its parameters and its point are found from the scalar on."""
    form = encodings.sec1_der(key)
    at = form.index(key.d.to_bytes(key.field_bytes, "big"))
    found = find(bytes(40) + form[at:] + bytes(9))
    assert [f.candidate.fingerprint.value for f in found] == [key.spki_sha256]
    assert found[0].candidate.places[0].offset == 40


@pytest.mark.parametrize("key", CURVES, ids=lambda key: key.curve)
@pytest.mark.parametrize("wiped", [0, 8])
def test_a_point_that_was_wiped(key: recipes.EcKey, wiped: int) -> None:
    """A scalar between its header and that of a wiped point is a key without proof."""
    form = encodings.pkcs8_der(key)
    at = form.index(encodings.public_point(key)) + 1 + wiped
    data = b"\x42" * 30 + form[:at] + bytes(len(form) - at) + bytes(80)
    (found,) = find(data)
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert found.candidate.confidence is Confidence.STRUCTURE
    (again,) = headless.examine(Bytes(data), 0, found.candidate.places[0].offset, RULE)
    assert again.candidate == found.candidate


@pytest.mark.parametrize("wrong", ["scalar", "object", "header", "point"])
def test_a_wiped_point_beside_no_scalar(wrong: str) -> None:
    """Without header, or with a constant for a scalar, or another's point, nothing is found.

    Nor where an object took the place of the scalar's first 24 bytes: seen in Deno.
    """
    key, other = recipes.ec_key("P-256"), recipes.ec_key("secp256k1")
    form = encodings.pkcs8_der(key)
    raw, point = key.d.to_bytes(32, "big"), encodings.public_point(key)
    if wrong != "point":
        form = form.replace(point[1:], bytes(64))
    data = {
        "scalar": form.replace(raw, b"\x41" * 32),
        "object": form.replace(raw, struct.pack("<3Q", 0xE15BE718AB, 0x55894CF9F940, 2) + raw[24:]),
        "header": form.replace(b"\x02\x01\x01\x04", b"\x02\x01\x02\x04"),
        "point": form.replace(raw, other.d.to_bytes(32, "big")),
    }[wrong]
    assert data != form
    assert find(bytes(30) + data + bytes(80)) == []


@pytest.mark.parametrize("key", [*RSA[:3], *CURVES], ids=lambda key: key.spki_sha256[:8])
def test_whole_and_public_objects_are_left_alone(key: recipes.Key) -> None:
    """What another rule finds, and what is public, gives nothing here."""
    forms = [encodings.pkcs8_der(key), encodings.spki_der(key), encodings.certificate_der(key)]
    forms.append(
        encodings.pkcs1_der(key) if isinstance(key, recipes.RsaKey) else encodings.sec1_der(key)
    )
    for form in forms:
        assert find(b"\x77" * 12 + form + b"\x77" * 200) == []


@pytest.mark.parametrize("written", [encodings.pkcs1_der, encodings.pkcs8_der])
def test_what_ends_as_a_number_before_a_whole_object(
    written: Callable[[recipes.RsaKey], bytes],
) -> None:
    """Its header is in that number, which is none. Found by a property test, in heap noise."""
    key = recipes.rsa_key(2048)
    form = written(key)
    version = form.index(encodings.pkcs1_der(key)) + 4
    lead = b"\x02\x7f" + b"\x11" * (0x7F - version)
    assert find(b"\x77" * 12 + lead + form + b"\x77" * 200) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 7), st.sampled_from(["p", "q", "dp", "dq"]), st.integers(8, 60))
def test_a_flipped_bit_is_never_another_key(bit: int, name: str, at: int) -> None:
    """One wrong bit leaves the same key, proved by the numbers that are right, or none."""
    key = recipes.rsa_key(1024)
    form = bytearray(encodings.pkcs1_der(key))
    form[starts(key)[name] + at] ^= 1 << bit
    for found in find(bytes(200) + bytes(form[starts(key)["e"] :])):
        assert found.candidate.fingerprint.value == key.spki_sha256


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["020301000102820101", "0241008f", "02818100ff", "a14403420004", "812100"]),
    st.lists(
        st.sampled_from([b"\x02\x01\x05", b"\x02\x81\x80", b"\x02\x82\x01\x00", b"\x02", b"\x8f"]),
        max_size=200,
    ),
    st.binary(max_size=300),
)
def test_arbitrary_bytes_raise_nothing(mark: str, pieces: list[bytes], noise: bytes) -> None:
    """Whatever stands around an anchor, nothing is found and nothing raised."""
    data = b"".join(pieces) + bytes.fromhex(mark) + noise + b"".join(pieces)
    for offset in (0, len(b"".join(pieces))):
        assert list(headless.examine(Bytes(data), 0, offset, RULE)) == []


def test_chains_without_end_are_bounded() -> None:
    """Memory that is nothing but INTEGERs is read as far as a key could reach."""
    data = (
        b"\x02\x01\x05" * 20_000 + b"\x02\x03\x01\x00\x01\x02\x82\x01\x01" + b"\x02\x01\x05" * 9000
    )
    for offset in range(59_000, 59_030, 3):
        assert list(headless.examine(Bytes(data), 0, offset, RULE)) == []
