"""What is tried as a private key of RFC 8032 or RFC 7748, and where its public half stands.

Any bytes derive a public key, so what counts is that it was read elsewhere: among the public keys
that were met, or in the dump's own words. A library computes on y alone, or on x and y, and keeps
no encoded point then: y without the sign of x bears witness as well, and the key's own sign is
derived. Whoever verifies a signature has -A beside A (libsodium does), which is no other key.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scanner.arrays import Bytes, Offsets
from scanner.detect.algebra import curve25519, edwards448, edwards25519
from scanner.detect.algebra.edwards25519 import SIGN
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1.keys import OKP_BYTES, okp_public
from scanner.detect.integers import bare_numbers, readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards import integers, packed
from scanner.detect.relations.places import variety, words
from scanner.dump.space import Memory
from scanner.model import Candidate

SEED, SCALAR, DIGEST = "seed", "a limbs-le", "SHA-512 of the seed"
"""Encodings, as reports spell them."""

MANY: dict[str, Callable[[Bytes], Bytes]] = {
    "ed25519": curve25519.seeded,
    "x25519": curve25519.agreed,
}
"""What derives the public halves of rows of private ones, by algorithm."""

MOST_SIGNS = 250
"""Scalars whose point stands there and whose sign is computed (0.4 ms; 1 ms of Ed448)."""

MOST_WITNESSES = 32
"""Places of one point that are looked at."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Trial:
    """What was read at a position, and the public key that it gives."""

    algorithm: str
    position: int
    private: bytes
    public: bytes
    form: str = SEED
    once: bool = False
    """It seems to be the nonce of a signature."""
    witnesses: tuple[int, ...] = ()
    """Where its point stands, if that is what proves it."""

    @property
    def scalar(self) -> bool:
        """Whether the scalar was read and not the seed, so that a*B is known without a sign."""
        return self.form in (SCALAR, DIGEST)

    @property
    def reduced(self) -> bool:
        """Whether it is a scalar of Ed25519 below the order, as a nonce is and few keys are."""
        ours = self.form == SCALAR and self.algorithm == "ed25519"
        return ours and below_order(self.private)


def below_order(raw: bytes) -> bool:
    """Tell whether a little-endian number of 32 bytes may be below the order, by its last byte."""
    return raw[31:] <= bytes((edwards25519.ORDER >> 248,))


def width(trial: Trial) -> int:
    """Return how many bytes of the pool a trial was read from."""
    return integers.SIZE if integers.is_form(trial.form) else OKP_BYTES[trial.algorithm]


def derived(pool: Pool, algorithm: str, positions: Offsets) -> Iterator[Trial]:
    """Derive the public key of each piece as it is: on Curve25519 of all at once."""
    size = OKP_BYTES[algorithm]
    rows = pool.data[positions[:, None] + np.arange(size)]
    if algorithm in MANY:
        publics = (row.tobytes() for row in MANY[algorithm](rows))
    else:
        publics = (okp_public(algorithm, row.tobytes()) for row in rows)
    for position, row, public in zip(positions.tolist(), rows, publics, strict=True):
        yield Trial(algorithm, position, row.tobytes(), public)


def filled(pool: Pool, size: int, most: int) -> Offsets:
    """Return at most ``most`` beginnings of runs that twice ``size`` bytes fill, but for a word.

    Seen in rspamd: libsodium's 64 bytes of a secret key, in a process of very many numbers.
    """
    part = 2 * size & ~7
    whole = (pool.head >= 0) & (pool.tail >= 0)
    found: Offsets = pool.head[whole & (np.abs(pool.tail - pool.head - part - 4) <= 4)]
    found = found[variety.fits(pool, found, 2 * size)]
    found = found[variety.varied(pool.data, found, size)]
    return found[variety.once(pool.data, found, size)[:most]]


def paired(pool: Pool, algorithm: str, positions: Offsets) -> list[Trial]:
    """Derive the public key of pieces that stand behind each other with it, and of no others."""
    size = OKP_BYTES[algorithm]
    return [
        trial
        for trial in derived(pool, algorithm, positions)
        if words.stands(pool.data, trial.position + size, trial.public)
    ]


