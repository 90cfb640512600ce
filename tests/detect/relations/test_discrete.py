"""DSA and Diffie-Hellman exponents: found where their group and their public number stand."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Literal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from fixtures import noise
from scanner.detect.algebra.material import describe
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.relations import digits, discrete
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from tests.detect.damaged.test_headless_dsa import key, named
from tests.detect.relations import second_look

Order = Literal["little", "big"]

MakePool = Callable[..., tuple[Pool, Memory]]
HELD = [how.name for how in digits.held(readings.LITTLE_ENDIAN)]

SIZE = 1 << 14
GROUPS = discrete._named()


@functools.cache
def domain() -> tuple[int, int, int]:
    """Return p, q, g of 1024 and 256 bits: the first ones behind fixed numbers."""
    q = int.from_bytes(noise.uniform(32, 2), "big") | 1 << 255 | 1
    while pow(2, q - 1, q) != 1:
        q += 2
    k = int.from_bytes(noise.uniform(96, 1), "big") | 1 << 767 | 1 << 766
    k &= ~1
    while pow(2, k * q, k * q + 1) != 1:
        k += 2
    p = k * q + 1
    return p, q, pow(2, k, p)


def tlv(tag: int, raw: bytes) -> bytes:
    """Encode a DER element."""
    size = len(raw).to_bytes((len(raw).bit_length() + 7) // 8, "big")
    head = bytes((len(raw),)) if len(raw) < 0x80 else bytes((0x80 + len(size),)) + size
    return bytes((tag,)) + head + raw


def integer(value: int) -> bytes:
    """Encode a DER INTEGER."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def planted(parts: Sequence[bytes]) -> bytes:
    """Write parts at multiples of 2048 into text, between zeros."""
    data = noise.text(SIZE, 3)
    for index, part in enumerate(parts):
        data = noise.plant(data, 2048 * (index + 1) - 8, bytes(8) + part + bytes(8))
    return data


def again(memory: Memory, related: Related) -> set[str]:
    """Return the fingerprints that a second look at a key gives."""
    candidate = second_look.told(related)
    return {describe(key).fingerprint.value for key in discrete.again(memory, candidate)}


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("form", ["bytes", "limbs", "montgomery"])
def test_a_dsa_key(make_pool: MakePool, order: Order, form: str) -> None:
    """With the parameters as DER and y in any spelling, x is found, named, and found again."""
    p, q, g = domain()
    x = int.from_bytes(noise.uniform(32, 5), "big") >> 1
    y = pow(g, x, p)
    spelled = {
        "bytes": y.to_bytes(128, "big"),
        "limbs": y.to_bytes(128, "little"),
        "montgomery": ((y << 1024) % p).to_bytes(128, "little"),
    }[form]
    secret = x.to_bytes(32, order)
    pool, memory = make_pool(planted([integer(p) + integer(q) + integer(g), secret, spelled]))
    (related,) = discrete.search_dsa(pool, ())
    numbers = dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g))
    der = numbers.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    name = hashlib.sha256(der).hexdigest()
    assert describe(related.key).fingerprint.value == name
    assert name in again(memory, related)
    assert related.proof == "g**x = y"


def in_digits(name: str, order: Order) -> list[bytes]:
    """Spell p, q, g, x and y of a key of 2048 bits in digits of a library."""
    how = next(how for how in readings.LITTLE_ENDIAN if how.name == name)
    secret = key(256, 2048).private_numbers()
    group = secret.public_numbers.parameter_numbers
    return [
        b"".join(
            ((number >> at & (1 << how.digit) - 1) << how.shift).to_bytes(how.word, order)
            + how.tag.to_bytes(how.step - how.word, "little")
            for at in range(0, size, how.digit)
        )
        for number, size in (
            (group.p, 2048),
            (group.q, 256),
            (group.g, 2048),
            (secret.x, 256),
            (secret.public_numbers.y, 2048),
        )
    ]


@pytest.mark.parametrize(
    ("name", "order"),
    [*((name, "little") for name in HELD), ("digits-60", "big"), ("digits-28", "big")],
)
def test_a_dsa_key_in_digits(make_pool: MakePool, name: str, order: Order) -> None:
    """Seen in LibTomCrypt: all five numbers in digits of 60 or 28 bits, each in its own block."""
    pool, memory = make_pool(planted(in_digits(name, order)), order)
    (related,) = discrete.search_dsa(pool, ())
    assert describe(related.key).fingerprint.value == named(256, 2048)
    assert named(256, 2048) in again(memory, related)
    assert (related.proof, related.encoding) == ("g**x = y", f"x {name}")


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("name", ["digits-60", "digits-28"])
def test_every_digit_counts(make_pool: MakePool, name: str, part: int) -> None:
    """With one bit of p, q, g, x or y flipped, nothing is found."""
    parts = [bytearray(raw) for raw in in_digits(name, "little")]
    parts[part][16] ^= 4
    pool, _ = make_pool(planted([bytes(raw) for raw in parts]))
    assert list(discrete.search_dsa(pool, ())) == []


