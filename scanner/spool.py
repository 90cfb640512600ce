"""A folder through which dumps leave, or do not: what arrives is scanned and filed away.

    incoming/            whoever has dumps puts them here
    work/ID/given/NAME   the dump as it came, claimed by a rename
    work/ID/out/         the bundle in the making: a copy that nobody else has open, its report...
    work/ID/kept/        what was copied, and what was swept of the copy
    cleared/NAME/        a bundle that passed
    quarantine/NAME/     a bundle that did not

What was scanned is the copy, and the copy is what leaves: whoever still writes to the dump as it
came changes nothing that was judged. A bundle appears whole, by one rename, and the dump as it came
is deleted only when its copy is on the disk; so a kill at any moment loses nothing. What is found
half done is done again, but for a copy that is whole and what was swept of it. Each dump is locked
while it is worked on: several processes may share a folder. This module refuses to judge, and to
touch what is no regular file.
"""

import contextlib
import datetime as dt
import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from scanner import audit, beside, claims, gate, policy
from scanner.claims import Item
from scanner.engine import resume
from scanner.errors import ScannerError, SpoolError, Unreadable, UsageError, cause
from scanner.gate import Gate
from scanner.model import DumpReport, Report, Verdict
from scanner.progress import Progress

REPORT, ATTESTATION, RECORD = "report.json", "attestation.json", "redaction.json"
UNREAD = "unread"
"""Folder of a bundle with a dump of which there is no copy: it is as it came."""

