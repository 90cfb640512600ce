"""Keys that nobody names, whose modulus stands in one reading, and a private number in another."""

from collections.abc import Callable

import pytest

from fixtures import keys
from scanner.detect.integers.pool import Pool
from scanner.dump.space import Memory
from tests.detect.relations.rsa import test_rsa as rsa_tests

MakePool = Callable[..., tuple[Pool, Memory]]

KEY = keys.rsa_key(2048)
GAP = bytes(64)
SMALL = (1).to_bytes(4, "little") + bytes(12)
"""What stands around a number, and is none."""


@pytest.mark.parametrize("which", ["d", "p"])
@pytest.mark.parametrize(
    ("of_n", "of_it"),
    [("limbs-le", "bytes-be"), ("bytes-be", "limbs-le"), ("digits-30", "bytes-be")],
)
def test_limbs_and_bytes(make_pool: MakePool, which: str, of_n: str, of_it: str) -> None:
    """Seen in Libgcrypt, GnuTLS and wolfSSL: n as limbs, and the buffer that d or p came from."""
    number, bits = (KEY.d, 2048) if which == "d" else (KEY.p, 1024)
    modulus = rsa_tests.spell(KEY.n, of_n, 2048)[0]
    private = rsa_tests.spell(number, of_it, bits)[0]
    data = b"".join((GAP, SMALL, modulus, SMALL, GAP, SMALL, private, SMALL, GAP))
    (related,) = rsa_tests.search(make_pool, data)
    assert related.encoding == (f"d {of_it}" if which == "d" else of_it)
    wrong = bytearray(data)
    wrong[data.index(private) + 8] ^= 2
    assert rsa_tests.search(make_pool, bytes(wrong)) == []
