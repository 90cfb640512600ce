"""RSA primes of which the random number is left that the search for them began with.

A generator of random numbers keeps the block that it gives from. The number is as long as the
prime, most significant byte first: its two top bits are set, and something small is added until it
is a prime, which a lattice finds (``partial``) where the modulus was read. Seen in Deno
(num-bigint-dig, rand), after a key had been let go. This module refuses to look for such numbers
elsewhere.
"""

import itertools
from collections.abc import Iterator

from scanner.detect.integers import readings
from scanner.detect.relations.places import announced
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, partial
from scanner.detect.relations.rsa.shelf import Shelf

MOST = (4_096, 2_048)
"""Lattices that are spent in a section, of few runs and of many: 20 to 30 us each."""

ROLE = "p as it was drawn"

_ADDED = 24
"""Bits of what is added, and more: num-bigint-dig begins anew at 20."""


def search(shelf: Shelf, moduli: dict[int, int]) -> Iterator[Related]:
    """Yield each key, of modulus and public exponent, of which such a number stands."""
    seen: set[int] = set()
    for n, position in itertools.islice(_tries(shelf, moduli), shelf.pool.budget(*MOST)):
        size = n.bit_length() // 16
        p = divisor(n, shelf.pool.data[position : position + size].tobytes())
        key = arithmetic.from_divisors(n, moduli[n], [p]) if p and n not in seen else None
        if key is not None:
            seen.add(n)
            yield Related(
                key=key,
                proof="part of p factors n",
                encoding=f"{readings.BYTES.name} (part)",
                places=(shelf.pool.place(position, size),),
                roles=(ROLE,),
            )


def _tries(shelf: Shelf, moduli: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Yield moduli and positions: what was given last first, for all moduli."""
    sizes = {n: n.bit_length() // 16 for n in moduli if n.bit_length() % 16 == 0}
    there = {
        size: announced.drawn(shelf.pool, size).tolist()
        for size in set(sizes.values())
        if size <= announced.DRAWN
    }
    rows = [itertools.product((n,), there[size]) for n, size in sizes.items() if size in there]
    for row in itertools.zip_longest(*rows):
        yield from (each for each in row if each is not None)


def divisor(n: int, raw: bytes) -> int | None:
    """Return the factor of n, half as long, that was looked for from a random number on."""
    bits = 8 * len(raw)
    known = int.from_bytes(raw, "big") | 3 << bits - 2
    if n.bit_length() != 2 * bits:
        return None
    return partial.recover(n, known >> _ADDED << _ADDED, bits=bits, lost=_ADDED, high=False)
