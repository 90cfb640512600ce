"""Points of named curves that bear witness of a scalar: what a section holds, and public keys'.

Where they stand says two things: scalars are near, as a rule, and none is there itself. This module
refuses to derive anything.
"""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scanner.detect.algebra.publics import PublicKey, places
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.places import words
from scanner.detect.relations.places.words import Whole
from scanner.detect.relations.weierstrass import blocks, jacobian, points, projective
from scanner.detect.relations.weierstrass.curves import (
    CURVES,
    Curve,
    Spelling,
    constants,
    generator,
    spellings,
)
from scanner.model import Place

MOST_SPELLED = 4_000
"""Public points that are looked for in a library's spelling."""

_SHARED = 8
"""Bytes that two spellings of a number share: on a big-endian machine its lowest word, which stands
last in bytes and first in limbs. Seen in Mbed TLS on s390x: where y was in limbs, and its bytes
would have begun, a live key stood."""

MOST_SEEN = 1 << 18
"""Places where something of a point stands that are looked at: a hostile dump has any number."""

MOST_FIXED = 1_000
"""Places of curves' own numbers that are noted."""

Points = dict[int, int]  # x to y


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Met:
    """What is met of each curve: its points, where they stand, and where surely nothing else does.

    ``parsed`` are points that only keys' files name, by curve and x; ``spelled`` the curves of
    which a point or the generator stands as a library spells it, ``used`` those of which one stands
    as limbs; ``ys`` what two numbers give as y, or x, by curve.
    """

    known: dict[str, Points]
    beside: dict[str, list[Place]]
    taken: dict[str, list[Place]]
    parsed: set[tuple[str, int]]
    spelled: set[str]
    used: set[str]
    ys: dict[str, set[int]]


class _Spelled(NamedTuple):
    """A curve, the x of a point, and where it stands, or its y; as bytes or as limbs."""

    curve: str
    x: int
    is_y: bool
    is_bytes: bool
    place: Place


def meet(pool: Pool, publics: Iterable[PublicKey], curves: Iterable[str]) -> Met:
    """Gather the points that stand in the pool, or are of public keys.

    Those that only keys' files name bear no witness: whoever wrote them wrote the scalar too. Half
    of all numbers are the x of a compressed point, a scalar behind a byte that tells its kind too.
    """
    names, multiplied = list(curves), list(jacobian.points(pool))
    met = Met(
        known={name: {} for name in names},
        beside={name: [] for name in names},
        taken={name: [] for name in names},
        parsed=set(),
        spelled=set(),
        used=set(),
        ys=_ys(pool, names, multiplied),
    )
    sure: set[tuple[str, int]] = set()
    for key in publics:
        if not key.independent:
            met.parsed.add((key.curve, key.x))
        elif key.curve in met.known:
            met.known[key.curve][key.x] = key.y
            met.beside[key.curve] += places([key])
            sure.add((key.curve, key.x))
    for curve, x, y, where in _points(pool, multiplied):
        if curve in met.known:
            met.known[curve].setdefault(x, y)
            met.beside[curve] += where
            met.taken[curve] += where
            sure.add((curve, x))
    for curve, x, y, place in points.compressed(pool):
        if curve in met.known:
            met.known[curve].setdefault(x, y)
            met.beside[curve].append(place)
    found = list(_spelled(pool, met.known, sure))
    met.used.update(_in_limbs(found))
    for name in names:
        own = [spelled for spelled in found if spelled.curve == name]
        at_x = [spelled for spelled in own if not spelled.is_y]
        if at_x:
            met.spelled.add(name)
        met.beside[name][:0] = [spelled.place for spelled in at_x if spelled.x in met.known[name]]
        met.taken[name] += [spelled.place for spelled in own if (name, spelled.x) in sure]
    return met


def fixed(pool: Pool, met: Met) -> dict[str, list[Place]]:
    """Return where numbers of the curves in use stand, with which a library computes."""
    rows = [(name, raw) for name in sorted(met.used) for raw in constants(CURVES[name])]
    found: dict[str, list[Place]] = {name: [] for name in met.known}
    hits = words.find_whole(pool.data, [raw for _, raw in rows])
    for index, at in itertools.islice(hits, MOST_FIXED):
        name = rows[index][0]
        found[name].append(pool.place(at, CURVES[name].size))
    return found


