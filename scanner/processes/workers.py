"""Guarded worker processes: the only place where bytes of a dump are touched.

The hostile dump is usually the small one, so parsing, decompression and scanning never run in the
parent. A worker is spawned, hardened, and answers one call at a time; what comes back is a value,
one of our own errors, or the class name of anything else: never a message we did not write, never a
traceback. A worker that dies, hangs or starves is replaced once and its call repeated once; after
that the call is lost, and whoever asked must say ``incomplete``.
"""

import contextlib
import errno
import multiprocessing
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection, reduction
from typing import Any, Protocol

from scanner import errors
from scanner.processes import own_memory
from scanner.processes.serving import ENDING, serve

STALL_SECONDS = 900.0
"""A call that gives no answer for this long is a hang. The slowest honest call takes a tenth."""

_FEWER = "or scan with fewer --jobs"
_SCARCE = {
    errno.EMFILE: f"let this process open more files (ulimit -n), {_FEWER}",
    errno.ENFILE: f"let the system open more files, {_FEWER}",
    errno.EAGAIN: f"let this account have more processes (ulimit -u), {_FEWER}",
    errno.ENOMEM: f"give the system more memory, {_FEWER}",
}
"""What to do where a process cannot be started for want of something."""

Call = Callable[..., Any]

Question = tuple[Any, ...]
"""A call, and what it is given behind the worker's session."""

_ABSENT = ("ImportError", "ModuleNotFoundError")
"""What a worker ends with that cannot import what it was asked for."""

_AHEAD = 64
"""Questions among which one is looked for that a worker is prepared for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The answer to a call that no worker could give: a class name and nothing else."""

    cause: str


class Crew(Protocol):
    """Something that answers calls: a pool of processes, or this process under ``--debug``."""

    def ask(self, call: Call, *arguments: object) -> Any:  # noqa: ANN401 - whatever the call gives
        """Return the answer to one call; raise ScannerError where there is none."""
        ...

    def map(self, batch: Sequence[Question]) -> Iterator[tuple[int, Any]]:
        """Yield (index, answer or Lost) for each call of a batch, as they are done.

        The batch may grow between two answers.
        """
        ...

    def close(self) -> None:
        """End the workers."""
        ...


class InProcess:
    """Answers every call here and now, without a guard: for ``--debug`` alone."""

    def __init__(self, setup: Call, *arguments: object) -> None:
        self._session = setup(*arguments)

    def ask(self, call: Call, *arguments: object) -> Any:  # noqa: ANN401 - see Crew
        """See Crew."""
        return call(self._session, *arguments)

    def map(self, batch: Sequence[Question]) -> Iterator[tuple[int, Any]]:
        """See Crew."""
        for index, (call, *arguments) in enumerate(batch):
            yield index, call(self._session, *arguments)

    def close(self) -> None:
        """See Crew."""


@dataclass(slots=True)
class _Packed:
    """A setup that arrives as bytes: to unpickle it imports our modules, which must be guarded.

    The bytes are made while the process starts, which inherits what a Handle in them names then,
    and sent once it runs. multiprocessing itself would write them to a pipe of which it holds the
    other end too, and wait for ever for a process that died before it had read them.
    """

    value: object
    made: bytes = b""

    def __reduce__(self) -> tuple[type[bytes], tuple[bytes]]:
        self.made = bytes(reduction.ForkingPickler.dumps(self.value))
        return bytes, (b"",)


