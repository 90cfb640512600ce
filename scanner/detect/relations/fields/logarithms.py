"""What in the pool may be an exponent in a group of a finite field, likeliest first.

Where the order is known an exponent is as long as it is, but for a few bits: digits of its length,
and what fills its words, beside a number as long as p first. Where it is not, the exponents of
libraries are short (RFC 7919 5.2), or as long as a seed. What says its own length takes turns with
the others: Java's numbers are arrays of ints behind their count, and its keys keep their exponents
as DER INTEGERs too. This module raises nothing to them.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import BYTES, JAVA, Reading
from scanner.detect.relations.places import (
    adjoining,
    announced,
    checked,
    counts,
    digits,
    headed,
    nearby,
    pieces,
    variety,
    words,
)
from scanner.model import Place

_LACK, _MORE = 16, 12
"""Bits that a short exponent may have less, and more: GnuTLS adds some to those of RFC 7919."""

_UNDER = 40
"""Bits that an exponent that fills its words has less than the order, at most. Seen in Crypto++: an
order of 256 bits and exponents of 225, the work that a modulus of 2048 is worth."""

_USUAL = 32
"""Bytes of an exponent that is as long as a seed."""

_POSITIONS, _MOST_BESIDE = 800, 128
"""Where one may begin, of one size; and of what adjoins a number as long as p."""

_INT, _MOST_ENDING = 4, 64
"""Bytes that are zeros at the end of an exponent which is shorter than its order; and such."""

_MOST_ORDERS = 16
"""Places of an order that are looked at."""

_HEADED = 64
"""Numbers of one size that fill their runs behind a header."""

_INTEGERS = 1 << 16
"""DER INTEGERs of a length that are looked at."""

LONGEST, _LONG = 1024, 512
"""Bits of an exponent of OpenJDK, at most: it has half as many as p, where a program gives the
group; and of what RFC 7919 or OpenJDK call short."""

MULTIPLES = (2, 3)
"""By which an exponent is multiplied to weigh it in non-adjacent form. Seen in Bouncy Castle
(WNafUtil.getNafWeight), whose modPow leaves the powers of such exponents too, in its table."""

_LESS, _FEWEST = 24, 6
"""Bits that OpenJDK's exponents may have less than those of RFC 7919, in its own groups (KeySizes
of sun.security.util.SecurityProviderConstants); and ints of the shortest that are looked for."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Piece:
    """A number that may be an exponent."""

    x: int
    position: int
    size: int
    how: Reading


def in_digits(pool: Pool, q: int, near: tuple[Place, ...], most: int) -> Iterator[Piece]:
    """Yield at most ``most`` numbers of the length of an order that stand as digits.

    Those nearest to the places ``near`` come first.
    """
    bits = q.bit_length()
    for how, position in itertools.islice(_digits(pool, bits, near), most):
        size = readings.width(how, bits)
        x = readings.decode(how, pool.data[position : position + size].tobytes()) or 0
        if 1 < x < q:
            yield Piece(x, position, size, how)


def _digits(pool: Pool, bits: int, near: tuple[Place, ...]) -> Iterator[tuple[Reading, int]]:
    """Yield where digits stand, those of no narrower reading first."""
    rest: list[tuple[Reading, Offsets]] = []
    for how in digits.held(pool.readings):
        found = digits.whole(pool, how, bits)
        top = readings.top(how, pool.data, found, bits)
        found = found[top >= np.uint64(1 << (readings.WIDE - digits.LACK))]
        found = nearby.nearest_to(pool, found, near)
        good = digits.own(pool, how, found, bits)
        yield from ((how, position) for position in found[good].tolist())
        rest.append((how, found[~good]))
    for how, found in rest:
        yield from ((how, position) for position in found.tolist())


