"""PuTTY key files and PVK: read whole, proved by their blobs, or listed with their derivation."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, noise, sealed
from scanner import rules
from scanner.detect import encrypted
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import Proved
from scanner.detect.locked import pvk
from scanner.detect.locked.sealed import Sealed
from scanner.detect.ssh import putty
from scanner.model import Confidence
from tests.detect.one_space import Bytes

RULES = {rule.id: rule for rule in rules.load()}
KEYS = {
    "rsa": keys.rsa_key(2048),
    "p384": keys.ec_key("P-384"),
    "ed25519": keys.okp_key(),
    "ed448": keys.okp_key("ed448"),
}


def plain(data: bytes, at: int = 0) -> list[Proved | PublicKey]:
    """Examine an unencrypted file."""
    return list(putty.examine(Bytes(data), 0, at, RULES["putty-private-key"]))


def closed(data: bytes, at: int = 0) -> list[Sealed | PublicKey]:
    """Examine an encrypted file."""
    return list(encrypted.examine(Bytes(data), 0, at, RULES["encrypted-private-key"]))


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\\r\\n", "\\n", "\n    "])
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("name", KEYS)
def test_plain_files(name: str, version: int, end: str, codec: str) -> None:
    """Either version, whatever its line ends, is proved, located, and names its public half."""
    text = sealed.putty(KEYS[name], version).decode().rstrip().replace("\r\n", end).encode(codec)
    found, public = plain(b"\xfe" * 8 + text + b"\xfe" * 8, 8)
    assert isinstance(found, Proved)
    assert isinstance(public, PublicKey)
    said = found.candidate
    assert (said.fingerprint.value, said.confidence) == (KEYS[name].spki_sha256, Confidence.PROOF)
    assert (said.places[0].offset, said.places[0].size) == (8, len(text))
    assert "MAC" not in said.encoding
    assert public.witness.ssh_fingerprint.startswith("SHA256:")
    assert closed(text) == []


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("width", [1, 2])
def test_a_type_that_nobody_knows(version: int, width: int) -> None:
    """What its MAC seals as a key file is a key, of an algorithm yet to come."""
    kind = b"ssh-mldsa65@example.org"
    blob = len(kind).to_bytes(4, "big") + kind + noise.uniform(1952)
    text = sealed.putty_of(kind, blob, noise.uniform(36), version).rstrip()
    data = text if width == 1 else encodings.utf16(text)
    (found,) = plain(b"\xfe" * 8 + data + b"\xfe" * 8, 8)
    assert isinstance(found, Proved)
    assert (found.candidate.algorithm, found.candidate.confidence) == (
        "unknown",
        Confidence.STRUCTURE,
    )
    (place,) = found.candidate.places
    assert (place.offset, place.size) == (8, len(data))
    assert plain(text.replace(b"throwaway", b"throwawaz")) == []
    assert plain(text.replace(kind, b"ssh-ed25519")) == []


@pytest.mark.parametrize("version", [2, 3])
def test_a_mac_that_does_not_hold_is_said(version: int) -> None:
    """The blobs prove the key all the same: somebody changed the comment, not the key."""
    text = sealed.putty(KEYS["rsa"], version).replace(b"throwaway", b"throwawaz")
    found, _ = plain(text)
    assert isinstance(found, Proved)
    assert found.candidate.encoding == f"PuTTY-{version}, its MAC does not hold"


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("end", ["\r\n", "\\n"])
@pytest.mark.parametrize("lost", [8, 16, 24, 36])
@pytest.mark.parametrize("name", KEYS)
def test_a_freed_file(name: str, lost: int, end: str, codec: str) -> None:
    """An allocator took the first bytes: the halves prove each other, once, where they stand."""
    whole = sealed.putty(KEYS[name]).decode().rstrip().replace("\r\n", end)
    text = whole.encode(codec)
    data = b"\xfe" * 8 + bytes(lost) + text[lost:] + b"\xfe" * 8
    at, start = (data.find(line.encode(codec)) for line in ("Private-Lines: ", "Public-Lines: "))
    for anchor in (at, start):
        found, public = plain(data, anchor)
        assert isinstance(found, Proved)
        assert isinstance(public, PublicKey)
        said = found.candidate
        assert said.fingerprint.value == KEYS[name].spki_sha256
        assert said.encoding.startswith("PuTTY (damaged)")
        (place,) = said.places
        assert (place.offset, place.size) == (start, len(data) - 8 - start)
    assert plain(b"\xfe" * 8 + text, at) == []
    closed = sealed.putty(KEYS[name], encrypted=True)
    assert plain(bytes(16) + closed[16:], closed.find(b"Private-Lines: ")) == []


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("name", KEYS)
def test_a_file_without_its_public_half(name: str, codec: str) -> None:
    """An RSA key proves itself; a scalar or a seed is told as what has its size."""
    key = KEYS[name]
    whole = sealed.putty(key).decode().encode(codec)
    at = whole.find("Private-Lines: ".encode(codec))
    size = len("Public-Lines: 1\r\n".encode(codec))
    public = whole.find("Public-Lines: ".encode(codec)) + size
    gone = bytes(at - size) + whole[at - size :]
    torn = whole[:public] + "!!".encode(codec) + whole[public + len("!!".encode(codec)) :]
    for text in (gone, torn):
        told = [f for f in plain(text, at) if isinstance(f, Proved)]
        (found,) = [f for f in told if f.candidate.fingerprint.value == key.spki_sha256]
        assert (found.candidate.confidence is Confidence.PROOF) == name.startswith("rsa")
        assert found.candidate.either == (len(told) > 1)
        assert found.candidate.encoding.startswith("PuTTY (damaged)")
    assert plain(whole, at) == []
    closed = sealed.putty(key, encrypted=True)
    start = closed.find(b"Private-Lines: ")
    assert plain(bytes(start) + closed[start:], start) == []


def test_a_comment_with_a_backslash() -> None:
    """Windows names people so; only what ends its lines with escapes has escapes."""
    text = sealed.putty(KEYS["ed25519"]).replace(b"throwaway", b"DOMAIN\\name")
    found, _ = plain(text)
    assert isinstance(found, Proved)
    assert found.candidate.places[0].size == len(text.rstrip())


@pytest.mark.parametrize("version", [2, 3])
def test_encrypted_files(version: int) -> None:
    """An encrypted file is named by its public half, and says what a guess costs."""
    text = sealed.putty(KEYS["ed25519"], version, encrypted=True)
    found, _ = closed(text)
    assert isinstance(found, Sealed)
    assert found.candidate.fingerprint.value == KEYS["ed25519"].spki_sha256
    cost = "Argon2id 8192 KiB, 13 passes" if version == 3 else "SHA1 of the passphrase"
    assert found.candidate.protection.startswith(cost)
    assert plain(text) == []


@pytest.mark.parametrize("version", ["2", "3"])
@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519", "ed448"])
def test_what_puttygen_writes(tmp_path: Path, kind: str, version: str) -> None:
    """A file of puttygen is proved, its MAC holds, and its fingerprint is the one it prints."""
    path = tmp_path / "key"
    command = ["puttygen", "-q", "-t", kind, "--ppk-param", f"version={version}", "-o", str(path)]
    try:
        done = subprocess.run([*command, "--new-passphrase", "/dev/null"], check=False)
    except FileNotFoundError:
        pytest.skip("puttygen is not installed")
    if done.returncode:
        pytest.skip("this puttygen does not know the option")
    shown = subprocess.run(["puttygen", "-l", str(path)], capture_output=True, check=True)
    found, public = plain(path.read_bytes())
    assert isinstance(found, Proved)
    assert isinstance(public, PublicKey)
    assert found.candidate.encoding == f"PuTTY-{version}"
    assert public.witness.ssh_fingerprint in shown.stdout.decode()


def test_pvk() -> None:
    """An encrypted PVK is found whole; a plain one, or one whose lengths do not fit, is not."""
    data = sealed.pvk(keys.rsa_key(1024))
    (found,) = closed(data + b"behind")
    assert isinstance(found, Sealed)
    assert found.candidate.places[0].size == len(data)
    assert found.candidate.protection.endswith("RC4: fast to guess")
    for at, byte in ((4, 1), (8, 3), (12, 0), (16, 200), (23, 1), (40, 6)):
        assert pvk.read(data[:at] + bytes((byte,)) + data[at + 1 :]) is None
    assert pvk.read(data[:-1]) is None


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(sorted(KEYS)),
    locked=st.booleans(),
    at=st.integers(0, 3000),
    size=st.integers(0, 20),
    filler=st.binary(max_size=20),
)
def test_damage_raises_nothing(
    name: str, at: int, size: int, filler: bytes, *, locked: bool
) -> None:
    """Whatever bytes are changed, nothing is raised and no other key comes out."""
    data = bytearray(sealed.putty(KEYS[name], encrypted=locked))
    data[at % len(data) : at % len(data) + size] = filler
    for found in plain(bytes(data)):
        if isinstance(found, Proved):
            assert found.candidate.fingerprint.value == KEYS[name].spki_sha256
    closed(bytes(data))


def test_public_files_are_nothing() -> None:
    """A public key is no finding, nor is a label."""
    for data in (encodings.ssh_public(KEYS["rsa"]), putty.MARK, putty.MARK * 100):
        assert plain(data) == []
        assert closed(data) == []


@pytest.mark.parametrize("version", [2, 3])
def test_padding_within_a_line_is_no_base64(version: int) -> None:
    """Text that was overwritten with an equals sign is none, and raises nothing."""
    text = sealed.putty(KEYS["ed25519"], version)
    at = text.index(b"AAAA") + 33
    assert plain(text[:at] + b"=" + text[at + 1 :]) == []
