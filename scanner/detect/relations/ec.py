"""EC private keys held as bare numbers: d*G = Q, whoever laid d and Q down.

Any number below the order gives some point, so a scalar is a key only when its point stands
elsewhere: in a certificate or another public key, in the operator's list, or in the dump's own
words, where libraries keep points in Montgomery form and protocols in bytes. Scalars are read as
limbs, bytes and Java's ints (on a big-endian machine as limbs of either width, and bytes), and in
Montgomery form modulo the order (ring), for which no other derivation is needed: v = d*R gives R*Q.
Points that stand bare, one coordinate in a run of its own, are told by the curve's equation. A
nonce whose signature is still there closes the same equation, and gives the key away: of its point
nobody needs y, and the proof says so. Powers of R are no keys: tables of multiples of G hold R*G.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.detect.algebra.material import Ec, Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_closes, ec_derived
from scanner.detect.integers import bare_numbers, readings
from scanner.detect.integers.limbs import Offsets
from scanner.detect.integers.pool import DEEP, Pool
from scanner.detect.relations import (
    beheaded,
    blocks,
    checked,
    comb,
    counts,
    headed,
    nearby,
    nonces,
    pieces,
    points,
    repeated,
    shifted,
    verifying,
    witnesses,
)
from scanner.detect.relations.curves import (
    BIG,
    CURVES,
    JAVA,
    LITTLE,
    WORDS,
    Curve,
    Reading,
    sightings,
)
from scanner.detect.relations.nearby import Ground
from scanner.detect.relations.related import Related
from scanner.detect.relations.witnesses import Points
from scanner.dump.space import Memory
from scanner.model import NONCE, Candidate, Place

MOST: dict[str, tuple[int, int, int]] = {
    "P-224": (200, 600, 100),
    "P-256": (4_000, 5_000, 4_000),
    "P-384": (400, 600, 400),
    "P-521": (150, 500, 256),
    "secp256k1": (1_200, 1_500, 1_000),
    "brainpoolP256r1": (200, 400, 150),
    "brainpoolP384r1": (100, 200, 60),
    "brainpoolP512r1": (50, 100, 30),
    "SM2": (200, 1_000, 500),
}
"""Derivations in a section: without and with a public key of the curve to look for; and among many
runs. One takes 30 us (P-256), 60 us (P-224), 0.1 ms (secp256k1, brainpoolP256r1), 0.3 to 0.5 ms."""

UNLIKELY = 4
"""Of what is tried on a curve, where nobody names it: a public key of it, or its generator in the
pool, where libraries keep it beside their keys. Not so on P-256, which everybody uses."""

LIKELIER = {"secp256k1": 2}
"""The same of a curve of which libraries need not keep the generator where it is seen."""

SELDOM = ("SM2",)
"""Curves on which nothing is tried where nobody names them: a derivation takes 1.3 ms."""

LEAST_TEXTS = {"P-256": bare_numbers.MOST, "secp256k1": 1 << 10}
FEWEST_TEXTS = 32
"""Texts that are tried on a curve, whoever names it: a quarter of its other scalars, or so many."""

LEAST_HEADED = 64
"""Of numbers behind a header half of a curve's other scalars, or so many; of copies a quarter."""

MOST_UNSHIFTED = 64
"""Scalars of a curve that are taken out of Montgomery form, for a point that nobody named."""

PROOF = "d*G = Q"

_MONTGOMERY = " montgomery"
"""What the encoding of a scalar in Montgomery form ends with."""

_PADDED = 64
"""Positions that are listed for each scalar that is tried, where its last word's zeros tell."""

MOST_IN_SLOTS, _SLOT = 1_000, 32
"""Pieces that stand in several slots of slabs, and are tried; of another size as bytes alone."""

_P521, _P521_TOP = 66, 0x01
"""Bytes of a number on P-521, and the first of them, at most: of half of them it is zero, and left
out where numbers have no leading zeros."""

_Listed = tuple[Offsets, int, tuple[Reading, ...]]
"""Positions in the pool, and the bytes and readings of a scalar there."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Trial:
    """A scalar that was read, and the point that it gives."""

    key: Ec
    position: int
    size: int
    reading: Reading
    form: str = ""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key of a named curve whose scalar stands in the pool, and its point elsewhere."""
    publics = list(publics)
    known = {(key.curve, key.x) for key in publics if key.independent}
    found = verifying.of_curves(pool, list(_found(pool, publics)), publics)
    yield from nonces.named(pool, found, known)


