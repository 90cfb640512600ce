"""Numbers whose bytes stand apart: each in a word of its own, or in a text's list.

No piece of such a number stands anywhere: it is found and read as a whole. This module knows no
form itself (``spaced``, ``listings``).
"""

from collections.abc import Sequence

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.encodings import listed
from scanner.detect.integers import listings, spaced


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such numbers."""
    both = spaced.find(buffer, filled), listings.find(buffer, filled)
    start, end = (np.concatenate(column) for column in zip(*both, strict=True))
    return start, end


def read(raw: bytes) -> tuple[str, bytes] | None:
    """Return the form in which bytes stand in ``raw``, which they fill, and these; else None."""
    for form, reads in ((spaced.FORM, spaced.read), (listed.FORM, listings.read)):
        number = reads(raw)
        if number is not None:
            return form, number
    return None


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first words of runs which may be such numbers: few that are not."""
    found: Flags = spaced.may_be(data, at) | listings.may_be(data, at)
    return found
