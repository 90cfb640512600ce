"""DSA and Diffie-Hellman keys held as bare numbers: g**x = y modulo p, and y stands elsewhere.

A group must be there before anything is tried: the parameters of a DSA key as DER (RFC 3279 2.3.2)
or as bare numbers, or the prime of a group that everybody uses (RFC 3526, RFC 7919), whose keys are
a handshake's own as a rule. An exponentiation takes milliseconds, so few are done: of what is
digits, and of what fills its words. Exponents of DSA below 224 bits are not looked for but as
digits: twenty bytes are no run.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.detect.algebra.material import Ffc, Material
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations import digits, pieces, subgroups, words
from scanner.detect.relations.fixedbase import powers
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Candidate, Place

MOST_GROUPS = 4
"""Groups that are tried."""

MOST = 100
"""Exponentiations for each: 0.4 ms to 2 ms one. A library that names a group has its prime in every
process that maps it."""

PROOF = "g**x = y"

_NAMED = (
    (2048, 124476, 560316, 225),
    (3072, 1690314, 2625351, 275),
    (4096, 240904, 5736041, 325),
)
"""Bits of p; what RFC 3526 adds to pi, RFC 7919 to e; bits of a short exponent (RFC 7919 5.2)."""

# SEQUENCE { INTEGER p, INTEGER q, INTEGER g } of 1024 to 3072 and of 224 or 256 bits.
_PARAMETERS = re.compile(
    rb"\x02(?:\x81\x81|\x82\x01\x01|\x82\x01\x81)\x00[\x80-\xff](?s:.){127,383}?"
    rb"\x02(?:\x1d|\x21)\x00[\x80-\xff](?s:.){27}"
)


@dataclass(frozen=True, slots=True)
class _Group:
    """A group, the bits of its exponents, and where its parameters were read.

    In one place as DER, or in three as bare numbers.
    """

    p: int
    q: int
    g: int
    bits: int
    places: tuple[Place, ...] = ()


def search_dsa(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each DSA key whose exponent and public number stand in the pool."""
    known = {public.n for public in publics}  # RSA's: the pool alone bears witness
    groups: dict[tuple[int, int], _Group] = {}
    for match in _PARAMETERS.finditer(pool.data.data):
        read = _parameters(pool.data[match.start() : match.start() + _DER].tobytes())
        if read is not None and len(groups) < MOST_GROUPS:
            (p, q, g), size = read
            place = pool.place(match.start(), size)
            groups.setdefault((p, g), _Group(p, q, g, q.bit_length(), (place,)))
    for found in itertools.islice(subgroups.search(pool, known), MOST_GROUPS):
        p, q, g = found.p, found.q, found.g
        groups.setdefault((p, g), _Group(p, q, g, q.bit_length(), found.places))
    for group in groups.values():
        yield from _search(pool, "dsa", group)


