"""Which scalars the check of a signature computed: no keys. u1 = z/s, and u1*G + (r/s)*Q has r.

Who checks a signature of ECDSA or DSA with numbers leaves u1 there, and u1*G or g**u1 (FIPS 186-4
4.7, FIPS 186-5 6.4.2): a private number and its public half, to the eye. It is none where s stands,
and the hash z = u1*s too, since whoever reads both has u1 anyway; and where the signature is good:
to u1, s and a number r a public key Q belongs, which was read or stands there. One without the
other is not enough: r*d stands where a key d signs, and for any key whose public half is known a
peer can make r, s and Q that fit, but not z. Seen in Java and Go, which check DSA so, and in
programs in both that bring curves of their own. In doubt a scalar is a key. This module refuses to
close what a public key names, and looks for no hash but among the pool's numbers.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.detect.algebra import curve_points
from scanner.detect.algebra.material import Ec, Ffc
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import readings
from scanner.detect.integers.limbs import Offsets
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import digits, words
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb, nonces
from scanner.detect.relations.weierstrass.curves import CURVES, sightings

MOST_SUSPECTS, MOST_HASHES = 128, 256
"""Scalars of a section that are looked at, the first, and signatures whose hash stands."""

MOST_SIGNATURES = 1_024
"""Signatures in DER whose s is tried with every scalar, the first."""

MOST_NEAR, MOST_DIGITS, MOST_PLACES = 64, 2_048, 4
"""Numbers on each side of a place that are tried; those in digits of all scalars, for CPython lays
out far from each other what it computes; and places of one number."""

MOST_BESIDE, MOST_CHECKS = 128, 2_000
"""Numbers that are tried as r of a signature whose hash stands, and in all: 0.2 to 6 ms each."""

MOST_PUBLICS = 8
"""Public numbers of a group that are tried, the first."""

_RECORD, _WORD = 256, 8
"""Bytes on each side of a place where each word may begin a number."""

_INTEGER = 0x02
"""Tag of DER (X.690 8.3)."""

_SHORTER = 3
"""Bytes that an integer of a signature is shorter than the order, at most: one in 2**24 is."""

_Signatures = Mapping[int, Sequence[int]]
"""r of signatures in DER, by s."""

_Site = tuple[Reading, int]
"""How a number is spelled, and where in the pool."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Suspect:
    """A scalar that may be no key, below which order."""

    one: Related
    scalar: int
    order: int

    @property
    def bits(self) -> int:
        """Bits of a number below the order."""
        return self.order.bit_length()

    @property
    def size(self) -> int:
        """Bytes of one."""
        return (self.bits + 7) // 8


def of_curves(pool: Pool, found: Sequence[Related], publics: Sequence[PublicKey]) -> list[Related]:
    """Return what was found but for what the check of a signature of ECDSA computed."""
    named = {(key.curve, key.x) for key in publics if key.independent}
    suspects = [
        _Suspect(one, one.key.d, CURVES[one.key.curve].n)
        for one in found
        if isinstance(one.key, Ec) and (one.key.curve, one.key.x) not in named
    ]
    known = {(key.curve, key.x) for key in publics} if suspects else set()

    def fits(one: Related, s: int, rs: Sequence[int]) -> bool:
        return isinstance(one.key, Ec) and _fits_a_point(pool, one.key, s, rs, known)

    return _without(pool, found, suspects, fits)


def of_fields(pool: Pool, found: Sequence[Related], publics: Sequence[PublicKey]) -> list[Related]:
    """Return what was found but for what the check of a signature of DSA computed."""
    ys: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for key in publics:
        ys[key.group].append(key.y)
    suspects = [
        _Suspect(one, one.key.x, one.key.q)
        for one in found
        if isinstance(one.key, Ffc) and one.key.q and one.key.y not in ys[_group(one.key)]
    ]

    def fits(one: Related, s: int, rs: Sequence[int]) -> bool:
        return isinstance(one.key, Ffc) and _fits_a_number(one.key, s, rs, ys[_group(one.key)])

    return _without(pool, found, suspects, fits)


def _group(key: Ffc) -> tuple[int, int, int]:
    return key.p, key.q, key.g


