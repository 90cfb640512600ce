"""Numbers of the named curves, and the spellings in which memory holds a coordinate.

Sources: SEC 2 and FIPS 186-4 D.1.2 (NIST curves, secp256k1), RFC 5639 section 3 (brainpool).
Libraries compute in Montgomery form, x*R mod p, and keep public points so; R is a power of two that
fills their limbs: on P-521 another one where these have 32 bits. This module holds no secret and
knows no point but as a number.
"""

import bisect
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from scanner.arrays import Bytes, Words
from scanner.detect.algebra import gmp
from scanner.detect.algebra.curve_points import GROUPS
from scanner.detect.evidence import ec_derived
from scanner.detect.integers import readings
from scanner.detect.relations.places import words
from scanner.detect.relations.places.words import Whole
from scanner.fingerprint import FIELD_BYTES

_K1 = (1 << 256) - (1 << 32) - 977
_WORD, _HALF = (1 << 64) - 1, 4

_VARIED = 5
"""Different bytes of a word by which a constant of a curve is looked up."""

FIELDS = {
    "secp256k1": (
        readings.Reading(name="digits-52", digit=52, word=8, align=8),
        readings.Reading(name="digits-26", digit=26, word=4, align=4),
    ),
    "P-521": (readings.Reading(name="digits-58", digit=58, word=8, align=8),),
}
"""How libraries of one curve spell a coordinate: words with room for carries. Seen in k256 and p521
(Rust); libsecp256k1 and fiat-crypto compute so."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a number of a curve is read, and the name of it."""

    name: str
    order: Literal["little", "big"]
    word: int = 1

    def decode(self, raw: bytes) -> int:
        """Return the number that some bytes spell."""
        if self.word == 1:
            return int.from_bytes(raw, self.order)
        words_ = [raw[at : at + self.word] for at in range(0, len(raw), self.word)]
        return int.from_bytes(b"".join(reversed(words_)), self.order)


