"""Which scalars the check of a signature computed: no keys. u1 = z/s, and u1*G + (r/s)*Q has r.

Who checks a signature of ECDSA or DSA with numbers leaves u1 there, and u1*G or g**u1 (FIPS 186-4
4.7, FIPS 186-5 6.4.2): a private number and its public half, to the eye. It is none where s stands,
and the hash z = u1*s too, since whoever reads both has u1 anyway; and where the signature is good:
to u1, s and a number r a public key Q belongs, which was read or stands there, or r/s stands and
(r/s)*Q. One without the other is not enough: r*d stands where a key d signs, and for any key whose
public half is known a peer can make r, s and Q that fit, but not z. Where the key that signed is
recovered (SEC 1 4.1.6), u1 = -z/r, and u1*G + (s/r)*R is a public key. Seen in Java and Go, which
check DSA so, and in programs in these, in JavaScript, Python, Ruby, Perl and PHP that bring curves
of their own. In doubt a scalar is a key. This module refuses to close what a public key names, and
looks for no hash but among the pool's numbers.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from scanner.detect.algebra import curve_points, gmp
from scanner.detect.algebra.curve_points import Point
from scanner.detect.algebra.material import Ec, Ffc
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places.standing import standing
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb, signed
from scanner.detect.relations.weierstrass.curves import CURVES, sightings
from scanner.detect.relations.weierstrass.signed import Signed, Suspect

MOST_SUSPECTS = 1_024
"""Scalars of a section that are looked at, the first."""

MOST_BESIDE, MOST_CHECKS = 128, 2_000
"""Numbers that are tried as r of a signature whose hash stands, and in all: 0.2 to 6 ms each."""

MOST_COUPLED = 512
"""Numbers near a scalar that are looked at as r or r/s, of which the other one stands."""

MOST_PUBLICS, MOST_RAISED = 8, 1_000
"""Public numbers of a group that are tried, the first, and powers of all: 2 ms each."""

MOST_POWERS, MOST_SITES = 512, 2
"""Numbers on each side of g**u1 that may be the other power, at the first places of that."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Guess:
    """What may be r of a signature; or s, where the key that signed was recovered from r."""

    signed: Signed
    r: int
    coupled: bool
    """r/s stands, too."""
    base: int = 0
    """The r from which a key was recovered, where the number is s."""


_Fits = Callable[[Sequence[_Guess]], Iterator[Related]]


def of_curves(pool: Pool, found: Sequence[Related], publics: Sequence[PublicKey]) -> list[Related]:
    """Return what was found but for what the check of a signature of ECDSA computed."""
    named = {(key.curve, key.x) for key in publics if key.independent}
    suspects = [
        Suspect(one, one.key.d, CURVES[one.key.curve].n)
        for one in found
        if isinstance(one.key, Ec) and (one.key.curve, one.key.x) not in named
    ]
    known = {(key.curve, key.x) for key in publics} if suspects else set()
    return _without(pool, found, suspects, lambda guesses: _fit_points(pool, guesses, known))


def of_fields(pool: Pool, found: Sequence[Related], publics: Sequence[PublicKey]) -> list[Related]:
    """Return what was found but for what the check of a signature of DSA computed."""
    ys: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for key in publics:
        ys[key.group].append(key.y)
    suspects = [
        Suspect(one, one.key.x, one.key.q)
        for one in found
        if isinstance(one.key, Ffc) and one.key.q and one.key.y not in ys[_group(one.key)]
    ]
    return _without(pool, found, suspects, lambda guesses: _fit_numbers(pool, guesses, ys))


def _group(key: Ffc) -> tuple[int, int, int]:
    return key.p, key.q, key.g


def _without(
    pool: Pool, found: Sequence[Related], suspects: Sequence[Suspect], fits: _Fits
) -> list[Related]:
    """Return what was found but for the suspects that fit a signature whose hash stands."""
    closed, left = set[int](), MOST_CHECKS
    hits: list[Signed] = []

    def check(guesses: Iterator[_Guess]) -> None:
        nonlocal left
        tried = list(itertools.islice(guesses, left))
        left -= len(tried)
        closed.update(id(one) for one in fits(tried))

    for search in (signed.nearby, signed.anywhere):
        rest = [one for one in suspects[:MOST_SUSPECTS] if id(one.one) not in closed]
        hits += (more := search(pool, rest) if rest else [])
        check(_coupled(pool, more))
    check(_beside(hit for hit in hits if id(hit.suspect.one) not in closed))
    return [one for one in found if id(one) not in closed]


# --- what may be r ------------------------------------------------------------------------------


def _coupled(pool: Pool, hits: Sequence[Signed]) -> Iterator[_Guess]:
    """Yield what stands before s in DER; and what may be r where r/s stands, one of them near.

    Where a key was recovered from r, the hash was divided by -r, and s/r stands.
    """
    alike = defaultdict[tuple[Reading, ...], list[Signed]](list)
    for hit in hits:
        yield from (_Guess(hit, r, coupled=False) for r in hit.written if r < hit.suspect.order)
        alike[tuple(signed.spellings(pool, hit.suspect.one))].append(hit)
    done: set[tuple[int, int, int, int]] = set()
    for hows, some in alike.items():
        rows = (row for hit in some for row in _couples(hit))
        for guess, *_ in standing(pool, rows, hows):
            name = id(guess.signed.suspect), guess.signed.s, guess.r, guess.base
            if name not in done:
                done.add(name)
                yield guess


