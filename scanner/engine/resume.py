"""The journal of a scan: what was swept, kept in a private folder so that a crash does not cost it.

One file for each dump, and in it a line for each task, put onto the disk every second: the places
that a worker returned, and the seal of what it saw. A scan goes on from it where all that the
places depend on is the same, by name; a line that is torn, or says what no sweep can say, ends what
is read of it. It stays until whoever asked for the scan has done what it was for, and longer where
the scan may end otherwise another time. Nothing in here stops a scan: whatever fails costs the
journal alone. This module refuses to keep a byte of a dump, and systems without POSIX modes.
"""

import contextlib
import errno
import hashlib
import json
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from scanner import __version__, fields, private
from scanner.dump.source import Identity
from scanner.engine import records
from scanner.engine.answers import MAY_PASS
from scanner.engine.records import Bounds, Past, Tasks
from scanner.errors import UsageError, cause
from scanner.fields import RefusedError, Table
from scanner.model import Fault
from scanner.stages.session import Survey
from scanner.stages.sweep import Swept

MOST_RECORD = 16 << 20
"""Bytes of a line; a task that has more to say is swept again."""

SYNC_SECONDS = 1.0
"""How long what was written may be in memory alone: workers wait while a disk is waited for."""

SUFFIX = ".resume"

GOES_ON = "the scan goes on where it was interrupted"

_UNKEPT = "this scan is not kept, and begins anew if it is interrupted"

Tell = Callable[[str, str], None]
"""Hears what becomes of a journal, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where scans are kept, and what must be the same beside the dump for one to go on."""

    folder: str
    terms: tuple[tuple[str, str], ...]
    """(name, digest or word)"""
    tell: Tell
    ended: Callable[[str], None]
    """Hears the name of a journal that its scan needs no more: see :func:`drop`."""


def check(folder: str) -> None:
    """Make the folder where it is not. Raises UsageError where it is not this account's alone."""
    try:
        Path(folder).mkdir(mode=0o700, exist_ok=True)
        with private.opened(Path(folder).resolve()):
            pass
    except (OSError, ValueError) as error:
        raise UsageError(
            f"scans cannot be kept in {folder}",
            reason=_why(error),
            hint="name a folder of your own, of mode 700, that nobody else could replace",
        ) from error


def opened(
    resume: Resume, stack: contextlib.ExitStack, survey: Survey, tasks: Tasks, rules: int
) -> "Journal | None":
    """Open the journal of a dump until the stack ends; None where it has none.

    ``rules`` is how many there are.
    """
    if len(tasks) < 2:
        return None
    why = _unfit(survey)
    if survey.identity is not None and not why:
        file_size = survey.space_map.file_size
        same = {
            "keysift": __version__,
            **dict(resume.terms),
            **_said(survey.identity),
            "layout": records.cuts(survey.space_map, tasks),
        }
        try:
            folder = stack.enter_context(private.opened(Path(resume.folder).resolve()))
            name = _name(survey.identity)
            fd = _locked(folder, name)
            stack.callback(os.close, fd)
            past = records.nothing(file_size)
            bounds = Bounds(survey.space_map, tasks, rules)
            begun = _read(fd, same, bounds, past, resume.tell) or _begin(fd, folder, same)
        except OSError as error:
            why = _why(error)
        else:
            return Journal(fd, name, begun, past, resume)
    resume.tell(_UNKEPT, why)
    return None


def drop(folder: str, names: Iterable[str]) -> None:
    """Delete journals that :attr:`Resume.ended` heard of, but for those that a scan is at."""
    with contextlib.suppress(OSError), private.opened(Path(folder).resolve()) as at:
        for name in names:
            with contextlib.suppress(OSError):  # one that stays does no harm
                fd = _locked(at, name, os.O_RDWR)
                try:
                    os.unlink(name, dir_fd=at)
                finally:
                    os.close(fd)


class Journal:
    """The journal of one scan, locked for it. Its descriptors are others' to close."""

    __slots__ = ("_begun", "_end", "_ended", "_fd", "_name", "_synced", "past", "tell")

    def __init__(self, fd: int, name: str, begun: "_Begun", past: Past, resume: Resume) -> None:
        self._fd, self._name = fd, name
        self._begun, self._end = begun, begun.end
        self._synced = time.monotonic()
        self._ended = resume.ended
        self.past, self.tell = past, resume.tell

    @property
    def salt(self) -> bytes:
        """What names this scan in the seals of its tasks."""
        return self._begun.salt

    def add(self, index: int, swept: Swept) -> None:
        """Keep what was found in a task, if it is sealed; where that fails, no more is kept."""
        if self._fd < 0 or not swept.seal:
            return
        line = _line(self.salt, records.written(index, swept))
        if len(line) > MOST_RECORD:
            return
        try:
            _write(self._fd, self._end, line)
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._fd)
                self._synced = time.monotonic()
        except OSError as error:
            self._fd = -1
            self.tell("no more of this scan is kept", _why(error))
        self._end += len(line)

    def forget(self) -> None:
        """Let go of the past: it does not hold for the dump as it is."""
        self.past.swept.clear()
        self.past.shades[:] = 0
        self._end = self._begun.head
        try:
            os.ftruncate(self._fd, self._end)
        except OSError as error:
            self._fd = -1
            self.tell(_UNKEPT, _why(error))

    def end(self, faults: Iterable[Fault]) -> None:
        """Say that the scan is at its end, and whether another can do better than these faults."""
        codes = {fault.code for fault in faults}
        if codes & MAY_PASS and "changed" not in codes:
            self.tell("what was swept is kept", "not all was done, and the same command goes on")
        else:
            self._ended(self._name)


