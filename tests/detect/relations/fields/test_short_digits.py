"""DSA keys with an order of 160 bits in digits, whose order and exponent are no runs."""

from collections.abc import Callable

import pytest

from fixtures import keys
from scanner.detect.algebra.material import Ffc, describe
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import discrete, short_digits
from scanner.dump.space import Memory
from scanner.model import NONCE_DSA
from tests.detect.relations.fields.test_discrete import again, planted

MakePool = Callable[..., tuple[Pool, Memory]]

KEY = keys.dsa_numbers()
SIZES = {"p": 1024, "q": 160, "g": 1024, "x": 160, "y": 1024}


def spelled(name: str, order: str, **others: int) -> list[bytes]:
    """Spell the numbers of a key, or others in their place, in digits of a library."""
    table = readings.LITTLE_ENDIAN if order == "little" else readings.BIG_ENDIAN
    how = next(how for how in table if how.name == name)
    numbers = {**KEY, **others}
    return [readings.encode(how, numbers[one], bits) for one, bits in SIZES.items()]


@pytest.mark.parametrize(
    ("name", "order"), [("digits-60", "little"), ("digits-60", "big"), ("digits-62", "little")]
)
def test_a_key_of_1024_bits(make_pool: MakePool, name: str, order: str) -> None:
    """Seen in LibTomCrypt: three digits look like nothing, and stand near the others."""
    pool, memory = make_pool(planted(spelled(name, order)), order)
    (related,) = discrete.search_dsa(pool, ())
    assert isinstance(related.key, Ffc)
    assert (related.key.p, related.key.q, related.key.x) == (KEY["p"], KEY["q"], KEY["x"])
    assert describe(related.key).fingerprint.value in again(memory, related)
    assert (related.proof, related.encoding) == ("g**x = y", f"x {name}")


@pytest.mark.parametrize("wrong", ["q", "x", "y"])
def test_numbers_of_no_key(make_pool: MakePool, wrong: str) -> None:
    """The order divides p - 1, and the power of the exponent stands."""
    pool, _ = make_pool(planted(spelled("digits-60", "little", **{wrong: KEY[wrong] ^ 2})))
    assert list(discrete.search_dsa(pool, ())) == []


def test_what_was_found_otherwise_is_not_told_again(make_pool: MakePool) -> None:
    """Of a key whose order is a run the relation of all orders tells."""
    pool, _ = make_pool(planted(spelled("digits-60", "little")))
    assert len(list(short_digits.search(pool, set()))) == 1
    assert list(short_digits.search(pool, {KEY["y"]})) == []


def test_a_nonce_is_told_as_such(make_pool: MakePool) -> None:
    """Its power stands modulo the order as well: r of a signature."""
    rest = spelled("digits-60", "little", x=KEY["y"] % KEY["q"])[3]
    pool, _ = make_pool(planted([*spelled("digits-60", "little"), rest]))
    (related,) = short_digits.search(pool, set())
    assert related.proof == NONCE_DSA
