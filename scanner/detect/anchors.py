"""The prefilter: every anchor of every rule in one pass over the bytes.

An anchor says where a detector should look, nothing more. All of them are compiled into one
hyperscan database; where hyperscan is not to be had, google-re2 takes its place, and then ``re``.
All give the same hits, overlapping ones included; tests hold them to it. This module refuses
variable lengths: hyperscan tells where a match ends, and only a fixed length gives its start.
"""

import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from scanner.rules import Rule


def _optional(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


hyperscan = _optional("hyperscan")
re2 = _optional("re2")

CALL = 128 * 1024
"""Bytes of one call into the engine: what it reads stays in the second-level cache."""

Hits = Iterable[tuple[int, int]]
"""(index of the expression, where it starts)."""

Engine = Callable[[memoryview], Hits]

Compile = Callable[[tuple[bytes, ...]], bytes]
"""Makes a serialised database out of expressions."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AnchorSet:
    """Compiled anchors, ready to be handed to a worker (picklable)."""

    expressions: tuple[bytes, ...]
    table: tuple[tuple[int, int], ...]
    """(index of the rule, bytes of the anchor) of each expression."""
    words: tuple[tuple[int, int], ...] = ()
    """(index of the rule, value) of each anchor that is an aligned word."""
    database: bytes
    """Serialised for this kind of processor; empty without hyperscan or without anchors."""

    @property
    def longest(self) -> int:
        """Bytes of the longest anchor; 0 without any."""
        return max((length for _, length in self.table), default=0)


def compile_anchors(rules: Iterable[Rule], database: Compile | None = None) -> AnchorSet:
    """Compile the anchors of the rules; an index of a rule is its position in ``rules``.

    ``database`` gives what :func:`serialised` would, unless that is to be called.
    """
    found: dict[tuple[int, bytes], int] = {}
    words: dict[tuple[int, int], None] = {}
    for index, rule in enumerate(rules):
        for anchor in rule.anchors:
            if anchor.aligned:
                raw = bytes(low for low, _ in anchor.ranges)
                words[index, int.from_bytes(raw, "little")] = None
            else:
                found[index, anchor.expression] = len(anchor.ranges)
    expressions = tuple(expression for _, expression in found)
    table = tuple((index, size) for (index, _), size in found.items())
    return AnchorSet(
        expressions=expressions,
        table=table,
        words=tuple(words),
        database=(database or serialised)(expressions),
    )


def compile_literals(literals: Sequence[bytes]) -> AnchorSet:
    """Compile bytes to be found as they are; a hit names the index of its literal.

    The set holds the literals: where these are secret it stays in the process that made it.
    """
    expressions = tuple(b"".join(b"\\x%02x" % byte for byte in literal) for literal in literals)
    return AnchorSet(
        expressions=expressions,
        table=tuple(enumerate(map(len, literals))),
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

    __slots__ = ("_engine", "_equal", "_reach", "_set")

    def __init__(self, anchor_set: AnchorSet, engine: Engine) -> None:
        self._set = anchor_set
        self._engine = engine
        self._reach = anchor_set.longest - 1
        self._equal = np.empty(CALL // 8, np.bool_)

    def sweep(self, view: memoryview | bytes) -> list[tuple[int, int]]:
        """Return (index of the rule, offset in ``view``) of every anchor, once, by offset.

        The first byte of ``view`` is aligned, for anchors that are.
        """
        whole = memoryview(view)
        table, reach = self._set.table, self._reach
        hits: set[tuple[int, int]] = set()
        for first in range(0, len(whole), CALL) if self._set.words else ():
            words = np.frombuffer(whole[first : min(first + CALL, len(whole) & ~7)], "<u8")
            for rule, value in self._set.words:
                equal = np.equal(words, np.uint64(value), out=self._equal[: len(words)])
                if equal.any():
                    at = np.flatnonzero(equal) * 8 + first
                    hits.update((offset, rule) for offset in at.tolist())
        if table:
            for first in range(0, len(whole), CALL):
                # A call also sees the longest anchor's reach; what starts there is the next one's.
                for index, start in self._engine(whole[first : first + CALL + reach]):
                    if start < CALL:
                        hits.add((first + start, table[index][0]))
        return [(rule, offset) for offset, rule in sorted(hits)]


def open_sweeper(anchor_set: AnchorSet, engine: str = "") -> Sweeper:
    """Return a sweeper with the best engine there is, or the named one: hyperscan, re2 or re."""
    if not anchor_set.table:
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
    lengths = tuple(length for _, length in anchor_set.table)

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
