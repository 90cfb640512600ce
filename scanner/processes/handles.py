"""An open file that a worker inherits as it starts: the stream of its parent, or a nameless spill.

It is made another's by multiprocessing, which duplicates it. This module refuses to open a file.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import reduction
from typing import Any


@dataclass(frozen=True, slots=True)
class Handle:
    """An open file descriptor that can be an argument of a worker's setup."""

    fd: int
    writable: bool = False

    if sys.platform == "win32":

        def __reduce__(self) -> tuple[Callable[..., "Handle"], tuple[Any, ...]]:
            import msvcrt  # noqa: PLC0415 - stands on Windows alone

            access = 0xC0000000 if self.writable else 0x80000000  # GENERIC_READ, GENERIC_WRITE
            handle = reduction.DupHandle(msvcrt.get_osfhandle(self.fd), access)
            return _inherit, (handle, self.writable)

    else:

        def __reduce__(self) -> tuple[Callable[..., "Handle"], tuple[Any, ...]]:
            return _inherit, (reduction.DupFd(self.fd), self.writable)


if sys.platform == "win32":

    def _inherit(duplicate: Any, writable: bool) -> Handle:  # noqa: ANN401, FBT001 - a pickle's order
        """Take a duplicate that multiprocessing made for this process."""
        import msvcrt  # noqa: PLC0415 - stands on Windows alone

        flags = os.O_BINARY | (os.O_RDWR if writable else os.O_RDONLY)
        return Handle(msvcrt.open_osfhandle(duplicate.detach(), flags), writable)

else:

    def _inherit(duplicate: Any, writable: bool) -> Handle:  # noqa: ANN401, FBT001 - a pickle's order
        """Take a duplicate that multiprocessing made for this process."""
        return Handle(duplicate.detach(), writable)
