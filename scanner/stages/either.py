"""Which of several keys a secret is that may be of any of them: one seed is never told twice.

Where what names the algorithm of a seed is gone, its detector tells a key of each kind. The one
that anything else bears out is kept: its public half stands somewhere, or the same key stands
elsewhere with its name. Where nothing does, the first one is, and this module drops no secret.
"""

from collections import defaultdict
from collections.abc import Iterable

from scanner.model import Candidate, Confidence, Place


def settled(found: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates with one of each that may be of several kinds, or all that are proved."""
    every = list(found)
    sure = {c.fingerprint.value for c in every if not c.either or c.confidence is Confidence.PROOF}
    kinds: dict[tuple[str, tuple[Place, ...]], dict[str, None]] = defaultdict(dict)
    for one in every:
        if one.either:
            kinds[one.rule, one.places][one.fingerprint.value] = None
    kept = {
        place: [name for name in names if name in sure] or list(names)[:1]
        for place, names in kinds.items()
    }
    return [c for c in every if not c.either or c.fingerprint.value in kept[c.rule, c.places]]
