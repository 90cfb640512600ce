"""ML-KEM keys in memory (FIPS 203): seeds whose rho stands elsewhere, and what they expand to.

Of a seed the first half, d, gives rho by one hash, and rho stands in every key object: Go has it
behind the seed, Java and Bouncy Castle in arrays of their own. OpenSSL keeps t, A and s as words of
16 bits, transformed, and z with d behind them; BoringSSL, and OpenSSL for a key that it read
without its seed, the same without d. Others keep the encoded decapsulation key. All of them are
found where structure says that they begin or end. Of s alone nothing says whose it is: an encoded s
in an array of its own is not looked for.
"""

import hashlib
import itertools
from collections.abc import Container, Iterable, Iterator

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra import mlkem
from scanner.detect.algebra.material import Material, Pqc, describe
from scanner.detect.algebra.publics import PublicKey, places
from scanner.detect.asn1 import pqc
from scanner.detect.integers import bare_numbers, likelihood, readings
from scanner.detect.integers.distinct import distinct
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import pieces, words
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Candidate, Place

MOST_KNOWN, MOST, FEWER = 20_000, 1_000, 250
"""Seeds that are tried (4 us): where public keys are known, for those, and where rho may stand
anywhere in a pool of few runs, or of many."""

MOST_TEXTS, MOST_ARRAYS = 256, 1_000
"""Seeds that are tried which are written as texts, and arrays of 64 bytes."""

MOST_ENDS = 10_000
"""Ends of words behind which z and d may stand: a client has one for each handshake it began."""

MOST_PLACES, MOST_VECTORS = 1 << 10, 32
"""Places at which an encoded key may stand that are looked at closely (0.4 ms), and keys in words,
each of which has its rho looked for."""

MOST_HASHES = 20_000
"""Places at which rho and the hash of the public key may stand, for each key in words (3 us)."""

EXPANDED, VECTORS, BEHIND, BEFORE, ALONE = "expanded", "s words-16, z", "d, z", "z, d", "d"
"""Encodings, as reports spell them."""

_DERIVED = "seed derives rho"

_BEHIND_HEAD = (0, 4, mlkem.SEED)
"""Where rho stands in the run of an object of its own; in OpenSSL's, whose array is at an odd word;
and in Go's, behind the seed."""

_SLACK = 8
"""Bytes between the edge of a run and of what is random in it, less than."""

_STEPS, _VARIED = range(0, 48, 6), 150
"""Where four coefficients each of an encoded polynomial are looked at, before the rest; and how
many different byte values it has, at least: of random ones 199 on average."""

_Q = 3329

_FULL, _VALUES = 1024, 24
"""Bytes of the run of an encoded key, at least, if it was cut by what is not random; and different
byte values in 32 bytes beside d that may be z."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each ML-KEM key that stands in the pool, once."""
    known = [k for k in publics if k.algorithm in mlkem.SETS and k.independent]
    seen: set[str] = set()
    done: set[Place] = set()
    tails = _behind_words(pool)[:MOST_ENDS]
    for found in itertools.chain(
        _seeds(pool, known, tails), _expanded(pool, known), _vectors(pool, tails, done)
    ):
        done.update(found.places)
        name = describe(found.key).fingerprint.value
        if name not in seen:
            seen.add(name)
            yield found


# --- seeds --------------------------------------------------------------------------------------


