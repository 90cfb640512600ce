"""EC private keys held as digits: integers of CPython, PyPy, libtommath, JavaScript's BN.js.

The point stands elsewhere in the same digits, in the other spellings, or in a public key. This
module looks at no digits that fill their words: those are limbs, and for ``ec``.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from scanner.arrays import Flags, Offsets
from scanner.detect.algebra.curve_points import GROUPS
from scanner.detect.algebra.material import Ec, Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.evidence import ec_closes, ec_derived
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.places import digits, variety, words
from scanner.detect.relations.related import Related
from scanner.detect.relations.weierstrass import comb
from scanner.detect.relations.weierstrass.curves import (
    CURVES,
    Curve,
    coefficients,
    freed,
    generator,
    spellings,
)
from scanner.dump.space import Memory
from scanner.model import Candidate

MOST = {
    "P-224": (1_000, 200),
    "P-256": (4_000, 700),
    "P-384": (400, 60),
    "P-521": (400, 60),
    "secp256k1": (1_000, 300),
    "brainpoolP256r1": (1_000, 100),
    "brainpoolP384r1": (800, 20),
    "brainpoolP512r1": (1_200, 20),
    "SM2": (200, 60),
    "P-192": (1_000, 100),
    "brainpoolP224r1": (1_000, 60),
    "brainpoolP320r1": (500, 40),
}
"""Curves that are looked for, those of the libraries that keep digits, and derivations on each: in
a section of at most FEW_RUNS, and in others. Programs that hold more numbers of this size hold
tables of a curve's points."""

RARE = tuple(n for n in MOST if n.startswith("brainpool") or n == "P-224" or n in GROUPS)
"""Curves that are looked for where a public key is of them, and where their generator stands in
digits, in few runs in limbs too: libraries keep it beside their keys. Bytes say less, of tables of
all curves."""

MOST_READ, MOST_GROWN = 1_000, 300
"""Derivations on each curve of what BN.js read from bytes or text, and of jsbn's digits before the
budget of all: of their own, for what either computes stands in crowds."""

PROOF = "d*G = Q"

_BN_JS = ("smi64-26", "smi32-26")
"""The readings of BN.js: V8 keeps a small integer in the upper half of a word of 64 bits, and on
32-bit machines or with compressed pointers (Chromium, Electron) in 31 bits of one of 32."""

_JSBN = ("smi64-28", "smi32-28")
"""The readings of jsbn, which fills its arrays one by one."""

_MIT = "digits-62"
"""The reading of MIT Scheme, whose heap is full of words that are such digits: behind a header."""

_PYPY = ("digits-63", "digits-31")
"""The readings of PyPy, whose digits leave one bit of a word free: behind their count."""

_GROWN = (17, 43)
"""Elements for which V8 has room in such an array: n + n/2 + 16 when the nth has none."""

MOST_POINTED = 256
"""Numbers of each curve and reading of which two may be a point of it: 2 us each."""

MOST_SIEVED = 8_192
"""Numbers of each curve and reading that are sieved before some of them are tried: 1 to 16 us
each."""

_ROWS = 64
"""Numbers that are read at once."""

_Spelled = tuple[str, Reading, bytes]
"""A curve, and a number that says that it is used, as a reading spells it."""

_Trial = tuple[Ec, int, Reading]
"""A key, where in the pool its scalar stands, and how it is read."""