def of_integers(pool: Pool, algorithm: str) -> list[Trial]:
    """Derive the public key of what CPython holds as integers."""
    return [
        Trial(algorithm, position, raw, okp_public(algorithm, raw), form)
        for position, raw, form in integers.search(pool, algorithm)
    ]


def again(memory: Memory, candidate: Candidate) -> bytes:
    """Read the private bytes of a candidate again."""
    place = candidate.places[0]
    if integers.is_form(candidate.encoding):
        raw = memory.read(place.space, place.offset, place.size)
        how = readings.python(readings.table(memory.map.byte_order))
        return integers.read(how, raw, candidate.encoding)
    return bare_numbers.number(memory, place)


def witnessed(pool: Pool, trials: Iterable[Trial], read: Sequence[PublicKey]) -> Iterator[Trial]:
    """Yield the trials whose public key was read elsewhere, each key once: of its seed rather.

    A scalar that a met public key bears out has that one's name; of the others a*B says the sign,
    and for the last of very many the place where it stands.
    """
    found: dict[bytes, Trial] = {}
    known = {_unsigned(key.algorithm, key.raw): key.raw for key in read if key.raw}
    rest = []
    for trial in trials:
        if edwards25519.small_order(trial.algorithm, trial.public):
            continue
        public = known.get(_unsigned(trial.algorithm, trial.public), b"")
        if public and _is_of(trial, public):
            found.setdefault(public, replace(trial, public=public))
        else:
            rest.append(trial)
    signs = MOST_SIGNS
    for trial in _standing(pool.data, rest):
        public = trial.public
        if trial.scalar:
            first = trial.witnesses[0]
            public = pool.data[first : first + len(public)].tobytes()
            if signs:
                signs -= 1
                public = _multiple(trial)
            if _unsigned(trial.algorithm, public) != _unsigned(trial.algorithm, trial.public):
                continue
        other = found.get(public)
        if other is None or (other.witnesses and _rank(trial) < _rank(other)):
            found[public] = replace(trial, public=public)
    yield from found.values()


def _is_of(trial: Trial, public: bytes) -> bool:
    """Tell whether a met public key is that of a trial; of a scalar it may be the negated one."""
    if not trial.scalar or trial.algorithm == "ed25519":
        return trial.scalar or public == trial.public
    return _multiple(trial) == public


def _multiple(trial: Trial) -> bytes:
    if trial.algorithm == "ed448":
        return edwards448.multiple(trial.private)
    return edwards25519.multiple(trial.private)


def _rank(trial: Trial) -> tuple[bool, bool]:
    return trial.scalar, trial.reduced


def _standing(data: Bytes, trials: Sequence[Trial]) -> Iterator[Trial]:
    """Yield the trials whose public key stands apart from them, with its first places.

    Of a scalar it stands as bytes: what is behind them tells a signature.
    """
    places: dict[int, list[int]] = {}
    for index, position, size, public in packed.find(data, [trial.public for trial in trials]):
        trial, spots = trials[index], places.setdefault(index, [])
        good = size == len(public) or not trial.scalar
        apart = good and abs(position - trial.position) >= size
        if apart and len(spots) < MOST_WITNESSES and _is_same(trial, public):
            spots.append(position)
    for index, spots in places.items():
        if spots:
            yield replace(trials[index], witnesses=tuple(spots))


def _is_same(trial: Trial, public: bytes) -> bool:
    """Tell whether a public key is that of a trial, its sign of x left out."""
    own, there = (_unsigned(trial.algorithm, raw) for raw in (trial.public, public))
    return own == there


def _unsigned(algorithm: str, public: bytes) -> bytes:
    """Return what an encoded point has without the sign of x (RFC 8032 5.1.2).

    Of Ed448 that is all but the last byte, which holds nothing else (5.2.2).
    """
    if algorithm == "ed448":
        return public[: OKP_BYTES["x448"]]
    if algorithm == "ed25519":
        return public[:-1] + bytes((public[-1] & ~SIGN,))
    return public
