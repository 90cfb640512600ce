"""The operator's own keys, for one question: is *this* key's private half in *this* dump.

Reads what operators have at hand: certificates and public keys as PEM or DER, JWK and JWKS, lines
of OpenSSH. Every form is brought to SubjectPublicKeyInfo and judged by the one strict reader of
``detect.asn1.x509``. A file with a private key is refused and nothing of it is kept; a file that is
unknown, or holds a key that could not be looked for, is refused as well: a key that was silently
left out would be taken for one that was not found.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from scanner import fingerprint, pipes
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import der, keys, x509
from scanner.errors import UsageError, cause

MOST_BYTES = 8 << 20
"""Bytes of the largest file that is read: all roots of the web are a thirtieth of it."""

MOST_FILES = 4096
"""Files of one directory."""

MOST_KEYS = 16384
"""Keys of one command line."""

_FORMS = "certificates and public keys as PEM or DER, JWK, JWKS and OpenSSH lines are read"
_PUBLIC_ONLY = "give the public half or the certificate alone, and keep this file where it is safe"

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----")
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_PRIVATE_TEXT = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|PuTTY-User-Key-File-")
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_PARAMETERS = (b"EC PARAMETERS", b"DH PARAMETERS", b"X9.42 DH PARAMETERS", b"DSA PARAMETERS")
_JWK_SECRETS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members that RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1 keep for private and symmetric keys."""

_JWK_CURVES = ("P-256", "P-384", "P-521", "secp256k1")
_SSH_CURVES = {b"nistp256": "P-256", b"nistp384": "P-384", b"nistp521": "P-521"}
_MOST_STRINGS = 6
"""Strings of a key that are read: the type, a certificate's nonce, and the four numbers of DSA."""

_SSH_TYPE = re.compile(rb"(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]{3,60}")


class _Refused(Exception):
    """Why a file cannot be used. Holds words of ours and nothing of the file."""

    def __init__(self, reason: str, hint: str = _FORMS) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def load(paths: Sequence[str]) -> tuple[PublicKey, ...]:
    """Return the keys of files and of directories of files, each witness once.

    Their witnesses have the kind ``known``; ``kid`` is a JWK's own, and the file's base name (with
    the line, in a file of lines) where no certificate gives a subject. Raises UsageError.
    """
    found: dict[PublicKey, None] = {}
    for path in paths:
        for file in _files(Path(path)):
            found.update(dict.fromkeys(_load(file)))
            if len(found) > MOST_KEYS:
                raise _unusable(path, f"there are more than {MOST_KEYS} keys", "give fewer")
    return tuple(found)


def digest(known: Iterable[PublicKey]) -> str:
    """Return the SHA-256 of the sorted SPKI fingerprints, a line each; empty for no keys."""
    lines = sorted({f"{key.witness.fingerprint.value}\n" for key in known})
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""


def read(data: bytes, path: str) -> tuple[PublicKey, ...]:
    """Return the keys that the bytes of a file hold. Raises UsageError, which names ``path``."""
    try:
        found = tuple(_read(data.removeprefix(b"\xef\xbb\xbf"), Path(path).name))
    except _Refused as refused:
        raise _unusable(path, refused.reason, refused.hint) from None
    if not found:
        raise _unusable(path, "it holds no public key", _FORMS)
    return found


def _files(path: Path) -> list[Path]:
    """Return the path, or the regular files of a directory by name, hidden ones left out."""
    try:
        if not path.is_dir():
            return [path]
        files = [file for file in path.iterdir() if file.name[0] != "." and file.is_file()]
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not files or len(files) > MOST_FILES:
        raise _unusable(str(path), f"the directory has {len(files)} files", "name the files")
    return sorted(files)


def _load(path: Path) -> tuple[PublicKey, ...]:
    try:
        with pipes.open_file(path) as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if len(data) > MOST_BYTES:
        raise _unusable(str(path), f"it has more than {MOST_BYTES:,} bytes", _FORMS)
    return read(data, str(path))


def _unreadable(path: Path, error: OSError | ValueError) -> UsageError:
    return _unusable(str(path), cause(error), "give the path of a file or of a directory of files")


def _unusable(path: str, reason: str, hint: str) -> UsageError:
    shown = path.encode("ascii", "backslashreplace").decode()
    return UsageError(f"--known {shown} cannot be used", reason=reason, hint=hint)


def _read(data: bytes, name: str) -> Iterator[PublicKey]:
    if _PRIVATE_TEXT.search(data):
        raise _private()
    text = data.lstrip()
    if text[:1] in (b"{", b"["):
        yield from _jwks(text, name)
    elif _BEGIN.search(data):
        yield from _pem(data, name)
    elif data[:1] == b"\x30":
        yield _der(data, name)
    else:
        yield from _lines(data, name)


def _private() -> _Refused:
    return _Refused("it holds a private key", _PUBLIC_ONLY)


def _named(key: PublicKey | None, name: str) -> PublicKey:
    """Return the key as one of the operator's, labelled where it has no subject of its own."""
    if key is None:
        raise _Refused("it holds what is no key of a kind, or on a curve, that is looked for")
    key = x509.labelled(key)
    kid = "" if key.witness.subject else name
    return replace(key, witness=replace(key.witness, kind="known", kid=kid, place=None))


# --- PEM and DER --------------------------------------------------------------------------------


