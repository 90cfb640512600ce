"""Certificates and public keys as text: read in every shape, and witnesses as their DER is."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import encodings, keys
from scanner.detect import anchors
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import x509
from scanner.detect.texts import nested, public_text
from scanner.model import Candidate, Confidence
from scanner.stages.examine import EXAMINERS
from tests.detect import planted
from tests.detect.one_space import Bytes

OURS = tuple(rule for rule in planted.RULES if rule.detector == "public-text")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(OURS))
EXAMINE = dict(EXAMINERS)[public_text.NAME]
RSA, EC = keys.rsa_key(2048), keys.ec_key("P-256")


def find(data: bytes) -> list[PublicKey]:
    """Run the rule over the bytes."""
    return [
        found
        for index, offset in SWEEPER.sweep(data)
        for found in EXAMINE(Bytes(data), 0, offset, OURS[index])
        if isinstance(found, PublicKey)
    ]


def _pkcs1() -> bytes:
    public = RSA.private_key.public_key()
    return public.public_bytes(form.Encoding.PEM, form.PublicFormat.PKCS1)


def _relabelled(data: bytes, label: bytes, trail: bytes = b"") -> bytes:
    return encodings.pem(data + trail, label.decode())


TEXTS = {
    "certificate": (encodings.certificate_pem(RSA), RSA),
    "certificate, ec": (encodings.certificate_pem(EC), EC),
    "X509": (_relabelled(encodings.certificate_der(EC), b"X509 CERTIFICATE"), EC),
    "trusted": (
        _relabelled(encodings.certificate_der(EC), b"TRUSTED CERTIFICATE", b"0\x03\x0c\x01x"),
        EC,
    ),
    "SPKI": (encodings.spki_pem(EC), EC),
    "PKCS#1": (_pkcs1(), RSA),
}


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("upper", [False, True])
def test_hex_of_a_key_on_a_curve(curve: str, codec: str, *, compressed: bool, upper: bool) -> None:
    """In either case and width, with its point whole or compressed, as Dovecot has it."""
    key = keys.ec_key(curve)
    digits = (_compressed(key) if compressed else encodings.spki_der(key)).hex()
    text = (digits.upper() if upper else digits).encode(codec)
    (found,) = find("2:".encode(codec) + text + ":ab".encode(codec))
    assert found.witness.fingerprint.value == key.spki_sha256
    assert found.witness.place is not None
    assert (found.witness.place.offset, found.witness.place.size) == (
        len("2:".encode(codec)),
        len(text),
    )
    assert not find("2:".encode(codec) + text[: len(text) // 2])


def _compressed(key: keys.EcKey) -> bytes:
    point = key.private_key.public_key().public_bytes(
        form.Encoding.X962, form.PublicFormat.CompressedPoint
    )
    whole = encodings.spki_der(key)
    algorithm = whole[2 if whole[1] < 0x80 else 3 :]
    algorithm = algorithm[: 2 + algorithm[1]]
    body = algorithm + bytes((3, len(point) + 1, 0)) + point
    return bytes((0x30, len(body))) + body


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n", "\n    "])
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
def test_every_shape(name: str, end: str, codec: str) -> None:
    """Either width, whatever the line ends: its key, and the text from its label on."""
    raw, key = TEXTS[name]
    text = raw.decode().strip().replace("\n", end).encode(codec)
    (found,) = find(b"\xfe" * 8 + text + b"\xfe" * 8)
    assert found.witness.fingerprint.value == key.spki_sha256
    assert (found.witness.kind == "certificate") == ("PUBLIC" not in raw.decode())
    if found.witness.kind == "certificate":
        assert found.witness.place is None
        return
    assert found.witness.place is not None
    start = 8 + len("-----".encode(codec))
    assert found.witness.place.offset == start
    assert found.witness.place.size == len(text) + 8 - start


@pytest.mark.parametrize(
    "form",
    [
        "<ds:X509Certificate>{}</ds:X509Certificate>",
        "<X509Certificate>\n{}\n</X509Certificate>",
        '{{"kty":"EC","x5c":["{}"]}}',
        '{{"x5c": ["{}", "MIIB"]}}',
    ],
)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
def test_base64_that_a_document_announces(form: str, codec: str) -> None:
    """SAML's metadata and a key's chain hold the same certificate, and its owner's name."""
    text = form.format(base64.b64encode(encodings.certificate_der(EC)).decode()).encode(codec)
    (found,) = find(b"\xfe" * 8 + text + b"\xfe" * 8)
    assert found.witness.fingerprint.value == EC.spki_sha256
    assert x509.labelled(found).witness.subject == "CN=throwaway.example"


@pytest.mark.parametrize(
    "key",
    [
        *map(keys.ec_key, ("P-256", "P-384", "P-521", "secp256k1")),
        *map(keys.okp_key, ("ed25519", "x25519", "ed448", "x448")),
    ],
    ids=lambda key: getattr(key, "curve", "") or key.algorithm,
)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
def test_bare_base64_of_a_key(key: keys.Key, codec: str) -> None:
    """As settings in JSON have it, base64url too; of an RSA key there are names enough."""
    whole = base64.b64encode(encodings.spki_der(key))
    for raw in (whole, whole.rstrip(b"=").translate(bytes.maketrans(b"+/", b"-_"))):
        text = b'{"publicKey":"' + raw + b'"}'
        (one,) = find(b"\xfe" * 8 + text.decode().encode(codec) + b"\xfe" * 8)
        assert one.witness.fingerprint.value == key.spki_sha256
        assert one.independent
    assert find(b"\xfe" * 8 + whole[:-8].decode().encode(codec) + b"\xfe" * 8) == []


