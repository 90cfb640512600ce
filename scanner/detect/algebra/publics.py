"""Public keys met anywhere: what names a private key, and what bears witness against it.

They come from certificates, bare public keys, protocol messages and the operator's own list. They
are no findings. Every one carries its witness: where it stood and what it says of the key's owner.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from scanner import fingerprint
from scanner.detect.algebra import mldsa, mlkem, slhdsa
from scanner.model import Place, Witness

BARE = "public-key"
"""The kind of a witness that is a public key alone: it calls nobody by a name."""

DECODED = "decoded-key"
"""The kind of a witness that is a public key alone, in a text that was decoded: it was read, calls
nobody by a name, and stands nowhere in the dump's own bytes."""

KEY_SHARE = "key-share"
"""The kind of a witness that a handshake sent: it calls nobody by a name, and is the session's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key and what names it. Only the fields of its algorithm are filled."""

    algorithm: str
    """``rsa``, ``ec``, or a name of RFC 8410, of finite fields or of post-quantum algorithms."""
    curve: str = ""
    bits: int
    n: int = 0
    e: int = 0
    x: int = 0
    y: int = 0
    group: tuple[int, int, int] = (0, 0, 0)
    """p, q (0 where nothing names it) and g of a finite field: ``y`` is the public half."""
    raw: bytes = b""
    """The encoded public key of RFC 8032, RFC 7748 and SLH-DSA; of ML-DSA and ML-KEM rho alone; of
    X9.42 the DER of what follows p, g and q."""
    certificate: bytes = b""
    """The certificate that it was read from (DER), which says what its owner is called."""
    witness: Witness

    @property
    def independent(self) -> bool:
        """Whether it was read, and not derived from a private key that was parsed."""
        return self.witness.kind != BARE or self.witness.place is not None


def rsa(n: int, e: int, *, kind: str, place: Place | None = None) -> PublicKey:
    """Return an RSA public key; ``kind`` says what it was read from (see Witness)."""
    return PublicKey(
        algorithm="rsa",
        bits=n.bit_length(),
        n=n,
        e=e,
        witness=_witness(kind, fingerprint.rsa_spki(n, e), place),
    )


def ec(curve: str, x: int, y: int, *, kind: str, place: Place | None = None) -> PublicKey:
    """Return a point, which the caller knows to lie on the curve."""
    return PublicKey(
        algorithm="ec",
        curve=curve,
        bits=fingerprint.CURVE_BITS[curve],
        x=x,
        y=y,
        witness=_witness(kind, fingerprint.ec_spki(curve, x, y), place),
    )


def okp(algorithm: str, raw: bytes, *, kind: str, place: Place | None = None) -> PublicKey:
    """Return an encoded key of RFC 8032 or RFC 7748."""
    return PublicKey(
        algorithm=algorithm,
        bits=fingerprint.OKP_BITS[algorithm],
        raw=raw,
        witness=_witness(kind, fingerprint.okp_spki(algorithm, raw), place),
    )


def ffc(
    algorithm: str,
    p: int,
    q: int,
    g: int,
    y: int,
    *,
    kind: str,
    more: bytes = b"",
    place: Place | None = None,
) -> PublicKey:
    """Return a DSA or Diffie-Hellman public key (see fingerprint.ffc_spki)."""
    return PublicKey(
        algorithm=algorithm,
        bits=p.bit_length(),
        y=y,
        group=(p, q, g),
        raw=more,
        witness=_witness(kind, fingerprint.ffc_spki(algorithm, p, q, g, y, more), place),
    )


def pqc(algorithm: str, raw: bytes, *, kind: str, place: Place | None = None) -> PublicKey:
    """Return a post-quantum public key: its name, and that of it by which it is found."""
    spki = fingerprint.pqc_spki(algorithm, raw)
    sought = b""
    if algorithm in mldsa.SETS:
        sought = raw[: mldsa.RHO]
    elif algorithm in mlkem.SETS:
        sought = raw[-mlkem.RHO :]
    elif algorithm in slhdsa.SETS:
        sought = raw
    return PublicKey(algorithm=algorithm, bits=0, raw=sought, witness=_witness(kind, spki, place))


def places(keys: Iterable[PublicKey]) -> list[Place]:
    """Return where public keys stand."""
    return [key.witness.place for key in keys if key.witness.place is not None]


def nowhere(key: PublicKey) -> PublicKey:
    """Return a public key of a text that was decoded: its place in that stands nowhere."""
    kind = DECODED if key.independent and key.witness.kind == BARE else key.witness.kind
    return replace(key, witness=replace(key.witness, kind=kind, place=None))


def _witness(kind: str, spki: bytes, place: Place | None) -> Witness:
    return Witness(kind=kind, fingerprint=fingerprint.of_spki(spki), place=place)
