"""Whose copies are looked for: what can be read again from its places, and as many as can be borne.

Each key is looked for in all readings and in pieces, so that thousands of them would fill the
memory. Whoever asks says how many were left out: this module refuses to leave one out in silence.
"""

from collections.abc import Iterator
from itertools import accumulate, groupby

from scanner.fingerprint import SPKI
from scanner.model import Candidate, Confidence

MOST_PIECES, AT_ONCE = 1 << 22, 1 << 20
"""Pieces that are looked for, the numbers of some 700 RSA keys, or 16,000 others; and those of them
at once, as the numbers of 4,000 keys take 300 MB."""

_OF_BIT, _OF_KEY = 3, 256
"""Pieces for each bit of an RSA modulus, and of any other key: about as many as there are."""


def traced(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Return what can be traced: one candidate of each key with a public half, and each token.

    Where a key lies only encrypted, or in a fragment, its numbers cannot be read again from their
    places.
    """
    named = [
        c
        for c in reversed(candidates)
        if c.confidence > Confidence.SHAPE
        and (
            (c.fingerprint.kind == SPKI and c.kind == "private-key" and not c.protection)
            or c.kind == "token"
        )
    ]
    return tuple({c.fingerprint.value: c for c in named}.values())


def affordable(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Return those of the candidates, from the first on, that can be traced."""
    return tuple(c for c, total in _totals(candidates) if total <= MOST_PIECES)


def turns(candidates: tuple[Candidate, ...]) -> list[tuple[Candidate, ...]]:
    """Return the candidates in their order, in as many parts as can be traced at once."""
    parts = groupby(_totals(candidates), key=lambda row: row[1] // AT_ONCE)
    return [tuple(c for c, _ in part) for _, part in parts]


def _totals(candidates: tuple[Candidate, ...]) -> Iterator[tuple[Candidate, int]]:
    """Yield each candidate, and the pieces of all up to it."""
    sizes = (_OF_BIT * c.bits if c.algorithm == "rsa" else _OF_KEY for c in candidates)
    return zip(candidates, accumulate(sizes), strict=True)
