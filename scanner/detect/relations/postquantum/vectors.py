"""ML-DSA keys unpacked for use (FIPS 204): s1, s2 and t0 end to end, as words of 32 bits.

A library that signs more than once keeps a key so, and the packed form is nowhere. Words are modulo
q, signed, or q more than that. Small ones of both signs, by the thousand, are found where a run
begins or ends among them or before them: a few of them look random, and rho, K or the public key's
hash stand next to them. With its rho one polynomial of A*s1 + s2 has the low bits that stand there
as t0, which no other bytes do; then all of them are computed. Seen in circl and Zig. Transformed
vectors are not looked for, nor s1 and s2 without t0 behind them.
"""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from scanner.arrays import Offsets
from scanner.detect.algebra import mldsa
from scanner.detect.algebra.material import Pqc
from scanner.detect.algebra.mldsa import Polynomials
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import pqc
from scanner.detect.integers import readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import variety
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Candidate, Place

VECTORS = "s1, s2 and t0"
"""Encoding, as reports spell it."""

MOST_SPOTS, MOST_VECTORS, MOST_RHOS = 256, 8, 256
"""Places that are read around (0.1 ms), vectors of which one polynomial is computed, and rhos for
each of them (0.25 ms)."""

MOST_READ, LONGEST = 8 << 20, 256 << 10
"""Bytes of long runs that are read once more, and of the longest such run."""

REACH = 128 << 10
"""Bytes before and behind vectors within which rho is looked for: Zig has A between."""

_WORD, _LOOKED_AT = 4, 8
"""Bytes of a word, and words that are looked at: a pool has so many behind a run."""

_STRIDE = 4096
"""Bytes from one look within a run to the next: of 8 KiB of vectors one is a hit."""

_N = 256
_LARGEST = max(size.eta for size in mldsa.SETS.values())
_LONGEST = _WORD * _N * max(size.k + size.l for size in mldsa.SETS.values())
_LONGEST_LOW = _WORD * _N * max(size.k for size in mldsa.SETS.values())

_BEFORE, _AT_HEAD, _AT_TAIL = range(32, 257, 32), (0, 32), (32, 64, 96, 128)
"""Bytes before s1 where rho may begin; in a run, and before its end: K and the hash are behind."""