# --- the file -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A journal that can be written to: its salt, and where its head and what counts of it end."""

    salt: bytes
    head: int
    end: int


def _begin(fd: int, folder: int, same: dict[str, str]) -> _Begun:
    """Begin a journal, whatever the file holds. Raises OSError."""
    salt = secrets.token_bytes(hashlib.sha256().digest_size)
    line = _line(b"", {"salt": salt.hex(), "same": same})
    _write(fd, 0, line)
    os.fsync(fd)
    os.fsync(folder)
    return _Begun(salt=salt, head=len(line), end=len(line))


def _read(fd: int, same: dict[str, str], bounds: Bounds, past: Past, tell: Tell) -> _Begun | None:
    """Read a journal into ``past``, up to where it is torn; None where it is none of this scan."""
    with open(fd, "rb", closefd=False) as file:
        try:
            table = _next(file, b"")
            salt = bytes.fromhex(fields.digest(table, "salt", needed=True))
            said = fields.inner(table, "same")
        except RefusedError:
            return None
        other = [name for name in same if said.get(name) != same[name]]
        if other:
            tell("the scan begins anew", f"not what it was when it began: {', '.join(other)}")
            return None
        head = end = file.tell()
        with contextlib.suppress(RefusedError):
            while True:
                index, swept, shades = bounds.read(_next(file, salt))
                if index in past.swept:
                    break
                past.swept[index], end = swept, file.tell()
                past.shades[:] += shades
    return _Begun(salt=salt, head=head, end=end)


def _next(file: IO[bytes], salt: bytes) -> Table:
    """Read a line. Raises RefusedError where it is torn, damaged, too long, or not there."""
    line = file.readline(MOST_RECORD + 1)
    mark, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or mark != _mark(salt, text):
        fields.refuse("a line is torn")
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        fields.refuse("a line is not JSON")
    if not isinstance(table, dict):
        fields.refuse("a line holds no object")
    return table


def _line(salt: bytes, table: Table) -> bytes:
    text = json.dumps(table, separators=(",", ":")).encode("ascii")
    return _mark(salt, text) + b" " + text + b"\n"


def _mark(salt: bytes, text: bytes) -> bytes:
    """Return the digest of a line, in hex: it tells damage, and lines of another scan."""
    return hashlib.sha256(salt + text).hexdigest().encode("ascii")


def _write(fd: int, at: int, line: bytes) -> None:
    """Put a line at the end of what counts of a file. Raises OSError."""
    os.ftruncate(fd, at)
    os.lseek(fd, at, os.SEEK_SET)
    if os.write(fd, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


if sys.platform == "win32":

    def _locked(folder: int, name: str, flags: int = 0) -> int:
        """Raise PermissionError: no folder is private here."""
        raise PermissionError(folder, name, flags)

else:

    def _locked(folder: int, name: str, flags: int = os.O_RDWR | os.O_CREAT) -> int:
        """Open a file for this scan alone. Raises OSError, BlockingIOError where it is another's.

        It must have one name, and be closed to other accounts.
        """
        import fcntl  # noqa: PLC0415 - stands on POSIX alone

        flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        fd = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            told = os.fstat(fd)
            if not stat.S_ISREG(told.st_mode) or told.st_nlink != 1 or not private.is_own(told):
                raise PermissionError(errno.EPERM, "the file for it is not this account's alone")
        except OSError:
            os.close(fd)
            raise
        return fd


# --- which dump ---------------------------------------------------------------------------------


def _said(identity: Identity) -> dict[str, str]:
    """Return what changes with a dump. Of what a store calls it, a digest: it is the store's."""
    return {
        "device": str(identity.device),
        "inode": str(identity.inode),
        "size": str(identity.size),
        "modified": str(identity.mtime_ns),
        "changed": str(identity.ctime_ns),
        "tag": hashlib.sha256(identity.tag.encode()).hexdigest() if identity.tag else "",
    }


def _name(identity: Identity) -> str:
    """Return the name of a dump's journal: of where the dump lies, never of what it is called."""
    where = f"{identity.device}:{identity.inode}:{identity.tag}"
    return hashlib.sha256(where.encode()).hexdigest()[:32] + SUFFIX


def _unfit(survey: Survey) -> str:
    """Say why a dump can have no journal; empty where it can."""
    identity = survey.identity
    if identity is None:
        return "standard input cannot be read again"
    if survey.pieces is not None:
        return "the dump is packed, and what it is unpacked to goes with the scan"
    if not identity.inode and not identity.tag:
        return "its store does not say when it changes"
    return ""


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, BlockingIOError):
        return "another scan of this dump is at it"
    return cause(error)
