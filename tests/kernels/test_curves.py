"""Multiples of points, maps and the equation of a curve, held equal to integers of Python."""

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.detect.algebra.edwards25519 import ORDER
from scanner.detect.evidence import ec_derived
from scanner.detect.relations.weierstrass.curves import CURVES, coefficients, generator
from scanner.kernels import curves
from scanner.kernels.curves import Generator, number, rows

NAMES = tuple(CURVES)
P25519 = 2**255 - 19
A25519 = 486662
"""Curve25519: v^2 = u^3 + A*u^2 + u (RFC 7748 4.1)."""


def of_curve(name: str) -> Generator:
    """Return a named curve's generator."""
    curve = CURVES[name]
    x, y = generator(curve)
    return Generator(p=curve.p, a=coefficients(curve)[0], x=x, y=y, bound=curve.n)


def of_25519() -> Generator:
    """Return the base point u = 9 in Weierstrass coordinates, x = u + A/3, for clamped scalars."""
    third = A25519 * pow(3, -1, P25519) % P25519
    a = (1 - A25519 * third) % P25519
    v = 14781619447589544791020593568409986887264606134616475288964881837755586237401
    return Generator(p=P25519, a=a, x=(9 + third) % P25519, y=v, bound=1 << 255)


GENERATORS = {name: of_curve(name) for name in NAMES} | {"25519": of_25519()}
ORDERS = {name: CURVES[name].n for name in NAMES} | {"25519": ORDER}
PRIMES = sorted({generator.p for generator in GENERATORS.values()})


def added(
    generator: Generator, one: tuple[int, int] | None, other: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Add two points; None is the neutral one."""
    if one is None or other is None:
        return one or other
    p, (x, y), (u, v) = generator.p, one, other
    if x == u and (y + v) % p == 0:
        return None
    up, under = (3 * x * x + generator.a, 2 * y) if x == u else (v - y, u - x)
    slope = up * pow(under, -1, p)
    third = (slope * slope - x - u) % p
    return third, (slope * (x - third) - y) % p


def multiple(generator: Generator, scalar: int) -> tuple[int, int] | None:
    """Multiply by doubling and adding."""
    found, power = None, (generator.x, generator.y)
    while scalar:
        if scalar & 1:
            found = added(generator, found, power)
        power, scalar = added(generator, power, power) or power, scalar >> 1
    return found


def multiples(generator: Generator, scalars: list[int]) -> list[tuple[int, int] | None]:
    """Return what the kernel makes of scalars."""
    x, y, valid = curves.multiples(generator, rows(scalars, generator.limbs))
    return [(number(x[row]), number(y[row])) if valid[row] else None for row in range(len(scalars))]


@pytest.mark.parametrize("name", GENERATORS)
def test_the_edges_of_windows(name: str) -> None:
    """Digits of zero, of one sign and of both, doublings, the order and what is beside it.

    Of named curves peers say what is expected.
    """
    base, order = GENERATORS[name], ORDERS[name]
    scalars = [1, 2, 3, 254, 255, 256, 257, 511, 512, 513, 768, order - 1, order - 2, order // 2]
    scalars += [order // 2 + 1, *(1 << at for at in range(0, order.bit_length() - 1, 9))]
    scalars += [(1 << at) - 1 for at in range(1, order.bit_length() - 1, 13)]
    if name not in NAMES:
        assert multiples(base, scalars) == [multiple(base, scalar) for scalar in scalars]
        return
    keys = [ec_derived(name, scalar) for scalar in scalars]
    assert multiples(base, scalars) == [(key.x, key.y) for key in keys if key]


@pytest.mark.parametrize("name", GENERATORS)
def test_what_has_no_multiple(name: str) -> None:
    """Zero, the order, and what is not below the bound: no neighbour in the batch is harmed."""
    base, order = GENERATORS[name], ORDERS[name]
    none = [0, order, base.bound, (1 << 64 * base.limbs) - 1]
    found = multiples(base, [5, *none, 7])
    assert found == [multiple(base, 5), *[None] * len(none), multiple(base, 7)]


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([*GENERATORS]), st.lists(st.integers(0, 2**521), max_size=8))
@example("P-384", [])
def test_any_scalar(name: str, drawn: list[int]) -> None:
    """Batches of any size, also of none."""
    base, order = GENERATORS[name], ORDERS[name]
    scalars = [scalar % order for scalar in drawn]
    assert multiples(base, scalars) == [multiple(base, scalar) for scalar in scalars]


def test_more_than_a_batch() -> None:
    """Rows keep their order where there are more than are added at once; peers agree."""
    base = GENERATORS["P-256"]
    scalars = [pow(3, at, base.bound) for at in range(1, 1200)]
    found = multiples(base, scalars)
    for at in (0, 1, 510, 511, 512, 513, 1023, 1024, 1198):
        key = ec.derive_private_key(scalars[at], ec.SECP256R1()).public_key().public_numbers()
        assert found[at] == (key.x, key.y)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(PRIMES), st.data())
def test_maps(p: int, data: st.DataObject) -> None:
    """(a*x + b)/(c*x + d), and no number where the denominator is zero."""
    element = st.one_of(st.integers(0, p - 1), st.sampled_from([0, 1, 2, p - 2, p - 1, p >> 1]))
    a, b, c, d = data.draw(st.tuples(element, element, element, element))
    values = data.draw(st.lists(element, max_size=20))
    if c:
        values.append(-d * pow(c, -1, p) % p)
    found, valid = curves.mapped(p, (a, b, c, d), rows(values, -(-p.bit_length() // 64)))
    for row, x in enumerate(values):
        under = (c * x + d) % p
        assert bool(valid[row]) is bool(under)
        if under:
            assert number(found[row]) == (a * x + b) * pow(under, -1, p) % p


@pytest.mark.parametrize("name", NAMES)
def test_the_equation(name: str) -> None:
    """Points lie on their curve; with one bit changed, or not reduced, they do not."""
    base, p = GENERATORS[name], CURVES[name].p
    a, b = coefficients(CURVES[name])
    points = [point for point in multiples(base, [1, 2, 99, base.bound - 1]) if point]
    wrong = [(x ^ 1, y) for x, y in points] + [(x, y ^ 2) for x, y in points]
    top = (1 << 64 * base.limbs) - 1
    (x, y), *_ = points
    wrong += [(top, top), (p, p), (0, 0), (min(x + p, top), y)]
    wrong = [(x, y) for x, y in wrong if (y * y - x * x * x - a * x - b) % p or max(x, y) >= p]
    table = np.array([rows(pair, base.limbs) for pair in [*points, *wrong]], np.uint64)
    found = curves.on_curve(p, a, b, table)
    assert found.tolist() == [True] * len(points) + [False] * len(wrong)


def test_wrong_shapes() -> None:
    """No array of another width, kind or layout reaches the kernel."""
    base = GENERATORS["P-256"]
    for scalars in (
        rows([1], 5),
        rows([1, 2], 4)[:, ::-1],
        rows([1], 4).astype(np.int64),
        rows([1], 4).ravel(),
    ):
        with pytest.raises(ValueError, match="array"):
            curves.multiples(base, scalars)
    with pytest.raises(ValueError, match="no kernel"):
        curves.mapped(97, (1, 0, 0, 1), rows([1], 1))
    with pytest.raises(OverflowError):
        rows([1 << 64], 1)
