"""Primes that an allocator wrote over: all but their first bytes stand, and end a run.

A block that is freed loses its first 16 or 32 bytes to the allocator's links: the low limbs of a
little-endian prime, the high bytes of a big-endian one. What is left names its modulus: two such
primes by their other end, which fits as that of whole ones does; a lone one, near its modulus, by
a lattice alone. A lattice costs a fifth of a millisecond, and their number is bounded. The proof is
a division. Of a prime in DER (X.690) that is overwritten from some byte on, the length before it
says where it begins, and two thirds of it are enough.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from scanner.detect import der, readings
from scanner.detect.limbs import Offsets, Words
from scanner.detect.pool import NEIGHBOURHOOD
from scanner.detect.relations import arithmetic, partial
from scanner.detect.relations.known import distances, inverse_words, standing
from scanner.detect.relations.related import Related
from scanner.detect.relations.shelf import Shelf

MOST_LATTICES = (512, 128)
"""Lattices that are spent in a section, what fits best and lies nearest first, at 0.3 ms each: of
few runs, and of many."""

LOST = (16, 32)
"""Bytes that go when a block is freed (glibc: 16, in large blocks 32)."""

_WHOLE_HEAD = 16
"""Bytes by which a modulus, whose length may be that of another's primes, is told."""

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Rests:
    """What is left of numbers of one length: they end at ``end`` and lost ``lost`` bytes.

    ``high`` says that the high bytes went (big-endian); ``word`` is the 64 bits at the other end.
    """

    bits: int
    end: Offsets
    lost: Offsets
    high: bool
    word: Words


def search(shelf: Shelf, moduli: dict[int, int]) -> Iterator[Related]:
    """Yield each key, of modulus and public exponent, of which a damaged prime stands."""
    rows: list[tuple[int, int, int, _Rests, int]] = []
    for bits in sorted({(n.bit_length() + 1) // 2 for n in moduli}):
        here = {n: e for n, e in moduli.items() if (n.bit_length() + 1) // 2 == bits}
        if bits % 64 == 0:
            for rests in _rests(shelf, bits):
                rows += _ranked(shelf, here, rests)
    seen: set[int] = set()
    most = shelf.pool.budget(*MOST_LATTICES)
    for _, _, n, rests, index in sorted(rows, key=lambda row: row[:2])[:most]:
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


def _rests(shelf: Shelf, bits: int) -> Iterator[_Rests]:
    """List what may be left of primes of a length: runs a little too short for them."""
    pool, data, size = shelf.pool, shelf.pool.data, bits // 8
    missing = size - (pool.tail - pool.head)
    good = (missing >= 8) & (missing <= LOST[-1]) & (pool.head >= 0) & (pool.tail >= 0)
    end = pool.tail[good]
    lost = np.where(missing[good] <= LOST[0], *LOST)
    for high in (False, True):
        keep = (data[end - 1] & 1) == 1 if high else data[end - 1] >= 0x80
        word = readings.gather(data, end[keep] - 8, ">u8" if high else "<u8")
        yield _Rests(bits=bits, end=end[keep], lost=lost[keep], high=high, word=word)


def _ranked(
    shelf: Shelf, moduli: dict[int, int], rests: _Rests
) -> Iterator[tuple[int, int, int, _Rests, int]]:
    """Yield (distance, position, modulus, rests, index): first what fits another one."""
    space, offset = shelf.coordinates(rests.end - 1)
    stand = standing(shelf, moduli)
    for n in moduli:
        distance = np.full(len(rests.end), 0 if n not in stand else NEIGHBOURHOOD + 1)
        if n in stand:
            distance = distances(space, offset, *stand[n])
        distance[_partnered(rests, n)] = -1
        for index in np.flatnonzero(distance <= NEIGHBOURHOOD).tolist():
            yield int(distance[index]), int(rests.end[index]), n, rests, index


def _partnered(rests: _Rests, n: int) -> Offsets:
    """Return which of the rests have one among the others that could be n divided by them."""
    if len(rests.end) == 0:
        return np.empty(0, np.int64)
    if rests.high:
        wanted = np.uint64(n & _MASK) * inverse_words(rests.word)
        return np.flatnonzero(np.isin(wanted, rests.word))
    tops = np.sort(rests.word.astype(np.float64))
    ratio = float(n >> (2 * rests.bits - 128)) / rests.word.astype(np.float64)
    at = np.minimum(np.searchsorted(tops, ratio * (1 - 2.0**-48)), len(tops) - 1)
    return np.flatnonzero(np.abs(tops[at] - ratio) < ratio * 2.0**-47)


def _recovered(shelf: Shelf, n: int, e: int, rests: _Rests, index: int) -> Related | None:
    end, lost = int(rests.end[index]), int(rests.lost[index])
    start = end - rests.bits // 8 + lost
    role = "p without high bytes" if rests.high else "p without low bytes"
    return _related(shelf, n, e, role, start, end - start)


def _related(shelf: Shelf, n: int, e: int, role: str, start: int, size: int) -> Related | None:
    p = divisor(n, role, shelf.pool.data[start : start + size].tobytes())
    key = arithmetic.from_divisors(n, e, [p]) if p is not None else None
    if key is None:
        return None
    reading = readings.LIMBS if role == "p without low bytes" else readings.BYTES
    return Related(
        key=key,
        proof="part of p factors n",
        encoding=f"{reading.name} (part)",
        places=(shelf.pool.place(start, size),),
        roles=(role,),
    )


def divisor(n: int, role: str, raw: bytes) -> int | None:
    """Return the factor of n, half as long, of which ``raw`` is all but the ``role``'s bytes."""
    bits = (n.bit_length() + 1) // 2
    lost, high = bits - 8 * len(raw), role == "p without high bytes"
    if lost <= 0:
        return None
    known = int.from_bytes(raw, "little" if role == "p without low bytes" else "big")
    known <<= 0 if high else lost
    return partial.recover(n, known, bits=bits, lost=lost, high=high)
