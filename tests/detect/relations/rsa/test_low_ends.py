"""Primes and a modulus without their first bytes, and low ends that fit each other in crowds."""

import random
from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.rsa import arithmetic, low_ends, partial, rsa
from scanner.dump.space import Memory
from tests.detect.relations import second_look

MakePool = Callable[..., tuple[Pool, Memory]]

KEY = keys.rsa_key(2048)
LINK = (0x5555_9210_F010).to_bytes(8, "little")


def test_lattices_are_bounded(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 numbers of each kind with low words of p, q and n: of 400, 230 kB, that took 50 s."""
    source = random.Random(3)  # noqa: S311 - for a test
    p, q = (source.getrandbits(1024) | 1 for _ in "pq")
    lows = [(number & (1 << 64) - 1).to_bytes(8) for number in (p, q, p * q)]
    parts = [
        bytes(16) + source.randbytes(size - 24) + low + bytes(16)
        for _ in range(100)
        for low, size in zip(lows, (128, 128, 256), strict=True)
    ]
    spent: list[int] = []
    lattice = partial.top

    def counted(n: int, low: int, *, bits: int, lost: int) -> int:
        spent.append(n)
        return lattice(n, low, bits=bits, lost=lost)

    monkeypatch.setattr(partial, "top", counted)
    pool, _ = make_pool(b"".join(parts))
    assert list(rsa.search(pool, ())) == []
    alone = len(arithmetic.PRIME_BITS) * low_ends.MOST_ALONE[0]
    assert 0 < len(spent) <= low_ends.MOST_LATTICES + alone


@pytest.mark.parametrize("room", [b"", noise.uniform(8, 5)], ids=["full", "room"])
@pytest.mark.parametrize("which", ["p", "q"])
def test_one_prime_may_be_whole(make_pool: MakePool, which: str, room: bytes) -> None:
    """The other and n were freed, and a word of room may follow; a bit of the whole one decides."""
    rows = {"n": KEY.n.to_bytes(256), "p": KEY.p.to_bytes(128), "q": KEY.q.to_bytes(128)}
    rows = {name: raw if name == which else bytes(16) + raw[16:] for name, raw in rows.items()}
    pool, memory = make_pool((room + bytes(64)).join((b"", *rows.values(), b"")))
    (related,) = rsa.search(pool, ())
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256
    rows[which] = bytes((rows[which][0] ^ 1,)) + rows[which][1:]
    pool, _ = make_pool((room + bytes(64)).join((b"", *rows.values(), b"")))
    assert list(rsa.search(pool, ())) == []


@pytest.mark.parametrize("lost", [12, 16])
@pytest.mark.parametrize("which", [KEY.p, KEY.q], ids="pq")
def test_one_prime_near_the_modulus_is_enough(make_pool: MakePool, which: int, lost: int) -> None:
    """Seen in wolfSSL 4.6: its DER has what was p's block; a bit of what is left of n decides."""
    other = noise.uniform(127 - lost, 9) + b"\x01"
    prime = which.to_bytes(128)[lost:]
    n = KEY.n.to_bytes(256)[16:]
    rows = (b"", *(LINK + rest for rest in (n, other, prime)), b"")
    pool, memory = make_pool(bytes(48).join(rows))
    (related,) = rsa.search(pool, ())
    (again,) = rsa.again(memory, second_look.told(related))
    assert describe(again).fingerprint.value == KEY.spki_sha256
    n = n[:99] + bytes((n[99] ^ 1,)) + n[100:]
    rows = (b"", *(LINK + rest for rest in (n, other, prime)), b"")
    pool, _ = make_pool(bytes(48).join(rows))
    assert list(rsa.search(pool, ())) == []
