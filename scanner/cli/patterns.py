"""What a pattern of names stands for, as :mod:`glob` has it, and each folder that hides it from us.

This module exists because ``glob`` passes over a folder that it may not list: a dump in it would be
scanned by nobody, and nobody would know. It refuses to decide what is done with such a folder; its
name is among the matches.
"""
# ruff: noqa: PTH112, PTH116, PTH118, PTH208 - names stay as they were given, as those of glob do

import fnmatch
import glob
import os
import re
from collections.abc import Iterator

MAX_DEPTH = 100
"""Folders within each other that ``**`` goes down."""

_PARTS = re.compile(r"[/\\]" if os.name == "nt" else "/")
_ANY = "**"

_Seen = set[tuple[int, int]]


def has_magic(path: str) -> bool:
    """Tell whether a name is a pattern."""
    return glob.has_magic(path)


def matches(pattern: str) -> list[str]:
    """Return the names that a pattern stands for, each once, in order.

    A file that is called ``-`` is told as ``./-``. Hidden names are met by a dot alone, and ``**``
    by folders at any depth, of several that are one folder by the first.
    """
    parts = _PARTS.split(pattern)
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    start = sum(len(part) + 1 for part in parts[:fixed])
    rest = [*filter(None, parts[fixed:-1]), parts[-1]]
    found = {*_walk(pattern[:start], rest, set())}
    return sorted(os.path.join(os.curdir, name) if name == "-" else name for name in found)


def _walk(base: str, parts: list[str], seen: _Seen) -> Iterator[str]:
    """Yield what the parts of a pattern stand for under a folder."""
    if not parts or (parts == [""] and os.path.isdir(base)):
        yield base
    elif parts[0] == _ANY:
        yield from _any(base, parts, seen)
    elif glob.has_magic(parts[0]):
        for name in _listed(base, parts[0].startswith(".")):
            if name is None:
                yield base or os.curdir
            elif fnmatch.fnmatch(name, parts[0]):
                yield from _walk(os.path.join(base, name), parts[1:], set())
    else:
        yield from _named(os.path.join(base, parts[0]), parts[1:])


def _named(path: str, rest: list[str]) -> Iterator[str]:
    """Go on at a name without magic, if there is one: what nobody may look at counts as one."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        yield path
        return
    yield from _walk(path, rest, set())


def _any(base: str, parts: list[str], seen: _Seen) -> Iterator[str]:
    """Go on in a folder and in all folders under it."""
    try:
        status = os.stat(base or os.curdir)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        yield base
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    if len(_PARTS.split(base)) > MAX_DEPTH:
        yield base
        return
    seen.add((status.st_dev, status.st_ino))
    if parts[1:]:
        yield from _walk(base, parts[1:], set())
    for name in _listed(base, hidden=False):
        path = os.path.join(base, name or "")
        if name is None:
            yield base or os.curdir
        elif os.path.isdir(path):
            yield from _any(path, parts, seen)
        elif not parts[1:]:
            yield path


def _listed(folder: str, hidden: bool) -> Iterator[str | None]:  # noqa: FBT001 - of a private walk
    """Yield the names in a folder, hidden ones or the others; None if it cannot be listed."""
    if not os.path.isdir(folder or os.curdir):
        return
    try:
        names = sorted(os.listdir(folder or os.curdir))
    except OSError:
        yield None
        return
    yield from (name for name in names if hidden or not name.startswith("."))
