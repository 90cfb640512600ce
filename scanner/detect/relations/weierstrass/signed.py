"""Which scalars a signature's hash was divided for: u1 = z/s, where s or 1/s stands, and z.

To check a signature of ECDSA or DSA (FIPS 186-5 6.4.2), s is inverted, and u1 = z/s and u2 = r/s
are computed; to recover the key that signed (SEC 1 4.1.6), -z/r and s/r. Whatever of these numbers
is near u1, the others follow, and stand somewhere: textbook programs in JavaScript, Ruby and Python
leave 1/s and u2 beside u1, and s as far away as the hundreds of numbers that its inversion takes.
This module refuses to say whose signature it is: ``verifying`` does.
"""

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import gmp
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.integers.spots import spots
from scanner.detect.relations.places import digits
from scanner.detect.relations.places.standing import WORD_BITS, standing
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb

MOST_HASHES, MOST_ROLES = 1_024, 16
"""Signatures whose hash stands; and what may be s of one, numbers and their negatives."""

MOST_WRITTEN = 1_024
"""Signatures in DER whose s is tried with every scalar, the first."""

NEAR, MOST_PLACES = 64, 4
"""Numbers on each side of a place that are tried; places of one number."""

MOST_MET, MOST_PAIRS = 1 << 15, 1 << 22
"""Numbers that are tried wherever they stand, and pairs of them and scalars, four times as
many of them and what may be s: a microsecond each."""

_HASHES = (256, 384, 512)
"""Bits of hashes, which are shorter than the order, perhaps."""

_RECORD, _WORD = 256, 8
"""Bytes on each side of a place where each word may begin a number."""

_INTEGER = 0x02
"""Tag of DER (X.690 8.3)."""

_SHORTER = 3
"""Bytes that an integer of a signature is shorter than the order, at most: one in 2**24 is."""

