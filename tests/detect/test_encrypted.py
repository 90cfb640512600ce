"""Encrypted keys: read strictly, named where they can be, and told by what a guess costs."""

import base64
import subprocess
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys, keystores, noise, sealed
from scanner import rules
from scanner.detect import anchors, encrypted
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.locked import pbe
from scanner.detect.locked.sealed import Sealed
from scanner.model import Confidence, Place, Severity
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.id == "encrypted-private-key")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
RSA, EC, ED = keys.rsa_key(2048), keys.ec_key("P-384"), keys.okp_key("ed25519")


def find(data: bytes) -> list[Sealed | PublicKey]:
    """Run the rule over the bytes."""
    return [
        found
        for _, offset in SWEEPER.sweep(data)
        for found in encrypted.examine(Bytes(data), 0, offset, RULES[0])
    ]


def _under_pkcs12(size: int) -> bytes:
    """Return what passes for a key under Triple DES (RFC 7292 appendix C)."""
    tlv = encodings.tlv
    parameters = tlv(0x30, tlv(4, bytes(range(8))) + tlv(2, b"\x08\0"))
    name = tlv(6, bytes.fromhex("2a864886f70d010c0103"))
    return tlv(0x30, tlv(0x30, name + parameters) + tlv(4, noise.heap(size, 3)))


FORMS = {
    "PKCS8-DER": sealed.pkcs8_der(RSA),
    "PKCS8-PEM": sealed.pkcs8_pem(EC),
    "traditional-PEM": sealed.traditional_pem(RSA),
    "OPENSSH": sealed.openssh(ED),
    "OPENSSH-PEM": sealed.openssh_pem(RSA),
}
TEXTS = [name for name in FORMS if name.endswith("PEM")]
LINE_ENDS = [b"\n", b"\r\n", b"\\n", b"\\\\n", b"\n    ", b" ", b""]


def test_encrypted_keys_do_not_block() -> None:
    """The rule's kind and severity are those of the gate's defaults."""
    assert (RULES[0].kind, RULES[0].severity) == ("encrypted-key", Severity.MEDIUM)


BASE64 = {
    "a store": keystores.pkcs12_password(RSA),
    "PBES2": sealed.pkcs8_der(RSA),
    "PBES2, a short key": sealed.pkcs8_der(keys.ec_key()),
    "PKCS#12": _under_pkcs12(1224),
    "PKCS#12, a short key": _under_pkcs12(144),
}


@pytest.mark.parametrize("form", BASE64)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("wrapped", ['"%s"', "-----BEGIN CERTIFICATE-----\n%s"])
def test_base64_without_a_label(form: str, codec: str, wrapped: str) -> None:
    """A store, or a key, is told where its base64 lies, with the same lock as in DER."""
    text = wrapped % "\r\n".join(textwrap.wrap(base64.b64encode(BASE64[form]).decode(), 64))
    data = b"\xfe" * 10 + text.encode(codec) + b"\xfe" * 9
    (found,) = (item for item in find(data) if isinstance(item, Sealed))
    (der,) = (item for item in find(BASE64[form]) if isinstance(item, Sealed))
    assert found.value == der.value
    assert found.candidate.encoding.startswith("base64 of PKCS8-DER")
    (place,) = found.candidate.places
    inside = data[place.offset : place.offset + place.size]
    assert len(inside) >= len(der.value) * 4 // 3 * len("a".encode(codec))


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    """Each form is found once, in its place, with what protects it."""
    data = FORMS[form].rstrip(b"\n") if form in TEXTS else FORMS[form]
    found = find(b"\xfe" * 9 + data + b"\xfe" * 9)
    seen = [item.candidate for item in found if isinstance(item, Sealed)]
    assert [(c.encoding, c.kind, c.confidence) for c in seen] == [
        (form, "encrypted-key", Confidence.STRUCTURE)
    ]
    start = data.find(b"b3Bl") if form == "OPENSSH-PEM" else 0
    size = len(data.partition(b"\n-----END")[0].rstrip(b"=")) if start else len(data)
    assert seen[0].places == (Place(space=0, offset=9 + start, size=size - start),)
    assert "guess" in seen[0].protection


SIGSTORE = (
    b'{"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":"c2FsdA=="},'
    b'"cipher":{"name":"nacl/secretbox","nonce":"bm9uY2U="},"ciphertext":"Y2lwaGVydGV4dA=="}'
)
OTHERS = {
    "ENCRYPTED SIGSTORE": (SIGSTORE, "unknown", "scrypt N=65536 r=8 p=1: fast to guess"),
    "ENCRYPTED COSIGN": (SIGSTORE, "unknown", "scrypt N=65536 r=8 p=1: fast to guess"),
    "NEBULA ED25519 ENCRYPTED": (noise.uniform(180), "ed25519", "a passphrase"),
    "NEBULA ECDSA P256 ENCRYPTED": (noise.uniform(150), "ec", "a passphrase"),
}