def _couples(hit: Signed) -> Iterator[tuple[int, _Guess]]:
    """Yield what would stand besides a number near a scalar, of r and r/s, or s and s/r."""
    n, s, u1 = hit.suspect.order, hit.s, hit.suspect.scalar
    z, inverse = u1 * s % n, gmp.inverse(s, n)
    idle = {number for each in (s, z, u1) for number in (each, n - each)}
    for number in itertools.islice(hit.near, MOST_COUPLED):
        if signed.large(number, n) and number not in idle:
            product, ratio = number * s % n, number * inverse % n
            yield product, _Guess(hit, product, coupled=True)
            yield ratio, _Guess(hit, number, coupled=True)
            yield n - product, _Guess(hit, n - product, coupled=True, base=n - s)
            yield n - ratio, _Guess(hit, number, coupled=True, base=n - s)


def _beside(hits: Iterable[Signed]) -> Iterator[_Guess]:
    """Yield what stands near the scalar or s, as r."""
    for hit in hits:
        n, s = hit.suspect.order, hit.s
        rs = (r for r in dict.fromkeys(hit.near) if r < n and r not in (0, s, n - s))
        yield from (_Guess(hit, r, coupled=False) for r in itertools.islice(rs, MOST_BESIDE))


# --- whose signature it is ----------------------------------------------------------------------


def _fit_points(
    pool: Pool, guesses: Sequence[_Guess], known: Collection[tuple[str, int]]
) -> Iterator[Related]:
    """Yield the scalars to which a point Q belongs that stands or was read."""
    names: list[tuple[str, int]] = []
    ones: list[Related] = []
    for guess in guesses:
        one = guess.signed.suspect.one
        if isinstance(one.key, Ec):
            more = [(one.key.curve, x) for x in _points(one.key, guess)]
            names += more
            ones += [one] * len(more)
    yield from (one for name, one in zip(names, ones, strict=True) if name in known)
    if names:
        seen = sightings(pool.data, names, big_endian=pool.big_endian)
        yield from (ones[index] for index, *_ in seen)


def _points(key: Ec, guess: _Guess) -> list[int]:
    """Return the x of what may be the public key of a signature, and of what it is multiplied to.

    Q = (s/r)*(R - d*G), and of the two points R that have the x one is the other's negative. Or
    Q = d*G + (s/r)*R, where a key is recovered.
    """
    curve, own = CURVES[key.curve], (key.x, key.y)
    n, s, r = curve.n, guess.signed.s, guess.r
    if guess.base:
        times = r * gmp.inverse(guess.base, n) % n
        xs = curve_points.shared(key.curve, times, _lifted(key.curve, guess.base)[:1])
        return [x for each in xs for x, _ in _sums(curve.p, own, _lifted(key.curve, each))]
    differences = _sums(curve.p, (key.x, curve.p - key.y), _lifted(key.curve, r))
    xs = curve_points.shared(key.curve, s * gmp.inverse(r, n) % n, differences)
    return [*xs, *(x for x, _ in differences if guess.coupled)]


def _lifted(curve: str, x: int) -> list[Point]:
    """Return the two points that have a number as their x: half of all numbers are none."""
    try:
        x, y = curve_points.decode(curve, b"\x02" + x.to_bytes(CURVES[curve].size, "big"))
    except ValueError:
        return []
    return [(x, y), (x, CURVES[curve].p - y)]


def _sums(p: int, own: Point, others: Iterable[Point]) -> list[Point]:
    return comb.add(p, [(own, other) for other in others if other[0] != own[0]])


def _fit_numbers(
    pool: Pool, guesses: Sequence[_Guess], ys: dict[tuple[int, int, int], list[int]]
) -> Iterator[Related]:
    """Yield the scalars to which a public number belongs: g**x * y**(r/s) has r modulo q.

    It was read; or r/s stands, and the power of it stands near g**x, or the public number does.
    """
    powers: dict[int, list[int]] = {}
    left = MOST_RAISED
    for guess in guesses:
        one, s, r = guess.signed.suspect.one, guess.signed.s, guess.r
        if not isinstance(one.key, Ffc) or guess.base:
            continue
        key, known = one.key, ys[_group(one.key)][:MOST_PUBLICS]
        if guess.coupled:
            if id(one) not in powers:
                powers[id(one)] = list(dict.fromkeys(_near_power(pool, one, key)))
            if any(key.y * power % key.p % key.q == r for power in powers[id(one)]):
                yield one
                continue
            known = [*known, *powers[id(one)][:MOST_PUBLICS]]
        times, known = r * gmp.inverse(s, key.q) % key.q, known[:left]
        left -= len(known)
        if any(key.y * gmp.power(y, times, key.p) % key.p % key.q == r for y in known):
            yield one


def _near_power(pool: Pool, one: Related, key: Ffc) -> Iterator[int]:
    """Yield the numbers of the field near the places of g**x."""
    hows = signed.spellings(pool, one)
    for _, how, at in itertools.islice(standing(pool, [(key.y, None)], hows), MOST_SITES):
        yield from signed.near(pool, at, how, key.p.bit_length(), MOST_POWERS)
