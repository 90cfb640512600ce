"""X25519 and X448 keys held as bare numbers (RFC 7748): k*9 = u, and u stands elsewhere.

Most are a handshake's own and mean nothing an hour later, so fewer are tried than of keys that
sign; one that somebody keeps is named by its public key. SymCrypt keeps k divided by the cofactor.
OpenPGP and Libgcrypt write the clamped scalar as a number, the most significant byte first.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from scanner.arrays import Offsets
from scanner.detect.algebra.material import Material, Okp
from scanner.detect.algebra.publics import PublicKey, places
from scanner.detect.asn1.keys import OKP_BYTES, okp_public
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards import edwards, trials
from scanner.detect.relations.edwards.eighths import multiplied
from scanner.detect.relations.edwards.trials import Trial
from scanner.detect.relations.places import pieces, repeated, variety
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Candidate

FLOOR, MOST = 1_200, 1_500
"""X25519 scalars that are tried: in a pool of no runs, one more for every eighth run, and in all
(45 us)."""

MOST_PARTS = 8
"""Of the scalars that are tried, one in so many is for those of which a collector left copies."""

MOST_X448 = (100, 400)
"""X448 scalars that are tried: without, and with a public key to look for (0.15 ms)."""

MOST_REVERSED, MOST_ANNOUNCED = 200, 20_000
"""Clamped scalars of X25519 with their bytes reversed that are tried, one random piece in 32 being
one, and positions behind a length among which they are sought."""

MOST_FILLED = (1_500, 500)
"""Of runs that may be k and its public half and nothing else: in few runs, and in many."""

MOST_JOINED = 64
"""Runs that may begin with a public half and its length, and go on with k."""

MOST_HALVES = (64, 16)
"""Runs that may be k of X448 and its public half and nothing else: in few runs, and in many."""

PLAIN, DIVIDED, REVERSED = "k bytes-le", "k/8 limbs-le", "k bytes-be"
"""Encodings, as reports spell them."""

PROOF = "k*9 = u"

_BITS = int.from_bytes((255).to_bytes(2, "big"), "little")
"""What stands before an MPI of 255 bits (RFC 9580 3.2)."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key agreement key that stands in the pool, and its public key elsewhere.

    One that is written as text besides once more: nobody writes down a handshake's own.
    """
    for algorithm in ("x25519", "x448"):
        read = [k for k in publics if k.algorithm == algorithm and k.independent]
        size, near = OKP_BYTES[algorithm], places(read)
        if algorithm == "x448":
            most = pool.budget(MOST_X448[bool(read)], MOST_X448[0])
        else:
            most = pool.budget(min(FLOOR + len(pool.at) // 8, MOST), MOST)
        joined = (_joined if algorithm == "x25519" else _halves)(pool, size)
        if algorithm == "x25519":
            share = most // MOST_PARTS
            often = repeated.copied(pool, size, share), repeated.in_slots(pool, size, share)
            joined = np.concatenate((joined, *often))
        positions = np.append(joined, pieces.aligned(pool, size, most - len(joined), near))
        texts = pieces.texts(pool, size, pool.budget(*edwards.MOST_TEXTS[algorithm]))
        written = list(trials.derived(pool, algorithm, texts))
        tried = [*trials.derived(pool, algorithm, positions), *written]
        if algorithm == "x25519":
            filled = trials.filled(pool, size, pool.budget(*MOST_FILLED))
            tried += trials.paired(pool, algorithm, filled)
            tried += _divided(pool, positions)
            tried += _reversed(pool, positions)
            tried += trials.of_integers(pool, algorithm)
        texted = {trial.public: trial for trial in written}
        for found in trials.witnessed(pool, tried, read):
            yield _related(pool, found)
            text = texted.get(found.public, found)
            if text.position != found.position:
                yield _related(pool, text)


def _related(pool: Pool, trial: Trial) -> Related:
    plain = PLAIN if trial.form == trials.SEED else trial.form
    return Related(
        key=Okp(algorithm=trial.algorithm, seed=trial.private, public=trial.public),
        proof=PROOF if trial.algorithm == "x25519" else "k*5 = u",
        encoding=pool.form(trial.position, plain),
        places=(pool.place(trial.position, trials.width(trial)),),
    )


def _joined(pool: Pool, size: int) -> Offsets:
    """Return where k may stand behind a public half that begins a run, and a byte with its length.

    wolfSSL's curve25519_key holds a point, its size as a byte, and k: at no word's beginning.
    """
    heads = pool.head[(pool.head >= 0) & ((pool.tail < 0) | (pool.tail - pool.head >= 2 * size))]
    heads = heads[heads + 2 * size < len(pool.data)]
    heads = heads[np.isin(pool.data[heads + size], (0, size))]
    heads = heads[variety.varied(pool.data, heads, size)]
    found = heads + size + 1
    found = found[variety.fits(pool, found, size)]
    return found[variety.varied(pool.data, found, size)][:MOST_JOINED]


def _halves(pool: Pool, size: int) -> Offsets:
    """Return both halves of runs that k and its public half fill, whichever is first.

    Seen in OpenSSL: a block of parameters, which is freed as it is.
    """
    heads = trials.filled(pool, size, pool.budget(*MOST_HALVES))
    return (heads[:, None] + (size, 0)).ravel()


def _divided(pool: Pool, positions: Offsets) -> list[Trial]:
    """Derive u for pieces that are a clamped scalar's eighth: bit 251 is their highest."""
    found = []
    for position in positions[pool.data[positions + 31] >> 3 == 1].tolist():
        k = multiplied(pool.data[position : position + 32].tobytes())
        found.append(Trial("x25519", position, k, okp_public("x25519", k), DIVIDED))
    return found


def _reversed(pool: Pool, positions: Offsets) -> list[Trial]:
    """Derive u for pieces that are a clamped scalar, its most significant byte first.

    Behind what announces them too, and as a number of OpenPGP's, whose 255 bits stand before it.
    """
    sized = pieces.counted(pool, 32, _BITS, MOST_ANNOUNCED, width=2)
    announced = pieces.announced(pool, 32, MOST_ANNOUNCED)
    spots = np.concatenate((sized, announced, positions))
    clamped = (pool.data[spots] & 0xC0 == 0x40) & (pool.data[spots + 31] & 7 == 0)
    found = []
    for position in list(dict.fromkeys(spots[clamped].tolist()))[:MOST_REVERSED]:
        k = pool.data[position : position + 32].tobytes()[::-1]
        found.append(Trial("x25519", position, k, okp_public("x25519", k), REVERSED))
    return found


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a scalar again."""
    raw = trials.again(memory, candidate)
    k = raw[: OKP_BYTES[candidate.algorithm]]
    if candidate.encoding == REVERSED:
        k = raw[::-1]
    elif candidate.encoding == DIVIDED:
        k = multiplied(raw)
    public = okp_public(candidate.algorithm, k)
    return [Okp(algorithm=candidate.algorithm, seed=k, public=public)]
