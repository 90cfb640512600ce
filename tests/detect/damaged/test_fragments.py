"""Key files of which the end is gone."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import containers, elfcore, encodings, noise
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.damaged import fragments
from scanner.detect.locked.sealed import Sealed
from scanner.detect.texts.encoded import Decoded
from scanner.model import Confidence, Verdict
from tests.detect.damaged.test_headless_dsa import key as dsa_key
from tests.engine.test_scanning import report_bytes

(RULE,) = (rule for rule in rules.load() if rule.detector == "fragment")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors((RULE,)))
RSA, EC, ED = recipes.rsa_key(2048), recipes.ec_key("P-384"), recipes.okp_key("ed25519")

# A text, and how many bytes of what is in it prove the key, or derive it.
FORMS = {
    "PKCS#1": (RSA, encodings.pkcs1_pem(RSA), 4 + 3 + 4 + 257 + 5 + 4 + 256),
    "PKCS#8": (RSA, encodings.pkcs8_pem(RSA), 26 + 4 + 3 + 4 + 257 + 5 + 4 + 256),
    "SEC1": (EC, encodings.sec1_pem(EC), 3 + 3 + 2 + 48),
    "PKCS#8, EC": (EC, encodings.pkcs8_pem(EC), 3 + 3 + 18 + 3 + 3 + 3 + 2 + 48),
    "OpenSSH, Ed25519": (ED, encodings.openssh_pem(ED), 98 + 8 + 15 + 36 + 4 + 32),
}


def find(data: bytes) -> list[Proved | Sealed]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in fragments.examine(Decoded(data), 0, offset, RULE)
    ]


def body(text: bytes) -> bytes:
    """Return what the text holds in base64."""
    return base64.b64decode(b"".join(text.splitlines()[1:-1]))


def cut_to(text: bytes, size: int) -> bytes:
    """Return the text up to the character that completes so many bytes."""
    left, at = -(-size * 8 // 6), text.index(b"\n") + 1
    while left:
        left -= text[at : at + 1] != b"\n"
        at += 1
    return text[:at]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
def test_what_is_left_proves_a_key_or_has_its_shape(form: str, codec: str) -> None:
    """The last byte of the number that proves the key decides; a shape never names a key."""
    key, text, enough = FORMS[form]
    total = len(body(text))
    for left in (enough - 20, enough - 1, enough, enough + 1, total - 2):
        data = cut_to(text, left).decode().encode(codec) + bytes(4)
        (found,) = find(data)
        said = found.candidate
        assert f"of {total} bytes" in said.encoding
        (place,) = said.places
        assert (place.offset, place.offset + place.size) == (0, len(data) - 4)
        assert isinstance(found, Proved) == (left >= enough) == (said.confidence > Confidence.SHAPE)
        if left >= enough:
            assert said.fingerprint.value == key.spki_sha256


@pytest.mark.parametrize("form", FORMS)
def test_whole_files_and_few_bytes_are_none(form: str) -> None:
    """What others find whole, and an example in a manual, are not told."""
    _, text, _ = FORMS[form]
    assert find(text) == find(text + noise.text(200)) == find(text[: text.index(b"\n") + 20]) == []


def test_a_whole_key_on_a_curve_that_is_not_read() -> None:
    """A key on P-192, seen in GnuTLS's self-tests, is whole: nothing of it is gone."""
    number = int.from_bytes(noise.uniform(23, 1), "big")
    text = ec.derive_private_key(number, ec.SECP192R1()).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    assert find(text) == []


def test_the_curve_behind_a_scalar_is_believed() -> None:
    """Of a file whose point is cut, the curve is the one that is named, not the usual one."""
    key = recipes.ec_key("secp256k1")
    text = encodings.sec1_pem(key)
    (found,) = find(cut_to(text, len(body(text)) - 40) + b"\0")
    assert found.candidate.fingerprint.value == key.spki_sha256


def test_a_file_that_was_written_over() -> None:
    """What stands before the overwritten text counts; a file with a broken number is damaged."""
    _, text, enough = FORMS["PKCS#1"]
    (found,) = find(cut_to(text, enough + 90) + b"\0\0garbage" + text[-300:])
    assert isinstance(found, Proved)
    broken = text.replace(text[300:304], b"AAAA")
    (found,) = find(broken)
    assert isinstance(found, Proved)  # n is wrong, and the other numbers prove each other
    assert found.candidate.fingerprint.value == RSA.spki_sha256
    assert found.candidate.encoding == "PKCS1-PEM, damaged"


