"""Edwards keys held as bare numbers: a seed that derives a public key, or the scalar behind it.

Ed25519 and Ed448 (RFC 8032). Any bytes are a seed of some key, so a seed counts only when its
public key stands elsewhere: among the public keys that were met, or in the dump's own words; beside
the seed as a rule. Some libraries keep the scalar a and not the seed, clamped (ring) or modulo the
group's order (dalek; Monero, which has no seed): a*B is had from X25519, which multiplies the same
point in other coordinates, u = (1 + y)/(1 - y); of Ed448 from X448, where it is clamped. What is
tried is bounded by counts of derivations.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.algebra import curve25519, edwards448, edwards25519
from scanner.detect.algebra.edwards25519 import ORDER, SIGN
from scanner.detect.algebra.material import Material, Okp, describe
from scanner.detect.algebra.publics import PublicKey, places
from scanner.detect.asn1.keys import OKP_BYTES, okp_public
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.pool import DEEP, Pool
from scanner.detect.relations.edwards import digests, eighths, extended, nonces, trials
from scanner.detect.relations.edwards.eighths import EIGHTH
from scanner.detect.relations.edwards.trials import DIGEST, SCALAR, SEED, Trial
from scanner.detect.relations.places import (
    checked,
    nearby,
    pieces,
    repeated,
    slabs,
    variety,
    words,
)
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import NONCE_EDWARDS, Candidate, Place

FLOOR, MOST_SEEDS = 2_500, 3_000
"""Ed25519 seeds that are tried: in a pool of no runs, one more for every fourth run, and in all
(30 us)."""

MOST_PARTS = 8
"""Of the seeds that are tried, one in so many is for objects that a seed and its public half fill:
NaCl's secret keys, and those of Go and libsodium."""

MOST_INNER = 500
"""Seeds that are tried within runs, where anything is left to be tried."""

MOST_SCALARS = 500
"""Scalars that are tried, clamped ones and those below the order: one random piece in 32 is one,
and one in 16 (45 us)."""

MOST_SCALARS_ED448 = 100
"""Clamped scalars of Ed448 that are tried: one random piece in eight is one (1.1 ms)."""

MOST_FIELDS = 10_000
"""Pieces of short records, which may be scalars too: Monero's keys stand behind their points."""

MOST_ED448, MOST_IN_MANY = (240, 2_000), 120
"""Ed448 seeds that are tried: without, and with a public key to look for; and in many runs (0.15
ms). Seen in Nettle: a seed of which the last whole word does not look random, as one in 256."""

MOST_JOINED = (64, 16)
"""Edges of runs where an Ed448 seed and its public half may stand, and seeds between two copies of
it: in few runs, and in many."""

MOST_COPIED, _NEAR = (8, 8), 128
"""Copies of points of Ed448 around which every word is tried, in few runs and in many; and how many
bytes before and behind."""

MOST_IN_SLOTS = 64
"""Slots of slabs that may be an Ed448 seed."""

MOST_ANNOUNCED, MOST_POINTS, MOST_TYPED = 10_000, 32, 256
"""Announced pieces of Ed448's size that are looked at, points among them that are checked (1 ms),
and seeds behind the same word as one of these."""

MOST_TEXTS = {"ed25519": (500, 250), "x25519": (500, 250), "ed448": (100, 20), "x448": (100, 20)}
"""Of what is written as text: in few runs, and in many."""

MOST_PAIRS = {"ed25519": 5_000, "ed448": 1_000}
"""Of texts that may be a seed and its public half: each tells by itself, and no digest is one. Of
those of Ed25519 that are all that the sweep keeps."""

MOST_FILLED = {"ed25519": (3_000, 1_500), "ed448": (100, 20)}
"""Of runs that may be a seed and its public half and nothing else: in few runs, and in many."""

MOST_SLOTS = (1_000, 500)
"""Slots of 64 bytes whose second half stands elsewhere too, in few runs and in many."""

MOST_WITHIN = (600, 100)
"""Slots of 32 bytes within runs that may be a seed: in few runs, and in many."""

