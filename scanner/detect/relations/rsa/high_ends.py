"""RSA keys of which p, q and n all lost their low limbs: an allocator took back each block.

The counterpart of ``low_ends`` for numbers that begin with their least significant limb. Two
primes' top words give that of n, as those of whole numbers do; of q, R - q may be left, which is
one in Montgomery form. Where nothing is, p is looked for near n. What is left of p and of n gives
the rest of p by a lattice, and then q: their product begins as what is left of n does, to the last
bit, only if all of it is right. The modulus that nobody could read is that product.
"""

import itertools
from collections.abc import Collection, Iterator

import numpy as np

from scanner.arrays import Offsets, Words
from scanner.detect.algebra.material import Rsa
from scanner.detect.integers import readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import links
from scanner.detect.relations.related import Related
from scanner.detect.relations.rsa import arithmetic, partial
from scanner.detect.relations.rsa.damaged import LOST, LOWLESS
from scanner.detect.relations.rsa.low_ends import MOST_LATTICES, beside, gone
from scanner.detect.relations.rsa.shelf import Shelf

MOST_ENDS = (2_048, 512)
"""Ends of what may be such a number, of each length, in a section of few runs and of many."""

_LOST = 8 * LOST[0]

_NEAR = 2.0**-47
"""How far the product of two top words is from that of n, for its size, at most."""

_ONES = np.uint64((1 << 64) - (1 << 17))
"""No prime begins with so many ones: with one that does, each number is its own product. Libraries
carry those of Diffie-Hellman's groups (RFC 3526, RFC 7919), which had used up all lattices."""


def search(shelf: Shelf, others: Collection[int]) -> Iterator[Related]:
    """Yield each key, but of the moduli ``others``, of which p, q and n lost their low limbs.

    Seen in FLINT, whose integers are GMP's, and are freed as they are: glibc's links take 16 bytes;
    and in RustCrypto (qh3 for Python), of which R - q had outlived q.
    """
    left, seen = MOST_LATTICES, set(others)
    for how, half in itertools.product(readings.limbs(shelf.pool.readings), arithmetic.PRIME_BITS):
        primes, tops = _ending(shelf, how, half)
        partners = np.append(tops, _ending(shelf, how, half, negated=True)[1])
        moduli, products = primes[:0], tops[:0]
        if len(primes) and len(partners) > 1:
            moduli, products = _ending(shelf, how, 2 * half)
        fitting = (
            (end, int(primes[index]))
            for end, product in zip(moduli.tolist(), products.tolist(), strict=True)
            for index in _partnered(tops, partners, product).tolist()
        )
        pairs = list(itertools.islice(fitting, left))
        left -= len(pairs)
        for product, end in (*pairs, *beside(shelf, how, half)):
            found = _lowless(shelf, how, half, end, product)
            if found is not None and isinstance(found.key, Rsa) and found.key.n not in seen:
                seen.add(found.key.n)
                yield found


def _ending(
    shelf: Shelf, how: Reading, bits: int, *, negated: bool = False
) -> tuple[Offsets, Words]:
    """Return where numbers of limbs end that lost up to LOST of them, and their top words.

    Their top bit is set; or it is clear, and the words are those of what is missing to 2**bits. A
    limb of room may be behind them, as GMP leaves it, with what was there. Of copies, which have
    the same word, the first.
    """
    pool, size = shelf.pool, bits // 8
    ends = shelf.edges.ends[pool.readings.index(how)]
    good = ends.exact & (ends.room >= size - LOST[0]) & (ends.room < size + LOST[0])
    spare = ends.exact & (ends.room >= size - LOST[0] + WORD) & (ends.room < size + LOST[0] + WORD)
    at = distinct(np.concatenate((ends.at[good], ends.at[spare] - WORD)))
    at = np.append(at, links.ends(pool, size))
    at = at[(pool.data[at - how.word] < 0x80) == negated]
    tops = readings.top(how, pool.data, at - WORD, readings.WIDE)
    tops = ~tops if negated else tops
    at, tops = at[tops < _ONES], tops[tops < _ONES]
    _, first = np.unique(tops, return_index=True)
    first = np.sort(first)[: pool.budget(*MOST_ENDS)]
    return at[first], tops[first]


def _partnered(tops: Words, others: Words, product: int) -> Offsets:
    """Return which of the primes have another with which they give a product that begins so."""
    wanted = float(product) * 2.0**64 / tops.astype(np.float64)
    there = np.sort(others).astype(np.float64)
    at = np.minimum(np.searchsorted(there, wanted * (1 - _NEAR)), len(there) - 1)
    fits: Offsets = np.flatnonzero(np.abs(there[at] - wanted) < wanted * _NEAR)
    return fits


def _lowless(shelf: Shelf, how: Reading, half: int, end: int, product: int) -> Related | None:
    """Put together p that ends there, and what the product that ends there makes of it."""
    size = half // 8 - LOST[0]
    high, n = (
        (readings.decode(how, shelf.pool.data[at - kept : at].tobytes()) or 0) << _LOST
        for at, kept in ((end, size), (product, size + half // 8))
    )
    p = partial.bottom(n, high, bits=half, lost=_LOST)
    q = -(-n // p)
    if p == q or {p.bit_length(), q.bit_length()} != {half} or (p * q ^ n) >> _LOST:
        return None
    key = arithmetic.complete(p, q, None) if all(map(arithmetic.is_prime, (p, q))) else None
    if key is None or not gone(shelf, readings.encode(how, p, half), end - half // 8):
        return None
    return Related(
        key=key,
        proof="p*q = n in what is left of them",
        encoding=f"{how.name} (part)",
        places=(shelf.pool.place(end - size, size),),
        roles=(LOWLESS,),
    )
