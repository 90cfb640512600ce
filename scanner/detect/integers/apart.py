"""Numbers whose bytes stand apart: each in a word of its own, or in a list of numbers.

No piece of such a number stands anywhere: it is found, read and traced as a whole. This module
knows no form itself (``spaced``, ``listed``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.integers import listed, spaced


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Parted:
    """Bytes, the form in which they stand apart, and where in it each begins and ends."""

    form: str
    raw: bytes
    spans: list[tuple[int, int]]


def find(buffer: Bytes, filled: Sequence[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    """Return starts and ends (byte offsets in ``buffer``) of what may be such numbers."""
    both = spaced.find(buffer, filled), listed.find(buffer, filled)
    start, end = (np.concatenate(column) for column in zip(*both, strict=True))
    return start, end


def read(raw: bytes) -> Parted | None:
    """Return the bytes that stand so in ``raw``, which they fill; None where none do."""
    row = spaced.read(raw)
    if row is not None:
        size = len(raw) // len(row)
        return Parted(spaced.FORM, row, [(at, at + size) for at in range(0, len(raw), size)])
    members = listed.read(raw)
    return Parted(listed.FORM, members.raw, members.spans) if members is not None else None


def may_be(data: Bytes, at: Offsets) -> Flags:
    """Tell by the first words of runs which may be such numbers: few that are not."""
    found: Flags = spaced.may_be(data, at) | listed.may_be(data, at)
    return found