def _seeds(pool: Pool, known: list[PublicKey], tails: Offsets) -> Iterator[Related]:
    """Yield the keys of seeds whose rho is known, or stands in the pool."""
    near, size = places(known), mlkem.HALF
    most = pool.budget(*((MOST_KNOWN, MOST_KNOWN) if known else (MOST, FEWER)))
    parts = [
        tails - size,
        pieces.texts(pool, size, MOST_TEXTS),
        pieces.objects(pool, mlkem.SEED, MOST_ARRAYS),
    ]
    if known or pool.few:
        parts.append(pieces.announced(pool, mlkem.SEED, most))
        parts.append(pieces.loose(pool, size, most // 4, near))
    few = sum(map(len, parts)) + pool.budget(MOST, FEWER)
    parts.append(pieces.aligned(pool, size, most, near))
    first = {(key.algorithm, key.raw) for key in known}
    named = sorted({name for name, _ in first})
    tried: dict[tuple[str, bytes], int] = {}
    for row, position in enumerate(dict.fromkeys(np.concatenate(parts).tolist())):
        d = pool.data[position : position + size].tobytes()
        for name in mlkem.SETS if row < few else named:
            trial = name, mlkem.rho(name, d)
            if trial in tried or not (trial in first or row < few):
                continue
            tried[trial] = position
            if trial in first:
                yield _of_seed(pool, name, position, pqc.PROOF)
    rest, told = [trial for trial in tried if trial not in first], set[int]()
    for index, at in _standing(pool, [rho for _, rho in rest]):
        (name, rho), position = rest[index], tried[rest[index]]
        apart = index not in told and abs(at - position) >= size
        if apart and words.stands(pool.data, at, rho):
            told.add(index)
            yield _of_seed(pool, name, position, _DERIVED)


def _standing(pool: Pool, rhos: list[bytes]) -> Iterator[tuple[int, int]]:
    """Yield (index, position) wherever one may stand: among many runs where objects have it."""
    lows = words.firsts(rhos)
    if pool.few:
        yield from words.find(pool.data, lows)
        return
    heads, tails = pool.head[pool.head >= 0], pool.tail[pool.tail >= 0]
    spots = np.concatenate([*(heads + at for at in _BEHIND_HEAD), tails - mlkem.RHO])
    spots = spots[spots + mlkem.RHO <= len(pool.data)]
    there = readings.gather(pool.data, spots, "<u8")
    index: dict[int, list[int]] = {}
    for row, low in enumerate(lows.tolist()):
        index.setdefault(low, []).append(row)
    hits = np.isin(there, lows)
    for at, low in zip(spots[hits].tolist(), there[hits].tolist(), strict=True):
        yield from ((row, at) for row in index[low])


def _of_seed(pool: Pool, name: str, position: int, proof: str) -> Related:
    """Return the key of d, and of z where that stands beside it: nothing public tells it."""
    size = mlkem.HALF
    d = pool.data[position : position + size].tobytes()
    public, _ = mlkem.keys(name, d, b"")
    other = public + hashlib.sha3_256(public).digest() + d
    encoding, start, z = ALONE, position, b""
    for said, at, begun in (
        (BEHIND, position + size, position),
        (BEFORE, position - size, position - size),
    ):
        beside = pool.data[at : at + size].tobytes()
        if len(set(beside)) >= _VALUES and beside not in other:
            encoding, start, z = said, begun, beside
            break
    return Related(
        key=_of_halves(name, d, z),
        proof=proof,
        encoding=pool.form(position, encoding),
        places=(pool.place(start, size + len(z)),),
    )


def _of_halves(name: str, d: bytes, z: bytes) -> Pqc:
    public, expanded = mlkem.keys(name, d, z)
    return Pqc(algorithm=name, seed=d + z, expanded=expanded, public=public)


# --- encoded keys -------------------------------------------------------------------------------


def _expanded(pool: Pool, known: list[PublicKey]) -> Iterator[Related]:
    """Yield encoded keys at an edge of a long run, or whose rho is known and stands in them."""
    long = (pool.head < 0) | (pool.tail < 0) | (pool.tail - pool.head >= _FULL)
    shifts = np.arange(1 - _SLACK, _SLACK)
    heads = (pool.head[long & (pool.head >= 0), None] + shifts).ravel()
    tails = (pool.tail[long & (pool.tail >= 0), None] + shifts).ravel()
    lows = words.firsts(key.raw for key in known)
    stand = [at for _, at in itertools.islice(words.find(pool.data, lows), MOST_PLACES)]
    begun = _coefficients(pool, heads)
    for name, size in mlkem.SETS.items():
        inner = np.array(stand, np.int64) - 2 * size.vector
        ended = _coefficients(pool, np.concatenate((tails - size.expanded, inner)))
        for position in dict.fromkeys(np.concatenate((begun, ended)).tolist()):
            key = _of_expanded(name, pool.beyond(position, size.expanded))
            if key is not None:
                place = pool.place(position, size.expanded)
                yield Related(key=key, proof=pqc.DECAPSULATES, encoding=EXPANDED, places=(place,))


def _coefficients(pool: Pool, positions: Offsets) -> Offsets:
    """Return those positions at which an encoded polynomial of s stands.

    A public key is as random: the key shares of TLS are, so that most of what is left is no secret.
    """
    size = mlkem.POLYNOMIAL
    found = positions[(positions >= 0) & (positions + size <= len(pool.data))]
    for step in _STEPS:  # random ones are told by the first
        four = readings.gather(pool.data, found + step, "<u8")
        for shift in (0, 12, 24, 36):
            value = four >> np.uint64(shift) & np.uint64(0xFFF)
            found, four = found[value < _Q], four[value < _Q]
    rows = pool.data[found[:, None] + np.arange(size)]
    varied = likelihood.values(rows) >= _VARIED
    wide = rows[varied].astype(np.uint16)
    low, high = wide[:, ::3] | (wide[:, 1::3] & 15) << 8, wide[:, 1::3] >> 4 | wide[:, 2::3] << 4
    found = found[varied][(low < _Q).all(axis=1) & (high < _Q).all(axis=1)]
    secret = [
        at
        for at in found[:MOST_PLACES].tolist()
        if mlkem.is_secret(pool.data[at : at + size].tobytes())
    ]
    return np.array(secret, np.int64)


def _of_expanded(name: str, raw: bytes) -> Pqc | None:
    size = mlkem.SETS[name]
    public = mlkem.public_of(name, raw[: size.expanded])
    return Pqc(algorithm=name, seed=b"", expanded=raw, public=public) if public else None


# --- keys in words ------------------------------------------------------------------------------


def _behind_words(pool: Pool) -> Offsets:
    """List ends of runs before whose last 32 or 64 bytes words of 16 bits stand, coefficients all.

    Those are z, or z with d behind it; the positions are where d ends, or would.
    """
    found = [np.empty(0, np.int64)]
    for behind in (mlkem.Z, mlkem.SEED):
        ends = pool.tail[pool.tail >= behind + 2 * mlkem.Z]
        for at in (2, 8, 16, 32):  # words before z: most ends are told by the first
            before = readings.gather(pool.data, ends - behind - at, "<u2")
            ends = ends[(before < _Q) & (before > 0)]
        rows = pool.data[ends[:, None] - behind - 2 * mlkem.Z + np.arange(2 * mlkem.Z)].view("<u2")
        ends = ends[(rows < _Q).all(axis=1) & (np.ptp(rows, axis=1) > _Q // 2)]
        found.append(ends + mlkem.SEED - behind)
    return distinct(np.concatenate(found))


def _vectors(pool: Pool, ends: Offsets, done: Container[Place]) -> Iterator[Related]:
    """Yield keys of which s stands in words before z, and t and rho where OpenSSL has them.

    Not those that are ``done``, z with d behind it.
    """
    secret = (end for end in ends.tolist() if _is_behind_secret(pool, end - mlkem.SEED))
    left = (end for end in secret if pool.place(end - mlkem.SEED, mlkem.SEED) not in done)
    for end in itertools.islice(left, MOST_VECTORS):
        z = end - mlkem.SEED
        whole = pool.place(z, mlkem.Z)
        for name, size in mlkem.SETS.items():
            vector = mlkem.WORDS * size.k
            first = whole.offset - vector
            raw = pool.memory.clip(whole.space, first, vector) if first >= 0 else b""
            s = mlkem.encoded(raw) if len(raw) == vector else None
            if s is None or not all(map(mlkem.is_secret, _polynomials(s))):
                continue
            found = _named(pool, name, s, Place(space=whole.space, offset=first, size=vector))
            if found is not None:
                public, rho = found
                last = pool.data[z : z + mlkem.Z].tobytes()
                place = Place(space=whole.space, offset=first, size=vector + mlkem.Z)
                yield Related(
                    key=_of_parts(name, s, public, last),
                    proof=pqc.DECAPSULATES,
                    encoding=VECTORS,
                    places=(place, rho),
                    roles=("s", "rho"),
                )


def _is_behind_secret(pool: Pool, position: int) -> bool:
    """Tell whether a polynomial of s stands in words before a position.

    The pool has a part of them at most, where some of them look less random.
    """
    place = pool.place(position, mlkem.Z)
    first = place.offset - mlkem.WORDS
    raw = pool.memory.clip(place.space, first, mlkem.WORDS) if first >= 0 else b""
    last = mlkem.encoded(raw) if len(raw) == mlkem.WORDS else None
    return last is not None and mlkem.is_secret(last)


def _polynomials(encoded: bytes) -> list[bytes]:
    size = mlkem.POLYNOMIAL
    return [encoded[at : at + size] for at in range(0, len(encoded), size)]


def _of_parts(name: str, s: bytes, public: bytes, z: bytes) -> Pqc:
    expanded = s + public + hashlib.sha3_256(public).digest() + z
    return Pqc(algorithm=name, seed=b"", expanded=expanded, public=public)


def _named(pool: Pool, name: str, s: bytes, place: Place) -> tuple[bytes, Place] | None:
    """Return the public key that belongs to s, and where its rho stands."""
    t = _before(pool.memory, name, place)
    for rho, where in _rhos(pool, name, place) if t else ():
        for vector in t:
            public = vector + rho[: mlkem.RHO]
            hashed = hashlib.sha3_256(public).digest() == rho[mlkem.RHO :]
            if hashed and mlkem.belongs(name, s, public):
                return public, where
    return None


def _before(memory: Memory, name: str, place: Place) -> list[bytes]:
    """Return what may be t before A and s: next to A, or before rho and a hash (BoringSSL)."""
    size = mlkem.SETS[name]
    vector = mlkem.WORDS * size.k
    found = []
    for between in (0, mlkem.RHO + mlkem.HASH):
        at = place.offset - mlkem.WORDS * size.k**2 - between - vector
        raw = memory.clip(place.space, at, vector) if at >= 0 else b""
        found.append(mlkem.encoded(raw) if len(raw) == vector else None)
    return [one for one in found if one is not None]


def _rhos(pool: Pool, name: str, place: Place) -> Iterator[tuple[bytes, Place]]:
    """Yield what may be rho and the hash of a public key, and its place: before A, then others."""
    both = mlkem.RHO + mlkem.HASH
    at = place.offset - mlkem.WORDS * mlkem.SETS[name].k ** 2 - both
    raw = pool.memory.clip(place.space, at, both) if at >= 0 else b""
    if len(raw) == both:
        yield raw, Place(space=place.space, offset=at, size=mlkem.RHO)
    whole = (pool.head >= 0) & (pool.tail >= 0)
    whole &= np.abs(pool.tail - pool.head - both) <= 2 * _SLACK
    spots = np.concatenate((pool.head[whole], pool.tail[whole] - both))
    spots = distinct((spots[:, None] + np.arange(1 - _SLACK, _SLACK)).ravel())
    for position in spots[spots >= 0][:MOST_HASHES].tolist():
        yield pool.data[position : position + both].tobytes(), pool.place(position, mlkem.RHO)


# --- a second look ------------------------------------------------------------------------------


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a seed, an encoded key, or one in words again."""
    name, place = candidate.algorithm, candidate.places[0]
    if candidate.encoding == VECTORS:
        return _again_in_words(memory, candidate)
    if candidate.encoding == EXPANDED:
        key = _of_expanded(name, memory.read(place.space, place.offset, place.size))
        return [key] if key else []
    raw, half = bare_numbers.number(memory, place), mlkem.HALF
    d, z = raw[:half], raw[half : mlkem.SEED]
    if candidate.encoding == BEFORE:
        d, z = z, d
    return [_of_halves(name, d, z)]


def _again_in_words(memory: Memory, candidate: Candidate) -> list[Material]:
    name, (place, where) = candidate.algorithm, candidate.places
    raw = memory.read(place.space, place.offset, place.size)
    rho = memory.read(where.space, where.offset, mlkem.RHO)
    s = mlkem.encoded(raw[: -mlkem.Z])
    return [
        _of_parts(name, s, t + rho, raw[-mlkem.Z :])
        for t in _before(memory, name, place)
        if s is not None and mlkem.belongs(name, s, t + rho)
    ]
