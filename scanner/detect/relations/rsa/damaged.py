"""Primes that an allocator wrote over: all but their first bytes stand, and end a run.

A block that is freed loses its first 16 or 32 bytes to the allocator's links: the low limbs of a
little-endian prime, the high bytes of a big-endian one or of Java's words. What is left names its
modulus: two such primes by their other end, which fits as that of whole ones does, and of high
bytes lost even where nobody named the modulus; a lone one by a lattice alone, near its modulus, or
anywhere in a block that has a prime's size. A lattice costs a fifth of a millisecond, and their
number is bounded. The proof is a division. Of a prime in digits (libtommath) low digits are lost,
and what is left are digits, which hardly anything else is. Of a prime in DER (X.690) that is
overwritten from some byte on, the length before it says where it begins, and two thirds of it are
enough.
"""

import heapq
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.algebra.material import Material, Rsa
from scanner.detect.asn1 import der
from scanner.detect.integers import readings
from scanner.detect.integers.edges import FAINT, Touching
from scanner.detect.integers.pool import NEIGHBOURHOOD, Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import announced, digits, links, nearby
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, partial
from scanner.detect.relations.rsa.known import inverse_words, standing
from scanner.detect.relations.rsa.shelf import Shelf

MOST_LATTICES = (512, 128)
"""Lattices that are spent in a section, what fits best and lies nearest first, at 0.3 ms each: of
few runs, and of many."""

MOST_APART = (64, 8)
"""Primes are that many of their like apart, at most, whose modulus nobody names: of few runs, and
of many."""

MOST_DIGITS, _NEAR = 256, 2.0**-46
"""What is left in digits of numbers of one length, each of which is tried with each, at most; and
how far the product of two high words is from that of n, for its size."""

BITS = (1024, 2048, 3072, 4096)
"""Lengths of moduli that nobody names."""

LOST = (16, 32)
"""Bytes that go when a block is freed (glibc: 16, in large blocks 32)."""

_WHOLE_HEAD = 16
"""Bytes by which a modulus, whose length may be that of another's primes, is told."""

LOWLESS, HEADLESS, _DIGITS = "p without low bytes", "p without high bytes", "p without low digits"
_INTS = "p without high ints"

_ROLES = {readings.BYTES: HEADLESS, readings.JAVA: _INTS}

_SIEVE = 20
"""Bits of a word, at most, by which many words are told to be none of the others."""

_INT = 4
"""Bytes of one of Java's words, which need not end with their run: those have twice as many."""

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Rests:
    """What is left of numbers of one length: they end at ``end`` and lost ``lost`` bytes.

    ``high`` says that the high bytes went (big-endian); ``word`` is the 64 bits at the other end.
    """

    bits: int
    reading: Reading
    end: Offsets
    lost: Offsets
    high: bool
    word: Words


def search(shelf: Shelf, moduli: dict[int, int]) -> Iterator[Related]:
    """Yield each key, of modulus and public exponent, of which a damaged prime stands."""
    seen: set[int] = set()
    most = shelf.pool.budget(*MOST_LATTICES)
    ranked = heapq.nsmallest(most, _ranked(shelf, moduli, most), itemgetter(0, 1))
    for _, _, n, rests, index in ranked:
        if n in seen:
            continue
        found = _recovered(shelf, n, moduli[n], rests, index)
        if found is not None:
            seen.add(n)
            yield found
    for n, start, size in islice(_begun(shelf, moduli), most):
        if n not in seen:
            found = _related(shelf, n, moduli[n], "p without its end", start, size)
            if found is not None:
                seen.add(n)
                yield found


