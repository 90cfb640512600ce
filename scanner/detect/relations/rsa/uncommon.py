"""Lengths of RSA keys that are none of the usual ones, as the numbers of a pool tell them.

To list numbers of every length would cost more than all other relations together. So numbers that
stand together are related whatever their length, by a word of each: two primes whose product ends
as a third number does, and a modulus of which d is nearly a fraction. Seen in OpenSSL with keys of
1792 to 16384 bits. What is told here is a length and no more: this module refuses to prove.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.integers import readings
from scanner.detect.integers.pool import NEIGHBOURHOOD, SLACK
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import nearby
from scanner.detect.relations.rsa import arithmetic, ratios
from scanner.detect.relations.rsa.shelf import Shelf

Shape = tuple[int, tuple[int, ...]]
"""Lengths of a modulus and of its primes, in bits."""

LEAST, MOST = 64, 2048
"""Bytes of a prime of 512 bits, and of a modulus of 16384."""

MOST_PAIRS = (1 << 21, 1 << 18)
"""Pairs of numbers of like length that are tried in one reading, at 10 ns each: in a section of few
runs, and of many."""

MOST_READINGS = 4
"""Readings that are tried where runs are many: limbs, bytes, Java's words or big-endian limbs, and
CPython's digits; the first of each table."""

MOST_CHECKED = 64
"""Products of one reading that are multiplied as whole numbers: chance makes none."""

MOST_FOUND = 16
"""Lengths that are told of a section, whole words of 64 bits first."""

_BITS = 512
_CLASS = 32
"""Bytes by which numbers of like length differ at most: their run's edges are not sharper."""

_FEWEST = 12
"""Bits that are set, and that are not, in a random word (see ``limbs``)."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Ends:
    """One end of numbers that fill their run: its word, and how many bytes they may have."""

    word: Words
    at: Offsets
    """Position of the number's outermost byte at this end; behind it, where that is the last."""
    room: Offsets
    place: Offsets


def shapes(shelf: Shelf) -> list[Shape]:
    """Return the lengths of two primes and their product that stand together in one reading."""
    found: dict[Shape, None] = {}
    few = shelf.edges.loose
    for index, reading in enumerate(shelf.pool.readings[: None if few else MOST_READINGS]):
        ends = _ends(shelf, index, lowest=True)
        whole = np.flatnonzero(ends.room >= 2 * LEAST)
        whole = whole[np.argsort(ends.word[whole], kind="stable")]
        if len(whole):
            found |= dict.fromkeys(_products(shelf, reading, ends, whole))
    return sorted(found, key=lambda shape: shape[0] % readings.WIDE != 0)[:MOST_FOUND]


def moduli(shelf: Shelf, e: int) -> list[int]:
    """Return lengths, in bits, of which two numbers stand together as n and d of a key do.

    For e*d/n is nearly a simple fraction (see ``ratios``). None where runs are many.
    """
    found: dict[int, None] = {}
    if not shelf.edges.loose:
        return []
    for index, reading in enumerate(shelf.pool.readings):
        ends = _ends(shelf, index, lowest=False)
        for row in itertools.islice(_ratios(shelf, reading, ends, e), MOST_CHECKED):
            found |= dict.fromkeys(_lengths(shelf, index, ends, row))
    return list(found)[:MOST_FOUND]


