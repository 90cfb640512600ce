"""DSA exponents of 160 bits: found beside the numbers of a public key that was read."""

import struct
from collections.abc import Callable

import pytest

from fixtures import keys, noise
from scanner.detect.algebra import publics
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import discrete, small_orders
from scanner.detect.relations.fields.groups import Group
from scanner.dump.space import Memory
from scanner.model import Place
from tests.detect.relations.fields.test_discrete import again

MakePool = Callable[..., tuple[Pool, Memory]]

NUMBERS = keys.dsa_numbers()
P, Q, G, X, Y = (NUMBERS[name] for name in "pqgxy")
OWN = publics.ffc("dsa", P, Q, G, Y, kind="public-key")
OTHER = publics.ffc("dsa", P, Q, G, pow(G, X + 1, P), kind="public-key")
BIG, LITTLE = X.to_bytes(20, "big"), X.to_bytes(20, "little")
INTS = b"".join(BIG[at : at + 4][::-1] for at in range(0, 20, 4))
LIMBS = Y.to_bytes(128, "little")

FORMS = {
    "limbs": (bytes(7) + b"\x21" + bytes(8), LITTLE + bytes(4)),
    "ints": (struct.pack("<QII", 1, 0x286C, 5), INTS),
    "INTEGER": (b"\x04\x16\x02\x14", BIG),
    "signed": (b"\x02\x15\0", BIG),
    "counted": (struct.pack("<I", 20), BIG),
    "array": (struct.pack("<QQ", 0x7F0011223340, 20), BIG),
    "padded": (bytes(8), BIG + bytes(4)),
}
"""What stands before an exponent, and how it stands there."""