MOST_EDGES = (1_000, 4_000)
"""Slots of 64 bytes with which a run begins or ends: in few runs, where others are tried, and in
many."""

SSH_PRIVATE = int.from_bytes((64).to_bytes(4, "big"), "little")
"""What stands before a seed and its public half where they are one string of SSH (RFC 4251)."""

PROOFS = {SEED: "seed derives the public key"} | dict.fromkeys((SCALAR, EIGHTH, DIGEST), "a*B = A")


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each Edwards key that stands in the pool, and its public key elsewhere."""
    for algorithm, seeds in (("ed25519", _seeds), ("ed448", _seeds_of_ed448)):
        read = [k for k in publics if k.algorithm == algorithm and k.independent]
        positions, pairs = seeds(pool, read), _pairs(pool, algorithm)
        tried = _tried(pool, algorithm, positions, pairs)
        found = list(trials.witnessed(pool, tried, read))
        met = {key.raw for key in read}
        kept = _kept(pool, pairs, found) if algorithm == "ed25519" else ()
        for trial in (*nonces.named(pool, found, read), *kept):
            yield Related(
                key=_key(trial),
                proof=NONCE_EDWARDS if trial.once else PROOFS.get(trial.form, PROOFS[SEED]),
                encoding=_encoding(pool, trial),
                places=(pool.place(trial.position, trials.width(trial)),),
                twin=_twin(trial) if trial.public not in met else b"",
            )


def _seeds(pool: Pool, read: Sequence[PublicKey]) -> Offsets:
    """Return where seeds of Ed25519 may stand: those first that something tells."""
    size, near = OKP_BYTES["ed25519"], places(read)
    most = pool.budget(min(FLOOR + len(pool.at) // 4, MOST_SEEDS), MOST_SEEDS)
    most = max(most, min(nearby.worth(pool, near), MOST_SEEDS * DEEP))
    parts = [
        _between(pool, size),
        pieces.around(pool, size, [key.raw for key in read if key.raw]),
        repeated.copied(pool, size, most // MOST_PARTS),
        repeated.adjoining(pool, size, most // MOST_PARTS),
        checked.numbers(pool, size),
        pieces.framed(pool, size, most // 16),
        pieces.objects(pool, 2 * size, most // MOST_PARTS),
    ]
    parts.append(pieces.counted(pool, size, SSH_PRIVATE, most - sum(map(len, parts))))
    slots = slabs.within(pool, size, pool.budget(*MOST_WITHIN))
    found = np.concatenate((slots, *parts))
    found = _with_others(pool, size, found, most + len(slots), near)
    left = min(most - len(found), MOST_INNER)
    return np.append(found, repeated.inner(pool, size, left)) if left > 0 else found


def _seeds_of_ed448(pool: Pool, read: Sequence[PublicKey]) -> Offsets:
    """Return where seeds of Ed448 may stand: those first that something tells."""
    size, near = OKP_BYTES["ed448"], places(read)
    most = pool.budget(MOST_ED448[bool(read)], MOST_IN_MANY)
    most = max(most, min(nearby.worth(pool, near), MOST_ED448[1]))
    beside = _between(pool, size), _joined(pool, size), _padded(pool, size), _around(pool, size)
    slots = slabs.ending(pool, size, MOST_IN_SLOTS)
    said = _typed(pool, size), slots, pieces.framed(pool, size, most // MOST_PARTS)
    found = np.concatenate((*beside, *said))
    return _with_others(pool, size, found, most + len(found), near)


def _with_others(
    pool: Pool, size: int, found: Offsets, most: int, near: Sequence[Place]
) -> Offsets:
    """Return some positions and others, about ``most`` in all: whole words first, then any byte."""
    found = np.append(found, pieces.aligned(pool, size, most - len(found), near))
    left = max(most - len(found), most // 8 if pool.few else 0)
    return np.append(found, pieces.loose(pool, size, left, near)) if left else found


def _pairs(pool: Pool, algorithm: str) -> Offsets:
    """Return where a seed, or a scalar, may stand end to end with its public half."""
    size = OKP_BYTES[algorithm]
    found = pieces.texts(pool, size, MOST_PAIRS[algorithm], times=(2,))
    found = np.append(found, trials.filled(pool, size, pool.budget(*MOST_FILLED[algorithm])))
    if algorithm == "ed25519":
        found = np.append(found, repeated.slots(pool, size, pool.budget(*MOST_SLOTS)))
        found = np.append(found, repeated.slots_at_edges(pool, size, pool.budget(*MOST_EDGES)))
    return found


def _tried(pool: Pool, algorithm: str, positions: Offsets, pairs: Offsets) -> Iterator[Trial]:
    """Yield what is tried: seeds, those with their public halves, scalars, and digests of seeds."""
    size = OKP_BYTES[algorithm]
    texts = pieces.texts(pool, size, pool.budget(*MOST_TEXTS[algorithm]))
    yield from trials.derived(pool, algorithm, np.concatenate((positions, texts)))
    yield from trials.paired(pool, algorithm, pairs)
    if algorithm == "ed448":
        yield from _scalars_of_ed448(pool, positions)
    else:
        yield from trials.of_integers(pool, algorithm)
        fields = pieces.fields(pool, size, MOST_FIELDS)
        yield from _scalars(pool, np.append(positions, fields))
        yield from digests.search(pool)


def _kept(pool: Pool, pairs: Offsets, found: Sequence[Trial]) -> Iterator[Trial]:
    """Yield the keys of Ed25519 that stand beside their points in another form, but those found."""
    yield from eighths.search(pool, pairs)
    names = {trial.public for trial in found if trial.form == SEED}
    yield from (trial for trial in extended.search(pool) if trial.public not in names)


def _twin(trial: Trial) -> bytes:
    """Return the name of the X25519 key of a scalar of which no seed is there.

    Seen in @noble/curves, which multiplies on edwards25519 for X25519 too.
    """
    if trial.form != SCALAR or trial.algorithm != "ed25519":
        return b""
    key = Okp(algorithm="x25519", seed=b"", public=edwards25519.montgomery(trial.public))
    return bytes.fromhex(describe(key).fingerprint.value)


def _between(pool: Pool, size: int) -> Offsets:
    """Return where a seed may stand between two copies of its public half, of which a run begins.

    Seen in wolfSSL, whose object of a key begins with them, in a run that is no row of fields.
    """
    found = pool.head[(pool.head >= 0) & (pool.head + 3 * size <= len(pool.data))]
    for at in range(size):
        found = found[pool.data[found + at] == pool.data[found + at + 2 * size]]
    found = found[variety.fits(pool, found, 3 * size)] + size
    return found[variety.varied(pool.data, found, size)][: pool.budget(*MOST_JOINED)]


def _joined(pool: Pool, size: int) -> Offsets:
    """Return where a seed may stand end to end with its public half, at an edge of a run.

    The last byte of that holds the sign of x alone (RFC 8032 5.2.2), as one random one in 128; it
    is in the word behind the run, which is zeros as a rule. Seen in wolfSSL: the seed is behind it.
    """
    part = 2 * size & ~7
    long = (pool.head < 0) | (pool.tail < 0) | (pool.tail - pool.head >= part)
    ends = pool.tail[long & (pool.tail >= 0)] - part
    found = np.concatenate((ends, pool.head[long & (pool.head >= 0)]))
    found = found[(found >= 0) & (found + 2 * size <= len(pool.data))]
    before, behind = (found[_is_point(pool, found + at, size)] for at in (size, 0))
    rows = np.concatenate((before, behind + size)).tolist()
    return np.array(list(dict.fromkeys(rows))[: pool.budget(*MOST_JOINED)], np.int64)


def _padded(pool: Pool, size: int) -> Offsets:
    """Return where a seed may stand behind its public half and zeros that fill its last word.

    Or before it. Seen in OpenSSL, which hands keys from part to part as a block of parameters, and
    frees it as it is.
    """
    step = -(-size // WORD) * WORD
    heads = pool.head[(pool.head >= 0) & (pool.head + 2 * step <= len(pool.data))]
    there = nearby.coordinates(pool, heads)
    rest = pool.data[heads[:, None] + np.arange(size, step)]
    public = there[_is_point(pool, heads, size) & ~rest.any(axis=1)]
    found = heads[np.isin(there, np.concatenate((public + step, public - step)))]
    return found[variety.varied(pool.data, found, size - 1)][: pool.budget(*MOST_JOINED)]


def _around(pool: Pool, size: int) -> Offsets:
    """Return words near Ed448's points that stand more than once, as what is kept does.

    Seen in Deno (ed448-goldilocks): the encoded point, and behind a scalar the seed, in one run.
    """
    found = repeated.words_within(pool, size)[: repeated.MOST]
    found = repeated.equals(pool, found[_is_point(pool, found, size)], size)
    found = found[variety.varied(pool.data, found, size - 1)][: pool.budget(*MOST_COPIED)]
    rows = pool.data[found[:, None] + np.arange(size)]
    found = found[[edwards448.is_point(row.tobytes()) for row in rows]]
    near = (found[:, None] + np.arange(-_NEAR, _NEAR + size, WORD)).ravel()
    near = near[variety.fits(pool, near, size)]
    near = near[variety.varied(pool.data, near, size)]
    return near[variety.once(pool.data, near, size)]


def _typed(pool: Pool, size: int) -> Offsets:
    """Return what is announced behind the same word as a point of Ed448, in objects of one type.

    Behind the rarest word first. Seen in Node.js (@noble/curves): V8 keeps short arrays of bytes on
    its heap, amid thousands of other objects.
    """
    found = pieces.announced(pool, size, MOST_ANNOUNCED)
    word = words.sliding(pool.data)[found - WORD]
    _, which, times = np.unique(word, return_inverse=True, return_counts=True)
    count = times[which]
    points = np.flatnonzero(_is_point(pool, found, size) & (count > 1))
    points = points[np.argsort(count[points], kind="stable")][:MOST_POINTS]
    good = [row for row in points.tolist() if edwards448.is_point(_raw(pool, found[row], size))]
    rows = np.flatnonzero(np.isin(word, word[good]))
    return found[rows[np.argsort(count[rows], kind="stable")]][:MOST_TYPED]


def _raw(pool: Pool, position: int, size: int) -> bytes:
    return pool.data[position : position + size].tobytes()


def _is_point(pool: Pool, positions: Offsets, size: int) -> Flags:
    """Tell where Ed448's points may end, by their last two bytes."""
    last = pool.data[positions + size - 1] & ~np.uint8(SIGN)
    good: Flags = (pool.data[positions + size - 2] != 0) & (last == 0)
    return good


