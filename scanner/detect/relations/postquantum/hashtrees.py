"""SLH-DSA keys in memory (FIPS 205): SK.seed, SK.prf, PK.seed and PK.root, end to end.

Any bytes are as random as these, and what proves them takes up to half a second of hashes: so a
root is computed only where something else says that a key stands there. OpenSSL's key object has a
pointer to the public half within it. A known public key says where its private half would end. And
where the last two parts stand once more, behind other bytes, somebody has the public key of what
stands before them. A key whose parts lie in arrays of their own (Bouncy Castle) is not looked for,
and of SK.prf nothing tells whether it is whole.
"""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import slhdsa
from scanner.detect.algebra.material import Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import pqc
from scanner.detect.asn1.der import Malformed
from scanner.detect.integers import bare_numbers, readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import variety, words
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Candidate, Place

EFFORT = (12_000_000, 3_000_000)
"""Microseconds, by the table of ``slhdsa``, that the roots of a pool may take, of few runs or of
many: the dearest set takes half a second, and all of its size one and a half at most."""

LESS = (1_000_000, 20_000)
"""The same of what only stands twice: a few fast sets, and of few runs one or two small ones."""

LEAST = (40_000, 20_000)
"""The same of what may as well be two numbers: fast sets alone."""

MOST_PLACES, MOST_OBJECTS = 16, 4_096
"""Places of one known public key before which a key may stand; objects whose pointer is read."""

MOST_HALVES = 4
"""Places of one public half, or of a private one, that are told from the ends of such keys."""

MOST = 16_000
"""Pieces whose public half is looked for, of each size: a heap of V8 has thousands of 64 bytes."""

PROOF = "SK.seed derives PK.root"

ENCODING = "SK and PK"
"""Encoding, as reports spell it."""

_SIZES = (16, 24, 32)
"""Bytes of each part of a key (n)."""

_ROOM, _ZEROS = 128, 32
"""Bytes of OpenSSL's array of the four parts, which the pointer is behind; and those of zeros, of
what is left of it, that are in the pool."""

_WORD = 8
"""Bytes of a pointer, at most."""

_HALF, _STEPS = 4, np.arange(-8, 9, 4)
"""Bytes of half a word, and from the head of a run to what is counted before it."""

_NEAR = 8
"""Bytes that a run may be longer or shorter than a key in it that fills it."""

_Trial = tuple[int, tuple[str, ...]]
"""Where a key may stand, and the sets of which it may be."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each SLH-DSA key that stands in the pool, once."""
    known = [k for k in publics if k.algorithm in slhdsa.SETS and k.independent]
    seen: set[tuple[bytes, str]] = set()
    announced = itertools.chain(_objects(pool), _before(pool, known))
    yield from _found(pool, announced, pool.budget(*EFFORT), seen)
    likely, others = _twice(pool)
    yield from _found(pool, likely, pool.budget(*LESS), seen)
    yield from _found(pool, others, pool.budget(*LEAST), seen)


def _found(
    pool: Pool, trials: Iterable[_Trial], left: int, seen: set[tuple[bytes, str]]
) -> Iterator[Related]:
    """Yield the keys among some trials, each tried once, which may take so many microseconds."""
    for position, names in trials:
        size = slhdsa.SETS[names[0]].private
        raw = pool.data[position : position + size].tobytes()
        for name in names:
            cost = slhdsa.SETS[name].cost
            if (raw, name) in seen or cost > left:
                continue
            seen.add((raw, name))
            left -= cost
            key = _proved(name, raw)
            if key is not None:
                seen.update((raw, other) for other in names)
                place = pool.place(position, size)
                form = pool.form(position, ENCODING)
                yield Related(key=key, proof=PROOF, encoding=form, places=(place,))
                break


def _proved(name: str, raw: bytes) -> Material | None:
    """Return a key whose root recomputes."""
    n = slhdsa.SETS[name].n
    secret, public = raw[:n], raw[2 * n : 3 * n]
    try:
        key = pqc.slh(name, raw)
    except Malformed:
        return None
    return key if slhdsa.root(name, secret, public) == raw[3 * n :] else None


def _objects(pool: Pool) -> Iterator[_Trial]:
    """Yield the keys of OpenSSL's objects: behind the parts a pointer to the public ones stands.

    What the parts leave of their array are zeros.
    """
    where = pool.memory.map
    word = where.pointer_size
    kind = f"{'<' if where.byte_order == 'little' else '>'}u{word}"
    for n in _SIZES:
        found = _edges(pool, slhdsa.PARTS * n)
        rest = min(_ROOM - slhdsa.PARTS * n, _ZEROS)
        zeros = pool.data[found[:, None] + slhdsa.PARTS * n + np.arange(rest)]
        found = found[(zeros == 0).all(axis=1)]
        block = np.searchsorted(pool.at, found, side="right") - 1
        offset = pool.offset[block] + found - pool.at[block]
        address = where.base[pool.space[block]] + offset.astype(np.uint64) + np.uint64(2 * n)
        good = where.addressed[pool.space[block]] & (address % np.uint64(word) == 0)
        if not rest:  # the pointer stands in the pool
            good &= readings.gather(pool.data, found + _ROOM, kind) == address
        rows = zip(found[good].tolist(), address[good].tolist(), strict=True)
        for position, wanted in itertools.islice(rows, MOST_OBJECTS):
            place = pool.place(position, _ROOM)
            pointer = pool.memory.clip(place.space, place.offset + _ROOM, word)
            if len(pointer) == word and int(np.frombuffer(pointer, kind)[0]) == wanted:
                yield position, tuple(slhdsa.of_size(n))


