"""The prefilter: every anchor of every rule in one pass over the bytes.

An anchor says where a detector should look, nothing more. The expressions of all of them are looked
for at once. Anchors have a fixed length: an expression's match tells where it ends.

Memory is full of zeros, at which an engine stops for every anchor that has a few of them in a row:
of such an anchor it is given the part that says most, and the rest is compared where that stands.
One that is nothing but small numbers has an aligned word: words are looked at as wholes.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets, Words
from scanner.detect.expressions import ENDS, Engine, opened, serialised
from scanner.ruleanchors import Anchor
from scanner.rules import Rule

CALL = 128 * 1024
"""Bytes of one call into the engine: what it reads stays in the second-level cache."""

_HOLES = re.compile(r"\.*0{3,}\.*")
"""Where an anchor is cut: rows of zeros, and bytes next to them that may be anything."""

_FIXED = b"0" + b"x" * 255

LEAST = 3
"""Bytes of a part that have one value, and not zero, at least: what is left is compared that
often."""

_WIDE, _FOLD, _SLOTS = 0xFFFFF800_FFFF8000, 25, 1 << 16
"""Bits that no small word has; the shift that puts a small upper half above a small lower one, but
for a few bits; and places in a table of what they make."""

Compile = Callable[[tuple[bytes, ...]], bytes]
"""Makes a serialised database out of expressions."""


class Whole(NamedTuple):
    """The anchor of which an expression, or an aligned word, is a part, or all."""

    rule: int
    lead: int
    """Bytes of the anchor before the expression, or the word."""
    size: int
    """Bytes of the anchor; 0 where it is nothing else."""
    rest: tuple[tuple[int, int, int], ...] = ()
    """(lowest value, highest, where) of its other bytes: what says most is first."""

    @classmethod
    def of(cls, rule: int, anchor: Anchor, first: int, last: int) -> "Whole":
        """Return a rule's anchor, of whose bytes [first, last) are looked for."""
        if last - first == len(anchor.low):
            return cls(rule=rule, lead=0, size=0)
        rows = zip(anchor.low, anchor.high, range(len(anchor.low)), strict=True)
        rest = [row for row in rows if row[:2] != (0, 255) and not first <= row[2] < last]
        rest.sort(reverse=True)
        return cls(rule=rule, lead=first, size=len(anchor.low), rest=tuple(rest))


Shape = tuple[int, bool]
"""Bytes of a word, and whether the first one is the highest."""

