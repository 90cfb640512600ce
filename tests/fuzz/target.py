"""What is fuzzed, and what is watched while it runs. Knows no parser and no fuzzer."""

import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

if sys.platform != "win32":
    import resource

SECONDS = 1.0
"""Of processor time that one input may take."""

MEGABYTES = 256
"""That one input may add to the highest memory of the process."""

Change = Callable[[bytes, int], bytes]
"""Returns bytes that differ a little, at most so many of them."""

Mutate = Callable[[bytes, int, Random, Change], bytes]
"""Changes an input knowing its form: bytes, most bytes, chance, and a blind change to use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser, or what reads one form."""

    name: str
    covers: tuple[str, ...]
    """The modules of ``scanner`` that it is there for."""
    run: Callable[[bytes], None]
    """Parses and checks. Raises AssertionError where a check fails."""
    seeds: Callable[[], Iterable[bytes]]
    mutate: tuple[Mutate, ...] = ()
    longest: int = 4096
    """Bytes of an input, at most; seeds may be longer."""
    weight: int = 1
    """How much time it gets, against one of weight 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong over one input."""

    kind: str
    """``crash``, ``slow`` or ``heavy``."""
    where: str
    """The exception and the innermost line of ours; the same fault has the same place."""
    told: str
    """Whatever a reader needs."""


def attempt(target: Target, data: bytes) -> Trouble | None:
    """Run a target on one input and say what was wrong."""
    before, start = _peak(), time.process_time()
    try:
        target.run(data)
    except Exception as error:  # noqa: BLE001 - any at all is what is looked for
        return Trouble(kind="crash", where=_where(error), told=traceback.format_exc())
    took, grown = time.process_time() - start, _peak() - before
    if took > SECONDS:
        return Trouble(kind="slow", where=f"{took:.0f} s", told=f"{took:.2f} s")
    if grown > MEGABYTES << 10:
        return Trouble(kind="heavy", where=f"{grown >> 18} x 256 MB", told=f"{grown >> 10} MB")
    return None


def _peak() -> int:
    """Return the highest resident memory so far, in KiB; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 10 if sys.platform == "darwin" else peak


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "scanner" in Path(frame.filename).parts] or frames
    last = ours[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.name}:{last.lineno}"
