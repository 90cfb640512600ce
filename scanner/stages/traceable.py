"""Whose copies are looked for: what can be read again from its places, and as many as can be borne.

Each key is looked for in all readings and in pieces, so that thousands of them would fill the
memory. Whoever asks says how many were left out: this module refuses to leave one out in silence.
"""

from itertools import accumulate

from scanner.model import Candidate, Confidence

MOST_PIECES = 1 << 22
"""Pieces that are looked for at once: the numbers of some 700 RSA keys, or 16,000 others."""

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
            (c.fingerprint.kind == "spki-sha256" and c.kind == "private-key" and not c.protection)
            or c.kind == "token"
        )
    ]
    return tuple({c.fingerprint.value: c for c in named}.values())


def affordable(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Return those of the candidates, from the first on, that can be traced at once."""
    sizes = (_OF_BIT * c.bits if c.algorithm == "rsa" else _OF_KEY for c in candidates)
    return tuple(
        c for c, total in zip(candidates, accumulate(sizes), strict=True) if total <= MOST_PIECES
    )
