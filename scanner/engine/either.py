"""Which of several keys a secret is that may be of any of them: one seed is never told twice.

Where what names the algorithm of a seed is gone, its detector tells a key of each kind. The one
that anything else bears out is kept: its public half stands somewhere, or the same key stands
elsewhere with its name. Where nothing does, the first one is, and this module drops no secret. A
scalar on edwards25519 whose point nobody names is that of an X25519 key where that one is proved.
"""

from collections import defaultdict
from collections.abc import Iterable

from scanner.model import Candidate, Confidence, Place


def settled(found: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates with one of each that may be of several kinds, or all that are proved."""
    every = _without_twins(list(found))
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


def _without_twins(every: list[Candidate]) -> list[Candidate]:
    """Drop Ed25519 keys of which the scalar alone was found, and that are X25519 keys as well."""
    agreed = {
        bytes.fromhex(c.fingerprint.value)
        for c in every
        if c.algorithm == "x25519" and c.confidence is Confidence.PROOF
    }
    told = {c.fingerprint.value for c in every if not _is_twin(c, agreed)}
    return [c for c in every if c.fingerprint.value in told]


def _is_twin(candidate: Candidate, agreed: set[bytes]) -> bool:
    return candidate.algorithm == "ed25519" and candidate.more in agreed
