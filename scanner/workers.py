"""Guarded worker processes: the only place where bytes of a dump are touched.

The hostile dump is usually the small one, so parsing, decompression and scanning never run in the
parent. A worker is spawned, hardened, and answers one call at a time; what comes back is a value,
one of our own errors, or the class name of anything else: never a message we did not write, never a
traceback. A worker that dies, hangs or starves is replaced once and its call repeated once; after
that the call is lost, and whoever asked must say ``incomplete``.
"""

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection, reduction
from typing import Any, Protocol

from scanner import errors
from scanner.hardening import harden

STALL_SECONDS = 900.0
"""A call that gives no answer for this long is a hang. The slowest honest call takes a tenth."""

MEMORY_BYTES = 8 << 30
"""Address space of a worker (RLIMIT_AS, where the system has it): what hostile counts run into."""

Call = Callable[..., Any]

Question = tuple[Any, ...]
"""A call, and what it is given behind the worker's session."""


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


@dataclass(frozen=True, slots=True)
class Handle:
    """An open file descriptor that can be an argument of :class:`Processes`' setup."""

    fd: int
    writable: bool = False

    if sys.platform == "win32":

        def __reduce__(self) -> tuple[Callable[..., "Handle"], tuple[Any, ...]]:
            import msvcrt  # noqa: PLC0415 - stands on Windows alone

            access = 0xC0000000 if self.writable else 0x80000000  # GENERIC_READ, GENERIC_WRITE
            handle = reduction.DupHandle(msvcrt.get_osfhandle(self.fd), access)
            return _inherit, (handle, self.writable)

    else:

        def __reduce__(self) -> tuple[Callable[..., "Handle"], tuple[Any, ...]]:
            return _inherit, (reduction.DupFd(self.fd), self.writable)


if sys.platform == "win32":

    def _inherit(duplicate: Any, writable: bool) -> Handle:  # noqa: ANN401, FBT001 - a pickle's order
        """Take a duplicate that multiprocessing made for this process."""
        import msvcrt  # noqa: PLC0415 - stands on Windows alone

        flags = os.O_BINARY | (os.O_RDWR if writable else os.O_RDONLY)
        return Handle(msvcrt.open_osfhandle(duplicate.detach(), flags), writable)

else:

    def _inherit(duplicate: Any, writable: bool) -> Handle:  # noqa: ANN401, FBT001 - a pickle's order
        """Take a duplicate that multiprocessing made for this process."""
        return Handle(duplicate.detach(), writable)


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


@dataclass(frozen=True, slots=True)
class _Packed:
    """A value that arrives as bytes: to unpickle it imports our modules, which must be guarded."""

    value: object

    def __reduce__(self) -> tuple[type[bytes], tuple[bytes]]:
        return bytes, (bytes(reduction.ForkingPickler.dumps(self.value)),)


