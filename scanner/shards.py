"""One huge dump over the workers of a cluster: a crew whose calls are Dask tasks.

The engine asks it what it asks processes of its own, and gets the same answers, so that the report
is the same bytes. Beside each thread of a Dask worker lives one guarded process, which opens the
dump by its name and answers; the Dask worker itself reads no byte of it. This module refuses dumps
that lie in storage of this machine alone: the engine keeps these to itself.
"""

import contextlib
import os
import pickle
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from scanner import __version__, cluster
from scanner.errors import ScannerError, WorkerLost
from scanner.processes import workers
from scanner.processes.hardening import harden
from scanner.processes.workers import Call, Lost, Processes, Question

IDLE_SECONDS = 300.0
"""A guarded process that nobody asks for this long is ended: its client may be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    """How guarded processes for one scan are made. Prints as nothing: Dask logs arguments."""

    scan: str
    version: str
    packed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that prints as nothing."""

    question: Question = field(repr=False)


class Shards:
    """See :class:`scanner.processes.workers.Crew`."""

    def __init__(self, client: Any, setup: Call, *arguments: object) -> None:  # noqa: ANN401 - Dask publishes no types
        """Hand the setup to the cluster, once for all calls."""
        self._client = client
        self._scan = os.urandom(8).hex()
        made = _Setup(scan=self._scan, version=__version__, packed=pickle.dumps((setup, arguments)))
        key = f"keysift-{self._scan}"
        self._setup = client.submit(_kept, made, key=key, retries=cluster.RETRIES, pure=False)

    def ask(self, call: Call, *arguments: object) -> Any:  # noqa: ANN401 - see Crew
        """See Crew. Raises WorkerLost where no worker could answer."""
        for _, answer in self.map([(call, *arguments)]):
            if isinstance(answer, ScannerError):
                raise answer
            if isinstance(answer, Lost):
                break
            return answer
        raise WorkerLost("a worker of the fleet was lost")

    def map(self, batch: Sequence[Question]) -> Iterator[tuple[int, Any]]:
        """See Crew. What the batch has grown by is asked when the rest is answered."""
        first = 0
        while first < len(batch):
            rows = [(self._setup, _Asked(question)) for question in batch[first:]]
            for index, answer in cluster.each(self._client, _answer, rows):
                if isinstance(answer, cluster.UNREAD):
                    yield first + index, cluster.other_release(type(answer).__name__)
                elif isinstance(answer, BaseException) and not isinstance(answer, ScannerError):
                    yield first + index, Lost(cause=type(answer).__name__)
                else:
                    yield first + index, answer
            first += len(rows)

    def close(self) -> None:
        """See Crew."""
        with contextlib.suppress(Exception):  # a cluster that is gone has ended them
            self._setup.release()
            if self._client.status == "running":
                self._client.run(_end, self._scan, on_error="ignore")


# --- within a Dask worker -----------------------------------------------------------------------

_resting: dict[str, list[tuple[float, Processes]]] = {}
"""Guarded processes that are not asked now, by scan, and since when."""

_lock = threading.Lock()


def _kept(setup: _Setup) -> _Setup:
    return setup


def _answer(setup: _Setup, asked: _Asked) -> Any:  # noqa: ANN401 - whatever the call gives
    """Let a guarded process of this scan answer; what goes wrong is a value, as in Processes."""
    harden()
    workers.may_have_children()
    if setup.version != __version__:
        return cluster.other_release(__version__)
    try:
        crew = _taken(setup.scan)
        if crew is None:
            call, arguments = pickle.loads(setup.packed)  # noqa: S301 - our own client wrote it
            crew = Processes(1, call, *arguments)
        ((_, answer),) = crew.map([asked.question])
    except Exception as error:  # noqa: BLE001 - a class name is all that Dask may log
        return Lost(cause=type(error).__name__)
    if isinstance(answer, Lost):
        crew.close()
    else:
        _rest(setup.scan, crew)
    return answer


def _taken(scan: str) -> Processes | None:
    with _lock:
        crews = _resting.get(scan)
        return crews.pop()[1] if crews else None


def _rest(scan: str, crew: Processes) -> None:
    with _lock:
        first = not _resting
        _resting.setdefault(scan, []).append((time.monotonic(), crew))
    if first:
        _watch()


def _watch() -> None:
    timer = threading.Timer(IDLE_SECONDS, _end_idle)
    timer.daemon = True
    timer.start()


def _end_idle() -> None:
    """End what has rested for too long, and come back as long as anything is left."""
    with _lock:
        since = time.monotonic() - IDLE_SECONDS
        idle = [crew for crews in _resting.values() for at, crew in crews if at < since]
        for scan, crews in list(_resting.items()):
            _resting[scan] = [(at, crew) for at, crew in crews if at >= since]
            if not _resting[scan]:
                del _resting[scan]
        left = bool(_resting)
    for crew in idle:
        crew.close()
    if left:
        _watch()


def _end(scan: str) -> None:
    """End the guarded processes of a scan that is done."""
    with _lock:
        crews = _resting.pop(scan, [])
    for _, crew in crews:
        crew.close()
