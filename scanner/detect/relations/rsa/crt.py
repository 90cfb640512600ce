"""The prime that a CRT exponent gives away by itself: e*dp = 1 + k*(p - 1), and k is below e.

So p - 1 is what is left of e*dp - 1 when one of its small divisors is taken out, and p's length
leaves the k of one octave: seldom more than one that divides, and a prime behind hardly ever but by
right. That costs a hundredth of a modular power, and asks for no modulus. Of a key's DER one
exponent may stand alone, or as a word of text, or as the number that it was read to, or amid what
is left of a key's numbers, end to end, its modulus anywhere; a division of that proves. This module
refuses public exponents above 65537, whose k are too many.
"""

import functools
import itertools
import math
import re
from collections.abc import Iterator

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.algebra.gmp import mpz
from scanner.detect.integers import readings
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import nearby
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic
from scanner.detect.relations.rsa.shelf import Shelf, exact

GREATEST = 65537
"""Public exponents up to which every k is tried."""

MOST, MOST_FILLING = (200, 20), (128, 16)
"""Exponents in DER that are tried, of each length, in a section of few runs and of many, and as
many of those that are written as text: 0.3 ms each for primes of 1024 bits. And of those of 1024
bits that fill their run: of longer ones fewer, as each costs more."""

MOST_NAMED = (256, 256)
"""The same where a modulus of twice the length was read. Seen in Go, in Caddy, where hundreds of
numbers of signatures fill their runs too."""

BEFORE_LAST, LONGEST = (2, 3), 8
"""Lengths before a run's end at which dq and dp begin where the coefficient is last, and how many
such a run has at most: more than d, p, q, dp, dq and the coefficient."""

MOST_MODULI = (2_000, 300)
"""Moduli that are divided by what an exponent gives, at 1 us each, and read once, at 15 us."""

MOST_DIVISORS = 256
"""Divisors of one number that are looked at: random ones have a dozen up to 65537."""

PROOF = "(n, e, dp) factors n"

_SMALL = 100
_E = b"\x02\x03\x01\x00\x01"


def primes(exponent: int, e: int, bits: int) -> list[int]:
    """Return the numbers of so many bits, without small factors, whose exponent this may be."""
    return of_multiple(e * exponent - 1, e, bits)