def _ends(shelf: Shelf, index: int, *, lowest: bool) -> _Ends:
    """List the numbers of a reading that fill their run, in order of place, by one of their ends.

    Those whose word there looks random, and is odd if it is the lowest, each once in 64 KiB. Where
    the first word is the most significant, the lowest is the last.
    """
    reading = shelf.pool.readings[index]
    last = reading.most_first == lowest
    side = (shelf.edges.ends if last else shelf.edges.begins)[index]
    bits = _bits(reading)
    size = readings.width(reading, bits)
    good = side.exact & (side.room >= max(LEAST, size)) & (side.room <= MOST + 4 * SLACK)
    at, room = side.at[good], side.room[good].astype(np.int64)
    read = readings.low if lowest else readings.top
    word = read(reading, shelf.pool.data, at - size if last else at, bits)
    count = np.bitwise_count(word)
    random = (count >= _FEWEST) & (count <= readings.WIDE - _FEWEST)
    rows = np.flatnonzero(random & ((word & np.uint64(1)) == 1) if lowest else random)
    word, at, room = word[rows], at[rows], room[rows]
    place = nearby.coordinates(shelf.pool, at - size if last else at)
    order = np.lexsort((word, place // NEIGHBOURHOOD))
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = np.diff(word[order]) != 0
    fresh[1:] |= np.diff(place[order] // NEIGHBOURHOOD) != 0
    rows = order[fresh]
    rows = rows[np.argsort(place[rows], kind="stable")]
    return _Ends(word=word[rows], at=at[rows], room=room[rows], place=place[rows])


def _bits(reading: Reading) -> int:
    """Return the bits of the least number of whole words that any modulus has."""
    return -(-_BITS // reading.digit) * reading.digit


def _alike(shelf: Shelf, ends: _Ends) -> Iterator[tuple[Offsets, Offsets]]:
    """Yield pairs of numbers of like length within 64 KiB, as two arrays, the nearest first."""
    steps = np.minimum(np.diff(ends.place, prepend=ends.place[:1]), NEIGHBOURHOOD + 1)
    near = np.cumsum(steps)
    stride = int(near[-1]) + NEIGHBOURHOOD + 1 if len(near) else 0
    for shift in (0, _CLASS // 2):
        key = (ends.room + shift) // _CLASS * stride + near
        order = np.argsort(key, kind="stable")
        key, left = key[order], shelf.pool.budget(*MOST_PAIRS)
        rows = np.arange(len(key))
        for apart in range(1, len(key)):
            rows = rows[: np.searchsorted(rows, len(key) - apart)]
            rows = rows[key[rows + apart] - key[rows] <= NEIGHBOURHOOD]
            left -= len(rows)
            if left < 0 or not len(rows):
                break
            yield order[rows], order[rows + apart]


# --- products -----------------------------------------------------------------------------------


def _products(shelf: Shelf, reading: Reading, ends: _Ends, whole: Offsets) -> Iterator[Shape]:
    """Yield the lengths of numbers whose product ends as another does, and is that one."""
    lows, checked = ends.word[whole], 0
    width = max(16, min(22, (64 * len(lows)).bit_length()))
    mask = np.uint64((1 << width) - 1)
    sieve = np.zeros(1 << width, np.bool_)
    sieve[(lows & mask).view(np.int64)] = True
    for first, second in _alike(shelf, ends):
        product = ends.word[first] * ends.word[second]
        hits = np.flatnonzero(sieve.take((product & mask).view(np.int64), mode="clip"))
        left = np.searchsorted(lows, product[hits])
        right = np.searchsorted(lows, product[hits], side="right")
        for hit in np.flatnonzero(right > left).tolist():
            checked += 1
            if checked > MOST_CHECKED:
                return
            rows = whole[left[hit] : min(right[hit], left[hit] + _CLASS)].tolist()
            primes = int(first[hits[hit]]), int(second[hits[hit]])
            shape = _multiplied(shelf, reading, ends, primes, rows)
            if shape is not None:
                yield shape


def _multiplied(
    shelf: Shelf, reading: Reading, ends: _Ends, primes: tuple[int, int], rows: list[int]
) -> Shape | None:
    """Return the lengths of two numbers of which one of some others is the product, if it is."""
    one, other = (_values(shelf, reading, ends, prime) for prime in primes)
    products = {p * q: (p, q) for p in one for q in other if _balanced(p, q)}
    for row in rows:
        for n in _values(shelf, reading, ends, row):
            if n in products:
                lengths = {prime.bit_length() for prime in products[n]}
                return n.bit_length(), tuple(sorted(lengths, reverse=True))
    return None


def _balanced(p: int, q: int) -> bool:
    """Tell whether two numbers are as long as primes of one modulus are."""
    lengths = sorted((p.bit_length(), q.bit_length()))
    return p != q and lengths[0] >= 8 * LEAST and lengths[1] - lengths[0] <= arithmetic.NEARLY


def _values(shelf: Shelf, reading: Reading, ends: _Ends, row: int) -> list[int]:
    """Read a number in each of the lengths that its run allows."""
    found: dict[int, None] = {}
    for size in _sizes(reading, int(ends.room[row])):
        at = int(ends.at[row]) - (size if reading.most_first else 0)
        value = readings.decode(reading, shelf.pool.data[at : at + size].tobytes())
        if value:
            found[value] = None
    return list(found)


def _sizes(reading: Reading, room: int) -> range:
    """Return how many bytes a number may have that fills a run: edges are not sharper."""
    most = room // reading.step * reading.step
    return range(most, max(most - 4 * SLACK, reading.step) - 1, -reading.step)


# --- private exponents --------------------------------------------------------------------------


def _ratios(shelf: Shelf, reading: Reading, ends: _Ends, e: int) -> Iterator[int]:
    """Yield what may be a modulus: the tops of it and another say that e*d/n is a fraction."""
    tops = ends.word.astype(np.float64)
    for first, second in _alike(shelf, ends):
        ratio = np.minimum(tops[first], tops[second]) / np.maximum(tops[first], tops[second])
        for hit in ratios.near(ratio, e).tolist():
            d, n = sorted((int(first[hit]), int(second[hit])), key=lambda row: tops[row])
            if _whole(shelf, reading, ends, (n, d), e):
                yield n


def _whole(shelf: Shelf, reading: Reading, ends: _Ends, both: tuple[int, int], e: int) -> bool:
    """Tell whether so much of n and d as any key has says so too."""
    size = readings.width(reading, _bits(reading))
    n, d = (
        readings.decode(reading, shelf.pool.data[at : at + size].tobytes()) or 0
        for at in (int(ends.at[row]) - (0 if reading.most_first else size) for row in both)
    )
    return n > 0 and ratios.told(n, d, e)


def _lengths(shelf: Shelf, index: int, ends: _Ends, row: int) -> list[int]:
    """Return how many bits a number may have that begins, or ends, where a run does.

    Whole words of 64 bits, as keys have.
    """
    reading, at = shelf.pool.readings[index], int(ends.at[row])
    side = (shelf.edges.ends if reading.most_first else shelf.edges.begins)[index]
    spare = readings.WIDE - int(ends.word[row]).bit_length()
    found = []
    for size in _sizes(reading, int(ends.room[row])):
        bits = size // reading.step * reading.digit - spare
        if bits % readings.WIDE == 0:
            where = at + size if reading.most_first else at - size
            found += [bits] * bool(np.any(side.exact & (side.at == where)))
    return found