def _before(pool: Pool, known: list[PublicKey]) -> Iterator[_Trial]:
    """Yield what stands before known public keys, and is random."""
    count = [0] * len(known)
    for index, at in words.find_whole(pool.data, [key.raw for key in known]):
        key, n = known[index], slhdsa.SETS[known[index].algorithm].n
        position = at - 2 * n
        if count[index] >= MOST_PLACES or position < 0:
            continue
        if variety.varied(pool.data, np.array([position]), 2 * n)[0]:
            count[index] += 1
            yield position, (key.algorithm,)


def _twice(pool: Pool) -> tuple[list[_Trial], list[_Trial]]:
    """List what fills a run, and has its last two parts in another run, which those fill.

    Or what is counted by the word before it, which comes first. What is derived from secrets is
    laid down twice as well: of a handshake dozens of such pieces stand within longer runs. In the
    second list is what may be two numbers that were put together, for its first half stands alone
    too (seen of the random numbers of TLS in Java), and what only may be read in halves.
    """
    likely: list[_Trial] = []
    others: list[_Trial] = []
    for list_keys, n in itertools.product((_counted, _edges), _SIZES):
        keys = _varied(pool, list_keys(pool, slhdsa.PARTS * n), n)[:MOST]
        halves = np.concatenate((_counted(pool, 2 * n), _edges(pool, 2 * n)))
        first, last = (readings.gather(pool.data, keys + step, "<u8") for step in (0, 2 * n))
        there = readings.gather(pool.data, halves, "<u8")
        keys, halves = keys[np.isin(last, there)], halves[np.isin(there, (first, last))]
        alone: dict[bytes, list[Place]] = {}
        for at in halves.tolist():
            places = alone.setdefault(pool.data[at : at + 2 * n].tobytes(), [])
            if len(places) < MOST_HALVES:
                places.append(pool.place(at, 2 * n))
        wholes: dict[bytes, int] = {}
        for at in keys.tolist():
            wholes.setdefault(pool.data[at : at + slhdsa.PARTS * n].tobytes(), at)
        for raw, position in wholes.items():
            if raw[2 * n :] not in alone:
                continue
            place = pool.place(position, slhdsa.PARTS * n)
            secret, public = (
                any(_apart(pool.memory, place, one, behind=behind) for one in alone.get(half, ()))
                for half, behind in ((raw[: 2 * n], True), (raw[2 * n :], False))
            )
            trials = likely if public and not secret else others
            trials.append((position, tuple(slhdsa.of_size(n))))
    return likely, others


def _apart(memory: Memory, whole: Place, half: Place, *, behind: bool) -> bool:
    """Tell whether a half is no part of such a whole, by what is behind it or before it.

    Of digits of hex that fill a slot of Go's both halves may be numbers too, and are in the pool.
    Spelled otherwise a half may take as much room as the whole, or more.
    """
    rest = whole.size - half.size
    if rest <= 0:
        return True
    start = half.offset + half.size if behind else half.offset - rest
    other = whole.offset + half.size if behind else whole.offset
    return start < 0 or memory.clip(half.space, start, rest) != memory.read(
        whole.space, other, rest
    )


def _varied(pool: Pool, found: Offsets, n: int) -> Offsets:
    """Keep the positions of which private and public halves are as varied as random."""
    for half in (0, 2 * n):
        found = found[variety.varied(pool.data, found + half, 2 * n)]
    return found


def _counted(pool: Pool, size: int) -> Offsets:
    """List where so many bytes begin near the head of a run, and a word before says how many.

    Or its upper half alone: seen in V8, where what follows an array looks as random as a key.
    """
    if ("arrays", _HALF) not in pool.listed:
        ints = words.sliding(pool.data, ">u4" if pool.big_endian else "<u4")
        heads = pool.head[(pool.head >= 0) & (pool.head + _ROOM + _WORD <= len(pool.data))]
        found = []
        for step in _STEPS.tolist():
            last, first = ints[heads + step - _HALF], ints[heads + step - 2 * _HALF]
            last, first = (first, last) if pool.big_endian else (last, first)
            counts = np.where(last == 0, first, last)
            good = (counts >= 2 * _SIZES[0]) & (counts <= _ROOM)
            found.append(np.stack((heads[good] + step, counts[good].astype(np.int64))))
        both = np.unique(np.concatenate(found, axis=1), axis=1)
        pool.listed["arrays", _HALF], pool.listed["counts", _HALF] = both
    listed: Offsets = pool.listed["arrays", _HALF][pool.listed["counts", _HALF] == size]
    return listed


def _edges(pool: Pool, size: int) -> Offsets:
    """List the beginnings of runs that so many bytes fill, from their head or up to their end."""
    whole = (pool.head >= 0) & (pool.tail >= 0)
    whole &= np.abs(pool.tail - pool.head - size) <= _NEAR
    heads, ends = pool.head[whole], pool.tail[whole] - size
    found = np.concatenate((heads, ends[ends != heads]))
    return found[(found >= 0) & (found + _ROOM <= len(pool.data))]


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a key again."""
    raw = bare_numbers.number(memory, candidate.places[0])
    return [pqc.slh(candidate.algorithm, raw[: slhdsa.SETS[candidate.algorithm].private])]
