"""The groups of Diffie-Hellman that everybody uses, computed from what their makers wrote.

RFC 3526 sections 2 to 7 and RFC 7919 appendix A: g = 2, and p is all ones at both ends with the
digits of pi or of e between, so nobody can have chosen it. (p - 1) / 2 is prime as well.
"""

import functools
from dataclasses import dataclass

G = 2

_NAMED = (
    (1536, 741804, None, 200),
    (2048, 124476, 560316, 225),
    (3072, 1690314, 2625351, 275),
    (4096, 240904, 5736041, 325),
    (6144, 929484, 15705020, 375),
    (8192, 4743158, 10965728, 400),
)
"""Bits of p; what RFC 3526 adds to pi, RFC 7919 to e; bits of a short exponent (RFC 7919 5.2; of
1536 bits as OpenSSL has it)."""


@dataclass(frozen=True, slots=True)
class Named:
    """A group, and the bits of its short exponents."""

    p: int
    short: int


@functools.cache
def named() -> tuple[Named, ...]:
    """Return the groups, the shortest first, of one size that of RFC 3526 first."""
    groups = []
    for bits, pi_more, e_more, short in _NAMED:
        digits = [_pi(bits - 130) + pi_more]
        digits += [_e(bits - 130) + e_more] if e_more is not None else []
        for number in digits:
            p = (1 << bits) - (1 << bits - 64) + (number << 64) - 1
            groups.append(Named(p, short))
    return tuple(groups)


def short(bits: int) -> int:
    """Return the bits of a short exponent in a group of a p of so many bits."""
    return next((least for size, _, _, least in _NAMED if bits <= size), _NAMED[-1][3])


def _e(bits: int) -> int:
    """Return the integer part of e * 2**bits."""
    total = term = 1 << bits + 64
    divisor = 1
    while term:
        term //= divisor
        total += term
        divisor += 1
    return total >> 64


def _pi(bits: int) -> int:
    """Return the integer part of pi * 2**bits (Machin: 16 arctan 1/5 - 4 arctan 1/239)."""
    one = 1 << bits + 64
    return 4 * (4 * _arctan(5, one) - _arctan(239, one)) >> 64


def _arctan(inverse: int, one: int) -> int:
    total = term = one // inverse
    divisor, sign = 3, -1
    while term:
        term //= inverse * inverse
        total += sign * (term // divisor)
        divisor, sign = divisor + 2, -sign
    return total
