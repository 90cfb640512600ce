"""Envelopes: who may sign, what holds, and that what does not hold is refused before it is read."""

import base64
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fixtures import signers
from scanner import signing
from scanner.errors import AttestError, UsageError

ROOT = Path(__file__).resolve().parent.parent
TYPE = "application/x"


def sealed(folder: Path, kind: str = "ed25519", payload: bytes = b"{}") -> tuple[Path, Path]:
    """Write an envelope; return its path and that of the public key."""
    secret, public = signers.write(folder, kind)
    path = folder / "envelope"
    path.write_text(signing.seal(payload, TYPE, signing.signer(str(secret))))
    return path, public


def opened(path: Path, *publics: Path, of: str = TYPE) -> bytes:
    """Return the payload."""
    keys = signing.public_keys([str(public) for public in publics])
    return signing.unsealed(str(path), of, keys)[0]


@pytest.mark.parametrize("kind", signers.KINDS)
def test_what_was_sealed_comes_out(tmp_path: Path, kind: str) -> None:
    """Each kind of key signs, and its public half vouches for what it signed."""
    path, public = sealed(tmp_path, kind, b"payload \xff")
    assert opened(path, public) == b"payload \xff"
    other = signers.write(tmp_path, "p256", 77)[1]
    assert opened(path, other, public) == b"payload \xff"
    with pytest.raises(AttestError, match="does not hold"):
        opened(path, other)


@pytest.mark.parametrize("kind", ["rsa", "k256"])
def test_other_kinds_are_refused(tmp_path: Path, kind: str) -> None:
    """Keys of other kinds neither sign nor vouch."""
    secret, public = signers.write(tmp_path, kind)
    with pytest.raises(UsageError):
        signing.signer(str(secret))
    with pytest.raises(UsageError):
        signing.public_keys([str(public)])


def test_a_password(tmp_path: Path) -> None:
    """A key file with a password signs with that password alone; no error repeats it."""
    secret, _ = signers.write(tmp_path, password=b"correct horse")
    for name, text in (("right", "correct horse\n"), ("wrong", "correct donkey")):
        (tmp_path / name).write_text(text)
    assert signing.signer(str(secret), secret=str(tmp_path / "right")).public_key.keyid
    for given in (None, str(tmp_path / "wrong")):
        with pytest.raises(UsageError) as raised:
            signing.signer(str(secret), secret=given)
        said = f"{raised.value.message} {raised.value.reason} {raised.value.hint}"
        assert "correct" not in said


def test_what_is_wrong_with_a_key_is_told(tmp_path: Path) -> None:
    """Which of the mistakes that people make it is, what to do about it, and no class name."""
    secret, public = signers.write(tmp_path)
    (tmp_path / "locked").mkdir()
    locked, _ = signers.write(tmp_path / "locked", password=b"correct horse")
    word = tmp_path / "word"
    word.write_text("correct donkey")
    for key, password, reason, to_do in (
        (public, None, "it is a public key", "private key"),
        (locked, None, "it has a password, and none was given", "--key-secret"),
        (locked, word, "its password is another", "PEM"),
        (secret, word, "it has no password, and one was given", "--key-secret"),
        (word, None, "it is no PEM file", "PEM"),
        (tmp_path, None, "is a directory", "name a file, not a directory"),
        (tmp_path / "none", None, "no such file", "check the path"),
    ):
        with pytest.raises(UsageError) as raised:
            signing.signer(str(key), secret=str(password) if password else None)
        assert raised.value.reason.startswith(reason)
        assert to_do in raised.value.hint
        assert "Error" not in raised.value.reason


def test_an_attestation_that_is_not_there(tmp_path: Path) -> None:
    """A wrong path says nothing about whether an attestation holds."""
    _, public = signers.write(tmp_path)
    keys = signing.public_keys([str(public)])
    with pytest.raises(AttestError, match="cannot be read") as raised:
        signing.unsealed(str(tmp_path / "none"), TYPE, keys)
    assert (raised.value.reason, raised.value.hint) == (
        "no such file or directory",
        "check the path",
    )


