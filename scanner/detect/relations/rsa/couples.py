"""RSA keys whose modulus is gone: two primes, each near its CRT exponent.

Within 64 KiB of each other, or within less where there are very many. The factors are tested for
being prime, and two of them are put together only when nothing else could be meant.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Words
from scanner.detect.integers import numbers as listing
from scanner.detect.integers import readings
from scanner.detect.integers.numbers import Numbers
from scanner.detect.integers.pool import NEIGHBOURHOOD
from scanner.detect.relations.related import Related, of_numbers
from scanner.detect.relations.rsa import arithmetic, coefficients, crt, damaged
from scanner.detect.relations.rsa.known import inverse_words
from scanner.detect.relations.rsa.pairs import SHAPES
from scanner.detect.relations.rsa.rectangles import rectangles
from scanner.detect.relations.rsa.shelf import AHEAD, RADII, Shelf, by_reading, exact, within
from scanner.model import Place

MOST_PAIRS = (1 << 22, 1 << 20)
"""Pairs of a prime and an exponent of one length and reading, at 15 ns each: in a section of few
runs, and of many."""

LAST = (3, 4, 5)
"""Lengths before the end of p, q, dp, dq, with and without the coefficient, where p and q begin."""

PROOF = "e*dp = 1 mod p-1, e*dq = 1 mod q-1"

MOST_PRIMES = 64
"""Primes of a length and reading that have their exponents, and are put together."""

MOST_IN_SLABS = (1 << 14, 1 << 11)
"""Numbers of a length around which that is looked for in slabs, at 4 us each: in a section of few
runs, and of many."""

LINKS = 16
"""Bytes that an allocator's links take of a block's first number."""

_CHUNK, _ROWS = 1 << 15, 1 << 10

_ONE, _MOST_UNIT = np.uint64(1), np.uint64(1 << 40)
_MOST_END = np.uint64((1 << 32) - 1)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Prime:
    """A prime whose exponent stands near it."""

    value: int
    index: int
    exponent: int
    e: int


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys of primes that stand together in the pool, but of the moduli ``others``."""
    for half in dict.fromkeys(bits // 2 for bits, halves in SHAPES if bits // 2 in halves):
        yield from _with_exponents(shelf, half, others)


def _with_exponents(shelf: Shelf, bits: int, others: Collection[int]) -> Iterator[Related]:
    """Find two primes of which each has its CRT exponent: e*dp = 1 modulo p - 1.

    Where runs are many, of the exponents those alone that fill theirs. Numbers that are laid end to
    end (p, q, dp, dq: CAPI and CNG blobs, BearSSL's keys) are found in one run, from where it
    begins or back from where it ends.
    """
    full = shelf.numbers(bits)
    for laid in (full, _ending(shelf, bits)):
        primes, exponents = listing.behind(shelf.pool, laid, 2)
        hits = list(_beside(primes, exponents))
        yield from _twice(shelf, primes, exponents, hits, others)
        yield from _freed(shelf, primes, exponents, hits, others)
    primes, exponents = _in_slab(shelf, full)
    yield from _twice(shelf, primes, exponents, _beside(primes, exponents), others)
    every = shelf.numbers(bits, full=False, filling=not shelf.edges.loose)
    for primes, exponents in by_reading(exact(full), every.take(every.exact)):
        yield from _twice(shelf, primes, exponents, _fitting(shelf, primes, exponents), others)


def _in_slab(shelf: Shelf, full: Numbers) -> tuple[Numbers, Numbers]:
    """List numbers of whole bytes, and what stands some lengths before or behind each.

    Objects of one size lie end to end in a slab, copies and other numbers between them. Seen in
    Go, of whose freed keys of 3072 bits dp and dq lay four lengths before p and q.
    """
    pool, size = shelf.pool, full.bits // 8
    whole = np.array([reading.digit == 8 for reading in pool.readings])
    full = full.take(np.flatnonzero(whole[full.reading])[: pool.budget(*MOST_IN_SLABS)])
    inverse, unit = inverses(full.low)
    steps = [way * far for far in AHEAD for way in (1, -1)]
    parts = [listing.behind(pool, full.take(np.zeros(len(full), np.bool_)), 1)]
    for index in np.unique(full.reading).tolist():
        mine = np.flatnonzero(full.reading == index)
        for rows in np.split(mine, range(_ROWS, len(mine), _ROWS)):
            at = full.position[rows] + np.array(steps)[:, None] * size
            at = at.clip(0, len(pool.data) - size)  # where none is, none is listed
            low = readings.low(pool.readings[index], pool.data, at.ravel(), full.bits)
            hits = np.zeros(at.shape, np.bool_)
            for e in arithmetic.LIKELIEST:
                left = low.reshape(at.shape) * np.uint64(e) - _ONE
                hits |= left * inverse[rows] < unit[rows] * np.uint64(e)
            parts += [
                listing.behind(pool, full.take(rows[some]), step)
                for step, some in zip(steps, hits, strict=True)
                if some.any()
            ]
    order = np.argsort(np.concatenate([part.position for part, _ in parts]), kind="stable")
    primes, exponents = (listing.joined(side).take(order) for side in zip(*parts, strict=True))
    return primes, exponents


def _ending(shelf: Shelf, bits: int) -> Numbers:
    """List where a prime may stand so many lengths before a run's last edge, in whole bytes.

    What stands before the first one may be random too, as in what Go freed. Most of them are no
    primes: their exponents tell.
    """
    pool, one = shelf.pool, np.uint64(1)
    parts = []
    for index, reading in enumerate(pool.readings):
        ends, size = shelf.edges.ends[index], readings.width(reading, bits)
        for lengths in LAST if reading.digit == 8 else ():
            position = ends.at[ends.exact & (ends.room >= lengths * size)] - lengths * size
            low = readings.low(reading, pool.data, position, bits)
            position, low = position[low & one == one], low[low & one == one]
            top = readings.top(reading, pool.data, position, bits)
            full = top >> np.uint64(63) == one
            parts.append((position[full], np.full(int(full.sum()), index), low[full], top[full]))
    position, which, low, top = map(np.concatenate, zip(*parts, strict=True))
    order = np.argsort(position, kind="stable")
    found = Numbers(
        bits=bits,
        position=position,
        reading=which.astype(np.int8),
        low=low,
        top=top,
        exact=np.ones(len(position), np.bool_),
    )
    return found.take(order)


def _twice(
    shelf: Shelf,
    primes: Numbers,
    exponents: Numbers,
    fitting: Iterable[tuple[int, int, int]],
    others: Collection[int],
) -> Iterator[Related]:
    """Put together two primes that have their exponents and no other such prime near."""
    found: dict[int, Prime] = {}
    for index, at, e in fitting:
        p = shelf.value(primes, index)
        if p in found or (e * shelf.value(exponents, at) - 1) % (p - 1):
            continue
        if all(n % p for n in others) and arithmetic.is_prime(p):
            found[p] = Prime(value=p, index=index, exponent=at, e=e)
    for both in of_one_key(shelf, primes, exponents, found.values()):
        forms = [shelf.reading(primes, prime.index) for prime in both]
        rows = [(shelf.place(primes, prime.index), "p") for prime in both]
        yield from joined(shelf, exponents, both, forms, rows)


def of_one_key(
    shelf: Shelf, primes: Numbers, exponents: Numbers, found: Iterable[Prime]
) -> Iterator[tuple[Prime, Prime]]:
    """Yield which two of the primes that have their exponents are one key's."""
    rows = sorted(found, key=lambda prime: prime.index)[:MOST_PRIMES]
    for e in dict.fromkeys(one.e for one in rows):
        mine = [one for one in rows if one.e == e]
        place = shelf.along(primes.take(np.array([one.index for one in mine])))
        for part in np.split(np.array(mine), np.flatnonzero(np.diff(place) > NEIGHBOURHOOD) + 1):
            yield from _couples(shelf, primes, exponents, part.tolist())


def _couples(
    shelf: Shelf, primes: Numbers, exponents: Numbers, left: list[Prime]
) -> Iterator[tuple[Prime, Prime]]:
    """Yield which two of the primes that lie near each other are one key's.

    If they are more, those of which the coefficient stands there; then what is next to each other,
    if the numbers of each key lie on their own side of those of the others.
    """
    if len(left) > 2:
        every = coefficients.listed(shelf, primes.bits)
        for one, other in itertools.combinations(left, 2):
            places = primes.position[[one.index, other.index]].tolist()
            fresh = one in left and other in left
            if fresh and coefficients.together(shelf, every, one.value, other.value, places):
                left = [prime for prime in left if prime not in (one, other)]
                yield one, other
    couples = list(zip(left[::2], left[1::2], strict=False))
    edges: list[int] = []
    for both in couples:
        places = [int(primes.position[one.index]) for one in both]
        places += [int(exponents.position[one.exponent]) for one in both]
        edges += [min(places), max(places)]
    if len(left) % 2 == 0 and edges == sorted(edges):
        yield from couples


def _freed(
    shelf: Shelf,
    primes: Numbers,
    exponents: Numbers,
    fitting: Iterable[tuple[int, int, int]],
    others: Collection[int],
) -> Iterator[Related]:
    """Find p, of which the end stands before q, by its exponent behind q.

    A block of p, q, dp and dq, as BearSSL lays them, that an allocator took back: its links lie
    over the first bytes of p. What stands of it must end what dp gives.
    """
    pool, size = shelf.pool, primes.bits // 8
    rest = size - LINKS
    for index, at, e in fitting:
        position, how = int(primes.position[index]), int(primes.reading[index])
        if pool.readings[how] is not readings.BYTES or position < rest:
            continue
        q, dq = shelf.value(primes, index), shelf.value(exponents, at)
        if (e * dq - 1) % (q - 1) or any(n % q == 0 for n in others):
            continue
        before = pool.data[position - rest : position].tobytes()
        found = crt.primes(pool.number(position + size, primes.bits, how), e, primes.bits)
        p = next((p for p in found if p.to_bytes(size, "big").endswith(before)), q)
        known = p != q and all(map(arithmetic.is_prime, (p, q)))
        key = arithmetic.complete(p, q, e) if known else None
        if key is not None:
            yield Related(
                key=key,
                proof=PROOF,
                encoding=shelf.reading(primes, index),
                places=(
                    pool.place(position - rest, rest),
                    shelf.place(primes, index),
                    pool.place(position + size, size),
                    shelf.place(exponents, at),
                ),
                roles=(damaged.HEADLESS, "p", "dp", "dp"),
            )


def _beside(primes: Numbers, exponents: Numbers) -> Iterator[tuple[int, int, int]]:
    """Yield (prime, exponent, e) where the exponent of the same index fits."""
    inverse, unit = inverses(primes.low)
    for e in arithmetic.LIKELIEST:
        left = exponents.low * np.uint64(e) - _ONE
        for index in np.flatnonzero(left * inverse < unit * np.uint64(e)).tolist():
            yield index, index, e


def _fitting(shelf: Shelf, primes: Numbers, exponents: Numbers) -> Iterator[tuple[int, int, int]]:
    """Yield (prime, exponent, e) where the low words say that e*dp - 1 = k*(p-1)."""
    low, high = within(shelf, primes, exponents, shelf.pool.budget(*MOST_PAIRS), RADII)
    inverse, unit = inverses(primes.low)
    for e in arithmetic.LIKELIEST[: None if shelf.edges.loose else 1]:
        left, most = exponents.low * np.uint64(e) - _ONE, unit * np.uint64(e)
        ends, times = left.astype(np.uint32), inverse.astype(np.uint32)
        under = np.minimum(most, _MOST_END).astype(np.uint32)
        for rows, part in rectangles(low, high, _CHUNK):
            hits = np.flatnonzero(ends[part] * times[rows, None] <= under[rows, None])
            row, column = np.divmod(hits, part.stop - part.start)
            right = left[part][column] * inverse[rows][row] < most[rows][row]
            for one, at in zip(row[right].tolist(), column[right].tolist(), strict=True):
                yield rows.start + one, part.start + at, e


def inverses(primes: Words) -> tuple[Words, Words]:
    """Return, by the low words of some p, two words that tell whether e*dp - 1 = k*(p-1), k < e.

    Of p - 1 = u*odd, u a power of two: the inverse of odd modulo 2**64, by which the left side
    becomes k*u; and u. That is 0, so that none is told, where it is above 2**40: of one prime in as
    many; and where p ends in 64 ones, as of which any two fit (k = (e + 1) / 2). CPython keeps such
    a word before each object of bytes, and a crowd of signatures gave a million pairs.
    """
    less = primes - _ONE
    unit = less & (np.uint64(0) - less)
    odd = less // np.maximum(unit, _ONE)
    never = (unit > _MOST_UNIT) | (~primes == np.uint64(0))
    return inverse_words(odd), np.where(never, np.uint64(0), unit)


def joined(
    shelf: Shelf,
    exponents: Numbers,
    both: tuple[Prime, Prime],
    forms: Iterable[str],
    rows: Iterable[tuple[Place, str]],
) -> Iterator[Related]:
    """Make the key of two primes with their exponents; ``rows`` are what stands of the primes."""
    key = arithmetic.complete(both[0].value, both[1].value, both[0].e)
    if key is not None:
        beside = ((shelf.place(exponents, prime.exponent), "dp") for prime in both)
        yield of_numbers(key, PROOF, forms, (*rows, *beside))
