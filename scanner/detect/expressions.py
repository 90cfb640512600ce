"""Regular expressions over bytes, all of them in one pass: hyperscan, where it is to be had.

Where it is not, google-re2 takes its place, and then ``re``. All give the same matches, overlapping
ones included; tests hold them to it. This module refuses variable lengths: hyperscan tells where a
match ends, and only a fixed length gives its start.
"""

import importlib
import re
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any


def _optional(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


hyperscan = _optional("hyperscan")
re2 = _optional("re2")

ENDS = 32
"""Bits of where a match ends, in the number that an engine makes of it; the index of the expression
stands above."""

Engine = Callable[[memoryview, list[int]], None]
"""Appends a number for each match in some bytes: hostile ones have a match every ten bytes."""


def serialised(expressions: tuple[bytes, ...]) -> bytes:
    """Compile expressions for hyperscan; empty without it, or without expressions."""
    if hyperscan is None or not expressions:
        return b""
    made: bytes = hyperscan.dumpb(_compile(hyperscan, expressions))
    return made


def version() -> str:
    """Say which hyperscan compiles here; empty without."""
    return f"hyperscan {hyperscan.__version__}" if hyperscan is not None else ""


def opened(
    expressions: Sequence[bytes], sizes: Sequence[int], database: bytes, engine: str = ""
) -> Engine:
    """Return the best engine there is, or the named one: hyperscan, re2 or re.

    ``sizes`` are the bytes of what the expressions match, ``database`` is what :func:`serialised`
    made of them. Raises LookupError where there is no such engine.
    """
    if hyperscan is not None and engine in ("", "hyperscan"):
        return _hyperscan_engine(hyperscan, expressions, database)
    if re2 is not None and engine in ("", "re2"):
        return _re2_engine(re2, expressions)
    if engine in ("", "re"):
        return _re_engine(expressions, sizes)
    raise LookupError(f"there is no engine {engine!r} here")


def _compile(module: ModuleType, expressions: Sequence[bytes]) -> Any:  # noqa: ANN401
    database = module.Database(mode=module.HS_MODE_BLOCK)
    database.compile(
        expressions=list(expressions),
        ids=list(range(len(expressions))),
        flags=[module.HS_FLAG_DOTALL] * len(expressions),
    )
    return database


def _hyperscan_engine(module: ModuleType, expressions: Sequence[bytes], made: bytes) -> Engine:
    try:
        database = module.loadb(made, module.HS_MODE_BLOCK)
    except module.error:  # serialised without hyperscan, or for another kind of processor
        database = _compile(module, expressions)
    database.scratch = module.Scratch(database)

    def scan(view: memoryview, found: list[int]) -> None:
        append = found.append

        def matched(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            append(index << ENDS | end)

        database.scan(view, match_event_handler=matched)

    return scan


def _re2_engine(module: ModuleType, expressions: Sequence[bytes]) -> Engine:
    options = module.Options()
    options.encoding = module.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    patterns = [module.compile(source, options=options) for source in expressions]

    def scan(view: memoryview, found: list[int]) -> None:
        for index, pattern in enumerate(patterns):
            match = pattern.search(view, 0)
            while match is not None:
                found.append(index << ENDS | match.end())
                match = pattern.search(view, match.start() + 1)

    return scan


def _re_engine(expressions: Sequence[bytes], sizes: Sequence[int]) -> Engine:
    patterns = [re.compile(b"(?=%b)" % source, re.DOTALL) for source in expressions]

    def scan(view: memoryview, found: list[int]) -> None:
        for index, (pattern, size) in enumerate(zip(patterns, sizes, strict=True)):
            found.extend(index << ENDS | m.start() + size for m in pattern.finditer(view))

    return scan
