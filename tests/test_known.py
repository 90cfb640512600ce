"""The operator's own keys: what is read, what is refused, and that nothing private gets in."""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import elfcore, encodings, keys, noise
from scanner import correlate, fingerprint, known, rules
from scanner.engine import scanning
from scanner.errors import UsageError
from scanner.progress import Silence
from tests.detect.damaged.test_headless_dsa import key as dsa_key

RSA = keys.rsa_key(2048)
EC = keys.ec_key()
ED = keys.okp_key()
KEYS = {
    "rsa": RSA,
    "P-256": EC,
    "P-384": keys.ec_key("P-384"),
    "P-521": keys.ec_key("P-521"),
    "ed25519": ED,
}
SSH = tuple(KEYS)


def url64(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key: keys.Key, **more: object) -> dict[str, object]:
    """Write the public members of a JWK."""
    match key:
        case keys.RsaKey(n=n, e=e):
            numbers = {"n": url64(encodings.big_endian(n)), "e": url64(encodings.big_endian(e))}
            return {"kty": "RSA", **numbers, **more}
        case keys.EcKey(curve=curve, x=x, y=y, field_bytes=size):
            point = {"x": url64(x.to_bytes(size)), "y": url64(y.to_bytes(size))}
            return {"kty": "EC", "crv": curve, **point, **more}
        case _:
            public = key.private_key.public_key().public_bytes_raw()
            return {"kty": "OKP", "crv": "Ed25519", "x": url64(public), **more}


def pkcs1_public(encoding: Encoding) -> bytes:
    """Write an RSAPublicKey."""
    return RSA.private_key.public_key().public_bytes(encoding, PublicFormat.PKCS1)


def names(data: bytes) -> list[str]:
    """Return the fingerprints of the keys in a file."""
    return [key.witness.fingerprint.value for key in known.read(data, "some/file.name")]


@pytest.mark.parametrize("name", KEYS)
def test_forms_of_a_public_key(name: str) -> None:
    """A key has the same fingerprint in every form that an operator may hold."""
    key = KEYS[name]
    forms = [
        encodings.spki_der(key),
        encodings.spki_pem(key),
        encodings.spki_pem(key, "crlf"),
        b"\xef\xbb\xbfsome words\n" + encodings.spki_pem(key) + b"more words\n",
        encodings.certificate_pem(key),
        encodings.certificate_der(key),
        json.dumps(jwk(key)).encode(),
        json.dumps({"keys": [jwk(key)]}, indent=1).encode(),
        encodings.ssh_public(key),
        b'# mine\n\nfrom="10.0.0.1",command="ls -l" ' + encodings.ssh_public(key) + b" me@here\n",
        b"host.example,10.0.0.1 " + encodings.ssh_public(key),
    ]
    assert [names(form) for form in forms] == [[key.spki_sha256]] * len(forms)


def test_rsa_public_key_of_pkcs1() -> None:
    """The older form of RSA public keys is read as PEM and as DER."""
    forms = [pkcs1_public(Encoding.PEM), pkcs1_public(Encoding.DER)]
    assert [names(form) for form in forms] == [[RSA.spki_sha256]] * 2


def test_trusted_certificates() -> None:
    """What OpenSSL appends to a TRUSTED CERTIFICATE is passed over."""
    body = encodings.certificate_der(RSA) + b"\x30\x03\x0c\x01x"
    assert names(encodings.pem(body, "TRUSTED CERTIFICATE")) == [RSA.spki_sha256]


def test_several_keys_in_one_file() -> None:
    """All keys of a file are read, in its order."""
    bundle = encodings.certificate_pem(RSA) + encodings.spki_pem(EC)
    assert names(bundle) == [RSA.spki_sha256, EC.spki_sha256]
    lines = encodings.ssh_public(ED) + b"\n" + encodings.ssh_public(RSA) + b"\n"
    assert names(lines) == [ED.spki_sha256, RSA.spki_sha256]


