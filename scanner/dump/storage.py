"""Bytes that must be decoded, or cannot be sought: a file without a name, private to a scan.

This module refuses to fill a disk, and to leave anything on one.
"""

import contextlib
import os
import shutil
import tempfile

from scanner.dump.source import HOLE, ZEROS
from scanner.errors import Unreadable, cause

MARGIN = 256 << 20
"""Bytes of a disk that a spill file leaves free, or a twentieth of the disk if that is less."""


class Spill:
    """A file without a name that decoded bytes are written to, in order and once.

    Owns ``fd``, which another process may hold a duplicate of: write in one of them only.
    ``directory`` names the disk whose free space is watched.
    """

    __slots__ = ("directory", "fd", "size")

    def __init__(self, fd: int, directory: str) -> None:
        self.fd = fd
        self.directory = directory
        self.size = 0

    def clear(self) -> None:
        """Forget what was written: a worker that replaces a dead one begins anew."""
        try:
            os.ftruncate(self.fd, 0)
        except OSError as error:
            raise _full(error) from error
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append bytes; blocks of zeros become holes. Raises Unreadable if the disk is full."""
        start: int | None = None
        for at in range(0, len(data), HOLE):
            block = data[at : at + HOLE]
            if block == (ZEROS if len(block) == HOLE else ZEROS[: len(block)]):
                if start is not None:
                    self._put(start, data[start:at])
                start = None
            elif start is None:
                start = at
        if start is not None:
            self._put(start, data[start:])
        self.size += len(data)

    def _put(self, at: int, data: bytes) -> None:
        try:
            usage = shutil.disk_usage(self.directory)
            if usage.free - len(data) < min(MARGIN, usage.total // 20):
                raise _full(None)
            os.lseek(self.fd, self.size + at, os.SEEK_SET)
            view = memoryview(data)
            while view:
                view = view[os.write(self.fd, view) :]
        except OSError as error:
            raise _full(error) from error

    def finish(self) -> None:
        """Fix the size, so that zeros at the end count. Raises Unreadable if the disk is full."""
        try:
            os.ftruncate(self.fd, self.size)
        except OSError as error:
            raise _full(error) from error

    def close(self) -> None:
        """Close the descriptor; may be called again."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):  # what was not written was not promised
                os.close(fd)


def temporary_folder() -> str:
    """Return the system's folder for temporary files; empty where none of them can be written to.

    So it is on a full disk, and in containers whose file systems are read-only.
    """
    try:
        return tempfile.gettempdir()
    except OSError:
        return ""


def create_spill(directory: str | None) -> Spill:
    """Create a spill file in a directory, by default the system's own for temporary files.

    It has no name (POSIX) or goes when its last handle is closed (Windows), and can be read by
    nobody else. Raises Unreadable.
    """
    place = directory or temporary_folder()
    if not place:
        raise _unwritable("no folder for temporary files can be written to")
    try:
        with tempfile.TemporaryFile(dir=place, prefix="keysift-", buffering=0) as handle:
            return Spill(os.dup(handle.fileno()), place)
    except (OSError, ValueError) as error:
        raise _full(error) from error


def _full(error: OSError | ValueError | None) -> Unreadable:
    return _unwritable(cause(error) if error is not None else "the disk is almost full")


def _unwritable(reason: str) -> Unreadable:
    return Unreadable(
        "the spill file cannot be written",
        reason=reason,
        hint="name a private directory on a larger disk with --spool-dir",
    )
