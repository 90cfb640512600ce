"""Private keys under a label, with nothing but their bytes in base64."""

import base64
import hashlib
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise
from scanner import rules
from scanner.detect import anchors
from scanner.detect.algebra.material import Foreign
from scanner.detect.asn1.keys import Proved
from scanner.detect.texts import pem
from scanner.model import Confidence
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "pem")
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
ED, X, P256 = keys.okp_key("ed25519"), keys.okp_key("x25519"), keys.ec_key("P-256")
TEXTS = {
    "NEBULA ED25519 ": (ED, ED.seed + ED.public, Confidence.PROOF),
    "ED25519 ": (ED, ED.seed, Confidence.STRUCTURE),
    "NEBULA X25519 ": (X, X.seed, Confidence.STRUCTURE),
    "NEBULA ECDSA P256 ": (P256, P256.d.to_bytes(32, "big"), Confidence.STRUCTURE),
    "": (ED, ED.seed + ED.public, Confidence.PROOF),
}


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in pem.examine(Bytes(data), 0, offset, RULES[rule])
    ]


def written(label: str, raw: bytes, end: str = "\n", columns: int = 1000) -> bytes:
    """Return a text as Nebula's tools write it, or in lines of so many columns."""
    body = base64.b64encode(raw).decode()
    lines = (
        f"-----BEGIN {label}PRIVATE KEY-----",
        *(body[at : at + columns] for at in range(0, len(body), columns)),
    )
    return end.join((*lines, f"-----END {label}PRIVATE KEY-----", "")).encode()


