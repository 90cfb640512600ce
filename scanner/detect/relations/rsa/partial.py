"""Part of a prime is enough: a factor whose end was overwritten, by a lattice of two rows.

An allocator writes its links over the first bytes of a block that is freed: the low limbs of a
little-endian prime, the high bytes of a big-endian one. Then the same part of q follows from n, and
what is lost of both solves a linear equation in two small numbers: the closest vector in a plane,
which Lagrange's reduction finds (H. Cohen, 1993, 1.3.14). It needs a third of the prime's bits to
spare, as D. Coppersmith's theorem (1996) does, and the division that follows proves it. This module
refuses to say more than the division does.
"""

import math

from scanner.detect.algebra import gmp
from scanner.detect.algebra.gmp import mpz

SPARE = 64
"""Bits of evidence beyond what two lost parts could explain."""


def recover(n: int, known: int, *, bits: int, lost: int, high: bool) -> int | None:
    """Return the factor of n that has ``bits`` bits, half as many as n, ``lost`` of them unknown.

    ``known`` holds the others in their places, with zeros in the low ones, or, if ``high``, in the
    high ones. None if there is no such factor, or if more than a third of it is lost.
    """
    if 3 * lost + SPARE > bits or not 0 < known < 1 << bits:
        return None
    if high:
        step, unit, module, offset = _from_low_part(n, known, bits, lost)
    else:
        step, unit, module, offset = _from_high_part(n, known, bits, lost)
    if module == 0:
        return None
    factor = int(known + _closest(step, module, offset) * unit)
    return factor if 1 < factor < n and n % factor == 0 else None


def top(n: int, low: int, *, bits: int, lost: int) -> int:
    """Return the number of ``bits`` bits that ends with ``low``, odd, and divides what n ends.

    Without its ``lost`` high bits n may be too. Nothing says that there is such a number.
    """
    step, unit, module, offset = _from_low_part(n, low, bits, lost)
    return int(low + _closest(step, module, offset) * unit)


def bottom(n: int, high: int, *, bits: int, lost: int) -> int:
    """Return the number of ``bits`` bits that begins as ``high`` does, and divides what n begins.

    Without its ``lost`` low bits n may be too. Nothing says that there is such a number.
    """
    step, unit, module, offset = _from_high_part(n, high, bits, lost)
    return int(high + _closest(step, module, offset) * unit)


def from_exponent(n: int, e: int, one: int, d: int, *, lost: int) -> int | None:
    """Return a factor of n, of two about as long as each other, by d without its ``lost`` low bits.

    e*d is ``one`` more than a multiple of (p-1)*(q-1): so p + q is known nearly, and so is p.
    """
    middle = d + (1 << lost - 1)
    k = -(-e * d // n)
    total = n + 1 - (e * middle - one) // max(k, 1)
    square = total * total - 4 * n
    if k <= 0 or square <= 0:
        return None
    apart = math.isqrt(square)
    error = ((e // k + 1) << lost) * (total // max(apart, 1) + 1)
    unsure = error.bit_length()
    p = (total + apart) // 2 - (1 << unsure - 1)
    return recover(n, p, bits=-(-n.bit_length() // 2), lost=unsure, high=False)


def _from_high_part(n: int, a: int, bits: int, lost: int) -> tuple[int, int, int, int]:
    """Say what makes p = a + x: b*x + a*y is n - a*b but for its last bits, where q = b + y."""
    n, a = mpz(n), mpz(a)
    b = n // (a + (1 << (lost - 1)))
    drop = bits - 2 * lost - SPARE
    return b >> drop, 1, a >> drop, -((n - a * b) >> drop)


def _from_low_part(n: int, a: int, bits: int, lost: int) -> tuple[int, int, int, int]:
    """Say what makes p = a + x*u: b*x + a*y is (n - a*b) / u modulo u, where q = b + y*u."""
    n, a, unit = mpz(n), mpz(a), 1 << (bits - lost)
    inverse = gmp.inverse(a, unit) if a & 1 else 0
    b = n * inverse % unit
    module = 1 << (2 * lost + SPARE)
    rest = (n - a * b) // unit
    return -b * inverse % module, unit, module, rest * inverse % module


def _closest(step: int, module: int, offset: int) -> int:
    """Return the x that makes both x and step*x + module*y + offset small, for some y."""
    u, v = _short(step, module)
    if _dot(u, u) > _dot(v, v):
        u, v = v, u
    while True:
        shrink = _rounded(_dot(u, v), _dot(u, u))
        v = (v[0] - shrink * u[0], v[1] - shrink * u[1])
        if _dot(v, v) >= _dot(u, u):
            break
        u, v = v, u
    area = u[0] * v[1] - u[1] * v[0]
    times_u, times_v = _rounded(offset * v[0], area), _rounded(-offset * u[0], area)
    return times_u * u[0] + times_v * v[0]


def _short(step: int, module: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return a basis that is nearly reduced: Euclid's algorithm, half-way through."""
    x, y, behind, rest = 0, 1, module, step % module
    half = 1 << module.bit_length() // 2
    while rest > half:
        times = behind // rest
        x, y, behind, rest = y, x - times * y, rest, behind - times * rest
    return (y, rest), (x, behind)


def _dot(a: tuple[int, int], b: tuple[int, int]) -> int:
    return a[0] * b[0] + a[1] * b[1]


def _rounded(a: int, b: int) -> int:
    return (2 * a + b) // (2 * b)
