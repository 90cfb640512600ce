"""Key files of which the end is gone."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import elfcore, encodings, noise
from fixtures import keys as recipes
from scanner import rules
from scanner.detect import anchors, fragments
from scanner.detect.encoded import Decoded
from scanner.detect.keys import Proved
from scanner.detect.sealed import Sealed
from scanner.model import Confidence, Verdict
from tests.test_engine import report_bytes

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


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.integers(0, 700), st.binary(max_size=120))
def test_arbitrary_contents_raise_nothing(form: str, cut: int, more: bytes) -> None:
    """Whatever the base64 goes on with, at most one thing is said."""
    data = body(FORMS[form][1])[:cut] + more
    text = FORMS[form][1].splitlines(keepends=True)[0] + base64.b64encode(data)
    assert len(find(text)) <= 1


@pytest.mark.parametrize(
    ("left", "verdict"), [(0.9, Verdict.BLOCKED), (0.3, Verdict.PASS)], ids=["enough", "less"]
)
def test_a_region_that_ends_in_a_key(tmp_path: Path, left: float, verdict: Verdict) -> None:
    """A core whose region ends in the midst of a key is blocked where that is as good as whole."""
    text = encodings.pkcs1_pem(RSA)
    data = noise.text(3000, 1) + b"\0" + text[: int(len(text) * left)]
    core = elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data
    found = report_bytes(core, tmp_path)
    assert (found.verdict, [f.rule for f in found.findings]) == (verdict, ["private-key-fragment"])
