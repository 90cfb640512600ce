"""RSA: the arithmetic that closes, whoever laid the numbers down.

The modulus is read from a certificate or another public key, or from the pool itself; the private
numbers from the pool. Low words decide first (64 bits of evidence for a pair in a nanosecond),
whole numbers last, and only whole numbers prove. Known moduli first, then what stands together.
Refuses to take anything that looks like a key for one.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from scanner.detect.algebra.material import Material, Rsa
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import bare_numbers, readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import (
    arithmetic,
    coefficients,
    couples,
    crt,
    damaged,
    dividing,
    drawn,
    exponents,
    high_ends,
    high_exponents,
    inverses,
    known,
    low_ends,
    low_exponents,
    orders,
    pairs,
    reclaimed,
    residues,
    totients,
)
from scanner.detect.relations.rsa.shelf import Shelf, shelf
from scanner.dump.space import Memory
from scanner.errors import LimitExceeded
from scanner.model import Candidate

LEAST_BITS, MOST_BITS = 512, 16384
"""Moduli that are looked for: what OpenSSL makes, and reads."""

WRITTEN, MOST_WRITTEN = (1024, 2048, 3072, 4096), 16
"""Lengths of moduli that are taken from texts without being near to what divides them, and how many
in a section: strings of one key may lie far apart."""

GREATEST_EXPONENT = 1 << 256
"""Public exponents above it are nobody's (OpenSSL's bound for large keys)."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each RSA key that the numbers of the pool prove, once. Raises LimitExceeded then."""
    moduli = {
        public.n: public.e
        for public in publics
        if public.n & 1 and LEAST_BITS <= public.n.bit_length() <= MOST_BITS
        if 0 < public.e < GREATEST_EXPONENT
    }
    read = {public.n: public.witness.place for public in publics}
    listed = shelf(pool, {n: place for n, place in read.items() if place and pool.spans(place)})
    seen: set[int] = set()
    keys: list[tuple[int, Related]] = []
    given_up: LimitExceeded | None = None
    try:
        for found in itertools.chain.from_iterable(_parts(listed, moduli, seen)):
            if isinstance(found.key, Rsa) and found.key.n not in seen:
                seen.add(found.key.n)
                keys.append((found.key.n, found))
    except LimitExceeded as error:
        given_up = error
    for n, found in keys:
        # Of a key of four primes the products of two stand too (OpenSSL's), and are no moduli.
        if not any(other > n and other % n == 0 for other in seen):
            yield found
    if given_up is not None:
        raise given_up


def _parts(listed: Shelf, moduli: dict[int, int], seen: set[int]) -> Iterator[Iterator[Related]]:
    """Yield the searches, one after the other; ``seen`` grows between them."""
    yield known.search(listed, moduli)
    yield _assumed(known.search(listed, _left(_written(listed.pool), moduli.keys() | seen)))
    yield pairs.search(listed, _left(moduli, seen), moduli.keys() | seen)
    yield crt.search(listed, _left(moduli, seen), seen)
    yield dividing.search(listed, moduli.keys() | seen)
    yield couples.search(listed, moduli.keys() | seen)
    yield reclaimed.search(listed, moduli.keys() | seen)
    yield coefficients.search(listed, moduli.keys() | seen)
    yield exponents.search(listed, moduli.keys() | seen)
    yield orders.search(listed, moduli.keys() | seen)
    yield inverses.search(listed, moduli.keys() | seen)
    yield residues.search(listed, _left(moduli, seen), seen)
    yield totients.search(listed, _left(moduli, seen))
    yield damaged.search(listed, _left(moduli, seen))
    yield _assumed(damaged.unnamed(listed, seen))
    yield low_ends.search(listed, seen)
    yield high_ends.search(listed, seen)
    yield high_exponents.search(listed, _left(moduli, seen), seen)
    yield low_exponents.search(listed, _left(moduli, seen))
    yield drawn.search(listed, _left(moduli, seen))


def _written(pool: Pool) -> dict[int, int]:
    """Return what may be moduli of the numbers that are written as texts: they are few."""
    values = (int.from_bytes(text.raw, "big") for text in pool.texts.values())
    full = (n for n in values if n & 1 and n.bit_length() in WRITTEN)
    return dict.fromkeys(itertools.islice(full, MOST_WRITTEN), arithmetic.EXPONENTS[0])


def _assumed(found: Iterator[Related]) -> Iterator[Related]:
    """Say of keys that nobody named a public exponent of theirs."""
    for one in found:
        if isinstance(one.key, Rsa):
            yield replace(one, key=replace(one.key, e_assumed=True))


def _left(moduli: dict[int, int], seen: Collection[int]) -> dict[int, int]:
    return {n: e for n, e in moduli.items() if n not in seen}


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read the numbers of a candidate again, in every reading, and prove its key with them."""
    n, e = candidate.n, candidate.e
    table = readings.table(memory.map.byte_order)
    divisors: list[int] = []
    for place, role in zip(candidate.places, candidate.roles, strict=True):
        raw = bare_numbers.number(memory, place)
        part = _of_part(n, e, role, raw, table)
        numbers = filter(None, (readings.decode(reading, raw) for reading in table))
        found = filter(None, (_divisors(n, e, role, number) for number in numbers))
        divisors += [part] if part is not None else next(found, [])
    key = arithmetic.from_divisors(n, e, divisors)
    return [key] if key is not None else []


def _of_part(n: int, e: int, role: str, raw: bytes, table: tuple[Reading, ...]) -> int | None:
    """Return the factor of n that a private number gives of which a part is gone."""
    match role:
        case high_exponents.ROLE:
            return high_exponents.divisor(n, e, raw)
        case low_exponents.ROLE:
            return low_exponents.divisor(n, e, raw)
        case drawn.ROLE:
            return drawn.divisor(n, raw)
    return damaged.divisor(n, role, raw, table) if role.startswith("p without") else None


def _divisors(n: int, e: int, role: str, value: int) -> list[int]:
    """Return the factors of n that one whole private number gives."""
    match role:
        case "p":
            return [value] if 1 < value < n and n % value == 0 else []
        case coefficients.LESS_ONE:
            return _divisors(n, e, "p", value + 1)
        case "d":
            return arithmetic.from_exponent(n, e, value)
        case "dp":
            p = arithmetic.from_crt_exponent(n, e, value)
            return [p] if p is not None else []
        case totients.ROLE:
            return totients.divisors(n, value)
    return residues.divisors(n, role, value) if role in residues.POWERS else []
