"""Ed25519 and X25519 keys among very many numbers: every edge of a run is a seed and a scalar.

Any bytes are a public key, so none can be told where it stands bare: the public halves of all edges
are derived, and looked up among the keys that were read and in the bytes of all runs. What a count
leaves untried is said where a public key was read.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from scanner.arrays import Bytes, Words
from scanner.detect.algebra import curve25519, edwards25519
from scanner.detect.algebra.material import Okp
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import okp_public
from scanner.detect.integers import every_edge, pool
from scanner.detect.integers.runs import Runs
from scanner.detect.relations.edwards import montgomery, trials
from scanner.detect.relations.edwards.edwards import PROOFS
from scanner.detect.relations.related import Related, Untried
from scanner.dump.space import Memory
from scanner.errors import LimitExceeded
from scanner.kernels import words
from scanner.model import Place

SIZE = 32
"""Bytes of a seed, a scalar and a public key (RFC 8032 5.1.5, RFC 7748 5)."""

MOST = 1 << 19
"""Places that are tried: 10 us each as a seed, and as much as a scalar."""

DEEP = 16
"""How many times as many a deep scan tries."""

MOST_SEEN = 1 << 16
"""Words of public keys that are looked at in a section of the runs."""

_FORMS = ("ed25519", "x25519")


def search(
    memory: Memory, runs: Runs, publics: Iterable[PublicKey], *, deep: bool
) -> Iterator[Related | Untried]:
    """Yield each key whose seed or scalar is at a run's edge, and its public half elsewhere."""
    read = [k for k in publics if k.algorithm in _FORMS and k.independent and k.raw]
    places = every_edge.find(memory, runs, SIZE, MOST * (DEEP if deep else 1))
    if places.left and read:
        names = ", ".join(sorted({key.algorithm for key in read}))
        yield Untried(count=places.left, of=len(places) + places.left, size=SIZE, witness=names)
    if not len(places):
        return
    lows = np.concatenate([_lows(raw) for _, raw in every_edge.read(memory, places)])
    told = {(key.algorithm, key.raw): None for key in read}
    seen = set[tuple[str, bytes]]()
    for way, at, public in _standing(memory, runs, lows, [key.raw for key in read]):
        row, form = divmod(way, len(_FORMS))
        space, offset = int(places.space[row]), int(places.offset[row])
        raw = memory.read(space, offset, SIZE)
        own = okp_public(_FORMS[form], raw)
        if own != public or (_FORMS[form], own) in seen:
            continue
        if at is None and (_FORMS[form], own) not in told:
            continue
        if at is not None and at[0] == space and abs(at[1] - offset) < SIZE:
            continue
        if not edwards25519.small_order(_FORMS[form], own):
            seen.add((_FORMS[form], own))
            place = Place(space=space, offset=offset, size=SIZE)
            yield _related(_FORMS[form], raw, own, place)


def _related(algorithm: str, raw: bytes, public: bytes, place: Place) -> Related:
    seed = algorithm == "ed25519"
    return Related(
        key=Okp(algorithm=algorithm, seed=raw, public=public),
        proof=PROOFS[trials.SEED] if seed else montgomery.PROOF,
        encoding=trials.SEED if seed else montgomery.PLAIN,
        places=(place,),
    )


def _standing(
    memory: Memory, runs: Runs, lows: Words, read: Sequence[bytes]
) -> Iterator[tuple[int, tuple[int, int] | None, bytes]]:
    """Yield (which word, space and offset, bytes) where the first word of a public key stands.

    Among keys that were read it is nowhere.
    """
    order = np.argsort(lows, kind="stable")
    fresh = np.flatnonzero(np.append(True, lows[order][1:] != lows[order][:-1]))
    some = order[fresh]
    index = words.index(np.ascontiguousarray(lows[some]))
    known = np.frombuffer(b"".join(read), np.uint8)
    at, which, _ = words.find(index, known, len(known))
    for spot, row in zip(at.tolist(), which.tolist(), strict=True):
        if spot % SIZE == 0:
            yield int(some[row]), None, read[spot // SIZE]
    for section in pool.whole(runs):
        loaded = pool.load(memory, section, span=1 << 40)
        at, which, count = words.find(index, loaded.data, MOST_SEEN)
        if count > MOST_SEEN:
            raise LimitExceeded(f"{count:,} words of public keys stand among the runs")
        block = np.searchsorted(loaded.at, at, side="right") - 1
        for spot, row, b in zip(at.tolist(), which.tolist(), block.tolist(), strict=True):
            if b >= 0:
                offset = int(loaded.offset[b]) + spot - int(loaded.at[b])
                public = loaded.data[spot : spot + SIZE].tobytes()
                yield int(some[row]), (int(loaded.space[b]), offset), public


def _lows(raw: Bytes) -> Words:
    """Return the first words of public halves of rows of bytes: of Ed25519, of X25519, in turn."""
    digests = curve25519.hashed(raw)
    points, _ = curve25519.edwards(curve25519.clamped(digests), signed=False)
    firsts = [np.ascontiguousarray(one[:, :8]) for one in (points, curve25519.agreed(raw))]
    words_ = [one.view("<u8").astype(np.uint64, copy=False) for one in firsts]
    return np.concatenate(words_, axis=1).ravel()