def search(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key of a named curve whose scalar stands in digits, and its point elsewhere."""
    bits = [CURVES[name].n.bit_length() for name in MOST]
    begun = [
        (how, digits.starts(pool, how, {readings.width(how, size) for size in bits}))
        for how in digits.held(pool.readings)
    ]
    if len(pool.at):
        how = digits.counting(pool)
        widths = {readings.width(how, size) for size in bits}
        begun.append((how, digits.behind_counts(pool, how, widths)))
    known = {(key.curve, key.x) for key in publics if key.independent}
    trials: list[_Trial] = []
    for name in _wanted(pool, known, trials, begun) if len(pool.at) else ():
        tried = [(how.name, _trials(pool, CURVES[name], how, at)) for how, at in begun]
        for reading in (*_BN_JS, *_JSBN, _MIT, *_PYPY):
            found = (trial for own, rows in tried if own == reading for trial in rows)
            trials += itertools.islice(found, MOST_READ if reading in _BN_JS else MOST_GROWN)
        found = (trial for own, rows in tried if own not in _BN_JS for trial in rows)
        trials += itertools.islice(found, pool.budget(*MOST[name]))
    seen: set[tuple[str, int]] = set()
    looked_at: set[tuple[str, int]] = set()
    for key, position, how in _witnessed(pool, trials, known):
        if (key.curve, key.x) in seen or (key.curve, key.d) in looked_at:
            continue
        looked_at.add((key.curve, key.d))
        if not CURVES[key.curve].is_constant(key.d) and ec_closes(key):
            seen.add((key.curve, key.x))
            size = readings.width(how, CURVES[key.curve].n.bit_length())
            yield Related(
                key=key,
                proof=PROOF,
                encoding=f"d {how.name}",
                places=(pool.place(position, size),),
            )


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read the scalar of a candidate again, in each reading."""
    place = candidate.places[0]
    raw = memory.read(place.space, place.offset, place.size)
    values = (readings.decode(how, raw) for how in readings.table(memory.map.byte_order))
    keys = (ec_derived(candidate.curve, value) for value in values if value)
    return [key for key in keys if key is not None]


# --- what is tried ------------------------------------------------------------------------------


def _likeliest(pool: Pool, how: Reading, position: Offsets, bits: int) -> Offsets:
    """Put first what fills an array of V8 as BN.js reads it from bytes or text, then what fits one.

    The word before is the array's length: a word for each three bytes that were read. What BN.js
    computes stands in crowds, in longer arrays. Those of jsbn are as long as they have grown.
    """
    kind = f"{'>' if how.swapped else '<'}u{how.word}"
    length = readings.gather(pool.data, position - how.word, kind) >> np.uint64(how.shift)
    given, fits = -(-bits // 24), readings.count(how, bits)
    rank = np.where(length == given, 0, np.where(length == fits, 1, 2))
    if how.name in _JSBN:
        rank = np.where(np.isin(length, _GROWN), 0, 1)
    return position[np.argsort(rank, kind="stable")]


def _announced(pool: Pool, how: Reading, position: Offsets, bits: int) -> Offsets:
    """Keep what stands behind the count of its digits, where its reading asks for that.

    MIT Scheme has a header before it: the words behind that, below six bits of type.
    """
    if how.name not in (_MIT, *_PYPY):
        return position
    count, kind = readings.count(how, bits), f"{'<>'[how.swapped]}u{how.word}"
    position = position[position >= 2 * how.word]
    size = readings.gather(pool.data, position - how.word, kind)
    good = size == count
    if how.name == _MIT:
        header = readings.gather(pool.data, position - 2 * how.word, kind)
        good &= header & np.uint64((1 << 58) - 1) == count + 1
    announced: Offsets = position[good]
    return announced


def _wanted(
    pool: Pool,
    known: Collection[tuple[str, int]],
    trials: Sequence[_Trial],
    begun: Sequence[tuple[Reading, Offsets]],
) -> Iterator[str]:
    """Yield the usual curves, and the rare ones in use if anything was tried on those before.

    What is digits of a number on a rare curve is read on a usual one of its size too; where it is
    of no usual size, a point of the curve says that it is in use.
    """
    yield from (name for name in MOST if name not in RARE)
    named = frozenset(curve for curve, _ in known).intersection(RARE)
    if pool.few:
        named |= {name for name in RARE if name not in named and _pointed(pool, name, begun)}
    yield from sorted(_rare(pool, named, begun) if trials else named)


def _pointed(pool: Pool, name: str, begun: Sequence[tuple[Reading, Offsets]]) -> bool:
    """Tell whether a point of a curve stands in digits: nothing else satisfies the equation.

    Seen in LibTomCrypt, which keeps the generator only while it makes or uses a key.
    """
    curve = CURVES[name]
    bits = curve.p.bit_length()
    for how, at in begun:
        if len(at) < 2:
            continue
        found = at[digits.stand(pool, how, at, bits)]
        found = found[digits.full(pool, how, found, bits)][:MOST_POINTED]
        found = found[variety.fits(pool, found, readings.width(how, bits))]
        if len(found) > 1 and not _no_coordinates(pool, curve, how, found).all():
            return True
    return False


def _rare(
    pool: Pool, named: frozenset[str], begun: Sequence[tuple[Reading, Offsets]]
) -> frozenset[str]:
    """Return the rare curves that are named, and whose generator stands in digits, or in limbs.

    In limbs, and in digits anywhere, where there are few runs; else where numbers begin alone.
    """
    rows: list[_Spelled] = []
    for name in (name for name in RARE if name not in named):
        curve = CURVES[name]
        x, bits = generator(curve)[0], curve.p.bit_length()
        forms = spellings(curve, big_endian=pool.big_endian) if pool.few else ()
        raws = {form.encode(curve, x) for form in forms if form.word > 1 or not form.most_first}
        rows += [(name, readings.BYTES, raw) for raw in sorted(raws)]
        rows += [
            (name, how, readings.encode(how, number, bits))
            for how, _ in begun
            for number in generator(curve)
        ]
    spots = _beginning(pool, begun, rows)
    if pool.few:
        lows = words.firsts(raw for *_, raw in rows)
        spots = ((rows[row], at) for row, at in words.find(pool.data, lows))
    there = (name for (name, how, raw), at in spots if readings.stands(how, pool.data, at, raw))
    return named.union(there)


def _beginning(
    pool: Pool,
    begun: Sequence[tuple[Reading, Offsets]],
    rows: Sequence[_Spelled],
) -> Iterator[tuple[_Spelled, int]]:
    """Yield the numbers, and where one begins whose first digit is theirs."""
    for how, at in begun:
        digit = readings.gather(pool.data, at, f"<u{how.word}")
        for row in (row for row in rows if row[1] == how):
            first = np.uint64(int.from_bytes(row[2][: how.word], "little"))
            yield from ((row, spot) for spot in at[digit == first].tolist())


def _trials(pool: Pool, curve: Curve, how: Reading, begun: Offsets) -> Iterator[_Trial]:
    """Derive the points of what is a number of about the order's length.

    What ends within its last digit, with the memory, is no number.
    """
    bits = curve.n.bit_length()
    begun = _announced(pool, how, begun, bits)
    found = begun[digits.stand(pool, how, begun, bits)]
    found = found[variety.fits(pool, found, readings.width(how, bits))]
    if not len(found):
        return
    found = found[digits.full(pool, how, found, bits)]
    if how.name not in _PYPY:
        found = found[digits.own(pool, how, found, bits)]
    if how.name in (*_BN_JS, *_JSBN):
        found = _likeliest(pool, how, found, bits)
    top = readings.top(how, pool.data, found, bits)
    found = found[top >= np.uint64(1 << (readings.WIDE - digits.LACK))]
    if len(found) > pool.budget(*MOST[curve.name]):
        found = found[_no_coordinates(pool, curve, how, found)]
    if how == readings.python(pool.readings):
        found = digits.counted(pool, how, found, bits)
    column = np.arange(readings.width(how, bits))
    for start in range(0, len(found), _ROWS):
        part = found[start : start + _ROWS]
        values = readings.decode_all(how, pool.data[part[:, None] + column])
        rows = [
            (position, value)
            for position, value in zip(part.tolist(), values, strict=True)
            if value < curve.n and _is_varied(curve, value)
        ]
        derived = comb.derive(curve, [value for _, value in rows])
        for key, (position, _) in zip(derived, rows, strict=True):
            if key is not None:
                yield key, position, how


def _no_coordinates(pool: Pool, curve: Curve, how: Reading, found: Offsets) -> Flags:
    """Tell which of some numbers are no x or y of a point of which the other one is among them.

    A table of multiples of G is hundreds of points. Seen in python-ecdsa, which has one for each
    curve in use: keys on brainpoolP256r1 came behind it.
    """
    a, b = coefficients(curve)
    column = np.arange(readings.width(how, curve.n.bit_length()))
    values: list[int] = []
    for start in range(0, min(len(found), MOST_SIEVED), _ROWS):
        rows = found[start : min(start + _ROWS, MOST_SIEVED)]
        values += readings.decode_all(how, pool.data[rows[:, None] + column])
    roots: dict[int, list[int]] = {}
    for index, y in enumerate(values):
        roots.setdefault(y * y % curve.p, []).append(index)
    good: Flags = np.ones(len(found), np.bool_)
    for index, x in enumerate(values):
        met = roots.get((x * x * x + a * x + b) % curve.p)
        if met is not None:
            good[[index, *met]] = False
            met.clear()  # of many copies of a point each is struck out once
    return good


def _is_varied(curve: Curve, value: int) -> bool:
    """Tell whether a number has as many different bytes as random ones have."""
    return len(set(value.to_bytes(curve.size, "big"))) >= variety.LEAST_VARIED[curve.size]


# --- what bears witness -------------------------------------------------------------------------


def _witnessed(
    pool: Pool, trials: Sequence[_Trial], known: Collection[tuple[str, int]]
) -> Iterator[_Trial]:
    """Yield the trials whose point was read, or whose x stands in the pool in any spelling.

    Or y in the same digits, or as limbs that were freed.
    """
    yield from (trial for trial in trials if (trial[0].curve, trial[0].x) in known)
    rows = [
        (trial, spelled)
        for trial in trials
        for spelled in _spelled(trial[0], trial[2], big_endian=pool.big_endian)
    ]
    lows = words.firsts(raw for _, (_, raw) in rows)
    for row, position in words.find(pool.data, lows):
        (key, at, how), (form, raw) = rows[row]
        size = readings.width(how, CURVES[key.curve].n.bit_length())
        apart = position + len(raw) <= at or position >= at + size
        if apart and readings.stands(form, pool.data, position, raw):
            yield key, at, how
    ys = [(key.curve, key.y) for key, *_ in trials]
    yield from (trials[index] for index, *_ in freed(pool.data, ys, big_endian=pool.big_endian))


def _spelled(key: Ec, how: Reading, *, big_endian: bool) -> Iterator[tuple[Reading, bytes]]:
    """Yield x in the digits of its scalar, in the Montgomery form of these, and as libraries do.

    And y in the digits: x in digits looks like no random number once in six hundred times, and
    stands in no run then. Seen in Python (ecdsa), of a key that was let go.
    """
    curve = CURVES[key.curve]
    bits = curve.p.bit_length()
    yield how, readings.encode(how, key.x, bits)
    yield how, readings.encode(how, key.y, bits)
    yield how, readings.encode(how, key.x * digits.radix(how, bits) % curve.p, bits)
    for form in spellings(curve, big_endian=big_endian):
        yield readings.BYTES, form.encode(curve, key.x)
