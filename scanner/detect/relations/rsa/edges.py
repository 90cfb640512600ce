"""RSA keys among very many numbers: every edge of a run is a prime of each bare modulus.

Moduli that were read elsewhere are searched for in every section of the pool. Here are those that
nobody names: a run as long as a modulus is one, perhaps, and a number at any other run's edge
divides it or does not. What has a small factor is neither.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from scanner.detect.algebra.gmp import mpz
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import every_edge, readings
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.runs import Runs, chosen
from scanner.detect.relations.related import Related, of_numbers
from scanner.detect.relations.rsa import arithmetic
from scanner.dump.space import Memory
from scanner.model import Place

BYTES = (64, 96, 128, 192, 256)
"""Bytes of a prime: those of moduli of 1024 to 4096 bits."""

MOST_MODULI, MOST_PRIMES = 4_096, 1 << 20
"""Runs that may be a modulus, and places that may be a prime of it, of each size."""

DEEP = 16
"""How many times as many places a deep scan tries."""

_TOP = 0x80
"""The least top byte of what fills its bytes, as primes and moduli of keys do."""

_TOGETHER = 1 << 15
"""Bytes of moduli, and of primes, whose products are divided at once."""

_Number = tuple[int, Place, str]
"""A number, where it stands, and how it is read."""


def search(
    memory: Memory, runs: Runs, publics: Iterable[PublicKey], *, deep: bool
) -> Iterator[Related]:
    """Yield each key of which a prime is at a run's edge, and a run holds just the modulus.

    What divides a greater modulus is no key's own: of four primes the products of two stand too.
    """
    known = {public.n for public in publics}
    found: dict[int, Related] = {}
    for size in BYTES:
        length = runs.end - runs.start
        own = chosen(runs, (length >= 2 * size - WORD) & (length <= 2 * size + WORD))
        moduli = {n for n, _, _ in _numbers(memory, own, 2 * size, MOST_MODULI)} - known
        if not moduli:
            continue
        primes = _numbers(memory, runs, size, MOST_PRIMES * (DEEP if deep else 1))
        for n, (p, place, form) in _dividing(sorted(moduli), primes, _TOGETHER // size):
            key = arithmetic.from_divisors(n, arithmetic.EXPONENTS[0], [p])
            if key is not None and n not in found:
                key = replace(key, e_assumed=True)
                found[n] = of_numbers(key, "p | n", [form], [(place, "p")])
    whole = known | found.keys()
    for n, one in found.items():
        if not any(other > n and other % n == 0 for other in whole):
            yield one


def _numbers(memory: Memory, runs: Runs, size: int, most: int) -> Iterator[_Number]:
    """Yield the odd numbers at edges that fill so many bytes and have no small factor."""
    places = every_edge.find(memory, runs, size, most)
    table = readings.table(memory.map.byte_order)
    forms = [how for how in table if size % how.word == 0 and not how.cell and not how.packed]
    for first, raw in every_edge.read(memory, places):
        for how in forms:
            low, high = (0, -1) if not how.most_first else (-1, 0)
            ends = raw.reshape(len(raw), size // how.word, how.word)[:, (low, high)]
            inner = (-1, 0) if how.swapped else (0, -1)
            fits = (ends[:, 0, inner[0]] & 1 == 1) & (ends[:, 1, inner[1]] >= _TOP)
            for row in np.flatnonzero(fits).tolist():
                number = readings.decode(how, raw[row].tobytes()) or 0
                if arithmetic.without_small_factors(number):
                    at = first + row
                    space, offset = int(places.space[at]), int(places.offset[at])
                    yield number, Place(space=space, offset=offset, size=size), how.name


def _dividing(
    moduli: Sequence[int], primes: Iterator[_Number], together: int
) -> Iterator[tuple[int, _Number]]:
    """Yield (modulus, number) of those that divide one, by remainders of products of both."""
    products = [
        mpz(math.prod(map(mpz, moduli[at : at + together])))
        for at in range(0, len(moduli), together)
    ]
    while some := list(itertools.islice(primes, together)):
        for at, product in enumerate(products):
            group = moduli[at * together : (at + 1) * together]
            for row in _divisors(product, some):
                yield from ((n, row) for n in group if 1 < row[0] < n and n % row[0] == 0)


def _divisors(product: int, numbers: Sequence[_Number]) -> Iterator[_Number]:
    """Yield the numbers that have a factor with a product in common, by a tree of remainders."""
    if len(numbers) == 1:
        if math.gcd(int(product), numbers[0][0]) > 1:
            yield numbers[0]
        return
    half = len(numbers) // 2
    for part in (numbers[:half], numbers[half:]):
        below = math.prod(mpz(number) for number, _, _ in part)
        yield from _divisors(product % below, part)
