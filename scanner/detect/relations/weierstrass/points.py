"""Encoded points of named curves in the pool (SEC 1 2.3.3): whoever holds one uses its curve.

Their scalars are not far, as a rule. An uncompressed point is told by the curve's equation; of a
compressed one half of all numbers are the x, so its length must be announced. Of a structure that
holds both coordinates the equation tells them too, without a tag. This module refuses to say whose
a point is.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.algebra import gmp
from scanner.detect.algebra.gmp import mpz
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.spots import spots
from scanner.detect.relations.places import pieces, variety, words
from scanner.detect.relations.places.words import sliding
from scanner.detect.relations.weierstrass.curves import (
    BIG,
    CURVES,
    FIELDS,
    LITTLE,
    USUAL,
    WORDS,
    Curve,
    Reading,
    coefficients,
    generator,
)
from scanner.model import Place

MOST = (2_000, 1_000)
"""Uncompressed points of each size that are checked to lie on a curve, in few runs and in many, at
1 to 5 us for a curve. Those behind a zero or their length come first."""

MOST_COMPRESSED = (200, 100)
"""Compressed points of each size, of which a root is taken: 0.05 to 0.5 ms."""

MOST_ROOTS = (400, 100)
"""What may be a point in words with room for carries, of which a root is taken: 0.1 ms."""

MOST_ROOMY = (8_000, 2_000)
"""The same where y stands behind it in such words too, so that the equation tells: 2 us."""

_ROOM = 12
"""Leading bits of such a word that are not all zero: they are once in 4,096 words."""

OFTEN = ("P-256", "P-384", "P-521", "secp256k1")
"""Curves whose points are compressed often enough to be looked for: chance has some."""

COMPRESSED = (0x02, 0x03)
"""What stands before the x of a compressed point."""

MOST_JOINED = (3_000, 1_000)
"""Short runs for each size of a coordinate of which neighbouring fields are tried as a point, in
few runs and in many: 2 us for a curve, a byte order and a pair."""

MOST_AFFINE = (2_000, 1_000)
"""Runs as long as a coordinate that are tried as one, in few runs, and in many of those that stand
beside another one: 2 us for a curve, a byte order and a form."""

_FIELDS = 8
"""Coordinates that fit into a short run, at most."""

_SIZES = sorted({curve.size for curve in USUAL})

_Point = tuple[str, int, int, Place]
"""Curve, x, y, and where it stands."""


def encoded(pool: Pool) -> Iterator[_Point]:
    """Yield the points that stand in the pool with both coordinates, those with a tag first."""
    yield from _uncompressed(pool)
    yield from _joined(pool)
    yield from _roomy(pool)


def affine(pool: Pool) -> Iterator[_Point]:
    """Yield the points whose coordinates stand bare in runs of their own, wherever they are.

    Where there are many runs, beside each other. Plain or in Montgomery form. Of two numbers that
    are no point one satisfies the curve's equation never; and the scalar of a point is not far, as
    a rule.
    """
    most = pool.budget(*MOST_AFFINE)
    curves = tuple(CURVES.values()) if pool.few else USUAL
    sizes = {curve.size for curve in curves}
    filling = {
        size: pieces.filling(pool, _judged(pool, size), most, paired=not pool.few) for size in sizes
    }
    for curve in curves:
        a, b = coefficients(curve)
        for how in (*(WORDS if pool.big_endian else (LITTLE,)), BIG):
            size = -(-curve.size // how.word) * how.word
            values = {
                how.decode(pool.data[at : at + size].tobytes()): at
                for at in filling[curve.size].tolist()
            }
            for radix in {1, curve.radix, curve.half_radix} if how != BIG else {1}:
                inverse = gmp.inverse(radix, curve.p)
                plain = {v * inverse % curve.p: at for v, at in values.items() if 0 < v < curve.p}
                roots = {y * y % curve.p: y for y in plain}
                for x, at in plain.items():
                    y = roots.get((x * x * x + a * x + b) % curve.p)
                    if y is not None:
                        yield curve.name, x, y, pool.place(at, size)


def _judged(pool: Pool, size: int) -> int:
    """Return how many bytes of a coordinate say whether it is one: big-endian limbs are whole.

    On P-224 and P-521 the last one begins with zeros.
    """
    return size & ~7 if pool.big_endian else size


def _uncompressed(pool: Pool) -> Iterator[_Point]:
    marks = spots(len(pool.data) - 64, lambda at, end: pool.data[at:end] == 0x04) + 1
    marks = marks[variety.varied(pool.data, marks, 32)]
    for size in _SIZES:
        curves = [(curve, *coefficients(curve)) for curve in USUAL if curve.size == size]
        top = max(curve.p for curve, *_ in curves) >> 8 * (size - 1)
        fits = marks[marks + 2 * size <= len(pool.data)]
        fits = fits[np.maximum(pool.data[fits], pool.data[fits + size]) <= top]
        fits = fits[variety.varied(pool.data, fits, size)]
        fits = fits[variety.varied(pool.data, fits + size, size)]
        said = np.isin(pool.data[fits - 2], (0, 2 * size + 1)) & (fits >= 2)
        fits = fits[np.argsort(~said, kind="stable")]
        for at in fits[: pool.budget(*MOST)].tolist():
            raw = pool.data[at : at + 2 * size].tobytes()
            x, y = int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big")
            for curve, a, b in curves:
                if max(x, y) < curve.p and (y * y - (x * x + a) * x - b) % curve.p == 0:
                    yield curve.name, x, y, pool.place(at, 2 * size)


def compressed(pool: Pool) -> Iterator[_Point]:
    """Yield the points that stand compressed in the pool, and half of what looks like one."""
    data = pool.data
    for size in sorted({CURVES[name].size for name in OFTEN}):
        for spot in marked(pool, size)[: pool.budget(*MOST_COMPRESSED)].tolist():
            x = int.from_bytes(data[spot : spot + size].tobytes(), "big")
            for curve in (CURVES[name] for name in OFTEN if CURVES[name].size == size):
                y = _root(curve, x, odd=bool(data[spot - 1] & 1))
                if y is not None:
                    yield curve.name, x, y, pool.place(spot, size)


def marked(pool: Pool, size: int) -> Offsets:
    """Return where the x of compressed points may stand: behind their kind, and their length.

    Or before zeros that fill its last word, as in a pool of buffers: seen in Node.js (ecurve),
    where the scalar stood right before the point. Those with a length come first.
    """
    data, name = pool.data, ("compressed", 0)
    if name not in pool.listed:
        inner = data[8:-8]
        even = spots(len(inner), lambda at, end: inner[at:end] & 0xFE == COMPRESSED[0])
        pool.listed[name] = even + 8
    marks = pool.listed[name]
    before, wide = sliding(data, "<u4")[marks - 4], sliding(data)[marks - 8]
    said = (before == size + 1) | (wide == size + 1) | (before.byteswap() == size + 1)
    filled = _zeros_behind(pool, marks[~said] + 1 + size, -(size + 1) % 8)
    at = np.append(marks[said], marks[~said][filled]) + 1
    at = at[at + size <= len(data)]
    found: Offsets = at[variety.varied(data, at, size)]
    return found


def _zeros_behind(pool: Pool, ends: Offsets, count: int) -> Flags:
    """Tell which numbers end with no zero, and have so many zeros behind them: at most seven."""
    inside = ends + 8 <= len(pool.data)
    ends = np.where(inside, ends, 0)
    behind = sliding(pool.data)[ends] << np.uint64(8 * (8 - count))
    found: Flags = inside & (behind == 0) & (pool.data[ends - 1] != 0)
    return found


def _joined(pool: Pool) -> Iterator[_Point]:
    """Yield the points whose coordinates are neighbouring fields of a short run.

    Nothing stands between them, and no tag before: libsecp256k1 keeps a key pair as its scalar, x
    and y, of which the last two are limbs (rust-secp256k1 has the x of BIP 340 before it).
    As limbs in Montgomery form too: Go on big-endian machines and p384 (Rust) lay a scalar and its
    point end to end.
    """
    ways = (LITTLE, BIG, *(WORDS if pool.big_endian else ()))
    length = pool.tail - pool.head
    whole = (pool.head >= 0) & (pool.tail >= 0)
    for size in (size for size in _SIZES if size % 8 == 0):
        curves = [curve for curve in USUAL if curve.size == size]
        short = whole & (length >= 2 * size) & (length < (_FIELDS + 1) * size)
        runs = np.flatnonzero(short)[: pool.budget(*MOST_JOINED)]
        for head, tail in zip(pool.head[runs].tolist(), pool.tail[runs].tolist(), strict=True):
            for first in {head, head + (tail - head) % size}:
                raw = pool.data[first:tail].tobytes()
                for index, curve, x, y in _neighbours(raw, size, curves, ways):
                    yield curve.name, x, y, pool.place(first + index * size, 2 * size)


def _roomy(pool: Pool) -> Iterator[_Point]:
    """Yield the points of which x stands in words with room for carries, and y behind it.

    The equation tells, as it tells numbers of a library's table, which are thousands (k256, Rust).
    Of the first of what it refuses the first word of y decides: the last has so few bits that it
    may not look random.
    """
    for name, how in ((name, how) for name, hows in FIELDS.items() for how in hows):
        last, rest = divmod(CURVES[name].p.bit_length(), how.digit)
        phases = np.delete(pool.phase, list(pool.texts)) % how.word
        for start in (-np.unique(phases) % how.word).tolist() if not pool.big_endian else ():
            count = (len(pool.data) - start) // how.word
            view = pool.data[start : start + count * how.word].view(f"<u{how.word}")
            least = 1 << how.digit - _ROOM
            at = np.flatnonzero(view - view.dtype.type(least) < (1 << how.digit) - least)
            at = at[at + last + 1 < count]
            for word in range(1, last + 2):
                bits = rest if word == last else how.digit
                at = at[(view[at + word] >> bits == 0) & (view[at + word] >> bits - _ROOM != 0)]
            p, a, b, _ = _field(CURVES[name], montgomery=False)
            roots = pool.budget(*MOST_ROOTS)
            for spot in at[: pool.budget(*MOST_ROOMY)].tolist():
                digits = view[spot : spot + 2 * (last + 1)].tolist()
                x, y = (_packed(how, each) for each in (digits[: last + 1], digits[last + 1 :]))
                first, found = digits[last + 1], y or None
                if max(x, y) >= p or (y * y - (x * x + a) * x - b) % p:
                    roots -= 1
                    found = _root(CURVES[name], x, odd=bool(first & 1)) if roots >= 0 else None
                if found is not None and found & ((1 << how.digit) - 1) == first:
                    place = pool.place(start + spot * how.word, (last + 1) * how.word)
                    yield name, x, found, place


def _packed(how: readings.Reading, digits: Sequence[int]) -> int:
    return sum(digit << how.digit * index for index, digit in enumerate(digits))


def _neighbours(
    raw: bytes, size: int, curves: Sequence[Curve], ways: Sequence[Reading]
) -> Iterator[tuple[int, Curve, int, int]]:
    """Yield (which field, curve, x, y) where a field and the next one are a point."""
    parts = [raw[at : at + size] for at in range(0, len(raw) - size + 1, size)]
    for how in ways:
        numbers = [mpz(how.decode(part)) for part in parts]
        for index, both in enumerate(itertools.pairwise(numbers)):
            for curve in (curve for curve in curves if 0 < max(both) < curve.p):
                p, a, b, inverses = _field(curve, montgomery=how != BIG)
                for inverse in inverses:
                    x, y = both if inverse == 1 else (n * inverse % p for n in both)
                    if (y * y - x * x * x - a * x - b) % p == 0:
                        yield index, curve, int(x), int(y)


@functools.cache
def _field(curve: Curve, *, montgomery: bool) -> tuple[int, int, int, tuple[int, ...]]:
    """Return p, a, b, and what makes a coordinate plain, as GMP's numbers."""
    radices = {1, curve.radix, curve.half_radix} if montgomery else {1}
    inverses = tuple(mpz(gmp.inverse(radix, curve.p)) for radix in sorted(radices))
    a, b = coefficients(curve)
    return mpz(curve.p), mpz(a), mpz(b), inverses


def _root(curve: Curve, x: int, *, odd: bool) -> int | None:
    """Return y of a point, or None where there is none: their p is 3 modulo 4."""
    if x >= curve.p:
        return None
    a, b = coefficients(curve)
    square = (x * x * x + a * x + b) % curve.p
    y = gmp.power(square, (curve.p + 1) // 4, curve.p)
    if y * y % curve.p != square:
        return None
    return y if y & 1 == odd else curve.p - y


def written(pool: Pool, names: Sequence[str]) -> Iterator[str]:
    """Yield the curves of which the generator is written as a text, as programs in scripts do."""
    raws = [generator(CURVES[name])[0].to_bytes(CURVES[name].size, "big") for name in names]
    for row, at in words.find_whole(pool.data, raws):
        if pool.form(at, ""):
            yield names[row]
