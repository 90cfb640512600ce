"""What arrays stand for: the names by which signatures say it.

An array of offsets is none of words, and a name tells it where a shape does not. This module holds
types, and no code.
"""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
"""Memory, or rows of it."""

Words = npt.NDArray[np.uint64]
"""Numbers of 64 bits: words of memory, addresses, entries of tables."""

Offsets = npt.NDArray[np.int64]
"""Places or sizes in bytes, counted from where whoever takes them says, or numbers of rows."""

Sizes = npt.NDArray[np.int32]
"""Sizes in bytes, or counts, of things of which there are many and none has 2 GiB."""

Floats = npt.NDArray[np.float64]
"""Quotients, or words of which only the leading bits count."""

Flags = npt.NDArray[np.bool_]
"""An answer to a question for each row."""
