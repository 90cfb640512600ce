"""RSA keys of which two primes stand, and the inverse of one modulo the other, and no modulus.

Of a key that was freed p, q and q's inverse may be all that is left, and q * qinv = 1 modulo p. The
inverse has no low words that tell it: so it is computed of two numbers that stand near each other
and may be primes, and looked for around them, as they are spelled. Seen in Wine's CryptoAPI, in
digits of 28 bits and in bytes. This module refuses to look farther than numbers are related at all.
"""

import itertools
from collections.abc import Collection, Iterator

import numpy as np

from scanner.detect.algebra import gmp
from scanner.detect.integers import readings
from scanner.detect.integers.numbers import Numbers
from scanner.detect.integers.pool import NEIGHBOURHOOD
from scanner.detect.relations.related import Related, of_numbers
from scanner.detect.relations.rsa import arithmetic
from scanner.detect.relations.rsa.coefficients import PROOF
from scanner.detect.relations.rsa.shelf import Shelf, exact

MOST_NUMBERS, MOST_PAIRS = (1 << 12, 1 << 10), 1 << 10
"""Numbers of one length that are read in a section of few runs and of many, at 2 us each, and pairs
of those without small factors of which the inverse is computed, at 20 us each for 2048 bits."""

APART = 8
"""Numbers that are tried with each, of those that follow it."""


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys of two primes and a coefficient that stand together, but of moduli ``others``."""
    for bits in arithmetic.PRIME_BITS:
        numbers = exact(shelf.numbers(bits, filling=True))
        numbers = numbers.take(np.arange(min(len(numbers), shelf.pool.budget(*MOST_NUMBERS))))
        values = shelf.values(numbers, np.arange(len(numbers)))
        kept = [at for at, p in enumerate(values) if arithmetic.without_small_factors(p)]
        numbers, values = numbers.take(np.array(kept, np.int64)), [values[at] for at in kept]
        for both in itertools.islice(_near(shelf, numbers), MOST_PAIRS):
            p, q = (values[at] for at in both)
            if p == q or not _has_inverse(shelf, numbers, both, (p, q)):
                continue
            if all(n % p and n % q for n in others):
                yield from _related(shelf, numbers, both, (p, q))


def _related(
    shelf: Shelf, numbers: Numbers, both: tuple[int, int], primes: tuple[int, int]
) -> Iterator[Related]:
    """Make the key of two primes; numbers that are none may have an inverse too."""
    key = arithmetic.complete(*primes, None)
    if key is not None and all(map(arithmetic.is_prime, primes)):
        forms = (shelf.reading(numbers, at) for at in both)
        yield of_numbers(key, PROOF, forms, ((shelf.place(numbers, at), "p") for at in both))


def _near(shelf: Shelf, numbers: Numbers) -> Iterator[tuple[int, int]]:
    """Yield pairs of numbers that follow each other within 64 KiB, the next ones first."""
    along = shelf.along(numbers)
    for apart in range(1, min(APART + 1, len(numbers))):
        between = along[apart:] - along[:-apart]
        near = (between >= numbers.bits // 8) & (between <= NEIGHBOURHOOD)
        for at in np.flatnonzero(near).tolist():
            yield at, at + apart


def _has_inverse(
    shelf: Shelf, numbers: Numbers, which: tuple[int, int], values: tuple[int, int]
) -> bool:
    """Tell whether the inverse of either of two numbers stands around them, modulo the other."""
    p, q = values
    try:
        inverse = gmp.inverse(q, p)
    except ValueError:
        return False
    turned = q - (q * inverse - 1) // p
    at = [int(numbers.position[index]) for index in which]
    data = shelf.pool.data[max(min(at) - NEIGHBOURHOOD, 0) : max(at) + NEIGHBOURHOOD].tobytes()
    for reading in {int(numbers.reading[index]) for index in which}:
        how = shelf.pool.readings[reading]
        if any(readings.encode(how, one, numbers.bits) in data for one in (inverse, turned)):
            return True
    return False
