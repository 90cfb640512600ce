"""RSA keys of which two CRT exponents stand whole, and n, p and q do not: blocks that were freed.

An allocator's links took the first bytes of both primes, and n may be written over. Each exponent
gives its prime away (``crt``), and what is left of the prime says that it is that: by the top words
of both, e*dp/p is nearly an integer, or by the low ones, e*dp - 1 is a multiple of p - 1; then by
all that stands. Two such primes near each other are a key. Seen in LibTomCrypt on 32-bit x86, whose
integers are digits of 28 bits. This module refuses exponents that do not fill their run.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from scanner.detect.integers import readings
from scanner.detect.integers.limbs import Offsets
from scanner.detect.integers.numbers import Numbers
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, couples, crt, damaged
from scanner.detect.relations.rsa.couples import Prime
from scanner.detect.relations.rsa.damaged import Rests
from scanner.detect.relations.rsa.rectangles import rectangles
from scanner.detect.relations.rsa.shelf import RADII, Shelf, exact, within

MOST_PAIRS = (1 << 20, 1 << 18)
"""Pairs of an exponent and what is left of a prime, at 10 ns each: in a section of few runs, and of
many."""

MOST_TRIED = 64
"""Exponents of a length whose primes are computed, at 0.3 ms each for 1024 bits: by chance hardly
any fits."""

_CHUNK = 1 << 15
_NEARLY = 2.0**-33
"""How far e*dp/p, which is below 65537, is from an integer by top words, at most."""

_MOST_UNIT = np.uint64(1 << 12)
"""Powers of two that divide p - 1, at most: a low word says the less, the greater they are."""

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


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys that nobody named, but of the moduli ``others``."""
    for bits in (half // 2 for half in damaged.BITS):
        exponents = exact(shelf.numbers(bits, full=False, filling=True))
        left = _left(shelf, bits) if len(exponents) else None
        if left is None or not len(left.primes):
            continue
        found: dict[int, Prime] = {}
        for row, at in _fitting(shelf, left, exponents):
            prime = _prime(shelf, left, row, exponents, at)
            if prime is not None and all(n % prime.value for n in others):
                found.setdefault(prime.value, prime)
        for both in couples.of_one_key(shelf, left.primes, exponents, found.values()):
            yield from _joined(shelf, left, exponents, both)


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
    shelf: Shelf, left: _Left, exponents: Numbers, both: tuple[Prime, Prime]
) -> Iterator[Related]:
    key = arithmetic.complete(both[0].value, both[1].value, both[0].e)
    if key is None:
        return
    rows = [(shelf.place(exponents, prime.exponent), "dp") for prime in both]
    for prime in both:
        rests, _, size = left.extent(prime.index)
        place = shelf.pool.place(int(left.primes.position[prime.index]), size)
        rows.append((place, damaged.role(rests)))
    names = dict.fromkeys(shelf.reading(exponents, prime.exponent) for prime in both)
    yield Related(
        key=key,
        proof=couples.PROOF,
        encoding="+".join(names),
        places=tuple(place for place, _ in sorted(rows)),
        roles=tuple(role for _, role in sorted(rows)),
    )
