"""RSA keys whose modulus nobody names: p, q and n stand in the pool, or what takes n's place.

Two primes and their product, by low words; one prime and the modulus it divides; two primes, each
with its CRT exponent. Numbers within 64 KiB of each other are related whatever the volume; farther
apart, the nearest, as far as a stated count of operations goes. Only whole numbers prove.
"""

import math
from collections.abc import Collection, Iterator

import numpy as np

from scanner.arrays import Floats, Offsets, Words
from scanner.detect.algebra import gmp
from scanner.detect.integers import readings
from scanner.detect.integers.numbers import Numbers
from scanner.detect.integers.pool import NEIGHBOURHOOD
from scanner.detect.relations.places import nearby, words
from scanner.detect.relations.related import Related, of_numbers
from scanner.detect.relations.rsa import arithmetic, uncommon
from scanner.detect.relations.rsa.rectangles import rectangles
from scanner.detect.relations.rsa.shelf import UNEVEN, Shelf, once

SHAPES = (
    (1024, (512,)),
    (1536, (768,)),
    (2048, (1024,)),
    (2048, (1088, 960)),
    (3072, (1536,)),
    (3072, (1728, 1344)),
    (4096, (2048,)),
    (4096, (2304, 1792)),
    (6144, (3072,)),
    (8192, (4096,)),
)
"""Lengths of a modulus and of its primes. The uneven ones are the rsa package's for Python."""

USUAL = tuple(dict.fromkeys(bits for bits, _ in SHAPES))
"""Lengths of moduli that are listed whatever stands in a pool; see ``uncommon`` for others."""

MOST_PAIRS = 1 << 22
"""Pairs of any distance that are tried for one length and reading: 20 milliseconds."""

MOST_LOOSE = 1 << 11
"""Numbers among which every pair is tried although their edges are doubtful."""

MOST_NEAR_PAIRS = 1 << 32
"""Pairs within 64 KiB that are tried: a section has more only if it was made to."""

MOST_DIVISIONS = 1 << 15
"""Divisions of one number of the pool by another, of one length."""

MOST_INVERSES = 96
"""Numbers near a prime that are tried as its exponent, for a key whose public one is not known: as
many of its length as of the modulus's."""

GREATEST_EXPONENT = 1 << 33
"""Public exponents above it are not told from chance."""

