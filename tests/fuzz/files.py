"""Inputs as files, of which a fuzzer needs thousands a second: one descriptor, written again."""

import functools
import os
import tempfile
from pathlib import Path

from scanner.dump.source import File
from scanner.dump.storage import Spill


@functools.cache
def _fd() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("fuzz")
    with tempfile.TemporaryFile() as handle:
        return os.dup(handle.fileno())


def file_of(data: bytes, size: int | None = None) -> File:
    """Return a file with these bytes, and a hole up to ``size``; the one before is gone."""
    fd = _fd()
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, data)
    os.ftruncate(fd, max(len(data), size or 0))
    return File(fd)


def spill() -> Spill:
    """Return a spill file in memory; it must be closed."""
    if hasattr(os, "memfd_create"):
        return Spill(os.memfd_create("spill"), tempfile.gettempdir())
    with tempfile.TemporaryFile() as handle:
        return Spill(os.dup(handle.fileno()), tempfile.gettempdir())


@functools.cache
def _folder() -> Path:
    shared = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own there
    return Path(tempfile.mkdtemp(prefix="fuzz-", dir=shared if shared.is_dir() else None))


def written(name: str, data: bytes) -> Path:
    """Write a file of a name, for what opens its input itself; the one before is gone."""
    path = _folder() / name
    path.write_bytes(data)
    return path
