"""Gives memory that was freed back to the system, where the C library would keep it.

glibc keeps freed blocks for what may come; what came before, places of a whole dump, does not come
again. Without this, a process stays as large as the sum of the largest things it ever held. This
module frees nothing, and does nothing where the library is another.
"""

import contextlib
import sys

LARGE = 1 << 20
"""Bytes of a message that are worth it."""


def trim() -> None:
    """Give back what is free (malloc_trim(3), glibc). Never raises."""
    if sys.platform == "linux":
        with contextlib.suppress(Exception):  # musl has no such function
            import ctypes  # noqa: PLC0415 - may be absent

            ctypes.CDLL(None).malloc_trim(0)
