"""DSA exponents of 160 bits, which are no runs (``short_numbers``).

Orders were of 160 bits (FIPS 186-2), and are so in the keys of 1024 bits that OpenSSL, JDK and .NET
make still. Where a public key of the group was read, one power decides, and exponents are looked
for everywhere; where none was, around the numbers of the group, and the public number must stand.
This module passes nonces over: of a signature's r no run tells either.
"""

import itertools
from collections.abc import Iterator

from scanner.detect.algebra import gmp
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.fields import exponents, short_numbers
from scanner.detect.relations.fields.groups import Group
from scanner.detect.relations.fields.short_numbers import BITS, SIZE, Number
from scanner.detect.relations.places import words
from scanner.model import Place

MOST_NEAR, MOST_FAR = 2_000, 8_000
"""Exponents that are tried there, and elsewhere, at 70 us each modulo a p of 1024 bits: of longer
ones fewer, as each costs more."""

_USUAL = 1024
"""Bits of such a p."""

_LACK = 16
"""Bits that an exponent is shorter than its order at most."""


def search(pool: Pool, group: Group) -> Iterator[tuple[tuple[int, int, int], Reading, Place]]:
    """Yield g, x and y of public keys of a group, and how x stands where."""
    if group.q.bit_length() == BITS:
        cost = len(group.bases) * max(group.p.bit_length(), _USUAL) ** 2
        share = _USUAL**2 / cost
        yield from (_read if group.stated else _standing)(pool, group, share)


def _read(
    pool: Pool, group: Group, share: float
) -> Iterator[tuple[tuple[int, int, int], Reading, Place]]:
    """Yield the keys whose public key was read."""
    left = set(group.stated)
    told = [key.witness.place for key in group.stated.values() if key.witness.place]
    places = [*_places(pool, (*(y for _, y in group.stated), *group.bases, group.p)), *told]
    near, far = short_numbers.near(pool, places), short_numbers.far(pool)
    for found, most in ((near, MOST_NEAR), (far, MOST_FAR)):
        fresh = _fresh(found, group.q)
        for x, how, place in itertools.islice(fresh, int(most * share)):
            for g in group.bases:
                key = g, gmp.power(g, x, group.p)
                if key in left:
                    left.remove(key)
                    yield (g, x, key[1]), how, place
        if not left:
            return


def _standing(
    pool: Pool, group: Group, share: float
) -> Iterator[tuple[tuple[int, int, int], Reading, Place]]:
    """Yield the keys whose public number stands in the pool, by exponents around their group.

    Seen in .NET, alive: five arrays of bytes in a row.
    """
    places = list(dict.fromkeys(place for places in group.bases.values() for place in places))
    fresh = _fresh(short_numbers.near(pool, places), group.q)
    tried = [
        ((g, x, gmp.power(g, x, group.p)), how, place)
        for x, how, place in itertools.islice(fresh, int(MOST_NEAR * share))
        for g in group.bases
    ]
    yield from (
        tried[row]
        for row in exponents.answered(pool, group, [(how, y) for (_, _, y), how, _ in tried])
    )


def _fresh(found: Iterator[Number], q: int) -> Iterator[Number]:
    """Yield what is as long as an order and below it, each number once."""
    seen: set[int] = set()
    for one in found:
        if 1 << (BITS - _LACK) < one[0] < q and one[0] not in seen:
            seen.add(one[0])
            yield one


def _places(pool: Pool, numbers: tuple[int, ...]) -> list[Place]:
    """Return where numbers of a group stand, in the order of the numbers."""
    forms = [
        (index, readings.encode(how, number, 8 * (-(-number.bit_length() // 64) * 8)))
        for index, number in enumerate(numbers)
        for how in readings.unpacked(pool.readings)
    ]
    hits = words.find_whole(pool.data, [raw for _, raw in forms])
    return [pool.place(at, SIZE) for _, at in sorted((forms[row][0], at) for row, at in hits)]
