"""RSA keys of which two CRT exponents stand whole, and n, p and q do not: blocks that were freed.

An allocator's links took the first bytes of both primes, and n may be written over. Each exponent
gives its prime away (``crt``), and what is left of the prime says that it is that: by the top words
of both, e*dp/p is nearly an integer, or by the low ones, e*dp - 1 is a multiple of p - 1; then by
all that stands. Two such primes near each other are a key. Where nothing is left of the primes, the
coefficient is asked, or what is left of it: q*qinv = 1 modulo p. Seen in LibTomCrypt on 32-bit x86
and ARM, whose integers are digits of 28 bits. This module refuses exponents that do not fill their
run.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import gmp
from scanner.detect.integers import readings
from scanner.detect.integers.numbers import Numbers
from scanner.detect.integers.pool import NEIGHBOURHOOD
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, couples, crt, damaged
from scanner.detect.relations.rsa.couples import Prime
from scanner.detect.relations.rsa.damaged import Rests
from scanner.detect.relations.rsa.rectangles import rectangles
from scanner.detect.relations.rsa.shelf import RADII, Shelf, exact, within
from scanner.model import Place

MOST_PAIRS = (1 << 20, 1 << 18)
"""Pairs of an exponent and what is left of a prime, at 10 ns each: in a section of few runs, and of
many."""

MOST_TRIED = 64
"""Exponents of a length whose primes are computed, at 0.3 ms each for 1024 bits: by chance hardly
any fits."""

MOST_ALONE = (24, 4)
"""The same of exponents of 1024 bits of whose primes nothing is known, in a section of few runs and
of many: of longer ones fewer."""

APART = 4
"""Lengths of theirs that dp and dq are apart at most, from start to start: blocks that adjoin."""

_CHUNK = 1 << 15
_NEARLY = 2.0**-33
"""How far e*dp/p, which is below 65537, is from an integer by top words, at most."""

_MOST_UNIT = np.uint64(1 << 12)
"""Powers of two that divide p - 1, at most: a low word says the less, the greater they are."""

_LEAST_TOP = np.uint64(1 << 46)
"""The top word of an exponent, at least: it is not below p/e."""

_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Left:
    """What is left of primes, in the order of memory: in row i, ``index[i]`` of a list of them."""

    primes: Numbers
    which: Offsets
    index: Offsets
    rests: tuple[Rests, ...]

    def extent(self, row: int) -> tuple[Rests, int, int]:
        """Return what it is of, the bytes that are lost, and how many there are."""
        rests = self.rests[int(self.which[row])]
        lost = int(rests.lost[self.index[row]])
        return rests, lost, readings.width(rests.reading, rests.bits) - lost

    def place(self, shelf: Shelf, row: int) -> tuple[Place, str]:
        """Say where one stands, and what it is."""
        rests, _, size = self.extent(row)
        return shelf.pool.place(int(self.primes.position[row]), size), damaged.role(rests)


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys that nobody named, but of the moduli ``others``."""
    for bits in (half // 2 for half in damaged.BITS):
        exponents = exact(shelf.numbers(bits, full=False, filling=True))
        if not len(exponents):
            continue
        yield from _with_coefficient(shelf, exponents, others)
        left, found = _left(shelf, bits), dict[int, Prime]()
        for row, at in _fitting(shelf, left, exponents):
            prime = _prime(shelf, left, row, exponents, at)
            if prime is not None and all(n % prime.value for n in others):
                found.setdefault(prime.value, prime)
        for both in couples.of_one_key(shelf, left.primes, exponents, found.values()):
            rests = [left.place(shelf, prime.index) for prime in both]
            yield from _joined(shelf, exponents, both, rests)


def _left(shelf: Shelf, bits: int) -> _Left:
    """List what is left of primes of a length, in every reading."""
    rests = tuple(damaged.every_rest(shelf, bits))
    which = np.repeat(np.arange(len(rests)), [len(one.end) for one in rests])
    index = np.concatenate([np.arange(len(one.end)) for one in rests])
    widths = [readings.width(one.reading, bits) for one in rests]
    start = [one.end - size + one.lost for one, size in zip(rests, widths, strict=True)]
    position, word = np.concatenate(start), np.concatenate([one.word for one in rests])
    order = np.argsort(position, kind="stable")
    primes = Numbers(
        bits=bits,
        position=position[order],
        reading=np.zeros(len(order), np.int8),
        low=word[order],
        top=word[order],
        exact=np.ones(len(order), np.bool_),
    )
    return _Left(primes=primes, which=which[order], index=index[order], rests=rests)


def _fitting(shelf: Shelf, left: _Left, exponents: Numbers) -> Iterator[tuple[int, int]]:
    """Yield (rest, exponent) that fit by a word of either, those near each other."""
    e, most = arithmetic.EXPONENTS[0], shelf.pool.budget(*MOST_PAIRS)
    low, high = within(shelf, left.primes, exponents, most, RADII)
    headless = np.array([one.high for one in left.rests], np.bool_)[left.which]
    topped = ~headless
    inverse, unit = couples.inverses(left.primes.low)
    tops, over = exponents.top.astype(np.float64) * e, 1 / left.primes.top.astype(np.float64)
    headless &= unit <= _MOST_UNIT
    multiple, tried = exponents.low * np.uint64(e) - _ONE, 0
    for rows, part in rectangles(low, high, _CHUNK):
        times = tops[part] * over[rows, None]
        whole = np.rint(times)
        fits = (np.abs(times - whole) < _NEARLY) & (whole > 0) & topped[rows, None]
        if headless[rows].any():
            by_end = multiple[part] * inverse[rows, None] < unit[rows, None] * np.uint64(e)
            fits |= by_end & headless[rows, None]
        for hit in np.flatnonzero(fits)[: MOST_TRIED - tried].tolist():
            row, column = divmod(hit, part.stop - part.start)
            yield rows.start + row, part.start + column
            tried += 1


def _prime(shelf: Shelf, left: _Left, row: int, exponents: Numbers, at: int) -> Prime | None:
    """Return the prime that an exponent gives, if all that is left of it stands there."""
    rests, lost, size = left.extent(row)
    start, e = int(left.primes.position[row]), arithmetic.EXPONENTS[0]
    stands = shelf.pool.data[start : start + size].tobytes()
    for p in crt.primes(shelf.value(exponents, at), e, rests.bits):
        spelled = readings.encode(rests.reading, p, rests.bits)
        if spelled[lost:] == stands and arithmetic.is_prime(p):
            return Prime(value=p, index=row, exponent=at, e=e)
    return None


def _joined(
    shelf: Shelf, exponents: Numbers, both: tuple[Prime, Prime], rests: list[tuple[Place, str]]
) -> Iterator[Related]:
    """Make the key of two primes of which nothing but the ``rests`` stands, if anything does."""
    forms = [shelf.reading(exponents, prime.exponent) for prime in both]
    return couples.joined(shelf, exponents, both, forms, rests)


# --- nothing of the primes ----------------------------------------------------------------------


def _with_coefficient(
    shelf: Shelf, exponents: Numbers, others: Collection[int]
) -> Iterator[Related]:
    """Find two exponents side by side, and near them a coefficient that their primes have."""
    given: dict[int, list[int]] = {}
    size = max(exponents.bits, 1024)
    most = max(shelf.pool.budget(*MOST_ALONE) * 1024**2 // size**2, 1)
    for row, at in _side_by_side(shelf, exponents):
        if row not in given and len(given) < most:
            given[row] = _primes(shelf, exponents, row)
        for p in given.get(row, ()):
            for q in _primes(shelf, exponents, at):
                fresh = p != q and all(n % p and n % q for n in others)
                if fresh and _coefficient_stands(shelf, exponents, at, p, q):
                    both = [
                        Prime(value=value, index=which, exponent=which, e=arithmetic.EXPONENTS[0])
                        for value, which in ((p, row), (q, at))
                    ]
                    yield from _joined(shelf, exponents, (both[0], both[1]), [])


def _side_by_side(shelf: Shelf, exponents: Numbers) -> Iterator[tuple[int, int]]:
    """Yield which exponents have another one behind them; digits first, which are rare."""
    pool, bits = shelf.pool, exponents.bits
    widths = np.array([readings.width(reading, bits) for reading in pool.readings])
    packed = np.array([reading.packed for reading in pool.readings], np.bool_)
    for reading in sorted(set(exponents.reading.tolist()), key=lambda i: (not packed[i], i)):
        mine = np.flatnonzero((exponents.reading == reading) & (exponents.top >= _LEAST_TOP))
        along = shelf.along(exponents.take(mine))
        for ahead in range(1, APART):
            step = along[ahead:] - along[:-ahead]
            rows = np.flatnonzero((step >= widths[reading]) & (step <= APART * widths[reading]))
            yield from zip(mine[rows].tolist(), mine[rows + ahead].tolist(), strict=True)


def _primes(shelf: Shelf, exponents: Numbers, row: int) -> list[int]:
    """Return the primes that an exponent may be one of."""
    (exponent,) = shelf.values(exponents, np.array([row]))
    found = crt.primes(exponent, arithmetic.EXPONENTS[0], exponents.bits)
    return [p for p in found if arithmetic.is_prime(p)]


def _coefficient_stands(shelf: Shelf, exponents: Numbers, row: int, p: int, q: int) -> bool:
    """Tell whether the inverse of one prime modulo the other is near, but for its first bytes."""
    pool, position = shelf.pool, int(exponents.position[row])
    how = pool.readings[int(exponents.reading[row])]
    around = pool.data[max(position - NEIGHBOURHOOD, 0) : position + NEIGHBOURHOOD].tobytes()
    inverses = ((q, p), (p, q))
    spelled = (readings.encode(how, gmp.inverse(one, of), exponents.bits) for one, of in inverses)
    return any(raw[couples.LINKS :] in around for raw in spelled)
