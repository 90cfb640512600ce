"""DSA and Diffie-Hellman exponents: found where their group and their public number stand."""

import functools
import hashlib
import itertools
import math
import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from fixtures import containers, encodings, noise
from scanner import rules
from scanner.detect.algebra import effort, named_groups, publics
from scanner.detect.algebra.material import Ffc, describe
from scanner.detect.integers import pool as pools
from scanner.detect.integers import readings
from scanner.detect.integers.pool import Pool
from scanner.detect.openpgp import sexp
from scanner.detect.relations.fields import discrete, dsa_nonces, groups, logarithms, subgroups
from scanner.detect.relations.places import digits
from scanner.detect.relations.related import Related
from scanner.dump.space import Memory
from scanner.engine.scanning import ScanRequest, scan
from scanner.model import NONCE_DSA, Place
from scanner.progress import Silence
from tests.detect.damaged.test_headless_dsa import key, named
from tests.detect.relations import second_look

Order = Literal["little", "big"]

MakePool = Callable[..., tuple[Pool, Memory]]
HELD = [how.name for how in digits.held(readings.LITTLE_ENDIAN)]

SIZE = 1 << 14
NEEDED = (0, 1, 3, 4)
"""Of p, q, g, x and y: the generator of nearly everybody is computed where it does not stand."""
STEPS = (39, 529)
"""The steps of two to the order and to the cofactor of :func:`domain`."""
GROUPS = named_groups.named()


