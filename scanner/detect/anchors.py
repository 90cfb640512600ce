"""The prefilter: every anchor of every rule in one pass over the bytes.

An anchor says where a detector should look, nothing more. All of them are compiled into one
hyperscan database; where hyperscan is not to be had, google-re2 takes its place, and then ``re``.
All give the same hits, overlapping ones included; tests hold them to it. This module refuses
variable lengths: hyperscan tells where a match ends, and only a fixed length gives its start.

Memory is full of zeros, at which an engine stops for every anchor that has a few of them in a row:
of such an anchor it is given the part that says most, and the rest is compared where that stands.
"""

import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from scanner.rules import Anchor, Rule


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

Hits = Iterable[tuple[int, int]]
"""(index of the expression, where it starts)."""

Engine = Callable[[memoryview], Hits]

Compile = Callable[[tuple[bytes, ...]], bytes]
"""Makes a serialised database out of expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The anchor of which an expression is a part, or all."""

    rule: int
    lead: int
    """Bytes of the anchor before the expression."""
    expression: bytes
    """What all of the anchor must match; empty where the expression says it already."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AnchorSet:
    """Compiled anchors, ready to be handed to a worker (picklable)."""

    expressions: tuple[bytes, ...]
    sizes: tuple[int, ...]
    """Bytes of what an expression matches."""
    wholes: tuple[tuple[Whole, ...], ...]
    """The anchors of each expression."""
    words: tuple[tuple[int, int], ...] = ()
    """(index of the rule, value) of each anchor that is an aligned word."""
    longest: int = 0
    """Bytes of the longest anchor that is no such word; 0 without any."""
    database: bytes
    """Serialised for this kind of processor; empty without hyperscan or without anchors."""


def compile_anchors(rules: Iterable[Rule], database: Compile | None = None) -> AnchorSet:
    """Compile the anchors of the rules; an index of a rule is its position in ``rules``.

    ``database`` gives what :func:`serialised` would, unless that is to be called.
    """
    found: dict[bytes, dict[Whole, None]] = {}
    sizes: dict[bytes, int] = {}
    words: dict[tuple[int, int], None] = {}
    longest = 0
    for index, rule in enumerate(rules):
        for anchor in rule.anchors:
            if anchor.aligned:
                raw = bytes(low for low, _ in anchor.ranges)
                words[index, int.from_bytes(raw, "little")] = None
                continue
            first, last = telling(anchor)
            part, all_of_it = anchor.part(first, last), last - first == len(anchor.ranges)
            whole = Whole(
                rule=index, lead=first, expression=b"" if all_of_it else anchor.expression
            )
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
    sorts = "".join(map(_sort, anchor.ranges))
    cuts = [cut.span() for cut in _HOLES.finditer(sorts)]
    firsts, lasts = [0, *(end for _, end in cuts)], [*(at for at, _ in cuts), len(sorts)]
    fixed, first, last = max(
        (sorts.count("x", first, last), first, last)
        for first, last in zip(firsts, lasts, strict=True)
    )
    return (first, last) if fixed >= LEAST else (0, len(sorts))


def _sort(values: tuple[int, int]) -> str:
    """Tell bytes that are zero ("0"), fixed ("x"), anything (".") and one of several ("?")."""
    low, high = values
    return {(0, 0): "0", (0, 255): "."}.get(values, "x" if low == high else "?")


def compile_literals(literals: Sequence[bytes]) -> AnchorSet:
    """Compile bytes to be found as they are; a hit names the index of its literal.

    The set holds the literals: where these are secret it stays in the process that made it.
    """
    expressions = tuple(b"".join(b"\\x%02x" % byte for byte in literal) for literal in literals)
    return AnchorSet(
        expressions=expressions,
        sizes=tuple(map(len, literals)),
        wholes=tuple(
            (Whole(rule=index, lead=0, expression=b""),) for index in range(len(literals))
        ),
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


def _rest(whole: Whole) -> re.Pattern[bytes] | None:
    """Compile what must be compared where the engine has found a part."""
    return re.compile(whole.expression, re.DOTALL) if whole.expression else None


class Sweeper:
    """Finds anchors in buffers; one for each process, since the engine keeps scratch space."""

    __slots__ = ("_engine", "_equal", "_reach", "_set", "_wholes")

    def __init__(self, anchor_set: AnchorSet, engine: Engine) -> None:
        self._set = anchor_set
        self._engine = engine
        self._reach = anchor_set.longest - 1
        self._wholes = tuple(
            tuple((whole.rule, whole.lead, _rest(whole)) for whole in wholes)
            for wholes in anchor_set.wholes
        )
        self._equal = np.empty(CALL // 8, np.bool_)

    def sweep(self, view: memoryview | bytes) -> list[tuple[int, int]]:
        """Return (index of the rule, offset in ``view``) of every anchor, once, by offset.

        The first byte of ``view`` is aligned, for anchors that are.
        """
        whole = memoryview(view)
        wholes, reach = self._wholes, self._reach
        hits: set[tuple[int, int]] = set()
        for first in range(0, len(whole), CALL) if self._set.words else ():
            words = np.frombuffer(whole[first : min(first + CALL, len(whole) & ~7)], "<u8")
            for rule, value in self._set.words:
                equal = np.equal(words, np.uint64(value), out=self._equal[: len(words)])
                if equal.any():
                    offsets = np.flatnonzero(equal) * 8 + first
                    hits.update((offset, rule) for offset in offsets.tolist())
        for first in range(0, len(whole), CALL) if wholes else ():
            # A call also sees the longest anchor's reach; what starts there is the next one's.
            call = whole[first : first + CALL + reach]
            for index, at in self._engine(call):
                for rule, lead, rest in wholes[index]:
                    start = at - lead
                    if 0 <= start < CALL and (rest is None or rest.match(call, start)):
                        hits.add((first + start, rule))
        return [(rule, offset) for offset, rule in sorted(hits)]


def open_sweeper(anchor_set: AnchorSet, engine: str = "") -> Sweeper:
    """Return a sweeper with the best engine there is, or the named one: hyperscan, re2 or re."""
    if not anchor_set.expressions:
        return Sweeper(anchor_set, lambda _: ())  # words alone need no engine
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
    lengths = anchor_set.sizes

    def scan(view: memoryview) -> Hits:
        hits: list[tuple[int, int]] = []

        def found(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            hits.append((index, end - lengths[index]))

        database.scan(view, match_event_handler=found)
        return hits

    return scan


def _re2_engine(module: ModuleType, anchor_set: AnchorSet) -> Engine:
    options = module.Options()
    options.encoding = module.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    patterns = [module.compile(source, options=options) for source in anchor_set.expressions]

    def scan(view: memoryview) -> Hits:
        for index, pattern in enumerate(patterns):
            match = pattern.search(view, 0)
            while match is not None:
                yield index, match.start()
                match = pattern.search(view, match.start() + 1)

    return scan


def _re_engine(anchor_set: AnchorSet) -> Engine:
    patterns = [re.compile(b"(?=%b)" % source, re.DOTALL) for source in anchor_set.expressions]

    def scan(view: memoryview) -> Hits:
        for index, pattern in enumerate(patterns):
            for match in pattern.finditer(view):
                yield index, match.start()

    return scan
