"""RSA keys whose modulus is known: a certificate names it, and any private number betrays it.

In fixed order, for every modulus that a certificate, a public key or the operator names: pairs of
primes by their low words; single primes by division; private exponents by their top words; then,
as far as a stated count goes and nearest first, CRT exponents, by the primes that they give away.
All of the pool is looked at in the first three, whatever its volume. Only a division proves.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.integers.numbers import Numbers
from scanner.detect.integers.pool import NEIGHBOURHOOD
from scanner.detect.relations.places import nearby
from scanner.detect.relations.related import Related, of_numbers
from scanner.detect.relations.rsa import arithmetic, crt, divisors, ratios
from scanner.detect.relations.rsa.shelf import UNEVEN, Shelf, exact, once

PRIME_BITS = (*arithmetic.PRIME_BITS, 3072, 4096)
"""Usual lengths of primes: a modulus may have more than two of them."""

MOST_LENGTHS = 32
"""Lengths of primes that are tried in all: the rest is what the moduli's lengths suggest."""

LEAST_BITS = 256
"""Shorter primes belong to no key that holds."""

MOST_PRIMES = 5
"""A modulus has at most so many primes (OpenSSL's bound), of about the same length."""

MOST_EXPONENTS = (600, 200)
"""CRT exponents of 1024 bits that are tried in a section, at 0.2 ms each: of few runs, and of
many."""

_MOST_NEAR = 1 << 16
"""Numbers near a modulus that are kept to be tried, the nearest: a crowd of moduli has thousands
each, and far more than can be tried."""

_ALIKE = 30
"""Microseconds that a pair costs whose product ends as a modulus does, or what begins as d does."""

_CHUNK = 1 << 15
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Hit:
    """A number that betrays a modulus: the divisor that it gives, and which number it is."""

    divisor: int
    role: str
    numbers: Numbers
    index: int


def search(shelf: Shelf, moduli: dict[int, int]) -> Iterator[Related]:
    """Yield each key, of modulus and public exponent, of which the pool holds enough."""
    left = dict(moduli)
    for step, proof in (
        (_primes, ""),
        (_exponents, "(n, e, d) factors n"),
        (_crt_exponents, crt.PROOF),
    ):
        for n, hits in step(shelf, left).items():
            related = _related(shelf, n, left[n], hits, proof)
            if related is not None:
                del left[n]
                yield related


def _related(shelf: Shelf, n: int, e: int, hits: list[_Hit], proof: str) -> Related | None:
    key = arithmetic.from_divisors(n, e, [hit.divisor for hit in hits])
    if key is None:
        return None
    if not proof:
        divisors = {hit.divisor for hit in hits}
        proof = "p*q = n" if {key.p, key.q} <= divisors else "p | n"
    rows = [(shelf.place(hit.numbers, hit.index), hit.role) for hit in hits]
    return of_numbers(key, proof, (shelf.reading(hit.numbers, hit.index) for hit in hits), rows)


# --- primes -------------------------------------------------------------------------------------


