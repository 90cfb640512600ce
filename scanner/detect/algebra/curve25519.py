"""Public halves on Curve25519 for many private numbers at once (RFC 7748 5, RFC 8032 5.1).

The kernel multiplies in Weierstrass coordinates: x is u + A/3, and y is v. From there one map leads
to u of X25519, u = x - A/3, and another one to y of Ed25519, y = (u - 1)/(u + 1); its x is
sqrt(-A - 2)*u/v. Rows of bytes in, rows of bytes out; nothing here proves anything, and what is
found by it is derived again by the library.
"""

import hashlib
from functools import cache

import numpy as np

from scanner.arrays import Bytes, Flags
from scanner.detect.algebra.edwards25519 import SIGN, P
from scanner.detect.algebra.gmp import mpz
from scanner.kernels import curves
from scanner.kernels.curves import Generator, Limbs

SIZE = 32
"""Bytes of a private number and of a public half."""

_A = 486662
"""The coefficient of v^2 = u^3 + A*u^2 + u (RFC 7748 4.1)."""

_THIRD = _A * pow(3, -1, P) % P

_V = 14781619447589544791020593568409986887264606134616475288964881837755586237401
"""v of the base point, whose u is 9 (RFC 7748 4.1)."""

_ROOT = 0x70D9120B9F5FF9442D84F723FC03B0813A5E2C2EB482E57D3391FB5500BA81E7
"""The square root of -A - 2 with which the base point's x is even (RFC 8032 5.1)."""


def seeded(seeds: Bytes) -> Bytes:
    """Return the public keys of Ed25519 [count, 32] of seeds [count, 32]."""
    found, _ = edwards(clamped(hashed(seeds)))
    return found


def hashed(seeds: Bytes) -> Bytes:
    """Return the halves of digests that become scalars [count, 32] (RFC 8032 5.1.5)."""
    data = seeds.tobytes()
    digests = (hashlib.sha512(data[at : at + SIZE]) for at in range(0, len(data), SIZE))
    raw = b"".join(digest.digest()[:SIZE] for digest in digests)
    return np.frombuffer(raw, np.uint8).reshape(-1, SIZE)


def agreed(scalars: Bytes) -> Bytes:
    """Return the public keys of X25519 [count, 32] of private keys [count, 32]."""
    x, _, _ = curves.multiples(_base(), _limbs(clamped(scalars)))
    u, _ = curves.mapped(P, (1, -_THIRD, 0, 1), x)
    return _bytes(u)


def edwards(scalars: Bytes, *, signed: bool = True) -> tuple[Bytes, Flags]:
    """Return the encoded points of a*B of Ed25519 [count, 32] for numbers a [count, 32].

    And which are there: none of what is not below 2^255, or a multiple of the order. The sign of x
    costs as much as a tenth of the point, and is left out where nobody asks for it.
    """
    x, v, valid = curves.multiples(_base(), _limbs(scalars))
    y, there = curves.mapped(P, (1, -_THIRD - 1, 1, 1 - _THIRD), x)
    found = _bytes(y)
    if signed:
        inverse, _ = curves.mapped(P, (0, 1, 1, 0), v)
        rows = zip(curves.numbers(x), curves.numbers(inverse), strict=True)
        p, root, third = mpz(P), mpz(_ROOT), mpz(_THIRD)
        odd = [(root * (one - third) * other % p) & 1 for one, other in rows]
        found[:, -1] |= np.array(odd, np.uint8) * np.uint8(SIGN)
    return found, valid & there


def clamped(raw: Bytes) -> Bytes:
    """Return private numbers as both algorithms take them: multiples of 8 from 2^254 on."""
    made = np.array(raw, np.uint8)
    made[:, 0] &= 0xF8
    made[:, -1] = made[:, -1] & 0x7F | 0x40
    return made


def _limbs(raw: Bytes) -> Limbs:
    return np.ascontiguousarray(raw).view("<u8").astype(np.uint64, copy=False)


def _bytes(found: Limbs) -> Bytes:
    return found.astype("<u8").view(np.uint8).reshape(-1, SIZE)


@cache
def _base() -> Generator:
    return Generator(p=P, a=(1 - _A * _THIRD) % P, x=(9 + _THIRD) % P, y=_V, bound=1 << 255)
