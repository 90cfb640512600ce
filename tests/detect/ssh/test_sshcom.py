"""Private keys in the format of ssh.com, as text and as they are in it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, sealed
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.ssh import sshcom
from scanner.model import Confidence
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "sshcom")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
KEY = keys.rsa_key(1024)


def find(data: bytes) -> list[Proved]:
    """Run the rule over the bytes."""
    return [
        found
        for rule, offset in SWEEPER.sweep(data)
        for found in sshcom.examine(Bytes(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("width", [1, 2])
def test_a_text(end: bytes, width: int) -> None:
    """In either width, with either line end, at its place: proved by its numbers."""
    text = sealed.sshcom_text(KEY, end=end)
    data = text if width == 1 else encodings.utf16(text)
    (found,) = find(b"\xfe" * 9 + data + b"\xfe" * 9)
    assert found.candidate.fingerprint.value == KEY.spki_sha256
    assert (found.candidate.confidence, found.candidate.proof) == (Confidence.PROOF, "p*q = n")
    (place,) = found.candidate.places
    assert (place.offset, place.size) == (9, len(data) - len(end) * width)
    whole = Bytes(b"\xfe" * 9 + data + b"\xfe" * 9)
    (again,) = sshcom.examine(whole, 0, place.offset, RULES[0])
    assert again.candidate == found.candidate


def test_the_object_alone() -> None:
    """What the text was decoded to is found by its magic number."""
    data = sealed.sshcom(KEY)
    (found,) = find(bytes(5) + data + bytes(5))
    assert found.candidate.fingerprint.value == KEY.spki_sha256
    assert (found.candidate.places[0].offset, found.candidate.places[0].size) == (5, len(data))
    for at in (8, len(data) - 220, len(data) - 80, len(data) - 5):  # a length, n, q and p
        assert find(data[:at] + bytes((data[at] ^ 4,)) + data[at + 1 :]) == []
    assert find(data[:-1]) == []
    assert find(sealed.sshcom(KEY, b"3des-cbc")) == []


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=300), behind=st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing(data: bytes, behind: bytes) -> None:
    """Whatever follows the anchors, nothing is raised."""
    assert find(sshcom.MAGIC + b"\0\0\1" + data) == []
    assert find(b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n" + behind) == []


@pytest.mark.skipif(shutil.which("puttygen") is None, reason="puttygen is not installed")
@pytest.mark.parametrize("kind", ["rsa", "dsa"])
def test_what_puttygen_writes(tmp_path: Path, kind: str) -> None:
    """Another writer's files are read, and named as its public half is."""
    made = tmp_path / "key"
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    how = ["-t", kind, "-b", "1024", "-O", "private-sshcom", "-o", made, "--new-passphrase", empty]
    subprocess.run(["puttygen", "-q", *how], check=True, capture_output=True, timeout=60)
    (found,) = find(bytes(9) + made.read_bytes() + bytes(9))
    assert found.candidate.algorithm == kind
    assert found.candidate.confidence is Confidence.PROOF
