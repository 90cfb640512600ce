"""Many dumps over the workers of a cluster: one dump, one task, one report.

A task is the ordinary guarded scan: a Dask worker reads no byte of a dump itself, and what it sends
back is the JSON report, read here as strictly as any saved one. What Dask gives up is
``incomplete``. This module refuses to schedule and to try again, and to give Dask anything that its
logs must not hold: they repeat how arguments print, and the text of every exception.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from distributed.scheduler import KilledWorker
from distributed.utils import CancelledError

from scanner import cluster, policy, saved
from scanner import gate as gates
from scanner.dump import remote
from scanner.errors import ScannerError, Unreadable, WorkerLost, phrase
from scanner.fields import unicode
from scanner.gate import Gate
from scanner.model import DumpReport
from scanner.processes import workers
from scanner.processes.hardening import harden
from scanner.progress import Progress, Silence
from scanner.report import json
from scanner.urls import everywhere, is_url, shown

Tell = Callable[[str, ScannerError], None]
"""Hears which dump could not be scanned, by the name that may be shown, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file: its report, those on the dumps within, and how old it is."""

    dumps: tuple[DumpReport, ...]
    modified: float | None = None
    """When the file was last written, in seconds since 1970 UTC; None where nobody says."""


# --- many dumps ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """One dump, as a task is told of it. Prints as a number: its path may hold credentials."""

    number: int
    path: str = field(repr=False)
    gate: Gate = field(repr=False)


def judged(
    client: Any,  # noqa: ANN401 - Dask publishes no types
    gate: Gate,
    paths: Sequence[str],
    tell: Tell,
    advance: Callable[[], None],
) -> tuple[Outcome, ...]:
    """Return what became of each file, once and in their order; ``advance`` hears of each.

    A file of which nothing came back is ``incomplete``. Where scans are kept, the workers keep
    them, and say nothing of it. Raises nothing that Dask raises.
    """
    found: dict[int, Outcome] = {}
    why: dict[int, ScannerError] = {}
    ended = gate.request.resume.ended if gate.request.resume is not None else _unsaid
    silent = _heard_by(gate, _unsaid)  # whoever hears of it cannot travel
    errands = [
        (_Errand(number=n, path=everywhere(path), gate=silent),) for n, path in enumerate(paths)
    ]
    for number, answer in cluster.each(client, _scan, errands):
        try:
            found[number], names = _outcome(answer, gate, paths[number])
            for name in names:
                ended(name)
        except ScannerError as error:
            why[number] = error
        advance()
    for number, path in enumerate(paths):
        for reason in found[number].dumps[0].reasons if number in found else ():
            if reason.code == "unreadable":
                what, _, cause = phrase(reason.text).partition(": ")
                tell(shown(path), Unreadable(what, reason=cause, hint=_UNREAD))
        if number not in found:
            lost = why.get(number) or _lost("no answer came back")
            found[number] = Outcome(dumps=(policy.unreadable(shown(path), lost),))
            tell(shown(path), lost)
    return tuple(found[number] for number in range(len(paths)))


def one(gate: Gate, path: str, progress: Progress, tell: Tell) -> Outcome:
    """Scan one file from here, with the crew that the gate's request hires."""
    modified = _modified(path)
    dumps = gates.judged(gate, path, progress, lambda error: tell(shown(path), error))
    return Outcome(dumps=dumps, modified=modified)


def _heard_by(gate: Gate, ended: Callable[[str], None]) -> Gate:
    """Return a gate whose scans are kept as before, if they are, and which says nothing of it."""
    if gate.request.resume is None:
        return gate
    resume = replace(gate.request.resume, tell=_unsaid, ended=ended)
    return replace(gate, request=replace(gate.request, resume=resume))


def _unsaid(*_: str) -> None:
    """Hear nothing."""


def _outcome(answer: object, gate: Gate, path: str) -> tuple[Outcome, tuple[str, ...]]:
    """Read what came back: a report, and which journals are needed no more.

    Raises ScannerError where it is not the report on that file.
    """
    match answer:
        case (str(text), (float() | None) as modified, tuple(ended)):
            report = saved.received(text.encode())
        case ScannerError():
            raise answer
        case KilledWorker():
            raise _lost("each that was given this dump was killed")
        case CancelledError():
            raise _lost("the scheduler is gone")
        case _ if isinstance(answer, cluster.UNREAD):
            raise cluster.other_release(type(answer).__name__)
        case _:
            raise _lost(type(answer).__name__)
    ours = gates.report(gate, ())
    if replace(report, dumps=(), verdict=ours.verdict) != ours:
        raise WorkerLost(
            "the dump was not scanned as it should be",
            reason="the worker has another keysift, or other rules",
            hint=cluster.SAME,
        )
    name, sent = (unicode(shown(one)) for one in (path, everywhere(path)))
    if not report.dumps or report.dumps[0].path != sent:
        raise _lost("its answer is on another dump")
    dumps = (replace(dump, path=name + dump.path.removeprefix(sent)) for dump in report.dumps)
    return Outcome(dumps=tuple(dumps), modified=modified), ended


_UNREAD = "check the path, and that the fleet's workers may read it; or scan it with keysift scan"


def _lost(why: str) -> WorkerLost:
    return WorkerLost(
        "the dump was not scanned",
        reason=f"a worker of the fleet was lost: {why}",
        hint="scan it again; if it repeats, scan it by itself with keysift scan",
    )


# --- within a Dask worker -----------------------------------------------------------------------


def _scan(errand: _Errand) -> tuple[str, float | None, tuple[str, ...]]:
    """Scan one dump, guarded; return its report as JSON, how old it is, what is not kept longer.

    Raises ScannerError, in our own words, where another try may help.
    """
    harden()
    workers.may_have_children()
    failed: list[ScannerError] = []
    ended: list[str] = []
    try:
        modified = _modified(errand.path)
        gate = _heard_by(errand.gate, ended.append)
        dumps = gates.judged(gate, errand.path, Silence(), failed.append)
        again = [error for error in failed if _may_pass(error, errand.path)]
        text = json.render(gates.report(errand.gate, dumps))
    except ScannerError as error:
        again = [error]
    except Exception as error:  # noqa: BLE001 - a class name is all that Dask may log
        again = [WorkerLost("a fault of keysift itself", reason=type(error).__name__)]
    for said in again:  # raised here, where no other exception is its context
        raise type(said)(said.message, reason=said.reason, hint=said.hint)
    return text, modified, tuple(ended)


def _may_pass(error: ScannerError, path: str) -> bool:
    """Say whether an error is one of the moment: of a process that was killed, or of a store."""
    return isinstance(error, WorkerLost) or (isinstance(error, Unreadable) and is_url(path))


def _modified(path: str) -> float | None:
    if is_url(path):
        return remote.modified(path)
    with contextlib.suppress(OSError, ValueError):
        return os.stat(path).st_mtime  # noqa: PTH116 - a name as it was given
    return None