def unnamed(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield keys that nobody named, whose primes stand without their high bytes, or low digits.

    Together: their low words give that of a modulus which stands too; or anywhere in a section, in
    digits, where their high words do. Those of ``others`` are found already.
    """
    seen = set(others)
    for n, rests, index in islice(_met(shelf), shelf.pool.budget(*MOST_LATTICES)):
        if n not in seen:
            key = _recovered(shelf, n, arithmetic.EXPONENTS[0], rests, index)
            if key is not None and _of_primes(key.key):
                seen.add(n)
                yield key


def _met(shelf: Shelf) -> Iterator[tuple[int, Rests, int]]:
    """Yield (modulus, rests, index of one) where a rest and another may be of its primes."""
    for bits in BITS:
        numbers = shelf.numbers(bits)
        lows, tops = np.argsort(numbers.low), np.argsort(numbers.top)
        by_low = ((r, _products(shelf, r, numbers.low[lows])) for r in _whole(shelf, bits // 2))
        by_top = ((r, _upper(r, numbers.top[tops])) for r in _in_digits(shelf, bits // 2))
        for rows, parts in ((lows, by_low), (tops, by_top)):
            for rests, hits in parts:
                for index, at in hits:
                    n = shelf.value(numbers, int(rows[at]))
                    if n.bit_length() == bits:
                        yield n, rests, index


def _of_primes(key: Material) -> bool:
    return isinstance(key, Rsa) and all(map(arithmetic.is_prime, (key.p, key.q)))


def _products(shelf: Shelf, rests: Rests, lows: Words) -> Iterator[tuple[int, int]]:
    """Yield (index of a rest, index of a low word) where a rest near it gives their product."""
    most = shelf.pool.budget(*MOST_APART) if len(lows) and rests.high else 1
    for apart in range(1, most):
        product = rests.word[:-apart] * rests.word[apart:]
        at = np.searchsorted(lows, product).clip(0, len(lows) - 1)
        hits = np.flatnonzero(lows[at] == product)
        yield from zip(hits.tolist(), at[hits].tolist(), strict=True)


def _upper(rests: Rests, tops: Words) -> Iterator[tuple[int, int]]:
    """Yield (index of a rest, index of a high word) where a rest and another begin a product so.

    Seen in Rakudo, whose integers are libtommath's: primes had been freed far from their modulus.
    """
    one, other = np.triu_indices(min(len(rests.word), MOST_DIGITS), 1)
    high = rests.word.astype(np.float64)
    product, ordered = high[one] * high[other] * 2.0**-64, tops.astype(np.float64)
    if len(product) and len(ordered):
        at = np.searchsorted(ordered, product * (1 - _NEAR)).clip(0, len(ordered) - 1)
        hits = np.flatnonzero(np.abs(ordered[at] - product) < product * _NEAR)
        yield from zip(one[hits].tolist(), at[hits].tolist(), strict=True)


def _begun(shelf: Shelf, moduli: dict[int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield (modulus, position, bytes) of the beginnings of INTEGERs as long as its primes."""
    heads = {n.to_bytes(-(-n.bit_length() // 8), "big")[:_WHOLE_HEAD] for n in moduli}
    data = shelf.pool.data.tobytes() if moduli else b""
    for bits in sorted({n.bit_length() // 2 for n in moduli if n.bit_length() % 128 == 0}):
        here = [n for n in moduli if n.bit_length() == 2 * bits]
        kept = bits // 8 - (bits - partial.SPARE) // 24
        announced = der.write(0x02, bytes(bits // 8 + 1))[: -bits // 8]
        for match in re.finditer(re.escape(announced), data):
            start = match.end()
            if data[start : start + _WHOLE_HEAD] not in heads and data[start] >= 0x80:
                yield from ((n, start, kept) for n in here)


def every_rest(shelf: Shelf, bits: int) -> Iterator[Rests]:
    """List what may be left of primes of a length: runs a little too short for them."""
    yield from _whole(shelf, bits)
    yield from _in_digits(shelf, bits)


def _in_digits(shelf: Shelf, bits: int) -> Iterator[Rests]:
    """List the same of what stands in digits."""
    held = digits.held(shelf.pool.readings)
    for reading, ends in zip(shelf.pool.readings, shelf.edges.ends, strict=True):
        if reading in held and not reading.shift + reading.cell:
            yield from (_digits(shelf, bits, reading, ends, lost) for lost in LOST)


def _whole(shelf: Shelf, bits: int) -> Iterator[Rests]:
    """List the same of what fills its words."""
    pool, data, size = shelf.pool, shelf.pool.data, bits // 8
    end, lost = too_short(pool, size)
    slots = links.ends(pool, size)
    end, lost = np.append(end, slots), np.append(lost, np.full(len(slots), LOST[0]))
    for how in (*readings.limbs(pool.readings), readings.BYTES):
        high = how.most_first
        keep = (data[end - 1] & 1) == 1 if high else data[end - how.word] >= 0x80
        word = (readings.low if high else readings.top)(how, data, end[keep] - 8, readings.WIDE)
        yield Rests(bits=bits, reading=how, end=end[keep], lost=lost[keep], high=high, word=word)
    if readings.JAVA in pool.readings:
        yield _ints(shelf, bits)


def too_short(pool: Pool, size: int) -> tuple[Offsets, Offsets]:
    """Return where runs end that are a little too short for a number, and the bytes it lost."""
    missing = size - (pool.tail - pool.head)
    good = (missing >= 8) & (missing <= LOST[-1]) & (pool.head >= 0) & (pool.tail >= 0)
    return pool.tail[good], np.where(missing[good] <= LOST[0], *LOST)


def _ints(shelf: Shelf, bits: int) -> Rests:
    """List what may be left of primes of a length in Java's words, without the first ones."""
    pool, size = shelf.pool, bits // 8
    runs = (pool.head >= 0) & (pool.tail >= 0)
    end = (pool.tail[runs, None] + np.arange(-_INT, 2 * _INT, _INT)).ravel()
    missing = size - (end - np.repeat(pool.head[runs], 3))
    keep = (missing >= _INT) & (missing <= LOST[-1]) & (pool.data[end - _INT] & 1 == 1)
    end, lost = end[keep], np.where(missing[keep] <= LOST[0], *LOST)
    word = readings.low(readings.JAVA, pool.data, end - 8, 64)
    return Rests(bits=bits, reading=readings.JAVA, end=end, lost=lost, high=True, word=word)


def _digits(shelf: Shelf, bits: int, reading: Reading, ends: Touching, lost: int) -> Rests:
    """List what may be left of primes of a length in digits, without the ``lost`` low bytes."""
    rest = bits - lost // reading.step * reading.digit
    size, whole = readings.width(reading, max(rest, 1)), readings.width(reading, bits)
    keep = (ends.room >= size) & (rest >= readings.WIDE)
    start, room = ends.at[keep] - size, ends.room[keep]
    keep = readings.top(reading, shelf.pool.data, start, rest) >> np.uint64(63) == 1
    keep[keep] = readings.are_digits(reading, shelf.pool.data, start[keep], rest)
    start, first = np.unique(start[keep], return_index=True)
    keep = room[keep][first] <= size + FAINT + min(LOST) // 2  # whatever the low digits say
    front = np.maximum(start[~keep] - (whole - size), 0)
    keep[~keep] = ~readings.are_digits(reading, shelf.pool.data, front, bits)
    start = start[keep]
    word = readings.top(reading, shelf.pool.data, start, rest)
    gone = np.full(len(start), lost)
    return Rests(bits=bits, reading=reading, end=start + size, lost=gone, high=False, word=word)


def _ranked(
    shelf: Shelf, moduli: dict[int, int], most: int
) -> Iterator[tuple[int, int, int, Rests, int]]:
    """Yield (distance, position, modulus, rests, index): first what fits another one.

    Of each modulus the ``most`` that come first.
    """
    for bits in sorted({(n.bit_length() + 1) // 2 for n in moduli}):
        if bits % 64:
            continue
        here = {n: e for n, e in moduli.items() if (n.bit_length() + 1) // 2 == bits}
        stand = standing(shelf, here)
        for rests in every_rest(shelf, bits):
            along = nearby.coordinates(shelf.pool, rests.end - 1)
            fitting = announced.in_blocks(shelf.pool, rests.end - bits // 8, bits // 8)
            fitting &= not rests.reading.packed
            partnered, order = _partners(rests), np.argsort(rests.end, kind="stable")
            for n in here:
                distance = np.full(len(rests.end), 0 if n not in stand else NEIGHBOURHOOD + 1)
                if n in stand:
                    distance = nearby.apart(along, stand[n])
                    distance[fitting & (distance > NEIGHBOURHOOD)] = NEIGHBOURHOOD
                distance[partnered(n)] = -1
                near = order[distance[order] <= NEIGHBOURHOOD]
                near = near[np.argsort(distance[near], kind="stable")[:most]]
                for index in near.tolist():
                    yield int(distance[index]), int(rests.end[index]), n, rests, index


def _partners(rests: Rests) -> Callable[[int], Offsets]:
    """Return what tells which rests have one among the others that could be n divided by them."""
    if len(rests.end) == 0:
        return lambda _: np.empty(0, np.int64)
    if rests.high:
        words, inverse = np.unique(rests.word), inverse_words(rests.word)
        width = max(12, min(_SIEVE, (16 * len(words)).bit_length()))
        sieve, mask = np.zeros(1 << width, np.bool_), np.uint64((1 << width) - 1)
        sieve[(words & mask).view(np.int64)] = True

        def by_low_words(n: int) -> Offsets:
            wanted = np.uint64(n & _MASK) * inverse
            maybe = np.flatnonzero(sieve.take((wanted & mask).view(np.int64)))
            at = np.minimum(np.searchsorted(words, wanted[maybe]), len(words) - 1)
            found: Offsets = maybe[words[at] == wanted[maybe]]
            return found

        return by_low_words
    order = np.argsort(rests.word)
    tops = rests.word[order].astype(np.float64)

    def by_high_words(n: int) -> Offsets:
        ratio = float(n >> (2 * rests.bits - 128)) / tops  # in order: soon looked up
        at = np.minimum(np.searchsorted(tops, ratio * (1 - 2.0**-48)), len(tops) - 1)
        found: Offsets = order[np.abs(tops[at] - ratio) < ratio * 2.0**-47]
        return found

    return by_high_words


def role(rests: Rests) -> str:
    """Say what is left of a prime."""
    return _DIGITS if rests.reading.packed else _ROLES.get(rests.reading, LOWLESS)


def _recovered(shelf: Shelf, n: int, e: int, rests: Rests, index: int) -> Related | None:
    end, lost = int(rests.end[index]), int(rests.lost[index])
    start = end - readings.width(rests.reading, rests.bits) + lost
    return _related(shelf, n, e, role(rests), start, end - start)


def _related(shelf: Shelf, n: int, e: int, role: str, start: int, size: int) -> Related | None:
    raw = shelf.pool.data[start : start + size].tobytes()
    reading, p = next(_divisors(n, role, raw, shelf.pool.readings), (readings.BYTES, None))
    key = arithmetic.from_divisors(n, e, [p]) if p is not None else None
    if key is None:
        return None
    return Related(
        key=key,
        proof="part of p factors n",
        encoding=f"{reading.name} (part)",
        places=(shelf.pool.place(start, size),),
        roles=(role,),
    )


def divisor(
    n: int, role: str, raw: bytes, table: tuple[Reading, ...] = readings.LITTLE_ENDIAN
) -> int | None:
    """Return the factor of n, half as long, of which ``raw`` is all but the ``role``'s bytes."""
    return next((p for _, p in _divisors(n, role, raw, table)), None)


def _divisors(
    n: int, role: str, raw: bytes, table: tuple[Reading, ...]
) -> Iterator[tuple[Reading, int]]:
    """Yield (reading, factor of n) of which ``raw`` is all but the ``role``'s bytes."""
    if role == _DIGITS:
        yield from _of_digits(n, raw, table)
        return
    bits = (n.bit_length() + 1) // 2
    lost, high = bits - 8 * len(raw), role in {HEADLESS, _INTS}
    plain = readings.JAVA if role == _INTS else readings.BYTES
    for how in readings.limbs(table) if role == LOWLESS else (plain,):
        known = readings.decode(how, raw)
        if lost > 0 and known is not None:
            known <<= 0 if high else lost
            p = partial.recover(n, known, bits=bits, lost=lost, high=high)
            if p is not None:
                yield how, p


def _of_digits(n: int, raw: bytes, table: tuple[Reading, ...]) -> Iterator[tuple[Reading, int]]:
    """Yield (reading, factor of n) of which ``raw`` is the upper digits."""
    bits = (n.bit_length() + 1) // 2
    for reading in table:
        rest = readings.decode(reading, raw) if reading.packed and not reading.most_first else None
        lost = reading.digit * (readings.count(reading, bits) - len(raw) // reading.step)
        if rest and lost > 0:
            p = partial.recover(n, rest << lost, bits=bits, lost=lost, high=False)
            if p is not None:
                yield reading, p