def of_multiple(product: int, e: int, bits: int) -> list[int]:
    """Return the p of so many bits, without small factors, of which this is k < e times p - 1."""
    least, most = (product >> bits) + 1, min(product >> bits - 1, e - 1)
    if not 2 < e <= GREATEST or not 0 < least <= most:
        return []
    product = mpz(product)
    found = (int(product // k + 1) for k in _divisors(product, most) if k >= least)
    return [p for p in found if p.bit_length() == bits and arithmetic.without_small_factors(p)]


def _divisors(number: int, most: int) -> Iterator[int]:
    """Yield divisors of a number, up to ``most``."""
    found = [1]
    for prime in _prime_divisors(number, most):
        power, more = prime, list(found)
        while power <= most and number % power == 0:
            found += [divisor * power for divisor in more if divisor * power <= most]
            power *= prime
        if len(found) > MOST_DIVISORS:
            break
    yield from found


def _prime_divisors(number: int, most: int) -> Iterator[int]:
    """Yield the primes that divide a number, up to ``most``."""
    table, product = _table()
    for prime in table[: np.searchsorted(table, _SMALL)].tolist():
        if prime <= most and number % prime == 0:
            yield prime
    rest = math.gcd(product % number, number)
    if rest >> 63:
        yield from (p for p in table.tolist() if _SMALL < p <= most and rest % p == 0)
    elif rest > 1:
        divides = table[np.uint64(rest) % table == 0]
        yield from divides[(divides > _SMALL) & (divides <= most)].tolist()


@functools.cache
def _table() -> tuple[Words, int]:
    """Return the primes below 65537, and the product of those above 100."""
    sieve = np.ones(GREATEST, np.bool_)
    sieve[:2] = False
    for n in range(2, math.isqrt(GREATEST) + 1):
        if sieve[n]:
            sieve[n * n :: n] = False
    table = np.flatnonzero(sieve).astype(np.uint64)
    parts = table[table > _SMALL].tolist()
    while len(parts) > 1:
        parts = [math.prod(parts[at : at + 2]) for at in range(0, len(parts), 2)]
    return table, mpz(parts[0])


# --- exponents that stand alone -----------------------------------------------------------------


def search(shelf: Shelf, moduli: dict[int, int], others: set[int]) -> Iterator[Related]:
    """Yield each key of which an exponent stands alone, the modulus here or elsewhere.

    Those of ``others`` are found already.
    """
    e = arithmetic.EXPONENTS[0]
    for bits in arithmetic.PRIME_BITS:
        read: dict[int, int] = {}
        named = [n for n in moduli if 0 <= 2 * bits - n.bit_length() <= 1]
        named = named[: shelf.pool.budget(*MOST_MODULI)]
        most = shelf.pool.budget(*MOST)
        told = (itertools.islice(kind(shelf, bits), most) for kind in (_announced, _written))
        marks = np.sort(shelf.along(exact(shelf.numbers(2 * bits))))
        filling = _filling(shelf, bits, marks, MOST_NAMED if named else MOST_FILLING)
        bare = (filling, _before_last(shelf, bits, marks)) if named or len(marks) else ()
        for at, exponent, how in itertools.chain(*told, *bare):
            for p in primes(exponent, e, bits):
                near = itertools.chain(named, _moduli(shelf, bits, at, read))
                divisor = mpz(p)
                n = next((n for n in near if n % divisor == 0 and n > p), 0)
                if not n or n in others or moduli.get(n, e) != e:
                    continue
                if all(map(arithmetic.is_prime, (p, n // p))):
                    yield from _related(shelf, n, e, p, (at, bits, how))


def _announced(shelf: Shelf, bits: int) -> Iterator[tuple[int, int, Reading]]:
    """Yield (position, number, reading) of the odd INTEGERs in DER (X.690 8.3), each once.

    What a public exponent follows is a modulus.
    """
    data, size = shelf.pool.data, bits // 8
    seen: set[int] = set()
    for match in _header(size).finditer(data.data):
        at = match.end()
        raw = data[at : at + size + len(_E)].tobytes()
        number = int.from_bytes(raw[:size], "big")
        if number & 1 and number not in seen and len(raw) > size and not raw.endswith(_E):
            seen.add(number)
            yield at, number, readings.BYTES


def _written(shelf: Shelf, bits: int) -> Iterator[tuple[int, int, Reading]]:
    """Yield (position, number, reading) of the odd numbers that are written as text, each once.

    Seen of freed files of DNSSEC keys in PowerDNS: a line of base64 was left, far from the modulus.
    """
    seen: set[int] = set()
    for block, text in shelf.pool.texts.items():
        number = int.from_bytes(text.raw, "big")
        if len(text.raw) == bits // 8 and number & 1 and number not in seen:
            seen.add(number)
            yield int(shelf.pool.head[block]), number, readings.BYTES


def _filling(
    shelf: Shelf, bits: int, marks: Offsets, most: tuple[int, int]
) -> Iterator[tuple[int, int, Reading]]:
    """Yield (position, number, reading) of the odd numbers that fill their run, each once.

    Those nearest to what may be a modulus, at the ``marks``, come first. Seen in Botan, Deno and
    Go, of which nothing but dp was left, megabytes from the modulus.
    """
    found = exact(shelf.numbers(bits, full=False, filling=True))
    for index in _nearest(shelf, found.position, marks, most, bits):
        how = shelf.pool.readings[int(found.reading[index])]
        yield int(found.position[index]), shelf.value(found, index), how


def _before_last(shelf: Shelf, bits: int, marks: Offsets) -> Iterator[tuple[int, int, Reading]]:
    """Yield (position, number, reading) of the odd numbers before the last of a short run.

    OpenSSL hands a key from one part of it to another as numbers end to end in one block, and frees
    that as it is: p, q, dp, dq and the coefficient come last. Seen in ssh-agent, which seals its
    keys, after it had signed.
    """
    pool = shelf.pool
    how = readings.BYTES if pool.big_endian else readings.LIMBS
    index, size = pool.readings.index(how), readings.width(how, bits)
    ends = shelf.edges.ends[index]
    room = np.where(ends.room <= LONGEST * size, ends.room, 0)
    rows = [ends.at[room >= more * size] - more * size for more in BEFORE_LAST]
    position = np.unique(np.concatenate(rows))
    position = position[readings.low(how, pool.data, position, bits) & np.uint64(1) > 0]
    for at in position[_nearest(shelf, position, marks, MOST_FILLING, bits)].tolist():
        yield at, pool.number(at, bits, index), how


def _nearest(
    shelf: Shelf, position: Offsets, marks: Offsets, budget: tuple[int, int], bits: int
) -> list[int]:
    """Return which of some positions are tried: those nearest to a mark first, if there are any."""
    order = np.arange(len(position))
    if len(marks):
        order = np.argsort(nearby.distances(shelf.pool, position, marks), kind="stable")
    found: list[int] = order[: shelf.pool.budget(*budget) * 1024**2 // bits**2].tolist()
    return found


@functools.cache
def _header(size: int) -> re.Pattern[bytes]:
    """Return what stands before a number of so many bytes, with its top bit and without."""
    rows = []
    for length, behind in ((size + 1, rb"\x00(?=[\x80-\xff])"), (size, rb"(?=[\x01-\x7f])")):
        head = b"\x02" + bytes.fromhex(("", "81", "82")[(length > 127) + (length > 255)])
        head += length.to_bytes(1 + (length > 255), "big")
        rows.append(re.escape(head) + behind)
    return re.compile(b"|".join(rows), re.DOTALL)


def _moduli(shelf: Shelf, bits: int, at: int, read: dict[int, int]) -> Iterator[int]:
    """Yield the pool's numbers of twice a prime's length, the nearest first.

    ``read`` keeps what was read.
    """
    numbers = shelf.numbers(2 * bits)
    order = np.flatnonzero(numbers.exact)
    order = order[np.argsort(np.abs(numbers.position[order] - at), kind="stable")]
    order = order[: shelf.pool.budget(*MOST_MODULI)]
    fresh = order[[index not in read for index in order.tolist()]] if len(order) else order
    read |= zip(fresh.tolist(), shelf.values(numbers, fresh), strict=True)
    yield from (read[index] for index in order.tolist())


def _related(
    shelf: Shelf, n: int, e: int, p: int, where: tuple[int, int, Reading]
) -> Iterator[Related]:
    key = arithmetic.from_divisors(n, e, [p])
    at, bits, how = where
    if key is not None:
        yield Related(
            key=key,
            proof=PROOF,
            encoding=shelf.pool.form(at, how.name),
            places=(shelf.pool.place(at, readings.width(how, bits)),),
            roles=("dp",),
        )