def lengths(moduli: dict[int, int], *, rare: bool) -> dict[int, tuple[str, ...]]:
    """Return the lengths of primes to try, in bits, and the readings if not all.

    Halves of the moduli; and the rare ones: thirds, of the usual lengths those that could have a
    part, and a sixteenth of it more and less than half, as the rsa package for Python has it.
    """
    found: dict[int, tuple[str, ...]] = {}
    for bits in sorted({n.bit_length() for n in moduli}):
        half, rest = (bits + 1) // 2, (bits + 1) // 2 // 16
        found[half] = ()
        if rare:
            found |= dict.fromkeys((b for b in PRIME_BITS if b + 8 < bits <= MOST_PRIMES * b), ())
            found |= dict.fromkeys((bits // 3, -(-bits // 3)), ())
            found = dict.fromkeys((half + rest, half - rest), UNEVEN) | found
    likeliest = sorted(found.items(), key=lambda row: len(row[1]))[:MOST_LENGTHS]
    return {bits: only for bits, only in sorted(likeliest) if bits >= LEAST_BITS}


def _primes(shelf: Shelf, moduli: dict[int, int]) -> dict[int, list[_Hit]]:
    """Find what divides the moduli."""
    found: dict[int, list[_Hit]] = {}
    rare = shelf.edges.loose
    for bits, only in lengths(moduli, rare=rare).items():
        numbers = once(shelf.numbers(bits, only=only))
        for n, first, second in _pairs(numbers, moduli):
            p, q = shelf.value(numbers, first), shelf.value(numbers, second)
            if p * q == n and n not in found:
                found[n] = [_Hit(p, "p", numbers, first), _Hit(q, "p", numbers, second)]
            elif p * q != n:
                shelf.waste(_ALIKE)
        most = MOST_PRIMES * bits if rare else 2 * bits
        left = [n for n in moduli if bits + 8 < n.bit_length() <= most and n not in found]
        exact = np.flatnonzero(numbers.exact) if left else np.empty(0, np.int64)
        parts = shelf.values(numbers, exact)
        larger = divisors.prepare(left, bits)
        for index, n in divisors.divide(larger, parts, inverse_words(numbers.low[exact])):
            found.setdefault(n, []).append(_Hit(parts[index], "p", numbers, int(exact[index])))
    return found


def _pairs(numbers: Numbers, moduli: dict[int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield (n, index, index) where two numbers' low words multiply to the modulus' low word."""
    balanced = [n for n in moduli if 0 <= 2 * numbers.bits - n.bit_length() <= 1]
    if not balanced or not len(numbers):
        return
    order = np.argsort(numbers.low)
    lows, inverse = numbers.low[order], inverse_words(numbers.low)[order]
    width = max(12, min(24, (16 * len(lows)).bit_length()))
    mask = np.uint64((1 << width) - 1)
    sieve = np.zeros(1 << width, np.bool_)
    sieve[(lows & mask).view(np.int64)] = True
    for n in balanced:
        wanted = np.uint64(n & _MASK) * inverse
        maybe = np.flatnonzero(sieve[(wanted & mask).view(np.int64)])
        at = np.searchsorted(lows, wanted[maybe])
        at[at == len(lows)] = 0
        same = lows[at] == wanted[maybe]
        for first, second in zip(maybe[same].tolist(), at[same].tolist(), strict=True):
            yield n, int(order[first]), int(order[second])


def inverse_words(odd: Words) -> Words:
    """Invert odd words modulo 2**64: 3w xor 2 is right to five bits, each step doubles them."""
    inverse: Words = (odd * np.uint64(3)) ^ np.uint64(2)
    for _ in range(4):
        inverse = inverse * (np.uint64(2) - odd * inverse)
    return inverse


# --- exponents ----------------------------------------------------------------------------------


def _exponents(shelf: Shelf, moduli: dict[int, int]) -> dict[int, list[_Hit]]:
    """Find private exponents: e*d/n is nearly a simple fraction (see ``ratios``).

    Copies of d lie amid others of their length in a slab: seen in Go, in esbuild as a server.
    """
    found: dict[int, list[_Hit]] = {}
    for bits in sorted({n.bit_length() for n in moduli}):
        here = {n: e for n, e in moduli.items() if n.bit_length() == bits}
        found |= _exponents_of(shelf, bits, here)
    return found


def _exponents_of(shelf: Shelf, bits: int, moduli: dict[int, int]) -> dict[int, list[_Hit]]:
    """Find those of moduli of one length: the numbers of no other are there meanwhile."""
    found: dict[int, list[_Hit]] = {}
    numbers = shelf.numbers(bits, full=False, laid=True)
    heads = {n >> (bits - 64) for n in moduli}
    for n, e in moduli.items():
        if not 3 <= e < 1 << 40:
            continue
        for index in _near_fractions(numbers.top, e, n >> (bits - 64)):
            if int(numbers.top[index]) in heads:  # moduli are no d
                continue
            d = shelf.value(numbers, index)
            likely = ratios.told(n, d, e)
            divisors = arithmetic.from_exponent(n, e, d) if likely else []
            if divisors:
                found[n] = [_Hit(p, "d", numbers, index) for p in divisors]
                break
            shelf.waste(_ALIKE)
            if likely:
                shelf.untested(n)
    return found


def _near_fractions(tops: Words, e: int, n_top: int) -> Iterator[int]:
    """Yield where e*d/n is nearly a simple fraction, by floats if those tell."""
    if e > ratios.GREATEST:
        yield from near_integers(tops, e, n_top)
        return
    for start in range(0, len(tops), _CHUNK):
        ratio = tops[start : start + _CHUNK].astype(np.float64) / n_top
        yield from (ratios.near(ratio, e) + start).tolist()


def near_integers(tops: Words, e: int, n_top: int) -> Iterator[int]:
    """Yield where a multiple of e*d / n is an integer, as nearly as 54 bits of both can tell.

    Fixed point: the fraction of d * (multiple*e/n), in units of 2**-64, is what is left modulo
    2**64 of a product of 64 by 128 bits.
    """
    for multiple in arithmetic.COMMON_MULTIPLES:
        error = max(e * multiple << 10, 1 << 34)
        if error >> 60:
            continue
        factor = (e * multiple << 128) // n_top
        high, low = np.uint64(factor >> 64 & _MASK), np.uint64(factor & _MASK)
        for start in range(0, len(tops), _CHUNK):
            part = tops[start : start + _CHUNK]
            fraction = part * high + _upper_half(part, low) + np.uint64(error)
            near = fraction <= np.uint64(2 * error)
            near &= part > np.uint64(n_top // (2 * e * multiple))
            yield from (np.flatnonzero(near) + start).tolist()


def _upper_half(words: Words, factor: np.uint64) -> Words:
    """Return the upper 64 bits of products of 64 bits, at most one too small."""
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    high, low = words >> half, words & mask
    cross = high * (factor & mask) + (low * (factor & mask) >> half)
    upper: Words = high * (factor >> half) + (cross >> half)
    upper += (low * (factor >> half) + (cross & mask)) >> half
    return upper


def _crt_exponents(shelf: Shelf, moduli: dict[int, int]) -> dict[int, list[_Hit]]:
    """Find CRT exponents near a modulus that fill a run."""
    found: dict[int, list[_Hit]] = {}
    spent, most = 0.0, shelf.pool.budget(*MOST_EXPONENTS)
    for _, n, numbers, index in heapq.nsmallest(_MOST_NEAR, _near(shelf, moduli), itemgetter(0)):
        cost = (n.bit_length() / 2048) ** 2
        if n in found or spent + cost > most:
            continue
        spent += cost
        exponent = shelf.value(numbers, index)
        p = next((p for p in crt.primes(exponent, moduli[n], numbers.bits) if n % p == 0), None)
        if p is not None:
            found[n] = [_Hit(p, "dp", numbers, index)]
    return found


def _near(
    shelf: Shelf, moduli: dict[int, int]
) -> Iterator[tuple[tuple[bool, int, int], int, Numbers, int]]:
    """Yield (likelihood, modulus, numbers, index) of what is near to a modulus.

    Chance makes no run of digits, so those come first; then the nearest.
    """
    packed = [reading.packed for reading in shelf.pool.readings]
    for bits in sorted({(n.bit_length() + 1) // 2 for n in moduli}):
        numbers = shelf.numbers(bits, full=False, filling=True)
        numbers = exact(numbers)
        along = shelf.along(numbers)
        here = {n: e for n, e in moduli.items() if (n.bit_length() + 1) // 2 == bits}
        for n, marks in standing(shelf, here).items():
            distance = nearby.apart(along, marks)
            for index in np.flatnonzero(distance <= NEIGHBOURHOOD).tolist():
                plain = not packed[int(numbers.reading[index])]
                where = (plain, int(distance[index]), int(numbers.position[index]))
                yield where, n, numbers, index


def standing(shelf: Shelf, moduli: dict[int, int]) -> dict[int, Offsets]:
    """Find the coordinates of moduli, sorted: of what was read, and at most 16 in the pool."""
    found = {n: nearby.marks([place]) for n, place in shelf.read.items() if n in moduli}
    for bits in sorted({n.bit_length() for n in moduli}):
        numbers = shelf.numbers(bits)
        order = np.argsort(numbers.low)
        lows = numbers.low[order]
        for n in (n for n in moduli if n.bit_length() == bits):
            low = np.uint64(n & _MASK)
            first, last = np.searchsorted(lows, low), np.searchsorted(lows, low, side="right")
            at = order[first : min(last, first + 16)]
            at = at[[shelf.value(numbers, index) == n for index in at.tolist()]] if len(at) else at
            if len(at):
                here = shelf.along(numbers.take(at))
                found[n] = np.sort(np.append(here, found.get(n, here[:0])))
    return found
