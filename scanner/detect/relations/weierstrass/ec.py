"""EC private keys held as bare numbers: d*G = Q, whoever laid d and Q down.

Any number below the order gives some point, so a scalar is a key only when its point stands
elsewhere: in a certificate or another public key, in the operator's list, or in the dump's own
words, where libraries keep points in Montgomery form and protocols in bytes. For scalars in
Montgomery form modulo the order (ring) no other derivation is needed: v = d*R gives R*Q. Points
that stand bare, one coordinate in a run of its own, are told by the curve's equation. Powers of R
are no keys: tables of multiples of G hold R*G. How much is tried is decided here, ``trials`` does
it, and ``matches`` tells what of it is a key.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scanner.arrays import Offsets
from scanner.detect.algebra.curve_points import GROUPS
from scanner.detect.algebra.material import Ec, Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_derived
from scanner.detect.integers import bare_numbers
from scanner.detect.integers.pool import DEEP, Pool
from scanner.detect.relations.places import headed, nearby, repeated, turned
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import (
    beheaded,
    challenges,
    hashed_texts,
    matches,
    nonces,
    points,
    shifted,
    sm2_signatures,
    trials,
    tweaks,
    verifying,
    witnesses,
)
from scanner.detect.relations.weierstrass.curves import (
    BIG,
    CURVES,
    JAVA,
    LITTLE,
    WORDS,
    Curve,
    generator,
)
from scanner.detect.relations.weierstrass.trials import LEAST_HEADED, Listed, Trial
from scanner.detect.relations.weierstrass.witnesses import Points
from scanner.dump.space import Memory
from scanner.model import Candidate, Place

MOST: dict[str, tuple[int, int, int]] = {
    "P-224": (200, 800, 200),
    "P-256": (4_000, 5_000, 4_000),
    "P-384": (400, 1_200, 800),
    "P-521": (150, 800, 400),
    "secp256k1": (1_200, 2_500, 1_500),
    "brainpoolP256r1": (200, 400, 150),
    "brainpoolP384r1": (100, 200, 60),
    "brainpoolP512r1": (50, 100, 30),
    "SM2": (200, 1_000, 500),
    "P-192": (200, 600, 150),
    "brainpoolP224r1": (100, 400, 100),
    "brainpoolP320r1": (100, 200, 60),
}
"""Derivations in a section: without and with a public key of the curve to look for; and among many
runs. One takes 30 us (P-256, and secp256k1 where they are many), or 60 to 120 us."""

MOST_OF_KEYS = {
    "P-224": (1_000, 600),
    "brainpoolP256r1": (2_500, 1_500),
    "brainpoolP384r1": (1_200, 800),
    "brainpoolP512r1": (1_000, 500),
}
"""Of curves that few programs use, the same with a public key, and among many runs: as many as on
other curves of their size. What is known of them as a rule is the generator, in OpenSSL's table.
Seen in Perl, with keys on every curve in one server. Among few runs as many where a library spells
the generator, as it does of curves in use: seen in Lua (luaossl) on jemalloc and mimalloc, whose
slots make one run, so that no edge tells where a number ends."""

UNLIKELY = 4
"""Of what is tried on a curve, where nobody names it: a public key of it, or its generator in the
pool, where libraries keep it beside their keys. Not so on P-256, which everybody uses."""

LIKELIER = {"secp256k1": 2}
"""The same of a curve of which libraries need not keep the generator where it is seen."""

SELDOM = tuple(GROUPS)
"""Curves on which nothing is tried where nobody names them: a derivation takes 0.7 to 1.8 ms."""

LEAST_TEXTS = {"P-256": bare_numbers.MOST, "secp256k1": 1 << 10}
FEWEST_TEXTS = 32
"""Texts that are tried on a curve, whoever names it: a quarter of its other scalars, or so many."""

MOST_UNSHIFTED = 64
"""Scalars of a curve that are taken out of Montgomery form, for a point that nobody named."""

MOST_TURNED = 100
"""Numbers that stand in both byte orders, and are tried on each curve of their size."""

MOST_NEXT = 32
"""Numbers next to a scalar that was found which are tried on its curve: a key beside a nonce."""

MOST_IN_SLOTS, _SLOT = 1_000, 32
"""Pieces in slots of slabs that are tried, of several and of those at a run's end: of another size
as bytes alone."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key of a named curve whose scalar stands in the pool, and its point elsewhere."""
    publics = list(publics)
    known = {(key.curve, key.x) for key in publics if key.independent}
    found = verifying.of_curves(pool, list(_found(pool, publics)), publics)
    found = challenges.without(pool, tweaks.without(pool, found, publics), publics)
    found = sm2_signatures.without(pool, hashed_texts.without(pool, found, publics), publics)
    yield from nonces.named(pool, found, known)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class _Listed:
    """Scalars of one size that may stand in a pool, for all curves of the size."""

    likely: list[Listed]
    """Where a sum, a structure or a look tells, the likeliest first."""
    short: list[Listed]
    """Those whose first bytes are zeros."""
    copied: Listed
    slots: Listed
    """Of what stands more than once."""
    ending: Listed
    turned: Listed
    """What stands in both byte orders."""
    headed: Offsets
    """Behind what counts their words."""


