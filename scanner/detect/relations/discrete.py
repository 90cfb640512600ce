"""DSA and Diffie-Hellman keys held as bare numbers: g**x = y modulo p, and y stands elsewhere.

A group must be there before anything is tried: the parameters of a DSA key as DER (RFC 3279 2.3.2)
or as bare numbers; those of a public key that was read, where its p stands or the operator gave it;
or the prime of a group that everybody uses (RFC 3526, RFC 7919), whose keys are a handshake's own
as a rule. An exponentiation takes milliseconds, so few are done: of what is digits, and of what
fills its words. One exponent is one key: raised to it a peer's public number gives a shared secret,
which stands as well. The exponent whose power, modulo q, is there is the nonce of a signature.
Exponents of DSA below 224 bits are not looked for but as digits: twenty bytes are no run.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from scanner.detect.algebra import effort, named_groups
from scanner.detect.algebra.material import Ffc, Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import der
from scanner.detect.integers import likelihood, readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations import digits, laid, logarithms, subgroups, words, written
from scanner.detect.relations.fixedbase import powers
from scanner.detect.relations.logarithms import Piece
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import NONCE_DSA, Candidate, Place

MOST_GROUPS, MOST_BASES, MOST_STATED = 4, 4, 64
"""Groups that are tried; bases of one of which nothing says the generator; and groups of public
keys whose p is looked for."""

ORDERED, SPENT, LEAST = (300_000, 600_000), (250_000, 100_000), (24, 8)
"""Microseconds that exponentiations to one base take where the order is known, without a public key
and with one that was read; and together where it is not, in a section of few runs and of many; and
how many there are then at least in a group for whose y a number stands. A library that names a
group has its prime in every process that maps it."""

PROOF = "g**x = y"

_SHARE, _MOST_ANSWERS, _VARIED = 16, 1024, 0.88
"""How much more a group is worth for whose y a number stands, how many of its length are looked at,
and how many different bytes it has, of those that a random one has."""

_CHEAP = 4096
"""Bits of a p up to which so many are done too where the primes of many groups stand."""

_WORD, _TOLD = 8, 64
"""Bytes of a word, and of a p by which it is told that it stands."""

_TABLES, _GAIN = 5, 5
"""What many powers of one base cost at first, in powers, and by how much the rest are cheaper."""

# SEQUENCE { INTEGER p, INTEGER q, INTEGER g } of 1024 to 3072 and of 224 or 256 bits.
_PARAMETERS = re.compile(
    rb"\x02(?:\x81\x81|\x82\x01\x01|\x82\x01\x81)\x00[\x80-\xff](?s:.){127,383}?"
    rb"\x02(?:\x1d|\x21)\x00[\x80-\xff](?s:.){27}"
)

_DER = 3 * (384 + 5)

_COSTLY = 4
"""How much more a power costs where the exponent is half as long as p."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A group, and its bases, the likeliest generator first.

    With where the parameters of each were read: in one place as DER, or in three as bare numbers.
    """

    algorithm: str
    p: int
    q: int
    """The order; 0 where nothing names it."""
    bits: int
    """Of its exponents."""
    bases: Mapping[int, tuple[Place, ...]]
    stated: Mapping[tuple[int, int], PublicKey] = field(default_factory=dict)
    """Public keys that were read, by base and public number."""
    java: bool = True
    """Exponents and public numbers are read in Java's words too, where the machine has them."""

    def hows(self, pool: Pool) -> tuple[Reading, ...]:
        """Return how its numbers are read that fill their words, bytes last."""
        return (readings.unpacked if self.java else readings.whole)(pool.readings)


