"""Numbers that a serializer wrote behind each other, each with its length before it.

A key that was pickled, or encoded as CBOR, is one run of random-looking bytes: what parts its
numbers is a byte or two of tag and length, so that none but the first and the last is at an edge.
One such header is chance. Two of one notation are not, of which one stands where the number of the
other ends, with lengths that numbers of one key have. This module knows where numbers may begin,
and refuses to say what they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.arrays import Flags, Offsets
from scanner.detect.integers import readings
from scanner.detect.integers.pool import MARGIN, Pool

SHORTEST, LONGEST = 24, 2049
"""Bytes of the numbers that are looked for, with that of a sign."""

APART = 48 + 3 * MARGIN
"""Bytes of a pool between two numbers, at most: names of fields, a public exponent, and what is
kept around either where it is a run of its own."""

_HEADERS = 8
"""Headers that are looked at behind the end of a number: more are a text's."""

_STRETCH, _REACH = 1 << 20, 4096
"""Bytes of a pool whose headers are looked at together: of digests in a row one byte in twenty is
one. And how far beyond them is what their numbers, and what follows within APART, may need."""

MOST = 1 << 15
"""Numbers of one length and order that are listed, the first: of random ones there are a few for
each megabyte."""

_BASE, _RUBY = 1 << 7, 5
"""Of V8's digits of lengths, and what Ruby adds to a small integer that is not zero."""


_Lengths = npt.NDArray[np.int16]
"""Lengths of numbers, of which there may be a million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notation:
    """One way to write a number: a tag, its length, so many bytes more, and its own bytes."""

    tag: bytes
    length: str
    """As numpy has it; ``ruby`` and ``v8`` are small integers of theirs, of one to three bytes."""
    more: int = 0
    counted: int = 0
    """Bytes of these that the length counts."""
    orders: str = "<"
    """Of the number's bytes; where it is a string of bytes, either."""


_FAMILIES = (
    (  # pickle: LONG1, LONG4
        _Notation(tag=b"\x8a", length="<u1"),
        _Notation(tag=b"\x8b", length="<u4"),
    ),
    (  # pickle: SHORT_BINBYTES, BINBYTES
        _Notation(tag=b"C", length="<u1", orders="<>"),
        _Notation(tag=b"B", length="<u4", orders="<>"),
    ),
    (  # Erlang: SMALL_BIG_EXT, LARGE_BIG_EXT, with a sign
        _Notation(tag=b"n", length="<u1", more=1),
        _Notation(tag=b"o", length=">u4", more=1),
    ),
    (_Notation(tag=b"l+", length="ruby"),),  # Ruby: Marshal
    (_Notation(tag=b"Z", length="v8"),),  # V8: ValueSerializer, a BigInt
    (  # CBOR, COSE: strings of bytes
        _Notation(tag=b"\x58", length="<u1", orders="<>"),
        _Notation(tag=b"\x59", length=">u2", orders="<>"),
    ),
    (  # MessagePack: bin 8, bin 16
        _Notation(tag=b"\xc4", length="<u1", orders="<>"),
        _Notation(tag=b"\xc5", length=">u2", orders="<>"),
    ),
    (  # Go: gob, of a big.Int, with a version and a sign
        _Notation(tag=b"\xff", length="<u1", more=1, counted=1, orders=">"),
        _Notation(tag=b"\xfe", length=">u2", more=1, counted=1, orders=">"),
    ),
)
"""What one serializer may write for the numbers of one key."""


def listed(pool: Pool, size: int, order: str) -> Offsets:
    """List where numbers of ``size`` bytes may begin, least (<) or most (>) significant first.

    The length may count a byte of zeros for the sign.
    """
    ahead = order == ">"
    exact, signed = (_of_length(pool, order, each) for each in (size, size + 1))
    signed = signed[pool.data[signed if ahead else signed + size] == 0] + ahead
    return np.append(exact, signed)[:MOST]


def _of_length(pool: Pool, order: str, length: int) -> Offsets:
    """Return where numbers of one length may begin, in the order of their families."""
    begin, first = _rows(pool, order)
    return begin[slice(*first[length : length + 2])] if length <= LONGEST else begin[:0]


