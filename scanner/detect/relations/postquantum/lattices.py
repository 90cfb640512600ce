"""ML-DSA keys in memory (FIPS 204): seeds whose rho stands elsewhere, and expanded keys.

OpenSSL keeps both beside each other, others one of them. A seed is 32 bytes like any other, and the
first part of the public key, rho, a hash of it: thousands are tried for the price of one point. An
expanded key has packed vectors of small coefficients behind random bytes, and all of it recomputes
from itself. A freed one may have lost its rho to links of the allocator: the public key's stands in
for it, and the public key's hash, behind it, must be that of what it gives. Vectors in words are
looked for by ``vectors``, transformed ones not.
"""

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from scanner.arrays import Flags, Offsets, Words
from scanner.detect.algebra import mldsa
from scanner.detect.algebra.material import Material, Pqc, describe
from scanner.detect.algebra.publics import PublicKey, places
from scanner.detect.asn1 import pqc
from scanner.detect.integers import bare_numbers, likelihood, readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import pieces, words
from scanner.detect.relations.postquantum import vectors
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Candidate

MOST_KNOWN, MOST, FEWER = 20_000, 1_000, 250
"""Seeds that are tried (5 us): where public keys are known, for those, and where rho may stand
anywhere in a pool of few runs, or of many."""

MOST_TEXTS = 256
"""Seeds that are tried which are written as texts."""

MOST_PLACES = 1 << 10
"""Places of a known rho at which an expanded key may begin, and keys that are recomputed (1 ms)."""

SEED, EXPANDED = "seed", "expanded"
"""Encodings, as reports spell them."""

_DERIVED = "seed derives rho"

_TAGGED = int.from_bytes(b"\x80\x20", "little")
"""What stands before a seed in PKCS#8 (RFC 9881 section 6): its end outlives a freed header."""

MOST_RHOS = 64
"""Known public keys of a set whose rho is tried in the place of a lost one."""

MOST_HASHED = 1 << 13
"""Runs that are hashed (30 us) as public keys, where a key has lost its rho."""

_LOST = (0, 8, 16, 32)
"""Bytes before a run's edge where a key may begin: freed, with one, two or four links."""

_STEPS, _LOOKED_AT, _VALUES = (0, 6, 12, 18), 24, 10
"""Where words of the vectors are looked at, of each the first 48 bits; their bytes, and how many
values these have at least: of random vectors 20 on average."""

_ONES = {bits: np.uint64(sum(1 << at for at in range(0, 48, bits))) for bits in (3, 4)}
"""The lowest bit of each coefficient of 48 bits."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each ML-DSA key that stands in the pool, once."""
    known = [k for k in publics if k.algorithm in mldsa.SETS and k.independent]
    seen: set[str] = set()
    parts = _seeds(pool, known), _expanded(pool, known), vectors.search(pool, known)
    for found in itertools.chain(*parts):
        name = describe(found.key).fingerprint.value
        if name not in seen:
            seen.add(name)
            yield found


