"""Multiples of the base point of edwards25519 (RFC 8032 5.1), and points that are nobody's key.

What a scalar gives is had from X25519, which multiplies the same point in other coordinates, u =
(1 + y)/(1 - y), in a tenth of the time that the formulas here take; u leaves out the sign of x,
which is computed here where it is asked for. A point of small order is no public key: libsodium and
others keep tables of them to refuse them, and what multiplies to one is a multiple of the order,
such as zero. Nothing here takes a constant time: keys of dumps need none.
"""

from cryptography.hazmat.primitives.asymmetric import x25519

from scanner.detect.algebra import effort, gmp
from scanner.detect.algebra.gmp import mpz

ORDER = (1 << 252) + 27742317777372353535851937790883648493
"""The order L of the base point."""

SIGN = 0x80
"""The bit of the last byte of an encoded point that holds the sign of x (RFC 8032 5.1.2)."""

P = (1 << 255) - 19
"""The prime of its field (RFC 8032 section 5.1)."""

_P448 = (1 << 448) - (1 << 224) - 1
D = -121665 * gmp.inverse(121666, P) % P
"""The coefficient of its curve: -x*x + y*y = 1 + d*x*x*y*y."""
_FIELD, _D = mpz(P), mpz(D)
_X = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A
_Y = 4 * gmp.inverse(5, P) % P

_Point = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T of x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032 5.1.4)."""
_BASE: _Point = (mpz(_X), mpz(_Y), mpz(1), mpz(_X * _Y % P))

_PER_ORDER = -gmp.inverse(ORDER, 8) % 8
_BASES = (1, *((1 << 254) + 8 * step for step in range(4)))
"""Multiples of B that another multiple is taken of: the first one as a rule."""

_EIGHTH_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_EIGHTH_U = 0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0
_OTHER_U = 0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F
_SMALL: dict[str, tuple[int, frozenset[int]]] = {
    "ed25519": (P, frozenset({0, 1, P - 1, _EIGHTH_Y, P - _EIGHTH_Y})),
    "x25519": (P, frozenset({0, 1, P - 1, _EIGHTH_U, _OTHER_U})),
    "ed448": (_P448, frozenset({0, 1, _P448 - 1})),
    "x448": (_P448, frozenset({0, 1, _P448 - 1})),
}
"""The field, and y or u of the points whose order divides the cofactor."""


def small_order(algorithm: str, public: bytes) -> bool:
    """Tell whether an encoded point has a small order, however it is written (RFC 7748 7).

    A coordinate that is not below the field's prime is the same point's, and so is either sign.
    """
    field, points = _SMALL[algorithm]
    value = int.from_bytes(public, "little")
    if algorithm.endswith("25519"):
        value &= ~(SIGN << 248)
    elif algorithm == "ed448":
        value &= ~(SIGN << 448)
    return value % field in points


def montgomery(public: bytes) -> bytes:
    """Return u of an encoded point, whatever its sign (RFC 7748 4.1)."""
    y = int.from_bytes(public, "little") & ~(SIGN << 248)
    return ((1 + y) * gmp.inverse(1 - y, P) % P if (1 - y) % P else 0).to_bytes(32, "little")


def unsigned_multiple(scalar: bytes) -> bytes:
    """Return a*B of 32 bytes a as an encoded point whose sign is left out.

    Empty where no clamped scalar gives it, as for a multiple of the order.
    """
    a = int.from_bytes(scalar, "little")
    u = _u(a, 1) if a % 8 == 0 and a >> 254 == 1 else _multiplied(a)
    if not u or (u + 1) % P == 0:
        return b""
    return ((u - 1) * gmp.inverse(u + 1, P) % P).to_bytes(32, "little")


def _multiplied(a: int) -> int:
    """Return u of a*B, or 0 where no clamped scalar gives it.

    X25519 takes none but multiples of 8 from 2**254 on: of the numbers that are a or -a modulo L
    one is as a rule, -a having the same u. Where a itself is a multiple of 8 none is, and it is
    taken of another base, b*B, whose multiple by a/b it is too.
    """
    for base in _BASES if a % ORDER else ():
        part = a * gmp.inverse(base, ORDER) % ORDER
        for signed in (part, ORDER - part):
            whole = signed + signed * _PER_ORDER % 8 * ORDER
            if whole >> 254 == 1:
                return _u(whole, base)
    return 0


def _u(whole: int, base: int) -> int:
    """Return u of a clamped multiple of base*B (RFC 7748 5)."""
    effort.derive("x25519")
    own = x25519.X25519PrivateKey.from_private_bytes(whole.to_bytes(32, "little"))
    if base == 1:
        return int.from_bytes(own.public_key().public_bytes_raw(), "little")
    other = x25519.X25519PrivateKey.from_private_bytes(base.to_bytes(32, "little"))
    return int.from_bytes(own.exchange(other.public_key()), "little")


def multiple(scalar: bytes) -> bytes:
    """Return a*B of 32 bytes a as an encoded point, with the sign that x has (RFC 8032 5.1.4)."""
    total, double = (mpz(0), mpz(1), mpz(1), mpz(0)), _BASE
    a = int.from_bytes(scalar, "little")
    while a:
        if a & 1:
            total = _added(total, double)
        double = _added(double, double)
        a >>= 1
    inverse = gmp.inverse(total[2], P)
    x, y = int(total[0] * inverse % P), int(total[1] * inverse % P)
    return (y | x % 2 << 255).to_bytes(32, "little")


def encoded(x: int, y: int) -> bytes:
    """Return a point as it is encoded (RFC 8032 5.1.2); empty where it is none of the curve's."""
    if max(x, y) >= P or (y * y - x * x - 1 - D * x * x * y * y) % P:
        return b""
    return (y | x % 2 << 255).to_bytes(32, "little")


def _added(one: _Point, other: _Point) -> _Point:
    """Add any two points: the formulas know no exception on this curve."""
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    p = _FIELD
    a, b = (y1 - x1) * (y2 - x2) % p, (y1 + x1) * (y2 + x2) % p
    c, d = 2 * t1 * t2 * _D % p, 2 * z1 * z2 % p
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % p, g * h % p, f * g % p, e * h % p
