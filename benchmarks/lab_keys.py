"""Throwaway keys for the programs of a lab, in files as programs want them, and read from theirs.

The keys are random, unlike those of ``fixtures``: nobody but the program under test may know them.
"""

import base64
import datetime as dt
import hashlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import truth
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

CURVES: dict[str, type[ec.EllipticCurve]] = {
    "p224": ec.SECP224R1,
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
    "brainpoolp256r1": ec.BrainpoolP256R1,
    "brainpoolp384r1": ec.BrainpoolP384R1,
    "brainpoolp512r1": ec.BrainpoolP512R1,
}
FILES = ("name", "key", "cert", "both", "trad", "tradboth", "ssh", "der", "certder", "p12", "pub")
"""What ``Held.file`` knows: a name or the path of a file."""

PASSWORD = b"lab"
PEM = rb"-----BEGIN [^-]*PRIVATE KEY-----.*?-----END [^-]*-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One key: its kind, its name, and its files under a folder."""

    kind: str
    name: str
    folder: Path
    key: PrivateKeyTypes

    def file(self, which: str) -> str:
        """Return the path of a file of the key, or its name."""
        return self.name if which == "name" else str(self.folder / f"{self.name}.{which}")


def new(kind: str) -> PrivateKeyTypes:
    """Return a new private key of a kind as ``truth`` names it."""
    family, _, rest = kind.partition("-")
    if family == "rsa":
        return rsa.generate_private_key(65537, int(rest))
    if family == "ec":
        return ec.generate_private_key(CURVES[rest]())
    if family == "dsa":
        return dsa.generate_private_key(int(rest))
    return truth.OKP[kind].generate()


def make(kind: str, name: str, folder: Path) -> Held:
    """Make a key and its files."""
    key = new(kind)
    held = Held(kind=kind, name=name, folder=folder, key=key)
    pem = _pem(key, form.PrivateFormat.PKCS8)
    files = {"key": pem, "der": _der(key)}
    if kind.startswith(("rsa", "ec", "dsa")):
        files["trad"] = _pem(key, form.PrivateFormat.TraditionalOpenSSL)
    unknown = ("x", "ml", "ed448", "ec-p224", "ec-brain", "ec-secp", "dsa-2", "dsa-3")
    if not kind.startswith(unknown):
        files["ssh"] = _pem(key, form.PrivateFormat.OpenSSH)
        public = key.public_key()
        files["pub"] = public.public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH) + b"\n"
    if not kind.startswith("x"):
        cert = _certificate(key)
        files["cert"] = cert.public_bytes(form.Encoding.PEM)
        files["certder"] = cert.public_bytes(form.Encoding.DER)
        files["both"] = files["key"] + files["cert"]
        files["tradboth"] = files.get("trad", files["key"]) + files["cert"]
        if not kind.startswith("ml"):
            lock = form.BestAvailableEncryption(PASSWORD)
            files["p12"] = pkcs12.serialize_key_and_certificates(b"lab", key, cert, None, lock)
    for which, data in files.items():
        path = Path(held.file(which))
        path.write_bytes(data)
        path.chmod(0o600)
    return held


def _pem(key: PrivateKeyTypes, how: form.PrivateFormat) -> bytes:
    raw: bytes = key.private_bytes(form.Encoding.PEM, how, form.NoEncryption())
    return raw


def _der(key: PrivateKeyTypes) -> bytes:
    raw: bytes = key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
    return raw


def _certificate(key: PrivateKeyTypes) -> x509.Certificate:
    """Return a self-signed certificate."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab.example")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("lab.example"), x509.DNSName("localhost")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    hashed = isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey)
    return builder.sign(key, hashes.SHA256() if hashed else None)


# --- keys that programs make for themselves -----------------------------------------------------


def read(how: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Read keys from files as a row of a table says.

    ``file`` is a pattern of paths. ``pattern`` finds the text in a file, the whole file without it;
    ``decode`` is ``hex``, ``base64`` or ``raw``; ``slice`` what of the bytes is the number of a key
    of ``kind``. ``numbers`` instead of it names the parts of RSA and the patterns that find them.
    ``pem`` reads PEM. A scalar of Ed25519 without its seed has its ``public`` half in a file too:
    its path, and where in it.
    """
    if "public" in how:
        return _expanded(how, folder)
    secrets = []
    for number, path in enumerate(sorted(folder.glob(how["file"]))):
        data = path.read_bytes()
        name = f"{how.get('id', path.name)}-{number}"
        keys = _keys(how, data)
        secrets += [truth.secret(f"{name}-{at}", key) for at, key in enumerate(keys)]
    return secrets


def _expanded(how: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Read a scalar of Ed25519 as RFC 8032 makes it of a seed, which the program throws away."""
    (path, low, high), (start, end) = how["public"], how["slice"]
    if not (folder / how["file"]).exists():
        return []
    public = (folder / path).read_bytes()[low:high]
    scalar = (folder / how["file"]).read_bytes()[start:end]
    spki = ed25519.Ed25519PublicKey.from_public_bytes(public).public_bytes(
        form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo
    )
    return [
        {
            "id": Path(how["file"]).name,
            "kind": "ed25519",
            "spki_sha256": hashlib.sha256(spki).hexdigest(),
            "private": {"a": scalar.hex()},
            "public": {"pub": public.hex()},
        }
    ]


def _keys(how: dict[str, Any], data: bytes) -> list[PrivateKeyTypes]:
    """Return the private keys that a file holds."""
    if "pem" in how:
        parts = re.findall(
            rb"-----BEGIN [^-]*PRIVATE KEY-----.*?-----END [^-]*-----", data, re.DOTALL
        )
        return [_load(part) for part in parts]
    if "numbers" in how:
        found = {}
        for part, pattern in how["numbers"].items():
            match = re.search(pattern.encode(), data, re.DOTALL)
            if match:
                found[part] = int.from_bytes(_decode(how, match[1]), "big")
        return [_rsa(found)] if "p" in found else []
    texts = re.findall(how["pattern"].encode(), data, re.DOTALL) if "pattern" in how else [data]
    low, high = how.get("slice", (0, None))
    return [_from_bytes(how["kind"], _decode(how, text)[low:high]) for text in texts]


def _load(pem: bytes) -> PrivateKeyTypes:
    if b"OPENSSH" in pem:
        return form.load_ssh_private_key(pem, None)
    # GnuTLS writes scalars without leading zeros, which only OpenSSL's own tool reads.
    again = subprocess.run(["openssl", "pkey"], input=pem, capture_output=True, check=True).stdout
    return form.load_pem_private_key(again, None)


def _decode(how: dict[str, Any], text: bytes) -> bytes:
    match how.get("decode", "raw"):
        case "hex":
            digits = re.sub(rb"[^0-9A-Fa-f]", b"", text).decode()
            return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))
        case "base64":
            return base64.b64decode(text)
        case _:
            return text


def _rsa(parts: dict[str, int]) -> PrivateKeyTypes:
    p, q, e = parts["p"], parts["q"], parts.get("e", 65537)
    d = parts.get("d") or pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public
    ).private_key()


def _from_bytes(kind: str, raw: bytes) -> PrivateKeyTypes:
    if kind.startswith("ec-"):
        return ec.derive_private_key(int.from_bytes(raw, "big"), CURVES[kind[3:]]())
    return truth.OKP[kind].from_private_bytes(raw)
