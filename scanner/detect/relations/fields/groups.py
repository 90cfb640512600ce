"""Groups of a finite field in which a key may stand: what of the dump says that one is in use.

The parameters of a DSA key as DER (RFC 3279 2.3.2) or as bare numbers, and those of a public key
that was read, where its p stands or the operator gave it. This module tries no exponent.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scanner.detect.algebra import gmp
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import der
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.fields import subgroups
from scanner.detect.relations.places import digits, words
from scanner.detect.relations.places.words import Whole
from scanner.model import Place

MOST_GROUPS, MOST_BASES, MOST_STATED = 4, 4, 64
"""Groups that are tried; bases of one of which nothing says the generator; and groups of public
keys whose p is looked for."""

_WORD, _TOLD = 8, 64
"""Bytes of a word, and of a p by which it is told that it stands."""

# SEQUENCE { INTEGER p, INTEGER q, INTEGER g } of 1024 to 3072 and of 160, 224 or 256 bits.
_PARAMETERS = re.compile(
    rb"\x02(?:\x81\x81|\x82\x01\x01|\x82\x01\x81)\x00[\x80-\xff](?s:.){127,383}?"
    rb"\x02(?:\x15|\x1d|\x21)\x00[\x80-\xff](?s:.){19}"
)

_DER = 3 * (384 + 5)


@dataclass(frozen=True, slots=True)
class Group:
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


def of_dsa(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Group]:
    """Yield the groups of DSA and X9.42 in use: those of public keys, in DER, and bare numbers."""
    publics = list(publics)
    moduli = {public.n for public in publics if public.n}  # RSA's: the pool alone bears witness
    read = stated(pool, [public for public in publics if public.group[1]])
    bases: dict[tuple[int, int], dict[int, tuple[Place, ...]]] = {}
    for p, q, g in list(read)[:MOST_GROUPS]:
        bases.setdefault((p, q), {})[g] = ()
    for match in _PARAMETERS.finditer(pool.data.data):
        parameters = _parameters(pool.data[match.start() : match.start() + _DER].tobytes())
        if parameters is not None and len(bases) < MOST_GROUPS:
            (p, q, g), size = parameters
            bases.setdefault((p, q), {}).setdefault(g, (pool.place(match.start(), size),))
    for found in itertools.islice(subgroups.search(pool, moduli), MOST_GROUPS):
        of_group = bases.setdefault((found.p, found.q), {})
        of_group |= {g: places or found.places for g, places in of_group.items()}
        if not of_group:
            of_group |= itertools.islice(found.bases.items(), MOST_BASES)
    for (p, q), of_group in bases.items():
        keys = [key for group, keys in read.items() if group[:2] == (p, q) for key in keys]
        there = {(key.group[2], key.y): key for key in keys}
        algorithm = "dhx" if any(key.algorithm == "dhx" for key in keys) else "dsa"
        if any(_exchanges(pool, p, q, g) for g in of_group):
            algorithm = "dhx"
        yield Group(algorithm, p, q, q.bit_length(), of_group, there)


def stated(pool: Pool, publics: Iterable[PublicKey]) -> dict[tuple[int, int, int], list[PublicKey]]:
    """Return the public keys of the groups that are to be tried, by p, q and g.

    Their p stands in the pool, or the key was read among its runs, or the operator gave it.
    """
    groups: dict[tuple[int, int, int], list[PublicKey]] = {}
    for public in publics:
        if public.group in groups or len(groups) < MOST_STATED:
            groups.setdefault(public.group, []).append(public)
    hows = (*readings.unpacked(pool.readings), *digits.held(pool.readings))
    there = standing(pool, {p for p, _, _ in groups}, hows)
    return {
        group: keys
        for group, keys in groups.items()
        if group[0] in there or any(_told(pool, key) for key in keys)
    }


def _told(pool: Pool, key: PublicKey) -> bool:
    place = key.witness.place
    return key.witness.kind == "known" or (place is not None and (pool.few or pool.spans(place)))


def standing(
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
    found: dict[int, set[Reading]] = {}

    def spell(index: int) -> Whole:
        _, how, raw = forms[index]
        return Whole(raw, 0, how.step, how.told)

    for index, position in words.find(pool.data, words.firsts(raw for *_, raw in forms), spell):
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
    return next(words.find_whole(pool.data, [rest]), None) is not None


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
    if at > len(raw) or q < 2 or (p - 1) % q or not 1 < g < p or gmp.power(g, q, p) != 1:
        return None
    return (p, q, g), at