def search_dh(pool: Pool, publics: Iterable[PublicKey]) -> Iterator[Related]:
    """Yield each key in a group of RFC 3526 or RFC 7919 whose prime, x and y stand in the pool."""
    del publics
    groups = _named()
    wanted = [word for group in groups for word in _middle(group.p)]
    there = {index // 2 for index, _ in words.find(pool.data, np.array(wanted, np.uint64))}
    for index in sorted(there)[:MOST_GROUPS]:
        yield from _search(pool, "dh", groups[index])


# --- groups -------------------------------------------------------------------------------------

_DER = 3 * (384 + 5)


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


@functools.cache
def _named() -> tuple[_Group, ...]:
    """Compute the groups of RFC 3526 section 3 and RFC 7919 appendix A: g = 2, p of e or pi."""
    groups = []
    for bits, pi_more, e_more, short in _NAMED:
        for number in (_pi(bits - 130) + pi_more, _e(bits - 130) + e_more):
            p = (1 << bits) - (1 << bits - 64) + (number << 64) - 1
            groups.append(_Group(p, 0, 2, short))
    return tuple(groups)


def _e(bits: int) -> int:
    """Return the integer part of e * 2**bits."""
    total = term = 1 << bits + 64
    divisor = 1
    while term:
        term //= divisor
        total += term
        divisor += 1
    return total >> 64


def _pi(bits: int) -> int:
    """Return the integer part of pi * 2**bits (Machin: 16 arctan 1/5 - 4 arctan 1/239)."""
    one = 1 << bits + 64
    return 4 * (4 * _arctan(5, one) - _arctan(239, one)) >> 64


def _arctan(inverse: int, one: int) -> int:
    total = term = one // inverse
    divisor, sign = 3, -1
    while term:
        term //= inverse * inverse
        total += sign * (term // divisor)
        divisor, sign = divisor + 2, -sign
    return total


def _middle(p: int) -> tuple[int, int]:
    """Return the second word of p, in both byte orders: the first one is all ones."""
    raw = (p >> (p.bit_length() - 128) & (1 << 64) - 1).to_bytes(8, "big")
    return int.from_bytes(raw, "big"), int.from_bytes(raw, "little")


# --- exponents ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Trial:
    """An exponent that was read, and what it gives."""

    x: int
    y: int
    place: Place
    position: int
    how: Reading


def _search(pool: Pool, algorithm: str, group: _Group) -> Iterator[Related]:
    trials = [
        *itertools.islice(_digits(pool, group), MOST),
        *itertools.islice(_trials(pool, group), MOST),
    ]
    seen: set[int] = set()
    for trial in _standing(pool, group, trials):
        if trial.y not in seen:
            seen.add(trial.y)
            yield Related(
                key=Ffc(algorithm=algorithm, p=group.p, q=group.q, g=group.g, x=trial.x, y=trial.y),
                proof=PROOF,
                encoding=f"x {trial.how.name}",
                places=(trial.place, *group.places),
            )


def _digits(pool: Pool, group: _Group) -> Iterator[_Trial]:
    """Raise g to numbers of the order's length that stand as digits, the nearest first."""
    for how in digits.held(pool.readings) if group.q else ():
        size = readings.width(how, group.bits)
        found = digits.starts(pool, how, (size,))
        found = found[digits.stand(pool, how, found, group.bits)]
        found = found[digits.full(pool, how, found, group.bits)]
        top = readings.top(how, pool.data, found, group.bits)
        found = found[top >= np.uint64(1 << (readings.WIDE - digits.LACK))]
        for position in pieces.nearest(pool, found, group.places).tolist():
            x = readings.decode(how, pool.data[position : position + size].tobytes()) or 0
            if 1 < x < group.q:
                y = powers(group.g, group.p, group.bits)(x)
                yield _Trial(x, y, pool.place(position, size), position, how)


def _trials(pool: Pool, group: _Group) -> Iterator[_Trial]:
    """Raise g to numbers of the pool that fill their words."""
    power = powers(group.g, group.p, max(group.bits, 256))
    for size, judged in {((group.bits + 7) // 8, group.bits // 64 * 8), (32, 32)}:
        if judged not in pieces.LEAST_VARIED:
            continue
        top = 1 << (group.bits if size != 32 or group.q else 256)
        positions = pieces.aligned(pool, judged, 8 * MOST, group.places)
        for position in positions[positions + size <= len(pool.data)].tolist():
            raw = pool.data[position : position + size].tobytes()
            for how in readings.whole(pool.readings):
                x = readings.decode(how, raw) or 0
                if top >> 16 < x < (group.q or top):
                    y = power(x)
                    yield _Trial(x, y, pool.place(position, size), position, how)


def _standing(pool: Pool, group: _Group, trials: Sequence[_Trial]) -> Iterator[_Trial]:
    """Yield the trials whose y stands in the pool: as bytes, limbs, or in Montgomery form.

    Or in the digits of the exponent.
    """
    bits = group.p.bit_length()
    size = (bits + 7) // 8
    radix = 1 << 64 * -(-size // 8)
    *limbs, plain = readings.whole(pool.readings)
    forms = [(trial, readings.encode(plain, trial.y, bits), size - 8) for trial in trials]
    forms += [
        (trial, readings.encode(how, value, bits), 0)
        for trial in trials
        for how in limbs
        for value in (trial.y, trial.y * radix % group.p)
    ]
    forms += [
        (trial, readings.encode(trial.how, value, bits), 0)
        for trial in trials
        if trial.how.packed
        for value in (trial.y, trial.y * digits.radix(trial.how, bits) % group.p)
    ]
    wanted = [int.from_bytes(value[at : at + 8], "little") for _, value, at in forms]
    for index, position in words.find(pool.data, np.array(wanted, np.uint64)):
        trial, value, at = forms[index]
        if words.stands(pool.data, position - at, value):
            yield trial


def again(memory: Memory, candidate: Candidate) -> list[Material]:
    """Read an exponent again, in each reading, and the parameters if they were read."""
    table = readings.table(memory.map.byte_order)
    raw, *rest = (memory.read(p.space, p.offset, p.size) for p in candidate.places)
    groups = [group for group in _named() if group.p.bit_length() == candidate.bits]
    if rest:
        read = [_parameters(part) for part in rest] if len(rest) == 1 else []
        numbers = [both[0] for both in read if both is not None]
        numbers += subgroups.again(table, rest) if len(rest) > 1 else ()
        groups = [_Group(p, q, g, q.bit_length()) for p, q, g in numbers]
    found: list[Material] = []
    for group in groups:
        for how in (*readings.whole(table), *digits.held(table)):
            x = readings.decode(how, raw) or 0
            y = pow(group.g, x, group.p)
            found.append(
                Ffc(algorithm=candidate.algorithm, p=group.p, q=group.q, g=group.g, x=x, y=y)
            )
    return found
