"""DSA exponents of 160 bits, which are no runs (``short_numbers``).

Orders were of 160 bits (FIPS 186-2), and are so in the keys of 1024 bits that OpenSSL, JDK and .NET
make still. Where a public key of the group was read, one power decides, and exponents are looked
for everywhere; where none was, around the numbers of the group, and the public number must stand.
This module passes nonces over: of a signature's r no run tells either.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from scanner.detect.algebra import gmp
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.fields import short_numbers
from scanner.detect.relations.fields.groups import Group
from scanner.detect.relations.fields.short_numbers import BITS, SIZE, Number
from scanner.detect.relations.places import words
from scanner.detect.relations.places.adjoining import filling, filling_ints
from scanner.model import Place

MOST_NEAR, MOST_FAR = 2_000, 8_000
"""Exponents that are tried there, and elsewhere, at 70 us each modulo a p of 1024 bits: of longer
ones fewer, as each costs more."""

MOST_ELEMENTS = 512
"""Numbers of one reading that may be public ones, at 70 us each; of longer ones fewer, too."""

_USUAL = 1024
"""Bits of such a p."""

_LACK = 16
"""Bits that an exponent is shorter than its order at most."""


def search(pool: Pool, group: Group) -> Iterator[tuple[tuple[int, int, int], Reading, Place]]:
    """Yield g, x and y of public keys of a group, and how x stands where.

    Those that were read, and near their group what stands and may be one. Seen in .NET, alive: five
    arrays of bytes in a row; and in OpenSSL: many keys of one group.
    """
    if group.q.bit_length() != BITS:
        return
    elements = _elements(pool, group)
    left = {*group.stated, *itertools.product(group.bases, elements)}
    cost = len(group.bases) * max(group.p.bit_length(), _USUAL) ** 2
    told = [key.witness.place for key in group.stated.values() if key.witness.place]
    numbers = (*(y for _, y in group.stated), *group.bases, group.p)
    places = [*_places(pool, numbers), *told, *_places(pool, elements)]
    near, far = short_numbers.near(pool, places), short_numbers.far(pool)
    for found, most in ((near, MOST_NEAR), (far, MOST_FAR)):
        fresh = _fresh(found, group.q)
        for x, how, place in itertools.islice(fresh, most * _USUAL**2 // cost):
            for g in group.bases:
                key = g, gmp.power(g, x, group.p)
                if key in left:
                    left.remove(key)
                    yield (g, x, key[1]), how, place
        if not left.intersection(group.stated):
            return


def _elements(pool: Pool, group: Group) -> list[int]:
    """List numbers that fill their runs and are in the group: public ones, if they are no base."""
    size, found = group.p.bit_length() // 8, dict[int, None]()
    most = MOST_ELEMENTS * _USUAL**2 // max(group.p.bit_length(), _USUAL) ** 2
    for how in readings.unpacked(pool.readings):
        at = (filling_ints if how == readings.JAVA else filling)(pool, size)[:most]
        rows = pool.data[at[:, None] + np.arange(size)]
        found |= dict.fromkeys(readings.decode_all(how, rows) if len(at) else ())
    able = (y for y in found if 1 < y < group.p and y not in group.bases)
    return [y for y in able if gmp.power(y, group.q, group.p) == 1]


def _fresh(found: Iterator[Number], q: int) -> Iterator[Number]:
    """Yield what is as long as an order and below it, each number once."""
    seen: set[int] = set()
    for one in found:
        if 1 << (BITS - _LACK) < one[0] < q and one[0] not in seen:
            seen.add(one[0])
            yield one


def _places(pool: Pool, numbers: Sequence[int]) -> list[Place]:
    """Return where numbers of a group stand, in the order of the numbers."""
    forms = [
        (index, readings.encode(how, number, 8 * (-(-number.bit_length() // 64) * 8)))
        for index, number in enumerate(numbers)
        for how in readings.unpacked(pool.readings)
    ]
    hits = words.find_whole(pool.data, [raw for _, raw in forms])
    return [pool.place(at, SIZE) for _, at in sorted((forms[row][0], at) for row, at in hits)]
