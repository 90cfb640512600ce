"""A Dask cluster: one that runs already, or processes of this machine; and tasks for it.

Which task runs where, what is tried again and what is given up is decided by Dask distributed, and
by nobody here. This module exists so that a cluster of our own is reached by nobody else, that a
remote one is reached by TLS, and that each task has one answer, whatever becomes of workers and
scheduler. It refuses to let Dask log: its logs repeat arguments and the text of exceptions.
"""

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dask
import distributed
from distributed.comm.core import FatalCommClosedError
from distributed.utils import CancelledError

from scanner import __version__
from scanner.errors import FleetError, UsageError, WorkerLost
from scanner.processes import workers
from scanner.urls import shown

RETRIES = 2
"""How often Dask tries a dump again whose store or worker failed."""

AHEAD = 2
"""Dumps that are handed out for each thread of the cluster: one that is scanned, and the next."""

ANSWER = 15
"""Seconds in which a scheduler must answer."""

PATIENCE = 120
"""Seconds in which the first worker must be there."""

ALONE = 900
"""Seconds after which a local cluster gives up whose workers died and did not come again."""

_LOCAL = {
    "distributed.worker.daemon": False,
    "distributed.worker.memory.target": False,  # nothing is ever spilled to disk
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.http.routes": [],
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.allowed-failures": RETRIES,
    "distributed.scheduler.no-workers-timeout": f"{ALONE}s",
    "distributed.admin.log-length": 0,
    "distributed.diagnostics.nvml": False,
}
"""Dask's settings for a cluster of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where the work is done: on a scheduler that runs already, or on processes of this machine."""

    scheduler: str | None = None
    insecure: bool = False
    """Talk to the scheduler without TLS."""
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    jobs: int
    """Worker processes where there is no scheduler yet."""


@contextlib.contextmanager
def connected(cluster: Cluster) -> Iterator[Any]:
    """Give a client of the cluster while the block runs. Raises UsageError and FleetError.

    A local cluster listens on the loopback device alone, to whoever has the certificate that it is
    made with and that no disk keeps; it serves no dashboard and ends with the block.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        _quiet(stack)
        client = None
        try:
            client = _remote(cluster) if cluster.scheduler else _local(cluster, stack)
            stack.callback(_closed, client)
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            reason, hint = _unused(error, cluster, answered=client is not None)
            raise FleetError(
                f"{_named(cluster)} cannot be used", reason=reason, hint=hint
            ) from None
        _same_release(client, cluster)
        yield client


def _named(cluster: Cluster) -> str:
    url = cluster.scheduler
    return f"the scheduler {shown(url)}" if url else "the cluster of this machine"


def _unused(error: Exception, cluster: Cluster, *, answered: bool) -> tuple[str, str]:
    """Return why a cluster cannot be used, and what to do about it, in our own words."""
    if answered and isinstance(error, TimeoutError):
        return f"no worker came in {PATIENCE} seconds", "check that workers are connected to it"
    if answered or not cluster.scheduler:
        return type(error).__name__, "check that this account may start processes, and try again"
    if isinstance(error, FatalCommClosedError):
        return "one side does not accept the other's certificate", "check --tls-ca and --tls-cert"
    if isinstance(error, OSError) and error.errno:  # Dask's own have none
        said = "a file that --tls-ca, --tls-cert or --tls-key names cannot be used"
        return said, "check them; each is PEM"
    if isinstance(error, ValueError):
        return "that is no address of one", "name it as tls://HOST:PORT"
    return "no scheduler answers at that address", "check the address, and that one runs there"


SAME = "install the same release of keysift on every machine"
"""What to do about a worker that cannot be used."""


def release() -> str:
    """Return the release of keysift where this is called."""
    return __version__


UNREAD = (ImportError, AttributeError, TypeError)
"""What Dask raises on a worker that cannot read what our own release wrote."""


def other_release(said: str) -> WorkerLost:
    """Return the error of a worker that has another release: ``said`` it, or raised that."""
    return WorkerLost(
        "a worker of the fleet cannot be used",
        reason=f"it has another release of keysift, or none: {said}",
        hint=SAME,
    )


def _same_release(client: Any, cluster: Cluster) -> None:  # noqa: ANN401 - Dask publishes no types
    """Raise FleetError where a worker has another release, or none: half of the dumps would fail.

    Those that come later are told by what they answer.
    """
    try:
        said = client.run(release, on_error="return")
    except Exception as error:  # noqa: BLE001 - Dask raises what it likes
        said = {"": error}
    other = [one for one in said.values() if one != __version__]
    if other:
        names = ", ".join(sorted({one for one in other if isinstance(one, str)}))[:100]
        raise FleetError(
            f"the workers of {_named(cluster)} cannot be used",
            reason=f"{len(other)} of {len(said)} have not keysift {__version__}"
            + (f", but {names}" if names else ""),
            hint=SAME,
        )


def _quiet(stack: contextlib.ExitStack) -> None:
    """Let no library of this process log: what it says may hold what Dask repeats."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    stack.callback(logging.disable, before)


