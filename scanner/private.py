"""What is one account's alone: folders and files that nobody else can read, write or swap.

What is kept in such a folder may be trusted as our own memory is. This module makes nothing, and
repairs no mode.
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

_OTHERS = 0o077
_OTHERS_WRITE = 0o022


def check(path: Path) -> None:
    """Raise OSError where there is no folder, or it is not private: a link to one is none.

    ``path`` is resolved but for its last part.
    """
    for above in path.parents:
        if not _is_safe(above.stat()):
            raise PermissionError(errno.EPERM, "others may write to a folder above it")
    told = path.lstat()
    if not stat.S_ISDIR(told.st_mode) or not is_own(told):
        raise PermissionError(errno.EPERM, "it is open to others, or no folder")


if sys.platform == "win32":

    def _is_safe(_told: os.stat_result) -> bool:
        """Take a folder's place for an answer: modes say nothing here."""
        return True

    def is_own(_told: os.stat_result) -> bool:
        """Likewise."""
        return True

    def opened(path: Path) -> contextlib.AbstractContextManager[int]:
        """Raise PermissionError: no folder can be opened here."""
        del path
        raise PermissionError(errno.ENOTSUP, "no folder is known to be private on this system")

else:

    def _is_safe(told: os.stat_result) -> bool:
        """Tell whether nobody else can rename what is ours in a folder (sticky: unlink(2))."""
        shared = told.st_mode & _OTHERS_WRITE and not told.st_mode & stat.S_ISVTX
        return told.st_uid in (0, os.geteuid()) and not shared

    def is_own(told: os.stat_result) -> bool:
        """Tell whether a file or folder is this account's, and nobody else may look into it."""
        return told.st_uid == os.geteuid() and not told.st_mode & _OTHERS

    @contextlib.contextmanager
    def opened(path: Path) -> Iterator[int]:
        """Give a descriptor of a folder while the block runs. Raises OSError, as ``check`` does."""
        check(path)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            if not is_own(os.fstat(folder)):
                raise PermissionError(errno.EPERM, "it is open to others")
            yield folder
        finally:
            os.close(folder)
