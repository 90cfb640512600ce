"""Signatures: a payload in a DSSE envelope, and out of it again only if a key vouches for it.

Envelope, schemes and signers are those of securesystemslib; this module chooses among them. Keys
are Ed25519 or ECDSA on the NIST curves: a PEM file, or a key that never leaves its store (PKCS#11,
or the key service of a cloud) by the library's own URI. It refuses other kinds of keys, to read a
payload before its signature, and to repeat what a library says: that may hold a path or a secret.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as LibraryError
from securesystemslib.signer import CryptoSigner, Key, Signer, SSlibKey

from scanner import pipes
from scanner.errors import AttestError, UsageError, cause, remedy
from scanner.fields import RefusedError, once

STORES = ("hsm", "awskms", "gcpkms", "azurekms", "hv")
"""URI schemes of keys that are not read: PKCS#11, AWS, Google Cloud, Azure, HashiCorp Vault."""

ENVELOPE_LIMIT = 16 << 20
"""Bytes that an envelope may have."""

_KEY_LIMIT = 1 << 16
_FORMS = "name a PEM file of an Ed25519 or ECDSA key; --help tells of the others"
_OTHER_KIND = "it is neither an Ed25519 nor an ECDSA key"
_OTHER_CURVE = "its curve is not P-256, P-384 or P-521"
_LIBRARY = (LibraryError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError)
"""What the libraries raise of an input that is not theirs."""

logging.getLogger("securesystemslib").addHandler(logging.NullHandler())
logging.getLogger("securesystemslib").propagate = False


def signer(key: str, *, public: str | None = None, secret: str | None = None) -> Signer:
    """Return what signs with a key: a PEM file, or a URI of STORES with its ``public`` half's file.

    ``secret`` names a file with the password of the key file, or the PIN of its store. Raises
    UsageError.
    """
    said = _secret(secret)
    if key.partition(":")[0] in STORES and not Path(key).exists():
        return _stored(key, public, said)
    raw = _bytes(key)
    _refuse_other(key, raw)
    try:
        private = serialization.load_pem_private_key(raw, said.encode() if said else None)
    except TypeError:
        if said:
            why, hint = "it has no password, and one was given", "leave out --key-secret"
        else:
            why = "it has a password, and none was given"
            hint = "name a file that holds it with --key-secret"
        raise _useless(key, why, hint) from None
    except _LIBRARY:
        why = "its password is another, or it is damaged" if said else "it cannot be read as a key"
        raise _useless(key, why) from None
    if not isinstance(private, (ed25519.Ed25519PrivateKey, ec.EllipticCurvePrivateKey)):
        raise _useless(key, _OTHER_KIND)
    try:
        return CryptoSigner(private)
    except _LIBRARY:
        raise _useless(key, _OTHER_CURVE) from None


def _refuse_other(path: str, raw: bytes) -> None:
    """Raise UsageError for a public key, and for a file that is no PEM."""
    if b"PRIVATE KEY" not in raw and b"PUBLIC KEY" in raw:
        said = "it is a public key, with which nothing is signed"
        raise _useless(path, said, "name the private key that it belongs to")
    if b"-----BEGIN" not in raw:
        raise _useless(path, "it is no PEM file")


def public_keys(paths: Sequence[str]) -> tuple[Key, ...]:
    """Return the keys that may vouch for a payload: PEM files of public keys. Raises UsageError."""
    return tuple(map(_public, paths))


def seal(payload: bytes, payload_type: str, sign: Signer) -> str:
    """Return a signed envelope as JSON: ASCII, ended by a line feed. Raises AttestError."""
    envelope = Envelope(payload, payload_type, {})
    try:
        envelope.sign(sign)
        envelope.verify([sign.public_key], 1)
    except Exception as error:  # noqa: BLE001 - of a store's client, or of its network: any class at all
        raise AttestError(
            "the attestation cannot be signed",
            reason=type(error).__name__,
            hint="check that the key's store can be reached, and that the public key is its own",
        ) from None
    return json.dumps(envelope.to_dict(), sort_keys=True) + "\n"


def unsealed(path: str, payload_type: str, keys: Sequence[Key]) -> tuple[bytes, str]:
    """Return the payload of an envelope file, and the id of the key that signed it.

    Raises AttestError where none of ``keys`` did, or where the file is no envelope.
    """
    try:
        with pipes.open_file(path) as file:
            raw = file.read(ENVELOPE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise AttestError(
            "the attestation cannot be read", reason=cause(error), hint=remedy(error)
        ) from None
    if len(raw) > ENVELOPE_LIMIT:
        raise _void(f"it is larger than {ENVELOPE_LIMIT >> 20} MiB")
    try:
        envelope = Envelope.from_dict(json.loads(raw.decode("ascii"), object_pairs_hook=once))
    except (*_LIBRARY, RecursionError, RefusedError):
        raise _void("it is no DSSE envelope") from None
    if envelope.payload_type != payload_type:
        raise _void("its payload is of another type")
    try:
        accepted = envelope.verify(list(keys), 1)
    except _LIBRARY:
        raise _void("no key that was given has signed it") from None
    return envelope.payload, min(accepted)


def _stored(uri: str, public: str | None, secret: str | None) -> Signer:
    if public is None:
        raise _useless(uri, "its public half is not known", "name its file with --public-key")
    try:
        return Signer.from_priv_key_uri(uri, _public(public), lambda _: secret or "")
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - of a store's client, or of its network: any class at all
        said = f"its store is not there, or does not give it ({type(error).__name__})"
        hint = "check the URI, the PIN, and that the packages of the store are installed"
        raise _useless(uri, said, hint) from None


def _public(path: str) -> Key:
    raw = _bytes(path)
    if b"PRIVATE" in raw:
        said = "it is a private key, which has no place here"
        raise _useless(path, said, "name the public key that belongs to it")
    try:
        loaded = serialization.load_pem_public_key(raw)
    except _LIBRARY:
        raise _useless(path, "it is no PEM file of a public key") from None
    if not isinstance(loaded, (ed25519.Ed25519PublicKey, ec.EllipticCurvePublicKey)):
        raise _useless(path, _OTHER_KIND)
    try:
        return SSlibKey.from_crypto(loaded)
    except _LIBRARY:
        raise _useless(path, _OTHER_CURVE) from None


def _secret(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return _bytes(path).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _useless(path, "the secret in it is no text") from None


def _bytes(path: str) -> bytes:
    try:
        with pipes.open_file(path) as file:
            raw = file.read(_KEY_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise _useless(path, cause(error), remedy(error)) from None
    if len(raw) > _KEY_LIMIT:
        raise _useless(path, "it is larger than 64 KiB")
    return raw


def _useless(path: str, reason: str, hint: str = _FORMS) -> UsageError:
    return UsageError(f"the key {path} cannot be used", reason=reason, hint=hint)


def _void(reason: str) -> AttestError:
    return AttestError(
        "the attestation does not hold", reason=reason, hint="do not rely on it; scan the dump"
    )