def process(form: str, *, apart: int = 2048, x: int = 0) -> tuple[bytes, int]:
    """Return memory with p and y in limbs, and x so far behind them; and where x is."""
    head, raw = FORMS[form]
    raw = bytes((raw[0] ^ x,)) + raw[1:]
    at = -(-(4096 + apart) // 16) * 16 + (0 if len(head) % 8 == 0 else 8 - len(head) % 4)
    data = noise.plant(noise.text(1 << 17, 3), 2040, bytes(8) + P.to_bytes(128, "little"))
    data = noise.plant(data, 4088, bytes(8) + LIMBS + bytes(8))
    return noise.plant(data, at, head + raw), at + len(head)


@pytest.mark.parametrize("addressed", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_an_exponent_beside_its_public_number(
    make_pool: MakePool, form: str, *, addressed: bool
) -> None:
    """Seen in OpenSSL (limbs) and in Java (ints, and what PKCS#8 was freed)."""
    data, at = process(form)
    pool, memory = make_pool(data, addressed=addressed)
    (related,) = discrete.search_dsa(pool, [OTHER, OWN])
    assert describe(related.key).fingerprint == OWN.witness.fingerprint
    assert related.places[0] == Place(space=0, offset=at, size=20)
    assert OWN.witness.fingerprint.value in again(memory, related)


@pytest.mark.parametrize("form", FORMS)
def test_another_number_is_none(make_pool: MakePool, form: str) -> None:
    """One bit decides."""
    pool, _ = make_pool(process(form, x=1)[0])
    assert list(discrete.search_dsa(pool, [OWN])) == []


def arrays(flip: str = "", *, counted: bool = True) -> bytes:
    """Return memory with arrays of bytes, one behind the other, as .NET has them."""
    data = noise.text(1 << 15, 3)
    at = 8192
    for name in "pqgyx":
        size = 20 if name in "qx" else 128
        raw = (NUMBERS[name] ^ (1 << 50) * (name == flip)).to_bytes(size, "big")
        head = struct.pack("<QQ", 0x7F7ADCCE14C0, size) if counted else bytes(16)
        data = noise.plant(data, at, head + raw + bytes(-size % 8 + 8))
        at += len(head) + size + -size % 8 + 56
    return data


@pytest.mark.parametrize("counted", [True, False])
def test_a_group_of_bare_numbers(make_pool: MakePool, *, counted: bool) -> None:
    """Seen in .NET, alive (``DSAParameters``): nothing else said that a key was there."""
    data = arrays(counted=counted)
    pool, memory = make_pool(data)
    (related,) = discrete.search_dsa(pool, [])
    assert describe(related.key).fingerprint == OWN.witness.fingerprint
    assert related.places[0] == Place(space=0, offset=data.index(BIG), size=20)
    assert OWN.witness.fingerprint.value in again(memory, related)


@pytest.mark.parametrize("flip", "pqyx")
def test_every_bare_number_is_needed(make_pool: MakePool, flip: str) -> None:
    """Of the generator alone there is another: nearly everybody's."""
    pool, _ = make_pool(arrays(flip))
    assert list(discrete.search_dsa(pool, [])) == []


def test_parameters_in_der(make_pool: MakePool) -> None:
    """They name the group where no key of it was read."""
    written = b"".join(b"\x02" + raw for raw in map(counted, (P, Q, G)))
    data = noise.plant(noise.text(1 << 15, 3), 2048, written)
    data = noise.plant(data, 2048 + 400, bytes(8) + BIG + bytes(4))
    data = noise.plant(data, 2048 + 448, bytes(8) + LIMBS + bytes(8))
    pool, _ = make_pool(data)
    (related,) = discrete.search_dsa(pool, [])
    assert describe(related.key).fingerprint == OWN.witness.fingerprint


def counted(number: int) -> bytes:
    """Encode the length and contents of a DER INTEGER."""
    raw = number.to_bytes(number.bit_length() // 8 + 1)
    return (bytes((len(raw),)) if len(raw) < 128 else bytes((0x81, len(raw)))) + raw


def test_another_public_key_names_the_group(make_pool: MakePool) -> None:
    """Seen in OpenSSL: many keys of one group, one of which had been written. Else nothing does."""
    pool, _ = make_pool(process("limbs")[0])
    (related,) = discrete.search_dsa(pool, [OTHER])
    assert describe(related.key).fingerprint == OWN.witness.fingerprint
    assert list(discrete.search_dsa(pool, [])) == []


def test_limbs_of_32_bits(make_pool: MakePool) -> None:
    """Nothing fills them: the size of their block stands before them."""
    data, _ = process("limbs")
    at = data.index(LITTLE)
    data = data[: at - 4] + struct.pack("<I", 0x19) + LITTLE + b"abcd" + data[at + 24 :]
    pool, _ = make_pool(data, word=4)
    (related,) = discrete.search_dsa(pool, [OWN])
    assert related.places[0] == Place(space=0, offset=at, size=20)


@pytest.mark.parametrize("word", [8, 4])
@pytest.mark.parametrize("form", ["limbs", "ints"])
def test_an_exponent_anywhere(make_pool: MakePool, form: str, word: int) -> None:
    """Seen in PyCryptodome: far from all other numbers, behind the size of its block."""
    data, at = process(form, apart=120_000)
    data = data[: at - 4] + struct.pack("<I", 5 if form == "ints" else 0x21) + data[at:]
    if form == "limbs" and word == 8:
        data = data[: at - 8] + struct.pack("<Q", 0x21) + data[at:]
    pool, _ = make_pool(data, word=word)
    (related,) = discrete.search_dsa(pool, [OWN])
    assert related.places[0] == Place(space=0, offset=at, size=20)
    flipped = bytearray(data)
    flipped[at] ^= 1
    pool, _ = make_pool(bytes(flipped), word=word)
    assert list(discrete.search_dsa(pool, [OWN])) == []


def test_an_exponent_beside_a_public_key_that_was_read(make_pool: MakePool) -> None:
    """Where numbers of the key stand nowhere else, the key itself is a place."""
    data = noise.plant(noise.text(1 << 17, 3), 2040, bytes(8) + P.to_bytes(128, "little"))
    data = noise.plant(data, 100_000, b"".join(FORMS["INTEGER"]))
    near = Place(space=0, offset=99_000, size=440)
    pool, _ = make_pool(data)
    key = publics.ffc("dsa", P, Q, G, Y, kind="public-key", place=near)
    (related,) = discrete.search_dsa(pool, [key])
    assert related.places[0] == Place(space=0, offset=100_004, size=20)


def test_an_exponent_in_a_crowd(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is nearest to the public number comes first."""
    monkeypatch.setattr(small_orders, "MOST_NEAR", 200)
    monkeypatch.setattr(small_orders, "MOST_FAR", 0)
    crowd = b"".join(struct.pack("<QII", 1, 0, 5) + noise.uniform(24, at) for at in range(700))
    data, _ = process("ints", apart=256)
    data = data[:8192] + crowd + data[8192 + len(crowd) :]
    pool, _ = make_pool(data)
    (related,) = discrete.search_dsa(pool, [OWN])
    assert describe(related.key).fingerprint == OWN.witness.fingerprint


@pytest.mark.parametrize("word", [8, 4])
def test_memory_of_any_size(make_pool: MakePool, word: int) -> None:
    """Where next to nothing is, nothing is read beyond it."""
    place = Place(space=0, offset=0, size=440)
    key = publics.ffc("dsa", P, Q, G, Y, kind="public-key", place=place)
    group = Group("dsa", P, Q, Q.bit_length(), {G: ()}, {(G, Y): key})
    for size in (*range(1, 80), (1 << 22) + 1):
        pool, _ = make_pool(noise.uniform(size, size), word=word)
        assert list(small_orders.search(pool, group)) == []


@pytest.mark.parametrize("bits", [1024, 4096])
def test_of_longer_numbers_fewer_are_tried(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    """A p of four times the length makes a power sixteen times as dear."""
    tried: list[int] = []

    def power(_: int, x: int, __: int) -> int:
        tried.append(x)
        return 0

    monkeypatch.setattr(small_orders.gmp, "power", power)
    monkeypatch.setattr(small_orders, "MOST_ELEMENTS", 0)
    monkeypatch.setattr(small_orders, "MOST_NEAR", 32)
    monkeypatch.setattr(small_orders, "MOST_FAR", 0)
    crowd = (struct.pack("<QII", 1, 0, 5) + noise.uniform(24, at) for at in range(99))
    place = Place(space=0, offset=0, size=440)
    key = publics.ffc("dsa", P, Q, G, Y, kind="public-key", place=place)
    pool, _ = make_pool(bytes(64) + b"".join(crowd) + bytes(64))
    group = Group("dsa", 1 << bits - 1 | 1, (1 << 160) - 1, 160, {G: ()}, {(G, Y): key})
    assert list(small_orders.search(pool, group)) == []
    assert len(tried) == 32 * 1024**2 // bits**2