def test_labels() -> None:
    """A certificate gives its subject, a JWK its kid, anything else the name of its file."""

    def witness(data: bytes) -> tuple[str, str, str]:
        (key,) = known.read(data, "folder/ops.txt")
        return key.witness.kind, key.witness.subject, key.witness.kid

    certificate = encodings.certificate_pem(RSA, common_name="signer.example")
    assert witness(certificate) == ("known", "CN=signer.example", "")
    assert witness(json.dumps(jwk(EC, kid="2024-1")).encode()) == ("known", "", "2024-1")
    assert witness(json.dumps(jwk(EC)).encode()) == ("known", "", "ops.txt")
    assert witness(encodings.spki_pem(EC)) == ("known", "", "ops.txt")
    assert witness(b"\n" + encodings.ssh_public(ED)) == ("known", "", "ops.txt:2")


def string(data: bytes) -> bytes:
    """Write a string of RFC 4251."""
    return len(data).to_bytes(4, "big") + data


def line(kind: bytes, *fields: bytes) -> bytes:
    """Write a line of OpenSSH."""
    return kind + b" " + base64.b64encode(b"".join(map(string, (kind, *fields))))


def test_other_kinds_of_ssh_lines() -> None:
    """Certificates of OpenSSH and keys held by hardware give their key."""
    public = ED.private_key.public_key().public_bytes_raw()
    point = encodings.public_point(EC)
    e, n = b"\x01\x00\x01", b"\0" + encodings.big_endian(RSA.n)
    tail = (bytes(8), bytes(4))
    rows = (
        (line(b"ssh-rsa-cert-v01@openssh.com", bytes(32), e, n, *tail), RSA),
        (line(b"ssh-ed25519-cert-v01@openssh.com", bytes(32), public, *tail), ED),
        (line(b"sk-ssh-ed25519@openssh.com", public, b"ssh:"), ED),
        (line(b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", point, b"ssh:"), EC),
        (line(b"ecdsa-sha2-nistp256-cert-v01@openssh.com", bytes(32), b"nistp256", point), EC),
    )
    for data, key in rows:
        assert names(data) == [key.spki_sha256], data[:30]


def ffc_forms() -> dict[str, tuple[str, list[bytes]]]:
    """Return the name of each kind of key of finite fields, and the forms that it has."""
    private = dsa_key(256, 2048)
    public = private.public_key().public_numbers()
    group = public.parameter_numbers
    strings = [n.to_bytes(n.bit_length() // 8 + 1) for n in (group.p, group.q, group.g, public.y)]
    found = {}
    for algorithm in fingerprint.FFC_OIDS:
        spki = fingerprint.ffc_spki(algorithm, group.p, group.q, group.g, public.y)
        forms = [spki, encodings.pem(spki, "PUBLIC KEY")]
        forms += [line(b"ssh-dss", *strings)] if algorithm == "dsa" else []
        found[algorithm] = hashlib.sha256(spki).hexdigest(), forms
    return found


@pytest.mark.parametrize("algorithm", fingerprint.FFC_OIDS)
def test_keys_of_finite_fields(algorithm: str) -> None:
    """DSA, Diffie-Hellman and X9.42: all were refused, though their exponents are looked for."""
    name, forms = ffc_forms()[algorithm]
    assert [names(form) for form in forms] == [[name]] * len(forms)
    for form in forms[:1]:
        with pytest.raises(UsageError):
            known.read(form[:-1], "key.der")


PRIVATE = {
    "PKCS#8 PEM": encodings.pkcs8_pem(RSA),
    "PKCS#1 PEM": encodings.pkcs1_pem(RSA),
    "SEC1 PEM": encodings.sec1_pem(EC),
    "encrypted": encodings.encrypted_pkcs8_pem(RSA, b"secret words"),
    "OpenSSH": encodings.openssh_pem(ED),
    "behind a certificate": encodings.certificate_pem(RSA) + encodings.pkcs8_pem(RSA),
    "cut": encodings.pkcs8_pem(RSA)[:300],
    "PKCS#8 DER": encodings.pkcs8_der(RSA),
    "PKCS#1 DER": encodings.pkcs1_der(RSA),
    "SEC1 DER": encodings.sec1_der(EC),
    "Ed25519 DER": encodings.pkcs8_der(ED),
    "JWK": json.dumps(jwk(EC, d=url64(EC.d.to_bytes(32)))).encode(),
    "JWKS": json.dumps({"keys": [jwk(RSA), jwk(RSA, p="AQAB")]}).encode(),
    "oct": json.dumps({"kty": "oct", "k": "AAAA"}).encode(),
    "PuTTY": b"PuTTY-User-Key-File-3: ssh-ed25519\n",
}


@pytest.mark.parametrize("form", PRIVATE)
def test_private_keys_are_refused(form: str) -> None:
    """A file with a private key is refused by name, and nothing of it is said."""
    with pytest.raises(UsageError) as caught:
        known.read(PRIVATE[form], "folder/key.pem")
    error = caught.value
    assert "folder/key.pem" in error.message
    assert (error.reason, bool(error.hint)) == ("it holds a private key", True)
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no public key"),
        (b"# nothing here\n", "no public key"),
        (b"hello there\n", "no form that is known"),
        (bytes(range(256)), "no form that is known"),
        (encodings.spki_der(RSA)[:-1], "no key of a kind"),
        (encodings.spki_der(RSA) + b"x", "no key of a kind"),
        (encodings.spki_pem(RSA)[:100], "has no end"),
        (encodings.pem(b"0\x00", "X509 CRL"), "another kind"),
        (encodings.pem(b"0\x00", "CERTIFICATE"), "no key of a kind"),
        (b"-----BEGIN PUBLIC KEY-----\nA*B=\n-----END PUBLIC KEY-----\n", "base64"),
        (encodings.pem(b"0\x00", "EC PARAMETERS"), "no public key"),
        (b"{", "JSON is damaged"),
        (b"[" * 100_000, "JSON is damaged"),
        (b"[1]", "no JWK"),
        (b'{"keys": 1}', "no JWK"),
        (b'{"kty": "RSA", "n": "AQAB"}', "a member"),
        (b'{"kty": "RSA", "n": 5, "e": 3}', "a member"),
        (b'{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}', "no key of a kind"),
        (b'{"kty": "EC", "crv": ["P-256"]}', "no key of a kind"),
        (b'{"kty": "OKP", "crv": "Ed25519", "x": "AQ"}', "no key of a kind"),
        (json.dumps(jwk(EC, y=url64(bytes(32)))).encode(), "no key of a kind"),
        (line(b"ssh-dss", b"p", b"q", b"g", b"y"), "no key of a kind"),
        (line(b"ssh-rsa", b""), "no key of a kind"),
        (line(b"ecdsa-sha2-nistp256", b"nistp384", b"\x04"), "no key of a kind"),
        (line(b"ssh-ed25519", bytes(32))[:-12], "is cut"),
        (encodings.ssh_public(RSA) + b"\nhello\n", "no form that is known"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(data: bytes, reason: str) -> None:
    """A file that is unknown, damaged, or of a kind that is not looked for is a usage error."""
    with pytest.raises(UsageError) as caught:
        known.read(data, "file")
    assert reason in caught.value.reason
    assert caught.value.hint


@settings(max_examples=30, deadline=None)
@given(
    st.binary(max_size=200)
    | st.sampled_from(
        [encodings.ssh_public(RSA), encodings.spki_pem(EC), json.dumps(jwk(RSA)).encode()]
    ).flatmap(
        lambda whole: st.tuples(st.integers(0, len(whole) - 1), st.binary(max_size=3)).map(
            lambda edit: whole[: edit[0]] + edit[1] + whole[edit[0] + len(edit[1]) :]
        )
    )
)
def test_arbitrary_files(data: bytes) -> None:
    """Whatever a file holds, it gives keys or a usage error."""
    try:
        found = known.read(data, "file")
    except UsageError:
        return
    assert found
    assert {key.witness.kind for key in found} == {"known"}


def test_directories(tmp_path: Path) -> None:
    """A directory gives the keys of its files; hidden files and directories are left out."""
    (tmp_path / "b.pem").write_bytes(encodings.spki_pem(RSA))
    (tmp_path / "a.pub").write_bytes(encodings.ssh_public(ED))
    (tmp_path / ".hidden").write_bytes(b"anything")
    (tmp_path / "more").mkdir()
    found = known.load([str(tmp_path), str(tmp_path / "b.pem")])
    assert [key.witness.fingerprint.value for key in found] == [ED.spki_sha256, RSA.spki_sha256]
    (tmp_path / "key.pem").write_bytes(encodings.pkcs8_pem(RSA))
    with pytest.raises(UsageError, match=r"key\.pem"):
        known.load([str(tmp_path)])


def test_paths_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is not there, an empty directory and a file too large are usage errors."""
    monkeypatch.setattr(known, "MOST_BYTES", 100)
    (tmp_path / "large").write_bytes(encodings.spki_pem(RSA))
    (tmp_path / "empty").mkdir()
    for name in ("none", "empty", "large", "nul\0"):
        with pytest.raises(UsageError) as caught:
            known.load([str(tmp_path / name)])
        assert caught.value.reason
        assert caught.value.hint


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More keys, or more files, than the bounds are refused."""
    (tmp_path / "a").write_bytes(encodings.spki_pem(RSA))
    (tmp_path / "b").write_bytes(encodings.spki_pem(EC))
    assert len(known.load([str(tmp_path)])) == 2
    monkeypatch.setattr(known, "MOST_KEYS", 1)
    with pytest.raises(UsageError):
        known.load([str(tmp_path)])
    monkeypatch.setattr(known, "MOST_FILES", 1)
    with pytest.raises(UsageError):
        known.load([str(tmp_path)])


def test_digest_is_of_the_sorted_fingerprints() -> None:
    """The digest depends on the keys alone: not on order, form or repetition."""
    rsa, ec = known.read(encodings.spki_pem(RSA), "a"), known.read(encodings.spki_der(EC), "b")
    lines = "".join(sorted(f"{key.spki_sha256}\n" for key in (RSA, EC)))
    wanted = hashlib.sha256(lines.encode()).hexdigest()
    again = known.read(encodings.ssh_public(RSA), "c")
    assert known.digest([*rsa, *ec]) == known.digest([*ec, *again, *rsa]) == wanted
    assert known.digest([]) == ""


# --- from the command line to the findings ------------------------------------------------------


def write_dump(folder: Path, *numbers: int) -> str:
    """Write a core with numbers as limbs, apart, and nothing else."""
    gap = bytes(24)
    data = b"".join(gap + encodings.little_limbs(n) + gap + noise.text(1 << 16) for n in numbers)
    path = folder / "core"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data)
    return str(path)


def test_the_operators_modulus_proves_and_names(tmp_path: Path) -> None:
    """Primes whose modulus stands in the operator's certificate alone are found and named."""
    path, loaded = write_dump(tmp_path, RSA.p, RSA.q), rules.load()
    certificate = encodings.certificate_pem(RSA, common_name="signer.example", expired=True)
    for own, wanted in ((known.read(certificate, "cert.pem"), 1), ((), 0)):
        request = scanning.ScanRequest(path=path, in_process=True, rules=loaded, known=own)
        found = correlate.findings(scanning.scan(request, Silence()), loaded)
        assert len(found) == wanted
        for finding in found:
            assert finding.names == ("known",)
            assert finding.public.subject == "CN=signer.example"
            assert finding.fingerprint.value == RSA.spki_sha256


def test_the_option(tmp_path: Path) -> None:
    """--known goes through to the workers and into the report; a bad file is a usage error."""
    path = write_dump(tmp_path, RSA.p, RSA.q)
    (tmp_path / "own.pub").write_bytes(encodings.ssh_public(RSA))
    (tmp_path / "own.key").write_bytes(encodings.pkcs8_pem(RSA))

    def keysift(own: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scanner", "scan", path, "-f", "json"]
        return subprocess.run(
            [*command, "--known", str(tmp_path / own)],
            cwd=Path(__file__).resolve().parent.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = keysift("own.pub")
    report = json.loads(done.stdout)
    (finding,) = report["dumps"][0]["findings"]
    assert (done.returncode, finding["names"]) == (1, ["known"])
    assert finding["public"]["kid"] == "own.pub:1"
    assert report["known_sha256"] == known.digest(known.load([str(tmp_path / "own.pub")]))
    refused = keysift("own.key")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "it holds a private key" in refused.stderr
