"""Who works on which dump of a spool: folders, claims and locks.

A dump is claimed by a rename out of ``incoming`` into a place in ``work`` whose lock this process
holds already, so that of several processes one has it. A lock goes with its process: what a process
left behind can be taken over, and is whole. This module refuses to look into a dump.
"""

import contextlib
import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from scanner import beside

FOLDERS = ("incoming", "work", "cleared", "quarantine")
UNFINISHED = (".part", ".tmp", ".filepart", ".partial")
"""Endings of names that programs give to what they have not finished writing."""

_STALE_SECONDS = 3600.0

Stamp = tuple[int, int, int, int, int]
"""What changes when somebody writes: device, inode, size, mtime, ctime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One dump that this process works on, as long as it holds the lock."""

    id: str
    lock: FileLock


def prepare(root: Path) -> None:
    """Make the folders of a spool, for their owner alone, where they are not. Raises OSError."""
    for name in FOLDERS:
        (root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    devices = {(root / name).stat().st_dev for name in FOLDERS}
    if len(devices) != 1:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def waiting(root: Path) -> dict[str, Stamp]:
    """Return the dumps in ``incoming`` that seem finished: name, and what changes if one writes.

    Names that begin with a dot or end as unfinished ones do are passed over, and so is what is no
    regular file.
    """
    found: dict[str, Stamp] = {}
    with os.scandir(root / "incoming") as listing:
        for entry in listing:
            if entry.name.startswith(".") or entry.name.endswith(UNFINISHED):
                continue
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    found[entry.name] = stamp(status)
    return found


def claim(root: Path, name: str) -> Item | None:
    """Take a dump out of ``incoming``; None where another process was faster. Raises OSError."""
    item = _begin(root)
    try:
        (root / "incoming" / name).rename(given(root, item) / name)
    except FileNotFoundError:
        end(root, item)
        return None
    except OSError:
        end(root, item)
        raise
    return item


def receive(root: Path, name: str, write: Callable[[Path], bool]) -> Item:
    """Take in a dump that ``write`` writes to a path; it tells whether that is the whole of it.

    A dump that was cut is called so. Raises what ``write`` raises, and keeps nothing then.
    """
    item = _begin(root)
    part = given(root, item) / f".{name}.part"
    try:
        _received(part, whole=write(part))
    except BaseException:
        end(root, item)
        raise
    return item


def _received(part: Path, *, whole: bool) -> None:
    name = part.name.removeprefix(".").removesuffix(".part")
    part.rename(part.with_name(name if whole else f"{name}.cut"))


def abandoned(root: Path) -> Iterator[Item]:
    """Yield what was claimed by processes that are no more; drop what they left empty."""
    for entry in sorted((root / "work").iterdir()):
        if entry.suffix == ".lock" and not entry.with_suffix("").exists():
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < time.time() - _STALE_SECONDS:
                    entry.unlink()
        if not entry.is_dir():
            continue
        item = _lock(root, entry.name)
        if item is None:
            continue
        for part in given(root, item).glob(".*.part"):
            _received(part, whole=False)
        if any(given(root, item).glob("*")) or any((entry / "out").glob("*")):
            yield item
        else:
            end(root, item)


def leave(item: Item) -> None:
    """Let go of a dump that could not be filed now: it stays in ``work`` for another try."""
    item.lock.release()


def give_back(root: Path, item: Item) -> None:
    """Put a dump that was received into ``incoming``, for another process. Raises OSError."""
    (path,) = given(root, item).iterdir()
    incoming = root / "incoming"
    try:
        os.link(path, incoming / path.name)  # unlike a rename, replaces nothing
    except FileExistsError:
        os.link(path, incoming / item.id)
    beside.sync(incoming)
    end(root, item)


def _begin(root: Path) -> Item:
    """Make a place in ``work``, locked before anyone can see it."""
    item = _lock(root, secrets.token_hex(6))
    if item is None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    given(root, item).mkdir(mode=0o700, parents=True)
    return item


def _lock(root: Path, name: str) -> Item | None:
    """Return what is locked for this process; None where another has it, or another user."""
    lock = FileLock(root / "work" / f"{name}.lock", mode=0o600)
    try:
        lock.acquire(blocking=False)
    except (Timeout, PermissionError):
        return None
    return Item(id=name, lock=lock)


def end(root: Path, item: Item) -> None:
    """Drop the place of a dump that is not in it any more, and its lock."""
    shutil.rmtree(root / "work" / item.id, ignore_errors=True)
    item.lock.release()
    with contextlib.suppress(OSError):
        Path(item.lock.lock_file).unlink()


def given(root: Path, item: Item) -> Path:
    """Return the folder with a dump as it came."""
    return root / "work" / item.id / "given"


def kept(root: Path, item: Item) -> Path:
    """Return the folder with what is known of a dump, for a process that goes on with it."""
    return root / "work" / item.id / "kept"


def original(root: Path, item: Item) -> Path | None:
    """Return a dump as it came; None where only its copy is left."""
    with contextlib.suppress(FileNotFoundError):
        return next(given(root, item).iterdir(), None)
    return None


def stamp(status: os.stat_result) -> Stamp:
    """Return what changes when somebody writes to a file."""
    times = status.st_mtime_ns, status.st_ctime_ns
    return (status.st_dev, status.st_ino, status.st_size, *times)
