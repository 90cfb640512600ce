"""The audit log: one line of JSON for each decision, safe to ship anywhere.

A line says which file (base name and digests), what was decided and by which rules, and why, in
codes. This module refuses to write what a dump says of itself: no path, no name of a key's owner,
no place. A line is written at once, and before the decision takes effect, so that what is not in
the log did not happen; whoever cannot write it must not let anything pass.
"""

import datetime as dt
import errno
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from scanner import __version__
from scanner.errors import ReportError, cause
from scanner.fields import unicode
from scanner.model import Verdict
from scanner.urls import shown

if TYPE_CHECKING:
    from scanner.gate import Gate
    from scanner.model import DumpReport

Row = dict[str, Any]

_ADDING = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)

MOST_NAMED = 100
"""Blocking findings that a line names; their count is always whole."""

_WORST_FIRST = (Verdict.BLOCKED, Verdict.INCOMPLETE, Verdict.PASS)


def row(event: str, decision: str, path: str, *, within: str = "", why: str = "") -> Row:
    """Return what every line says.

    ``event`` is the command; ``decision`` is a verdict, ``redacted``, ``refused``, or where a dump
    went: ``cleared``, ``quarantined``. ``within`` are the names by which a file has it in itself,
    each after a ``!``; ``why`` is a sentence of ours.
    """
    parts = (shown(path), *within.split("!")[1:])
    name = "!".join(map(os.path.basename, parts))  # "<stdin>" and "" too
    return {
        "time": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "tool": {"name": "keysift", "version": __version__},
        "event": event,
        "name": unicode(name),
        "decision": decision,
        "why": why or None,
    }


def decided(
    event: str, dumps: Iterable["DumpReport"], gate: "Gate", decision: str = ""
) -> Iterator[Row]:
    """Yield a line for each dump of a report; the decision on what lies in a file is the file's.

    Behind a file stands what lies in it, as in an archive, under its path and a ``!``.
    """
    files: list[list[DumpReport]] = []
    for dump in dumps:
        if files and dump.path.startswith(f"{files[-1][0].path}!"):
            files[-1].append(dump)
        else:
            files.append([dump])
    for file in files:
        worst = min((dump.verdict for dump in file), key=_WORST_FIRST.index)
        for dump in file:
            yield scanned(event, decision or str(worst), dump, gate, file[0].path)


def scanned(
    event: str, decision: str, dump: "DumpReport", gate: "Gate", file: str | None = None
) -> Row:
    """Return a line on a dump that was scanned, and lies in a file, or is one."""
    blocking = [finding.fingerprint for finding in dump.findings if finding.blocks]
    path = dump.path if file is None else file
    return {
        **row(event, decision, path, within=dump.path[len(path) :]),
        "verdict": str(dump.verdict),
        "size": dump.size,
        "sha256": dump.sha256 or None,
        "content_sha256": dump.content.sha256 or None,
        "swept": dump.coverage.scanned_bytes,
        "of": dump.coverage.file_bytes,
        "reasons": sorted({reason.code for reason in dump.reasons}),
        "findings": len(dump.findings),
        "blocking": len(blocking),
        "suppressed": len(dump.suppressed),
        "fingerprints": [f"{name.kind}:{name.value}" for name in blocking[:MOST_NAMED]],
        "accepted": list(dump.accepted),
        "mode": gate.mode,
        "rules_sha256": gate.rules_sha256,
        "policy_sha256": gate.policy_sha256 or None,
        "known_sha256": gate.known_sha256 or None,
        "baseline_sha256": gate.baseline_sha256 or None,
    }


def ready(log: str) -> None:
    """Raise ReportError where a log cannot be opened, or is none; make it where it is not."""
    try:
        descriptor = _opened(log)
        try:
            _refuse_other(log, descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unwritten(log, cause(error)) from error


def append(log: str | None, *rows: Row) -> None:
    """Add lines to a log, if there is one. Raises ReportError where they are not on its disk.

    Several processes may write to one log. A line that an earlier writer left unfinished is ended.
    """
    if log is None or not rows:
        return
    data = "".join(json.dumps(one, ensure_ascii=True) + "\n" for one in rows).encode("ascii")
    try:
        descriptor = _opened(log)
        try:
            status = os.fstat(descriptor)
            regular = stat.S_ISREG(status.st_mode)
            if regular:
                _lock(descriptor)
                status = os.fstat(descriptor)
            if regular and status.st_size:
                _refuse_other(log, descriptor)
                os.lseek(descriptor, -1, os.SEEK_END)
                data = data if os.read(descriptor, 1) == b"\n" else b"\n" + data
            if os.write(descriptor, data) != len(data):
                raise _unwritten(log, "there was no room for all of it")
            if regular:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unwritten(log, cause(error)) from error


def _opened(log: str) -> int:
    """Open a log to add to it. Raises OSError, for a pipe with a name that nobody reads too.

    Whoever may read and write keeps such a pipe open alone, and what it writes is gone with it.
    """
    descriptor = os.open(log, _ADDING, 0o600)
    real = os.path.realpath(log)
    piped = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    if sys.platform != "win32" and piped and os.path.exists(real):  # noqa: PTH110 - else /dev/stderr
        os.close(descriptor)
        try:
            return os.open(real, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            raise OSError(errno.ENXIO, "it is a pipe, and nobody reads it") from error
    return descriptor


def _refuse_other(log: str, descriptor: int) -> None:
    """Raise ReportError where a file has bytes, and they do not begin as a log does."""
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size:
        os.lseek(descriptor, 0, os.SEEK_SET)
        if os.read(descriptor, 1) != b"{":
            raise _unwritten(log, "the file holds something else")


def _lock(descriptor: int) -> None:
    """Wait until no other process writes to a log; closing it ends the lock. Raises OSError."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - stands on Windows alone

        os.lseek(descriptor, 1 << 40, os.SEEK_SET)  # a byte that no line has
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - stands on POSIX alone

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _unwritten(log: str, reason: str) -> ReportError:
    return ReportError(
        f"the audit log {log} could not be written",
        reason=reason,
        hint="make room, or name another file with --audit-log; nothing passes unlogged",
    )