def _encoding(pool: Pool, trial: Trial) -> str:
    form = pool.form(trial.position, "")
    return f"{trial.form} {form}" if form else trial.form


def _scalars(pool: Pool, positions: Offsets) -> list[Trial]:
    """Derive y of a*B for the pieces that are clamped as RFC 8032 5.1.5 says, or below L.

    Next to public keys stands anything. What is not varied is no scalar, and its multiple may stand
    in any library: seen in PHP, zeros, and libsodium's table of points of small order.
    """
    first, last = pool.data[positions], pool.data[positions + 31]
    clamped, reduced = (first & 7 == 0) & (last & 0xC0 == 0x40), last <= ORDER >> 248
    found = []
    for kind in (positions[clamped], positions[reduced]):
        likely = kind[variety.varied(pool.data, kind, 32)]
        spots = np.array([*dict.fromkeys(likely.tolist())][:MOST_SCALARS], np.int64)
        rows = pool.data[spots[:, None] + np.arange(curve25519.SIZE)]
        points, there = curve25519.edwards(rows, signed=False)
        for at in np.flatnonzero(there).tolist():
            raw, y = rows[at].tobytes(), points[at].tobytes()
            found.append(Trial("ed25519", int(spots[at]), raw, y, SCALAR))
    return found


def _scalars_of_ed448(pool: Pool, positions: Offsets) -> list[Trial]:
    """Derive y and -y of a*B for the pieces that are clamped as RFC 8032 5.2.5 says.

    A library that has a as a number may have something else behind its 56 bytes.
    """
    found = []
    rows = pool.data[positions[:, None] + np.arange(edwards448.SIZE - 1)]
    clamped = (rows[:, 0] & 3 == 0) & (rows[:, -1] & SIGN != 0)
    for position in list(dict.fromkeys(positions[clamped].tolist()))[:MOST_SCALARS_ED448]:
        raw = pool.data[position : position + edwards448.SIZE - 1].tobytes() + b"\0"
        found += [
            Trial("ed448", position, raw, y, SCALAR) for y in edwards448.unsigned_multiples(raw)
        ]
    return found