class _Worker:
    """One process, its pipe, and the call it is busy with."""

    __slots__ = ("busy", "pipe", "process", "since")

    def __init__(self, setup: Call, arguments: tuple[object, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, far = context.Pipe()
        packed = _Packed((setup, arguments))
        self.process = context.Process(target=_serve, args=(far, packed), daemon=True)
        self.process.start()
        far.close()
        self.busy: int | None = None
        self.since = 0.0

    def send(self, index: int, question: Question) -> None:
        self.busy, self.since = index, time.monotonic()
        with contextlib.suppress(OSError):  # a dead worker is told by its sentinel
            self.pipe.send(question)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self.process.close()


def may_have_children() -> None:
    """Let this process start workers, whatever started it: Dask's nannies make daemons.

    multiprocessing forbids daemons to have children, which could outlive them; ours do not.
    """
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined] # noqa: SLF001 - the setter refuses a running process


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let what the block starts, threads and processes, never hear Ctrl-C: this thread ends them.

    They inherit the mask (sigprocmask(2)), and so do the processes that they start later.
    """
    if sys.platform == "win32":
        yield
    else:
        from multiprocessing import resource_tracker  # noqa: PLC0415 - stands on POSIX alone

        resource_tracker.ensure_running()  # the first to start it would unblock the signal
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Processes:
    """A pool of guarded worker processes that share one setup."""

    def __init__(self, count: int, setup: Call, *arguments: object, spare: int = 1) -> None:
        """Start ``count`` workers; ``spare`` may take the place of dead ones."""
        self._setup, self._arguments = setup, arguments
        self._spare = spare
        self._workers: list[_Worker] = []
        try:
            for _ in range(count):
                self._workers.append(_Worker(setup, arguments))
        except BaseException:
            self.close()
            raise

    def grow(self, count: int, setup: Call, *arguments: object, spare: int = 1) -> None:
        """Start ``count`` more workers, with a setup that is also that of those who replace others.

        The first worker stays the one that is asked where all are free.
        """
        self._setup, self._arguments, self._spare = setup, arguments, spare
        self._workers += [_Worker(setup, arguments) for _ in range(count)]

    def ask(self, call: Call, *arguments: object) -> Any:  # noqa: ANN401 - see Crew
        """See Crew. Raises WorkerLost where no worker could answer."""
        for _, answer in self.map([(call, *arguments)]):
            if isinstance(answer, errors.ScannerError):
                raise answer
            if isinstance(answer, Lost):
                raise errors.WorkerLost(
                    "A worker process was lost",
                    reason=f"it ended with {answer.cause}",
                    hint="Scan again; if it repeats, report the dump's format and size.",
                )
            return answer
        raise errors.WorkerLost("A worker process was lost", reason="no worker is left")

    def map(self, batch: Sequence[Question]) -> Iterator[tuple[int, Any]]:
        """See Crew. An answer may be a ScannerError that the worker raised, as a value."""
        waiting: deque[int] = deque()
        again: set[int] = set()
        taken = 0
        while True:
            waiting.extend(range(taken, len(batch)))
            taken = len(batch)
            if not waiting and all(worker.busy is None for worker in self._workers):
                return
            if not self._workers:
                yield waiting.popleft(), Lost(cause="no worker left")
                continue
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
                index = waiting.popleft()
                worker.send(index, batch[index])

    def _replace(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()
        if self._spare:
            self._spare -= 1
            self._workers.append(_Worker(self._setup, self._arguments))

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
        kind, value = worker.pipe.recv()
    except (EOFError, OSError):
        return _end_of(worker)
    if kind == "error":
        error, message, reason, hint = value
        return error(message, reason=reason, hint=hint)
    return Lost(cause=value) if kind == "lost" else value


def _close_in(worker_fds: tuple[int, ...]) -> None:
    """Send what a native library prints to nowhere: it could be bytes of the dump."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in worker_fds:
        os.dup2(nowhere, fd)
    os.close(nowhere)


if sys.platform == "win32":

    def _limit_memory() -> None:
        """Do nothing: a process of this system has no such limit of its own."""

else:

    def _limit_memory() -> None:
        try:
            import resource  # noqa: PLC0415 - not every build has it
        except ImportError:
            return
        with contextlib.suppress(ValueError, OSError):
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _follow_parent() -> None:
    """End this worker as soon as the parent has ended, however it did: a scan leaves nothing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _serve(pipe: Any, packed: bytes) -> None:  # noqa: ANN401 - a private type
    """Answer calls until the pipe closes: the whole life of a worker, and its outermost guard."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when we end
    harden()
    threading.Thread(target=_follow_parent, daemon=True).start()
    _limit_memory()
    _close_in((1, 2))
    session: Any = None
    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        answer: tuple[str, Any]
        try:
            if session is None:
                setup, arguments = pickle.loads(packed)  # noqa: S301 - our own parent wrote it
                session = setup(*arguments)
            call, *parameters = pickle.loads(message)  # noqa: S301 - the same
            answer = ("answer", call(session, *parameters))
        except errors.ScannerError as error:
            answer = ("error", (type(error), error.message, error.reason, error.hint))
        except BaseException as error:  # noqa: BLE001 - a class name is all that may leave
            answer = ("lost", type(error).__name__)
        try:
            pipe.send(answer)
        except OSError:
            return
        except BaseException as error:  # noqa: BLE001 - an answer that cannot be pickled
            pipe.send(("lost", type(error).__name__))
