"""Exponents that DER gave, proved by a y that stands as a bare number."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fixtures import noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import discrete, written
from scanner.detect.relations.places import digits
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.model import Place
from tests.detect.relations.fields.test_discrete import again, domain, integer, planted, tlv

MakePool = Callable[..., tuple[Pool, Memory]]

P, _, G = domain()
X = int.from_bytes(noise.uniform(128, 7), "big") % P
Y = pow(G, X, P)
HOWS = (*readings.unpacked(readings.LITTLE_ENDIAN), *digits.held(readings.LITTLE_ENDIAN))


def derived(algorithm: str = "dh", y: int = Y) -> PublicKey:
    """Return the public key that is computed where an exponent is read."""
    return publics.ffc(algorithm, P, 0, G, y, kind=publics.BARE)


def secret(x: int = X) -> bytes:
    """Return what PKCS#8 has of it: the group, and x in an OCTET STRING."""
    return integer(P) + integer(G) + tlv(4, integer(x))


def found(pool: Pool, *keys: PublicKey) -> list[Related]:
    """Return what is proved of some public keys."""
    return list(written.search(pool, keys))


@pytest.mark.parametrize("how", HOWS, ids=lambda how: how.name)
def test_a_long_exponent_is_proved_by_its_bare_y(
    make_pool: MakePool, how: readings.Reading
) -> None:
    """Seen in Bouncy Castle; it was told without a proof, though y stood in Java's words."""
    spelled = readings.encode(how, Y, P.bit_length())
    pool, memory = make_pool(planted([secret(), spelled]))
    (related,) = found(pool, derived("elgamal"))
    assert (related.key.algorithm, related.key.x, related.proof) == ("elgamal", X, "g**x = y")
    assert derived("elgamal").witness.fingerprint.value in again(memory, related)
    assert not found(pool, derived(y=Y ^ 2))


def test_montgomery_form_will_do(make_pool: MakePool) -> None:
    """And the search of Diffie-Hellman's numbers asks for it."""
    turned = (Y << 1024) % P
    pool, _ = make_pool(planted([secret(), turned.to_bytes(128, "little")]))
    (related,) = discrete.search_dh(pool, (derived(),))
    assert related.key.x == X


def test_x_and_y_are_both_needed(make_pool: MakePool) -> None:
    """What x gives is no witness by itself, and no other x is the one."""
    pool, _ = make_pool(planted([secret()]))
    assert not found(pool, derived())
    pool, _ = make_pool(planted([secret(X ^ 2), Y.to_bytes(128, "little")]))
    assert not found(pool, derived())


def test_public_keys_that_were_read_are_witnesses_already(make_pool: MakePool) -> None:
    """And a y that begins with zeros, as somebody can make one, is not looked for in them."""
    pool, _ = make_pool(planted([secret(), Y.to_bytes(128, "little")]))
    placed = replace(derived().witness, place=Place(space=0, offset=0, size=9))
    assert not found(pool, replace(derived(), witness=placed))
    assert not found(pool, derived(y=1 << 100))
