"""SLH-DSA's roots: what OpenSSL makes of the same seeds."""

import pytest

from fixtures import pqc
from scanner.detect.algebra import slhdsa

NAMES = sorted(slhdsa.SETS)
FAST = [name for name in NAMES if name.endswith("f")]


def flipped(raw: bytes, at: int) -> bytes:
    """Return bytes of which one has another bit."""
    return raw[:at] + bytes((raw[at] ^ 0x10,)) + raw[at + 1 :]


@pytest.mark.parametrize("name", NAMES)
def test_roots_are_those_that_openssl_makes(name: str) -> None:
    """All twelve sets, of seeds of their own."""
    key, n = pqc.slh_key(name), slhdsa.SETS[name].n
    assert len(key) == slhdsa.SETS[name].private
    assert slhdsa.root(name, key[:n], key[2 * n : 3 * n]) == key[3 * n :]


@pytest.mark.parametrize("name", FAST)
def test_a_flipped_bit_gives_another_root(name: str) -> None:
    """Of either seed; of SK.prf there is nothing to tell."""
    key, n = pqc.slh_key(name), slhdsa.SETS[name].n
    secret, public = key[:n], key[2 * n : 3 * n]
    for at in range(0, n, 5):
        assert slhdsa.root(name, flipped(secret, at), public) != key[3 * n :]
        assert slhdsa.root(name, secret, flipped(public, at)) != key[3 * n :]


@pytest.mark.parametrize("name", FAST)
def test_another_set_gives_another_root(name: str) -> None:
    """The four sets of a size are told apart, the cheapest first."""
    key, n = pqc.slh_key(name), slhdsa.SETS[name].n
    others = slhdsa.of_size(n)
    assert len(others) == 4
    assert others[0].endswith("f")
    assert sorted(slhdsa.SETS[one].cost for one in others) == [
        slhdsa.SETS[one].cost for one in others
    ]
    for other in others[:2]:
        same = slhdsa.root(other, key[:n], key[2 * n : 3 * n]) == key[3 * n :]
        assert same is (other == name)
