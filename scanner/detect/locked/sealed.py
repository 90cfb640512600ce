"""What is found of a secret that nobody can read here: an encrypted key, a fragment of one.

Such a secret has no number to prove, and mostly no public half to name it by. It is told from
others by its bytes, which stay in the process that read them: this module gives them no way out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scanner.detect.locked.locks import Lock
from scanner.fingerprint import NAMELESS
from scanner.model import Candidate, Confidence, Fingerprint, Place
from scanner.rules import Rule

UNKNOWN = "unknown"
"""The algorithm of a key that lies inside of its encryption."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Sealed:
    """A candidate without material, and the bytes by which its copies are told."""

    candidate: Candidate
    value: bytes
    lock: Lock | None = None
    """What a passphrase is tried on; None where none is."""
    waits: Callable[[Sequence[bytes]], Lock] | None = None
    """Makes the lock of what is salted with bytes that lie elsewhere in the dump."""
    salt: bytes = b""
    """Such bytes: what has them is no key."""


def sealed(
    rule: Rule,
    encoding: str,
    place: Place,
    value: bytes,
    *,
    protection: str = "",
    algorithm: str = UNKNOWN,
    curve: str = "",
    bits: int = 0,
    confidence: Confidence = Confidence.STRUCTURE,
    fingerprint: Fingerprint = NAMELESS,
    lock: Lock | None = None,
) -> Sealed:
    """Return what may be said of a secret that lies at ``place`` and cannot be read."""
    said = Candidate(
        rule=rule.id,
        kind=rule.kind,
        algorithm=algorithm,
        encoding=encoding,
        confidence=confidence,
        proof="",
        fingerprint=fingerprint,
        bits=bits,
        curve=curve,
        places=(place,),
        protection=protection,
    )
    return Sealed(candidate=said, value=value, lock=lock)
