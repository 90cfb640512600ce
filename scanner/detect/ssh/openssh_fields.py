"""The private fields of an SSH key, behind the name of its type, and the file that holds them.

Sources: OpenSSH PROTOCOL.key (openssh-key-v1), sshkey_private_serialize in sshkey.c, and
draft-ietf-sshm-ssh-agent section 3.2 (SSH_AGENTC_ADD_IDENTITY). The fields have no version and no
length: only arithmetic tells a key from its public blob, and here it always can, because the public
half stands among them. Where they stand this module does not ask.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scanner.detect.algebra import groups, publics
from scanner.detect.algebra.material import Ec, Ffc, Foreign, Okp, Rsa
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import OKP_BYTES
from scanner.detect.evidence import Key, ec_scalar, okp_seed, rsa_primes
from scanner.detect.locked.sealed import UNKNOWN
from scanner.detect.ssh import blobs
from scanner.detect.ssh.blobs import Cut, NotSsh, Wire
from scanner.fingerprint import FIELD_BYTES

MAGIC = b"openssh-key-v1\0"
"""What the binary form of a key file begins with."""

LONGEST = 16 * 1024
"""Bytes of the largest private form, and characters of base64 that are read for one."""

_FIRST_READ = 512
"""Bytes that are read first: public keys by the hundred thousand begin like private ones."""

_MOST_FIELDS, _VARIED = 32, 24
"""Fields of a key of a type that is not known, and different bytes in them, at least."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Serialized:
    """A private key that was read from its SSH fields, and the bytes of all of them."""

    key: Key
    size: int


def _rsa(wire: Wire) -> Rsa:
    n, e = wire.mpint(), wire.mpint()
    return _of_numbers(wire, n, e)


def _of_numbers(wire: Wire, n: int, e: int) -> Rsa:
    """Read what stands behind the public numbers, or behind a certificate: d, iqmp, p, q."""
    d, _, p, q = (wire.mpint() for _ in range(4))
    key = rsa_primes(n, e, p, q)
    if key is None or (e * d - 1) % (p - 1) or (e * d - 1) % (q - 1):
        raise NotSsh
    return Rsa(n=n, e=e, d=d, p=key.p, q=key.q)


def _dsa(wire: Wire) -> Ffc:
    key = groups.proved(*blobs.dss(wire), wire.mpint())
    if key is None:
        raise NotSsh
    return key


def _ecdsa(wire: Wire) -> Ec:
    return _of_point(wire, *wire.point())


def _of_point(wire: Wire, curve: str, x: int, y: int) -> Ec:
    """Read the scalar that stands behind a point, or behind a certificate."""
    key = ec_scalar(curve, wire.mpint(), x, y)
    if key is None:
        raise NotSsh
    return key


def _ed25519(wire: Wire) -> Okp:
    return _edwards(wire, "ed25519")


def _ed448(wire: Wire) -> Okp:
    return _edwards(wire, "ed448")


def _edwards(wire: Wire, algorithm: str) -> Okp:
    public, secret, size = wire.string(), wire.string(), OKP_BYTES[algorithm]
    if len(public) != size or len(secret) != 2 * size or secret[size:] != public:
        raise NotSsh
    key = okp_seed(algorithm, secret[:size], public)
    if key is None:
        raise NotSsh
    return key


def _certificate(wire: Wire) -> Wire:
    """Return a cursor at the public fields of the certificate that follows the type.

    PROTOCOL.certkeys: type, nonce, then the fields of the plain public key.
    """
    inside = Wire(wire.string())
    inside.string()
    inside.string()
    return inside


def _certified_rsa(wire: Wire) -> Rsa:
    public = _certificate(wire)
    e, n = public.mpint(), public.mpint()
    return _of_numbers(wire, n, e)


def _certified_ecdsa(wire: Wire) -> Ec:
    return _of_point(wire, *_certificate(wire).point())


def _certified_ed25519(wire: Wire) -> Okp:
    public = _certificate(wire).string()
    key = _ed25519(wire)
    if key.public != public:
        raise NotSsh
    return key


CERTIFIED = b"-cert-v01@openssh.com"
"""What the type of a key with a certificate ends with (PROTOCOL.certkeys)."""

TYPES: dict[bytes, Callable[[Wire], Key]] = {
    b"ssh-rsa": _rsa,
    b"ssh-dss": _dsa,
    b"ssh-ed25519": _ed25519,
    b"ssh-ed448": _ed448,
    b"ecdsa-sha2-nistp256": _ecdsa,
    b"ecdsa-sha2-nistp384": _ecdsa,
    b"ecdsa-sha2-nistp521": _ecdsa,
    b"ssh-rsa" + CERTIFIED: _certified_rsa,
    b"ssh-ed25519" + CERTIFIED: _certified_ed25519,
    b"ecdsa-sha2-nistp256" + CERTIFIED: _certified_ecdsa,
    b"ecdsa-sha2-nistp384" + CERTIFIED: _certified_ecdsa,
    b"ecdsa-sha2-nistp521" + CERTIFIED: _certified_ecdsa,
}
"""Key types, and what reads and proves the private fields behind the type."""


