"""Slots of an allocator that lays blocks end to end and links the free ones by their first word."""

from typing import Literal

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.relations.places import links
from scanner.detect.relations.rsa import rsa
from tests.detect.relations.conftest import MakePool

KEY = keys.rsa_key(2048)
LINK = (0x7F68_3F0C_3600).to_bytes(8, "little")


def slots(order: Literal["little", "big"], *numbers: int, link: bytes = LINK) -> bytes:
    """Return linked slots of one size, end to end, before one that was never a number's."""
    raws = [number.to_bytes(-(-number.bit_length() // 8), order) for number in numbers]
    rest = noise.uniform(len(raws[0]), len(raws[0]))
    return b"".join(link + raw[len(link) :] for raw in raws) + rest


@pytest.mark.parametrize("order", ["little", "big"])
def test_numbers_in_linked_slots(make_pool: MakePool, order: Literal["little", "big"]) -> None:
    """What is left of n, p and q is the key, though no run ends where they do."""
    rows = slots(order, KEY.p, KEY.q), slots(order, KEY.n)
    pool, _ = make_pool(bytes(64) + bytes(64).join(rows) + bytes(64))
    (related,) = rsa.search(pool, ())
    assert describe(related.key).fingerprint.value == KEY.spki_sha256


@pytest.mark.parametrize("order", ["little", "big"])
def test_primes_in_linked_slots(make_pool: MakePool, order: Literal["little", "big"]) -> None:
    """Both are enough where somebody named the modulus, and nothing of it stands here."""
    pool, _ = make_pool(bytes(64) + slots(order, KEY.p, KEY.q) + bytes(64))
    (related,) = rsa.search(pool, (publics.rsa(KEY.n, KEY.e, kind="certificate"),))
    assert describe(related.key).fingerprint.value == KEY.spki_sha256


def test_where_slots_end(make_pool: MakePool) -> None:
    """A link is a pointer to a word; zero is one only before a run, and what is short has none."""
    data = bytes(64) + slots("little", KEY.p, KEY.q) + bytes(64)
    pool, _ = make_pool(data)
    at = pool.data.tobytes().index(LINK)
    assert links.ends(pool, 128).tolist() == [at + 128, at + 256]
    assert links.ends(pool, 512).tolist() == []
    for wrong in (b"\1" + LINK[1:], LINK[:6] + b"\1\0", bytes(8)):
        pool, _ = make_pool(data.replace(LINK, wrong))
        assert at + 256 not in links.ends(pool, 128).tolist()
    pool, _ = make_pool(data.replace(LINK, bytes(8), 1))
    assert links.ends(pool, 128).tolist() == [at + 128, at + 256]
    pool, _ = make_pool(data, "big")
    assert not len(links.ends(pool, 256))