class _Worker:
    """One process, its pipe, and the call it is busy with."""

    __slots__ = ("busy", "last", "pipe", "process", "since")

    def __init__(self, setup: tuple[Call, tuple[object, ...]] | None, imports: str = "") -> None:
        context = multiprocessing.get_context("spawn")
        packed = _Packed(setup) if setup is not None else b""
        try:
            self.pipe, far = context.Pipe()
            self.process = context.Process(target=serve, args=(far, packed, imports), daemon=True)
            with uninterrupted(*ENDING):  # a parent that ends amid it leaves a child to complain
                self.process.start()
        except OSError as error:  # multiprocessing asks for the working folder, which may be gone
            raise errors.WorkerLost(
                "a worker process could not be started",
                reason=errors.cause(error),
                hint=_SCARCE.get(error.errno or 0, "see that the working folder is there"),
            ) from error
        far.close()
        self.busy: int | None = None
        self.last: Question = ()
        self.since = 0.0
        if isinstance(packed, _Packed):
            with contextlib.suppress(OSError):  # a dead worker is told by its sentinel
                self.pipe.send_bytes(packed.made)

    def send(self, index: int, question: Question) -> None:
        self.busy, self.last, self.since = index, question, time.monotonic()
        with contextlib.suppress(OSError):  # a dead worker is told by its sentinel
            self.pipe.send(question)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self.process.close()


_ready: list[_Worker] = []
"""A worker that has no setup yet, if there is one."""

_later: list[str] = []
"""What workers import that are prepared once those before them are taken."""


def prepare(module: str, crews: int = 1) -> None:
    """Start a worker that imports a module while this process does; the next crew has it.

    And one for each of so many crews, once that before it has its own; if that grows, it has it.
    Of a small dump's scan, a third is what either imports. No worker sees two dumps.
    """
    if not _ready:
        _ready.append(_Worker(None, module))
    _later[:] = [module] * (crews - 1)


def _started(setup: Call, arguments: tuple[object, ...], *, fresh: bool = False) -> _Worker:
    """Return a worker with a setup, the prepared one where there is one."""
    if fresh or not _ready:
        return _Worker((setup, arguments))
    worker = _ready.pop()
    with contextlib.suppress(OSError):  # a dead worker is told by its sentinel
        worker.pipe.send((setup, arguments))
    return worker


def may_have_children() -> None:
    """Let this process start workers, whatever started it: Dask's nannies make daemons.

    multiprocessing forbids daemons to have children, which could outlive them; ours do not.
    """
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined] # noqa: SLF001 - the setter refuses a running process


