"""Whose a fragment of a key file is, among the keys that were proved: by the number it begins with.

A worker reads fragment and keys again, and compares; nothing but the name of a key leaves. In doubt
a fragment stays one.
"""

from collections.abc import Iterator

from scanner.detect.algebra.material import Ec, Ffc, Material, Okp, Rsa
from scanner.detect.locked.sealed import Sealed
from scanner.fingerprint import FIELD_BYTES
from scanner.model import Candidate, Fingerprint
from scanner.stages.session import Session
from scanner.stages.trace import FEWEST_VALUES, again, examined

BEGINS = 10
"""Bytes of a number that name its key: of PKCS#8 with RSA the first line of base64 has no more."""

_HEAD = 1024
"""Bytes of a fragment in which a number may begin that tells."""


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