LITTLE = Reading("limbs-le", "little")
BIG = Reading("bytes-be", "big")
JAVA = Reading("java-words", "little", 4)
WORDS = (Reading("limbs-be64", "big", 8), Reading("limbs-be32", "big", 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The field prime and the order of the group."""

    name: str
    p: int
    n: int

    @property
    def size(self) -> int:
        """Bytes of a coordinate, and of a scalar."""
        return FIELD_BYTES[self.name]

    @property
    def radix(self) -> int:
        """R of the Montgomery forms of both: the power of two that fills 64-bit limbs."""
        return 1 << 64 * -(-self.size // 8)

    @property
    def half_radix(self) -> int:
        """R where limbs have 32 bits: another one on P-224 and P-521."""
        return 1 << 32 * -(-self.size // 4)

    def is_constant(self, d: int) -> bool:
        """Tell whether a scalar is a power of 2**32: whoever computes modulo the order keeps R's.

        Of any such power the multiple of G may stand in a table of doublings (elliptic, on P-521,
        beside BoringSSL's R**2 for limbs of 64 bits, which is another power for limbs of 32). Or a
        sixth root of one, by which a curve's endomorphism multiplies: elliptic has that of
        secp256k1, and the point that it makes of G.
        """
        words = self.radix.bit_length() // 32
        powers = (gmp.power(2, 32 * count, self.n) for count in range(-words, 4 * words))
        return d in powers or gmp.power(d, 6, self.n) == 1


def _hex(text: str) -> int:
    return int(text.replace(" ", ""), 16)


CURVES: dict[str, Curve] = {
    curve.name: curve
    for curve in (
        Curve(
            name="P-224",
            p=(1 << 224) - (1 << 96) + 1,
            n=(1 << 224) - _hex("e95d1f470fc1ec22d6baa3a3d5c3"),
        ),
        Curve(
            name="P-256",
            p=(1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1,
            n=_hex("ffffffff00000000ffffffffffffffff bce6faada7179e84f3b9cac2fc632551"),
        ),
        Curve(
            name="P-384",
            p=(1 << 384) - (1 << 128) - (1 << 96) + (1 << 32) - 1,
            n=(1 << 384) - _hex("389cb27e0bc8d220a7e5f24db74f58851313e695333ad68d"),
        ),
        Curve(
            name="P-521",
            p=(1 << 521) - 1,
            n=(1 << 521)
            - _hex("5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7"),
        ),
        Curve(
            name="secp256k1",
            p=_K1,
            n=(1 << 256) - _hex("14551231950b75fc4402da1732fc9bebf"),
        ),
        Curve(
            name="brainpoolP256r1",
            p=_hex("a9fb57dba1eea9bc3e660a909d838d72 6e3bf623d52620282013481d1f6e5377"),
            n=_hex("a9fb57dba1eea9bc3e660a909d838d71 8c397aa3b561a6f7901e0e82974856a7"),
        ),
        Curve(
            name="brainpoolP384r1",
            p=_hex(
                "8cb91e82a3386d280f5d6f7e50e641df 152f7109ed5456b412b1da197fb71123"
                "acd3a729901d1a71874700133107ec53"
            ),
            n=_hex(
                "8cb91e82a3386d280f5d6f7e50e641df 152f7109ed5456b31f166e6cac0425a7"
                "cf3ab6af6b7fc3103b883202e9046565"
            ),
        ),
        Curve(
            name="brainpoolP512r1",
            p=_hex(
                "aadd9db8dbe9c48b3fd4e6ae33c9fc07 cb308db3b3c9d20ed6639cca70330871"
                "7d4d9b009bc66842aecda12ae6a380e6 2881ff2f2d82c68528aa6056583a48f3"
            ),
            n=_hex(
                "aadd9db8dbe9c48b3fd4e6ae33c9fc07 cb308db3b3c9d20ed6639cca70330870"
                "553e5c414ca92619418661197fac1047 1db1d381085ddaddb58796829ca90069"
            ),
        ),
        *(Curve(name=name, p=group.p, n=group.n) for name, group in GROUPS.items()),
    )
}

USUAL = tuple(curve for curve in CURVES.values() if curve.name not in GROUPS)
"""Curves that are looked for where no public key names one."""


@functools.cache
def generator(curve: Curve) -> tuple[int, int]:
    """Return x and y of G."""
    key = ec_derived(curve.name, 1)
    assert key is not None
    return key.x, key.y


@functools.cache
def coefficients(curve: Curve) -> tuple[int, int]:
    """Return a and b of the curve's equation, which follow from two of its points: G and 2*G."""
    one, two = ec_derived(curve.name, 1), ec_derived(curve.name, 2)
    assert one is not None
    assert two is not None
    rest = [key.y**2 - key.x**3 for key in (one, two)]
    a = (rest[0] - rest[1]) * gmp.inverse(one.x - two.x, curve.p) % curve.p
    return a, (rest[0] - a * one.x) % curve.p


@functools.cache
def constants(curve: Curve) -> tuple[bytes, ...]:
    """Return the numbers of a curve that a library computes with, as it has them in its limbs.

    The moduli, R and its square, the equation's coefficients and the generator in Montgomery form;
    but those that are mostly ones or zeros, as the primes of NIST's curves.
    """
    size, (a, b) = -(-curve.size // 8) * 8, coefficients(curve)
    forms = (1, curve.radix, a, b, *generator(curve))
    numbers = [curve.p, curve.n, *(each * curve.radix % curve.p for each in forms)]
    spelled = (number.to_bytes(size, "little") for number in numbers)
    return tuple(raw for raw in spelled if len(set(raw[:8])) >= _VARIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One way in which a coordinate stands in memory."""

    radix: int = 1
    """What the number was multiplied with, modulo p."""
    most_first: bool = False
    word: int = 1
    """Bytes of a unit that is itself little-endian, or ``swapped``."""
    swapped: bool = False
    """Each unit is big-endian, and the least significant one comes first."""
    at: int = 0
    """Where in it stand the least significant 64 bits, or two digits."""
    digits: readings.Reading | None = None
    """How words hold fewer bits than they have: CPython's integers, and fields of some curves."""

    def encode(self, curve: Curve, x: int) -> bytes:
        """Spell a coordinate."""
        if self.digits:
            return readings.encode(self.digits, x, curve.p.bit_length())
        size = curve.size + -curve.size % self.word
        raw = (x * self.radix % curve.p).to_bytes(size, "little")
        if self.swapped:
            raw = raw[::-1]
        if not (self.most_first or self.swapped):
            return raw
        return b"".join(raw[i : i + self.word] for i in range(size - self.word, -1, -self.word))

    def lows(self, curve: Curve, xs: list[int]) -> Words:
        """Return, of each coordinate, the word that stands at ``at`` of its spelling."""
        if self.digits:
            bits, mask = self.digits.digit, (1 << self.digits.digit) - 1
            next_ = mask if self.digits.word == _HALF else 0
            if self.digits.swapped:
                up = 32 if next_ else 0
                two = np.array([(x & mask) << up | x >> bits & next_ for x in xs], np.uint64)
                return two.byteswap()
            return np.array([x & mask | (x >> bits & next_) << 32 for x in xs], np.uint64)
        low = np.array([x * self.radix % curve.p & _WORD for x in xs], np.uint64)
        if self.swapped or (self.most_first and self.word == 1):
            low = low.byteswap()
        if self.word == _HALF:
            low = (low << np.uint64(32)) | (low >> np.uint64(32))
        return low


def spellings(curve: Curve, *, big_endian: bool = False) -> tuple[Spelling, ...]:
    """Return the spellings of a coordinate: bytes, limbs, Montgomery limbs, Java's ints, digits.

    SymCrypt fills its digits of 512 bits where it has no special code for a field's size. On a
    ``big_endian`` machine a limb is swapped, and Java's ints are bytes.
    """
    fill = (1, curve.half_radix, curve.radix, 1 << 512 * -(-curve.size // 64))
    radices = sorted({radix % curve.p for radix in fill})
    plain = Spelling(most_first=True, at=curve.size - 8)
    limbs = ((1, False),) if not big_endian else ((8, True), (4, True))
    rows = [
        Spelling(radix=radix, word=word, swapped=swapped)
        for radix in radices
        for word, swapped in limbs
    ]
    roomy = (readings.DIGITS_30, *FIELDS.get(curve.name, ()))
    packed = (Spelling(digits=replace(how, swapped=big_endian)) for how in roomy)
    if big_endian:
        return (plain, Spelling(), *rows, *packed)
    whole = -(-curve.size // 4) * 4
    java = Spelling(most_first=True, word=4, at=whole - 8)
    return (plain, *rows, java, *packed)


def sightings(
    data: Bytes, coordinates: Sequence[tuple[str, int]], *, big_endian: bool, plain: bool = False
) -> Iterator[tuple[int, int, int]]:
    """Yield (index, position, bytes) wherever one of them, (curve, number), stands spelled.

    As the bytes of an encoded point alone, or as freed limbs, if ``plain``.
    """
    groups: list[tuple[Spelling, list[int]]] = []
    wanted, by_curve = [], defaultdict[str, list[int]](list)
    for index, (name, _) in enumerate(coordinates):
        by_curve[name].append(index)
    for curve in (curve for curve in CURVES.values() if curve.name in by_curve):
        mine = by_curve[curve.name]
        for form in spellings(curve, big_endian=big_endian)[: 1 if plain else None]:
            groups.append((form, mine))
            wanted.append(form.lows(curve, [coordinates[index][1] for index in mine]))
    table = np.concatenate(wanted) if wanted else np.empty(0, np.uint64)
    ends = list(itertools.accumulate(len(mine) for _, mine in groups))

    def told(row: int) -> tuple[int, Spelling]:
        which = bisect.bisect(ends, row)
        form, mine = groups[which]
        return mine[row - ends[which]], form  # counted from the end of its group

    def spell(row: int) -> Whole:
        index, form = told(row)
        name, number = coordinates[index]
        return Whole(form.encode(CURVES[name], number), form.at)

    for row, at in words.find(data, table, spell):
        value, ahead, *_ = spell(row)
        if words.stands(data, at - ahead, value):
            yield told(row)[0], at - ahead, len(value)
    if plain:
        yield from freed(data, coordinates, big_endian=big_endian)


def freed(
    data: Bytes, coordinates: Sequence[tuple[str, int]], *, big_endian: bool
) -> Iterator[tuple[int, int, int]]:
    """Yield (index, position, bytes) wherever limbs of one stand, but for the first two of them.

    glibc writes two words into a block that it takes back. Seen in gmpy2, behind python-ecdsa.
    """
    raws = [x.to_bytes(-(-CURVES[name].size // 8) * 8, "little")[16:] for name, x in coordinates]
    for index, at in words.find_whole(data, raws) if not big_endian else ():
        yield index, at, len(raws[index])
