"""Which scalars that were tried are keys: their points stand where somebody else wrote them.

Among the points that are known, or in the pool in any spelling, not inside of the scalar itself. A
nonce whose signature is still there closes the same equation: of its point nobody needs y, and the
proof says so.
"""

from collections.abc import Iterator, Sequence

from scanner.detect.algebra.material import Ec
from scanner.detect.evidence import ec_closes
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import points, shifted
from scanner.detect.relations.weierstrass.curves import CURVES, Curve, sightings
from scanner.detect.relations.weierstrass.trials import MONTGOMERY, Trial
from scanner.detect.relations.weierstrass.witnesses import Points
from scanner.model import NONCE

PROOF = "d*G = Q"


def known(
    pool: Pool,
    curve: Curve,
    trials: Sequence[Trial],
    there: Points,
    seen: set[tuple[str, int]],
) -> Iterator[Related]:
    """Yield the trials whose point is one of the known ones, each key once.

    Of d and n - d, whose points have the same x, the one that is known comes first.
    """
    multiples = shifted.table(curve, there) if trials else {}
    found: list[tuple[Trial, Ec, str]] = []
    for trial in trials:
        key, form = trial.key, trial.form
        if key.x in multiples and not form:
            plain = shifted.plain(curve, key.d, curve.radix)
            if plain.x == multiples[key.x]:
                key, form = plain, MONTGOMERY
        if key.x in there:
            found.append((trial, key, form))
    found.sort(key=lambda row: row[1].y != there[row[1].x])
    for trial, key, form in found:
        if (curve.name, key.x) not in seen and _closes(key):
            seen.add((curve.name, key.x))
            yield _related(pool, trial, key, form)


def standing(pool: Pool, trials: Sequence[Trial], seen: set[tuple[str, int]]) -> Iterator[Related]:
    """Yield the trials whose point's x stands in the pool in some spelling, not inside of d.

    Of d and n - d, whose points have the same x, that whose y stands too. They are ``seen`` then.
    """
    proved: dict[tuple[str, int], list[Trial]] = {}
    closed: dict[int, bool] = {}
    whole: dict[tuple[str, int], Trial] = {}
    compressed: set[tuple[str, int]] = set()
    coordinates = [(trial.key.curve, trial.key.x) for trial in trials]
    for index, position, size in sightings(pool.data, coordinates, big_endian=pool.big_endian):
        trial = trials[index]
        name = (trial.key.curve, trial.key.x)
        if position + size > trial.position and position < trial.position + trial.size:
            continue
        if index not in closed:
            closed[index] = _closes(trial.key)
            if closed[index]:
                proved.setdefault(name, []).append(trial)
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


def by_y(
    pool: Pool, trials: Sequence[Trial], ys: dict[str, set[int]], seen: set[tuple[str, int]]
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
    for trial in {id(trial): trial for trial in found}.values():
        name = trial.key.curve, trial.key.x
        if name not in seen and _closes(trial.key):
            seen.add(name)
            yield _related(pool, trial, trial.key, trial.form)


def _closes(key: Ec) -> bool:
    return ec_closes(key) and not CURVES[key.curve].is_constant(key.d)


def _related(pool: Pool, trial: Trial, key: Ec, form: str = "", proof: str = PROOF) -> Related:
    return Related(
        key=key,
        proof=proof,
        encoding=f"d {pool.form(trial.position, trial.reading.name)}{form}",
        places=(pool.place(trial.position, trial.size),),
    )
