"""DSA keys of 1024 bits in digits of which the order and the exponent, of 160 bits, are no runs.

Three digits of 60 bits are too few to look random, and six of 28 are not always. Where a number as
long as p stands in digits the memory around it is read for such: nearly all bits of each digit but
the last are in use, and an order divides p - 1. Seen in LibTomCrypt, whose manual has such keys
first. What lies further away is not looked for, and neither are numbers that fill their words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes, Offsets
from scanner.detect.algebra import gmp
from scanner.detect.integers import readings
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.fields import exponents, groups, subgroups
from scanner.detect.relations.fields.groups import Group
from scanner.detect.relations.fields.short_numbers import BITS
from scanner.detect.relations.places import digits
from scanner.detect.relations.related import Related
from scanner.model import NONCE_DSA, Place

LONG = 1024
"""Bits of the p of an order of 160."""

MOST_MODULI, MOST_NUMBERS = 4, 256
"""Numbers that are tried as p, of one reading; and those around one, the nearest, as q and x: a
power takes 70 us."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Number:
    """A number of an order's length, and where it stands."""

    value: int
    place: Place


def search(pool: Pool, found: set[int]) -> Iterator[Related]:
    """Yield each key whose p is in digits and whose public number was not ``found`` otherwise."""
    for how in digits.held(pool.readings) if pool.few and len(pool.at) else ():
        elements = dict(subgroups.in_digits(pool, how, LONG))
        moduli = [(p, at) for p, at in elements.items() if p % 2][:MOST_MODULI]
        for p, at in moduli:
            numbers = _around(pool, how, at)
            q = next((one for one in numbers if _is_order(one.value, p)), None)
            if q is not None:
                yield from _keys(how, (p, at), q, numbers, elements, found)


def _is_order(q: int, p: int) -> bool:
    return q.bit_length() == BITS and q % 2 == 1 and (p - 1) % q == 0


def _keys(
    how: Reading,
    modulus: tuple[int, Place],
    order: _Number,
    numbers: list[_Number],
    elements: Mapping[int, Place],
    found: set[int],
) -> Iterator[Related]:
    p, at = modulus
    q = order.value
    bases = subgroups.bases(p, q, (at, order.place), elements)
    group = Group("dsa", p, q, BITS, bases)
    rests = {one.value for one in numbers}
    for g in list(bases)[: groups.MOST_BASES]:
        for one in numbers:
            y = gmp.power(g, one.value, p) if one.value < q else 0
            if y in elements and y not in found and y != g:
                found.add(y)
                proof = NONCE_DSA if y % q in rests else exponents.PROOF
                yield exponents.told(group, (g, one.value, y), how.name, one.place, proof)


def _around(pool: Pool, how: Reading, place: Place) -> list[_Number]:
    """Return what may be a number of an order's length around a place, the nearest first."""
    memory, size = pool.memory, readings.width(how, BITS)
    first = max(place.offset - NEIGHBOURHOOD, 0)
    raw = memory.clip(place.space, first, 2 * NEIGHBOURHOOD)
    data = np.frombuffer(raw, np.uint8)
    at = np.arange(-(int(memory.map.base[place.space]) + first) % how.align, len(data), how.align)
    at = _stand(how, data, at[at + size <= len(data)])
    at = at[np.argsort(abs(at + first - place.offset), kind="stable")][:MOST_NUMBERS]
    values = readings.decode_all(how, data[at[:, None] + np.arange(size)]) if len(at) else []
    return [
        _Number(value, Place(space=place.space, offset=first + spot, size=size))
        for value, spot in zip(values, at.tolist(), strict=True)
    ]


def _stand(how: Reading, data: Bytes, at: Offsets) -> Offsets:
    """Keep where digits stand of which all but one of four, and the last, are long ones."""
    at = at[readings.are_digits(how, data, at, BITS)]
    at = at[readings.top(how, data, at, BITS) >= np.uint64(1 << (readings.WIDE - digits.LACK))]
    whole = readings.count(how, BITS) - 1
    small = np.zeros(len(at), np.int64)
    for index in range(whole):
        small += readings.digit(how, data, at, BITS, index) < np.uint64(1 << (how.digit - 8))
    found: Offsets = at[small <= whole // 4]
    return found
