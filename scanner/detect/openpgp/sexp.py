"""Private keys as S-expressions, as GnuPG keeps them: (private-key (rsa (n #..#)...(u #..#))).

Three spellings: the advanced one of key files and their buffers, with numbers in hex and in one or
two bytes a character, the canonical one of protocols, with a length before each value (Rivest's
S-expressions, sections 4.3 and 6.1), and that of Libgcrypt's own objects, in which a byte opens a
list, closes it, or stands before a length of two bytes and a value (src/sexp.c). The head of the
expression is often overwritten, so members are collected around the private one wherever it stands.
A key is one when p*q = n, d*G = Q, g**x = y, or the seed gives q. On a curve that nobody here
knows, or without its point, a scalar behind the curve's name is a structure.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from scanner.detect.algebra import groups
from scanner.detect.algebra.material import Foreign, Material, Rsa
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import OKP_BYTES, Proved
from scanner.detect.encodings import armour
from scanner.detect.evidence import (
    Key,
    ec_derived,
    ec_scalar,
    okp_derived,
    okp_seed,
    proved,
    rsa_exponents,
    rsa_primes,
    unproved,
)
from scanner.fingerprint import FIELD_BYTES
from scanner.rules import Rule

AROUND = 6 * 1024
"""Characters before and behind the private member in which its siblings are sought."""

_HEX = re.compile(rb"\(([a-z])\s{0,16}#([0-9A-Fa-f\s]{2,9000})#\)")
_SIZED = re.compile(rb"\(1:([a-z])(\d{1,4}):")
_OBJECT = re.compile(rb"\x03\x01(?P<order>\x01\0|\0\x01)(?P<name>[a-z])\x01(?P<size>..)", re.DOTALL)
"""A member of an object of Libgcrypt's, on a machine of either byte order."""
_BLANKS = 16
"""Bytes between two members at most."""

_NIST = (224, 256, 384, 521)
_CURVES = (
    (b"Ed25519", "ed25519"),
    (b"Curve25519", "x25519"),
    (b"Ed448", "ed448"),
    (b"X448", "x448"),
    (b"NIST P-224", "P-224"),
    (b"NIST P-256", "P-256"),
    (b"NIST P-384", "P-384"),
    (b"NIST P-521", "P-521"),
    (b"secp256k1", "secp256k1"),
    (b"brainpoolP256r1", "brainpoolP256r1"),
    (b"brainpoolP384r1", "brainpoolP384r1"),
    (b"brainpoolP512r1", "brainpoolP512r1"),
    *((b"nistp%d" % bits, f"P-{bits}") for bits in _NIST),
    *((b"secp%dr1" % bits, f"P-{bits}") for bits in _NIST),
    (b"prime256v1", "P-256"),
    (b"sm2p256v1", "SM2"),
)
"""Names as Libgcrypt writes and reads them (cipher/ecc-curves.c), and ours."""

_HEAD = 256
"""Characters before the first member in which its curve is named."""
_NAMED = re.compile(rb"curve(?:\s{1,4}\"?|[0-9]{1,2}:|\x01..)[A-Za-z0-9]", re.DOTALL)
"""A curve's name, in each spelling: there are such that nobody here computes on, GOST's."""
_SCALARS, _VARIED = range(16, 73), 12
"""Bytes of a scalar, and how many different ones it has at least."""

_SPELLINGS = {b"1": "canonical", b"\x01": "object"}
"""How a spelling is called, by what stands behind the opening of a member."""

_USUAL = 65537
"""The exponent of nearly all keys."""

