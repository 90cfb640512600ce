"""Multiples of the base point of edwards448 (RFC 8032 5.2), from the scalar that Ed448 clamps.

X448 multiplies the point that a 4-isogeny makes of the base point, u = y**2/x**2 (RFC 7748 4.2): so
y or -y is had in a fifth of the time that the formulas here take, and which of them it is, and
the sign of x, is computed where one stands. Nothing here takes a constant time: keys of dumps need
none.
"""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import x448

from scanner.detect.algebra import effort, gmp
from scanner.detect.algebra.gmp import mpz

SIZE = 57
"""Bytes of an encoded point, and of a scalar, whose last one is zero."""

_BYTES = 56
_P = (1 << 448) - (1 << 224) - 1
_FIELD = mpz(_P)
_D = -39081
_X = int(
    "224580040295924300187604334099896036246789641632564134246125461686950415467406032909029192869357"
    "953282578032075146446173674602635247710"
)
_Y = int(
    "298819210078481492676017930443930673437544040154080242095928241372331506189835876003536878655418"
    "784733982303233503462500531545062832660"
)

_Point = tuple[int, int, int]
"""Projective coordinates X, Y, Z of x = X/Z, y = Y/Z (RFC 8032 5.2.4)."""


def unsigned_multiples(scalar: bytes) -> Iterator[bytes]:
    """Yield encoded points, their sign left out, one of which is a*B of a clamped scalar a.

    Of the two values that x**2 may have one is a square, as d is none.
    """
    effort.derive("x448")
    own = x448.X448PrivateKey.from_private_bytes(scalar[:_BYTES])
    u = int.from_bytes(own.public_key().public_bytes_raw(), "little")
    root = _root((1 + u) ** 2 - 4 * _D * u)
    if not u or root is None:
        return
    half = gmp.inverse(2 * _D * u, _P)  # of _D*u*x**4 - (1 + u)*x**2 + 1 = 0
    for signed in (root, -root):
        y = _root(u * (1 + u + signed) * half)
        for value in () if y is None else (y, -y % _P):
            yield value.to_bytes(SIZE, "little")


def is_point(encoded: bytes) -> bool:
    """Tell whether a point has such an encoding, of either sign (RFC 8032 5.2.3)."""
    y = int.from_bytes(encoded[:_BYTES], "little")
    return y < _P and _root((y * y - 1) * (_D * y * y - 1)) is not None


def _root(square: int) -> int | None:
    root = gmp.power(square, (_P + 1) // 4, _P)
    return root if (root * root - square) % _P == 0 else None


def multiple(scalar: bytes) -> bytes:
    """Return a*B as an encoded point, with the sign that x has (RFC 8032 5.2.2)."""
    total, double = (mpz(0), mpz(1), mpz(1)), (mpz(_X), mpz(_Y), mpz(1))
    a = int.from_bytes(scalar, "little")
    while a:
        if a & 1:
            total = _added(total, double)
        double = _added(double, double)
        a >>= 1
    inverse = gmp.inverse(total[2], _P)
    x, y = int(total[0] * inverse % _P), int(total[1] * inverse % _P)
    return (y | x % 2 << 8 * SIZE - 1).to_bytes(SIZE, "little")


def _added(one: _Point, other: _Point) -> _Point:
    """Add any two points: the formulas know no exception on this curve."""
    (x1, y1, z1), (x2, y2, z2), p = one, other, _FIELD
    a, c, d = z1 * z2 % p, x1 * x2 % p, y1 * y2 % p
    b, e = a * a % p, _D * c * d % p
    f, g = b - e, b + e
    h = (x1 + y1) * (x2 + y2) - c - d
    return a * f % p * h % p, a * g % p * (d - c) % p, f * g % p
