"""X25519 and X448 keys held as bare numbers (RFC 7748): k*9 = u, and u stands elsewhere.

Most are a handshake's own and mean nothing an hour later, so fewer are tried than of keys that
sign; one that somebody keeps is named by its public key. SymCrypt keeps k divided by the cofactor.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from scanner.detect import written
from scanner.detect.keys import OKP_BYTES, okp_public
from scanner.detect.limbs import Offsets
from scanner.detect.material import Material, Okp
from scanner.detect.pool import Pool
from scanner.detect.publics import PublicKey
from scanner.detect.relations import edwards, pieces
from scanner.detect.relations.edwards import Trial
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Candidate

FLOOR, MOST = 1_200, 1_500
"""X25519 scalars that are tried: in a pool of no runs, one more for every eighth run, and in all
(45 us)."""

MOST_X448 = (100, 400)
"""X448 scalars that are tried: without, and with a public key to look for (0.15 ms)."""

PLAIN, DIVIDED = "k bytes-le", "k/8 limbs-le"
"""Encodings, as reports spell them."""

PROOF = "k*9 = u"


def search(pool: Pool, publics: Sequence[PublicKey]) -> Iterator[Related]:
    """Yield each key agreement key that stands in the pool, and its public key elsewhere."""
    for algorithm in ("x25519", "x448"):
        read = [k for k in publics if k.algorithm == algorithm and pieces.independent(k)]
        size, near = OKP_BYTES[algorithm], pieces.places(read)
        if algorithm == "x448":
            most = pool.budget(MOST_X448[bool(read)], MOST_X448[0])
        else:
            most = pool.budget(min(FLOOR + len(pool.at) // 8, MOST), MOST)
        positions = pieces.aligned(pool, size, most, near)
        texts = pieces.texts(pool, size, pool.budget(*edwards.MOST_TEXTS[algorithm]))
        trials = list(edwards.derived(pool, algorithm, np.concatenate((positions, texts))))
        if algorithm == "x25519":
            trials += _divided(pool, positions)
        for trial in edwards.witnessed(pool, trials, read):
            yield Related(
                key=Okp(algorithm=algorithm, seed=trial.private, public=trial.public),
                proof=PROOF if algorithm == "x25519" else "k*5 = u",
                encoding=pool.form(trial.position, DIVIDED if trial.form == DIVIDED else PLAIN),
                places=(pool.place(trial.position, size),),
            )


def _divided(pool: Pool, positions: Offsets) -> list[Trial]:
    """Derive u for pieces that are a clamped scalar's eighth: bit 251 is their highest."""
    found = []
    for position in positions[pool.data[positions + 31] >> 3 == 1].tolist():
        k = multiplied(pool.data[position : position + 32].tobytes())
        found.append(Trial("x25519", position, k, okp_public("x25519", k), DIVIDED))
    return found


def multiplied(raw: bytes) -> bytes:
    """Return eight times a number of 252 bits."""
    return (int.from_bytes(raw, "little") << 3).to_bytes(33, "little")[:32]


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read a scalar again."""
    place = candidate.places[0]
    raw = written.number(memory, place)
    k = multiplied(raw) if candidate.encoding == DIVIDED else raw[: OKP_BYTES[candidate.algorithm]]
    public = okp_public(candidate.algorithm, k)
    return [Okp(algorithm=candidate.algorithm, seed=k, public=public)]