@contextlib.contextmanager
def uninterrupted(*others: signal.Signals) -> Iterator[None]:
    """Let what the block starts, threads and processes, never hear Ctrl-C: this thread ends them.

    They inherit the mask (sigprocmask(2)), and so do the processes that they start later. Of
    ``others`` nobody hears in the block either, and what it started must let them in again.
    """
    if sys.platform == "win32":
        yield
    else:
        from multiprocessing import resource_tracker  # noqa: PLC0415 - stands on POSIX alone

        resource_tracker.ensure_running()  # the first to start it would unblock the signal
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *others})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Processes:
    """A pool of guarded worker processes that share one setup."""

    def __init__(
        self, count: int, setup: Call, *arguments: object, spare: int = 1, fresh: bool = False
    ) -> None:
        """Start ``count`` workers; ``spare`` may take the place of dead ones.

        They are ``fresh`` where the setup has a Handle: a process inherits it only as it starts.
        """
        self._setup, self._arguments = setup, arguments
        self._spare = spare
        self._due = 0
        self._workers: list[_Worker] = []
        try:
            for _ in range(count):
                self._workers.append(_started(setup, arguments, fresh=fresh))
        except BaseException:
            self.close()
            raise
        if not fresh:
            with contextlib.suppress(errors.WorkerLost):  # who needs it will say so
                _ready.extend(_Worker(None, _later.pop()) for _ in _later[:1])

    def grow(self, count: int, setup: Call, *arguments: object) -> None:
        """Have ``count`` more workers, with a setup that is also that of those who replace others.

        The first worker stays the one that is asked where all are free. The others are started once
        those there are have work.
        """
        self._setup, self._arguments, self._spare = setup, arguments, 1
        self._due = count

    def ask(self, call: Call, *arguments: object) -> Any:  # noqa: ANN401 - see Crew
        """See Crew. Raises WorkerLost where no worker could answer."""
        for _, answer in self.map([(call, *arguments)]):
            if isinstance(answer, errors.ScannerError):
                raise answer
            if isinstance(answer, Lost):
                raise errors.WorkerLost(
                    "a worker process was lost",
                    reason=f"it ended with {answer.cause}",
                    hint="install keysift again, in an environment of its own"
                    if answer.cause in _ABSENT
                    else "scan again; if it repeats, report the dump's format and size",
                )
            return answer
        raise errors.WorkerLost("a worker process was lost", reason="no worker is left")

    def map(self, batch: Sequence[Question]) -> Iterator[tuple[int, Any]]:
        """See Crew. An answer may be a ScannerError that the worker raised, as a value."""
        own_memory.trim()
        waiting: deque[int] = deque()
        again, taken = set[int](), 0
        while True:
            waiting.extend(range(taken, len(batch)))
            taken = len(batch)
            if not waiting and all(worker.busy is None for worker in self._workers):
                return
            if not self._workers:
                yield waiting.popleft(), Lost(cause="no worker left")
                continue
            self._hand_out(waiting, batch)
            while self._due and waiting:
                self._due -= 1
                self._workers.append(_started(self._setup, self._arguments))
                self._hand_out(waiting, batch)
            for worker, answer in self._listen():
                index_of, worker.busy = worker.busy, None
                if not isinstance(answer, _Death):
                    if index_of is not None:
                        yield index_of, answer
                    continue
                self._replace(worker)
                if index_of is None:
                    continue
                if index_of in again or not self._workers:
                    yield index_of, Lost(cause=answer.cause)
                else:
                    again.add(index_of)
                    waiting.appendleft(index_of)

    def _hand_out(self, waiting: deque[int], batch: Sequence[Question]) -> None:
        for worker in self._workers:
            if worker.busy is None and waiting:
                near = (i for i in islice(waiting, _AHEAD) if _alike(batch[i], worker.last))
                index = next(near, waiting[0])
                waiting.remove(index)
                worker.send(index, batch[index])

    def _replace(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()
        if self._spare:
            self._spare -= 1
            self._workers.append(_Worker((self._setup, self._arguments)))

    def _listen(self) -> list[tuple[_Worker, Any]]:
        """Wait for answers; a worker that died or hangs answers with its death."""
        handles: list[Any] = []
        for worker in self._workers:
            handles += [worker.pipe, worker.process.sentinel]
        ready = connection.wait(handles, timeout=1.0)
        heard: list[tuple[_Worker, Any]] = []
        for worker in self._workers:
            if worker.pipe in ready and worker.busy is not None:
                heard.append((worker, _receive(worker)))
            elif worker.process.sentinel in ready:
                heard.append((worker, _end_of(worker)))
            elif worker.busy is not None and time.monotonic() - worker.since > STALL_SECONDS:
                heard.append((worker, _Death("no answer in time")))
        return heard

    def close(self) -> None:
        """See Crew."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()


def _alike(question: Question, last: Question) -> bool:
    """Tell whether a worker was given something for its last call that this one has as well.

    It may have loaded it. Texts and bytes do not count: they are small, or the same for all.
    """
    given = [argument for argument in last[1:] if not isinstance(argument, str | bytes)]
    return any(one is other for one in question[1:] for other in given)


@dataclass(frozen=True, slots=True)
class _Death:
    cause: str


def _end_of(worker: _Worker) -> _Death:
    worker.process.join(5)
    return _Death(_exit_name(worker.process.exitcode))


def _exit_name(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit status {code}"


def _receive(worker: _Worker) -> Any:  # noqa: ANN401 - whatever the call gives
    try:
        message = worker.pipe.recv_bytes()
    except (EOFError, OSError):
        return _end_of(worker)
    kind, value = pickle.loads(message)  # noqa: S301 - our own worker wrote it
    del message
    own_memory.trim()
    if kind == "error":
        error, message, reason, hint = value
        return error(message, reason=reason, hint=hint)
    return Lost(cause=value) if kind == "lost" else value