@pytest.mark.parametrize("label", OTHERS)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("end", LINE_ENDS[:3], ids=repr)
def test_other_labels(label: str, codec: str, end: bytes) -> None:
    """What Sigstore (go-securesystemslib) and Nebula write is listed, whole, with what it says."""
    raw, algorithm, protection = OTHERS[label]
    body = base64.b64encode(raw)
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    name = label.encode()
    text = (
        end.join((b"-----BEGIN %b PRIVATE KEY-----" % name, *lines, b"-----END %b" % name))
        + b" PRIVATE KEY-----"
    )
    data = text.decode().encode(codec)
    (seen,) = find(b"\xfe" * 9 + data + b"\xfe" * 9)
    assert isinstance(seen, Sealed)
    said = seen.candidate
    assert (said.algorithm, said.protection) == (algorithm, protection)
    assert said.places == (Place(space=0, offset=9, size=len(data)),)
    assert find(text.replace(b"-----END " + name, b"-----END OTHER")) == []
    assert find(text.replace(b"ENCRYPTED", b"WRAPPED")) == []
    assert find(text[: len(text) // 2]) == []


@pytest.mark.parametrize("end", LINE_ENDS, ids=repr)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", TEXTS)
def test_shapes(form: str, codec: str, end: bytes) -> None:
    """Text is read in either width and order, whatever its line ends."""
    text = FORMS[form].replace(b"\n", end).decode().encode(codec)
    (seen,) = [item for item in find(text) if isinstance(item, Sealed)]
    assert seen.candidate.encoding.startswith(form)


@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["rsa", "ec", "ed25519"])
def test_openssh_names_its_key(key: keys.Key) -> None:
    """The public half stands in the clear: it names the key and bears witness."""
    seen, public = find(sealed.openssh_pem(key))
    assert isinstance(seen, Sealed)
    assert isinstance(public, PublicKey)
    assert seen.candidate.fingerprint.value == key.spki_sha256
    assert public.witness.fingerprint.value == key.spki_sha256
    assert seen.candidate.protection == "bcrypt, 16 rounds, aes256-ctr: slow to guess"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-v2", "aes-256-cbc"], "PBKDF2-HMAC-SHA256, 2048 iterations, AES-256-CBC: fast"),
        (
            ["-v2", "aes-128-cbc", "-iter", "1000000"],
            "PBKDF2-HMAC-SHA256, 1000000 iterations, AES-128-CBC: slow",
        ),
        (["-v2", "des3", "-v2prf", "hmacWithSHA1"], "PBKDF2-HMAC-SHA1, 2048 iterations, 3DES-CBC"),
        (["-scrypt"], "scrypt N=16384 r=8 p=1, AES-256-CBC: fast"),
        (["-v1", "PBE-SHA1-3DES"], "PKCS12-PBE SHA1-3DES, 2048 iterations: fast"),
    ],
)
def test_what_openssl_writes(tmp_path: Path, arguments: list[str], said: str) -> None:
    """Each scheme of openssl pkcs8 is read, with its cost."""
    plain, out = tmp_path / "key", tmp_path / "out"
    plain.write_bytes(encodings.pkcs8_pem(ED))
    command = ["openssl", "pkcs8", "-topk8", "-in", str(plain), "-out", str(out)]
    try:
        done = subprocess.run(
            [*command, "-outform", "DER", "-passout", "pass:x", *arguments],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    if done.returncode:
        pytest.skip("this openssl does not have the scheme")
    envelope = pbe.parse(out.read_bytes())
    assert envelope is not None
    assert envelope.protection.startswith(said)
    assert envelope.size == out.stat().st_size


@pytest.mark.parametrize(
    "data",
    [
        encodings.pkcs8_pem(RSA),
        encodings.pkcs8_der(RSA),
        encodings.openssh_pem(ED),
        encodings.certificate_der(RSA),
        FORMS["PKCS8-DER"][:-1],
        FORMS["PKCS8-PEM"][:120],
        FORMS["OPENSSH"][:-1],
        FORMS["traditional-PEM"][:300],
        FORMS["traditional-PEM"].replace(b"DEK-Info", b"DEK-Inf0"),
        FORMS["traditional-PEM"].replace(b"AES-256", b"XYZ-256"),
        sealed.openssh(ED, rounds=0),
        sealed.openssh(ED, cipher=b"rot13"),
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + b"A" * 400,
    ],
)
def test_what_is_no_encrypted_key(data: bytes) -> None:
    """Plain keys, cut ones and labels are no finding here."""
    assert not [item for item in find(data) if isinstance(item, Sealed)]


@settings(max_examples=30, deadline=None)
@given(
    form=st.sampled_from(sorted(FORMS)),
    at=st.integers(0, 2000),
    size=st.integers(0, 40),
    filler=st.binary(max_size=40),
)
def test_damage_raises_nothing(form: str, at: int, size: int, filler: bytes) -> None:
    """Whatever bytes are overwritten, cut or put in, nothing is raised."""
    data = bytearray(FORMS[form])
    data[at % len(data) : at % len(data) + size] = filler
    find(bytes(data))
    find(bytes(data).decode("latin-1").encode("utf-16-le"))


@settings(max_examples=30, deadline=None)
@given(head=st.sampled_from([data[:60] for data in FORMS.values()]), tail=st.binary(max_size=300))
def test_arbitrary_bytes(head: bytes, tail: bytes) -> None:
    """Behind the beginning of any form, any bytes raise nothing."""
    find(head + tail)
