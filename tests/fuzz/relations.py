"""Targets that are no parsers: each relation, over memory that holds a key's numbers in pieces.

What a relation computes with is whatever stands there, of any size, at any alignment, with what
ends in the middle of it; the public halves are known. A key that it tells closes by its equation,
lies within the memory, and stands up to the second look that its places get.
"""

import functools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from random import Random

import numpy as np

from fixtures import encodings, noise
from fixtures import keys as recipes
from scanner import rules
from scanner.detect.algebra import publics
from scanner.detect.integers import limbs, pool
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.runs import Runs, join
from scanner.dump import space
from scanner.dump.space import Memory
from scanner.model import Layout, Region
from scanner.stages import relate
from scanner.stages.calls import RELATED
from scanner.stages.relate import RELATIONS, Again, Search
from tests.fuzz import checks, mutators
from tests.fuzz.files import file_of
from tests.fuzz.target import Change, Target

RSA, DSA = recipes.rsa_key(1024), recipes.dsa_numbers()
CURVES = tuple(recipes.ec_key(curve) for curve in ("P-256", "P-384", "P-521", "secp256k1"))
OKP = tuple(recipes.okp_key(name) for name in recipes.SEED_BYTES)
LATTICE = recipes.okp_key(recipes.ML_DSA)

KNOWN = (
    publics.rsa(RSA.n, RSA.e, kind="known"),
    *(publics.ec(key.curve, key.x, key.y, kind="known") for key in CURVES),
    publics.ffc("dsa", DSA["p"], DSA["q"], DSA["g"], DSA["y"], kind="known"),
    publics.ffc("dh", DSA["p"], DSA["q"], DSA["g"], DSA["y"], kind="known"),
    *(publics.okp(key.algorithm, key.public, kind="known") for key in OKP),
)

_OF_RSA = (RSA.n, RSA.p, RSA.q, RSA.d, RSA.dp, RSA.dq, RSA.qinv, RSA.p * RSA.q - RSA.p - RSA.q + 1)
_OF_DSA = tuple(DSA.values())
_OF_CURVES = tuple(number for key in CURVES for number in (key.d, key.x, key.y))
_OF_OKP = tuple(int.from_bytes(raw, "little") for key in OKP for raw in (key.seed, key.public))

_SPELLED = (
    encodings.little_limbs,
    encodings.big_endian,
    encodings.java_words,
    encodings.digits30,
    encodings.digits28,
    encodings.digits60,
    lambda number: encodings.digits(number, 51, 8),
    lambda number: encodings.digits(number, 52, 8),
    lambda number: encodings.digits(number, 26, 4),
)
_MOST_KEYS = 8
_RULE = next(rule for rule in rules.load() if rule.kind == "private-key")


def _memory(data: bytes) -> tuple[Memory, Pool]:
    """Take an input for one region, of a machine that its own bytes choose, and load its pool."""
    which = zlib.crc32(data)
    word, order = (8, 4)[which & 1], "big" if which & 6 == 6 else "little"
    start = 0x7F00_0000_0000 if word == 8 else 0x7F00_0000
    region = Region(start=start, size=len(data), file_offset=0)
    regions = (region,) if data and which & 8 else ()
    layout = Layout(format="raw", byte_order=order, pointer_size=word, regions=regions)
    space_map, _ = space.build(layout, len(data))
    memory = Memory(space_map, file_of(data))
    padded = np.frombuffer(data + bytes(-len(data) % 8), np.uint8)
    owned = np.array([0]), np.array([len(padded)])
    starts, ends = limbs.find(padded, *owned, halves=word == 4, swapped=order == "big")
    runs = join(Runs(space=np.zeros(len(starts), np.int64), start=starts, end=ends))
    return memory, pool.load(memory, runs, texts=True)


def _run(search: Search, again: Again, algorithms: Sequence[str], data: bytes) -> None:
    if not data:
        return
    memory, numbers = _memory(data)
    asked = [key for key in KNOWN if key.algorithm in algorithms]
    for found, _ in zip(search(numbers, asked), range(_MOST_KEYS), strict=False):
        checks.material(found.key)
        candidate = relate.candidate(found, _RULE)
        checks.said(candidate, len(data))
        for value in checks.secrets(found.key):
            checks.silent(candidate, value)
        for key in again(memory, candidate):
            checks.material(key)


def _planted(data: bytes, most: int, chance: Random, _change: Change) -> bytes:
    """Write a number of a key, or one next to it, over or between what is there."""
    number = chance.choice(_OF_RSA + _OF_DSA + _OF_CURVES + _OF_OKP)
    number = max(number + chance.choice((0, 0, 0, 1, -1, 1 << chance.randrange(512))), 1)
    raw = chance.choice(_SPELLED)(number)
    raw = raw[: chance.choice((len(raw), len(raw), len(raw) - 1, len(raw) // 2))]
    at = chance.randrange(len(data) + 1) & chance.choice((-1, -4, -8, -16))
    over = len(raw) if chance.random() < 0.5 else 0
    return (data[:at] + raw + data[at + over :])[:most]


def _seeds(numbers: Sequence[int]) -> Iterable[bytes]:
    """Write numbers in each spelling: with zeros between them, counts, noise, or nothing."""
    for index, spell in enumerate(_SPELLED):
        between = (bytes(16), b"\x10" + bytes(7), noise.code(24, index), b"")[index % 4]
        yield bytes(32) + b"".join(spell(number) + between for number in numbers) + bytes(index)


def _lattice() -> Iterator[bytes]:
    yield bytes(32) + LATTICE.seed + bytes(32) + LATTICE.public + bytes(32)
    yield bytes(32) + LATTICE.public[:32] + LATTICE.seed + noise.uniform(64, 1) + bytes(32)


_HELD: dict[str, tuple[int, ...]] = {
    "rsa": _OF_RSA,
    "ec": _OF_CURVES,
    "ec-digits": _OF_CURVES,
    "dh": _OF_DSA,
    "dsa": _OF_DSA,
}
"""Numbers of the keys that a relation is there for; the rest are for curves in another form."""

_LATTICES = ("lattices", "encapsulation", "hashtrees")

TARGETS = tuple(
    Target(
        name=f"relation-{name}",
        covers=(search.__module__.removeprefix("scanner."),),
        run=functools.partial(_run, search, again, dict(RELATED)[name]),
        seeds=_lattice
        if name in _LATTICES
        else functools.partial(_seeds, _HELD.get(name, _OF_OKP)),
        mutate=(_planted, mutators.numbers, mutators.elsewhere),
    )
    for name, search, again in RELATIONS
)