def search(pool: Pool, known: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key whose vectors stand in words, by a rho that is known or stands near."""
    named = [(key.algorithm, key.raw) for key in known]
    for name, place in itertools.islice(_vectors(pool), MOST_VECTORS):
        small, low = _read(pool.memory, name, place)
        rhos = (rho for of, rho in named if of == name)
        for rho in itertools.islice(itertools.chain(_rhos(pool, place), rhos), MOST_RHOS):
            good = mldsa.agrees(name, small, low, rho)
            key = _key(pool.memory, name, place, rho) if good else None
            if key is not None:
                yield Related(key=key, proof=pqc.EXPANDED, encoding=VECTORS, places=(place,))
                break


def _vectors(pool: Pool) -> Iterator[tuple[str, Place]]:
    """Yield the set of a key and where its vectors may stand, each once."""
    met: dict[int, int] = {}
    edges = (pool.place(position, mldsa.RHO) for position in _spots(pool).tolist())
    rows = [(place.space, place.offset) for place in edges]
    for space, spot in sorted({*rows[:MOST_SPOTS], *itertools.islice(_inside(pool), MOST_SPOTS)}):
        if spot < met.get(space, 0):
            continue
        first = max(spot - _LONGEST, spot % _WORD)
        raw = pool.memory.clip(space, first, spot - first + 2 * _LONGEST + _LONGEST_LOW)
        words = _signed(raw, pool.memory.map.byte_order)
        large = np.flatnonzero(np.abs(words) > _LARGEST)
        inside = (spot - first) // _WORD
        at = int(np.searchsorted(large, inside))
        start = int(large[at - 1]) + 1 if at else 0
        end = int(large[at]) if at < len(large) else len(words)
        met[space] = first + _WORD * end
        for name, size in mldsa.SETS.items():
            count = _N * (size.k + size.l)
            for low in sorted({start, end - count}) if end - start >= count else ():
                if _are_vectors(size, words[low:]):
                    whole = _WORD * (count + _N * size.k)
                    offset = first + _WORD * low
                    yield name, Place(space=space, offset=offset, size=whole)


def _spots(pool: Pool) -> Offsets:
    """Return where words are small and of both signs, at and behind edges of runs, or before."""
    heads, tails = pool.head[pool.head >= 0], pool.tail[pool.tail >= 0]
    spots = distinct(np.concatenate((heads, tails, tails - _WORD * _LOOKED_AT)))
    spots = spots[(spots >= 0) & (spots + _WORD * _LOOKED_AT <= len(pool.data))]
    above, below = np.zeros((2, len(spots)), np.int64)
    kind = "<>"[pool.big_endian] + "u4"
    for at in range(_LOOKED_AT):
        words = readings.gather(pool.data, spots + _WORD * at, kind)
        value = _centred(words.astype(np.int64))
        small = np.abs(value) <= _LARGEST
        spots, value = spots[small], value[small]
        above, below = above[small] + (value > 0), below[small] + (value < 0)
    found: Offsets = spots[(above > 0) & (below > 0)]
    return found


def _inside(pool: Pool) -> Iterator[tuple[int, int]]:
    """Yield (space, offset) of such words within long runs, the shortest runs first.

    In circl and Zig vectors look random, and so do A and the transformed ones behind them.
    """
    block = np.flatnonzero((pool.head[:-1] >= 0) & (pool.tail[:-1] < 0))
    start = pool.offset[block] + pool.head[block] - pool.at[block]
    end = pool.offset[block + 1] + pool.tail[block + 1] - pool.at[block + 1]
    good = (end - start >= 2 * _STRIDE) & (end - start <= LONGEST)
    order = np.argsort((end - start)[good], kind="stable")
    rows = np.stack((pool.space[block], start, end), axis=1)[good][order]
    sizes = np.cumsum(rows[:, 2] - rows[:, 1])
    for space, first, last in rows[sizes <= MOST_READ].tolist():
        raw = pool.memory.clip(space, first, last - first)
        looks = np.frombuffer(raw[: len(raw) // _STRIDE * _STRIDE], np.uint8)
        looks = looks.reshape(-1, _STRIDE)[:, : _WORD * _LOOKED_AT]
        some = _signed(looks.tobytes(), pool.memory.map.byte_order).reshape(-1, _LOOKED_AT)
        small = (np.abs(some) <= _LARGEST).all(axis=1)
        small &= (some > 0).any(axis=1) & (some < 0).any(axis=1)
        yield from ((space, first + _STRIDE * row) for row in np.flatnonzero(small).tolist())


def _centred(words: npt.NDArray[np.int64]) -> Polynomials:
    """Read words modulo q, signed, or q more than that, as the least number of either sign."""
    words = np.where(words >> 31, words - (1 << 32), words)
    return np.where(words > mldsa.Q // 2, words - mldsa.Q, words)


def _signed(raw: bytes, byte_order: str) -> Polynomials:
    order = ">" if byte_order == "big" else "<"
    whole = raw[: len(raw) // _WORD * _WORD]
    return _centred(np.frombuffer(whole, f"{order}u4").astype(np.int64))


def _are_vectors(size: mldsa.Parameters, words: Polynomials) -> bool:
    """Tell whether words are s1 and s2, uniform as they are, and t0 behind."""
    count = _N * (size.k + size.l)
    small, low = words[:count], words[count : count + _N * size.k]
    if len(low) < _N * size.k or np.abs(small).max() > size.eta:
        return False
    times = np.bincount(small + size.eta, minlength=2 * size.eta + 1)
    limit = 1 << mldsa.LOW - 1
    return bool(2 * times.min() * len(times) > count and low.min() > -limit and low.max() <= limit)


def _rhos(pool: Pool, place: Place) -> Iterator[bytes]:
    """Yield what may be rho: right before the vectors, then where runs near begin or end."""
    for before in _BEFORE:
        if before <= place.offset:
            yield pool.memory.clip(place.space, place.offset - before, mldsa.RHO)
    near = (pool.space == place.space) & (np.abs(pool.offset - place.offset) <= REACH)
    heads, tails = pool.head[near & (pool.head >= 0)], pool.tail[near & (pool.tail >= 0)]
    found = [heads + at for at in _AT_HEAD] + [tails - at for at in _AT_TAIL]
    spots = distinct(np.concatenate(found))
    spots = spots[variety.fits(pool, spots, mldsa.RHO)]
    spots = spots[variety.varied(pool.data, spots, mldsa.RHO)]
    yield from (pool.data[at : at + mldsa.RHO].tobytes() for at in spots.tolist())


def _read(memory: Memory, name: str, place: Place) -> tuple[Polynomials, Polynomials]:
    """Return s1 with s2 behind it, and t0."""
    size = mldsa.SETS[name]
    raw = memory.clip(place.space, place.offset, place.size)
    whole = _signed(raw, memory.map.byte_order).reshape(-1, _N)
    return whole[: size.k + size.l], whole[size.k + size.l :]


def _key(memory: Memory, name: str, place: Place, rho: bytes) -> Pqc | None:
    """Return the key of vectors and a rho; with K where both stand right before, or the hash too.

    Without K nobody signs otherwise than before, but signatures are as good.
    """
    found = mldsa.of_vectors(name, rho, bytes(mldsa.RHO), *_read(memory, name, place))
    if found is None:
        return None
    public, expanded = found
    hashed = expanded[2 * mldsa.RHO : mldsa.HEAD]
    for behind in (b"", hashed):
        size = 2 * mldsa.RHO + len(behind)
        raw = memory.clip(place.space, max(place.offset - size, 0), size)
        own = raw[mldsa.RHO : 2 * mldsa.RHO]
        if raw == rho + own + behind:
            expanded = rho + own + expanded[2 * mldsa.RHO :]
    return Pqc(algorithm=name, seed=b"", expanded=expanded, public=public)


def again(memory: Memory, candidate: Candidate) -> list[Pqc]:
    """Read vectors again, by the rho that proved them."""
    key = _key(memory, candidate.algorithm, candidate.places[0], candidate.more)
    return [key] if key else []