def _key(trial: Trial) -> Okp:
    scalar = trial.scalar or trial.form == EIGHTH
    seed, a = (b"", trial.private) if scalar else (trial.private, b"")
    return Okp(algorithm=trial.algorithm, seed=seed, public=trial.public, a=a)


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a seed or a scalar again; of a scalar's point on edwards25519 both signs are given."""
    raw = trials.again(memory, candidate)
    if candidate.encoding == EIGHTH:
        a = eighths.multiplied(raw)
        return [Okp(algorithm="ed25519", seed=b"", public=edwards25519.multiple(a), a=a)]
    if candidate.encoding == DIGEST:
        raw = digests.clamped(raw)
    elif candidate.encoding != SCALAR:
        raw = raw[: OKP_BYTES[candidate.algorithm]]
        public = okp_public(candidate.algorithm, raw)
        return [Okp(algorithm=candidate.algorithm, seed=raw, public=public)]
    if candidate.algorithm == "ed448":
        raw = raw[: edwards448.SIZE - 1] + b"\0"
        return [Okp(algorithm="ed448", seed=b"", public=edwards448.multiple(raw), a=raw)]
    y = edwards25519.unsigned_multiple(raw)
    return [
        Okp(algorithm=candidate.algorithm, seed=b"", public=y[:-1] + bytes((y[-1] | sign,)), a=raw)
        for sign in (0, SIGN)
        if y
    ]


