"""A seed of one of two kinds is one key."""

import pytest

from scanner.engine.either import settled
from scanner.model import Candidate, Confidence, Fingerprint, Place

RULE = "headless-text"


def candidate(
    name: str,
    *,
    either: bool = True,
    proof: str = "",
    offset: int = 64,
    rule: str = RULE,
    more: bytes = b"",
) -> Candidate:
    """Return what a rule says of a seed at a place."""
    return Candidate(
        rule=rule,
        kind="private-key",
        algorithm=name,
        encoding="base64 of PKCS8-DER (damaged)",
        confidence=Confidence.PROOF if proof else Confidence.STRUCTURE,
        proof=proof,
        fingerprint=Fingerprint(kind="spki-sha256", value=name.encode().hex()),
        bits=256,
        places=(Place(space=0, offset=offset, size=48),),
        either=either,
        more=more,
    )


ED, X = candidate("ed25519"), candidate("x25519")
WHOLE = candidate("x25519", either=False, offset=512, rule="pem-private-key")


def test_the_first_kind_is_told_where_nothing_says_which() -> None:
    """It blocks as before, once."""
    assert settled([ED, X]) == [ED]
    far = candidate("x25519", offset=4096)
    assert settled([ED, X, far]) == [ED, far]


@pytest.mark.parametrize("other", [WHOLE, candidate("x25519", proof="k*9 = u", either=False)])
def test_the_kind_that_another_finding_names_is_told(other: Candidate) -> None:
    """In whatever order they come."""
    assert settled([ED, X, other]) == [X, other]
    assert settled([other, ED, X]) == [other, X]


def test_the_kind_whose_public_half_stands_is_told() -> None:
    """A seed that is used for both is two keys."""
    proved = candidate("x25519", proof="seed derives the public key")
    assert settled([ED, proved]) == [proved]
    both = [candidate("ed25519", proof="seed derives the public key"), proved]
    assert settled(both) == both


def test_what_is_of_one_kind_is_left_alone() -> None:
    """Two keys in one container have one place."""
    two = [candidate("ed25519", either=False), candidate("x25519", either=False)]
    assert settled(two) == two


SCALAR = candidate("ed25519", proof="a*B = A", either=False, more=b"x25519")


def test_a_scalar_that_is_an_x25519_key_is_told_as_that() -> None:
    """Seen in @noble/curves: a dump with an X25519 key alone had a critical Ed25519 key too."""
    proved = candidate("x25519", proof="k*9 = u", either=False, offset=512)
    assert settled([SCALAR, proved]) == [proved]
    assert settled([proved, SCALAR]) == [proved]


def test_a_scalar_is_a_key_of_its_own_where_more_than_that_says_so() -> None:
    """Its seed, its file; or no X25519 key is proved, or another one is."""
    unproved = candidate("x25519", either=False, offset=512)
    proved = candidate("x25519", proof="k*9 = u", either=False, offset=512)
    seed = candidate("ed25519", proof="seed derives the public key", either=False, offset=1024)
    other = candidate("ed25519", proof="a*B = A", either=False, more=b"other")
    for some in ([SCALAR], [SCALAR, unproved], [SCALAR, proved, seed], [other, proved]):
        assert settled(some) == some