@pytest.mark.parametrize("label", TEXTS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n"])
@pytest.mark.parametrize("width", [1, 2])
def test_the_label_says_what_the_bytes_are(label: str, end: str, width: int) -> None:
    """Found in either width, at its place, under the name of its public half."""
    key, raw, confidence = TEXTS[label]
    text = written(label, raw, end)
    data = text if width == 1 else encodings.utf16(text)
    (found,) = find(b"\xfe" * 9 + data + b"\xfe" * 9)
    assert found.candidate.fingerprint.value == key.spki_sha256
    assert found.candidate.confidence is confidence
    (place,) = found.candidate.places
    assert (place.offset, place.size) == (9, len(data) - len(end) * width)


def test_bytes_that_nothing_names() -> None:
    """32 bytes under a bare label are somebody's key: it is told without a name."""
    (found,) = find(written("", ED.seed))
    assert isinstance(found.material, Foreign)
    assert (found.candidate.algorithm, found.candidate.confidence) == (
        "unknown",
        Confidence.STRUCTURE,
    )


def expanded(key: keys.OkpKey) -> bytes:
    """Return a, the prefix and A of a seed (RFC 8032 5.1.5)."""
    whole = bytearray(hashlib.sha512(key.seed).digest())
    whole[0] &= 248
    whole[31] = whole[31] & 63 | 64
    return bytes(whole) + key.public


def lowest_first(raw: bytes) -> str:
    """Return base64 as tinc writes it: three bytes little-endian, the lowest bits first."""
    numbers = (int.from_bytes(raw[at : at + 3], "little") for at in range(0, len(raw), 3))
    return "".join(ALPHABET[number >> bit & 63] for number in numbers for bit in (0, 6, 12, 18))


def told(body: str, end: str = "\n") -> bytes:
    """Return a text of tinc 1.1 in lines of 64 characters."""
    mark = "ED25519 PRIVATE KEY-----"
    return end.join((f"-----BEGIN {mark}", body[:64], body[64:], f"-----END {mark}", "")).encode()


BODIES = {
    "lowest first": lowest_first(expanded(ED)),
    "base64": base64.b64encode(expanded(ED)).decode(),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("cut", [0, 16, 32, 36, 37], ids=lambda cut: f"{cut} gone")
@pytest.mark.parametrize("width", [1, 2])
def test_expanded_keys_prove_themselves(body: str, cut: int, width: int) -> None:
    """a*B = A, in either order of bits, without a BEGIN line and the first character too."""
    text = told(body) if width == 1 else encodings.utf16(told(body))
    data = bytes(8 + cut * width) + text[cut * width :] + bytes(9)
    (found,) = find(data)
    assert found.candidate.fingerprint.value == ED.spki_sha256
    assert (found.candidate.proof, found.candidate.confidence) == ("a*B = A", Confidence.PROOF)
    (place,) = found.candidate.places
    size = len(body) + 2 - (cut == 37) if cut else len(told(body)) - 1
    assert (place.offset, place.size) == (8 + (max(cut, 36) * width if cut else 0), size * width)


def test_expanded_keys_with_escaped_ends() -> None:
    """Line ends that are written out are none of the base64."""
    (found,) = find(told(BODIES["lowest first"], "\\n")[32:])
    assert found.candidate.fingerprint.value == ED.spki_sha256


def test_an_expanded_key_without_its_public_half() -> None:
    """It is what its label says, and nothing proves it."""
    (found,) = find(written("ED25519 ", expanded(ED)[:64]))
    assert found.candidate.fingerprint.value == ED.spki_sha256
    assert found.candidate.confidence is Confidence.STRUCTURE


@pytest.mark.parametrize("cut", [0, 37])
def test_an_expanded_key_with_another_public_half(cut: int) -> None:
    """It is of nobody whom anything here names; without its BEGIN line it is nothing."""
    raw = expanded(ED)[:64] + ED.public[::-1]
    found = find(bytes(cut) + told(lowest_first(raw))[cut:])
    assert [type(each.material) for each in found] == [Foreign] * (cut == 0)


@pytest.mark.parametrize("label", ["FOO ", "HSS LMS ", "ML-DSA-44 WITH P-256 PREVIEW "])
@pytest.mark.parametrize("end", ["\n", "\\r\\n"])
@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("size", [48, 64, 5000])
def test_a_label_that_nobody_knows(label: str, end: str, width: int, size: int) -> None:
    """What stands there is a key of an algorithm that the label may name, of any length."""
    text = written(label, noise.uniform(size), end, 64)
    data = text if width == 1 else encodings.utf16(text)
    (found,) = find(b"\xfe" * 9 + data + b"\xfe" * 9)
    assert isinstance(found.material, Foreign)
    assert found.candidate.confidence is Confidence.STRUCTURE
    (place,) = found.candidate.places
    assert (place.offset, place.size) == (9, len(data) - len(end) * width)


@pytest.mark.parametrize("label", ["FOO ", "NEBULA ED25519 "])
@pytest.mark.parametrize("columns", [64, 1000])
def test_as_long_as_a_seed_and_its_public_half(label: str, columns: int) -> None:
    """64 bytes that are no such pair had passed where they stood on one line."""
    (found,) = find(written(label, noise.uniform(64), "\n", columns))
    assert isinstance(found.material, Foreign)


@pytest.mark.parametrize("key", [keys.rsa_key(), P256, ED], ids=["rsa", "ec", "ed25519"])
def test_a_known_key_under_another_label(key: keys.RsaKey | keys.EcKey | keys.OkpKey) -> None:
    """The bytes say what they are: the label is no reason not to believe them."""
    (found,) = find(written("FOO ", encodings.pkcs8_der(key), "\n", 64))
    assert found.candidate.fingerprint.value == key.spki_sha256


@pytest.mark.parametrize(
    "text",
    [
        written("FOO ", bytes(64)),
        written("FOO ", noise.uniform(31)),
        written("FOO ", noise.uniform(64)).replace(b"-----END FOO", b"-----END BAR"),
        written("FOO ", noise.uniform(64)).partition(b"-----END")[0],
        written("FOO ENCRYPTED ", noise.uniform(64)),
        written("ENCRYPTED FOO ", noise.uniform(640)),
        written("TSS2 ", noise.uniform(640)),
        written("A B C D E ", noise.uniform(640)),
        b"-----BEGIN FOO PRIVATE KEY-----\nkeep it secret\n-----END FOO PRIVATE KEY-----\n",
        written("", bytes(32)),
        written("", ED.seed + ED.public[::-1]),
        written("", ED.seed[:31]),
        written("NEBULA ED25519 ENCRYPTED ", X.seed).replace(b"ED25519 ", b""),
        written("", ED.seed).replace(b"-----END", b"-----BEGIN"),
        written("", ED.seed).partition(b"-----END")[0],
        b"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    ],
)
def test_what_is_no_key(text: bytes) -> None:
    """Fillers, other halves, other lengths, what is encrypted, and text without its end."""
    assert find(bytes(9) + text + bytes(9)) == []


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=100), st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing(before: bytes, behind: bytes) -> None:
    """Whatever stands around the label, nothing is raised."""
    assert find(before + b"-----BEGIN PRIVATE KEY-----\n" + behind) == []
