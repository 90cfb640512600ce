"""What is tried as an exponent in a group, and what the power that it gives is worth.

An exponentiation takes a quarter of a millisecond, so few are done: of what is digits, and of what
fills its words. One exponent is one key: raised to it a peer's public number gives a shared secret,
which stands as well. The exponent whose power, modulo q, is there is the nonce of a signature. This
module takes the groups as they are told to it.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.detect.algebra import effort, gmp, named_groups
from scanner.detect.algebra.material import Ffc
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.readings import Reading
from scanner.detect.relations.fields import logarithms
from scanner.detect.relations.fields.groups import Group
from scanner.detect.relations.fields.logarithms import Piece
from scanner.detect.relations.places import digits, words
from scanner.detect.relations.related import Related
from scanner.model import NONCE_DSA, Place

PROOF = "g**x = y"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Trial:
    """An exponent that was read, and what it gives."""

    piece: Piece
    g: int
    y: int


def proved(pool: Pool, group: Group, budget: int, least: int = 0) -> Iterator[Related]:
    """Yield a key for each exponent: that of a public key that was read, or of the first base.

    Exponentiations to one base take at most so many microseconds, but for the ``least``.
    """
    found: dict[int, tuple[Trial, str]] = {}
    most = max(budget // effort.raising(max(group.bits, 256), group.p.bit_length()), least)
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
        trials = [Trial(piece, g, gmp.power(g, piece.x, group.p)) for piece in tried]
        for trial, proof in _witnessed(pool, group, trials):
            before = found.get(trial.piece.x)
            told = (g, trial.y) in group.stated
            if before is None or (told and (before[0].g, before[0].y) not in group.stated):
                found[trial.piece.x] = trial, proof
    multiples = {times * x for x in found for times in logarithms.MULTIPLES}
    for x, (trial, proof) in found.items():
        if x not in multiples or (trial.g, trial.y) in group.stated:  # else sighted with its key
            yield related(pool, group, trial, proof)


def related(pool: Pool, group: Group, trial: Trial, proof: str) -> Related:
    """Say which key an exponent of the pool is, and where it and its group stand."""
    piece = trial.piece
    place = pool.place(piece.position, piece.size)
    form = pool.form(piece.position, piece.how.name)
    return told(group, (trial.g, piece.x, trial.y), form, place, proof)


def told(
    group: Group, numbers: tuple[int, int, int], form: str, place: Place, proof: str = PROOF
) -> Related:
    """Say which key g, x and y are, where x stands in some form, and where its group does."""
    g, x, y = numbers
    key = group.stated.get((g, y))
    return Related(
        key=Ffc(
            algorithm=key.algorithm if key else group.algorithm,
            p=group.p,
            q=group.q,
            g=g,
            x=x,
            y=y,
            more=key.raw if key else b"",
        ),
        proof=proof,
        encoding=f"x {form}",
        places=(place, *group.bases[g]),
    )


def _shorter(pool: Pool, group: Group, tried: Sequence[Piece]) -> list[Piece]:
    """Return exponents that are shorter than the order, as OpenSSL makes those of X9.42."""
    bits = named_groups.short(group.p.bit_length())
    seen = {piece.x for piece in tried}
    found = logarithms.short(pool, bits, ints=True) if bits < group.bits else ()
    return [piece for piece in found if piece.x not in seen and piece.x < group.q]


def _witnessed(pool: Pool, group: Group, trials: Sequence[Trial]) -> Iterator[tuple[Trial, str]]:
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
    group: Group,
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
    wanted = words.firsts(value[at:] for *_, value, at in forms)
    for form, position in words.find(pool.data, wanted):
        index, way, value, at = forms[form]
        if readings.stands(way, pool.data, position - at, value):
            yield index
