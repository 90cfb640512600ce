"""Which files a command line means: files, directories of them, patterns, URLs.

A directory, or a folder of a store, stands for every file under it, in the order of their names.
This module exists so that nothing under it is passed over: what is no regular file, or cannot be
listed, stays in the list under its own name, and whoever scans it says why it cannot be. It refuses
to decide what is a dump.
"""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from scanner.errors import UsageError
from scanner.urls import is_url

MAX_FILES = 1 << 20
MAX_DEPTH = 100


def expand(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the files that paths, directories and patterns stand for, each once, in order.

    A path that exists is never a pattern. Raises UsageError where a directory holds no file at all,
    where there are more than MAX_FILES, and for a URL of a kind that cannot be read here.
    """
    found: dict[str, None] = {}
    for path in paths:
        for file in _one(path):
            found.setdefault(file)
            if len(found) > MAX_FILES:
                raise UsageError(
                    "there are too many files",
                    reason=f"more than {MAX_FILES}",
                    hint="name fewer directories at a time",
                )
    return tuple(found)


def refuse_clash(files: Iterable[str], output: str | None) -> None:
    """Raise UsageError where a report would replace a file that is scanned."""
    for path in files if output and Path(output).exists() else ():
        if path != "-" and Path(path).exists() and Path(path).samefile(str(output)):
            raise UsageError(
                "the report would replace a dump",
                reason="--output names the same file",
                hint="name another file with --output",
            )


def _one(path: str) -> Iterator[str]:
    if path == "-" or not path:
        yield path
    elif is_url(path):
        from scanner.dump import remote  # noqa: PLC0415 - costs time, for this alone

        yield from remote.expand(path)
    elif os.path.isdir(path):  # noqa: PTH112 - a name as it was given
        files = tuple(_under(path, set(), 0))
        if not files:
            raise UsageError(
                "the directory holds no file", reason="nothing would be scanned", hint="name a dump"
            )
        yield from files
    elif os.path.lexists(path) or not glob.has_magic(path):
        yield path
    else:
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - names as they were given
        if not matches:
            yield path
        for match in matches:
            yield from _under(match, set(), 0) if os.path.isdir(match) else (match,)  # noqa: PTH112


def _under(folder: str, above: set[tuple[int, int]], depth: int) -> Iterator[str]:
    """Yield the files under a folder; a link back to a folder that one is in is not followed."""
    try:
        status = os.stat(folder)  # noqa: PTH116
        here = (status.st_dev, status.st_ino)
        if here in above:
            return
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    if depth == MAX_DEPTH:
        yield folder
        return
    for entry in entries:
        if entry.is_dir():
            yield from _under(entry.path, above | {here}, depth + 1)
        else:
            yield entry.path
