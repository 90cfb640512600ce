"""Fragments of files whose key was found whole: they are places of that key, and no key beside it.

What is left of a file has no private number, so that nothing proves whose it is. But its first
number begins there as a rule: of RSA the modulus, of a curve the scalar. Of the keys that were
proved these are known, and a worker compares them with what it reads of the fragment once more.
Nothing but the name of a key leaves. In doubt a fragment stays one.
"""

from collections.abc import Sequence

from scanner.fingerprint import SPKI
from scanner.model import Candidate, Confidence

MOST_KEYS = 256
"""Keys that fragments are compared with: where there are more, fragments stay what they are."""


def fragments(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return what has the shape of a private key, and no public half."""
    return tuple(
        c
        for c in candidates
        if c.kind == "private-key"
        and c.confidence is Confidence.SHAPE
        and c.fingerprint.kind != SPKI
    )
