"""Our folder among an account's caches: what is kept there from one run to the next is trusted.

So it is ours alone: a folder into which anybody else could write, or which they could swap for
another on the way there, is none. This module keeps nothing itself.
"""

import os
import sys
from pathlib import Path

from scanner import private

NAME = "keysift"


def folder(base: Path | None = None, *, create: bool = False) -> Path:
    """Return the folder; ``base`` is that in which it lies, by default the system's for caches.

    Raises OSError where there is none, or it is not the account's alone.
    """
    base = (base or _base()).resolve()
    if create:
        base.mkdir(mode=0o700, exist_ok=True)
        (base / NAME).mkdir(mode=0o700, exist_ok=True)
    private.check(base / NAME)
    return base / NAME


if sys.platform == "win32":

    def _base() -> Path:
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")

else:

    def _base() -> Path:
        told = Path(os.environ.get("XDG_CACHE_HOME", ""))
        usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
        try:
            return told if told.is_absolute() else Path.home() / usual
        except RuntimeError as error:  # nobody says where home is
            raise FileNotFoundError from error