def search_dsa(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key of DSA or X9.42 whose exponent stands in the pool, and its public number.

    Where the public number was read it need not stand.
    """
    publics = list(publics)
    moduli = {public.n for public in publics if public.n}  # RSA's: the pool alone bears witness
    stated = _stated(pool, [public for public in publics if public.group[1]])
    bases: dict[tuple[int, int], dict[int, tuple[Place, ...]]] = {}
    for p, q, g in list(stated)[:MOST_GROUPS]:
        bases.setdefault((p, q), {})[g] = ()
    for match in _PARAMETERS.finditer(pool.data.data):
        read = _parameters(pool.data[match.start() : match.start() + _DER].tobytes())
        if read is not None and len(bases) < MOST_GROUPS:
            (p, q, g), size = read
            bases.setdefault((p, q), {}).setdefault(g, (pool.place(match.start(), size),))
    for found in itertools.islice(subgroups.search(pool, moduli), MOST_GROUPS):
        of_group = bases.setdefault((found.p, found.q), {})
        of_group |= {g: places or found.places for g, places in of_group.items()}
        if not of_group:
            of_group |= itertools.islice(found.bases.items(), MOST_BASES)
    for (p, q), of_group in bases.items():
        keys = [key for group, keys in stated.items() if group[:2] == (p, q) for key in keys]
        there = {(key.group[2], key.y): key for key in keys}
        algorithm = "dhx" if any(key.algorithm == "dhx" for key in keys) else "dsa"
        if any(_exchanges(pool, p, q, g) for g in of_group):
            algorithm = "dhx"
        group = _Group(algorithm, p, q, q.bit_length(), of_group, there)
        yield from _search(pool, group, ORDERED[bool(there)])


def search_dh(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key whose prime, x and y stand in the pool, in a group without an order.

    It is one of RFC 3526 or RFC 7919, or one of a public key that was read.
    """
    yield from written.search(pool, publics)
    stated = _stated(pool, [public for public in publics if not public.n])
    named = {group.p: group.short for group in named_groups.named()}
    primes = [*named, *(p for p, _, _ in stated if p not in named)]
    there = _standing(pool, primes, readings.unpacked(pool.readings))
    found = [(p, named_groups.G) for p in named if p in there]
    found += [(p, g) for p, _, g in list(stated)[:MOST_GROUPS] if (p, g) not in found]
    shares = [_SHARE if _answered(pool, p.bit_length() // 8) else 1 for p, _ in found]
    bound = effort.Bound(laid.SPENT)
    for (p, g), share in zip(found, shares, strict=True):
        ys = {(g, key.y): key for key in stated.get((p, 0, g), ())}
        given = any(key.witness.kind == "known" for key in ys.values())
        java = given or readings.JAVA in there.get(p, ())
        group = _Group("dh", p, 0, named_groups.short(p.bit_length()), {g: ()}, ys, java)
        budget = pool.budget(*SPENT) * share // sum(shares)
        cheap = p.bit_length() <= _CHEAP or len(found) <= 2
        least = pool.budget(*LEAST) if share == _SHARE and cheap else 0
        yield from _search(pool, group, budget, least)
        for piece, y in laid.exponents(pool, p, g, there.get(p, ()), bound):
            yield _related(pool, group, _Trial(piece, g, y), PROOF)
        if java:
            bits = min(p.bit_length() // 2, logarithms.LONGEST)
            yield from _search(pool, replace(group, bits=bits), budget, least // _COSTLY)


# --- groups -------------------------------------------------------------------------------------


def _stated(
    pool: Pool, publics: Iterable[PublicKey]
) -> dict[tuple[int, int, int], list[PublicKey]]:
    """Return the public keys of the groups that are to be tried, by p, q and g.

    Their p stands in the pool, or the key was read among its runs, or the operator gave it.
    """
    groups: dict[tuple[int, int, int], list[PublicKey]] = {}
    for public in publics:
        if public.group in groups or len(groups) < MOST_STATED:
            groups.setdefault(public.group, []).append(public)
    hows = (*readings.unpacked(pool.readings), *digits.held(pool.readings))
    there = _standing(pool, {p for p, _, _ in groups}, hows)
    return {
        group: keys
        for group, keys in groups.items()
        if group[0] in there or any(_told(pool, key) for key in keys)
    }


def _told(pool: Pool, key: PublicKey) -> bool:
    place = key.witness.place
    return key.witness.kind == "known" or (place is not None and pool.spans(place))


def _standing(
    pool: Pool, numbers: Iterable[int], hows: Sequence[Reading]
) -> dict[int, set[Reading]]:
    """Return the numbers whose last bits, but for a word, stand in some readings, and in which.

    The primes of RFC 3526 begin alike, and all end in ones.
    """
    forms = [
        (number, how, _last(how, readings.encode(how, number, number.bit_length())))
        for number in numbers
        for how in hows
    ]
    wanted = [int.from_bytes(raw[:8], "little") for *_, raw in forms]
    found: dict[int, set[Reading]] = {}
    for index, position in words.find(pool.data, np.array(wanted, np.uint64)):
        number, how, raw = forms[index]
        if readings.stands(how, pool.data, position, raw):
            found.setdefault(number, set()).add(how)
    return found


def _last(how: Reading, raw: bytes) -> bytes:
    """Return _TOLD bytes of a number that is spelled, next to its last word."""
    first = -(-_WORD // how.step) * how.step
    return raw[-first - _TOLD : -first] if how.most_first else raw[first : first + _TOLD]


def _exchanges(pool: Pool, p: int, q: int, g: int) -> bool:
    """Tell whether the numbers stand in the order of X9.42: of DSA q is the second (RFC 3279)."""
    ordered = b"".join(_integer(value) for value in (p, g, q))
    rest = ordered[len(_integer(p)) - _WORD :]
    wanted = np.array([int.from_bytes(rest[:_WORD], "little")], np.uint64)
    return any(words.stands(pool.data, at, rest) for _, at in words.find(pool.data, wanted))


def _integer(value: int) -> bytes:
    return der.write(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _parameters(raw: bytes) -> tuple[tuple[int, int, int], int] | None:
    """Read p, q and g as DER, and how many bytes they take: q divides p - 1, and g**q = 1."""
    numbers, at = [], 0
    for _ in range(3):
        if len(raw) < at + 4 or raw[at] != 0x02:
            return None
        size, head = raw[at + 1], 2
        if size > 0x80:
            head = 2 + (size & 0x7F)
            size = int.from_bytes(raw[at + 2 : at + head], "big")
        numbers.append(int.from_bytes(raw[at + head : at + head + size], "big"))
        at += head + size
    p, q, g = numbers
    if at > len(raw) or q < 2 or (p - 1) % q or not 1 < g < p or pow(g, q, p) != 1:
        return None
    return (p, q, g), at


# --- exponents ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Trial:
    """An exponent that was read, and what it gives."""

    piece: Piece
    g: int
    y: int


def _search(pool: Pool, group: _Group, budget: int, least: int = 0) -> Iterator[Related]:
    """Yield a key for each exponent: that of a public key that was read, or of the first base.

    Exponentiations to one base take at most so many microseconds, but for the ``least``.
    """
    found: dict[int, tuple[_Trial, str]] = {}
    most = max(_afforded(group, budget), least)
    for g, places in group.bases.items():
        if group.q:
            tried = [
                *logarithms.in_digits(pool, group.q, places, most),
                *logarithms.of_order(pool, group.q, places, most, group.p),
            ]
            if group.algorithm == "dhx":
                tried += _shorter(pool, group, tried)[:most]
        else:
            short = logarithms.short(pool, group.bits, ints=group.java)
            tried = list(itertools.islice(short, most))
        power = _power(g, group, tried)
        trials = [_Trial(piece, g, power(piece.x)) for piece in tried]
        for trial, proof in _proved(pool, group, trials):
            before = found.get(trial.piece.x)
            told = (g, trial.y) in group.stated
            if before is None or (told and (before[0].g, before[0].y) not in group.stated):
                found[trial.piece.x] = trial, proof
    multiples = {times * x for x in found for times in logarithms.MULTIPLES}
    for x, (trial, proof) in found.items():
        if x not in multiples or (trial.g, trial.y) in group.stated:  # else sighted with its key
            yield _related(pool, group, trial, proof)


def _related(pool: Pool, group: _Group, trial: _Trial, proof: str) -> Related:
    piece, key = trial.piece, group.stated.get((trial.g, trial.y))
    return Related(
        key=Ffc(
            algorithm=key.algorithm if key else group.algorithm,
            p=group.p,
            q=group.q,
            g=trial.g,
            x=piece.x,
            y=trial.y,
            more=key.raw if key else b"",
        ),
        proof=proof,
        encoding=f"x {piece.how.name}",
        places=(pool.place(piece.position, piece.size), *group.bases[trial.g]),
    )


def _shorter(pool: Pool, group: _Group, tried: Sequence[Piece]) -> list[Piece]:
    """Return exponents that are shorter than the order, as OpenSSL makes those of X9.42."""
    bits = named_groups.short(group.p.bit_length())
    seen = {piece.x for piece in tried}
    found = logarithms.short(pool, bits, ints=True) if bits < group.bits else ()
    return [piece for piece in found if piece.x not in seen and piece.x < group.q]


def _power(g: int, group: _Group, tried: Sequence[Piece]) -> Callable[[int], int]:
    """Return what raises g to the exponents: prepared, where there are many."""
    if len(tried) <= _TABLES:
        return lambda x: pow(g, x, group.p)
    return powers(g, group.p, max(piece.x.bit_length() for piece in tried))


def _afforded(group: _Group, budget: int) -> int:
    """Return how many exponentiations so many microseconds suffice for."""
    each = effort.raising(max(group.bits, 256), group.p.bit_length())
    return max(budget // each, _GAIN * (budget // each - _TABLES))


def _answered(pool: Pool, size: int) -> bool:
    """Tell whether a number of so many bytes fills its run that may be a public one.

    It has as many different bytes as a random one, and is no prime of a named group.
    """
    found = pool.head[(pool.head >= 0) & (pool.tail - pool.head == size)][:_MOST_ANSWERS]
    last = readings.gather(pool.data, found + size - 8, "<u8")
    found = found[last != np.uint64((1 << 64) - 1)]
    values = likelihood.values(pool.data[found[:, None] + np.arange(size)])
    return bool((values >= _VARIED * 256 * (1 - (255 / 256) ** size)).any())


def _proved(pool: Pool, group: _Group, trials: Sequence[_Trial]) -> Iterator[tuple[_Trial, str]]:
    """Yield the trials whose y was read or stands in the pool, each once, with what it proves."""
    bits = group.p.bit_length()
    stated = {id(trial) for trial in trials if (trial.g, trial.y) in group.stated}
    there = {
        id(trials[i])
        for i in _found(pool, group, [(t.piece.how, t.y) for t in trials], bits, group.p)
    }
    once: set[int] = set()
    if group.algorithm == "dsa":
        rests = [(trial.piece.how, trial.y % group.q) for trial in trials]
        once = {id(trials[i]) for i in _found(pool, group, rests, group.q.bit_length())}
    for trial in trials:
        if id(trial) in stated or id(trial) in there | once:
            nonce = id(trial) in once and id(trial) not in stated
            yield trial, NONCE_DSA if nonce else PROOF


def _found(
    pool: Pool,
    group: _Group,
    numbers: Sequence[tuple[Reading, int]],
    bits: int,
    modulus: int = 0,
) -> Iterator[int]:
    """Yield the indices of numbers that stand: as bytes, limbs, Java's words, or the digits given.

    Modulo a ``modulus`` in Montgomery form too.
    """
    size = (bits + 7) // 8
    radix = 1 << 64 * -(-size // 8)
    *limbs, plain = group.hows(pool)
    forms = []
    for index, (how, number) in enumerate(numbers):
        forms.append((index, plain, readings.encode(plain, number, bits), size - 8))
        ways = [(limb, radix) for limb in limbs]
        ways += [(how, digits.radix(how, bits))] if how.packed else []
        for way, turned in ways:
            values = (number, number * turned % modulus) if modulus else (number,)
            forms += [(index, way, readings.encode(way, value, bits), 0) for value in values]
    wanted = [int.from_bytes(value[at : at + 8], "little") for *_, value, at in forms]
    for form, position in words.find(pool.data, np.array(wanted, np.uint64)):
        index, way, value, at = forms[form]
        if readings.stands(way, pool.data, position - at, value):
            yield index


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read an exponent again, in each reading."""
    table = readings.table(memory.map.byte_order)
    place, (p, q, g) = candidate.places[0], candidate.group
    raw = memory.read(place.space, place.offset, place.size)
    hows = (*readings.unpacked(table), *digits.held(table))
    numbers = [readings.decode(how, raw) for how in hows]
    return [
        Ffc(
            algorithm=candidate.algorithm,
            p=p,
            q=q,
            g=g,
            x=x,
            y=pow(g, x, p),
            more=b"" if candidate.proof == NONCE_DSA else candidate.more,  # who signed
        )
        for x in numbers
        if x and x.bit_length() <= p.bit_length()
    ]