@pytest.mark.parametrize("text", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n", bytes(70_000)])
def test_what_is_no_key(tmp_path: Path, text: bytes) -> None:
    """Anything else is refused as usage, as key and as public key."""
    path = tmp_path / "key"
    path.write_bytes(text)
    for use in (signing.signer, lambda name: signing.public_keys([name])):
        with pytest.raises(UsageError):
            use(str(path))
        with pytest.raises(UsageError):
            use(str(tmp_path / "missing"))


def test_a_key_on_another_curve_is_told_as_one(tmp_path: Path) -> None:
    """A file that is sound and of no use is not called damaged, whichever half it is."""
    private = ec.generate_private_key(ec.SECP256K1())
    pem = serialization.Encoding.PEM
    halves = {
        "private": private.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "public": private.public_key().public_bytes(
            pem, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    }
    for name, raw in halves.items():
        (tmp_path / name).write_bytes(raw)
    for use in (
        lambda: signing.signer(str(tmp_path / "private")),
        lambda: signing.public_keys([str(tmp_path / "public")]),
    ):
        with pytest.raises(UsageError) as raised:
            use()
        assert raised.value.reason == "its curve is not P-256, P-384 or P-521"


def test_a_private_key_does_not_vouch(tmp_path: Path) -> None:
    """Who verifies needs no private key, and is told so."""
    secret, _ = signers.write(tmp_path)
    with pytest.raises(UsageError) as raised:
        signing.public_keys([str(secret)])
    assert raised.value.reason == "it is a private key, which has no place here"
    assert raised.value.hint == "name the public key that belongs to it"


def test_a_stored_key_needs_its_public_half() -> None:
    """A key in a store is named by a URI, and is nothing without the public half."""
    with pytest.raises(UsageError) as raised:
        signing.signer("hsm:2?label=nowhere")
    assert "--public-key" in raised.value.hint


def signed_by(uri: str, public: Path, pin: Path) -> str:
    """Return an envelope that a key in a store signed."""
    return signing.seal(b"{}", TYPE, signing.signer(uri, public=str(public), secret=str(pin)))


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    """A store that cannot be reached, or whose client is missing, is an error of ours."""
    (tmp_path / "pin").write_text("0471")
    _, public = signers.write(tmp_path, "p256")
    for uri in ("hsm:2?label=nowhere", "awskms:nowhere", "gcpkms:nowhere", "hv:nowhere/1"):
        with pytest.raises((UsageError, AttestError)) as raised:
            signed_by(uri, public, tmp_path / "pin")
        assert "0471" not in f"{raised.value.message} {raised.value.reason} {raised.value.hint}"


MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
TOOLS = ("softhsm2-util", "pkcs11-tool", "openssl")


@pytest.mark.skipif(not MODULE.exists(), reason="no SoftHSM here")
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="no tools for PKCS#11 here")
@pytest.mark.skipif(find_spec("pkcs11") is None, reason="keysift[hsm] is not installed here")
def test_a_key_in_a_pkcs11_token(tmp_path: Path) -> None:
    """A key that never leaves its token signs, by URI and PIN, and a wrong PIN is told plainly."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    (tmp_path / "pin").write_text("471147\n")
    (tmp_path / "wrong").write_text("471148\n")
    env = {**os.environ, "SOFTHSM2_CONF": str(tmp_path / "conf"), "PYTHONPATH": str(ROOT)}
    login = ("pkcs11-tool", "--module", str(MODULE), "--token-label", "gate")
    public, raw = tmp_path / "key.pub", tmp_path / "key.der"
    pins = ("--pin", "471147", "--so-pin", "471147")
    for command in (
        ("softhsm2-util", "--init-token", "--free", "--label", "gate", *pins),
        (*login, "--login", *pins[:2], "--keypairgen", "--key-type", "EC:prime256v1", "--id", "02"),
        (*login, "--read-object", "--type", "pubkey", "--id", "02", "-o", str(raw)),
        ("openssl", "pkey", "-pubin", "-inform", "DER", "-in", str(raw), "-out", str(public)),
    ):
        subprocess.run(command, env=env, check=True, capture_output=True)
    script = (
        "import sys; from scanner import signing;"
        "sign = signing.signer('hsm:2?label=gate', public=sys.argv[1], secret=sys.argv[2]);"
        "print(signing.seal(b'{}', 'application/x', sign))"
    )
    for pin in ("pin", "wrong"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(public), str(tmp_path / pin)],
            env={**env, "PYKCS11LIB": str(MODULE)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) == (pin == "pin")
        if pin == "pin":
            (tmp_path / "envelope").write_text(done.stdout)
            assert opened(tmp_path / "envelope", public) == b"{}"
        else:
            assert "AttestError" in done.stderr


def changed(envelope: dict[str, Any], field: str) -> dict[str, Any]:
    """Return an envelope with one thing changed."""
    match field:
        case "payload":
            envelope["payload"] = base64.b64encode(b'{"a":1}').decode()
        case "type":
            envelope["payloadType"] = "application/y"
        case "signature":
            raw = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
            raw[7] ^= 1
            envelope["signatures"][0]["sig"] = base64.b64encode(raw).decode()
        case "key id":
            envelope["signatures"][0]["keyid"] = "0" * 64
        case "no signature":
            envelope["signatures"] = []
        case "odd signature":
            envelope["signatures"] = [{"keyid": 7, "sig": None}]
        case "twice":
            envelope["signatures"] *= 2
    return envelope


@pytest.mark.parametrize(
    "field",
    ["payload", "type", "signature", "key id", "no signature", "odd signature", "twice"],
)
def test_a_changed_envelope(tmp_path: Path, field: str) -> None:
    """Whatever is changed in an envelope, it does not hold."""
    path, public = sealed(tmp_path)
    path.write_text(json.dumps(changed(json.loads(path.read_text()), field)))
    with pytest.raises(AttestError):
        opened(path, public)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "null", "{}", '{"payload":1}', "[" * 90_000, "\xff", '{"a":1,"a":2}'],
)
def test_what_is_no_envelope(tmp_path: Path, text: str) -> None:
    """Anything else is refused, whatever it is."""
    path, (_, public) = tmp_path / "envelope", signers.write(tmp_path)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(AttestError):
        opened(path, public)
    with pytest.raises(AttestError):
        opened(tmp_path / "missing", public)


def test_no_flipped_bit_changes_what_is_said(tmp_path: Path) -> None:
    """Wherever a bit of an envelope is flipped, it is refused, or says the very same."""
    path, public = sealed(tmp_path, payload=b'{"verdict": "pass"}')
    data = path.read_bytes()
    refused = 0
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        try:
            assert opened(path, public) == b'{"verdict": "pass"}'
        except AttestError:
            refused += 1
    assert refused > len(data) * 9 // 10


def test_another_type(tmp_path: Path) -> None:
    """A payload that was signed as something else is none of ours."""
    path, public = sealed(tmp_path)
    with pytest.raises(AttestError):
        opened(path, public, of="application/y")