def of_order(pool: Pool, q: int, near: tuple[Place, ...], most: int, p: int) -> Iterator[Piece]:
    """Yield at most ``most`` numbers of the length of an order that fill their words.

    What adjoins a number as long as ``p`` comes first: a public number stands beside its exponent.
    Every other one says its own length, as long as there are such: behind the count of its ints, as
    a DER INTEGER, or as a word of text. Near is what is near to the order as well, wherever that
    stands.
    """
    bits, width = q.bit_length(), (p.bit_length() + 7) // 8
    near = (*near, *_standing(pool, q))
    count = readings.count(JAVA, bits)
    told = _in_turn(
        _ints(pool, count, near),
        _dumped(pool, count, near),
        _integers(pool, bits, near),
        _written(pool, (bits + 7) // 8),
    )
    fit = (piece for piece in told if 1 << bits - _LACK < piece.x < q)
    return itertools.islice(_in_turn(fit, _of_order(pool, q, near, width)), most)


def _written(pool: Pool, size: int) -> Iterator[Piece]:
    """Yield the numbers of so many bytes that are written as text."""
    for block, text in pool.texts.items():
        if len(text.raw) == size:
            yield Piece(int.from_bytes(text.raw, "big"), int(pool.head[block]), size, BYTES)


def _standing(pool: Pool, q: int) -> Iterator[Place]:
    """Yield where an order stands as words or bytes: a structure has it beside the exponent.

    Seen in Deno (num-bigint-dig): numbers of four limbs at most are in the structure itself.
    """
    spelled = {readings.encode(how, q, q.bit_length()) for how in readings.whole(pool.readings)}
    raws = sorted(spelled)
    hits = words.find_whole(pool.data, raws)
    return (pool.place(at, len(raws[row])) for row, at in itertools.islice(hits, _MOST_ORDERS))


def _in_turn(*parts: Iterable[Piece]) -> Iterator[Piece]:
    """Yield one piece of each part after the other, and what is left of the longest."""
    for row in itertools.zip_longest(*parts):
        yield from (piece for piece in row if piece is not None)


def _of_order(pool: Pool, q: int, near: tuple[Place, ...], width: int) -> Iterator[Piece]:
    bits = q.bit_length()
    judged = bits // 64 * 8
    limbs = ((-(-bits // 64) * 8, judged),) if pool.big_endian else ()  # zeros are within the last
    sizes = [
        (size, part)
        for size, part in dict.fromkeys((((bits + 7) // 8, judged), *limbs, (_USUAL, _USUAL)))
        if part in variety.LEAST_VARIED
    ]
    beside = ((size, _beside(pool, part, width, near)) for size, part in sizes)
    summed = ((size, checked.numbers(pool, size)) for size, _ in sizes)
    counted = ((size, counts.likeliest(pool, size, near)) for size, _ in sizes)
    under = ((size, _ending(pool, size, near)) for size, _ in sizes)
    rest = ((size, pieces.aligned(pool, part, _POSITIONS, near)) for size, part in sizes)
    seen: set[tuple[int, int]] = set()
    for size, positions in itertools.chain(summed, beside, counted, under, rest):
        for position in positions[positions + size <= len(pool.data)].tolist():
            if (position, size) in seen:
                continue
            seen.add((position, size))
            raw = pool.data[position : position + size].tobytes()
            for how in readings.whole(pool.readings):
                x = readings.decode(how, raw) or 0
                if 1 << bits - _UNDER < x < q:
                    yield Piece(x, position, size, how)


def _ending(pool: Pool, size: int, near: tuple[Place, ...]) -> Offsets:
    """Return limbs of which the last 32 bits are zeros, nearest first.

    Seen in Crypto++: of exponents of 225 bits every other one has fewer.
    """
    if size - _INT not in variety.LEAST_VARIED:
        return np.empty(0, np.int64)
    found = pieces.aligned(pool, size - _INT, _POSITIONS, near)
    found = found[found + size <= len(pool.data)]
    ending: Offsets = found[readings.gather(pool.data, found + size - _INT, "<u4") == 0]
    return ending[:_MOST_ENDING]


def _beside(pool: Pool, size: int, width: int, near: tuple[Place, ...]) -> Offsets:
    """Return numbers that fill their run and adjoin one of ``width`` bytes, nearest first.

    Seen in SBCL, whose collector moves a private number with its public one, far from the group.
    """
    both = (adjoining.filling(pool, size), size), (adjoining.filling(pool, width), width)
    found = np.unique(adjoining.pairs(pool, *both)[0])
    found = nearby.nearest_to(pool, found[variety.varied(pool.data, found, size)], near)
    return found[variety.once(pool.data, found, size)][:_MOST_BESIDE]


def short(pool: Pool, bits: int, *, ints: bool = False) -> Iterator[Piece]:
    """Yield short exponents of so many bits, every other one as ``ints`` of Java if so asked.

    What has more bits than any short exponent is looked for as ints alone.
    """
    told = _in_ints(pool, bits, ints=ints)
    return told if bits > _LONG else _in_turn(told, _short(pool, bits))


def _short(pool: Pool, bits: int) -> Iterator[Piece]:
    """Yield short exponents of so many bits that fill their words, each once.

    Limbs whose last one is as short as it has to be come first; then what is long enough as bytes,
    or is as long as a seed.
    """
    judged = bits // 64 * 8
    starts = {
        size: pieces.aligned(pool, size, _POSITIONS).tolist()
        for size in dict.fromkeys((_USUAL, judged))
        if size in variety.LEAST_VARIED
    }
    mixed = [at for row in itertools.zip_longest(*starts.values()) for at in row if at is not None]
    seen: set[int] = set()
    for at, size, how, lengths in _spellings(pool, bits, mixed, set(starts[_USUAL])):
        x = readings.decode(how, pool.data[at : at + size].tobytes()) or 0
        if x.bit_length() in lengths and x not in seen and at + size <= len(pool.data):
            seen.add(x)
            yield Piece(x, at, size, how)


def _spellings(
    pool: Pool, bits: int, positions: list[int], seeds: set[int]
) -> Iterator[tuple[int, int, Reading, range]]:
    """Yield where to read how many bytes, and the lengths that an exponent has then."""
    *limbs, plain = readings.whole(pool.readings)
    least, size = bits - _LACK, -(-bits // 64) * 8
    most = max(bits + 1, min(bits + _MORE, 8 * size - 8))  # else all that is random is short
    for at in positions:
        for how in limbs:
            yield at, size, how, range(least, most + 1)
    for at in positions:
        yield at, (bits + 7) // 8, plain, range(least, bits + 1)
        for how in (*limbs, plain) if at in seeds else ():
            yield at, _USUAL, how, range(8 * _USUAL - _LACK, 8 * _USUAL + 1)


def _in_ints(pool: Pool, bits: int, *, ints: bool) -> Iterator[Piece]:
    """Yield exponents of about so many bits behind the count of their ints, as in Java's arrays.

    Those of a heap dump, and, if they are asked for, of a process.
    """
    counts = {readings.count(JAVA, each) for each in (bits, bits - _LESS)}
    counts |= {_USUAL // JAVA.word} if bits <= _LONG else set()
    dumped = (_dumped(pool, count, ()) for count in sorted(counts))
    held = (_ints(pool, count, ()) for count in sorted(counts) if ints)
    return _in_turn(*held, *dumped)


def _ints(pool: Pool, count: int, near: tuple[Place, ...]) -> Iterator[Piece]:
    """Yield the numbers of so many ints behind their count; long ones fill their runs too.

    First what fills its run behind a header, in which a type may stand beside the count.
    The first int of a BigInteger is none of zeros.
    """
    size = JAVA.word * count
    if JAVA not in pool.readings or count < _FEWEST:
        return
    if size > max(variety.LEAST_VARIED):
        found = nearby.nearest_to(pool, adjoining.filling_ints(pool, size), near)[:_POSITIONS]
        found = found[variety.once(pool.data, found, size)]
    else:
        judged = max(each for each in variety.LEAST_VARIED if each <= size)
        counted = pieces.counted(pool, judged, count, _POSITIONS, near)
        found = np.concatenate((headed.likeliest(pool, size, _HEADED, near), counted))
        found = found[np.sort(np.unique(found, return_index=True)[1])]
    for at in found[found + size <= len(pool.data)].tolist():
        x = readings.decode(JAVA, pool.data[at : at + size].tobytes()) or 0
        if readings.count(JAVA, x.bit_length()) == count:
            yield Piece(x, at, size, JAVA)


def _dumped(pool: Pool, count: int, near: tuple[Place, ...]) -> Iterator[Piece]:
    """Yield the numbers of so many ints that a Java heap dump holds, as bytes."""
    size = JAVA.word * count
    judged = max((each for each in variety.LEAST_VARIED if each <= size), default=0)
    found = announced.heap_ints(pool, count) if judged else np.empty(0, np.int64)
    found = found[variety.fits(pool, found, size)]
    found = found[variety.varied(pool.data, found, judged)]
    found = nearby.nearest_to(pool, found, near)[:_POSITIONS]
    for at in found[variety.once(pool.data, found, size)].tolist():
        x = readings.decode(BYTES, pool.data[at : at + size].tobytes()) or 0
        if readings.count(JAVA, x.bit_length()) == count:
            yield Piece(x, at, size, BYTES)


def _integers(pool: Pool, bits: int, near: tuple[Place, ...]) -> Iterator[Piece]:
    """Yield the DER INTEGERs of an order's length at any byte, or of one byte less."""
    whole = (bits + 7) // 8
    for size in (whole, whole - 1) if whole in variety.LEAST_VARIED else ():
        signed, plain = (re.escape(bytes((2, length))) for length in (size + 1, size))
        form = rb"%b\x00(?=[\x80-\xff])|%b(?=[\x01-\x7f])" % (signed, plain)
        matches = itertools.islice(re.finditer(form, pool.data.data), _INTEGERS)
        found = np.fromiter((match.end() for match in matches), np.int64)
        found = found[variety.fits(pool, found, size)]
        found = found[variety.varied(pool.data, found, whole)]
        found = nearby.nearest_to(pool, found, near)[:_POSITIONS]
        for at in found[variety.once(pool.data, found, size)].tolist():
            x = readings.decode(BYTES, pool.data[at : at + size].tobytes()) or 0
            yield Piece(x, at, size, BYTES)
