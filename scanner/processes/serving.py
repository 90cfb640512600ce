"""Within a worker: the outermost guard of the process that touches the bytes of a dump.

It is hardened before anything of a dump is read, says nothing but answers, and ends with its
parent. An answer is a value, one of our own errors, or the class name of anything else. This module
refuses to let a message pass that we did not write, and to import what it cannot guard.
"""

import contextlib
import importlib
import os
import pickle
import signal
import sys
import threading
from multiprocessing import connection, parent_process
from typing import Any

from scanner import errors
from scanner.processes import own_memory
from scanner.processes.hardening import harden

MEMORY_BYTES = 8 << 30
"""Address space of a worker (RLIMIT_AS, where the system has it): what hostile counts run into."""


ENDING: tuple[signal.Signals, ...] = ()
"""Signals that a worker hears only once it serves; Ctrl-C it never hears."""

if sys.platform != "win32":
    ENDING = (signal.SIGTERM, signal.SIGHUP)


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
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def serve(pipe: Any, packed: bytes, imports: str) -> None:  # noqa: ANN401 - a private type
    """Answer calls until the pipe closes: the whole life of a worker, and its outermost guard.

    What was not ``packed`` with it comes as its first message.
    """
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when we end
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    harden()
    own_memory.collect_seldom()
    own_memory.map_large()
    threading.Thread(target=_follow_parent, daemon=True).start()
    _limit_memory()
    _close_in((1, 2))
    if imports:
        # Whoever needs what cannot be imported fails as this did.
        with contextlib.suppress(BaseException), own_memory.uncollected():
            importlib.import_module(imports)
    session: Any = None
    while True:
        try:
            packed = packed or pipe.recv_bytes()
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        answer: tuple[str, Any]
        try:
            if session is None:
                setup, arguments = pickle.loads(packed)  # noqa: S301 - our own parent wrote it
                session = setup(*arguments)
            call, *parameters = pickle.loads(message)  # noqa: S301 - the same
            message = b""
            own_memory.trim()
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
        answer, parameters = ("", None), []
        own_memory.trim()