def _found(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    seen: set[tuple[str, int]] = set()
    rest: dict[tuple[str, int, int], Trial] = {}
    met = witnesses.meet(pool, publics, MOST)
    fixed = witnesses.fixed(pool, met)
    used = {"P-256", *met.spelled, *points.written(pool, SELDOM)}
    asked = {n: found for n, found in met.known.items() if found or n in used or n not in SELDOM}
    for size in sorted({CURVES[name].size for name in asked}):
        known = {name: found for name, found in asked.items() if CURVES[name].size == size}
        named = {name for name, found in known.items() if found or name in used}
        counts = {
            name: _most(pool, name, met.beside[name], found, used=name in met.used)
            // (1 if name in named else LIKELIER.get(name, UNLIKELY))
            for name, found in known.items()
        }
        around = [place for name in known for place in met.beside[name]]
        taken = nearby.spans(place for name in known for place in met.taken[name])
        ground = nearby.Ground(taken, poor=nearby.spans(p for p in around if p.size > 2 * size))
        listed = _listed(pool, size, max(counts.values()), around, ground, named=bool(named))
        for name, found in known.items():
            curve, count = CURVES[name], counts[name]
            near = met.beside[name]
            held = [*fixed[name], *near, *met.taken[name]]
            own = trials.beside(pool, curve, count // 4, near, held, ground)
            tried = list(_tried(pool, curve, count, own, listed, named=name in named))
            yield from matches.known(pool, curve, tried, found, seen)
            for trial in tried:
                rest.setdefault((name, trial.key.x, trial.key.y), trial)
    left = [trial for key, trial in rest.items() if key[:2] not in seen]
    standing = [*matches.standing(pool, left, seen), *matches.by_y(pool, left, met.ys, seen)]
    yield from standing
    yield from _next_to(pool, standing, met.known, seen)
    yield from beheaded.search(pool, seen | met.parsed)


def _next_to(
    pool: Pool,
    found: Sequence[Related],
    known: Mapping[str, Points],
    seen: set[tuple[str, int]],
) -> Iterator[Related]:
    """Yield the keys whose scalar stands next to one that was found, of whose point x alone stands.

    That may be a nonce. Seen in NSS on 32-bit x86, whose stack has both end to end.
    """
    for name in sorted({one.key.curve for one in found if isinstance(one.key, Ec)}):
        curve = CURVES[name]
        near = [r.places[0] for r in found if isinstance(r.key, Ec) and r.key.curve == name]
        listed = trials.beside(pool, curve, MOST_NEXT, near, (), nearby.UNKNOWN)
        tried = list(trials.derived(pool, curve, MOST_NEXT * len(listed[2]), [listed]))
        yield from matches.known(pool, curve, tried, known[name], seen)
        left = [trial for trial in tried if (name, trial.key.x) not in seen]
        yield from matches.standing(pool, left, seen)


def _listed(
    pool: Pool, size: int, most: int, near: Sequence[Place], ground: nearby.Ground, *, named: bool
) -> _Listed:
    """List the scalars of a size, of which at most ``most`` are tried on a curve.

    Those that few programs leave only if somebody ``named`` a curve of the size.
    """
    ways = trials.ways(pool, size)
    slots = repeated.in_slots(pool, size, MOST_IN_SLOTS)
    return _Listed(
        likely=list(trials.candidates(pool, size, most, near, ground)),
        short=trials.shorter(pool, size, most // 4, near, ground) if named else [],
        copied=(repeated.copied(pool, size, most // 4), size, ways),
        slots=(slots, size, ways if size == _SLOT else (BIG,)),
        ending=(repeated.ending(pool, size, MOST_IN_SLOTS), size, ways),
        turned=(turned.numbers(pool, size, MOST_TURNED), size, (LITTLE,)),
        headed=headed.likeliest(pool, size, max(most // 2, LEAST_HEADED), near, ground=ground),
    )


def _tried(
    pool: Pool, curve: Curve, count: int, own: Listed, listed: _Listed, *, named: bool
) -> Iterator[Trial]:
    """Derive the points of scalars on a curve: ``count`` of the likely ones, and some of others."""
    room = count + len(own[0]) * len(own[2])
    yield from trials.derived(pool, curve, room, [own, *listed.likely])
    yield from trials.derived(pool, curve, max(count // 4, LEAST_HEADED), [listed.copied])
    yield from trials.derived(pool, curve, count // 2, [listed.slots])
    if named:
        yield from trials.derived(pool, curve, count // 2, [listed.ending])
    yield from trials.derived(pool, curve, MOST_TURNED, [listed.turned])
    yield from trials.derived(pool, curve, count, listed.short)
    yield from trials.behind_headers(pool, curve, max(count // 2, LEAST_HEADED), listed.headed)
    most = max(count // 4, LEAST_TEXTS.get(curve.name, FEWEST_TEXTS))
    yield from trials.texts(pool, curve, most)
    yield from trials.unshifted(pool, curve, min(count, MOST_UNSHIFTED))


def _most(pool: Pool, name: str, near: Sequence[Place], found: Points, *, used: bool) -> int:
    """Return how many derivations a pool is worth on a curve: more where its points are a crowd."""
    without, known, of_many = MOST[name]
    if found.keys() - {generator(CURVES[name])[0]}:
        known, of_many = MOST_OF_KEYS.get(name, (known, of_many))
    elif used and name in MOST_OF_KEYS:
        without = known = MOST_OF_KEYS[name][0]
    most = pool.budget(known if found else without, of_many)
    return max(most, min(nearby.worth(pool, near, nearby.TABLE), of_many * DEEP))


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
