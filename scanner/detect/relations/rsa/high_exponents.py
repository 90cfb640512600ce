"""Private exponents that an allocator wrote over: all but their low limbs stand, and end a run.

The upper half of d says little: it is k*n/e for some k up to e, whoever knows n. What stands below
is secret, and enough: e*d = 1 + k*(n + 1 - p - q) gives p + q but for as many bits as are lost, so
p but for hardly more, and a lattice the rest (D. Boneh, G. Durfee, Y. Frankel, 1998). By its top
word an exponent names its modulus, one that was read or, within 64 KiB, one that nobody named. The
proof is a division. This module knows limbs alone: digits and bytes lose another end.
"""

from collections.abc import Iterator

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.integers import readings
from scanner.detect.integers.pool import NEIGHBOURHOOD
from scanner.detect.relations.places import nearby
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, damaged, known, partial
from scanner.detect.relations.rsa.shelf import Shelf, once

MOST = (400, 40)
"""Moduli that nobody names, of each length, in a section of few runs and of many, at 0.1 ms each:
those nearest to what may be left of an exponent."""

_ALIKE, _COST = 6, 300
"""Microseconds that it takes to tell that what begins as an exponent does is none: by all bits that
stand, and by the lattice."""

_SURE = 64
"""Bits to which e*d/n is nearly an integer: half of n's but for 41, and what is lost, are more."""

ROLE = "d without low bytes"


def search(shelf: Shelf, moduli: dict[int, int], others: set[int]) -> Iterator[Related]:
    """Yield each key whose exponent lost its low limbs; those of ``others`` are found already."""
    if shelf.pool.big_endian:
        return
    e = arithmetic.EXPONENTS[0]
    lengths = (n.bit_length() for n in moduli if n.bit_length() % 64 == 0)
    for bits in sorted({*damaged.BITS, *lengths}):
        ends, lost = damaged.too_short(shelf.pool, bits // 8)
        tops = readings.gather(shelf.pool.data, ends - 8, "<u8")
        named = {n: e for n, e in moduli.items() if n.bit_length() == bits}
        for n in (*named, *_near(shelf, bits, ends)) if len(ends) else ():
            if n in others:
                continue
            for index in known.near_integers(tops, named.get(n, e), n >> (bits - 64)):
                start = int(ends[index]) - bits // 8 + int(lost[index])
                found = _related(shelf, n, named.get(n, e), start, int(ends[index]) - start)
                if found is not None:
                    others = others | {n}
                    yield found
                    break


def _near(shelf: Shelf, bits: int, ends: Offsets) -> list[int]:
    """Return numbers that may be moduli near one of the ends, the nearest first."""
    numbers = once(shelf.numbers(bits))
    limbs = numbers.reading == shelf.pool.readings.index(readings.LIMBS)
    numbers = numbers.take(numbers.exact & limbs)
    far = nearby.apart(shelf.along(numbers), nearby.coordinates(shelf.pool, ends))
    order = np.argsort(far, kind="stable")
    order = order[far[order] <= NEIGHBOURHOOD][: shelf.pool.budget(*MOST)]
    return shelf.values(numbers, order)


def _related(shelf: Shelf, n: int, e: int, start: int, size: int) -> Related | None:
    raw = shelf.pool.data[start : start + size].tobytes()
    multiples = _likely(n, e, raw)
    p = _divisor(n, e, raw, multiples)
    key = arithmetic.from_divisors(n, e, [p]) if p is not None else None
    if p is None or key is None or not (arithmetic.is_prime(p) and arithmetic.is_prime(n // p)):
        shelf.waste(_COST if multiples else _ALIKE)
        return None
    return Related(
        key=key,
        proof="part of d factors n",
        encoding=f"{readings.LIMBS.name} (part)",
        places=(shelf.pool.place(start, size),),
        roles=(ROLE,),
    )


def divisor(n: int, e: int, raw: bytes) -> int | None:
    """Return the factor of n that the upper limbs of its private exponent give, if they are."""
    return _divisor(n, e, raw, _likely(n, e, raw))


def _divisor(n: int, e: int, raw: bytes, multiples: list[int]) -> int | None:
    lost, d = n.bit_length() - 8 * len(raw), _shifted(n, raw)
    for multiple in multiples:
        p = partial.from_exponent(n, e * multiple, multiple, d, lost=lost)
        if p is not None:
            return p
    return None


def _likely(n: int, e: int, raw: bytes) -> list[int]:
    """Return the common multiples of which all that stands says that e*d is nearly one of n.

    The top words say it of one number in 4,000: of frames of video, where gray is everywhere and
    all the rest is noise, more than could be checked (ffmpeg with x264).
    """
    d = _shifted(n, raw)
    return [m for m in arithmetic.COMMON_MULTIPLES if d and -e * m * d % n <= n >> _SURE]


def _shifted(n: int, raw: bytes) -> int:
    """Return an exponent without its low limbs; 0 where it has lost none."""
    lost = n.bit_length() - 8 * len(raw)
    return int.from_bytes(raw, "little") << lost if lost > 0 else 0
