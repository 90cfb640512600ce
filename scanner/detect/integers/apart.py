"""Numbers whose bytes stand apart: each in a word of its own, in a text's list, between escapes.

No piece of such a number stands anywhere: it is found and read as a whole. This module knows no
form itself (``spaced``, ``listings``, ``escaped``).
"""

from collections.abc import Sequence

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.encodings import listed
from scanner.detect.integers import escaped, listings, spaced

_READERS = (
    (escaped.FORM, escaped.read),
    (spaced.FORM, spaced.read),
    (listed.FORM, listings.read),
)


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such numbers."""
    both = [form.find(buffer, filled) for form in (spaced, listings, escaped)]
    start, end = (np.concatenate(column) for column in zip(*both, strict=True))
    return start, end


def read(raw: bytes) -> tuple[str, bytes] | None:
    """Return the form in which bytes stand in ``raw``, which they fill, and these; else None."""
    for form, reads in _READERS:
        number = reads(raw)
        if number is not None:
            return form, number
    return None


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first words of runs which may be such numbers: few that are not."""
    found: Flags = spaced.may_be(data, at) | listings.may_be(data, at)
    found |= escaped.may_be(data, at)
    return found