def _remote(cluster: Cluster) -> Any:  # noqa: ANN401 - Dask publishes no types
    """Connect to a scheduler that runs, by TLS unless the operator says otherwise."""
    security: Any = distributed.Security(
        **_said(
            tls_ca_file=cluster.tls_ca,
            tls_client_cert=cluster.tls_cert,
            tls_client_key=cluster.tls_key,
            require_encryption=not cluster.insecure,
        )
    )
    if not cluster.insecure:
        if not str(cluster.scheduler).startswith("tls://"):
            raise UsageError(
                "the scheduler is not reached by TLS",
                reason="what a dump holds and where would travel in the clear",
                hint="name it as tls://HOST:PORT, or say --insecure",
            )
        if not (security.tls_ca_file and security.tls_client_cert):
            raise UsageError(
                "there is no certificate to reach the scheduler with",
                hint="give --tls-ca, --tls-cert and --tls-key, or set them in Dask's configuration",
            )
    return distributed.Client(cluster.scheduler, security=security, timeout=ANSWER)


def _said(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def _local(cluster: Cluster, stack: contextlib.ExitStack) -> Any:  # noqa: ANN401 - as above
    """Start processes of this machine."""
    folder = stack.enter_context(
        tempfile.TemporaryDirectory(prefix="keysift-", ignore_cleanup_errors=True)
    )
    stack.enter_context(dask.config.set({**_LOCAL, "temporary-directory": folder}))
    security = distributed.Security.temporary()
    with workers.uninterrupted():
        local = distributed.LocalCluster(
            n_workers=cluster.jobs,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            protocol="tls://",
            security=security,
            dashboard_address=None,
            memory_limit=0,
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        )
    stack.callback(_closed, local)
    return distributed.Client(local, security=security, timeout=PATIENCE)


def _closed(what: Any) -> None:  # noqa: ANN401 - a client or a cluster
    with contextlib.suppress(Exception):  # one that is gone cannot be closed
        what.close(timeout=10)


def each(
    client: Any,  # noqa: ANN401 - Dask publishes no types
    call: Callable[..., Any],
    rows: Sequence[tuple[Any, ...]],
) -> Iterator[tuple[int, object]]:
    """Let workers call a function on each row of arguments; yield (index, answer or exception).

    Each index comes once, as it is done; a few for each thread are handed out at a time. Where the
    scheduler is gone, or nobody can do it, the answer is what Dask says of it.
    """
    asked: dict[str, int] = {}
    waiting = iter(range(len(rows)))
    run = os.urandom(8).hex()

    def submit(count: int) -> list[Any]:
        made = []
        for _, index in zip(range(count), waiting, strict=False):
            key = f"keysift-{run}-{index}"
            made.append(client.submit(call, *rows[index], key=key, retries=RETRIES, pure=False))
            asked[key] = index
        return made

    gone: object = CancelledError()
    try:
        room = AHEAD * max(1, sum(client.nthreads().values()))
        stream = distributed.as_completed(submit(room), with_results=True, raise_errors=False)
        for future, answer in stream:
            failed = future.status == "error"
            index = asked.pop(future.key, None)
            if index is not None:  # else it was delivered before
                yield index, answer[1] if failed else answer
            future.release()
            if not isinstance(answer, CancelledError):
                stream.update(submit(1))
    except Exception as error:  # noqa: BLE001 - Dask raises what it likes where its scheduler is gone
        gone = error
    for index in (*asked.values(), *waiting):
        yield index, gone
