"""SSH public keys: the wire format (RFC 4253 section 6.6, RFC 5656, RFC 8709) and its text lines.

Agents, servers and clients hold them as blobs, in authorized_keys and known_hosts as base64. They
are no findings: they name the private keys that are found and bear witness against them. Keys of
hardware tokens (``sk-``) are read too, since their points are points. This module refuses mpints
that are not minimal and points that lie on no curve; private forms are for ``openssh``.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from scanner.detect.algebra import groups, publics
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.encodings import armour
from scanner.detect.evidence import on_curve, rsa_public
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

LONGEST = 4096
"""Bytes of the longest string that is read: an mpint of 16384 bits has 2049."""

NISTP = {b"nistp256": "P-256", b"nistp384": "P-384", b"nistp521": "P-521"}
"""RFC 5656 section 10.1."""

_READ = 5000
"""Bytes that hold any public key of up to 16384 bits."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]+")


class NotSsh(ValueError):
    """The bytes are not the SSH structure that was asked for. Carries nothing of them."""


class Cut(NotSsh):
    """The bytes end within a string: with more of them, they may be the structure."""


class Wire:
    """A cursor over SSH data types (RFC 4251 section 5)."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def word(self) -> int:
        """Return the next uint32."""
        raw = self.data[self.at : self.at + 4]
        if len(raw) != 4:
            raise Cut
        self.at += 4
        return int.from_bytes(raw, "big")

    def string(self) -> bytes:
        """Return the next string, of at most LONGEST bytes."""
        size = self.word()
        raw = self.data[self.at : self.at + size]
        if size > LONGEST:
            raise NotSsh
        if len(raw) != size:
            raise Cut
        self.at += size
        return raw

    def mpint(self) -> int:
        """Return the next mpint, which must be positive and minimal."""
        raw = self.string()
        if not raw or raw[0] >= 0x80 or (raw[0] == 0 and (len(raw) == 1 or raw[1] < 0x80)):
            raise NotSsh
        return int.from_bytes(raw, "big")

    def point(self) -> tuple[str, int, int]:
        """Return a curve's name and an uncompressed point, which the caller must check."""
        curve = NISTP.get(self.string(), "")
        raw = self.string()
        size = FIELD_BYTES.get(curve, 0)
        if not curve or len(raw) != 1 + 2 * size or raw[0] != 4:
            raise NotSsh
        x, y = raw[1 : 1 + size], raw[1 + size :]
        return curve, int.from_bytes(x, "big"), int.from_bytes(y, "big")


def _rsa(wire: Wire) -> PublicKey:
    e, n = wire.mpint(), wire.mpint()
    if not rsa_public(n, e):
        raise NotSsh
    return publics.rsa(n, e, kind="ssh")


def dss(wire: Wire) -> tuple[int, int, int, int]:
    """Return p, q, g and y of a DSA key (RFC 4253 section 6.6), where they may be its."""
    p, q, g, y = (wire.mpint() for _ in range(4))
    if not groups.plausible(p, q, g, y):
        raise NotSsh
    return p, q, g, y


def _dsa(wire: Wire) -> PublicKey:
    return publics.ffc("dsa", *dss(wire), kind="ssh")


def _ecdsa(wire: Wire) -> PublicKey:
    curve, x, y = wire.point()
    if not on_curve(curve, x, y):
        raise NotSsh
    return publics.ec(curve, x, y, kind="ssh")


def _ed25519(wire: Wire) -> PublicKey:
    return _edwards(wire, "ed25519", 32)


def _ed448(wire: Wire) -> PublicKey:
    return _edwards(wire, "ed448", 57)


def _edwards(wire: Wire, algorithm: str, size: int) -> PublicKey:
    """Read a point (RFC 8709 section 4)."""
    raw = wire.string()
    if len(raw) != size or len(set(raw)) < 8:
        raise NotSsh
    return publics.okp(algorithm, raw, kind="ssh")


def _token(read: Callable[[Wire], PublicKey]) -> Callable[[Wire], PublicKey]:
    """Read what a key on a hardware token has behind its public key: the application."""

    def reader(wire: Wire) -> PublicKey:
        found = read(wire)
        wire.string()
        return found

    return reader


TYPES: dict[bytes, Callable[[Wire], PublicKey]] = {
    b"ssh-rsa": _rsa,
    b"ssh-dss": _dsa,
    b"ssh-ed25519": _ed25519,
    b"ssh-ed448": _ed448,
    b"ecdsa-sha2-nistp256": _ecdsa,
    b"ecdsa-sha2-nistp384": _ecdsa,
    b"ecdsa-sha2-nistp521": _ecdsa,
    b"sk-ssh-ed25519@openssh.com": _token(_ed25519),
    b"sk-ecdsa-sha2-nistp256@openssh.com": _token(_ecdsa),
}
"""Key types, and what reads the fields behind the type."""


def read(data: bytes, place: Place | None = None) -> tuple[PublicKey, int] | None:
    """Read the public key blob at the start of ``data``; return it and its bytes, or None."""
    wire = Wire(data)
    try:
        reader = TYPES.get(wire.string())
        if reader is None:
            return None
        found = reader(wire)
    except NotSsh:
        return None
    return named(found, data[: wire.at], place), wire.at


def named(key: PublicKey, blob: bytes, place: Place | None = None) -> PublicKey:
    """Return the key with the fingerprint of its blob, as ``ssh-keygen -l`` prints it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).rstrip(b"=").decode()
    witness = replace(key.witness, ssh_fingerprint=f"SHA256:{digest}", place=place)
    return replace(key, witness=witness)


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[PublicKey]:  # noqa: ARG001
    """Yield the public key whose blob, or whose base64 in one or two bytes a character, is here."""
    head = memory.clip(space, offset, 2)
    if head == b"\0\0":
        found = read(memory.clip(space, offset, _READ), Place(space=space, offset=offset, size=0))
        width = 1
    else:
        width = 2 if head == b"A\0" else 1
        raw = memory.clip(space, offset, 2 * _READ * width)[::width]
        match = _BASE64.match(raw)
        text = match[0].translate(None, b"\r\n") if match else b""
        found = read(armour.decode(text), Place(space=space, offset=offset, size=0))
    if found is not None:
        key, size = found
        if head != b"\0\0":
            size = (size * 8 + 5) // 6 * width
        place = Place(space=space, offset=offset, size=size)
        yield replace(key, witness=replace(key.witness, place=place))
