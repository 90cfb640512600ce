"""What a command line will write: told before anything is scanned, where it cannot be.

A scan may take hours, and its verdict is of no use where nobody hears it. This module exists so
that a file that is named to be written to can be, and is none that is read. It writes nothing: of
what is asked about, an audit log alone is made where there is none.
"""

import errno
import os
from collections.abc import Iterable

from scanner.errors import ReportError, UsageError, cause
from scanner.urls import shown


def check(
    read: Iterable[str | None], written: Iterable[str | None], log: str | None = None
) -> None:
    """Raise UsageError where something cannot be written, or would be over what is read or twice.

    ``log`` is an audit log, which is added to. None stands in nobody's way.
    """
    _refuse_clash(read, (*written, log))
    for path in written:
        if path is not None:
            _refuse_place(path, replaced=True)
    if log is not None:
        from scanner import audit  # noqa: PLC0415 - imported where there is one

        _refuse_place(log, replaced=False)
        try:
            audit.ready(log)
        except ReportError as error:
            raise UsageError(error.message, reason=error.reason, hint=error.hint) from error


def refuse_special(path: str) -> None:
    """Raise UsageError where a file would take the name of a device, a pipe or a socket."""
    if _is_special(path):
        raise UsageError(
            f"{path} cannot be replaced",
            reason="it is a device, a pipe or a socket",
            hint="name a file",
        )


def _is_special(path: str) -> bool:
    there, folder, file = os.path.exists(path), os.path.isdir(path), os.path.isfile(path)  # noqa: PTH110, PTH112, PTH113 - names as they were given
    return there and not (folder or file)


def _refuse_clash(read: Iterable[str | None], written: Iterable[str | None]) -> None:
    """Raise UsageError where something would be written over what is read, or written twice.

    What is no regular file (a terminal, ``/dev/null``) stands in nobody's way.
    """
    taken = [path for path in read if path is not None]
    for path in written:
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):  # noqa: PTH110, PTH113 - as given
            continue
        if any(same(path, other) for other in taken):
            raise UsageError(
                f"{shown(path)} would be written over",
                reason="the command line names it twice",
                hint="name another file to write to",
            )
        taken.append(path)


def same(one: str, other: str) -> bool:
    """Say whether two paths lead to one file, or would."""
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - names as they were given
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def _refuse_place(path: str, *, replaced: bool) -> None:
    """Raise UsageError where no file can stand under a name.

    One that is ``replaced`` is written beside its name first, whether it is there or not.
    """
    if _is_special(path):
        return
    target = os.path.realpath(path)
    folder = os.path.dirname(target)  # noqa: PTH120 - as above
    reason, hint = "", ""
    try:
        os.lstat(target)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG:
            reason, hint = cause(error), "name another file"
    if os.path.isdir(target):  # noqa: PTH112
        reason, hint = "it is a directory", "name a file in it"
    elif not os.path.lexists(folder):
        reason, hint = f"there is no folder {folder}", "make the folder, or name another place"
    elif not os.path.isdir(folder):  # noqa: PTH112
        reason, hint = f"{folder} is no folder", "name another place"
    elif replaced and not os.access(folder, os.W_OK | os.X_OK):
        reason, hint = f"this account may make no file in {folder}", "name another place"
    if reason:
        raise UsageError(f"{path} cannot be written", reason=reason, hint=hint)
