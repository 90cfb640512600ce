"""What a relation says of numbers in the pool."""

from collections.abc import Iterable
from dataclasses import dataclass

from scanner.detect.algebra.material import Material
from scanner.model import Place


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Related:
    """A key that a relation proved, and where its private numbers stand."""

    key: Material
    proof: str
    """The equation that closed."""
    encoding: str
    """The reading or readings of the numbers."""
    places: tuple[Place, ...]
    roles: tuple[str, ...] = ()
    """What the number at each place is: ``p``, ``d``..."""
    twin: bytes = b""
    """SHA-256 of the SPKI of the X25519 key that an Ed25519 scalar is too; empty of other keys."""
    signer: bytes = b""
    """SHA-256 of the SPKI of the key that signed with a nonce; empty where nobody knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untried:
    """Numbers that were not tried though a public key is there that they may belong to."""

    count: int
    of: int
    size: int
    """Bytes of each."""
    witness: str
    """Curves or algorithms of these keys."""


def of_numbers(
    key: Material, proof: str, forms: Iterable[str], rows: Iterable[tuple[Place, str]]
) -> Related:
    """Say of a key in which readings its numbers stand, where each does, and what it is."""
    found = sorted(set(rows))
    return Related(
        key=key,
        proof=proof,
        encoding="+".join(dict.fromkeys(forms)),
        places=tuple(place for place, _ in found),
        roles=tuple(role for _, role in found),
    )
