"""Secret numbers, alive only inside the functions that prove them.

A value of this module never leaves the process that read it: it has no repr, cannot be pickled,
copied or compared, and no report type has a field for it. What may be said of it is in
:func:`describe`: its public half.
"""

from dataclasses import dataclass
from typing import NoReturn

from scanner import fingerprint
from scanner.model import Fingerprint


class _Guarded:
    """Refuses every way in which Python writes an object down."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()}: withheld>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("secret material does not leave the process that read it")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Rsa(_Guarded):
    """An RSA private key; p*q = n holds (checked by whoever makes one)."""

    n: int
    e: int
    d: int
    p: int
    q: int
    e_assumed: bool = False
    primes: tuple[int, ...] = ()
    """The primes known of a key that has more than two; q is then n // p, and d 0 if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Ec(_Guarded):
    """A scalar d on a named curve with its point (x, y) = d*G."""

    curve: str
    d: int
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Okp(_Guarded):
    """An RFC 8032 or RFC 7748 key: ``algorithm`` as in fingerprint.OKP_OIDS."""

    algorithm: str
    seed: bytes
    public: bytes
    a: bytes = b""
    """The clamped scalar of an Edwards key of which nobody has the seed, which is empty then."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Ffc(_Guarded):
    """A DSA or Diffie-Hellman key: g**x = y modulo p. ``algorithm`` as in fingerprint.FFC_OIDS."""

    algorithm: str
    p: int
    q: int
    """The order of g; 0 for a group of which nothing names it."""
    g: int
    x: int
    y: int
    more: bytes = b""
    """DER of what follows p, g and q in the parameters of X9.42."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Pqc(_Guarded):
    """A post-quantum key: ``algorithm`` as in fingerprint.PQC_OIDS."""

    algorithm: str
    seed: bytes
    """Empty where only the expanded key is known."""
    expanded: bytes
    """Empty where only the seed is known."""
    public: bytes
    """The encoded public key; empty where nothing here can derive it."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Foreign(_Guarded):
    """A key of an algorithm, or on a curve, that nothing here computes with."""

    algorithm: str
    """``ec``, ``dh``, a name, or an object identifier in dots."""
    curve: str = ""
    bits: int = 0
    """Of the field of a curve that has a name here; 0 where nobody says."""
    inner: bytes
    """What is private, as it is encoded."""
    spki: bytes = b""
    """Its public half, if that stood beside it."""


Material = Rsa | Ec | Okp | Ffc | Pqc | Foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The public half of a key: all that may be said of it."""

    algorithm: str
    curve: str
    bits: int
    fingerprint: Fingerprint


def describe(key: Material) -> Description:
    """Return what may be said of a key."""
    match key:
        case Rsa():
            return Description(
                algorithm="rsa",
                curve="",
                bits=key.n.bit_length(),
                fingerprint=fingerprint.of_spki(fingerprint.rsa_spki(key.n, key.e)),
            )
        case Ec():
            return Description(
                algorithm="ec",
                curve=key.curve,
                bits=fingerprint.CURVE_BITS[key.curve],
                fingerprint=fingerprint.of_spki(fingerprint.ec_spki(key.curve, key.x, key.y)),
            )
        case Okp():
            return Description(
                algorithm=key.algorithm,
                curve="",
                bits=fingerprint.OKP_BITS[key.algorithm],
                fingerprint=fingerprint.of_spki(fingerprint.okp_spki(key.algorithm, key.public)),
            )
        case Ffc():
            return Description(
                algorithm=key.algorithm,
                curve="",
                bits=key.p.bit_length(),
                fingerprint=fingerprint.of_spki(
                    fingerprint.ffc_spki(key.algorithm, key.p, key.q, key.g, key.y, key.more)
                ),
            )
        case Pqc():
            name = fingerprint.NAMELESS
            if key.public:
                name = fingerprint.of_spki(fingerprint.pqc_spki(key.algorithm, key.public))
            return Description(algorithm=key.algorithm, curve="", bits=0, fingerprint=name)
        case Foreign():
            return Description(
                algorithm=key.algorithm,
                curve=key.curve,
                bits=key.bits,
                fingerprint=fingerprint.of_spki(key.spki) if key.spki else fingerprint.NAMELESS,
            )
