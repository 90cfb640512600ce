"""Scalars of edwards25519 that are kept divided by the cofactor, beside x of their point.

libuecc computes on a curve that is isomorphic to edwards25519, and its older encoding of a point is
x on that curve with the parity of y, which is u/v on Curve25519: no encoding of RFC 8032 or RFC
7748 stands anywhere then. Seen in fastd, whose key pair is both halves end to end: its peers know
it by that x. This module refuses halves that do not adjoin.
"""

from collections.abc import Iterator

from scanner.arrays import Offsets
from scanner.detect.algebra import edwards25519
from scanner.detect.algebra.edwards25519 import SIGN, P
from scanner.detect.asn1.keys import okp_public
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards.trials import Trial

EIGHTH = "a/8 limbs-le"
"""Encoding, as reports spell it."""

_A = 486662
"""The coefficient of Curve25519 (RFC 7748 section 4.1)."""

_SIZE = 32


def search(pool: Pool, positions: Offsets) -> Iterator[Trial]:
    """Yield the keys of which both halves stand at the positions, each with its public key.

    A clamped scalar's eighth has bit 251 for its highest, as one random piece in 32 has.
    """
    likely = positions[pool.data[positions + _SIZE - 1] >> 3 == 1]
    for position in dict.fromkeys(likely.tolist()):
        both = pool.data[position : position + 2 * _SIZE].tobytes()
        if len(both) == 2 * _SIZE and _adjoin(a := multiplied(both[:_SIZE]), both[_SIZE:]):
            yield Trial("ed25519", position, a, edwards25519.multiple(a), EIGHTH)


def multiplied(raw: bytes) -> bytes:
    """Return eight times a number of 252 bits."""
    return (int.from_bytes(raw, "little") << 3).to_bytes(33, "little")[:32]


def _adjoin(a: bytes, half: bytes) -> bool:
    """Tell whether ``half`` is x of a*B on libuecc's curve: x*x is u*u/(v*v)."""
    x = int.from_bytes(half[:-1] + bytes((half[-1] & ~SIGN,)), "little")
    u = int.from_bytes(okp_public("x25519", a), "little")
    return x > 1 and (x * x * (u * u + _A * u + 1) - u) % P == 0