_OURS = (REPORT, ATTESTATION, RECORD, UNREAD)

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_NAME_LIMIT = 255
_CHUNK = 1 << 20
_SOURCE_ERRORS = (errno.EACCES, errno.EPERM, errno.EIO, errno.ELOOP, errno.ENXIO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """One folder, and what is done with the dumps in it."""

    root: Path
    gate: Gate
    attest: Callable[[Report, str, dt.datetime], str] | None = None
    """Gives the attestation of a report, its JSON and its time; None where none is asked for."""
    redact: Callable[[Gate, str, str, str], None] | None = None
    """Makes of one dump (path) a copy (path) without what blocks, and its record (path)."""
    render: Callable[[Report], str]
    """The report as JSON."""
    audit_log: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Where a dump went."""

    folder: Path
    verdict: Verdict
    size: int
    redacted: str = ""
    """Name in ``incoming`` of the copy without what blocks, if one was made."""


# --- what becomes of it -------------------------------------------------------------------------


def file_away(
    spool: Spool, item: Item, progress: Progress, tell: Callable[[ScannerError], None]
) -> Filed:
    """Scan a dump that was claimed, and put its bundle where it belongs.

    ``tell`` hears what a person should know. Raises OSError and ScannerError where that cannot be
    done now (a full disk, a key's store that is away): the dump is in ``work`` then, whole.
    """
    given = claims.original(spool.root, item)
    try:
        return _file_away(spool, item, given, progress, tell)
    except Exception:
        if given is not None and given.exists():  # a copy takes room, perhaps for a long time
            _drop(spool.root, item)
        raise


def called(root: Path, item: Item) -> str:
    """Return the name of a dump, or of its copy where that is what is left; else its number."""
    given = claims.original(root, item)
    if given is not None:
        return given.name
    with contextlib.suppress(OSError):
        for path in sorted((root / "work" / item.id / "out").rglob("*")):
            if path.name not in _OURS and not path.name.startswith("."):
                return path.name
    return item.id


def _file_away(
    spool: Spool,
    item: Item,
    given: Path | None,
    progress: Progress,
    tell: Callable[[ScannerError], None],
) -> Filed:
    """Copy, scan, write, delete what was given, name the bundle: in this order."""
    out, began = spool.root / "work" / item.id / "out", dt.datetime.now(dt.UTC)
    copy, stamp, unread = _copied(spool.root, item, given, out) if given else _left(out)
    if unread is None:
        judged = gate.judged(_keeping(spool, item, tell), str(copy), progress, tell)
        dumps = tuple(_renamed(dump, copy) for dump in judged)
    else:
        dumps = (policy.unreadable(copy.name, unread),)
    report = gate.report(spool.gate, dumps)
    verdict, text = report.verdict, spool.render(report)
    _write(out / REPORT, text)
    if spool.attest is not None and verdict is not Verdict.INCOMPLETE:
        _write(out / ATTESTATION, spool.attest(report, text, began))
    redacted = ""
    if spool.redact is not None and verdict is Verdict.BLOCKED:
        redacted = _redacted(spool, item, copy, tell)
    beside.sync(out)
    if given is not None and unread is not None:
        copy.parent.mkdir(mode=0o700)
        given.rename(copy)
    elif given is not None:
        if claims.stamp(given.lstat()) != stamp:
            raise _busy()
        given.unlink()
    passed = verdict is Verdict.PASS
    done = "cleared" if passed else "quarantined"
    audit.append(spool.audit_log, *audit.decided("spool", dumps, spool.gate, done))
    place = spool.root / ("cleared" if passed else "quarantine")
    target = place / _free(place, copy.name, item.id)
    out.rename(target)
    beside.sync(place)
    claims.end(spool.root, item)
    return Filed(folder=target, verdict=verdict, size=dumps[0].size, redacted=redacted)


def _keeping(spool: Spool, item: Item, tell: Callable[[ScannerError], None] | None) -> Gate:
    """Return the gate whose scan is kept with the dump, where the folder is nobody else's."""

    def said(what: str, why: str) -> None:
        if tell is not None and what == resume.GOES_ON:
            tell(SpoolError(what, reason=why))

    folder = str(claims.kept(spool.root, item))
    try:
        resume.check(folder)
    except UsageError:
        return spool.gate
    return gate.kept(spool.gate, folder, said, lambda _name: None)  # it goes with the item


_Copied = tuple[Path, "claims.Stamp | None", "Unreadable | None"]


def _copied(root: Path, item: Item, given: Path, out: Path) -> _Copied:
    """Return the copy of a dump and how the dump looked, or where it is to go without a copy.

    One that an earlier process made is good where it is whole, and nobody wrote to the dump since.
    """
    copy = out / (f"dump-{given.name}" if given.name in _OURS else given.name)
    mark = claims.kept(root, item) / "copied"
    with contextlib.suppress(OSError, ValueError):
        stamp = claims.stamp(given.lstat())
        if json.loads(mark.read_bytes()) == list(stamp) and _only(out) == copy:
            return copy, stamp, None
    _drop(root, item)
    out.mkdir(mode=0o700)
    mark.parent.mkdir(mode=0o700)
    try:
        stamp = _copy(given, copy)
    except Unreadable as error:
        copy.unlink(missing_ok=True)
        return out / UNREAD / given.name, None, error
    beside.sync(out)
    _write(mark, json.dumps(stamp))
    return copy, stamp, None


def _drop(root: Path, item: Item) -> None:
    """Delete the copy of a dump, and what is known of it."""
    for folder in (root / "work" / item.id / "out", claims.kept(root, item)):
        shutil.rmtree(folder, ignore_errors=True)


def _only(out: Path) -> Path:
    """Delete what goes by a verdict, and return what else is there. Raises ValueError for more."""
    for path in tuple(out.iterdir()):
        if path.name in (REPORT, ATTESTATION, RECORD) or path.name.startswith("."):
            path.unlink()
    (found,) = out.iterdir()
    return found


def _left(out: Path) -> _Copied:
    """Return what a process that is no more had made of a dump, which is all there is of it."""
    found = _only(out)
    if found.name != UNREAD:
        return found, None, None
    (found,) = found.iterdir()
    return found, None, Unreadable("the dump cannot be copied", reason="it could not be read")


def _renamed(dump: DumpReport, copy: Path) -> DumpReport:
    """Return a report without the path at which a dump lay only for a while."""
    return replace(dump, path=copy.name + dump.path.removeprefix(str(copy)))


def _redacted(spool: Spool, item: Item, copy: Path, tell: Callable[[ScannerError], None]) -> str:
    """Put a redacted copy into ``incoming``, where it is a dump like any other; return its name."""
    assert spool.redact is not None
    clean = spool.root / "work" / item.id / "redacted"
    clean.unlink(missing_ok=True)
    try:
        spool.redact(_keeping(spool, item, None), str(copy), str(clean), str(copy.parent / RECORD))
    except ScannerError as error:
        tell(error)
        return ""
    # The name is this item's own: where it is done again, the same copy is put there again.
    name = _fitting(copy.name, f".redacted-{item.id}")
    clean.rename(spool.root / "incoming" / name)
    beside.sync(spool.root / "incoming")
    return name


# --- files --------------------------------------------------------------------------------------


def _free(folder: Path, name: str, own: str) -> str:
    """Return a name that no entry of a folder has: the one wished for, if it can be."""
    return _fitting(name, f".{own}") if os.path.lexists(folder / name) else name


def _fitting(name: str, ending: str) -> str:
    """Return a name with an ending, without the name where it would be too long."""
    whole = name + ending
    return whole if len(os.fsencode(whole)) <= _NAME_LIMIT else ending.lstrip(".")


def _copy(given: Path, copy: Path) -> claims.Stamp:
    """Copy a dump to the disk, and return what it looked like.

    Raises Unreadable where it cannot be read, SpoolError where it changed, OSError for a full disk.
    """
    try:
        if not stat.S_ISREG(given.lstat().st_mode):
            raise Unreadable("the dump cannot be copied", reason="it is no regular file")
        read = given.open("rb")
    except OSError as error:
        raise _unread(error) from error
    with read, os.fdopen(os.open(copy, _NEW, 0o600), "wb") as write:
        before = claims.stamp(os.fstat(read.fileno()))
        while True:
            try:
                chunk = read.read(_CHUNK)
            except OSError as error:
                raise _unread(error) from error
            if not chunk:
                break
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
        if before != claims.stamp(os.fstat(read.fileno())):
            raise _busy()
    return before


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
        file.write(text.encode("utf-8", "backslashreplace"))
        file.flush()
        os.fsync(file.fileno())


def _unread(error: OSError) -> Unreadable:
    if error.errno not in _SOURCE_ERRORS:
        raise error
    return Unreadable("the dump cannot be copied", reason=cause(error))


def _busy() -> SpoolError:
    return SpoolError(
        "the dump changed while it was copied",
        reason="something still writes to it",
        hint="it is tried again",
    )