def in_words(size: tuple[int, int], order: Order) -> list[bytes]:
    """Spell p, q, g, x and y of a key as numbers that fill their words."""
    secret = key(*size).private_numbers()
    group = secret.public_numbers.parameter_numbers
    return [
        number.to_bytes(bits // 8, order)
        for number, bits in (
            (group.p, size[1]),
            (group.q, size[0]),
            (group.g, size[1]),
            (secret.x, size[0]),
            (secret.public_numbers.y, size[1]),
        )
    ]


@pytest.mark.parametrize("size", [(224, 2048), (256, 2048), (256, 3072)])
@pytest.mark.parametrize("order", ["little", "big"])
def test_a_dsa_key_in_words(make_pool: MakePool, order: Order, size: tuple[int, int]) -> None:
    """Seen in OpenSSL once the file's bytes are written over: five BIGNUMs, each its own block."""
    pool, memory = make_pool(planted(in_words(size, order)))
    (related,) = discrete.search_dsa(pool, ())
    assert describe(related.key).fingerprint.value == named(*size)
    assert named(*size) in again(memory, related)
    assert related.proof == "g**x = y"


@pytest.mark.parametrize("part", range(5))
def test_every_word_counts(make_pool: MakePool, part: int) -> None:
    """With one bit of p, q, g, x or y flipped, nothing is found."""
    parts = [bytearray(raw) for raw in in_words((256, 2048), "little")]
    parts[part][16] ^= 4
    pool, _ = make_pool(planted([bytes(raw) for raw in parts]))
    assert list(discrete.search_dsa(pool, ())) == []


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_a_handshake_in_a_named_group(make_pool: MakePool, group: int) -> None:
    """A short exponent in limbs is found beside the prime of its group and y in bytes."""
    named = GROUPS[group]
    x = int.from_bytes(noise.uniform(48, 7), "big") >> 384 - named.bits | 1 << named.bits - 1
    y, size = pow(2, x, named.p), named.p.bit_length() // 8
    limbs = x.to_bytes((named.bits + 63) // 64 * 8, "little")
    parts = [named.p.to_bytes(size, "big"), limbs, y.to_bytes(size, "big")]
    pool, memory = make_pool(planted(parts))
    (related,) = discrete.search_dh(pool, ())
    oid = bytes.fromhex("06092a864886f70d010301")  # dhKeyAgreement (PKCS #3)
    identifier = tlv(0x30, oid + tlv(0x30, integer(named.p) + integer(2)))
    der = tlv(0x30, identifier + tlv(0x03, b"\0" + integer(y)))
    name = hashlib.sha256(der).hexdigest()
    assert describe(related.key).fingerprint.value == name
    assert name in again(memory, related)


def test_named_primes_are_safe() -> None:
    """Every prime of RFC 3526 and RFC 7919 is computed right: p and (p - 1) / 2 pass Fermat."""
    for group in GROUPS[:2]:
        half = (group.p - 1) // 2
        assert pow(3, group.p - 1, group.p) == pow(3, half - 1, half) == 1
    ends = {group.p.bit_length(): group.p & (1 << 64) - 1 for group in GROUPS}
    assert ends == dict.fromkeys((2048, 3072, 4096), (1 << 64) - 1)


@pytest.mark.parametrize("part", range(3))
def test_every_part_is_needed(make_pool: MakePool, part: int) -> None:
    """With one bit of the parameters, of x or of y flipped, nothing is found."""
    p, q, g = domain()
    x = int.from_bytes(noise.uniform(32, 5), "big") >> 1
    parts = [
        bytearray(integer(p) + integer(q) + integer(g)),
        bytearray(x.to_bytes(32, "little")),
        bytearray(pow(g, x, p).to_bytes(128, "big")),
    ]
    parts[part][20] ^= 4
    pool, _ = make_pool(planted([bytes(each) for each in parts]))
    assert list(discrete.search_dsa(pool, ())) == []
    assert list(discrete.search_dh(pool, ())) == []


@pytest.mark.parametrize("kind", ["heap", "uniform", "zeros"])
def test_random_bytes_hold_no_key(make_pool: MakePool, kind: str) -> None:
    """Without a group nothing is tried."""
    pool, _ = make_pool(noise.KINDS[kind](1 << 15, 11))
    assert list(discrete.search_dsa(pool, ())) == []
    assert list(discrete.search_dh(pool, ())) == []