def read(data: bytes) -> Serialized | None:
    """Read the private fields at the start of ``data``, type first; None for anything else."""
    try:
        return _read(Wire(data))
    except NotSsh:
        return None


def _read(wire: Wire) -> Serialized | None:
    reader = TYPES.get(wire.string())
    return None if reader is None else Serialized(key=reader(wire), size=wire.at)


def read_at(memory: Memory, space: int, offset: int) -> Serialized | None:
    """Read the private fields at ``offset``: more of them only where the first bytes lead there."""
    try:
        return _read(Wire(memory.clip(space, offset, _FIRST_READ)))
    except Cut:
        return read(memory.clip(space, offset, LONGEST))
    except NotSsh:
        return None


def padded(data: bytes) -> bool:
    """Tell whether bytes are the padding 1, 2, 3... of at most one cipher block."""
    return len(data) < 256 and data == bytes(range(1, len(data) + 1))


def read_file(data: bytes) -> Serialized | None:
    """Read an unencrypted key file in binary, MAGIC first; size is that of the whole file.

    The two check words, the public blob, and the padding must be what they should.
    """
    wire = Wire(data, len(MAGIC))
    try:
        public, section = _clear(wire)
        inner = Wire(section)
        found = read(section[8:]) if inner.word() == inner.word() else None
        if found is None:
            return None
        inner.at += found.size
        inner.string()
    except NotSsh:
        return None
    blob = blobs.read(public)
    wanted = public_of(found.key).witness.fingerprint
    if blob is None or blob[0].witness.fingerprint != wanted or not padded(section[inner.at :]):
        return None
    return Serialized(key=found.key, size=wire.at)


def strange(data: bytes) -> tuple[Foreign, int] | None:
    """Read an unencrypted key file whose type is not one of TYPES, and return its size too.

    What a hardware token keeps (``sk-``) is not in its file.
    """
    wire = Wire(data, len(MAGIC))
    try:
        public, section = _clear(wire)
        inner = Wire(section)
        same, kind = inner.word() == inner.word(), inner.string()
        if not same or kind in TYPES or kind.startswith(b"sk-") or Wire(public).string() != kind:
            return None
        first, fields = inner.at, 0
        while not padded(section[inner.at :]) and fields < _MOST_FIELDS:
            last = inner.at
            inner.string()
            fields += 1
    except NotSsh:
        return None
    secret = section[first:last] if fields > 1 else b""  # the last one is the comment
    if len(set(secret)) < _VARIED or not padded(section[inner.at :]):
        return None
    return Foreign(algorithm=UNKNOWN, inner=secret), wire.at


def _clear(wire: Wire) -> tuple[bytes, bytes]:
    """Return the public blob and the private section of a file that is not encrypted."""
    if not wire.data.startswith(MAGIC) or wire.string() != b"none" or wire.string() != b"none":
        raise NotSsh
    if wire.string() or wire.word() != 1:
        raise NotSsh
    return wire.string(), _section(wire)


def _section(wire: Wire) -> bytes:
    """Return the private section: a string too, but a longer one than any number."""
    size = wire.word()
    section = wire.data[wire.at : wire.at + size]
    if size > LONGEST or len(section) != size:
        raise NotSsh
    wire.at += size
    return section


def public_of(key: Key) -> PublicKey:
    """Return the public half, which the SSH form around the private one names."""
    match key:
        case Rsa(n=n, e=e):
            return publics.rsa(n, e, kind="ssh")
        case Ec(curve=curve, x=x, y=y):
            return publics.ec(curve, x, y, kind="ssh")
        case Okp(algorithm=algorithm, public=raw):
            return publics.okp(algorithm, raw, kind="ssh")
        case Ffc(p=p, q=q, g=g, y=y):
            return publics.ffc("dsa", p, q, g, y, kind="ssh")


def blob_of(key: Key) -> bytes:
    """Return the public blob (RFC 4253 section 6.6) of a key of one of TYPES."""
    match key:
        case Rsa(n=n, e=e):
            fields = [b"ssh-rsa", _mpint(e), _mpint(n)]
        case Ec(curve=curve, x=x, y=y):
            name = next(name for name, other in blobs.NISTP.items() if other == curve)
            size = FIELD_BYTES[curve]
            point = b"\x04" + x.to_bytes(size, "big") + y.to_bytes(size, "big")
            fields = [b"ecdsa-sha2-" + name, name, point]
        case Okp(algorithm=algorithm, public=raw):
            fields = [b"ssh-" + algorithm.encode(), raw]
        case Ffc(p=p, q=q, g=g, y=y):
            fields = [b"ssh-dss", *map(_mpint, (p, q, g, y))]
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def _mpint(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")
