"""Keys of finite-field groups, as every written form of them gives their numbers: g**x = y.

DSA (FIPS 186-4 section 4), Diffie-Hellman or ElGamal, whose subgroup nothing names, and
Diffie-Hellman of X9.42, which names it (RFC 2631). Every function returns the key where the
equation closes and None where it does not, whatever the numbers; sizes are checked before a power
is taken. This module reads no format.
"""

from scanner.detect.algebra import effort, gmp
from scanner.detect.algebra.material import Ffc

BITS = range(1024, 8192 + 1)
"""Sizes of a modulus."""

ORDERS = range(160, 512 + 1)
"""Sizes of the order of a DSA group."""

_LEAST_ORDER = 160
"""Bits of the order of an X9.42 group, at least: of a safe prime it is (p - 1) / 2."""


def plausible(p: int, q: int, g: int, y: int = 2) -> bool:
    """Tell by sizes alone whether p, q (0 where nothing names it), g and y may be a public key."""
    if p.bit_length() not in BITS or not p & 1 or not 1 < g < p or not 1 < y < p:
        return False
    return not q or (q.bit_length() in ORDERS and (p - 1) % q == 0)


def proved(p: int, q: int, g: int, y: int, x: int) -> Ffc | None:
    """Return the key of an exponent and its public half; with ``q`` it is one of DSA."""
    if not plausible(p, q, g, y) or not 1 < x < (q or p):
        return None
    effort.power(x.bit_length(), p.bit_length())
    if gmp.power(g, x, p) != y:
        return None
    return Ffc(algorithm="dsa" if q else "dh", p=p, q=q, g=g, x=x, y=y)


def public(p: int, q: int, g: int, y: int) -> bool:
    """Tell whether numbers may be a public key; with ``q`` by the order of g, g**q = 1, too."""
    if not plausible(p, q, g, y):
        return False
    effort.power(q.bit_length(), p.bit_length())
    return not q or gmp.power(g, q, p) == 1


def derived(p: int, q: int, g: int, x: int) -> Ffc | None:
    """Return a DSA key whose group closes, with the y that x gives, which proves nothing yet."""
    if not q or not plausible(p, q, g) or not 1 < x < q:
        return None
    effort.power(q.bit_length() + x.bit_length(), p.bit_length())
    if gmp.power(g, q, p) != 1:
        return None
    return Ffc(algorithm="dsa", p=p, q=q, g=g, x=x, y=gmp.power(g, x, p))


def subgroup(p: int, q: int, g: int, y: int = 2) -> bool:
    """Tell by sizes alone whether numbers may be a public key of X9.42."""
    return plausible(p, 0, g, y) and q.bit_length() >= _LEAST_ORDER and (p - 1) % q == 0


def exchanged(p: int, q: int, g: int, x: int, more: bytes) -> Ffc | None:
    """Return an X9.42 key whose group closes, with the y that x gives, which proves nothing yet."""
    if not subgroup(p, q, g) or not 1 < x < q:
        return None
    effort.power(q.bit_length() + x.bit_length(), p.bit_length())
    if gmp.power(g, q, p) != 1:
        return None
    return Ffc(algorithm="dhx", p=p, q=q, g=g, x=x, y=gmp.power(g, x, p), more=more)


def agreed(algorithm: str, p: int, g: int, x: int) -> Ffc | None:
    """Return a key whose order nothing names, with the y that x gives, which proves nothing yet."""
    if not plausible(p, 0, g) or not 1 < x < p:
        return None
    effort.power(x.bit_length(), p.bit_length())
    return Ffc(algorithm=algorithm, p=p, q=0, g=g, x=x, y=gmp.power(g, x, p))