DER = {
    "PKCS1-DER": (RSA, encodings.pkcs1_der(RSA), 4 + 3 + 4 + 257 + 5, 4 + 256),
    "PKCS8-DER": (RSA, encodings.pkcs8_der(RSA), 26 + 4 + 3 + 4 + 257 + 5, 4 + 256),
    "SEC1-DER": (EC, encodings.sec1_der(EC), 3 + 3, 2 + 48),
    "PKCS8-DER, EC": (EC, encodings.pkcs8_der(EC), 3 + 3 + 18 + 3 + 3 + 3, 2 + 48),
}


@pytest.mark.parametrize("form", DER)
def test_der_in_which_the_memory_ends(form: str) -> None:
    """The first private number decides; where none of it is left, nothing is said."""
    _, der, start, size = DER[form]
    for left in (start + 40, start + size - 1, start + size, len(der) - 2):
        (found,) = find(noise.uniform(300, 1) + der[:left])
        said = found.candidate
        assert said.encoding.startswith(f"{form[:9].rstrip(',')}, {left} of {len(der)} bytes")
        assert [(p.offset, p.size) for p in said.places] == [(300, left)]
        assert isinstance(found, Proved) == (left >= start + size)
        assert (said.confidence > Confidence.SHAPE) == (left >= start + size)
    assert find(der) == find(der + bytes(9)) == find(der[: start + 10]) == []


def test_der_that_was_written_over() -> None:
    """Behind a whole modulus and exponent, the beginning of d is a fragment; a scalar is none."""
    for key, der, start, size in DER.values():
        seen = find(der[: start + size // 2] + bytes(len(der) - start - size // 2) + bytes(99))
        assert [f.candidate.confidence for f in seen] == [Confidence.SHAPE] * (key is RSA)
        assert find(der[: start + 6] + bytes(2000)) == []


def test_der_whose_numbers_are_whole_and_no_key() -> None:
    """Seen as a decoy: every number is there, and p*q is not n."""
    other = encodings.pkcs1_der(RSA)
    for number in (RSA.d, RSA.p, RSA.q, RSA.dp, RSA.dq, RSA.qinv):
        size = (number.bit_length() + 7) // 8
        other = other.replace(number.to_bytes(size, "big"), (number ^ 6).to_bytes(size, "big"))
    assert find(other) == find(other + bytes(50)) == []
    assert [f.candidate.confidence for f in find(other[:600])] == [Confidence.SHAPE]


def test_openssh_in_binary() -> None:
    """A file in which the memory ends is proved by its d or its seed."""
    for key in (RSA, ED):
        data = containers.openssh_file(key)
        for left in (len(data) * 3 // 5, len(data) - 12):
            (found,) = find(data[:left])
            assert isinstance(found, Proved) == (left == len(data) - 12)
            assert found.candidate.encoding.startswith(f"OPENSSH, {left} of ")
        assert find(data) == find(data + noise.uniform(99, 1)) == []


def test_dsa() -> None:
    """Of a DSA key the exponent is the last number: a cut file has the shape of a key."""
    key = dsa_key(160)
    for form in (PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8):
        text = key.private_bytes(Encoding.PEM, form, NoEncryption())
        (found,) = find(text[: text.index(b"\n-----END") - 9])
        said = found.candidate
        assert (said.algorithm, said.confidence) == ("dsa", Confidence.SHAPE)
        assert find(text) == []


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(DER)), st.integers(0, 1300), st.binary(max_size=120))
def test_arbitrary_der(form: str, cut: int, more: bytes) -> None:
    """Whatever follows, no other key is said, and nothing is raised."""
    key, der, _, _ = DER[form]
    names = {found.candidate.fingerprint.value for found in find(der[:cut] + more)}
    assert len(names - {"", key.spki_sha256}) <= (form.endswith("EC") or form.startswith("SEC1"))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.integers(0, 700), st.binary(max_size=120))
def test_arbitrary_contents_raise_nothing(form: str, cut: int, more: bytes) -> None:
    """Whatever the base64 goes on with, at most one thing is said."""
    data = body(FORMS[form][1])[:cut] + more
    text = FORMS[form][1].splitlines(keepends=True)[0] + base64.b64encode(data)
    assert len(find(text)) <= 1


@pytest.mark.parametrize(
    ("left", "verdict", "rule"),
    [(0.9, Verdict.BLOCKED, "headless-text"), (0.3, Verdict.PASS, "private-key-fragment")],
    ids=["enough", "less"],
)
def test_a_region_that_ends_in_a_key(
    tmp_path: Path, left: float, verdict: Verdict, rule: str
) -> None:
    """A core whose region ends in the midst of a key is blocked where that is as good as whole."""
    text = encodings.pkcs1_pem(RSA)
    data = noise.text(3000, 1) + b"\0" + text[: int(len(text) * left)]
    core = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data
    found = report_bytes(core, tmp_path)
    assert (found.verdict, [f.rule for f in found.findings]) == (verdict, [rule])