def _found(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    seen: set[tuple[str, int]] = set()
    rest: dict[tuple[str, int, int], _Trial] = {}
    met = witnesses.meet(pool, publics, MOST)
    used = {"P-256", *met.spelled, *points.written(pool, SELDOM)}
    tried = {n: found for n, found in met.known.items() if found or n in used or n not in SELDOM}
    for size in sorted({curve.size for curve in CURVES.values()}):
        known = {name: found for name, found in tried.items() if CURVES[name].size == size}
        counts = {
            name: _most(pool, name, met.beside[name], known=bool(found))
            // (1 if found or name in used else LIKELIER.get(name, UNLIKELY))
            for name, found in known.items()
        }
        near = [place for name in known for place in met.beside[name]]
        taken = nearby.spans(place for name in known for place in met.taken[name])
        ground = nearby.Ground(taken, poor=nearby.spans(p for p in near if p.size > 2 * size))
        most = max(counts.values())
        listed = list(_candidates(pool, size, most, near, ground))
        said = headed.likeliest(pool, size, max(most // 2, LEAST_HEADED), near, ground=ground)
        ways = _ways(pool, size)
        moved = repeated.copied(pool, size, most // 4), size, ways
        slots = repeated.in_slots(pool, size, MOST_IN_SLOTS)
        often = slots, size, ways if size == _SLOT else (BIG,)
        for name, found in known.items():
            curve, count = CURVES[name], counts[name]
            own = _beside(pool, curve, count // 4, met.beside[name], ground)
            trials = list(_trials(pool, curve, count + len(own[0]) * len(own[2]), [own, *listed]))
            trials += _trials(pool, curve, max(count // 4, LEAST_HEADED), [moved])
            trials += _trials(pool, curve, count // 2, [often])
            trials += _headed(pool, curve, max(count // 2, LEAST_HEADED), said)
            trials += _texts(pool, curve, max(count // 4, LEAST_TEXTS.get(name, FEWEST_TEXTS)))
            trials += _plain(pool, curve, min(count, MOST_UNSHIFTED))
            yield from _named(pool, curve, trials, found, seen)
            for trial in trials:
                rest.setdefault((name, trial.key.x, trial.key.y), trial)
    left = [trial for key, trial in rest.items() if key[:2] not in seen]
    yield from _standing(pool, left, seen)
    yield from _by_y(pool, left, met.ys, seen)
    yield from beheaded.search(pool, seen | met.parsed)


def _most(pool: Pool, name: str, near: Sequence[Place], *, known: bool) -> int:
    """Return how many derivations a pool is worth on a curve: more where its points are a crowd."""
    without, with_known, of_many = MOST[name]
    most = pool.budget(with_known if known else without, of_many)
    return max(most, min(nearby.worth(pool, near, nearby.TABLE), of_many * DEEP))


# --- what is tried ------------------------------------------------------------------------------


def _beside(pool: Pool, curve: Curve, most: int, near: Sequence[Place], ground: Ground) -> _Listed:
    """Return at most ``most`` scalars next to points of one curve, in a longer run too.

    Other candidates of the size may be more than are tried on this curve, and lose no room to them.
    """
    top = curve.n >> 8 * (curve.size - 1)
    found = pieces.beside(pool, curve.size, most, near, top=top, ground=ground)
    found = np.append(found, blocks.nearest(pool, curve, most // 2, near))
    return found, curve.size, _ways(pool, curve.size)


def _ways(pool: Pool, size: int) -> tuple[Reading, ...]:
    """Return how a scalar of whole words is read on the dump's machine."""
    whole = (how for how in WORDS if size % how.word == 0)
    return (*(whole if pool.big_endian else (LITTLE,)), BIG)


def _trials(pool: Pool, curve: Curve, most: int, listed: Sequence[_Listed]) -> Iterator[_Trial]:
    """Derive the points of at most ``most`` scalars, the likeliest first."""
    read = (
        (d, position, size, reading)
        for positions, size, ways in listed
        for position in positions.tolist()
        for reading in ways
        if 0 < (d := reading.decode(pool.data[position : position + size].tobytes())) < curve.n
    )
    tried: dict[int, tuple[int, int, Reading]] = {}
    for d, *where in read:
        tried.setdefault(d, tuple(where))
        if len(tried) >= most:
            break
    derived = comb.derive(curve, list(tried))
    for key, (position, size, reading) in zip(derived, tried.values(), strict=True):
        if key is not None:
            yield _Trial(key, position, size, reading)


def _headed(pool: Pool, curve: Curve, most: int, found: Offsets) -> Iterator[_Trial]:
    """Derive the points of at most ``most`` numbers behind a header that counts their words."""
    size = -(-curve.size // headed.WORD) * headed.WORD
    return _trials(pool, curve, most, [(found, size, (JAVA,))])


def _texts(pool: Pool, curve: Curve, most: int) -> Iterator[_Trial]:
    """Derive the points of at most ``most`` scalars that are written as texts."""
    found = pieces.texts(pool, curve.size, most, top=curve.n >> 8 * (curve.size - 1))
    return _trials(pool, curve, most, [(found, curve.size, (BIG,))])


def _plain(pool: Pool, curve: Curve, most: int) -> Iterator[_Trial]:
    """Take at most ``most`` scalars out of Montgomery form."""
    positions = shifted.likely(pool, curve.size, most).tolist()
    read = [LITTLE.decode(pool.data[at : at + curve.size].tobytes()) for at in positions]
    for radix in shifted.radices(curve):
        inverse = pow(radix, -1, curve.n)
        plain = [v * inverse % curve.n if v < curve.n else 0 for v in read]
        for key, position in zip(comb.derive(curve, plain), positions, strict=True):
            if key is not None:
                yield _Trial(key, position, curve.size, LITTLE, _MONTGOMERY)


def _candidates(
    pool: Pool, size: int, most: int, near: Sequence[Place], ground: Ground
) -> Iterator[_Listed]:
    """Yield positions of scalars of a size, and their possible readings there.

    What a sum bears out or a structure counts comes first, at any byte. The likeliest whole words
    come before Java's arrays: V8's integers may be as long, and many.
    """
    yield from ((checked.numbers(pool, each), each, (BIG,)) for each in (size, size - 1))
    yield pieces.framed(pool, size, most // 16), size, (BIG,)
    top = _P521_TOP if size == _P521 else 0xFF
    both = _ways(pool, size)
    yield counts.likeliest(pool, size, near, ground=ground), size, (LITTLE,)
    aligned = pieces.aligned(pool, size, -(-most // 2), near, top=top, ground=ground)
    first, rest = aligned[: most // 4], aligned[most // 4 :]
    yield first, size, both
    if pool.big_endian:
        yield from _padded(pool, size, most, near)
    if size % 4 == 0 and not pool.big_endian:
        found = pieces.counted(pool, size, size // 4, most // 4, near)
        most -= len(found)
        yield found, size, (JAVA,)
    yield rest, size, both
    most -= 2 * len(aligned)
    if size == _P521:
        found = pieces.announced(pool, size - 1, max(most, LEAST_HEADED))
        most -= len(found)
        yield found, size - 1, (BIG,)
    if most > 0:
        yield pieces.loose(pool, size, most, near, top=top, ground=ground), size, (BIG,)


def _padded(pool: Pool, size: int, most: int, near: Sequence[Place]) -> Iterator[_Listed]:
    """Yield positions of scalars whose last big-endian word is not full: on P-521, and P-224."""
    greatest = max(curve.n for curve in CURVES.values() if curve.size == size)
    whole = size & ~7
    for how in WORDS:
        full = -(-size // how.word) * how.word
        if full > size:
            found = pieces.aligned(pool, whole, most * _PADDED, near)
            found = found[found + full <= len(pool.data)]
            last = readings.gather(pool.data, found + full - how.word, f">u{how.word}")
            yield found[last <= np.uint64(greatest >> 8 * (full - how.word))], full, (how,)


# --- what bears witness -------------------------------------------------------------------------


def _named(
    pool: Pool,
    curve: Curve,
    trials: Sequence[_Trial],
    known: Points,
    seen: set[tuple[str, int]],
) -> Iterator[Related]:
    """Yield the trials whose point is one of the known ones, each key once.

    Of d and n - d, whose points have the same x, the one that is known comes first.
    """
    multiples = shifted.table(curve, known) if trials else {}
    found: list[tuple[_Trial, Ec, str]] = []
    for trial in trials:
        key, form = trial.key, trial.form
        if key.x in multiples and not form:
            plain = shifted.plain(curve, key.d, curve.radix)
            if plain.x == multiples[key.x]:
                key, form = plain, _MONTGOMERY
        if key.x in known:
            found.append((trial, key, form))
    found.sort(key=lambda row: row[1].y != known[row[1].x])
    for trial, key, form in found:
        if (curve.name, key.x) not in seen and _closes(key):
            seen.add((curve.name, key.x))
            yield _related(pool, trial, key, form)


def _standing(
    pool: Pool, trials: Sequence[_Trial], seen: set[tuple[str, int]]
) -> Iterator[Related]:
    """Yield the trials whose point's x stands in the pool in some spelling, not inside of d.

    Of d and n - d, whose points have the same x, that whose y stands too. They are ``seen`` then.
    """
    proved: dict[tuple[str, int], list[_Trial]] = {}
    whole: dict[tuple[str, int], _Trial] = {}
    compressed: set[tuple[str, int]] = set()
    coordinates = [(trial.key.curve, trial.key.x) for trial in trials]
    for index, position, size in sightings(pool.data, coordinates, big_endian=pool.big_endian):
        trial = trials[index]
        name = (trial.key.curve, trial.key.x)
        if position + size > trial.position and position < trial.position + trial.size:
            continue
        same = proved.get(name, [])
        if trial not in same and _closes(trial.key):
            proved[name] = [*same, trial]
        before = pool.data[position - 1] if position else 0
        if before in points.COMPRESSED:
            compressed.add(name)
            if before == points.COMPRESSED[trial.key.y % 2]:
                whole.setdefault(name, trial)
    found = [trial for same in proved.values() for trial in same]
    coordinates = [(trial.key.curve, trial.key.y) for trial in found]
    for index, *_ in sightings(pool.data, coordinates, big_endian=pool.big_endian):
        trial = found[index]
        whole.setdefault((trial.key.curve, trial.key.x), trial)
    for name, (first, *_) in proved.items():
        seen.add(name)
        trial = whole.get(name, first)
        written = pool.form(trial.position, "")  # nobody writes a nonce down
        kept = name in whole or name in compressed or written
        yield _related(pool, trial, trial.key, trial.form, PROOF if kept else NONCE)


def _by_y(
    pool: Pool, trials: Sequence[_Trial], ys: dict[str, set[int]], seen: set[tuple[str, int]]
) -> Iterator[Related]:
    """Yield the other trials of whose point y alone is there, each key once.

    As bytes, not inside of d: of a freed point the allocator wrote over x, its first bytes. Seen in
    Erlang. Or as limbs that were freed; or what two numbers give: Y and Z, or X and Z.
    """
    trials = [one for one in trials if (one.key.curve, one.key.x) not in seen]
    found = [one for one in trials if not {one.key.x, one.key.y}.isdisjoint(ys[one.key.curve])]
    own = [(trial.key.curve, trial.key.y) for trial in trials]
    for index, position, size in sightings(pool.data, own, big_endian=pool.big_endian, plain=True):
        trial = trials[index]
        if position + size <= trial.position or position >= trial.position + trial.size:
            found.append(trial)
    for trial in found:
        name = trial.key.curve, trial.key.x
        if name not in seen and _closes(trial.key):
            seen.add(name)
            yield _related(pool, trial, trial.key, trial.form)


def _closes(key: Ec) -> bool:
    return ec_closes(key) and not CURVES[key.curve].is_constant(key.d)


def _related(pool: Pool, trial: _Trial, key: Ec, form: str = "", proof: str = PROOF) -> Related:
    return Related(
        key=key,
        proof=proof,
        encoding=f"d {pool.form(trial.position, trial.reading.name)}{form}",
        places=(pool.place(trial.position, trial.size),),
    )


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read the scalar of a candidate again, in each reading."""
    place, curve = candidate.places[0], CURVES[candidate.curve]
    raw = bare_numbers.number(memory, place)
    found: list[Ec | None] = []
    if candidate.encoding == beheaded.ENCODING:
        return [key] if (key := beheaded.again(curve.name, raw)) is not None else []
    for how in (LITTLE, BIG, *(WORDS if memory.map.byte_order == "big" else (JAVA,))):
        d = how.decode(raw)
        if 0 < d < curve.n:
            found.append(ec_derived(curve.name, d))
            found += [shifted.plain(curve, d, radix) for radix in shifted.radices(curve)]
    return [key for key in found if key is not None]
