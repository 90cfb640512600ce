"""Loads the shared library, once and when it is first needed, and hands out its functions.

ctypes lets go of the GIL while a function runs. Refused, with an error in three parts, is a library
that is missing, cannot be loaded, or was compiled from other sources than those that stand beside
it: nothing falls back to slower code in Python, whose answers might differ unseen. A pointer passes
only by :func:`pointer`, which checks what it points to.
"""

import ctypes
import functools
import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.errors import KernelError

FOLDER = Path(__file__).resolve().parent
NAME = "kernels.dll" if sys.platform == "win32" else "kernels.so"
PLACE = FOLDER / NAME

_WHAT = "the compiled code of keysift cannot be used"
_HINT = "install keysift again, in an environment of its own"


@functools.cache
def load() -> ctypes.CDLL:
    """Return the library. Raises KernelError where it cannot be used."""
    if not PLACE.is_file():
        raise KernelError(_WHAT, reason=f"{NAME} is not in its installation", hint=_HINT)
    try:
        library = ctypes.CDLL(str(PLACE))
        library.kernels_sources.restype = ctypes.c_char_p
        said = library.kernels_sources()
    except (OSError, AttributeError):  # whose text is the system's, and names paths
        raise KernelError(
            _WHAT,
            reason=f"{NAME} cannot be loaded: it is damaged, or made for another platform",
            hint=_HINT,
        ) from None
    if (there := _sources()) and said != there:
        raise KernelError(
            _WHAT,
            reason=f"{NAME} was compiled from other sources than those beside it",
            hint=_HINT,
        )
    return library


def _sources() -> bytes:
    """Return the digest of the C files that stand here; nothing where none does, as in a wheel."""
    paths = sorted((*FOLDER.glob("*.c"), *FOLDER.glob("*.h")), key=lambda path: path.name)
    found = hashlib.sha256()
    for path in paths:
        data = path.read_bytes()
        found.update(f"{path.name} {len(data)}\n".encode() + data)
    return found.hexdigest().encode() if paths else b""


def pointer(array: npt.NDArray[Any], dtype: npt.DTypeLike, *shape: int) -> ctypes.c_void_p:
    """Return where an array begins, once it is what a function expects.

    Raises ValueError for another dtype or shape, or where its rows do not follow one another. The
    pointer keeps the array alive: a call has its arguments until it returns.
    """
    if array.dtype != np.dtype(dtype) or not array.dtype.isnative or array.shape != shape:
        raise ValueError(f"an array of {array.dtype} {array.shape} for {dtype} {shape}")
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise ValueError("an array whose rows do not follow one another")
    there = ctypes.c_void_p(array.ctypes.data)
    there.array = array  # type: ignore[attr-defined]
    return there


def writable(array: npt.NDArray[Any], dtype: npt.DTypeLike, *shape: int) -> ctypes.c_void_p:
    """Return the same of an array that a function fills; ValueError if it may not be written to."""
    if not array.flags.writeable:
        raise ValueError("an array that may not be written to")
    return pointer(array, dtype, *shape)