def _rows(pool: Pool, order: str) -> tuple[Offsets, Offsets]:
    """Return where numbers of an order of bytes may begin, by length, and each length's first row.

    Once: whoever asks wants one length.
    """
    names = (f"serialized {order}", 0), (f"lengths of serialized {order}", 0)
    if names[0] not in pool.listed:
        found: dict[str, list[tuple[Offsets, _Lengths]]] = {"<": [], ">": []}
        for family in _FAMILIES:
            rows = list(_of_family(pool, family))
            for each in family[0].orders:
                found[each] += rows
        for each, rows in found.items():
            begin, length = (np.concatenate(column) for column in zip(*rows, strict=True))
            by_length = np.argsort(length, kind="stable")
            first = np.cumsum(np.bincount(length, minlength=LONGEST + 1))
            pool.listed[f"serialized {each}", 0] = begin[by_length]
            pool.listed[f"lengths of serialized {each}", 0] = np.append(0, first)
    return pool.listed[names[0]], pool.listed[names[1]]


def _of_family(pool: Pool, family: tuple[_Notation, ...]) -> Iterator[tuple[Offsets, _Lengths]]:
    """Yield where numbers of a family begin that have another beside them, and their lengths."""
    for low in range(0, len(pool.data), _STRETCH):
        high = low + _STRETCH
        rows = [_headers(pool, each, max(low - _REACH, 0), high + _REACH) for each in family]
        at, begin, length = np.concatenate(rows, axis=1)
        order = np.argsort(at, kind="stable")
        at, begin, length = at[order], begin[order], length[order]
        keep = _paired(at, begin + length, length) & (at >= low) & (at < high)
        yield begin[keep], length[keep].astype(np.int16)


def _headers(pool: Pool, notation: _Notation, low: int, high: int) -> Offsets:
    """Return rows of where headers of a notation stand, where numbers begin, and their lengths.

    Of those between two positions.
    """
    data = pool.data
    at = low + np.flatnonzero(data[low : min(high, len(data) - MARGIN)] == notation.tag[0])
    for index, byte in enumerate(notation.tag[1:], 1):
        at = at[data[at + index] == byte]
    told = at + len(notation.tag)
    if notation.length[-1] in "24":  # of most bytes no length begins or ends so
        highest = told + (int(notation.length[-1]) - 1) * (notation.length[0] == "<")
        at = at[pool.data[highest] <= LONGEST >> 8]
        told = at + len(notation.tag)
    width, length = _lengths(pool, told, notation.length)
    begin, length = told + width + notation.more, length - notation.counted
    good = (length >= SHORTEST) & (length <= LONGEST)
    good &= begin + length <= len(pool.data) - MARGIN
    return np.stack((at, begin, length))[:, good]


def _lengths(pool: Pool, at: Offsets, kind: str) -> tuple[Offsets, Offsets]:
    """Read lengths: how many bytes each has, and what it says; nothing where it is none."""
    if kind[0] in "<>":
        return np.full(len(at), int(kind[-1])), _read(pool, at, kind)
    first, second = _read(pool, at, "<u1"), _read(pool, at + 1, "<u1")
    if kind == "v8":  # of bytes, above a sign
        wide = first >= _BASE
        value = np.where(wide, first - _BASE + second * _BASE, first) >> 1
        return 1 + wide, np.where(wide & (second >= _BASE), 0, value)
    value = np.where(first < _BASE, first - _RUBY, 0)  # of 16 bits each
    value = np.where(first == 1, second, value)
    value = np.where(first == 2, _read(pool, at + 1, "<u2"), value)
    return 1 + np.where(first <= 2, first, 0), 2 * value


def _read(pool: Pool, at: Offsets, kind: str) -> Offsets:
    return readings.gather(pool.data, at, kind).astype(np.int64)


def _paired(at: Offsets, end: Offsets, length: Offsets) -> Flags:
    """Tell which numbers, their headers in order, have another behind or before them.

    Of about their length, or half or twice it: primes and moduli, scalars and points.
    """
    paired = np.zeros(len(at), np.bool_)
    first = np.searchsorted(at, end)
    last = np.minimum(np.searchsorted(at, end + APART, side="right"), first + _HEADERS)
    for step in range(_HEADERS):
        row = np.flatnonzero(first + step < last)
        other = first[row] + step
        one, two = length[row], length[other]
        fits = np.abs(one - two) <= 1
        fits |= (np.abs(2 * one - two) <= 2) | (np.abs(one - 2 * two) <= 2)
        paired[row[fits]] = True
        paired[other[fits]] = True
    return paired