_Signatures = Mapping[int, Sequence[int]]
"""r of signatures in DER, by s."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Suspect:
    """A scalar that may be no key, below which order."""

    one: Related
    scalar: int
    order: int

    @property
    def bits(self) -> int:
        """Bits of a number below the order."""
        return self.order.bit_length()

    @property
    def size(self) -> int:
        """Bytes of one."""
        return (self.bits + 7) // 8


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Signed:
    """A scalar that is a hash divided by ``s``, and numbers that may be r, or lead to it."""

    suspect: Suspect
    s: int
    written: Sequence[int]
    """What stands before s in DER."""
    near: Sequence[int]
    """What stands near the scalar, or near s."""


def nearby(pool: Pool, suspects: Sequence[Suspect]) -> list[Signed]:
    """Return which scalar times which s gives a hash that stands, by numbers near the scalar.

    What is read is s, in DER or beside the scalar, or 1/s, or the hash. Whoever has s normalised
    it, perhaps.
    """
    hows = [spellings(pool, one.one) for one in suspects]
    written = {size: _in_der(pool, size) for size in {one.size for one in suspects}}
    sites = _sites(pool, [(one.scalar, how) for one, how in zip(suspects, hows, strict=True)])
    beside = [
        list(
            dict.fromkeys(
                number
                for _, at in there
                for way in how
                for number in near(pool, at, way, one.bits, NEAR)
            )
        )
        for one, how, there in zip(suspects, hows, sites, strict=True)
    ]
    hits = dict[tuple[int, int], None]()
    for how, rows in _by_spelling(hows).items():
        numbers = (
            (z, (index, ss))
            for index in rows
            for z, ss in _hashes(suspects[index], written[suspects[index].size], beside[index])
        )
        for (index, ss), *_ in standing(pool, numbers, how):
            hits.update(dict.fromkeys((index, s) for s in ss))
            if len(hits) > MOST_HASHES:
                break
    first = list(hits)[:MOST_HASHES]
    sites = _sites(pool, [(s, hows[index]) for index, s in first])
    return [
        Signed(
            one := suspects[index],
            s,
            _before(written[one.size], s, one.order),
            [*_alike(pool, there, one.bits), *beside[index]],
        )
        for (index, s), there in zip(first, sites, strict=True)
    ]


def anywhere(pool: Pool, suspects: Sequence[Suspect]) -> list[Signed]:
    """Return the same by numbers that stand anywhere with a run, both s and the hash, or 1/s.

    Seen in Go, whose allocator lays numbers of each length apart.
    """
    hits, left = list[Signed](), 4 * MOST_PAIRS
    alike = defaultdict[tuple[int, tuple[Reading, ...]], list[Suspect]](list)
    for one in suspects:
        alike[one.order, tuple(spellings(pool, one.one))].append(one)
    for (n, hows), some in alike.items():
        listed = dict.fromkeys(
            number
            for how in (hows[0], *(how for how in hows if not how.packed))
            for bits in (n.bit_length(), *(size for size in _HASHES if size < n.bit_length()))
            for number in decoded(pool, how, bits)
            if large(number, n)
        )
        numbers = list(itertools.islice(listed, min(MOST_MET, MOST_PAIRS // len(suspects))))
        either = {min(number, n - number) for number in numbers}
        rows = list(zip(numbers, comb.inverses(n, numbers), strict=True)) if numbers else []
        for one in some:
            couples, last = list[int](), 0
            for s in _met(one, rows, either):
                if s + last != n:  # what is said of a number is said of its negative
                    products = zip(numbers, (number * s % n for number in numbers), strict=True)
                    couples = [number for number, z in products if min(z, n - z) in either]
                    left -= len(numbers)
                last = s
                hits.append(Signed(one, s, (), couples))
                if len(hits) == MOST_HASHES or left < 0:
                    return _beside(pool, hits)
    return _beside(pool, hits)


def _beside(pool: Pool, hits: Sequence[Signed]) -> list[Signed]:
    """Return the same with what stands beside s, too."""
    there = _sites(pool, [(hit.s, spellings(pool, hit.suspect.one)) for hit in hits])
    return [
        replace(hit, near=[*hit.near, *_alike(pool, sites, hit.suspect.bits)])
        for hit, sites in zip(hits, there, strict=True)
    ]


def _met(
    suspect: Suspect, rows: Iterable[tuple[int, int]], either: Collection[int]
) -> Iterator[int]:
    """Yield what is s if a scalar is a quotient or a product of two of the numbers.

    Of a number and its negative the smaller one is in ``either``.
    """
    n, scalar = suspect.order, suspect.scalar
    inverse, found = gmp.inverse(scalar, n), dict[int, None]()
    for number, reciprocal in rows:
        if number in (scalar, n - scalar):
            continue
        z, quotient = number * scalar % n, reciprocal * scalar % n
        if min(z, n - z) in either and z not in (scalar, n - scalar):
            found |= dict.fromkeys((number, n - number))
        if min(quotient, n - quotient) in either:
            ss = (reciprocal, number * inverse % n)
            found |= dict.fromkeys(each for s in ss for each in (s, n - s))
    yield from itertools.islice(found, MOST_ROLES)


def decoded(pool: Pool, how: Reading, bits: int) -> Iterator[int]:
    """Yield the numbers that begin or end with runs, or are digits."""
    starts, width = _starts(pool, how, bits), readings.width(how, bits)
    starts = starts[(starts >= 0) & (starts + width <= len(pool.data))][:MOST_MET]
    if len(starts):
        yield from readings.decode_all(how, pool.data[starts[:, None] + np.arange(width)])


def _by_spelling(hows: Sequence[Sequence[Reading]]) -> Mapping[tuple[Reading, ...], list[int]]:
    """Return which scalars are spelled alike."""
    found = defaultdict[tuple[Reading, ...], list[int]](list)
    for index, how in enumerate(hows):
        found[tuple(how)].append(index)
    return found


def _hashes(
    suspect: Suspect, written: Iterable[int], near: Iterable[int]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield what would stand of a signature with a scalar, and what s is then.

    Of u1 = z/s one number was read, and another one stands.
    """
    n, scalar = suspect.order, suspect.scalar
    inverse = gmp.inverse(scalar, n)
    for s in dict.fromkeys(written):
        if large(s, n):
            yield from _whole(suspect, s * scalar % n, (s,))
    read = [number for number in near if large(number, n) and number not in (scalar, n - scalar)]
    for number, reciprocal in zip(read, comb.inverses(n, read), strict=True):
        yield from _whole(suspect, number * scalar % n, (number,))
        # Of z and 1/s one was read.
        yield from _whole(suspect, reciprocal * scalar % n, (reciprocal, number * inverse % n))
        yield from _whole(suspect, number * inverse % n, (number * inverse % n,), hash_=False)