def _without(
    pool: Pool,
    found: Sequence[Related],
    suspects: Sequence[_Suspect],
    fits: Callable[[Related, int, Sequence[int]], bool],
) -> list[Related]:
    """Return what was found but for the suspects that fit a signature whose hash stands."""
    closed, left = set[int](), MOST_CHECKS
    for one, s, *likely in _signed(pool, suspects[:MOST_SUSPECTS]):
        for rs in likely:
            if id(one) not in closed:
                tried = rs[:left]
                left -= len(tried)
                closed |= {id(one)} if fits(one, s, tried) else set()
    return [one for one in found if id(one) not in closed]


# --- signatures whose hash stands ---------------------------------------------------------------


def _signed(
    pool: Pool, suspects: Sequence[_Suspect]
) -> Iterator[tuple[Related, int, Sequence[int], Sequence[int]]]:
    """Yield which scalar times which s gives a hash that stands, and what may be r.

    What stands before s in DER; or else beside s, or the scalar. Whoever has s normalised it,
    perhaps.
    """
    hows = [_hows(pool, one.one) for one in suspects]
    written = {size: _in_der(pool, size) for size in {one.size for one in suspects}}
    most = max(MOST_DIGITS // max(len(suspects), 1), MOST_NEAR)
    there = _sites(pool, [(o.scalar, o.bits, how) for o, how in zip(suspects, hows, strict=True)])
    near = [
        list(dict.fromkeys(n for site in sites for n in _near(pool, site, how, one.bits, most)))
        for one, how, sites in zip(suspects, hows, there, strict=True)
    ]
    rows = _spelled(suspects, hows, near, written)
    hits = list(itertools.islice(dict.fromkeys(nonces.standing(pool, rows)), MOST_HASHES))
    where = [(s, suspects[index].bits, hows[index]) for index, s in hits]
    where += [(suspects[index].order - s, suspects[index].bits, hows[index]) for index, s in hits]
    there = _sites(pool, where)
    for row, (index, s) in enumerate(hits):
        one, pairs = suspects[index], written[suspects[index].size]
        sites = (*there[row], *there[row + len(hits)])
        beside = [r for site in sites for r in _near(pool, site, site[:1], one.bits, MOST_NEAR)]
        none = (0, s, one.order - s)
        rs = [r for r in dict.fromkeys((*beside, *near[index])) if r < one.order and r not in none]
        pair = [r for r in (*pairs.get(s, ()), *pairs.get(one.order - s, ())) if r < one.order]
        yield one.one, s, pair, rs[:MOST_BESIDE]


def _spelled(
    suspects: Sequence[_Suspect],
    spellings: Sequence[Sequence[Reading]],
    near: Sequence[Sequence[int]],
    written: Mapping[int, _Signatures],
) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield what would stand of a signature with each scalar, and its s: one number was read.

    The hash, which is the scalar times s; or s, which is the hash divided by it.
    """
    for index, (one, hows) in enumerate(zip(suspects, spellings, strict=True)):
        n, bits, size = one.order, one.bits, one.size
        for s in dict.fromkeys(s for s in (*written[size], *near[index]) if 0 < s < n):
            product = s * one.scalar % n
            for residue, t in ((product, s), (n - product, n - s)):
                for z in nonces.hashes(n, residue):
                    for raw in (*nonces.spelled(size, z), *_packed(hows, z)):
                        yield raw, (index, t)
        inverse = pow(one.scalar, -1, n)
        for z in near[index]:
            t = z * inverse % n
            for s in (t, n - t) if min(z, t, n - t) >> 64 else ():
                for how in hows:
                    yield _raw(how, s, bits), (index, t)


def _hows(pool: Pool, one: Related) -> list[Reading]:
    """Return how numbers are spelled where a scalar was read: in digits as it was, or in full."""
    held = [how for how in digits.held(pool.readings) if one.encoding.endswith(f" {how.name}")]
    return [*readings.unpacked(pool.readings), *held]


def _packed(hows: Iterable[Reading], number: int) -> list[bytes]:
    """Spell a number in as many digits as it has: the hash is shorter than the order, perhaps."""
    return [_raw(how, number, number.bit_length()) for how in hows if how.packed]


def _raw(how: Reading, number: int, bits: int) -> bytes:
    """Spell a number: zeros of the first word tell nothing, and cost much to look up."""
    return readings.encode(how, number, bits)[how.shift // 8 :]


# --- what stands there --------------------------------------------------------------------------


def _sites(pool: Pool, numbers: Sequence[tuple[int, int, Sequence[Reading]]]) -> list[list[_Site]]:
    """Return where numbers of so many bits stand, the first places of each."""
    rows = [
        (index, how, _raw(how, number, bits))
        for index, (number, bits, hows) in enumerate(numbers)
        for how in hows
    ]
    lows = np.array([int.from_bytes(raw[:_WORD], "little") for *_, raw in rows], np.uint64)
    found: list[list[_Site]] = [[] for _ in numbers]
    for row, at in words.find(pool.data, lows):
        index, how, raw = rows[row]
        if len(found[index]) < MOST_PLACES and words.stands(pool.data, at, raw):
            found[index].append((how, at - how.shift // 8))
    return found


def _near(
    pool: Pool, site: _Site, hows: Iterable[Reading], bits: int, digits_most: int
) -> Iterator[int]:
    """Yield the numbers near a site, in some readings: the nearest first."""
    _, at = site
    for how in hows:
        starts, width = _starts(pool, how, bits), readings.width(how, bits)
        middle = int(np.searchsorted(starts, at))
        most = digits_most if how.packed else MOST_NEAR
        positions = starts[max(middle - most, 0) : middle + most]
        if not how.packed:
            positions = np.append(positions, np.arange(at - _RECORD, at + _RECORD + 1, _WORD))
        good = (positions >= 0) & (positions + width <= len(pool.data))
        positions = np.unique(positions[good])
        for spot in positions[np.argsort(np.abs(positions - at), kind="stable")].tolist():
            yield readings.decode(how, pool.data[spot : spot + width].tobytes()) or 0


def _starts(pool: Pool, how: Reading, bits: int) -> Offsets:
    """Return where numbers may begin: with their runs, or so that they end with them; or digits."""
    width, name = readings.width(how, bits), (f"begun {how.name}", bits)
    if name not in pool.listed:
        if how.packed:
            found = digits.whole(pool, how, bits)
        else:
            found = np.concatenate((pool.head[pool.head >= 0], pool.tail[pool.tail >= 0] - width))
        pool.listed[name] = np.unique(found)
    return pool.listed[name]


def _in_der(pool: Pool, size: int) -> _Signatures:
    """Return the signatures that stand as two integers in DER, of numbers of so many bytes."""
    data, found = pool.data, defaultdict[int, list[int]](list)
    lengths = np.arange(256)
    fits = (lengths >= size - _SHORTER) & (lengths <= size + 1)
    first = np.flatnonzero(data[: max(len(data) - 2 * size - 6, 0)] == _INTEGER)
    first = first[fits[data[first + 1]]]
    second = first + 2 + data[first + 1]
    good = (data[second] == _INTEGER) & fits[data[second + 1]]
    for both in np.stack((first, second), axis=1)[good][:MOST_SIGNATURES].tolist():
        r, s = (
            int.from_bytes(data[at + 2 : at + 2 + int(data[at + 1])].tobytes(), "big")
            for at in both
        )
        if r:
            found[s].append(r)
    return found


# --- whose signature it is ----------------------------------------------------------------------


def _fits_a_point(
    pool: Pool, key: Ec, s: int, rs: Iterable[int], known: Collection[tuple[str, int]]
) -> bool:
    """Tell whether a point Q stands or was read for which d*G + (r/s)*Q has r as its x.

    Q = (s/r)*(R - d*G), and of the two points R that have the x one is the other's negative.
    """
    curve, xs = CURVES[key.curve], list[int]()
    for r in rs:
        try:
            point = curve_points.decode(curve.name, b"\x02" + r.to_bytes(curve.size, "big"))
        except ValueError:  # half of all numbers are no x
            continue
        if point[0] != key.x:
            both = [(point, (key.x, y)) for y in (key.y, curve.p - key.y)]
            times = s * pow(r, -1, curve.n) % curve.n
            xs += curve_points.shared(curve.name, times, comb.add(curve.p, both))
    names = [(curve.name, x) for x in xs]
    if any(name in known for name in names):
        return True
    return any(True for _ in sightings(pool.data, names, big_endian=pool.big_endian))


def _fits_a_number(key: Ffc, s: int, rs: Iterable[int], ys: Sequence[int]) -> bool:
    """Tell whether a public number was read with which g**x * y**(r/s) has r modulo q."""
    inverse = pow(s, -1, key.q)
    return any(
        key.y * pow(y, r * inverse % key.q, key.p) % key.p % key.q == r
        for r in rs
        for y in ys[:MOST_PUBLICS]
    )
