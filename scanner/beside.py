"""A file that is written beside the one that it shall be, and takes its name at once and whole.

What fails, or whoever ends the process, leaves nothing under either name: a part of a report reads
like a report, and a part of a redacted dump like one that passed. This module writes no byte.
"""

import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Make a file beside another, for its owner alone; it goes unless it was renamed."""
    fd, name = tempfile.mkstemp(prefix=".keysift-", suffix=".part", dir=target.parent)
    os.close(fd)
    part = Path(name)
    try:
        with _gone_if_ended(part):
            yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def rename(part: Path, target: Path) -> None:
    """Give a file its name, and see to it that the name stays. Raises OSError."""
    part.replace(target)
    sync(target.parent)


def sync(folder: Path) -> None:
    """See to it that the names in a folder are on the disk, where the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folder, and needs no more
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


if sys.platform == "win32":

    def _gone_if_ended(_path: Path) -> contextlib.AbstractContextManager[None]:
        """Do nothing: nobody tells a process of this system to end, it is ended."""
        return contextlib.nullcontext()

else:

    @contextlib.contextmanager
    def _gone_if_ended(path: Path) -> Iterator[None]:
        """Delete a file where SIGTERM or SIGHUP ends the process amid the block, which it does."""

        def end(number: int, _frame: object) -> None:
            with contextlib.suppress(OSError):
                path.unlink()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        here = threading.current_thread() is threading.main_thread()  # no other may set a handler
        heard = [
            each
            for each in (signal.SIGTERM, signal.SIGHUP)
            if here and signal.getsignal(each) is signal.SIG_DFL  # nohup has it ignored
        ]
        for each in heard:
            signal.signal(each, end)
        try:
            yield
        finally:
            for each in heard:
                signal.signal(each, signal.SIG_DFL)
