"""Fragments of files whose key was found whole: they are places of that key, and no key beside it.

What is left of a file has no private number, so that nothing proves whose it is. But its first
number begins there as a rule: of RSA the modulus, of a curve the scalar. Of the keys that were
proved these are known, and a worker compares them with what it reads of the fragment once more.
Nothing but the name of a key leaves. In doubt a fragment stays one.
"""

from collections.abc import Iterator, Sequence

from scanner.detect.algebra.material import Ec, Ffc, Material, Okp, Rsa
from scanner.detect.locked.sealed import Sealed
from scanner.fingerprint import FIELD_BYTES, SPKI
from scanner.model import Candidate, Confidence, Fingerprint
from scanner.stages.session import Session
from scanner.stages.trace import FEWEST_VALUES, again, examined

MOST_KEYS = 256
"""Keys that fragments are compared with: where there are more, fragments stay what they are."""

BEGINS = 10
"""Bytes of a number that name its key: of PKCS#8 with RSA the first line of base64 has no more."""

_HEAD = 1024
"""Bytes of a fragment in which a number may begin that tells."""


def fragments(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return what has the shape of a private key, and no public half."""
    return tuple(
        c
        for c in candidates
        if c.kind == "private-key"
        and c.confidence is Confidence.SHAPE
        and c.fingerprint.kind != SPKI
    )


def owners(
    session: Session, left: tuple[Candidate, ...], keys: tuple[Candidate, ...]
) -> tuple[Fingerprint | None, ...]:
    """Return of which of the keys each fragment is, or None."""
    names = {
        mark: key.fingerprint
        for key in keys
        for number in _numbers(again(session, key))
        if len(set(mark := number[:BEGINS])) >= FEWEST_VALUES
    }
    return tuple(_owner(session, one, names) for one in left)


def _owner(
    session: Session, fragment: Candidate, names: dict[bytes, Fingerprint]
) -> Fingerprint | None:
    for found in examined(session, fragment):
        if isinstance(found, Sealed) and found.candidate.places == fragment.places:
            head = found.value[:_HEAD]
            pieces = (head[at : at + BEGINS] for at in range(len(head) - BEGINS + 1))
            return next((names[piece] for piece in pieces if piece in names), None)
    return None


def _numbers(key: Material | None) -> Iterator[bytes]:
    """Yield the numbers of a key that stand before its others in files, big-endian."""
    match key:
        case Rsa():
            yield key.n.to_bytes(-(-key.n.bit_length() // 8), "big")
        case Ec():
            for number in (key.d, key.x):
                yield number.to_bytes(FIELD_BYTES[key.curve], "big")
        case Okp():
            yield from (key.seed, key.public)
        case Ffc():
            for number in (key.x, key.y):
                yield number.to_bytes(-(-number.bit_length() // 8), "big")