def _seeds(pool: Pool, known: list[PublicKey]) -> Iterator[Related]:
    """Yield the keys of seeds whose rho is known, or stands in the pool."""
    near, size = places(known), mldsa.SEED
    most = pool.budget(*((MOST_KNOWN, MOST_KNOWN) if known else (MOST, FEWER)))
    parts = [
        pieces.texts(pool, size, MOST_TEXTS),
        pieces.counted(pool, size, _TAGGED, most, near, width=2),
        pieces.framed(pool, size, most // 16),
    ]
    if known or pool.few:
        parts.append(pieces.loose(pool, size, most // 4, near))
    few = sum(map(len, parts)) + pool.budget(MOST, FEWER)
    parts.append(pieces.aligned(pool, size, most, near))
    names = {key.witness.fingerprint.value for key in known}
    first = {(key.algorithm, key.raw) for key in known}
    named = sorted({name for name, _ in first})
    rest: dict[tuple[str, bytes], int] = {}
    for row, position in enumerate(np.concatenate(parts).tolist()):
        seed = pool.data[position : position + size].tobytes()
        for name in mldsa.SETS if row < few else named:
            rho = mldsa.rho(name, seed)
            if (name, rho) in first:
                found = _related(pool, name, position, pqc.PROOF)
                if describe(found.key).fingerprint.value in names:
                    yield found
            elif row < few:
                rest.setdefault((name, rho), position)
    trials, told = list(rest.items()), set[int]()
    for index, at in words.find_whole(pool.data, [rho for _, rho in rest]):
        (name, _), position = trials[index]
        if index not in told and abs(at - position) >= size:
            told.add(index)
            yield _related(pool, name, position, _DERIVED)


def _related(pool: Pool, name: str, position: int, proof: str) -> Related:
    seed = pool.data[position : position + mldsa.SEED].tobytes()
    return Related(
        key=pqc.from_seed(name, seed),
        proof=proof,
        encoding=pool.form(position, SEED),
        places=(pool.place(position, mldsa.SEED),),
    )


def _expanded(pool: Pool, known: list[PublicKey]) -> Iterator[Related]:
    """Yield expanded keys that begin where a run does or before it, or where a known rho stands."""
    heads = pool.head[pool.head >= 0]
    lows = words.firsts(key.raw for key in known)
    stand = [at for _, at in itertools.islice(words.find(pool.data, lows), MOST_PLACES)]
    spots = distinct(np.concatenate((*(heads - n for n in _LOST), np.array(stand, np.int64))))
    spots = spots[(spots >= 0) & (spots + mldsa.HEAD + _LOOKED_AT + 2 <= len(pool.data))]
    for name, size in mldsa.SETS.items():
        names = [key.raw for key in known if key.algorithm == name][:MOST_RHOS]
        hashed = functools.cache(functools.partial(_hashed, pool, heads[:MOST_HASHED], size.public))
        tries = itertools.count()
        for position in spots[_small(pool, spots, size.bits)][:MOST_PLACES].tolist():
            raw = pool.beyond(position, size.expanded)
            others = (rho for rho in names if next(tries) < MOST_PLACES)
            rhos = itertools.chain((raw[: mldsa.RHO],), _named(hashed, raw), others)
            key = next(filter(None, (_of_expanded(name, rho, raw) for rho in rhos)), None)
            if key is not None:
                place = pool.place(position, size.expanded)
                yield Related(key=key, proof=pqc.EXPANDED, encoding=EXPANDED, places=(place,))


def _hashed(pool: Pool, heads: Offsets, size: int) -> dict[bytes, bytes]:
    """Return the rho of what may be public keys, where runs begin, by their hash."""
    found = (pool.beyond(head, size) for head in heads.tolist())
    return {hashlib.shake_256(raw).digest(mldsa.HASH): raw[: mldsa.RHO] for raw in found}


def _named(hashed: Callable[[], Mapping[bytes, bytes]], raw: bytes) -> Iterator[bytes]:
    """Yield the rho of the public key whose hash an expanded key has, if that stands bare."""
    rho = hashed().get(raw[mldsa.HEAD - mldsa.HASH : mldsa.HEAD])
    if rho is not None:
        yield rho


def _small(pool: Pool, positions: Offsets, bits: int) -> Flags:
    """Tell behind which positions packed coefficients are as small as those of a private key."""
    left = np.arange(len(positions))
    for step in _STEPS:
        found = readings.gather(pool.data, positions[left] + mldsa.HEAD + step, "<u8")
        left = left[(_large(found, bits) & _ONES[bits]) == 0]
    rows = pool.data[positions[left, None] + mldsa.HEAD + np.arange(_LOOKED_AT)]
    good = np.zeros(len(positions), np.bool_)
    good[left] = likelihood.values(rows) >= _VALUES
    return good


def _large(words: Words, bits: int) -> Words:
    """Set the lowest bit of each coefficient of three bits above 4, or of four above 8."""
    low = words.copy()
    for shift in range(1, bits - 1):
        low |= words >> np.uint64(shift)
    return low & words >> np.uint64(bits - 1)


def _of_expanded(name: str, rho: bytes, raw: bytes) -> Pqc | None:
    """Return the key of an expanded one, with a rho in the place of its own."""
    whole = rho + raw[mldsa.RHO :]
    public = mldsa.public_of(name, whole)
    return Pqc(algorithm=name, seed=b"", expanded=whole, public=public) if public else None


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a seed or an expanded key again."""
    name, place = candidate.algorithm, candidate.places[0]
    if candidate.encoding == vectors.VECTORS:
        return [*vectors.again(memory, candidate)]
    if candidate.encoding != EXPANDED:
        return [pqc.from_seed(name, bare_numbers.number(memory, place)[: mldsa.SEED])]
    raw = memory.read(place.space, place.offset, place.size)
    key = _of_expanded(name, candidate.more, raw)
    return [key] if key else []
