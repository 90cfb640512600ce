"""Our folder among an account's caches: what is kept there from one run to the next is trusted.

So it is ours alone: a folder into which anybody else could write, or which they could swap for
another on the way there, is none. This module keeps nothing itself.
"""

import os
import stat
import sys
from pathlib import Path

NAME = "keysift"

_OTHERS = 0o077
_OTHERS_WRITE = 0o022


def folder(base: Path | None = None, *, create: bool = False) -> Path:
    """Return the folder; ``base`` is that in which it lies, by default the system's for caches.

    Raises OSError where there is none, or it is not the account's alone.
    """
    base = (base or _base()).resolve()
    if create:
        base.mkdir(mode=0o700, exist_ok=True)
        (base / NAME).mkdir(mode=0o700, exist_ok=True)
    for above in (base, *base.parents):
        if not _is_safe(above.stat()):
            raise PermissionError(above)
    told = (base / NAME).lstat()
    if not stat.S_ISDIR(told.st_mode) or not is_private(told):
        raise PermissionError(base / NAME)
    return base / NAME


if sys.platform == "win32":

    def _base() -> Path:
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")

    def _is_safe(_told: os.stat_result) -> bool:
        """Take a folder's place for an answer: modes say nothing here."""
        return True

    def is_private(_told: os.stat_result) -> bool:
        """Likewise."""
        return True

else:

    def _base() -> Path:
        told = Path(os.environ.get("XDG_CACHE_HOME", ""))
        usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
        try:
            return told if told.is_absolute() else Path.home() / usual
        except RuntimeError as error:  # nobody says where home is
            raise FileNotFoundError from error

    def _is_safe(told: os.stat_result) -> bool:
        """Tell whether nobody else can rename what is ours in a folder (sticky: unlink(2))."""
        shared = told.st_mode & _OTHERS_WRITE and not told.st_mode & stat.S_ISVTX
        return told.st_uid in (0, os.geteuid()) and not shared

    def is_private(told: os.stat_result) -> bool:
        """Tell whether a file or folder is this account's, and nobody else may look into it."""
        return told.st_uid == os.geteuid() and not told.st_mode & _OTHERS
