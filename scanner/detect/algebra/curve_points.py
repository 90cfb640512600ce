"""Points of named curves: decoded, checked and derived, by the library or, where it has none, here.

The cryptography package computes on the usual curves. On SM2 (GB/T 32918.5, ISO/IEC 14888-3), P-192
(FIPS 186-4 D.1.2.1) and two curves of RFC 5639 it does not, or not for long, so their groups stand
here as numbers, and the formulas are those of any curve in short Weierstrass form (SEC 1 2.2.1,
2.3.4; Jacobian coordinates as in the Handbook of Elliptic and Hyperelliptic Curve Cryptography,
13.2.1). They take as long as the scalar's bits make them: keys of dumps that are here already need
no constant time. This module knows no key.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric import ec

from scanner.detect.algebra import gmp
from scanner.fingerprint import FIELD_BYTES

CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-224": ec.SECP224R1,
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
    "brainpoolP512r1": ec.BrainpoolP512R1,
}
"""Curves that the library has."""

Point = tuple[int, int]
_Jacobian = tuple[int, int, int]  # (X/Z**2, Y/Z**3); Z = 0 at infinity


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """y**2 = x**3 + a*x + b modulo p, and G, whose order is the prime n; p is 3 modulo 4."""

    p: int
    a: int
    b: int
    g: Point
    n: int


def _hex(text: str) -> int:
    return int(text.replace(" ", ""), 16)


_SM2_P = _hex("fffffffe ffffffff ffffffff ffffffff ffffffff 00000000 ffffffff ffffffff")

GROUPS: dict[str, Group] = {
    "SM2": Group(
        p=_SM2_P,
        a=_SM2_P - 3,
        b=_hex("28e9fa9e 9d9f5e34 4d5a9e4b cf6509a7 f39789f5 15ab8f92 ddbcbd41 4d940e93"),
        g=(
            _hex("32c4ae2c 1f198119 5f990446 6a39c994 8fe30bbf f2660be1 715a4589 334c74c7"),
            _hex("bc3736a2 f4f6779c 59bdcee3 6b692153 d0a9877c c62a4740 02df32e5 2139f0a0"),
        ),
        n=_hex("fffffffe ffffffff ffffffff ffffffff 7203df6b 21c6052b 53bbf409 39d54123"),
    ),
    "P-192": Group(
        p=_hex("ffffffff ffffffff ffffffff fffffffe ffffffff ffffffff"),
        a=_hex("ffffffff ffffffff ffffffff fffffffe ffffffff fffffffc"),
        b=_hex("64210519 e59c80e7 0fa7e9ab 72243049 feb8deec c146b9b1"),
        g=(
            _hex("188da80e b03090f6 7cbf20eb 43a18800 f4ff0afd 82ff1012"),
            _hex("07192b95 ffc8da78 631011ed 6b24cdd5 73f977a1 1e794811"),
        ),
        n=_hex("ffffffff ffffffff ffffffff 99def836 146bc9b1 b4d22831"),
    ),
    "brainpoolP224r1": Group(
        p=_hex("d7c134aa 26436686 2a183025 75d1d787 b09f0757 97da89f5 7ec8c0ff"),
        a=_hex("68a5e62c a9ce6c1c 299803a6 c1530b51 4e182ad8 b0042a59 cad29f43"),
        b=_hex("2580f63c cfe44138 870713b1 a92369e3 3e2135d2 66dbb372 386c400b"),
        g=(
            _hex("0d9029ad 2c7e5cf4 340823b2 a87dc68c 9e4ce317 4c1e6efd ee12c07d"),
            _hex("58aa56f7 72c0726f 24c6b89e 4ecdac24 354b9e99 caa3f6d3 761402cd"),
        ),
        n=_hex("d7c134aa 26436686 2a183025 75d0fb98 d116bc4b 6ddebca3 a5a7939f"),
    ),
    "brainpoolP320r1": Group(
        p=_hex(
            "d35e4720 36bc4fb7 e13c785e d201e065 f98fcfa6 "
            "f6f40def 4f92b9ec 7893ec28 fcd412b1 f1b32e27"
        ),
        a=_hex(
            "3ee30b56 8fbab0f8 83ccebd4 6d3f3bb8 a2a73513 "
            "f5eb79da 66190eb0 85ffa9f4 92f375a9 7d860eb4"
        ),
        b=_hex(
            "52088394 9dfdbc42 d3ad1986 40688a6f e13f4134 "
            "9554b49a cc31dccd 88453981 6f5eb4ac 8fb1f1a6"
        ),
        g=(
            _hex(
                "43bd7e9a fb53d8b8 5289bcc4 8ee5bfe6 f20137d1 "
                "0a087eb6 e7871e2a 10a599c7 10af8d0d 39e20611"
            ),
            _hex(
                "14fdd055 45ec1cc8 ab409324 7f77275e 0743ffed "
                "117182ea a9c77877 aaac6ac7 d35245d1 692e8ee1"
            ),
        ),
        n=_hex(
            "d35e4720 36bc4fb7 e13c785e d201e065 f98fcfa5 "
            "b68f12a3 2d482ec7 ee8658e9 8691555b 44c59311"
        ),
    ),
}
"""Curves that the library does not have, or not for long."""


def known(curve: str) -> bool:
    """Tell whether points of a curve can be computed."""
    return curve in CURVES or curve in GROUPS


def contains(curve: str, x: int, y: int) -> bool:
    """Tell whether a point lies on a curve that is known."""
    group = GROUPS.get(curve)
    if group is not None:
        return min(x, y) >= 0 and max(x, y) < group.p and y * y % group.p == _square(group, x)
    try:
        ec.EllipticCurvePublicNumbers(x, y, CURVES[curve]()).public_key()
    except ValueError:
        return False
    return True


def decode(curve: str, raw: bytes) -> Point:
    """Read an encoded point (SEC 1 2.3.4), compressed or not. Raises ValueError for none."""
    group, size = GROUPS.get(curve), FIELD_BYTES[curve]
    whole = len(raw) == 1 + 2 * size and raw[0] == 4
    x, y = int.from_bytes(raw[1 : 1 + size], "big"), int.from_bytes(raw[1 + size :], "big")
    if group is None:
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[curve](), raw)
        if whole:  # to ask for its numbers takes as long as to check them
            return x, y
        numbers = key.public_numbers()
        return numbers.x, numbers.y
    if not whole:
        if len(raw) != 1 + size or raw[0] not in (2, 3):
            raise ValueError
        y = gmp.power(_square(group, x), (group.p + 1) // 4, group.p)
        y = y if y % 2 == raw[0] % 2 else group.p - y
    if not contains(curve, x, y):
        raise ValueError
    return x, y


def derive(curve: str, d: int) -> Point:
    """Return d*G. Raises ValueError where d is not between 0 and the order."""
    group = GROUPS.get(curve)
    if group is None:
        numbers = ec.derive_private_key(d, CURVES[curve]()).public_key().public_numbers()
        return numbers.x, numbers.y
    return _multiply(group, d, group.g)


def shared(curve: str, d: int, points: Iterable[Point]) -> list[int]:
    """Return the x of d times each of some points of the curve. Raises ValueError like the others.

    It is what a key agreement gives (SEC 1 3.3.1).
    """
    group = GROUPS.get(curve)
    if group is not None:
        return [_multiply(group, d, point)[0] for point in points]
    named = CURVES[curve]()
    key = ec.derive_private_key(d, named)
    others = (ec.EllipticCurvePublicNumbers(x, y, named).public_key() for x, y in points)
    return [int.from_bytes(key.exchange(ec.ECDH(), other), "big") for other in others]


def _multiply(group: Group, d: int, point: Point) -> Point:
    if not 0 < d < group.n:
        raise ValueError
    group = replace(group, p=gmp.mpz(group.p))
    total: _Jacobian = (1, 1, 0)
    for bit in f"{d:b}":
        total = _double(group, total)
        if bit == "1":
            total = _add(group, total, point)
    x, y, z = total
    inverse = gmp.inverse(z, group.p)
    return int(x * inverse**2 % group.p), int(y * inverse**3 % group.p)


def _square(group: Group, x: int) -> int:
    return (x * x * x + group.a * x + group.b) % group.p


def _double(group: Group, point: _Jacobian) -> _Jacobian:
    x, y, z = point
    p = group.p
    yy = y * y % p
    s, m = 4 * x * yy % p, (3 * x * x + group.a * pow(z, 4, p)) % p
    t = (m * m - 2 * s) % p
    return t, (m * (s - t) - 8 * yy * yy) % p, 2 * y * z % p


def _add(group: Group, one: _Jacobian, other: Point) -> _Jacobian:
    """Add a point in affine form."""
    x, y, z = one
    p = group.p
    if not z:
        return *other, 1
    zz = z * z % p
    h, r = (other[0] * zz - x) % p, (other[1] * zz * z - y) % p
    if not h:
        return _double(group, one) if not r else (1, 1, 0)
    hh = h * h % p
    v = x * hh % p
    t = (r * r - hh * h - 2 * v) % p
    return t, (r * (v - t) - y * hh * h) % p, z * h % p