def _ys(
    pool: Pool, names: Collection[str], multiplied: Iterable[jacobian.Point]
) -> dict[str, set[int]]:
    """Return what two numbers give as y, or x, by curve."""
    ys = jacobian.apart(pool, names)
    for curve, x, y, _ in multiplied:
        if not x and curve in ys:
            ys[curve].add(y)
    return ys


def _points(pool: Pool, multiplied: Iterable[jacobian.Point]) -> Iterator[jacobian.Point]:
    """Yield the points that the pool says to be some."""
    for curve, x, y, place in (
        *points.encoded(pool),
        *points.affine(pool),
        *blocks.points(pool),
        *projective.points(pool),
    ):
        yield curve, x, y, (place,)
    whole = [point for point in multiplied if point[1]]
    count = Counter(curve for curve, *_ in whole)
    for curve, x, y, where in whole:
        yield curve, x, y, where if count[curve] <= jacobian.FEW else ()


def _spelled(
    pool: Pool, known: dict[str, Points], sure: set[tuple[str, int]]
) -> Iterator[_Spelled]:
    """Yield where points stand, and generators in a library's spelling.

    Their scalars are beside them, often; and a library keeps the generators of curves in use. Of
    these bytes say less: OpenSSL has a table of all curves that it knows. Of what surely is a point
    the other coordinate is looked for too. Plain limbs come first, and bytes last: a signature's r
    stands as such.
    """
    rows: list[tuple[Curve, Spelling, int, bool]] = []
    numbered: list[list[int]] = []
    wanted = []
    for name, found in known.items():
        curve = CURVES[name]
        xs = list(itertools.islice(found, MOST_SPELLED))
        ys = [(x, found[x]) for x in xs if (name, x) in sure]
        for form in spellings(curve, big_endian=pool.big_endian):
            first = [generator(curve)[0]] if form.word > 1 or not form.most_first else []
            own = [*first, *xs]
            rows += [(curve, form, x, False) for x in own]
            rows += [(curve, form, x, True) for x, _ in ys]
            numbered.append([*own, *(y for _, y in ys)])
            wanted.append(form.lows(curve, numbered[-1]))
    numbers = [number for row in numbered for number in row]

    def spell(row: int) -> Whole:
        curve, form, *_ = rows[row]
        return Whole(form.encode(curve, numbers[row]), form.at)

    lows = np.concatenate(wanted)
    telling = np.flatnonzero(~words.common(lows))
    seen = words.find(pool.data, lows[telling], lambda index: spell(int(telling[index])))
    hits = [(int(telling[index]), at) for index, at in itertools.islice(seen, MOST_SEEN)]
    shared = Counter((at, numbers[index]) for index, at in hits)
    whole = {
        (index, at)
        for index, at in hits
        if shared[at, numbers[index]] > 1
        and words.stands(pool.data, at - spell(index).ahead, spell(index).raw)
    }
    standing = {(at, numbers[index]) for index, at in whole}
    for index, at in sorted(hits, key=lambda hit: _likelihood(rows[hit[0]][1])):
        curve, form, x, is_y = rows[index]
        as_bytes = form.most_first and form.word == 1
        if shared[at, numbers[index]] == 1 or (index, at) in whole:
            if at >= form.at:
                where = pool.place(at, curve.size, form.at)
                yield _Spelled(curve.name, x, is_y, as_bytes, where)
        elif (at, numbers[index]) not in standing:
            yield _Spelled(curve.name, x, is_y, as_bytes, pool.place(at, _SHARED))


def _in_limbs(found: Iterable[_Spelled]) -> Iterator[str]:
    return (spelled.curve for spelled in found if not (spelled.is_y or spelled.is_bytes))


def _likelihood(form: Spelling) -> tuple[bool, bool]:
    """Return how likely a scalar is beside what is spelled so: the likeliest least."""
    return form.most_first, form.radix != 1
