"""Which files a command line means: files, directories of them, patterns, URLs; none of them twice.

A directory, or a folder of a store, stands for every file under it, in the order of their names.
This module exists so that nothing under it is passed over: what is no regular file, or cannot be
listed, stays in the list under its own name, and whoever scans it says why it cannot be. It refuses
to decide what is a dump.
"""

import os
import sys
from collections.abc import Iterable, Iterator

from scanner.cli import patterns
from scanner.deliver import is_terminal
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


def refuse_terminal(
    paths: Iterable[str], hint: str = "name a file, or have one read: keysift scan - <core.1"
) -> None:
    """Raise UsageError where ``-`` is among the paths, and stdin is a terminal: no dump comes."""
    if "-" in paths and is_terminal(sys.stdin):
        raise UsageError(
            "standard input is a terminal",
            reason="no dump comes from there",
            hint=hint,
        )


def _one(path: str) -> Iterator[str]:
    if path == "-":
        yield path
    elif is_url(path):
        from scanner.dump import remote  # noqa: PLC0415 - costs time, for this alone

        yield from remote.expand(path)
    elif os.path.isdir(path):  # noqa: PTH112 - a name as it was given
        files = tuple(_under(path, set(), 0))
        if not files:
            raise UsageError(
                f"the directory {path} holds no file",
                reason="nothing of it would be scanned",
                hint="name a dump, or leave it out",
            )
        yield from files
    elif os.path.lexists(path) or not patterns.has_magic(path):
        yield path
    else:
        found = patterns.matches(path)
        if not found:
            yield path
        for match in found:
            yield from _under(match, set(), 0) if os.path.isdir(match) else (match,)  # noqa: PTH112


def _under(folder: str, seen: set[tuple[int, int]], depth: int) -> Iterator[str]:
    """Yield the files under a folder; one that was ``seen``, by whatever name, has none again."""
    try:
        status = os.stat(folder)  # noqa: PTH116
        here = (status.st_dev, status.st_ino)
        if here in seen:
            return
        seen.add(here)
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    if depth == MAX_DEPTH:
        yield folder
        return
    for entry in entries:
        if os.path.isdir(entry.path):  # noqa: PTH112 - unlike the entry's own, never raises
            yield from _under(entry.path, seen, depth + 1)
        else:
            yield entry.path