Member = tuple[bytes, bytes, int, int]
"""Name, value, and where it starts and ends in the window."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose private member, ``(d``, ``(x`` or ``(p``, stands at ``offset``."""
    text = armour.text_at(memory, space, offset)
    lead = min(text.offset // text.width, AROUND)
    first = text.offset - lead * text.width
    window = memory.clip(space, first, (lead + AROUND) * text.width)[:: text.width]
    before: list[Member] = []
    behind: list[Member] = []
    for member in _members(window):
        (before if member[2] < lead else behind).append(member)
    if not behind or behind[0][2] != lead:
        return
    members = [*_adjoining(reversed(before), lead), *_following(behind)]
    values = {name: value for name, value, _, _ in members}
    if behind[0][0] == b"p" and not (b"u" in values and b"d" not in values):
        return  # a private member leads here as well, or there is none
    head = window[: members[0][2]][-_HEAD:]
    key: Material | None = _key(values, head)
    say = unproved if key is None else proved
    key = key or _alone(values, head)
    if key is None:
        return
    size = max(member[3] for member in members) - lead
    place, wide = armour.located(memory, space, text.offset, size, text.width)
    encoding = f"S-expression {_SPELLINGS.get(window[lead + 1 : lead + 2], 'hex')}{wide}"
    yield say(key, rule, encoding, (place,))


def _members(window: bytes) -> list[Member]:
    """List the members of a window, of any spelling, in order."""
    found = [
        (m[1], bytes.fromhex(re.sub(rb"\s", b"", m[2]).decode()), m.start(), m.end())
        for m in _HEX.finditer(window)
        if len(re.sub(rb"\s", b"", m[2])) % 2 == 0
    ]
    for match in _SIZED.finditer(window):
        start, size = match.end(), int(match[2])
        if window[start + size : start + size + 1] == b")":
            found.append((match[1], window[start : start + size], match.start(), start + size + 1))
    for match in _OBJECT.finditer(window):
        order: Literal["little", "big"] = "little" if match["order"][0] else "big"
        start, size = match.end(), int.from_bytes(match["size"], order)
        if window[start + size : start + size + 1] == b"\x04":
            found.append(
                (match["name"], window[start : start + size], match.start(), start + size + 1)
            )
    return sorted(found, key=lambda member: member[2])


def _adjoining(before: Iterator[Member], at: int) -> list[Member]:
    """Take members backwards as long as only blanks lie between."""
    taken: list[Member] = []
    for member in before:
        if at - member[3] > _BLANKS:
            break
        taken.insert(0, member)
        at = member[2]
    return taken


def _following(behind: list[Member]) -> list[Member]:
    taken = behind[:1]
    for member in behind[1:]:
        if member[2] - taken[-1][3] > _BLANKS:
            break
        taken.append(member)
    return taken


def _key(values: dict[bytes, bytes], head: bytes) -> Key | None:
    numbers = {name: int.from_bytes(value, "big") for name, value in values.items()}
    if b"n" in numbers and b"e" in numbers:
        n, e = numbers[b"n"], numbers[b"e"]
        key = rsa_primes(n, e, numbers.get(b"p", 1), numbers.get(b"q", 1))
        return key or rsa_exponents(n, e, numbers[b"d"]) if b"d" in numbers else key
    if b"u" in numbers:
        return _headless(numbers)
    if b"x" in numbers:
        p, q, g, y, x = (numbers.get(name, 0) for name in (b"p", b"q", b"g", b"y", b"x"))
        return groups.proved(p, q, g, y, x)
    if b"q" not in values or b"d" not in values:
        return None
    point, secret = values[b"q"], values[b"d"]
    curve = _curve(head)
    return _on(curve, point, secret) if curve else None


def _headless(numbers: dict[bytes, int]) -> Rsa | None:
    """Return the key of two primes and the inverse of one modulo the other, u*p = 1 mod q.

    That is what an allocator leaves of gpg-agent's objects: n stands nowhere else, and e is taken
    to be the usual one.
    """
    p, q, e = numbers.get(b"p", 0), numbers.get(b"q", 0), numbers.get(b"e", 0)
    if q < 2 or numbers[b"u"] * p % q != 1:
        return None
    key = rsa_primes(p * q, e or _USUAL, p, q)
    return replace(key, e_assumed=not e) if key else None


def _curve(head: bytes) -> str:
    """Return the curve that the text before the members names, of those that we know."""
    return next((curve for name, curve in _CURVES if name in head), "")


def _alone(values: dict[bytes, bytes], head: bytes) -> Material | None:
    """Return the key of a scalar behind the name of its curve, to which nothing bears witness."""
    secret, curve = values.get(b"d", b""), _curve(head)
    if len(secret) not in _SCALARS or len(set(secret)) < _VARIED or b"n" in values:
        return None
    if not curve and _NAMED.search(head):
        return Foreign(algorithm="ec", inner=secret)
    if not curve or b"q" in values:
        return None
    if curve not in OKP_BYTES:
        return ec_derived(curve, int.from_bytes(secret, "big"))
    seed = secret.rjust(OKP_BYTES[curve], b"\0")[-OKP_BYTES[curve] :]
    return okp_derived(curve, seed[::-1] if curve == "x25519" else seed)


def _on(curve: str, point: bytes, secret: bytes) -> Key | None:
    """Prove a member d against a member q: 04, x, y; or 40 and an encoded point."""
    if curve in OKP_BYTES:
        size = OKP_BYTES[curve]
        public = point[1:] if len(point) == size + 1 and point[:1] == b"\x40" else point
        secret = secret.rjust(size, b"\0")[-size:]
        # The scalar of Curve25519 is a number with its most significant byte first.
        return okp_seed(curve, secret[::-1] if curve == "x25519" else secret, public)
    size = FIELD_BYTES[curve]
    if len(point) != 2 * size + 1 or point[:1] != b"\x04":
        return None
    x, y = (int.from_bytes(point[at : at + size], "big") for at in (1, size + 1))
    return ec_scalar(curve, int.from_bytes(secret, "big"), x, y)
