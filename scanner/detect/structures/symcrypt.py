"""SymCrypt keys: the objects behind bcryptprimitives, ncrypt, .NET on Windows and Azure Linux.

Sources: inc/symcrypt_internal.h and lib/{rsakey,eckey,modulus}.c of SymCrypt 100 to 103. Integers
and divisors carry a tag and sizes that say what build made them (digits of 16, 32 or 64 bytes), so
no table of versions is needed. An RSA key is one block of equal slots: modulus, prime, prime. An EC
key has its point, in Jacobian coordinates and Montgomery form, right before its scalar: neither
stands in memory in a form that anything else would know. This module refuses what the numbers do
not prove, and needs no pointer to be right: copies of an object are found as well.
"""

import struct
from collections.abc import Iterator

from scanner.detect.algebra.material import Ec, Material, Rsa
from scanner.detect.asn1.der import Memory as Clip
from scanner.detect.asn1.keys import Proved
from scanner.detect.evidence import ec_derived, proved, rsa_primes
from scanner.dump.space import Memory
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Candidate, Place
from scanner.rules import Rule

INT, DIVISOR = b"\0\0Ig", b"\0\0Dg"
"""Tags of the objects, as they stand in memory."""

DIGITS = (64, 32, 16)
"""Bytes of a digit: amd64; arm64; 32-bit and generic builds."""

_BEFORE_INT = 32
"""Bytes from a divisor to the integer in it."""

_RSAKEY = 192
_EXPONENTS = (56, 48)
"""Where SYMCRYPT_RSAKEY has the public exponent: since 102, and before."""

_MODULUS_TO_DIVISOR = (64, 48)
_USUAL = 65537

_PRIMES = {
    "P-256": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "P-384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
    "P-521": 2**521 - 1,
}
"""Field primes (SP 800-186 section 3.2.1)."""


def examine(memory: Clip, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose modulus (a divisor's tag) or scalar (an integer's) is at ``offset``."""
    tag = memory.clip(space, offset, 4)
    if tag == DIVISOR:
        yield from _rsa(memory, space, offset, rule)
    elif tag == INT:
        yield from _ec(memory, space, offset, rule)


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a candidate again from its places: two primes, or a scalar."""
    numbers = [
        int.from_bytes(memory.read(p.space, p.offset, p.size), "little") for p in candidate.places
    ]
    if len(numbers) == 2:
        key: Material | None = rsa_primes(numbers[0] * numbers[1], candidate.e, *numbers)
    else:
        key = ec_derived(candidate.curve, numbers[0])
    return [] if key is None else [key]


def _integer(memory: Clip, space: int, offset: int) -> Place | None:
    """Return where the value of the SYMCRYPT_INT at ``offset`` is, or None where none is.

    Its header is 32 bytes in 64-bit builds and 16 in others; sizes tell which.
    """
    head = memory.clip(space, offset, 12)
    if len(head) < 12 or head[:4] != INT:
        return None
    count, size = struct.unpack("<2I", head[4:])
    for header in (32, 16):
        if any(size == header + digit * count for digit in DIGITS) and 1 <= count <= 128:
            return Place(space=space, offset=offset + header, size=size - header)
    return None


def _value(memory: Clip, place: Place) -> int:
    return int.from_bytes(memory.clip(place.space, place.offset, place.size), "little")


# --- RSA ----------------------------------------------------------------------------------------


def _rsa(memory: Clip, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Take the divisor for that of a modulus: the primes are one and two slots behind it."""
    whole = _integer(memory, space, offset + _BEFORE_INT)
    for distance in _MODULUS_TO_DIVISOR if whole is not None else ():
        size = memory.clip(space, offset - distance + 8, 4) if offset >= distance else b""
        slot = int.from_bytes(size, "little")
        if not 0 < slot < 1 << 16:
            continue
        primes = [_integer(memory, space, offset + _BEFORE_INT + slot * index) for index in (1, 2)]
        if whole is None or primes[0] is None or primes[1] is None:
            continue
        n, p, q = (_value(memory, place) for place in (whole, primes[0], primes[1]))
        key = _key(memory, space, offset - distance - _RSAKEY, (n, p, q))
        if key is not None:
            places = _short(primes[0], p), _short(primes[1], q)
            yield proved(key, rule, "SymCrypt RSAKEY", places)
            return


def _short(place: Place, value: int) -> Place:
    """Return the place without the zeros that fill the last digit."""
    return Place(space=place.space, offset=place.offset, size=(value.bit_length() + 7) // 8)


def _key(memory: Clip, space: int, offset: int, numbers: tuple[int, int, int]) -> Rsa | None:
    """Return the key of a modulus and its primes, with e from SYMCRYPT_RSAKEY at ``offset``."""
    n, p, q = numbers
    if p * q != n:
        return None
    head = memory.clip(space, offset, _RSAKEY) if offset >= 0 else b""
    for at in _EXPONENTS:
        e = int.from_bytes(head[at : at + 8], "little")
        key = rsa_primes(n, e, p, q) if e.bit_length() < 48 else None
        if key is not None:
            return key
    key = rsa_primes(n, _USUAL, p, q)
    if key is None:
        return None
    return Rsa(n=n, e=key.e, d=key.d, p=key.p, q=key.q, e_assumed=True)


# --- curves -------------------------------------------------------------------------------------


def _ec(memory: Clip, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Take the integer for a scalar: the three coordinates of its point end where it begins."""
    place = _integer(memory, space, offset)
    if place is None or place.size > 128 or offset < 3 * place.size:
        return
    d = _value(memory, place)
    width = place.size
    raw = memory.clip(space, offset - 3 * width, 3 * width)
    point = tuple(
        int.from_bytes(raw[at : at + width], "little") for at in range(0, 3 * width, width)
    )
    if not d or not all(point):
        return
    for curve in _PRIMES:
        fits = FIELD_BYTES[curve] <= width and max(*point, d).bit_length() <= 8 * width
        key = ec_derived(curve, d) if fits and _likely(curve, d, point) else None
        if key is not None and _same(key, point, width):
            yield proved(key, rule, "SymCrypt ECKEY", (_scalar(place, curve),))
            return


def _scalar(place: Place, curve: str) -> Place:
    return Place(space=place.space, offset=place.offset, size=FIELD_BYTES[curve])


def _likely(curve: str, d: int, point: tuple[int, ...]) -> bool:
    """Tell whether numbers are below the prime of a curve, and some of them nearly as large."""
    bits = _PRIMES[curve].bit_length()
    return max(*point, d) < _PRIMES[curve] and max(point).bit_length() > bits - 32


def _same(key: Ec, point: tuple[int, ...], width: int) -> bool:
    """Tell whether Jacobian coordinates, in Montgomery form for some R, are the key's point.

    x = X/Z**2 and y = Y/Z**3; with each coordinate multiplied by R: x*Z**2 = X*R, y*Z**3 = Y*R**2.
    """
    prime = _PRIMES[key.curve]
    x, y, z = point
    square = z * z % prime
    for r in (1 << 8 * width, 1 << 8 * FIELD_BYTES[key.curve], 1):
        if (key.x * square - x * r) % prime == 0:
            return (key.y * square * z - y * r * r) % prime == 0
    return False