def _pem(data: bytes, name: str) -> Iterator[PublicKey]:
    """Yield the key of each block (RFC 7468, and the older labels of OpenSSL)."""
    blocks: list[tuple[bytes, bytes]] = _PEM.findall(data)
    if len(blocks) != len(_BEGIN.findall(data)):
        raise _Refused("a PEM block in it has no end")
    for label, body in blocks:
        if label in _PARAMETERS:
            continue
        block = _base64(b"".join(body.split()))
        if label == b"TRUSTED CERTIFICATE":  # followed by OpenSSL's own trust settings
            block = block[: der.total_size(block) or 0]
        if label in _CERTIFICATES:
            yield _named(x509.from_certificate(block), name)
        elif label == b"PUBLIC KEY":
            yield _named(x509.from_spki(block), name)
        elif label == b"RSA PUBLIC KEY":
            yield _named(x509.from_pkcs1(block), name)
        else:
            raise _Refused("it holds a PEM block of another kind")


def _der(data: bytes, name: str) -> PublicKey:
    if keys.parse_private(data) is not None:
        raise _private()
    found = x509.from_certificate(data) or x509.from_spki(data) or x509.from_pkcs1(data)
    return _named(found, name)


def _base64(text: bytes, *, url: bool = False) -> bytes:
    try:
        padded = text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4)
        return base64.b64decode(padded, altchars=b"-_" if url else None, validate=True)
    except (binascii.Error, ValueError):
        raise _Refused("its base64 is damaged") from None


# --- numbers ------------------------------------------------------------------------------------


def _rsa(n: int, e: int) -> PublicKey | None:
    return x509.from_spki(fingerprint.rsa_spki(n, e)) if n > 0 and e > 0 else None


def _dsa(p: int, q: int, g: int, y: int) -> PublicKey | None:
    return x509.from_spki(fingerprint.ffc_spki("dsa", p, q, g, y))


def _ec(curve: str, x: bytes, y: bytes) -> PublicKey | None:
    if not len(x) == len(y) == fingerprint.FIELD_BYTES[curve]:
        return None
    return x509.from_spki(fingerprint.ec_spki(curve, int.from_bytes(x), int.from_bytes(y)))


# --- JWK (RFC 7517, RFC 7518, RFC 8037) ---------------------------------------------------------


def _jwks(text: bytes, name: str) -> Iterator[PublicKey]:
    """Yield each key of a JWK, of a JWK Set, or of a list of JWKs."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise _Refused("its JSON is damaged") from None
    entries = document.get("keys", [document]) if isinstance(document, dict) else document
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _Refused("it is JSON, and no JWK or JWK Set")
    if any(_JWK_SECRETS & entry.keys() for entry in entries):
        raise _private()
    for entry in entries:
        kid = entry.get("kid")
        yield _named(_jwk(entry), kid if isinstance(kid, str) and kid else name)


def _jwk(entry: dict[str, Any]) -> PublicKey | None:
    def member(key: str) -> bytes:
        value = entry.get(key)
        if not isinstance(value, str) or not value.isascii():
            raise _Refused("a member of its JWK is missing")
        return _base64(value.encode(), url=True)

    match entry.get("kty"), entry.get("crv"):
        case "RSA", _:
            return _rsa(int.from_bytes(member("n")), int.from_bytes(member("e")))
        case "EC", curve if curve in _JWK_CURVES:
            return _ec(curve, member("x"), member("y"))
        case "OKP", str(curve) if curve.lower() in fingerprint.OKP_OIDS:
            return x509.from_spki(fingerprint.okp_spki(curve.lower(), member("x")))
        case _:
            return None


# --- OpenSSH lines (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4) -------------


def _lines(data: bytes, name: str) -> Iterator[PublicKey]:
    """Yield the key of each line of an authorized_keys, known_hosts or .pub file."""
    for number, line in enumerate(data.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        wire = next((w for t, w in pairwise(words) if _announces(t, w)), b"")
        if not wire:
            raise _Refused("it is of no form that is known")
        yield _named(_ssh(_base64(wire)), f"{name}:{number}")


def _announces(word: bytes, wire: bytes) -> bool:
    """Tell whether a word is a key type and the next one its key, which names the type again."""
    head = len(word).to_bytes(4, "big") + word
    whole = len(head) // 3 * 3
    return bool(_SSH_TYPE.fullmatch(word)) and wire.startswith(base64.b64encode(head[:whole]))


def _ssh(wire: bytes) -> PublicKey | None:
    """Read the public key of a key or of a certificate, of hardware-held keys too."""
    kind, *fields = _strings(wire)
    kind, certified, _ = kind.partition(b"-cert-v01")
    kind = kind.removeprefix(b"sk-").removesuffix(b"@openssh.com")
    if certified:
        fields = fields[1:]  # a nonce stands first
    match kind, fields:
        case b"ssh-rsa", [e, n, *_]:
            return _rsa(int.from_bytes(n), int.from_bytes(e))
        case b"ssh-dss", [p, q, g, y, *_]:
            return _dsa(*(int.from_bytes(number) for number in (p, q, g, y)))
        case b"ssh-ed25519", [public, *_]:
            return x509.from_spki(fingerprint.okp_spki("ed25519", public))
        case _, [curve, point, *_] if kind == b"ecdsa-sha2-" + curve and curve in _SSH_CURVES:
            half = len(point) // 2
            x, y = point[1 : 1 + half], point[1 + half :]
            return _ec(_SSH_CURVES[curve], x, y) if point[:1] == b"\x04" else None
        case _:
            return None


def _strings(wire: bytes) -> list[bytes]:
    """Return the strings (RFC 4251 section 5) at the start of a key: the first ones alone."""
    found: list[bytes] = []
    at = 0
    while at + 4 <= len(wire) and len(found) < _MOST_STRINGS:
        size = int.from_bytes(wire[at : at + 4])
        if size > len(wire) - at - 4:
            raise _Refused("an SSH key in it is cut")
        found.append(wire[at + 4 : at + 4 + size])
        at += 4 + size
    return found or [b""]
