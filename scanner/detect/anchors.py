"""The prefilter: every anchor of every rule in one pass over the bytes.

An anchor says where a detector should look, nothing more. All of them are compiled into one
hyperscan database; where hyperscan is not to be had, google-re2 takes its place, and then ``re``.
All give the same hits, overlapping ones included; tests hold them to it. This module refuses
variable lengths: hyperscan tells where a match ends, and only a fixed length gives its start.

Memory is full of zeros, at which an engine stops for every anchor that has a few of them in a row:
of such an anchor it is given the part that says most, and the rest is compared where that stands.
"""

import functools
import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.rules import WORD, Anchor, Ranges, Rule


def _optional(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


hyperscan = _optional("hyperscan")
re2 = _optional("re2")

CALL = 128 * 1024
"""Bytes of one call into the engine: what it reads stays in the second-level cache."""

_HOLES = re.compile(r"\.*0{3,}\.*")
"""Where an anchor is cut: rows of zeros, and bytes next to them that may be anything."""

LEAST = 3
"""Bytes of a part that have one value, and not zero, at least: what is left is compared that
often."""

_ENDS = 32
"""Bits of where a match ends, in the number that an engine makes of it; the index of the expression
stands above."""

Engine = Callable[[memoryview, list[int]], None]
"""Appends a number for each match in some bytes: hostile ones have a match every ten bytes."""


Compile = Callable[[tuple[bytes, ...]], bytes]
"""Makes a serialised database out of expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The anchor of which an expression is a part, or all."""

    rule: int
    lead: int
    """Bytes of the anchor before the expression."""
    ranges: Ranges = ()
    """What each byte of the anchor may be; empty where the expression says it already."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AnchorSet:
    """Compiled anchors, ready to be handed to a worker (picklable)."""

    expressions: tuple[bytes, ...]
    sizes: tuple[int, ...]
    """Bytes of what an expression matches."""
    wholes: tuple[tuple[Whole, ...], ...]
    """The anchors of each expression."""
    words: tuple[tuple[int, int, Ranges], ...] = ()
    """(index of the rule, value, what each byte may be) of each anchor that begins with an aligned
    word; the last is empty where that is all of it."""
    longest: int = 0
    """Bytes of the longest anchor that is more than such a word; 0 without any."""
    database: bytes
    """Serialised for this kind of processor; empty without hyperscan or without anchors."""


def compile_anchors(rules: Iterable[Rule], database: Compile | None = None) -> AnchorSet:
    """Compile the anchors of the rules; an index of a rule is its position in ``rules``.

    ``database`` gives what :func:`serialised` would, unless that is to be called.
    """
    found: dict[bytes, dict[Whole, None]] = {}
    sizes: dict[bytes, int] = {}
    words: dict[tuple[int, int, Ranges], None] = {}
    longest = 0
    for index, rule in enumerate(rules):
        for anchor in rule.anchors:
            if anchor.aligned:
                value = int.from_bytes([low for low, _ in anchor.ranges[:WORD]], "little")
                more = anchor.ranges if len(anchor.ranges) > WORD else ()
                words[index, value, more] = None
                longest = max(longest, len(more))
                continue
            first, last = telling(anchor)
            part, all_of_it = anchor.part(first, last), last - first == len(anchor.ranges)
            whole = Whole(rule=index, lead=first, ranges=() if all_of_it else anchor.ranges)
            found.setdefault(part, {})[whole] = None
            sizes[part] = last - first
            longest = max(longest, len(anchor.ranges))
    expressions = tuple(found)
    return AnchorSet(
        expressions=expressions,
        sizes=tuple(sizes.values()),
        wholes=tuple(map(tuple, found.values())),
        words=tuple(words),
        longest=longest,
        database=(database or serialised)(expressions),
    )


def telling(anchor: Anchor) -> tuple[int, int]:
    """Return which bytes of an anchor the engine is given: [first, last).

    The part that says most, between rows of zeros; all of it where no part says enough.
    """
    sorts = "".join([_sort(*pair) for pair in anchor.ranges])
    cuts = [cut.span() for cut in _HOLES.finditer(sorts)]
    firsts, lasts = [0, *(end for _, end in cuts)], [*(at for at, _ in cuts), len(sorts)]
    fixed, first, last = max(
        (sorts.count("x", first, last), first, last)
        for first, last in zip(firsts, lasts, strict=True)
    )
    return (first, last) if fixed >= LEAST else (0, len(sorts))


@functools.cache
def _sort(low: int, high: int) -> str:
    """Tell bytes that are zero ("0"), fixed ("x"), anything (".") and one of several ("?")."""
    return {(0, 0): "0", (0, 255): "."}.get((low, high), "x" if low == high else "?")


def compile_literals(literals: Sequence[bytes]) -> AnchorSet:
    """Compile bytes to be found as they are; a hit names the index of its literal.

    The set holds the literals: where these are secret it stays in the process that made it.
    """
    expressions = tuple(b"".join(b"\\x%02x" % byte for byte in literal) for literal in literals)
    return AnchorSet(
        expressions=expressions,
        sizes=tuple(map(len, literals)),
        wholes=tuple((Whole(rule=index, lead=0),) for index in range(len(literals))),
        longest=max(map(len, literals), default=0),
        database=serialised(expressions),
    )


def serialised(expressions: tuple[bytes, ...]) -> bytes:
    """Compile expressions for hyperscan; empty without it, or without expressions."""
    if hyperscan is None or not expressions:
        return b""
    made: bytes = hyperscan.dumpb(_compile(hyperscan, expressions))
    return made


def engine_version() -> str:
    """Say which hyperscan compiles here; empty without."""
    return f"hyperscan {hyperscan.__version__}" if hyperscan is not None else ""


class Sweeper:
    """Finds anchors in buffers; one for each process, since the engine keeps scratch space."""

    __slots__ = (
        "_engine",
        "_equal",
        "_first",
        "_lead",
        "_parted",
        "_ranges",
        "_reach",
        "_rule",
        "_rules",
        "_set",
    )

    def __init__(self, anchor_set: AnchorSet, engine: Engine) -> None:
        self._set = anchor_set
        self._engine = engine
        self._reach = anchor_set.longest - 1
        wholes = [whole for some in anchor_set.wholes for whole in some]
        self._first = np.cumsum([0, *map(len, anchor_set.wholes)])
        self._rule = np.array([whole.rule for whole in wholes], np.int64)
        self._lead = np.array([whole.lead for whole in wholes], np.int64)
        self._ranges = tuple(whole.ranges for whole in wholes)
        self._parted = np.array([bool(ranges) for ranges in self._ranges], np.bool_)
        self._rules = 1 + max(
            (*self._rule.tolist(), *(rule for rule, *_ in anchor_set.words)), default=0
        )
        self._equal = np.empty(CALL // 8, np.bool_)

    def sweep(self, view: memoryview | bytes) -> list[tuple[int, int]]:
        """Return (index of the rule, offset in ``view``) of every anchor; see :func:`find`."""
        rule, offset = self.find(view, [(0, len(view))])
        return list(zip(rule.tolist(), offset.tolist(), strict=True))

    def find(
        self, view: memoryview | bytes, spans: Sequence[tuple[int, int]]
    ) -> tuple[Offsets, Offsets]:
        """Return the rule's index and the offset in ``view`` of every anchor, once, by offset.

        Those that lie whole in one of the spans [first, last). The first byte of ``view``, and of a
        span, is aligned, for anchors that are.
        """
        whole = memoryview(view)
        # A call also sees the longest anchor's reach; what starts there is the next one's.
        calls = [
            (first, min(first + CALL, last), min(first + CALL + self._reach, last))
            for low, last in spans
            for first in range(low, last, CALL)
        ]
        parts = [*self._words(whole, calls), *self._wholes(whole, calls)]
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        names = np.concatenate([offset * self._rules + rule for rule, offset in parts])
        names.sort()
        fresh = np.ones(len(names), np.bool_)
        np.not_equal(names[1:], names[:-1], out=fresh[1:])
        offset, rule = np.divmod(names[fresh], self._rules)
        return rule, offset

    def _words(
        self, whole: memoryview, calls: Sequence[tuple[int, int, int]]
    ) -> Iterator[tuple[Offsets, Offsets]]:
        """Yield where aligned words stand, with what is to follow them.

        Those that nothing follows not inside of rows of them: these are arrays.
        """
        data = np.frombuffer(whole, np.uint8)
        for first, last, reach in calls if self._set.words else ():
            words = np.frombuffer(whole[first : first + (last - first & ~7)], "<u8")
            for rule, value, ranges in self._set.words:
                equal = np.equal(words, np.uint64(value), out=self._equal[: len(words)])
                if equal.any():
                    at = np.flatnonzero(equal)
                    if ranges:
                        kept = _stands(ranges, data[:reach], at * 8 + first)
                    else:
                        row = np.diff(at, prepend=-2, append=-2) == 1
                        kept = ~(row[1:] & row[:-1])
                    offset = at[kept] * 8 + first
                    yield np.full(len(offset), rule), offset

    def _wholes(
        self, whole: memoryview, calls: Sequence[tuple[int, int, int]]
    ) -> Iterator[tuple[Offsets, Offsets]]:
        """Yield where all others stand."""
        found: list[int] = []
        counts = []
        for first, _, reach in calls if self._ranges else ():
            self._engine(whole[first:reach], found)
            counts.append(len(found))
        if not found:
            return
        matches = np.array(found, np.int64)
        index, end = matches >> _ENDS, matches & (1 << _ENDS) - 1
        begin = end - np.array(self._set.sizes)[index]
        base = np.repeat(np.array([first for first, *_ in calls]), np.diff(counts, prepend=0))
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
            good[some] = _stands(self._ranges[number], np.frombuffer(whole, np.uint8), offset[some])
        yield self._rule[anchor[good]], offset[good]


def _stands(ranges: Ranges, data: Bytes, at: Offsets) -> Flags:
    """Tell at which offsets each byte is in its range."""
    stands = at + len(ranges) <= len(data)
    for step, (low, high) in enumerate(ranges):
        if (low, high) != (0, 255):
            left = np.flatnonzero(stands)
            bytes_ = data[at[left] + step]
            stands[left] = (bytes_ >= low) & (bytes_ <= high)
    return stands


def open_sweeper(anchor_set: AnchorSet, engine: str = "") -> Sweeper:
    """Return a sweeper with the best engine there is, or the named one: hyperscan, re2 or re."""
    if not anchor_set.expressions:
        return Sweeper(anchor_set, lambda _view, _found: None)  # words alone need no engine
    if hyperscan is not None and engine in ("", "hyperscan"):
        return Sweeper(anchor_set, _hyperscan_engine(hyperscan, anchor_set))
    if re2 is not None and engine in ("", "re2"):
        return Sweeper(anchor_set, _re2_engine(re2, anchor_set))
    if engine in ("", "re"):
        return Sweeper(anchor_set, _re_engine(anchor_set))
    raise LookupError(f"there is no engine {engine!r} here")


def _compile(module: ModuleType, expressions: tuple[bytes, ...]) -> Any:  # noqa: ANN401
    database = module.Database(mode=module.HS_MODE_BLOCK)
    database.compile(
        expressions=list(expressions),
        ids=list(range(len(expressions))),
        flags=[module.HS_FLAG_DOTALL] * len(expressions),
    )
    return database


def _hyperscan_engine(module: ModuleType, anchor_set: AnchorSet) -> Engine:
    try:
        database = module.loadb(anchor_set.database, module.HS_MODE_BLOCK)
    except module.error:  # serialised without hyperscan, or for another kind of processor
        database = _compile(module, anchor_set.expressions)
    database.scratch = module.Scratch(database)

    def scan(view: memoryview, found: list[int]) -> None:
        append = found.append

        def matched(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            append(index << _ENDS | end)

        database.scan(view, match_event_handler=matched)

    return scan


def _re2_engine(module: ModuleType, anchor_set: AnchorSet) -> Engine:
    options = module.Options()
    options.encoding = module.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    patterns = [module.compile(source, options=options) for source in anchor_set.expressions]

    def scan(view: memoryview, found: list[int]) -> None:
        for index, pattern in enumerate(patterns):
            match = pattern.search(view, 0)
            while match is not None:
                found.append(index << _ENDS | match.end())
                match = pattern.search(view, match.start() + 1)

    return scan


def _re_engine(anchor_set: AnchorSet) -> Engine:
    patterns = [re.compile(b"(?=%b)" % source, re.DOTALL) for source in anchor_set.expressions]

    def scan(view: memoryview, found: list[int]) -> None:
        for index, (pattern, size) in enumerate(zip(patterns, anchor_set.sizes, strict=True)):
            found.extend(index << _ENDS | m.start() + size for m in pattern.finditer(view))

    return scan