@functools.cache
def domain() -> tuple[int, int, int]:
    """Return p, q, g of 1024 and 256 bits: the first ones behind fixed numbers."""
    q = (int.from_bytes(noise.uniform(32, 2), "big") | 1 << 255 | 1) + 2 * STEPS[0]
    k = int.from_bytes(noise.uniform(96, 1), "big") | 1 << 767 | 1 << 766
    k = (k & ~1) + 2 * STEPS[1]
    p = k * q + 1
    assert pow(2, q - 1, q) == pow(2, p - 1, p) == 1
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
    data = noise.text(max(SIZE, 2048 * (len(parts) + 2)), 3)
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
    kind = (3 if how.tag is None else how.tag).to_bytes(how.step - how.word, "little")

    def word(digit: int) -> bytes:
        if how.double:
            return struct.pack("<d", digit)
        return (digit << how.shift).to_bytes(how.word, order)

    return [
        b"".join(
            word(number >> at & (1 << how.digit) - 1) + kind for at in range(0, size, how.digit)
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


@pytest.mark.parametrize("name", ["digits-60", "digits-28"])
@pytest.mark.parametrize("flipped", [0, 2])
def test_an_order_of_240_bits(make_pool: MakePool, name: str, flipped: int) -> None:
    """Seen in CryptX (Perl): LibTomCrypt's manual has orders that FIPS 186 has not."""
    how = next(how for how in readings.LITTLE_ENDIAN if how.name == name)
    q = (int.from_bytes(noise.uniform(30, 2), "big") | 1 << 239 | 1) + 2 * 31
    k = (int.from_bytes(noise.uniform(226, 1), "big") | 3 << 1806) // 2 * 2 + 2 * 703
    p, x = k * q + 1, int.from_bytes(noise.uniform(30, 5), "big") % q
    g = pow(3, k, p)
    y = pow(g, x, p)
    sizes = ((p, 2048), (q ^ flipped, 240), (g, 2048), (x, 240), (y, 2048))
    pool, _ = make_pool(planted([readings.encode(how, number, bits) for number, bits in sizes]))
    found = [related.key for related in discrete.search_dsa(pool, ())]
    assert [(one.p, one.q, one.x) for one in found if isinstance(one, Ffc)] == (
        [] if flipped else [(p, q, x)]
    )


def test_an_order_of_224_bits_in_limbs_of_a_big_endian_machine(make_pool: MakePool) -> None:
    """Seen in OpenSSL on s390x: the last of the exponent's limbs begins with zeros."""
    how = next(how for how in readings.BIG_ENDIAN if how.name == "limbs-be64")
    group = key(224, 2048).parameters().parameter_numbers()
    few = noise.uniform(20, 5)  # whose bytes are as many as those of random limbs, not of four
    x = int.from_bytes((few + few)[:28], "big") % group.q
    numbers = (group.p, group.q, group.g, x, pow(group.g, x, group.p))
    parts = [readings.encode(how, number, (2048, 224)[number < 1 << 224]) for number in numbers]
    pool, memory = make_pool(planted(parts), "big")
    (related,) = discrete.search_dsa(pool, ())
    assert isinstance(related.key, Ffc)
    assert related.key.x == x
    assert describe(related.key).fingerprint.value in again(memory, related)
    assert (related.proof, related.encoding) == ("g**x = y", "x limbs-be64")


@pytest.mark.parametrize("name", ["digits-60", "digits-28"])
def test_a_dsa_key_among_other_digits(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Seen in LibTomCrypt: what looks like digits of other readings is tried as x last."""
    monkeypatch.setattr(discrete, "ORDERED", 2 * (8 * effort.raising(256, 2048),))
    how = next(how for how in readings.LITTLE_ENDIAN if how.name == name)
    others = (int.from_bytes(noise.uniform(32, seed), "big") for seed in range(20))
    parts = [*in_digits(name, "little"), *(readings.encode(how, x, 256) for x in others)]
    pool, _ = make_pool(planted(parts))
    (related,) = discrete.search_dsa(pool, ())
    assert describe(related.key).fingerprint.value == named(256, 2048)


def test_a_generator_behind_other_numbers(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in LibTomCrypt, whose generator is a random one, behind dozens of RSA's numbers."""
    monkeypatch.setattr(discrete, "ORDERED", 2 * (8 * effort.raising(256, 2048),))
    how = next(how for how in readings.LITTLE_ENDIAN if how.name == "digits-60")
    p, q, g, x, _ = (readings.decode(how, raw) or 0 for raw in in_digits(how.name, "little"))
    g = pow(g, 3, p)
    others = (int.from_bytes(noise.uniform(256, seed), "big") & -2 for seed in range(70))
    numbers = [(p, 2048), (q, 256), (x, 256), *((n, 2048) for n in others)]
    numbers += [(g, 2048), (pow(g, x, p), 2048)]
    raws = (readings.encode(how, number, bits) for number, bits in numbers)
    pool, _ = make_pool(b"".join(bytes(64) + raw for raw in raws) + bytes(64))
    (related,) = discrete.search_dsa(pool, ())
    assert isinstance(related.key, Ffc)
    assert related.key.g == g


@pytest.mark.parametrize("part", NEEDED)
@pytest.mark.parametrize("name", ["digits-60", "digits-28"])
def test_every_digit_counts(make_pool: MakePool, name: str, part: int) -> None:
    """With one bit of p, q, x or y flipped, nothing is found."""
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


@pytest.mark.parametrize("order", ["little", "big"])
def test_an_exponent_of_fewer_bits_than_the_order(make_pool: MakePool, order: Order) -> None:
    """Seen in Crypto++: 225 bits of 256."""
    parts = in_words((256, 2048), order)
    p, _, g, x, _ = (int.from_bytes(part, order) for part in parts)
    x = x % (1 << 224) | 1 << 224
    parts[3:] = [x.to_bytes(32, order), pow(g, x, p).to_bytes(256, order)]
    pool, memory = make_pool(planted(parts))
    (related,) = discrete.search_dsa(pool, ())
    assert related.proof == "g**x = y"
    assert describe(related.key).fingerprint.value in again(memory, related)


@pytest.mark.parametrize("bits", [224, 220])
def test_an_exponent_whose_last_limb_is_empty(make_pool: MakePool, bits: int) -> None:
    """Seen in Crypto++ on 32-bit x86: every other exponent of 225 bits has fewer."""
    parts = in_words((256, 2048), "little")
    p, _, g, x, _ = (int.from_bytes(part, "little") for part in parts)
    x = x % (1 << bits) | 1 << bits - 1
    parts[3:] = [x.to_bytes(32, "little"), pow(g, x, p).to_bytes(256, "little")]
    others = [noise.uniform(32, seed) for seed in range(8)]
    pool, _ = make_pool(planted([*others, *parts]), word=4)
    (related,) = discrete.search_dsa(pool, ())
    assert isinstance(related.key, Ffc)
    assert related.key.x == x


@pytest.mark.parametrize("first", [0, 4])
def test_a_dsa_key_in_limbs_of_32_bits(make_pool: MakePool, first: int) -> None:
    """Seen in wolfSSL built for words of 32 bits: every second number begins within a word."""
    p, q, g, x, y = in_words((256, 2048), "little")
    heads = (struct.pack("<II", len(limbs) // 4, 257) for limbs in (p, q, g, y, x))
    structures = zip(heads, (p, q, g, y, x), strict=True)
    together = b"".join(head + limbs + bytes(1028 - len(limbs)) for head, limbs in structures)
    crowd = b"".join(bytes(16) + noise.uniform(32, seed) for seed in range(200))
    pool, memory = make_pool(crowd + bytes(64 + first) + together + bytes(64))
    (related,) = discrete.search_dsa(pool, ())
    assert describe(related.key).fingerprint.value == named(256, 2048)
    assert named(256, 2048) in again(memory, related)


@pytest.mark.parametrize("part", NEEDED)
def test_every_word_counts(make_pool: MakePool, part: int) -> None:
    """With one bit of p, q, x or y flipped, nothing is found."""
    parts = [bytearray(raw) for raw in in_words((256, 2048), "little")]
    parts[part][16] ^= 4
    pool, _ = make_pool(planted([bytes(raw) for raw in parts]))
    assert list(discrete.search_dsa(pool, ())) == []


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_a_handshake_in_a_named_group(make_pool: MakePool, group: int) -> None:
    """A short exponent in limbs is found beside the prime of its group and y in bytes."""
    named = GROUPS[group]
    x = short(named.short)
    y, size = pow(2, x, named.p), named.p.bit_length() // 8
    limbs = x.to_bytes((named.short + 63) // 64 * 8, "little")
    parts = [named.p.to_bytes(size, "big"), limbs, y.to_bytes(size, "big")]
    pool, memory = make_pool(planted(parts))
    (related,) = discrete.search_dh(pool, ())
    oid = bytes.fromhex("06092a864886f70d010301")  # dhKeyAgreement (PKCS #3)
    identifier = tlv(0x30, oid + tlv(0x30, integer(named.p) + integer(2)))
    der = tlv(0x30, identifier + tlv(0x03, b"\0" + integer(y)))
    name = hashlib.sha256(der).hexdigest()
    assert describe(related.key).fingerprint.value == name
    assert name in again(memory, related)


def short(bits: int) -> int:
    """Return a number of so many bits."""
    return int.from_bytes(noise.uniform(64, 7), "big") >> 512 - bits | 1 << bits - 1


@pytest.mark.parametrize("group", range(0, len(GROUPS), 2))
def test_the_likeliest_exponent_comes_first(make_pool: MakePool, group: int) -> None:
    """Seen in OpenSSL: among hundreds of numbers of 32 bytes the one that is as short as it is."""
    named = GROUPS[group]
    x, size = short(named.short - 1), named.p.bit_length() // 8
    limbs = x.to_bytes((named.short + 63) // 64 * 8, "little")
    crowd = [noise.uniform(32, seed) for seed in range(200)]
    parts = [*crowd, named.p.to_bytes(size, "little"), limbs]
    parts.append(pow(2, x, named.p).to_bytes(size, "little"))
    pool, _ = make_pool(b"".join(bytes(16) + part + bytes(16) for part in parts) + bytes(64))
    (related,) = discrete.search_dh(pool, ())
    assert (related.key.x, related.key.p) == (x, named.p)


def test_only_the_group_whose_prime_stands_is_tried(make_pool: MakePool) -> None:
    """The primes of RFC 3526 begin alike, and all of them were tried where one stood."""
    for group in GROUPS:
        raw = group.p.to_bytes(group.p.bit_length() // 8, "big")
        pool, _ = make_pool(noise.plant(noise.text(SIZE, 3), 2040, bytes(8) + raw + bytes(8)))
        hows = readings.whole(pool.readings)
        there = groups.standing(pool, [each.p for each in GROUPS], hows)
        assert there == {group.p: {readings.BYTES}}


def test_a_known_key_needs_neither_prime_nor_public_number(make_pool: MakePool) -> None:
    """What the operator gave says both; the exponent alone stands, and no other one is a key."""
    named = GROUPS[1]
    x = short(named.short)
    y = pow(2, x, named.p)
    pool, memory = make_pool(planted([x.to_bytes(32, "little")]))
    assert list(discrete.search_dh(pool, ())) == []
    own = publics.ffc("dh", named.p, 0, 2, y, kind="known")
    (related,) = discrete.search_dh(pool, (own,))
    assert describe(related.key).fingerprint == own.witness.fingerprint
    assert own.witness.fingerprint.value in again(memory, related)
    other = publics.ffc("dh", named.p, 0, 2, y ^ 2, kind="known")
    assert list(discrete.search_dh(pool, (other,))) == []


# --- groups with an order -----------------------------------------------------------------------


def numbers(size: tuple[int, int] = (256, 2048)) -> tuple[int, int, int, int, int]:
    """Return p, q, g, x and y of a key."""
    secret = key(*size).private_numbers()
    group = secret.public_numbers.parameter_numbers
    return group.p, group.q, group.g, secret.x, secret.public_numbers.y


def little(value: int, size: int) -> bytes:
    """Spell a number in limbs."""
    return value.to_bytes(size, "little")


@pytest.mark.parametrize("flipped", [None, 0, 1, 2, 3])
def test_numbers_that_do_not_fill_their_room(make_pool: MakePool, flipped: int | None) -> None:
    """Seen in Go: q and y stand in room for twice as much, in which something else goes on.

    The generator stands nowhere: it is that of nearly everybody.
    """
    p, q, _, x, y = numbers()
    parts = [
        bytearray(part)
        for part in (
            little(p, 256),
            little(q, 32) + noise.uniform(472, 5),
            little(x, 32),
            little(y, 256) + noise.uniform(256, 6),
        )
    ]
    if flipped is not None:
        parts[flipped][16] ^= 4
    pool, memory = make_pool(planted([bytes(part) for part in parts]))
    found = list(discrete.search_dsa(pool, ()))
    if flipped is not None:
        assert found == []
        return
    (related,) = found
    assert describe(related.key).fingerprint.value == named(256, 2048)
    assert named(256, 2048) in again(memory, related)


@pytest.mark.parametrize("sign", [b"", b"\0"])
def test_an_exponent_in_an_object_of_libgcrypts(make_pool: MakePool, sign: bytes) -> None:
    """Seen in gpg-agent: x in what it freed, and the key as it is protected 13 KB on."""
    p, q, g, x, y = numbers()
    raw = sign + x.to_bytes(32, "big")
    rows = {"p": p, "q": q, "g": g, "y": y}.items()
    whole = containers.members_object((name, encodings.big_endian(n)) for name, n in rows)
    data = noise.uniform(64, 8) + containers.members_object([("x", raw)]) + noise.text(13_000, 4)
    pool, memory = make_pool(data + whole + noise.text(900, 5) + noise.uniform(64, 9))
    (rule,) = (rule for rule in rules.load() if rule.detector == "sexp")
    at = len(data)
    (public,) = sexp.examine(memory, 0, at, rule)
    assert isinstance(public, publics.PublicKey)
    (related,) = discrete.search_dsa(pool, [public])
    assert describe(related.key).fingerprint.value == named(256, 2048)
    assert related.places == (Place(space=0, offset=64 + 8 + len(sign), size=32),)
    assert list(discrete.search_dsa(pool, [])) == []


def agreement(*, usual: bool = True) -> tuple[list[int], list[bytes]]:
    """Return p, q, g, x and y, and their limbs, before them a peer's number and the secret."""
    p, q, g, x, _ = numbers()
    g = g if usual else pow(g, 12345, p)
    peer = pow(g, short(250), p)
    values = [p, q, peer, pow(peer, x, p), g, x, pow(g, x, p)]
    sizes = [256, 32, 256, 256, 256, 32, 256]
    return [p, q, g, x, pow(g, x, p)], list(map(little, values, sizes))


@pytest.mark.parametrize("usual", [True, False])
def test_one_exponent_is_one_key(make_pool: MakePool, usual: bool) -> None:
    """Seen in OpenSSL: a peer's public number and the secret that is shared were a key as well.

    Where the generator is not that of everybody, a public key that was read tells.
    """
    (p, q, g, x, y), parts = agreement(usual=usual)
    pool, _ = make_pool(planted(parts))
    stated = publics.ffc("dsa", p, q, g, y, kind="public-key")
    (related,) = discrete.search_dsa(pool, () if usual else (stated,))
    assert (related.key.g, related.key.x, related.key.y) == (g, x, y)
    assert len(list(discrete.search_dsa(pool, ()))) == 1


@pytest.mark.parametrize("how", ["a public key", "DER"])
def test_a_key_of_x942_is_named_as_one(make_pool: MakePool, how: str) -> None:
    """Its public key was read, or its parameters stand in their order: p, g and q."""
    (p, q, g, x, y), parts = agreement()
    stated = publics.ffc("dhx", p, q, g, y, kind="public-key", more=b"\x05\0")
    if how == "DER":
        parts.append(integer(p) + integer(g) + integer(q))
        pool, memory = make_pool(planted(parts) + bytes(4096))
        (related,) = discrete.search_dsa(pool, ())
        expected = publics.ffc("dhx", p, q, g, y, kind="public-key").witness.fingerprint
    else:
        pool, memory = make_pool(planted(parts))
        (related,) = discrete.search_dsa(pool, (stated,))
        expected = stated.witness.fingerprint
    assert (related.key.algorithm, related.key.x) == ("dhx", x)
    assert describe(related.key).fingerprint == expected
    assert expected.value in again(memory, related)


@pytest.mark.parametrize("there", ["r and its power", "r", "its power"])
def test_a_nonce_is_told_from_a_key(make_pool: MakePool, there: str) -> None:
    """Seen in libgcrypt: k stands, and what becomes r of a signature; y modulo q is none."""
    p, q, g, _, _ = numbers()
    k = short(255)
    parts = [little(p, 256), little(q, 32), little(g, 256), k.to_bytes(32, "big")]
    power = pow(g, k, p)
    parts += [little(power, 256)] if "power" in there else []
    parts += [b"\x30\x44\x02\x20" + (power % q).to_bytes(32, "big")] if "r" in there.split() else []
    pool, _ = make_pool(planted(parts))
    (related,) = discrete.search_dsa(pool, ())
    assert related.key.x == k
    assert related.proof == ("g**x = y" if there == "its power" else NONCE_DSA)


@pytest.mark.parametrize("form", ["DER", "limbs", "another hash"])
def test_who_signed_with_a_nonce(make_pool: MakePool, form: str) -> None:
    """The key stands as well, s beside r, and the hash anywhere; with another hash nobody says."""
    p, q, g, x, y = numbers()
    k, z = short(255), hashlib.sha256(b"signed").digest()
    r = pow(g, k, p) % q
    s = (int.from_bytes(z, "big") + r * x) * pow(k, -1, q) % q
    signature = (
        little(r, 32) + little(s, 32) if form == "limbs" else tlv(0x30, integer(r) + integer(s))
    )
    z = hashlib.sha256(z).digest() if form == "another hash" else z
    parts = [little(p, 256), little(q, 32), little(g, 256), little(x, 32), little(y, 256)]
    pool, memory = make_pool(planted([*parts, little(k, 32), signature, z]))
    key, nonce = sorted(dsa_nonces.search(pool, ()), key=lambda one: one.proof == NONCE_DSA)
    name = describe(key.key).fingerprint.value
    assert (key.signer, key.key.x, nonce.key.x) == (b"", x, k)
    assert nonce.signer.hex() == ("" if form == "another hash" else name)
    said = second_look.told(nonce)
    assert said.more == nonce.signer
    assert describe(nonce.key).fingerprint.value in again(memory, nonce)


# --- numbers end to end -------------------------------------------------------------------------


def bignum(value: int, size: int) -> bytes:
    """Spell a number as SBCL does: digits behind a header, the top bit clear, pairs of words."""
    digits = (value.bit_length() + 64) // 64
    header = (digits << 8 | 0x11).to_bytes(8, "little")
    return (header + value.to_bytes(8 * digits, "little")).ljust((size + 31) // 16 * 16, b"\0")


@functools.cache
def crowd(count: int) -> tuple[int, ...]:
    """Return numbers of 2048 bits that may be a p as far as small primes tell."""
    raw = (int.from_bytes(noise.uniform(256, seed), "big") | 1 << 2047 | 1 for seed in range(4000))
    return tuple(itertools.islice((n for n in raw if math.gcd(n, subgroups._SMALL) == 1), count))


@pytest.mark.parametrize(
    ("parted", "flipped"),
    [
        *((parted, flipped) for parted in (False, True) for flipped in (None, 0, 1)),
        *((False, flipped) for flipped in (3, 4)),
    ],
)
def test_a_group_end_to_end_among_many_numbers(
    make_pool: MakePool, *, parted: bool, flipped: int | None
) -> None:
    """Seen in SBCL, with Ironclad: behind 32 others that may be a p; or g stands before q."""
    values = list(numbers())
    if flipped is not None:
        values[flipped] ^= 4
    p, q, g, x, y = values
    order = [(p, 256), (g, 256), (q, 32)] if parted else [(p, 256), (q, 32), (g, 256)]
    group = b"".join(bignum(value, size) for value, size in order)
    others = b"".join(bytes(24) + little(n, 256) + bytes(24) for n in crowd(40))
    data = others + bytes(4096) + group + bytes(4096) + bignum(y, 256) + bignum(x, 32)
    pool, memory = make_pool(data + bytes(64))
    found = list(discrete.search_dsa(pool, ()))
    if flipped is not None:
        assert found == []
        return
    (related,) = found
    assert describe(related.key).fingerprint.value == named(256, 2048)
    assert named(256, 2048) in again(memory, related)


CODE = bytes((*range(0x40, 0x50), *range(0x80, 0x90), *range(0xE0, 0xF0), 0x0F, 0x1F, 0x24, 0xFF))
"""Bytes that are frequent in machine code."""


def test_a_group_among_many_runs(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen in Node.js, behind others and code that may be a p."""
    monkeypatch.setattr(pools, "FEW_RUNS", 0)
    p, q, g, x, y = numbers()
    drawn = (bytes(CODE[n % len(CODE)] for n in noise.uniform(256, seed)) for seed in range(2000))
    odd = (b"\x8b" + raw[1:-1] + b"\x89" for raw in drawn)
    likely = (r for r in odd if math.gcd(int.from_bytes(r, "little"), subgroups._SMALL) == 1)
    code = list(itertools.islice(likely, subgroups.MOST_FULL[1]))
    others = [little(n, 256) for n in crowd(7)]
    group = [little(p, 256), little(q, 32), little(g, 256), little(x, 32), little(y, 256)]
    pool, _ = make_pool(planted([*code, *others, *group]))
    (related,) = discrete.search_dsa(pool, ())
    assert describe(related.key).fingerprint.value == named(256, 2048)


@pytest.mark.parametrize("stated", [False, True])
def test_a_public_key_is_worth_more_trials(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, *, stated: bool
) -> None:
    """The exponent stands behind more numbers than are tried where none was read."""
    p, q, g, x, y = numbers()
    each = effort.raising(256, 2048)
    monkeypatch.setattr(discrete, "ORDERED", (12 * each, 96 * each))
    others = [noise.uniform(32, seed) for seed in range(1, 16)]
    group = [little(p, 256), little(q, 32), little(g, 256), little(y, 256)]
    pool, _ = make_pool(planted([*group, *others, little(x, 32)]))
    read = [publics.ffc("dsa", p, q, g, y, kind="public-key")] if stated else []
    assert [one.key.x for one in discrete.search_dsa(pool, read)] == [x] * stated


@pytest.mark.parametrize("stated", [False, True])
def test_small_multiples_of_an_exponent_are_no_keys(make_pool: MakePool, *, stated: bool) -> None:
    """Seen in Bouncy Castle: 2x and 3x, and their powers in modPow's table; if stated they are."""
    p, q, g = domain()
    x = int.from_bytes(noise.uniform(32, 5), "big") >> 3
    values = [(times * x, pow(g, times * x, p)) for times in (1, 2, 3, 5)]
    secrets = [number.to_bytes(32, "little") for number, _ in values]
    spelled = [(y * (1 << 1024) % p).to_bytes(128, "little") for _, y in values]
    pool, _ = make_pool(planted([integer(p) + integer(q) + integer(g), *secrets, *spelled]))
    own = [publics.ffc("dsa", p, q, g, values[1][1], kind="known")] if stated else []
    found = {related.key.x // x for related in discrete.search_dsa(pool, own)}
    assert found == ({1, 2, 5} if stated else {1, 5})


def test_what_adjoins_a_public_number_is_the_likeliest_exponent(make_pool: MakePool) -> None:
    """Seen in SBCL, whose collector had moved x and y away from their group."""
    p, q, _, x, y = numbers()
    others = b"".join(bignum(short(250 + seed % 2) + seed, 32) + bytes(16) for seed in range(40))
    pool, _ = make_pool(others + bytes(4096) + bignum(y, 256) + bignum(x, 32) + bytes(64))
    first, *rest = logarithms.of_order(pool, q, (), 40, p)
    assert first.x == x
    assert x not in {piece.x for piece in rest if piece.how == first.how}


# --- nothing ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("form", ["limbs-le", "bytes-be", "hex", "base64"])
def test_an_exponent_alone_beside_a_public_key(tmp_path: Path, form: str) -> None:
    """A public key stands behind all that looks random, of which there is but the exponent."""
    secret = key(256)
    x = secret.private_numbers().x.to_bytes(32, "big")
    spelled = {"limbs-le": x[::-1], "bytes-be": x, "hex": x.hex().encode(), "base64": b64encode(x)}
    spki = secret.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    data = noise.plant(noise.text(1 << 14), 4096, bytes(8) + spelled[form] + bytes(8))
    path = tmp_path / "core"
    path.write_bytes(noise.plant(data, 8192, bytes(8) + spki + bytes(8)))
    found = scan(ScanRequest(path=str(path), in_process=True, rules=rules.load()), Silence())
    (one,) = (candidate for candidate in found.candidates if candidate.kind == "private-key")
    assert (one.encoding, one.fingerprint.value) == (f"x {form}", named(256))
