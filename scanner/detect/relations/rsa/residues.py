"""RSA keys of which nothing is left but a number that is congruent to a known one modulo a prime.

Who multiplies modulo p as Montgomery did keeps R or R*R modulo p beside p, where R is 2**w and w
the bits of p's limbs, or of its digits: p divides what that differs from the power. Who takes d
modulo p - 1 has that number, which p follows. One product modulo n tells of many such numbers, of
either parity. Seen in nginx (OpenSSL) and Caddy (Go), which keep R*R, and in libtommath, which
leaves R where it took a power. This module refuses numbers that are congruent to what nobody knows,
as the coefficient is.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra.gmp import mpz
from scanner.detect.algebra.material import Rsa
from scanner.detect.integers import readings
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import nearby
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, known
from scanner.detect.relations.rsa.coefficients import LESS_ONE
from scanner.detect.relations.rsa.shelf import Shelf, exact

MOST = (1 << 10, 1 << 9)
"""Products modulo a number of up to 2048 bits, at 10 us each, in a section of few runs and of many:
so many of moduli that were read. Of longer numbers fewer, as each costs more."""

UNREAD = 4
"""The part of it that is spent on moduli that nobody read."""

LEAST = 4
"""Numbers that are tried on each modulus: of those that nobody read, no more are looked at."""

POWERS = {"R mod p": 1, "R*R mod p": 2}
"""What a number is, and which power of R it is congruent to."""

PROOF = "p | n"

DIGITS = ("digits-28", "digits-60", "digits-31", "digits-63")
"""Digits in which libraries multiply as Montgomery did: libtommath's, and Go's of 1.20."""

_USUAL = 1024

_Target = tuple[int, Offsets]
"""A modulus, and the coordinates where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Shown:
    """Numbers of a length, in order: where they stand and are read; what was read, and made of it.

    All that is congruent to 0 modulo p, where the number is one of those that are looked for.
    """

    bits: int
    position: Offsets
    reading: Offsets
    along: Offsets
    products: dict[int, int] = field(default_factory=dict)


def search(shelf: Shelf, moduli: dict[int, int], others: Collection[int]) -> Iterator[Related]:
    """Yield each key of which such a number stands: of a modulus that was read, or that stands too.

    Those of ``others`` are found already.
    """
    seen = set(others)
    for bits in arithmetic.PRIME_BITS:
        shown = _shown(shelf, bits)
        each = shelf.pool.budget(*MOST) * _USUAL**2 // max(bits, _USUAL) ** 2
        if not len(shown.position):
            continue
        read, unread = _named(shelf, bits, moduli), _standing(shelf, bits, {*moduli, *seen})
        for listed, most in ((read, each), (unread, each // UNREAD)):
            targets = listed[: most // LEAST]
            for n, marks in targets:
                row, role, p = _tried(shelf, shown, n, marks, most // len(targets))
                key = arithmetic.complete(p, n // p, moduli.get(n)) if p else None
                if key is not None and n not in seen and all(m % p and m % key.q for m in others):
                    seen.add(n)
                    yield _related(shelf, key, role, shown, row)


def _related(shelf: Shelf, key: Rsa, role: str, shown: _Shown, row: int) -> Related:
    position, how = int(shown.position[row]), shelf.pool.readings[int(shown.reading[row])]
    return Related(
        key=key,
        proof=PROOF,
        encoding=f"{role} {shelf.pool.form(position, how.name)}",
        places=(shelf.pool.place(position, readings.width(how, shown.bits)),),
        roles=(role,),
    )


def _shown(shelf: Shelf, bits: int) -> _Shown:
    """List the limbs that begin or end where their run does, and the digits that fill it."""
    position, reading = shelf.either(bits, limbs=True)
    digits = shelf.digits(bits, DIGITS)
    position, reading = (np.append(*both) for both in zip((position, reading), digits, strict=True))
    order = np.argsort(position, kind="stable")
    position, reading = position[order], reading[order]
    along = nearby.coordinates(shelf.pool, position) if len(position) else position
    return _Shown(bits=bits, position=position, reading=reading, along=along)


def _named(shelf: Shelf, bits: int, moduli: dict[int, int]) -> list[_Target]:
    """Return the moduli that were read, those first that stand as numbers too."""
    mine = {n: e for n, e in moduli.items() if 0 <= 2 * bits - n.bit_length() <= 1}
    places = known.standing(shelf, mine)
    rows = [*places.items(), *((n, np.empty(0, np.int64)) for n in mine if n not in places)]
    return sorted(rows, key=lambda row: -len(row[1]))


def _standing(shelf: Shelf, bits: int, others: Collection[int]) -> list[_Target]:
    """Return what may be moduli that nobody read."""
    numbers = exact(shelf.numbers(2 * bits))
    values = shelf.values(numbers, np.arange(len(numbers)))
    marks = shelf.along(numbers)
    return [(n, marks[i : i + 1]) for i, n in enumerate(values) if n not in others]


def _tried(shelf: Shelf, shown: _Shown, n: int, marks: Offsets, most: int) -> tuple[int, str, int]:
    """Return which of the numbers nearest to a modulus gives a prime of it, as what, and that."""
    half, rows = max(most // (2 * max(len(marks), 1)), 1), range(len(shown.position))
    near = [rows[max(at - half, 0) : at + half] for at in np.searchsorted(shown.along, marks)]
    tried = list(dict.fromkeys(row for part in near or [rows[:most]] for row in part))
    product, whole = mpz(1), mpz(n)
    for row in tried:
        if row not in shown.products:
            power = radix(shelf.pool.readings[int(shown.reading[row])], shown.bits)
            shown.products[row] = math.prod(_differences(mpz(_value(shelf, shown, row)), power))
        product = product * shown.products[row] % whole
    if math.gcd(product, n).bit_length() >= shown.bits - 1:  # small factors are common
        for row in tried:
            value = _value(shelf, shown, row)
            for role in (LESS_ONE, *POWERS):
                for p in divisors(n, role, value):
                    if arithmetic.is_prime(p) and arithmetic.is_prime(n // p):
                        return row, role, p
                    shelf.untested(n)
    return 0, "", 0


def _value(shelf: Shelf, shown: _Shown, row: int) -> int:
    return shelf.pool.number(int(shown.position[row]), shown.bits, int(shown.reading[row]))


def radix(how: Reading, bits: int) -> int:
    """Return the bits of R: all that the words of a prime hold."""
    return readings.count(how, bits) * how.digit


def _differences(value: int, bits: int) -> Sequence[int]:
    return (value + 1, *((1 << power * bits) - value for power in POWERS.values()))


def divisors(n: int, role: str, value: int) -> list[int]:
    """Return the factor of n that a number gives away as what it is said to be."""
    bits = (n.bit_length() + 1) // 2
    which = (LESS_ONE, *POWERS).index(role)
    packed = (radix(how, bits) for how in readings.LITTLE_ENDIAN if how.name in DIGITS)
    differences = (_differences(value, each)[which] for each in (bits, *packed))
    found = (math.gcd(difference, n) for difference in differences)
    return [p for p in found if bits // 2 < p.bit_length() and p < n][:1]