@pytest.mark.parametrize("lead", range(3))
@pytest.mark.parametrize("columns", [64, 76, 5000])
@pytest.mark.parametrize("codec", ["ascii", "utf-16-le"])
@pytest.mark.parametrize("name", ["certificate, ec", "SPKI"])
def test_base64_of_a_text(name: str, codec: str, columns: int, lead: int) -> None:
    """As Kubernetes has it, behind another text too, whatever the width of its lines."""
    whole = base64.encodebytes(b"\n" * lead + TEXTS[name][0]).replace(b"\n", b"")
    lines = (whole[at : at + columns] for at in range(0, len(whole), columns))
    text = b'  tls.crt: "' + b"\n    ".join(lines) + b'"\n'
    (key,) = find(b"\xfe" * 8 + text.decode().encode(codec) + b"\xfe" * 8)
    assert key.witness.fingerprint.value == EC.spki_sha256
    assert key.independent


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(TEXTS["SPKI"][0][:90]),
        encodings.certificate_pem(RSA)[:600],
        encodings.certificate_pem(RSA).replace(b"BEGIN CERT", b"BEGIN CURT"),
        _relabelled(encodings.spki_der(EC), b"CERTIFICATE"),
        _relabelled(encodings.certificate_der(EC), b"PUBLIC KEY"),
        _relabelled(encodings.certificate_der(EC), b"CERTIFICATE REQUEST"),
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        encodings.pkcs8_pem(RSA),
    ],
)
def test_what_is_none(text: bytes) -> None:
    """Cut text, another label, and what is not what its label says."""
    assert find(bytes(8) + text + bytes(8)) == []


def test_a_key_in_bare_base64_bears_witness(tmp_path: Path) -> None:
    """Beside it a scalar that is written as hex is a key."""
    text = base64.b64encode(encodings.spki_der(EC))
    (key,), _ = found(tmp_path, b"%064x" % EC.d, text)
    assert (key.fingerprint.value, key.confidence) == (EC.spki_sha256, Confidence.PROOF)


@pytest.mark.parametrize(
    "text",
    [
        TEXTS["SPKI"][0],
        TEXTS["X509"][0][:200],
        TEXTS["trusted"][0][:200],
        encodings.spki_der(EC).hex().encode()[:60],
        encodings.spki_der(EC).hex().upper().encode()[:60],
        *(
            base64.b64encode(encodings.spki_der(key))[:30]
            for key in (
                *map(keys.ec_key, ("P-256", "P-384", "P-521", "secp256k1")),
                *map(keys.okp_key, ("ed25519", "x25519", "ed448", "x448")),
            )
        ),
        b"X509Certificate>MIIB",
        b'"x5c": ["MIIB',
    ],
)
def test_plain_text_is_not_read_as_base64(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is a key or none, in any width: crowds of cut ones took milliseconds each."""
    monkeypatch.setattr(nested.armour, "stretch", None)
    for spelled in (text, encodings.utf16(text)):
        data = (bytes(8) + spelled) * 3
        assert [*SWEEPER.sweep(data)]
        find(data)


@pytest.mark.parametrize("name", ["certificate, ec", "SPKI"])
def test_base64_of_a_text_bears_witness(tmp_path: Path, name: str) -> None:
    """Beside it a scalar that is written as hex is a key, and the certificate says whose."""
    (key,), subjects = found(tmp_path, b"%064x" % EC.d, base64.b64encode(TEXTS[name][0]))
    assert (key.fingerprint.value, key.confidence) == (EC.spki_sha256, Confidence.PROOF)
    assert ("CN=throwaway.example" in subjects) == name.startswith("certificate")


@pytest.mark.parametrize("text", ["certificate, ec", "SPKI"])
def test_it_bears_witness_alone(tmp_path: Path, text: str) -> None:
    """A scalar whose point stands nowhere but in a text is proved, and called by it."""
    (key,), subjects = found(tmp_path, EC.d.to_bytes(32, "little"), TEXTS[text][0])
    assert (key.fingerprint.value, key.confidence) == (EC.spki_sha256, Confidence.PROOF)
    assert ("CN=throwaway.example" in subjects) == text.startswith("certificate")


def found(folder: Path, *parts: bytes) -> tuple[list[Candidate], set[str]]:
    """Scan memory with some parts in it: the private keys, and what their owners are called."""
    done = planted.scanned(folder, *parts)
    return planted.private(done), {one.subject for one in done.witnesses}


def test_of_rsa_it_names_alone(tmp_path: Path) -> None:
    """Beside the modulus a prime is a key, and the text says whose; beside the text it is none."""
    p = RSA.p.to_bytes(128, "little")
    text = encodings.certificate_pem(RSA)
    (key,), subjects = found(tmp_path, p, RSA.n.to_bytes(256, "little"), text)
    assert key.fingerprint.value == RSA.spki_sha256
    assert subjects == {"CN=throwaway.example"}
    changed = bytes(10) + p[10:]
    assert found(tmp_path, changed, text) == ([], set())
    (_,), _ = found(tmp_path, changed, encodings.certificate_der(RSA))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.binary(max_size=300), st.integers(0, 400))
def test_arbitrary_bytes_raise_nothing(name: str, behind: bytes, kept: int) -> None:
    """Whatever follows the label, or some of its body, nothing is raised."""
    find(TEXTS[name][0][:kept] + behind)