def spelled(key: Okp) -> list[tuple[str, bytes]]:
    """List (name, bytes) of what is private of a key, as memory may hold it.

    The seed; of Ed25519 also the scalar a, clamped and modulo the group's order, and the prefix
    (RFC 8032 5.1.5); of Ed448 also a and the prefix (5.2.5); of X25519 also the clamped scalar, its
    eighth, and its bytes reversed.
    """
    rows = [("seed" if key.algorithm.startswith("ed") else "k", key.seed), ("a", key.a)]
    if key.algorithm == "ed25519":
        a = key.a
        if key.seed:
            digest = hashlib.sha512(key.seed).digest()
            a = digests.clamped(digest[:32])
            rows += [("a", a), ("prefix", digest[32:])]
        elif a[0] & 7 == 0:
            rows.append(("a/8", (int.from_bytes(a, "little") >> 3).to_bytes(32, "little")))
        rows.append(("a mod L", (int.from_bytes(a, "little") % ORDER).to_bytes(32, "little")))
    elif key.algorithm == "ed448" and key.seed:
        digest = hashlib.shake_256(key.seed).digest(2 * len(key.seed))
        a = bytes((digest[0] & 0xFC,)) + digest[1:55] + bytes((digest[55] | 0x80, 0))
        rows += [("a", a), ("prefix", digest[len(key.seed) :])]
    elif key.algorithm == "x25519":
        k = digests.clamped(key.seed)
        eighth = (int.from_bytes(k, "little") >> 3).to_bytes(32, "little")
        rows += [("k", k), ("k/8", eighth), ("k bytes-be", k[::-1])]
    return list({raw: (name, raw) for name, raw in reversed(rows) if raw}.values())
