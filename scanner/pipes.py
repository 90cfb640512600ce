"""Opens what an option names, for reading, where that may be a pipe that nobody writes to.

A shell's ``<(...)`` and ``/dev/stdin`` are pipes too, and whoever made them writes: these are
waited for as files are. A pipe with a name of its own may lie there for ever, and to open it waits
until somebody writes; this module exists so that a gate does not. It imports nothing that costs
time.
"""

import errno
import os
import select
import stat
import sys
from io import BufferedReader

PATIENCE = 10.0
"""Seconds in which somebody must begin to write to a pipe that has a name."""


def open_file(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file to read its bytes. Raises OSError, and ValueError for what is no path."""
    return open(path, "rb", opener=_opener)


if sys.platform == "win32":

    def _opener(path: str, flags: int) -> int:
        return os.open(path, flags)

else:

    def _opener(path: str, flags: int) -> int:
        descriptor = os.open(path, flags | os.O_NONBLOCK)
        try:
            _await_writer(path, descriptor)
            os.set_blocking(descriptor, True)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _await_writer(path: str, descriptor: int) -> None:
        """Wait until a pipe that has a name has bytes, or had a writer. Raises TimeoutError."""
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return
        real = os.path.realpath(path)
        if not os.path.exists(real) or real.startswith("/dev/"):  # noqa: PTH110 - of a descriptor
            return
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        if not waiting.poll(PATIENCE * 1000):
            raise TimeoutError(errno.ETIMEDOUT, "it is a pipe, and nobody writes to it")