def _whole(
    suspect: Suspect, number: int, ss: tuple[int, ...], *, hash_: bool = True
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield a number, its negative, and what is greater than the order: a hash may be."""
    n = suspect.order
    for z, own in ((number, ss), (n - number, tuple(n - s for s in ss))):
        yield z, own
        if hash_ and (z + n).bit_length() <= suspect.bits:
            yield z + n, own


def large(number: int, order: int) -> bool:
    """Tell whether a number is below the order, and neither it nor its negative is small."""
    return number >> WORD_BITS > 0 and (order - number) >> WORD_BITS > 0


def spellings(pool: Pool, one: Related) -> list[Reading]:
    """Return how numbers are spelled where a scalar was read: first as it was, then in full."""
    packed = (*digits.held(pool.readings), digits.counting(pool))
    hows = [*packed, *readings.unpacked(pool.readings)]
    own = [how for how in hows if one.encoding.endswith(f" {how.name}")]
    return [*own, *(how for how in readings.unpacked(pool.readings) if how not in own)]


# --- what stands there --------------------------------------------------------------------------


def _sites(
    pool: Pool, numbers: Sequence[tuple[int, Sequence[Reading]]]
) -> list[list[tuple[Reading, int]]]:
    """Return where numbers stand and how they are spelled there, the first places of each."""
    found: list[list[tuple[Reading, int]]] = [[] for _ in numbers]
    for hows, rows in _by_spelling([how for _, how in numbers]).items():
        for row, how, at in standing(pool, ((numbers[row][0], row) for row in rows), hows):
            if len(found[row]) < MOST_PLACES:
                found[row].append((how, at))
    return found


def _alike(pool: Pool, sites: Iterable[tuple[Reading, int]], bits: int) -> Iterator[int]:
    """Yield the numbers near sites that are spelled as these are."""
    for how, at in sites:
        yield from near(pool, at, how, bits, NEAR)


def near(pool: Pool, at: int, how: Reading, bits: int, most: int) -> Iterator[int]:
    """Yield the numbers near a position that are spelled so: the nearest first."""
    starts, width = _starts(pool, how, bits), readings.width(how, bits)
    middle = int(np.searchsorted(starts, at))
    positions = starts[max(middle - most, 0) : middle + most]
    if not how.packed:
        positions = np.append(positions, np.arange(at - _RECORD, at + _RECORD + 1, _WORD))
    good = (positions >= 0) & (positions + width <= len(pool.data))
    positions = np.unique(positions[good])
    positions = positions[np.argsort(np.abs(positions - at), kind="stable")]
    yield from readings.decode_all(how, pool.data[positions[:, None] + np.arange(width)])


def _starts(pool: Pool, how: Reading, bits: int) -> Offsets:
    """Return where numbers may begin: with their runs, or so that they end with them; or digits."""
    width, name = readings.width(how, bits), (f"begun {how.name}", bits)
    if name not in pool.listed:
        if how.packed:
            found = digits.whole(pool, how, bits)
        else:
            found = np.concatenate((pool.head[pool.head >= 0], pool.tail[pool.tail >= 0] - width))
        pool.listed[name] = np.unique(found)
    return pool.listed[name]


def _before(written: _Signatures, s: int, order: int) -> list[int]:
    """Return what stands before s, or before its negative."""
    return [*written.get(s, ()), *written.get(order - s, ())]


def _in_der(pool: Pool, size: int) -> _Signatures:
    """Return the signatures that stand as two integers in DER, of numbers of so many bytes."""
    data, found = pool.data, defaultdict[int, list[int]](list)
    lengths = np.arange(256)
    fits = (lengths >= size - _SHORTER) & (lengths <= size + 1)
    first = spots(len(data) - 2 * size - 6, lambda at, end: data[at:end] == _INTEGER)
    first = first[fits[data[first + 1]]]
    second = first + 2 + data[first + 1]
    good = (data[second] == _INTEGER) & fits[data[second + 1]]
    for both in np.stack((first, second), axis=1)[good][:MOST_WRITTEN].tolist():
        r, s = (
            int.from_bytes(data[at + 2 : at + 2 + int(data[at + 1])].tobytes(), "big")
            for at in both
        )
        if r:
            found[s].append(r)
    return found
