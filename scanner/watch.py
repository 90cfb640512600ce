"""Turns of a spool: what is complete is claimed and filed away, what failed is tried again.

The folder is looked through at each turn, and that alone decides; notices of the system's only make
a turn come sooner, so that none which is lost matters. What goes wrong with one dump does not stop
the next. This module refuses to let a dump go because of an error.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import watchfiles

from scanner import claims, metrics, spool
from scanner.claims import Item, Stamp
from scanner.errors import ScannerError, SpoolError, cause
from scanner.model import Verdict
from scanner.progress import Progress
from scanner.spool import Filed, Spool

RETRY_SECONDS = 60.0
"""From a failure to the next try."""

Tell = Callable[[str, ScannerError], None]
"""Hears of what: a dump's name, and the error."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """What one process remembers between turns."""

    root: Path
    spool: Callable[[], Spool]
    """Gives the spool for one dump: the day may have changed since the last."""
    progress: Progress
    tell: Tell
    told: Callable[[Filed], None]
    """Hears what was filed away."""
    settle: float
    """Seconds for which nobody may have written to a dump."""
    metrics: metrics.Metrics
    seen: dict[str, tuple[Stamp, float]] = field(default_factory=dict)
    later: dict[str, float] = field(default_factory=dict)
    verdicts: set[Verdict] = field(default_factory=set)
    failed: bool = False


def turns(root: Path, seconds: float) -> Iterator[None]:
    """Yield when something happened in ``incoming``, or after some seconds. Never ends."""
    yield
    for _ in watchfiles.watch(
        root / "incoming",
        watch_filter=None,
        recursive=False,
        rust_timeout=max(int(seconds * 1000), 100),
        yield_on_timeout=True,
    ):
        yield


def turn(watch: Watch) -> int:
    """File away what is complete; return how many dumps are left that are not failures."""
    for item in claims.abandoned(watch.root):
        if watch.later.get(item.id, 0.0) > time.monotonic():
            claims.leave(item)
        else:
            _file(watch, item)
    waiting = claims.waiting(watch.root)
    now = time.monotonic()
    watch.seen = {
        name: before if (before := watch.seen.get(name)) and before[0] == stamp else (stamp, now)
        for name, stamp in waiting.items()
    }
    for name in sorted(waiting):
        if time.monotonic() - watch.seen[name][1] >= watch.settle:
            del watch.seen[name]
            _claim(watch, name)
    left = len(claims.waiting(watch.root))
    watch.metrics.waiting.set(left + len(watch.later))
    watch.metrics.turned.set_to_current_time()
    return left


def _claim(watch: Watch, name: str) -> None:
    try:
        item = claims.claim(watch.root, name)
    except OSError as error:
        _fail(watch, name, _system(error))
        return
    if item is not None:
        _file(watch, item)


def _file(watch: Watch, item: Item) -> None:
    began = time.monotonic()
    name = spool.called(watch.root, item)

    def tell(error: ScannerError) -> None:
        watch.tell(name, error)

    try:
        filed = spool.file_away(watch.spool(), item, watch.progress, tell)
    except ScannerError as error:
        _fail(watch, name, error)
    except OSError as error:
        _fail(watch, name, _system(error))
    except Exception as error:  # noqa: BLE001 - a fault of ours in one dump is none in the next
        _fail(watch, name, SpoolError("a fault of keysift itself", reason=type(error).__name__))
    else:
        watch.later.pop(item.id, None)
        watch.verdicts.add(filed.verdict)
        watch.metrics.dumps.labels(str(filed.verdict)).inc()
        watch.metrics.size.inc(filed.size)
        watch.metrics.seconds.observe(time.monotonic() - began)
        watch.told(filed)
        return
    watch.later[item.id] = time.monotonic() + RETRY_SECONDS
    claims.leave(item)


def _fail(watch: Watch, what: str, error: ScannerError) -> None:
    watch.failed = True
    watch.metrics.failures.inc()
    watch.tell(what, error)


def _system(error: OSError) -> SpoolError:
    return SpoolError(
        "a dump could not be filed away",
        reason=cause(error),
        hint="it stays in the spool and is tried again",
    )
