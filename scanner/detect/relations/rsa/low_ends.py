"""RSA keys of which p, q and n all lost their first bytes: an allocator took back each block.

Two primes' low words give that of n, as those of whole numbers do. What is left of p and of n gives
the rest of p by a lattice, and both give q: it is as long as p only if all of it is right, and what
is left of it must stand too. One of the primes may be whole still. The modulus that nobody could
read is their product.
"""

from collections.abc import Collection, Iterator
from itertools import islice

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.algebra import gmp
from scanner.detect.algebra.material import Rsa
from scanner.detect.integers import readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import NEIGHBOURHOOD
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import links, nearby, words
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, partial
from scanner.detect.relations.rsa.damaged import HEADLESS, LOST
from scanner.detect.relations.rsa.known import inverse_words
from scanner.detect.relations.rsa.shelf import Shelf

LEAST_LOST = 8
"""Bytes that are gone of each, at least: one that is whole but for a bit is no number of a key."""

MOST_ENDS = (512, 64)
"""Ends of what may be such a number, of each length, in a section of few runs and of many: two of
primes are put together for each of a modulus."""

MOST_LATTICES = 64
"""Lattices that are spent in a section, at 0.3 ms each: low words that fit by chance are none."""

MOST_ALONE = (64, 16)
"""The same of what may be a modulus and a prime near it, of each length, where no other prime is
left: in a section of few runs and of many."""


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield each key, but of the moduli ``others``, of which p, q and n lost their first bytes.

    Seen in GnuTLS: each is a block of its own, and glibc's links take 16 bytes of each. The low
    bits of p and n give p, both give q, and q is no longer than p only if it is right. In wolfSSL
    other numbers have what was p's block.
    """
    left, seen = MOST_LATTICES, set(others)
    for half in arithmetic.PRIME_BITS:
        primes, lows = _ending(shelf, half)
        moduli, products = _ending(shelf, 2 * half) if len(primes) else (primes[:0], lows[:0])
        inverse = inverse_words(lows)
        fitting = (
            (end, int(primes[index]))
            for end, product in zip(moduli.tolist(), products, strict=True)
            for index in np.flatnonzero(np.isin(product * inverse, lows)).tolist()
        )
        pairs = list(islice(fitting, left))
        left -= len(pairs)
        for product, end in (*pairs, *beside(shelf, readings.BYTES, half)):
            found = _topless(shelf, half, end, product, primes)
            if found is not None and isinstance(found.key, Rsa) and found.key.n not in seen:
                seen.add(found.key.n)
                yield found


def beside(shelf: Shelf, reading: Reading, half: int) -> Iterator[tuple[int, int]]:
    """Yield where a modulus may end and a prime of it near by, the nearest first, a few.

    Of each, LOST bytes hold an address, of which two bytes are zeros, and a zero is behind it. The
    last word is that of an odd number, or of one that fills its bits.
    """
    pool = shelf.pool
    ends = shelf.edges.ends[pool.readings.index(reading)]
    last = pool.data[ends.at - (1 if reading.most_first else reading.word)]
    good = ends.exact & (pool.data[ends.at] == 0)
    good &= last & 1 == 1 if reading.most_first else last >= 0x80
    rows = []
    for size in (half // 4, half // 8):
        at = ends.at[good & (ends.room >= size - LOST[0]) & (ends.room < size + WORD)]
        at = at[at >= size]
        lost = pool.data[at[:, None] + np.arange(-size, LOST[0] - size)] != 0
        lost = lost[:, ::-1] if pool.big_endian else lost
        at = at[(lost[:, :-2] & ~lost[:, 1:-1] & ~lost[:, 2:]).any(axis=1)]
        at = at[: pool.budget(*MOST_ENDS)]
        rows.append((at, nearby.coordinates(pool, at - 1)))
    (moduli, ends_of_moduli), (primes, ends_of_primes) = rows
    apart = np.abs(ends_of_moduli[:, None] - ends_of_primes)
    row, column = np.nonzero(apart <= NEIGHBOURHOOD)
    order = np.argsort(apart[row, column], kind="stable")[: pool.budget(*MOST_ALONE)]
    yield from zip(moduli[row[order]].tolist(), primes[column[order]].tolist(), strict=True)


def _ending(shelf: Shelf, bits: int) -> tuple[Offsets, Words]:
    """Return where odd numbers of bytes end that lost up to LOST of them, and their low words.

    A word of room may be behind them, with what was there. Of copies, which have the same word, the
    first.
    """
    pool, size = shelf.pool, bits // 8
    ends = shelf.edges.ends[pool.readings.index(readings.BYTES)]
    good = ends.exact & (ends.room >= size - LOST[0]) & (ends.room < size + LOST[0])
    spare = ends.exact & (ends.room >= size - LOST[0] + WORD) & (ends.room < size + LOST[0] + WORD)
    at = np.concatenate(
        (distinct(ends.at[good]), links.ends(pool, size), distinct(ends.at[spare] - WORD))
    )
    at = at[pool.data[at - 1] & 1 == 1]
    _, first = np.unique(readings.gather(pool.data, at - 8, ">u8"), return_index=True)
    at = at[np.sort(first)][: pool.budget(*MOST_ENDS)]
    return at, readings.gather(pool.data, at - 8, ">u8")


def _topless(shelf: Shelf, half: int, end: int, product: int, primes: Offsets) -> Related | None:
    """Put together p that ends there, the product that ends there, and q, maybe another prime."""
    size = half // 8 - LOST[0]
    low, n = (
        int.from_bytes(shelf.pool.data[at - kept : at].tobytes(), "big")
        for at, kept in ((end, size), (product, size + half // 8))
    )
    p = partial.top(n, low, bits=half, lost=8 * LOST[0])
    q = n * gmp.inverse(p, 1 << 8 * size + half) % (1 << 8 * size + half)
    if {p.bit_length(), q.bit_length()} != {half} or p == q:
        return None
    key = arithmetic.complete(p, q, None) if all(map(arithmetic.is_prime, (p, q))) else None
    rest = q.to_bytes(half // 8, "big")[LOST[0] :]
    other = (at for at in primes.tolist() if words.stands(shelf.pool.data, at - size, rest))
    pairs = [(p, end), *((q, at) for at in islice(other, 1))]
    rows = [(prime.to_bytes(half // 8, "big"), spot - half // 8) for prime, spot in pairs]
    whole = [words.stands(shelf.pool.data, spot, raw) for raw, spot in rows]
    lost = [gone(shelf, raw, spot) for raw, spot in rows]
    if key is None or all(whole) or not all(map(any, zip(whole, lost, strict=True))):
        return None
    return Related(
        key=key,
        proof="p*q = n in what is left of them",
        encoding=f"{readings.BYTES.name} (part)",
        places=tuple(shelf.pool.place(spot - size, size) for spot in sorted(dict(pairs).values())),
        roles=(HEADLESS,) * len(pairs),
    )


def gone(shelf: Shelf, number: bytes, start: int) -> bool:
    """Tell whether most of a number's first bytes are something else where it begins."""
    there = shelf.pool.data[max(start, 0) : max(start, 0) + LOST[0]].tobytes()
    return sum(map(int.__ne__, number, there)) >= LEAST_LOST