_P521 = (
    (1 << 521) - 1,
    (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
)
"""p and n of P-521, products modulo which look like moduli of RSA."""

_USUAL = 512
"""Bits of a prime of RSA keys; but for one in 256, elements of these fields have more."""

_CHUNK = 1 << 16

_MASK = (1 << 64) - 1
_MOST_SAME = 16
"""Copies of a number that are read."""

_ALIKE = 15
"""Microseconds that a pair costs whose product begins and ends as a modulus does, and each such
modulus."""

_SAME_ENDS = 4
"""Pairs that are compared in a microsecond whose products end as moduli do."""

_TOP = 2.0**16
"""How far off the highest word of a product is that is computed from those of its factors."""

_Candidate = tuple[int, int, tuple[tuple[Numbers, int], ...], tuple[str, ...]]


def search(shelf: Shelf, moduli: dict[int, int], others: Collection[int] = ()) -> Iterator[Related]:
    """Yield keys of numbers that stand in the pool; ``moduli`` gives the exponents known.

    Primes of the ``others`` have their key already: of a product with one, the other factor is a
    number of a signature's that happens to be prime.
    """
    seen: set[int] = set()
    told = [shape for shape in uncommon.shapes(shelf) if shape not in SHAPES]
    for bits, halves in (*SHAPES, *told):
        only = UNEVEN if len(halves) > 1 and (bits, halves) in SHAPES else ()
        primes = [once(shelf.numbers(half, only=only)) for half in halves]
        for p, q, where, roles in _products(shelf, bits, primes):
            if p * q not in seen:
                seen.add(p * q)
                if p * q in moduli or (_fresh(p, q, others) and not _of_field(shelf, p, q, where)):
                    yield from _related(shelf, p, q, moduli, where, roles)


def _fresh(p: int, q: int, others: Collection[int]) -> bool:
    """Tell whether a product that nobody named is one of two primes, neither of another key.

    Of any two numbers it stands where somebody multiplied, as modulo a public n.
    """
    primes = arithmetic.is_prime(p) and arithmetic.is_prime(q)
    return primes and all(n % p and n % q for n in others)


def _of_field(shelf: Shelf, p: int, q: int, where: tuple[tuple[Numbers, int], ...]) -> bool:
    """Tell whether a product was computed on P-521: what it leaves modulo p or n stands too.

    Two elements of a field are prime as any numbers may be. Seen in Node.js (@noble/curves): of the
    products of BigInts that signatures leave one had two primes. No key of a usual length is asked.
    """
    if min(p, q).bit_length() <= _USUAL:
        return False
    numbers, index = where[0]
    reading = shelf.pool.readings[int(numbers.reading[index])]
    remainders = (p * q % modulus for modulus in _P521 if max(p, q) < modulus)
    raws = [readings.encode(reading, left, left.bit_length()) for left in remainders if left >> 256]
    found = words.find(shelf.pool.data, words.firsts(raws))
    return any(words.stands(shelf.pool.data, at, raws[row]) for row, at in found)


def _related(
    shelf: Shelf,
    p: int,
    q: int,
    moduli: dict[int, int],
    where: tuple[tuple[Numbers, int], ...],
    roles: tuple[str, ...],
) -> Iterator[Related]:
    """Make the key of two primes."""
    e = moduli.get(p * q) or exponent(shelf, p, *where[0])
    key = arithmetic.complete(p, q, e)
    if key is not None:
        rows = zip((shelf.place(*number) for number in where), roles, strict=True)
        yield of_numbers(key, "p*q = n", (shelf.reading(*number) for number in where), rows)


def _products(shelf: Shelf, bits: int, primes: list[Numbers]) -> Iterator[_Candidate]:
    """Yield pairs of primes whose product stands in the pool, and which numbers they are."""
    moduli = shelf.numbers(bits)
    if not len(moduli) or not all(map(len, primes)):
        return
    moduli = moduli.take(np.lexsort((moduli.top, moduli.low)))
    whose = np.repeat(np.arange(len(primes)), [len(numbers) for numbers in primes])
    index = np.concatenate([np.arange(len(numbers)) for numbers in primes])
    low, top, position, reading, exact = (
        np.concatenate([getattr(numbers, name) for numbers in primes])
        for name in ("low", "top", "position", "reading", "exact")
    )
    for group in np.unique(reading).tolist():
        for choice in (exact, ~exact | exact):
            rows = np.flatnonzero((reading == group) & choice)
            rows = rows[np.argsort(position[rows], kind="stable")]
            loose = choice is not exact
            if loose and (np.all(exact[rows]) or len(rows) > MOST_LOOSE):
                continue
            along = nearby.coordinates(shelf.pool, position[rows])
            ends = low[rows], top[rows]
            for first, second, near in _multiplied(shelf, *ends, along, moduli):
                pair = [(primes[whose[rows[i]]], int(index[rows[i]])) for i in (first, second)]
                p, q = (shelf.value(*number) for number in pair)
                if p != q and p * q in shelf.values(moduli, near):
                    yield p, q, tuple(pair), ("p", "p")
                else:
                    shelf.waste(_ALIKE * (1 + len(near)))


def _multiplied(
    shelf: Shelf, low: Words, top: Words, along: Offsets, moduli: Numbers
) -> Iterator[tuple[int, int, Offsets]]:
    """Yield pairs, in order of place, whose product begins and ends as moduli do, and which do.

    Each number is paired with those behind it: all within 64 KiB, and as many more as the count
    of operations allows. The lowest bits of a product, then the highest of its word, tell of nearly
    all that they are none of the moduli's, which are sorted by their lowest word, then the highest.
    """
    lows, tops = moduli.low, moduli.top.astype(np.float64)
    width = max(18, min(22, (64 * len(lows)).bit_length()))
    mask, shift = np.uint32((1 << width) - 1), np.uint64(64 - width)
    lowest, highest = np.zeros((2, 1 << width), np.bool_)
    lowest[lows.astype(np.uint32) & mask] = True
    highest[lows >> shift] = True
    ends = low.astype(np.uint32)
    near = np.searchsorted(along, along + NEIGHBOURHOOD, side="right")
    reach = np.maximum(near, np.arange(len(low)) + MOST_PAIRS // max(len(low), 1))
    reach = np.minimum(reach, len(low))
    tried = 0
    for rows, part in rectangles(np.arange(len(low)), reach, _CHUNK):
        if tried >= MOST_NEAR_PAIRS:
            return
        product = ends[rows, None] * ends[part]
        product &= mask
        hits = np.flatnonzero(lowest.take(product.astype(np.int64), mode="clip"))
        tried += product.size
        row, column = np.divmod(hits, part.stop - part.start)
        words = low[rows][row] * low[part][column]
        left = np.flatnonzero(highest[words >> shift])
        if len(left):
            row, column = row[left] + rows.start, column[left] + part.start
            first, last = (np.searchsorted(lows, words[left], side) for side in ("left", "right"))
            same = np.flatnonzero(first < last)
            row, column = row[same], column[same]
            tall = top[row].astype(np.float64) * top[column] * 2.0**-64
            first, last = (
                _within(tops, first[same], last[same], tall + off) for off in (-_TOP, _TOP)
            )
            shelf.waste(int(np.count_nonzero(first == last)) // _SAME_ENDS)
            for pair in np.flatnonzero(first < last).tolist():
                yield int(row[pair]), int(column[pair]), np.arange(first[pair], last[pair])


def _within(tops: Floats, first: Offsets, last: Offsets, top: Floats) -> Offsets:
    """Return where each word would be put into its own range, which is sorted, of the others."""
    first, last = first.copy(), last.copy()
    while len(rest := np.flatnonzero(first < last)):
        middle = (first[rest] + last[rest]) // 2
        below = tops[middle] < top[rest]
        first[rest[below]] = middle[below] + 1
        last[rest[~below]] = middle[~below]
    return first


def exponent(shelf: Shelf, p: int, numbers: Numbers, index: int) -> int | None:
    """Return the public exponent that a CRT exponent or a private one near a prime belongs to.

    Only what is read as the prime is: of another reading are most of the numbers that are near.
    """
    mark = shelf.along(numbers.take(np.array([index])))
    near: list[int] = []
    for bits in (numbers.bits, 2 * numbers.bits):
        others = shelf.numbers(bits, full=False)
        others = others.take(others.exact & (others.reading == numbers.reading[index]))
        distance = nearby.apart(shelf.along(others), mark)
        order = np.argsort(distance, kind="stable")[:MOST_INVERSES]
        near += shelf.values(others, order[distance[order] <= NEIGHBOURHOOD])
    near = [value for value in dict.fromkeys(near) if value]
    for e in arithmetic.EXPONENTS:  # a product costs 1 us, an inverse 10
        if any((e * value - 1) % (p - 1) == 0 for value in near):
            return e
    far = next((e for e in arithmetic.EXPONENTS if _has_exponent(shelf, p, e, numbers.bits)), None)
    if far is not None:
        return far
    inverses = (gmp.inverse(value, p - 1) for value in near if math.gcd(value, p - 1) == 1)
    return next((e for e in inverses if 1 < e < GREATEST_EXPONENT), None)


def _has_exponent(shelf: Shelf, p: int, e: int, bits: int) -> bool:
    """Tell whether a prime's CRT exponent stands anywhere: a copy may lie far from all others."""
    if math.gcd(e, p - 1) != 1:
        return False
    wanted, others = gmp.inverse(e, p - 1), shelf.numbers(bits, full=False)
    same = np.flatnonzero(others.low == np.uint64(wanted & _MASK))[:_MOST_SAME]
    return wanted in shelf.values(others, same)