Valued = tuple[tuple[int, tuple[Whole, ...]], ...]
"""Values of words, and the anchors of which each is a part, or all."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AnchorSet:
    """Compiled anchors, ready to be handed to a worker (picklable)."""

    expressions: tuple[bytes, ...]
    sizes: tuple[int, ...]
    """Bytes of what an expression matches."""
    wholes: tuple[tuple[Whole, ...], ...]
    """The anchors of each expression."""
    words: tuple[tuple[Shape, Valued], ...] = ()
    longest: int = 0
    """Bytes of the longest anchor; 0 without any."""
    database: bytes
    """Serialised for this kind of processor; empty without hyperscan or without anchors."""


def compile_anchors(rules: Iterable[Rule], database: Compile | None = None) -> AnchorSet:
    """Compile the anchors of the rules; an index of a rule is its position in ``rules``.

    ``database`` gives what :func:`serialised` would, unless that is to be called.
    """
    found: dict[bytes, dict[Whole, None]] = {}
    sizes: dict[bytes, int] = {}
    words: dict[Shape, dict[int, dict[Whole, None]]] = {}
    longest = 0
    for index, rule in enumerate(rules):
        for anchor in rule.anchors:
            word = anchor.aligned
            first, last = telling(anchor) if word is None else (word.at, word.at + word.size)
            whole = Whole.of(index, anchor, first, last)
            longest = max(longest, len(anchor.low))
            if word is None:
                part = anchor.part(first, last)
                found.setdefault(part, {})[whole] = None
                sizes[part] = last - first
            else:
                raw = anchor.low[first:last]
                of_shape = words.setdefault((word.size, word.big), {})
                value = int.from_bytes(raw, "big" if word.big else "little")
                of_shape.setdefault(value, {})[whole] = None
    expressions = tuple(found)
    return AnchorSet(
        expressions=expressions,
        sizes=tuple(sizes.values()),
        wholes=tuple(map(tuple, found.values())),
        words=tuple(
            (shape, tuple((value, tuple(some)) for value, some in valued.items()))
            for shape, valued in words.items()
        ),
        longest=longest,
        database=(database or serialised)(expressions),
    )


def telling(anchor: Anchor) -> tuple[int, int]:
    """Return which bytes of an anchor the engine is given: [first, last).

    The part that says most, between rows of zeros; all of it where no part says enough.
    """
    sorts = _sorts(anchor.low, anchor.high)
    if "000" not in sorts:
        return 0, len(sorts)
    cuts = [cut.span() for cut in _HOLES.finditer(sorts)]
    firsts, lasts = [0, *(end for _, end in cuts)], [*(at for at, _ in cuts), len(sorts)]
    fixed, first, last = max(
        (sorts.count("x", first, last), first, last)
        for first, last in zip(firsts, lasts, strict=True)
    )
    return (first, last) if fixed >= LEAST else (0, len(sorts))


def _sorts(low: bytes, high: bytes) -> str:
    """Tell bytes that are zero ("0"), fixed ("x"), anything (".") and one of several ("?")."""
    if low == high:
        return low.translate(_FIXED).decode()
    return "".join(map(_sort, low, high))


@functools.cache
def _sort(low: int, high: int) -> str:
    return {(0, 0): "0", (0, 255): "."}.get((low, high), "x" if low == high else "?")


def compile_literals(literals: Sequence[bytes]) -> AnchorSet:
    """Compile bytes to be found as they are; a hit names the index of its literal.

    The set holds the literals: where these are secret it stays in the process that made it.
    """
    expressions = tuple(b"".join(b"\\x%02x" % byte for byte in literal) for literal in literals)
    return AnchorSet(
        expressions=expressions,
        sizes=tuple(map(len, literals)),
        wholes=tuple((Whole(rule=index, lead=0, size=0),) for index in range(len(literals))),
        longest=max(map(len, literals), default=0),
        database=serialised(expressions),
    )


class _Call(NamedTuple):
    """Bytes that are looked at in one call."""

    first: int
    last: int
    lowest: int
    highest: int
    """Where the span begins and ends, of which these are."""


class Sweeper:
    """Finds anchors in buffers; one for each process, since the engine keeps scratch space."""

    __slots__ = (
        "_engine",
        "_first",
        "_lead",
        "_parted",
        "_reach",
        "_rule",
        "_rules",
        "_set",
        "_wholes",
        "_words",
    )

    def __init__(self, anchor_set: AnchorSet, engine: Engine) -> None:
        self._set = anchor_set
        self._engine = engine
        self._reach = anchor_set.longest - 1
        wholes = [whole for some in anchor_set.wholes for whole in some]
        self._first = np.cumsum([0, *map(len, anchor_set.wholes)])
        self._rule = np.array([whole.rule for whole in wholes], np.int64)
        self._lead = np.array([whole.lead for whole in wholes], np.int64)
        self._wholes = tuple(wholes)
        self._parted = np.array([whole.size > 0 for whole in wholes], np.bool_)
        self._words = {shape: _Words(shape, valued) for shape, valued in anchor_set.words}
        of_words = [one.rule for _, v in anchor_set.words for _, some in v for one in some]
        self._rules = 1 + max((*self._rule.tolist(), *of_words), default=0)

    def sweep(
        self, view: memoryview | bytes, *, halves: bool = False, swapped: bool = False
    ) -> list[tuple[int, int]]:
        """Return (index of the rule, offset in ``view``) of every anchor; see :func:`find`."""
        rule, offset = self.find(view, [(0, len(view))], halves=halves, swapped=swapped)
        return list(zip(rule.tolist(), offset.tolist(), strict=True))

    def find(
        self,
        view: memoryview | bytes,
        spans: Sequence[tuple[int, int]],
        *,
        halves: bool = False,
        swapped: bool = False,
    ) -> tuple[Offsets, Offsets]:
        """Return the rule's index and the offset in ``view`` of every anchor, once, by offset.

        Those that lie whole in one of the spans [first, last). The first byte of ``view``, and of a
        span, is aligned, for anchors that are. ``halves`` is a machine of 32 bits, ``swapped`` one
        whose numbers begin with the highest byte.
        """
        whole = memoryview(view)
        # A call also sees the longest anchor's reach; what starts there is the next one's.
        calls = [
            _Call(first, min(first + CALL, last), low, last)
            for low, last in spans
            for first in range(low, last, CALL)
        ]
        shapes: list[Shape] = [(8, swapped), *[(4, swapped)] * halves]
        words = [self._words[shape] for shape in shapes if shape in self._words]
        parts = [*self._expressed(whole, calls)]
        for some in words if calls else ():
            parts += some.find(whole, calls)
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        names = np.concatenate([offset * self._rules + rule for rule, offset in parts])
        names.sort()
        fresh = np.ones(len(names), np.bool_)
        np.not_equal(names[1:], names[:-1], out=fresh[1:])
        offset, rule = np.divmod(names[fresh], self._rules)
        return rule, offset

    def _expressed(
        self, whole: memoryview, calls: Sequence[_Call]
    ) -> Iterator[tuple[Offsets, Offsets]]:
        """Yield where anchors stand of which the engine has an expression."""
        found: list[int] = []
        counts = []
        for call in calls if self._wholes else ():
            self._engine(whole[call.first : min(call.last + self._reach, call.highest)], found)
            counts.append(len(found))
        if not found:
            return
        matches = np.array(found, np.int64)
        index, end = matches >> ENDS, matches & (1 << ENDS) - 1
        begin = end - np.array(self._set.sizes)[index]
        base = np.repeat(np.array([call.first for call in calls]), np.diff(counts, prepend=0))
        each = self._first[index + 1] - self._first[index]  # anchors of the expression
        row = np.repeat(np.arange(len(index)), each)
        anchor = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
        anchor += self._first[index[row]]
        start = begin[row] - self._lead[anchor]
        mine = (start >= 0) & (start < CALL)
        anchor, offset = anchor[mine], (base[row] + start)[mine]
        good = ~self._parted[anchor]
        for number in np.unique(anchor[~good]).tolist():
            some = np.flatnonzero(anchor == number)
            good[some] = _stands(self._wholes[number], np.frombuffer(whole, np.uint8), offset[some])
        yield self._rule[anchor[good]], offset[good]


class _Words:
    """Finds words of one shape by their values."""

    __slots__ = ("_dtype", "_equal", "_large", "_rest", "_table", "_valued", "_wide")

    def __init__(self, shape: Shape, valued: Valued) -> None:
        size, big = shape
        self._valued = valued
        self._dtype = np.dtype(f"{'>' if big else '<'}u{size}")
        native = self._dtype.newbyteorder("=")
        values = np.array([value for value, _ in valued], native)
        self._wide = np.array(_WIDE & (1 << 8 * size) - 1, native)
        self._rest = np.empty(CALL // size, native)
        self._equal = np.empty((2, CALL // size), np.bool_)
        small = values & self._wide == 0
        self._table = np.zeros(_SLOTS, np.bool_)
        self._table[_slot(values[small])] = True
        self._large = values[~small]

    def find(self, whole: memoryview, calls: Sequence[_Call]) -> Iterator[tuple[Offsets, Offsets]]:
        """Yield rules and offsets of anchors: where words stand, with what is to be around them.

        Those around which nothing is to be not inside of rows of them: these are arrays.
        """
        size = self._dtype.itemsize
        parts = []
        for call in calls:
            raw = whole[call.first : call.first + (call.last - call.first & -size)]
            words = np.frombuffer(raw, self._dtype).astype(self._rest.dtype, copy=False)
            for at in self._likely(words):
                bounds = np.full((2, len(at)), [[call.lowest], [call.highest]])
                parts.append((words[at], at * size + call.first, *bounds))
        if not parts:
            return
        word, offset, lowest, highest = map(np.concatenate, zip(*parts, strict=True))
        data = np.frombuffer(whole, np.uint8)
        for value, anchors in self._valued:
            rows = np.flatnonzero(word == word.dtype.type(value))
            for anchor in anchors if len(rows) else ():
                first = offset[rows] - anchor.lead
                if anchor.size:
                    here = first >= lowest[rows]
                    here &= first + anchor.size <= highest[rows]
                    here[here] = _stands(anchor, data, first[here])
                else:
                    row = np.diff(first, prepend=-2 * size, append=-2 * size) == size
                    here = ~(row[1:] & row[:-1])
                yield np.full(len(first), anchor.rule)[here], first[here]

    def _likely(self, words: Words) -> Iterator[Offsets]:
        """Yield the indices of words that may have one of the values."""
        small, filled = self._equal[:, : len(words)]
        rest = np.bitwise_and(words, self._wide, out=self._rest[: len(words)])
        np.equal(rest, 0, out=small)
        small &= np.not_equal(words, 0, out=filled)
        at = np.flatnonzero(small)
        if len(at):
            yield at[self._table[_slot(words[at])]]
        for value in self._large:
            if np.equal(words, value, out=small).any():
                yield np.flatnonzero(small)


def _slot(words: Words) -> Offsets:
    """Return where a table has small words: both halves are in it."""
    slot: Offsets = (
        (words ^ words >> words.dtype.type(_FOLD)) & words.dtype.type(_SLOTS - 1)
    ).astype(np.int64)
    return slot


def _stands(anchor: Whole, data: Bytes, at: Offsets) -> Flags:
    """Tell at which offsets the rest of an anchor stands."""
    left = np.flatnonzero(at + anchor.size <= len(data))
    for low, high, step in anchor.rest:
        bytes_ = data[at[left] + step]
        left = left[(bytes_ >= low) & (bytes_ <= high)]
        if not len(left):
            break
    stands = np.zeros(len(at), np.bool_)
    stands[left] = True
    return stands


def open_sweeper(anchor_set: AnchorSet, engine: str = "") -> Sweeper:
    """Return a sweeper with the best engine there is, or the named one: see ``expressions``."""
    if not anchor_set.expressions:
        return Sweeper(anchor_set, lambda _view, _found: None)  # words alone need no engine
    rows = anchor_set.expressions, anchor_set.sizes, anchor_set.database
    return Sweeper(anchor_set, opened(*rows, engine))
