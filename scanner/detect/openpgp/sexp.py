"""Keys as S-expressions, as GnuPG keeps them: (private-key (rsa (n #..#)...(u #..#))).

A private key is one when p*q = n, d*G = Q, g**x = y, or the seed gives q. On a curve that nobody
here knows, or without its point, a scalar behind the curve's name is a structure. Public members
bear witness where they prove nothing themselves: gpg-agent holds those of a key that is protected,
and what it unlocked and freed has lost its own. On Ed25519 d is a seed where the flag ``eddsa``
says so, else the scalar itself, as ECDSA on that curve has it (seen in GNUnet). How members are
spelled is for ``members``.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from scanner.detect.algebra import edwards25519, effort, gmp, groups, publics
from scanner.detect.algebra.material import Ffc, Foreign, Material, Rsa
from scanner.detect.algebra.publics import BARE, PublicKey
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.evidence import (
    DISTINCT,
    SMALLEST_PRIME,
    Key,
    ec_derived,
    ec_scalar,
    okp_derived,
    okp_number,
    okp_seed,
    on_curve,
    proved,
    rsa_exponents,
    rsa_primes,
    rsa_public,
    unproved,
)
from scanner.detect.openpgp import members
from scanner.detect.openpgp.members import Member, Run
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Place
from scanner.rules import Rule

_NAMED = re.compile(rb"curve(?:\s{1,4}\"?|[0-9]{1,2}:|\x01..)[A-Za-z0-9]", re.DOTALL)
"""A curve's name, in each spelling: there are such that nobody here computes on, GOST's."""
_SCALARS, _VARIED = range(16, 73), 12
"""Bytes of a scalar, and how many different ones it has at least."""

_USUAL = 65537
"""The exponent of nearly all keys."""

_PUBLIC = {b"p": b"pqgy", b"n": b"ne", b"q": b"q"}
"""The first public member of a key: of a finite field, of RSA and of a curve; and all of them."""
_GROUP = (b"p", b"q", b"g", b"y")

_EDDSA = b"eddsa"

MOST_GROUPS = 8
"""Groups of other expressions that are tried with one exponent."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key whose private member, ``(d``, ``(x`` or ``(p``, stands at ``offset``.

    Or the public key whose first member stands there, where no private one proves it.
    """
    run = members.read(memory, space, offset)
    if run is None:
        return
    values = run.values
    key: Material | None = _key(values, run.head)
    if key is None and run.name == b"x":
        key = _in_another(run)
    leads = run.name == b"p" and b"d" not in values and (b"u" in values or isinstance(key, Rsa))
    if run.name in _PUBLIC and not leads:
        public = _public(run) if key is None else None
        if public is not None:
            yield public
        return  # a private member leads here as well, or there is none
    say = unproved if key is None else proved
    key = key or _alone(values, run.head)
    if key is None:
        return
    place, wide = members.located(run, run.behind)
    yield say(key, rule, f"S-expression {run.spelling}{wide}", (place,))


def _key(values: dict[bytes, bytes], head: bytes) -> Key | None:
    numbers = {name: int.from_bytes(value, "big") for name, value in values.items()}
    if b"n" in numbers and b"e" in numbers:
        n, e = numbers[b"n"], numbers[b"e"]
        key = rsa_primes(n, e, numbers.get(b"p", 1), numbers.get(b"q", 1))
        return key or rsa_exponents(n, e, numbers[b"d"]) if b"d" in numbers else key
    if b"u" in numbers or _are_primes(numbers.get(b"p", 0), numbers.get(b"q", 0)):
        return _headless(numbers)
    if b"x" in numbers:
        p, q, g, y, x = (numbers.get(name, 0) for name in (b"p", b"q", b"g", b"y", b"x"))
        return groups.proved(p, q, g, y, x)
    if b"q" not in values or b"d" not in values:
        return None
    point, secret = values[b"q"], values[b"d"]
    curve = members.curve_of(head)
    return _on(curve, point, secret) if curve else None


def _headless(numbers: dict[bytes, int]) -> Rsa | None:
    """Return the key of two primes and the inverse of one modulo the other, u*p = 1 mod q.

    That is what an allocator leaves of gpg-agent's objects: n stands nowhere else, and e is taken
    to be the usual one. Or of the primes alone, where a block that came later begins within u.
    """
    p, q, e = numbers.get(b"p", 0), numbers.get(b"q", 0), numbers.get(b"e", 0)
    if q < 2 or (b"u" in numbers and numbers[b"u"] * p % q != 1):
        return None
    key = rsa_primes(p * q, e or _USUAL, p, q)
    return replace(key, e_assumed=not e) if key else None


def _are_primes(p: int, q: int) -> bool:
    """Tell whether two members are primes of one length, as those of an RSA key are."""
    bits = p.bit_length()
    if p == q or bits != q.bit_length() or bits < SMALLEST_PRIME or not rsa_public(p * q, _USUAL):
        return False
    for number in (p, q):
        effort.power(bits, bits)
        if gmp.power(3, number - 1, number) != 1:
            return False
    return True


def _in_another(run: Run) -> Ffc | None:
    """Return the key of an exponent whose group and public number stand in another expression.

    Seen in gpg-agent: of what it freed x is whole and p is not, and the key is there once more,
    with its private part protected.
    """
    x = int.from_bytes(run.values[b"x"])
    tried: set[tuple[int, int]] = set()
    starts = (i for i, member in enumerate(run.near) if member[0] == b"p")
    for i in starts:
        p, q, g, y = _numbers(members.following(run.near[i : i + 4]), *_GROUP)
        if (p, y) not in tried and len(tried) < MOST_GROUPS and groups.plausible(p, q, g, y):
            tried.add((p, y))
            if key := groups.proved(p, q, g, y, x):
                return key
    return None


def _numbers(some: Iterable[Member], *names: bytes) -> tuple[int, ...]:
    """Return the values of members as numbers; 0 for one that is not there."""
    values = {name: value for name, value, _, _ in some}
    return tuple(int.from_bytes(values.get(name, b"")) for name in names)


def _alone(values: dict[bytes, bytes], head: bytes) -> Material | None:
    """Return the key of a scalar behind the name of its curve, to which nothing bears witness."""
    secret, curve = values.get(b"d", b""), members.curve_of(head)
    if len(secret) not in _SCALARS or len(set(secret)) < _VARIED or b"n" in values:
        return None
    if not curve and _NAMED.search(head):
        return Foreign(algorithm="ec", inner=secret)
    if not curve or b"q" in values:
        return None
    if curve not in OKP_BYTES:
        return ec_derived(curve, int.from_bytes(secret, "big"))
    seed = secret.rjust(OKP_BYTES[curve], b"\0")[-OKP_BYTES[curve] :]
    if curve == "ed25519" and _EDDSA not in head:
        return okp_number(seed[::-1])
    return okp_derived(curve, seed[::-1] if curve == "x25519" else seed)


def _on(curve: str, point: bytes, secret: bytes) -> Key | None:
    """Prove a member d against a member q."""
    if curve in OKP_BYTES:
        secret = secret.rjust(OKP_BYTES[curve], b"\0")[-OKP_BYTES[curve] :]
        public = _encoded(curve, point)
        # The scalar of Curve25519 is a number with its most significant byte first.
        key = okp_seed(curve, secret[::-1] if curve == "x25519" else secret, public)
        if key is None and curve == "ed25519":
            other = okp_number(secret[::-1])
            key = other if other.public == public else None
        return key
    x, y = _point(curve, point)
    return ec_scalar(curve, int.from_bytes(secret, "big"), x, y)


def _encoded(curve: str, raw: bytes) -> bytes:
    """Return an encoded point without the 40 before it; where x and y stand, as it is encoded."""
    if curve == "ed25519" and len(raw) == 65 and raw[:1] == b"\x04":
        return edwards25519.encoded(int.from_bytes(raw[1:33]), int.from_bytes(raw[33:]))
    return raw[1:] if len(raw) == OKP_BYTES[curve] + 1 and raw[:1] == b"\x40" else raw


def _point(curve: str, raw: bytes) -> tuple[int, int]:
    """Return x and y behind 04, or a pair that lies on no curve."""
    size = FIELD_BYTES[curve]
    if len(raw) != 2 * size + 1 or raw[:1] != b"\x04":
        return 0, 0
    return int.from_bytes(raw[1 : size + 1], "big"), int.from_bytes(raw[size + 1 :], "big")


# --- public keys --------------------------------------------------------------------------------


def _public(run: Run) -> PublicKey | None:
    """Return the public key of which the first member leads a run.

    Its place has no member more: what was read whole and is public is not searched again.
    """
    own = list(itertools.takewhile(lambda member: member[0] in _PUBLIC[run.name], run.behind))
    place, _ = members.located(run, own)
    if run.name == b"q":
        return _public_point(members.curve_of(run.head), own[0][1], place)
    if run.name == b"n":
        n, e = _numbers(own, b"n", b"e")
        return publics.rsa(n, e, kind=BARE, place=place) if rsa_public(n, e) else None
    p, q, g, y = _numbers(own, *_GROUP)
    if not groups.public(p, q, g, y):
        return None
    return publics.ffc("dsa" if q else "dh", p, q, g, y, kind=BARE, place=place)


def _public_point(curve: str, raw: bytes, place: Place) -> PublicKey | None:
    if curve in OKP_BYTES:
        public = _encoded(curve, raw)
        if len(public) != OKP_BYTES[curve] or len(set(public)) < DISTINCT:
            return None
        return publics.okp(curve, public, kind=BARE, place=place)
    if not curve:
        return None
    x, y = _point(curve, raw)
    return publics.ec(curve, x, y, kind=BARE, place=place) if on_curve(curve, x, y) else None
