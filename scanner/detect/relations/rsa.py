"""RSA: p*q = n, whoever laid the numbers down.

The modulus is read from a certificate or another public key, or from the pool itself; the primes
from the pool. Low words decide first (64 bits of evidence for a pair in a nanosecond), whole
numbers last, and only whole numbers prove. In fixed order: known moduli against all primes; primes
within 64 KiB of each other; all pairs, as far as a stated count of operations goes. Refuses to
take anything that looks like a key for one.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from scanner.detect import pool as pools
from scanner.detect.limbs import Offsets
from scanner.detect.material import Material, Rsa
from scanner.detect.pool import READINGS, Numbers, Pool
from scanner.detect.publics import PublicKey
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Candidate

PRIME_BYTES = (64, 96, 128, 192, 256, 384, 512)
"""Lengths of p and q that are tried: moduli of 1024 to 8192 bits."""

NEIGHBOURHOOD = 64 << 10
"""Bytes within which every pair of primes is tried, whatever the volume."""

MOST_PAIRS = 1 << 31
"""Pairs of any distance that are tried for one prime length: about ten seconds."""

EXPONENTS = (65537, 3, 17, 5, 37, 257)
"""Public exponents to try when no public key names one (99 % of keys have the first)."""

_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")

_Words = npt.NDArray[np.uint64]


def search(pool: Pool, publics: Sequence[PublicKey]) -> Iterator[Related]:
    """Yield each RSA key of which both primes stand in the pool, once."""
    seen: set[int] = set()
    known = {public.n: public.e for public in publics if public.n}
    for size in PRIME_BYTES:
        primes = _once(pools.numbers(pool, size, 0x80, (2 * size, 3 * size)))
        if len(primes) < 2:
            continue
        moduli = _once(pools.numbers(pool, 2 * size, 0x40))
        for first, second in _pairs(pool, primes, moduli, known):
            found = _prove(pool, primes, first, second, moduli, known)
            if found is None or not isinstance(found.key, Rsa) or found.key.n in seen:
                continue
            seen.add(found.key.n)
            yield found


def _once(numbers: Numbers) -> Numbers:
    """Keep the first of the positions that hold the same low word."""
    _, index = np.unique(numbers.low, return_index=True)
    index.sort()
    return Numbers(
        size=numbers.size,
        position=numbers.position[index],
        reading=numbers.reading[index],
        low=numbers.low[index],
    )


def _pairs(
    pool: Pool, primes: Numbers, moduli: Numbers, known: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of indices whose low words multiply to a modulus' low word."""
    bits = 16 * primes.size
    for n in known:
        if bits - 2 <= n.bit_length() <= bits:
            yield from _partners(primes, n)
    if len(moduli):
        yield from _products(pool, primes, moduli)


def _partners(primes: Numbers, n: int) -> Iterator[tuple[int, int]]:
    """Yield pairs (p, q) with p0*q0 = n0 modulo 2**64, by the 2-adic inverse of each p0."""
    wanted = np.uint64(n & 0xFFFFFFFFFFFFFFFF) * _inverse(primes.low)
    order = np.argsort(primes.low)
    at = np.searchsorted(primes.low[order], wanted)
    at[at == len(order)] = 0
    for first in np.flatnonzero(primes.low[order][at] == wanted).tolist():
        yield first, int(order[at[first]])


def _inverse(odd: _Words) -> _Words:
    """Invert odd words modulo 2**64: 3w xor 2 is right to five bits, each step doubles them."""
    inverse: _Words = (odd * np.uint64(3)) ^ np.uint64(2)
    for _ in range(4):
        inverse = inverse * (np.uint64(2) - odd * inverse)
    return inverse


def _products(pool: Pool, primes: Numbers, moduli: Numbers) -> Iterator[tuple[int, int]]:
    """Yield pairs of primes, nearest first, whose product ends as some modulus of the pool does."""
    lows = np.sort(moduli.low)
    width = max(18, min(24, (64 * len(lows)).bit_length()))
    mask = np.uint64((1 << width) - 1)
    sieve = np.zeros(1 << width, np.bool_)
    sieve[(lows & mask).view(np.int64)] = True
    space, offset = _coordinates(pool, primes)
    tried = 0
    for shift in range(1, len(primes)):
        if tried > MOST_PAIRS and not _close(space, offset, shift):
            return
        product = primes.low[:-shift] * primes.low[shift:]
        hits = np.flatnonzero(sieve.take((product & mask).view(np.int64), mode="clip"))
        tried += len(product)
        if len(hits):
            at = np.searchsorted(lows, product[hits])
            at[at == len(lows)] = 0
            for first in hits[lows[at] == product[hits]].tolist():
                yield first, first + shift


def _coordinates(pool: Pool, numbers: Numbers) -> tuple[Offsets, Offsets]:
    block = np.searchsorted(pool.at, numbers.position, side="right") - 1
    return pool.space[block], pool.offset[block] + numbers.position - pool.at[block]


def _close(space: Offsets, offset: Offsets, shift: int) -> bool:
    near = (offset[shift:] - offset[:-shift]) < NEIGHBOURHOOD
    return bool(np.any(near & (space[shift:] == space[:-shift])))


def _prove(
    pool: Pool,
    primes: Numbers,
    first: int,
    second: int,
    moduli: Numbers,
    known: dict[int, int],
) -> Related | None:
    """Return the key if p*q is a modulus that stands elsewhere, whole."""
    size = primes.size
    at = (int(primes.position[first]), int(primes.position[second]))
    readings = (int(primes.reading[first]), int(primes.reading[second]))
    p, q = (pool.number(a, size, r) for a, r in zip(at, readings, strict=True))
    n = p * q
    if p == q or (n not in known and not _stands(pool, moduli, n)):
        return None
    key = complete(p, q, known.get(n))
    if key is None:
        return None
    names = dict.fromkeys(READINGS[reading] for reading in readings)
    return Related(
        key=key,
        proof="p*q = n",
        encoding="+".join(names),
        places=tuple(sorted(pool.place(a, size) for a in at)),
    )


def _stands(pool: Pool, moduli: Numbers, n: int) -> bool:
    low = np.uint64(n & 0xFFFFFFFFFFFFFFFF)
    return any(
        pool.number(int(moduli.position[i]), moduli.size, int(moduli.reading[i])) == n
        for i in np.flatnonzero(moduli.low == low).tolist()
    )


def complete(p: int, q: int, e: int | None) -> Rsa | None:
    """Make a whole key of two primes: d = e**-1 mod lcm(p-1, q-1). None if no exponent fits."""
    order = math.lcm(p - 1, q - 1)
    for exponent in (e,) if e else EXPONENTS:
        if math.gcd(exponent, order) == 1:
            d = pow(exponent, -1, order)
            return Rsa(n=p * q, e=exponent, d=d, p=max(p, q), q=min(p, q), e_assumed=e is None)
    return None


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read the two primes of a candidate again, in each reading, and complete them to keys."""
    first, second = (memory.read(p.space, p.offset, p.size) for p in candidate.places)
    keys = (
        complete(int.from_bytes(first, one), int.from_bytes(second, other), candidate.e)
        for one in _ORDERS
        for other in _ORDERS
    )
    return [key for key in keys if key is not None]
