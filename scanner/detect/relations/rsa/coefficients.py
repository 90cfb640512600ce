"""RSA keys that nobody names, by their coefficient: q*qinv = 1 modulo p (RFC 8017 3.2).

Whoever takes d modulo p - 1 has that number, which is p but for one bit: where both stand, p is
worth a test. With p, what stands near it as the coefficient gives q, and q or q - 1 must stand as
well. Where keys lie side by side, it tells which primes belong together. This module takes no prime
for a key, and no pair of them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Words
from scanner.detect.algebra import gmp
from scanner.detect.algebra.material import Rsa
from scanner.detect.integers import readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.numbers import Numbers
from scanner.detect.integers.pool import NEIGHBOURHOOD, SLACK
from scanner.detect.relations.places import nearby
from scanner.detect.relations.related import Related, of_numbers
from scanner.detect.relations.rsa import arithmetic, pairs
from scanner.detect.relations.rsa.shelf import Shelf, once

MOST_PRIMES = (256, 96)
"""Numbers of a length that are tested for being prime, at 0.2 to 1 ms each: in a section of few
runs, and of many."""

MOST_NEAR = 256
"""Numbers near a prime that are tried as its coefficient: an inverse costs 5 us."""

MOST_PLACES = 16
"""Copies of a prime around which that is done."""

PROOF = "q*qinv = 1 mod p"

LESS_ONE = "p-1"
"""What a number is that is p when 1 is added."""

_ODD, _FULL = np.uint64(1), np.uint64(63)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Prime:
    """A prime, which of the odd numbers it is, and positions of it and of the number below it."""

    value: int
    index: int
    positions: list[int]


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys of a prime beside the number below it, but of the moduli ``others``.

    Seen in what Go freed: p, p - 1 and q - 1, and the coefficient.
    """
    seen = set(others)
    for bits in arithmetic.PRIME_BITS:
        every = listed(shelf, bits)
        odd = shelf.numbers(bits)
        odd = once(odd.take(odd.exact))
        even = every.take((every.low & _ODD == 0) & (every.top >> _FULL == 1))
        for prime in _primes(shelf, odd, even):
            if all(n % prime.value for n in seen):
                found = _completed(shelf, every, (odd, even), prime)
                if found is not None:
                    seen.add(found[0].n)
                    yield found[1]


def listed(shelf: Shelf, bits: int) -> Numbers:
    """List what stands at a run's edge, odd or even, up to a length.

    Where runs are many, what fills its run alone.
    """
    pool, edges = shelf.pool, shelf.edges
    parts = []
    for index, reading in enumerate(pool.readings):
        if reading.digit != 8:
            continue
        size = readings.width(reading, bits)
        most = len(pool.data) if edges.loose else size + 2 * SLACK
        begins, ends = (
            side.at[side.exact & (side.room >= size) & (side.room <= most)]
            for side in (edges.begins[index], edges.ends[index])
        )
        position = distinct(np.concatenate((begins, ends - size)))
        low = readings.low(reading, pool.data, position, bits)
        top = readings.top(reading, pool.data, position, bits)
        parts.append((position, np.full(len(position), index, np.int8), low, top))
    position, which, low, top = map(np.concatenate, zip(*parts, strict=True))
    order = np.argsort(position, kind="stable")
    return Numbers(
        bits=bits,
        position=position[order],
        reading=which[order],
        low=low[order],
        top=top[order],
        exact=np.ones(len(order), np.bool_),
    )


def together(shelf: Shelf, every: Numbers, p: int, q: int, positions: list[int]) -> bool:
    """Tell whether the coefficient of two primes, modulo either, stands near some positions."""
    near = _near(shelf, every, positions)
    return any(value * q % p == 1 or value * p % q == 1 for value in near)


def _near(shelf: Shelf, every: Numbers, positions: list[int]) -> list[int]:
    """Read the numbers that are nearest to one of some positions."""
    marks = nearby.coordinates(shelf.pool, np.sort(positions))
    distance = nearby.apart(shelf.along(every), marks)
    order = np.argsort(distance, kind="stable")[:MOST_NEAR]
    return shelf.values(every, order[distance[order] <= NEIGHBOURHOOD])


def _primes(shelf: Shelf, odd: Numbers, even: Numbers) -> Iterator[_Prime]:
    """Yield primes beside the number below them, in the order in which they stand."""
    names, below = _names(odd), _names(even)
    rows = np.flatnonzero(np.isin(names, below))[: shelf.pool.budget(*MOST_PRIMES)]
    for index in rows.tolist():
        value = shelf.value(odd, index)
        if arithmetic.is_prime(value):
            same = even.position[below == names[index]][:MOST_PLACES]
            positions = [int(odd.position[index]), *same.tolist()]
            yield _Prime(value=value, index=index, positions=positions)


def _completed(
    shelf: Shelf, every: Numbers, both: tuple[Numbers, Numbers], prime: _Prime
) -> tuple[Rsa, Related] | None:
    """Return the key of a prime p, if q or q - 1 stands, and the coefficient near p."""
    p, odd = prime.value, both[0]
    for value in dict.fromkeys(_near(shelf, every, prime.positions)):
        inverse = gmp.inverse(value, p) if value % p else 0
        for q in (inverse, inverse + p) if inverse else ():
            rows = [
                (numbers, index, role)
                for numbers, less, role in zip(both, (0, 1), ("p", LESS_ONE), strict=True)
                for index in _standing(shelf, numbers, q - less)
            ]
            if rows and q & 1 and arithmetic.is_prime(q):
                key = arithmetic.complete(p, q, pairs.exponent(shelf, p, odd, prime.index))
                if key is not None:
                    return key, _related(shelf, key, [(odd, prime.index, "p"), rows[0]])
    return None


def _standing(shelf: Shelf, numbers: Numbers, value: int) -> list[int]:
    """Return which of the numbers is a value, if any: it is looked for by both ends."""
    if value.bit_length() != numbers.bits:
        return []
    low, top = np.uint64(value & (1 << 64) - 1), np.uint64(value >> numbers.bits - 64)
    rows = np.flatnonzero((numbers.low == low) & (numbers.top == top))[:1].tolist()
    return [index for index in rows if shelf.value(numbers, index) == value]


def _names(numbers: Numbers) -> Words:
    """Mix both ends of numbers, the last bit set: odd and even ones that adjoin have one name."""
    return (numbers.low | _ODD) + numbers.top * np.uint64(0x9E3779B97F4A7C15)


def _related(shelf: Shelf, key: Rsa, rows: list[tuple[Numbers, int, str]]) -> Related:
    forms = (shelf.reading(numbers, index) for numbers, index, _ in rows)
    places = ((shelf.place(numbers, index), role) for numbers, index, role in rows)
    return of_numbers(key, PROOF, forms, places)
