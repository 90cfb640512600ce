"""Numbers before their checksum: found in the middle of runs, and nothing else taken for one."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec as curves

from fixtures import encodings, keys, noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards import edwards
from scanner.detect.relations.fields import discrete
from scanner.detect.relations.places import checked
from scanner.detect.relations.weierstrass import ec
from scanner.dump.space import Memory
from tests.detect.damaged.test_headless_dsa import named
from tests.detect.relations.fields.test_discrete import in_words, planted

MakePool = Callable[..., tuple[Pool, Memory]]

CURVES = ("P-256", "P-384", "P-521", "secp256k1", "brainpoolP256r1", "brainpoolP512r1")


def summed(number: int, before: bytes, *, off: int = 0) -> bytes:
    """Write an open secret as OpenPGP does, in a run that goes on behind what was its block."""
    raw = number.bit_length().to_bytes(2, "big") + number.to_bytes(-(-number.bit_length() // 8))
    total = (sum(raw) ^ off).to_bytes(2, "big")
    return noise.uniform(40, 6) + before + b"\0" + raw + total + noise.uniform(160, 7)


@pytest.mark.parametrize(
    ("curve", "shift", "off"),
    [
        (curve, shift, (0, 0x5A)[(row + shift) % 2])
        for row, curve in enumerate(CURVES)
        for shift in (0, 3)
    ],
)
def test_a_scalar_of_a_packet_without_its_front(
    make_pool: MakePool, curve: str, shift: int, off: int
) -> None:
    """Seen in RNP, of freed keys: glibc wrote over the front, and the sum's last byte.

    With and without that byte at any shift, though not on each curve.
    """
    key = keys.ec_key(curve)
    y = key.y.to_bytes(key.field_bytes, "big")
    data = noise.plant(noise.text(1 << 14, 3), 4096 + shift, bytes(8) + summed(key.d, y, off=off))
    point = bytes(8) + encodings.public_point(key) + bytes(8)
    pool, _ = make_pool(noise.plant(data, 8192, point))
    (found,) = ec.search(pool, ())
    assert describe(found.key).fingerprint.value == key.spki_sha256


def test_a_seed_and_an_exponent(make_pool: MakePool) -> None:
    """The same of Ed25519 and of DSA."""
    key = keys.okp_key("ed25519")
    seed = summed(int.from_bytes(key.seed, "big"), key.public)
    pool, _ = make_pool(planted([seed, key.public]))
    (found,) = edwards.search(pool, ())
    assert describe(found.key).fingerprint.value == key.spki_sha256
    parts = in_words((256, 2048), "big")
    parts[3] = summed(int.from_bytes(parts[3], "big"), parts[4])
    pool, _ = make_pool(planted(parts))
    (dsa,) = discrete.search_dsa(pool, ())
    assert describe(dsa.key).fingerprint.value == named(256, 2048)


@pytest.mark.parametrize("size", [28, 32, 48, 65, 66])
def test_every_part_counts(make_pool: MakePool, size: int) -> None:
    """Another sum, another length, and a protected secret are passed over; so is an empty pool."""
    number = int.from_bytes(noise.uniform(size, 5), "big") | 1 << 8 * size - 1
    if size == 66:
        number %= 1 << 521
    good = bytes(64) + summed(number, b"") + bytes(64)
    pool, _ = make_pool(good)
    assert len(checked.numbers(pool, size)) == 1
    assert not len(checked.numbers(pool, size - 1))
    at = 64 + 40
    for place, bit in ((at, 1), (at + 1, 8), (at + 2, 1), (at + size + 3, 1)):
        bad = bytearray(good)
        bad[place] ^= bit
        pool, _ = make_pool(bytes(bad))
        assert not len(checked.numbers(pool, size))
    pool, _ = make_pool(b"")
    assert not len(checked.numbers(pool, size))


def test_a_number_of_few_bytes_is_none(make_pool: MakePool) -> None:
    """Seen in libpython's code, beside a table of P-256: a multiple of a power of two."""
    d = 0x6302 << 232
    point = curves.derive_private_key(d, curves.SECP256R1()).public_key().public_numbers()
    raw = b"\4" + point.x.to_bytes(32) + point.y.to_bytes(32)
    data = bytes(64) + summed(d, b"") + bytes(64) + raw + bytes(64)
    pool, _ = make_pool(data)
    assert not len(checked.numbers(pool, 31))
    assert list(ec.search(pool, ())) == []
