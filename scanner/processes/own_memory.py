"""Keeps a process small for little: what was freed goes back to the system, cycles are few.

glibc keeps freed blocks for what may come. In a scan every step is different: without this, a
process stays as large as the sum of the largest things it ever held. This module frees nothing that
is in use, and gives nothing back where the library is another, or the process small.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

GROWN = 112 << 20
"""Resident bytes of a process for which it is worth it: a sweep needs less."""

ALIVE = 1 << 14
"""Objects that are made before they are looked through for cycles. Python's own count is 700, and
the modules that a start loads are looked through a hundred times."""

MAPPED = 4 << 20
"""Bytes of a block for which a mapping of its own is worth its page faults."""

KEPT = 64 << 20
"""Free bytes at a heap's end that are not given back at once: the next step would take them."""

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
"""Parameters of mallopt (malloc.h)."""


def collect_seldom() -> None:
    """Look through new objects for cycles of garbage (gc) once in so many: there are hardly any."""
    gc.set_threshold(ALIVE)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage in what the block imports, then or ever: modules stay.

    A process does so once, as it begins: later there may be garbage, which would stay as well.
    """
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        gc.enable()


def map_large() -> None:
    """Give each block of MAPPED bytes its own mapping (mallopt(3), glibc). Never raises.

    By itself glibc takes blocks of up to 32 MiB from the heap once it has freed one so large, and
    what is alive behind such a block holds it when it is freed, too.
    """
    if sys.platform == "linux":
        with contextlib.suppress(Exception):  # musl has no such function
            import ctypes  # noqa: PLC0415 - may be absent

            libc = ctypes.CDLL(None)
            libc.mallopt(_M_MMAP_THRESHOLD, MAPPED)
            libc.mallopt(_M_TRIM_THRESHOLD, KEPT)


def trim() -> None:
    """Give back what is free, if the process has GROWN (malloc_trim(3), glibc). Never raises."""
    if sys.platform == "linux":
        with contextlib.suppress(Exception):  # no /proc, and musl has no such function
            pages = int(Path("/proc/self/statm").read_bytes().split()[1])
            if pages * os.sysconf("SC_PAGE_SIZE") > GROWN:
                import ctypes  # noqa: PLC0415 - may be absent

                ctypes.CDLL(None).malloc_trim(0)
