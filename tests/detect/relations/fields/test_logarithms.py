"""Exponents as Java keeps them: arrays of ints behind their count, and DER INTEGERs at any byte."""

import itertools
import struct
from collections.abc import Callable, Sequence

import pytest

from fixtures import encodings, noise
from scanner.detect.algebra import named_groups, publics
from scanner.detect.algebra.material import describe
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.fields import discrete, logarithms
from scanner.dump.space import Memory
from scanner.model import NONCE_DSA
from tests.detect.damaged.test_headless_dsa import named
from tests.detect.relations.fields.test_discrete import (
    NEEDED,
    again,
    integer,
    little,
    numbers,
    planted,
    short,
)

MakePool = Callable[..., tuple[Pool, Memory]]

SIZES = ((224, 2048), (256, 2048), (256, 3072))
GROUP = next(group for group in named_groups.named() if group.p.bit_length() == 2048)


def array(number: int) -> bytes:
    """Write an int[] of HotSpot: its class, the count of its ints, and BigInteger.mag."""
    mag = encodings.java_words(number)
    return b"\x28\x6c\0\0" + (len(mag) // 4).to_bytes(4, "little") + mag


def in_java(values: Sequence[int]) -> list[bytearray]:
    """Write numbers as arrays of Java, each behind the mark of its object."""
    return [bytearray(b"\1" + bytes(7) + array(value)) for value in values]


@pytest.mark.parametrize("size", SIZES)
def test_a_dsa_key_of_java(make_pool: MakePool, size: tuple[int, int]) -> None:
    """Seen in OpenJDK: p, q, g, x and y are BigIntegers, and nothing of them stands otherwise."""
    pool, memory = make_pool(planted(in_java(numbers(size))))
    (related,) = discrete.search_dsa(pool, ())
    assert describe(related.key).fingerprint.value == named(*size)
    assert named(*size) in again(memory, related)
    assert (related.proof, related.encoding) == ("g**x = y", "x java-words")


def dumped(value: int, shift: int, *, live: bool) -> bytes:
    """Write an int[] of a heap dump: typed, or within the garbage that is one large int[]."""
    raw = value.to_bytes(-(-value.bit_length() // 32) * 4, "big")
    count = (len(raw) // 4).to_bytes(4, "big")
    before = b"#" + bytes(3) + noise.uniform(5, 7) + bytes(3) + b"\1"
    before = before + count + b"\x0a" if live else bytes(7) + b"\1" + bytes(2) + b"\x27\x08" + count
    return bytes(shift) + before + raw + (b"!" if live else bytes(7) + b"\1")


@pytest.mark.parametrize("shift", [1, 6])
@pytest.mark.parametrize("live", [True, False])
def test_a_dsa_key_in_a_heap_dump_of_java(make_pool: MakePool, *, live: bool, shift: int) -> None:
    """Seen in OpenJDK's HPROF: arrays begin at any byte, and behind one stands the next's tag."""
    size = (224, 2048)
    parts = [dumped(value, shift + at, live=live) for at, value in enumerate(numbers(size))]
    crowd = [dumped(number_of(seed, 224), seed, live=live) for seed in range(40)]
    pool, memory = make_pool(planted([*crowd, *parts]))
    (related,) = discrete.search_dsa(pool, ())
    assert describe(related.key).fingerprint.value == named(*size)
    assert named(*size) in again(memory, related)
    assert (related.proof, related.encoding) == ("g**x = y", "x bytes-be")


@pytest.mark.parametrize("header", ["CLISP", "Chez"])
def test_a_dsa_key_of_a_lisp(make_pool: MakePool, header: str) -> None:
    """Its exponent stands behind a count that has a type beside it; the group is in DER."""
    p, q, g, x, y = numbers()
    mag = encodings.java_words(x)
    count = len(mag) // 4
    before = (
        struct.pack("<HH", 0x1A, count) if header == "CLISP" else struct.pack("<Q", count << 6 | 6)
    )
    parts = [integer(p) + integer(q) + integer(g), bytes(12) + before + mag, *in_java([y])]
    pool, memory = make_pool(planted(parts))
    (related,) = discrete.search_dsa(pool, ())
    assert named(256, 2048) in again(memory, related)
    assert (related.proof, related.encoding) == ("g**x = y", "x java-words")


def test_what_is_near_the_order_is_the_likeliest_exponent(make_pool: MakePool) -> None:
    """Seen in Deno: the group as DER; q and x in one structure, among thousands of their length."""
    p, q, g, x, y = numbers()
    others = [noise.uniform(32, seed) for seed in range(4_000)]
    pointers = b"".join((0x7F3A00000000 + 64 * at).to_bytes(8, "little") for at in range(11))
    others[2_900] = little(q, 32) + pointers + little(x, 32)
    der = integer(p) + integer(q) + integer(g)
    data = bytes(32).join((der + bytes(-len(der) % 8), little(y, 256), *others))
    pool, memory = make_pool(bytes(32) + data + bytes(32))
    (related,) = discrete.search_dsa(pool, ())
    assert named(256, 2048) in again(memory, related)


@pytest.mark.parametrize("part", NEEDED)
def test_every_int_counts(make_pool: MakePool, part: int) -> None:
    """With one bit of p, q, x or y flipped, nothing is found."""
    parts = in_java(numbers())
    parts[part][32] ^= 4
    pool, _ = make_pool(planted(parts))
    assert list(discrete.search_dsa(pool, ())) == []


@pytest.mark.parametrize("form", ["java", "der"])
@pytest.mark.parametrize("shift", range(4))
def test_parameters_as_der(make_pool: MakePool, form: str, shift: int) -> None:
    """Seen in OpenJDK: the group as DER, x as ints or as a DER INTEGER at any byte, y as ints."""
    p, q, g, x, y = numbers()
    secret = bytes(in_java([x])[0]) if form == "java" else bytes(shift) + integer(x)
    parts = [integer(p) + integer(q) + integer(g), secret, bytes(in_java([y])[0])]
    pool, memory = make_pool(planted(parts))
    (related,) = discrete.search_dsa(pool, ())
    assert (related.key.x, related.key.y) == (x, y)
    assert named(256, 2048) in again(memory, related)


def test_a_nonce_of_java(make_pool: MakePool) -> None:
    """Of a signature k stands, and r: both are BigIntegers."""
    p, q, g, _, _ = numbers()
    k = short(255)
    pool, _ = make_pool(planted(in_java([p, q, g, k, pow(g, k, p) % q])))
    (related,) = discrete.search_dsa(pool, ())
    assert (related.key.x, related.proof) == (k, NONCE_DSA)


@pytest.mark.parametrize("order", ["little", "big"])
def test_limbs_among_thousands_of_arrays(make_pool: MakePool, order: str) -> None:
    """What says its own length takes turns with the others, so those are tried too."""
    p, q, g, x, y = numbers()
    arrays = [bytes(in_java([number_of(seed, 255)])[0]) for seed in range(600)]
    arrays[300:300] = [integer(p) + integer(q) + integer(g) + bytes(3), x.to_bytes(32, order)]
    arrays.append(little(y, 256))
    pool, _ = make_pool(b"".join(bytes(16) + part + bytes(16) for part in arrays) + bytes(64))
    (related,) = discrete.search_dsa(pool, ())
    assert related.key.x == x


def number_of(seed: int, bits: int) -> int:
    """Return a number of so many bits."""
    return int.from_bytes(noise.uniform(128, seed), "big") >> 1024 - bits | 1 << bits - 1


@pytest.mark.parametrize("bits", [224, 225, 256, 1024])
def test_a_handshake_of_java(make_pool: MakePool, bits: int) -> None:
    """Seen in OpenJDK: x of 224 bits, or of 1024 where the program gives the group."""
    x = number_of(7, bits)
    y = pow(named_groups.G, x, GROUP.p)
    pool, memory = make_pool(planted(in_java([GROUP.p, x, y])))
    (related,) = discrete.search_dh(pool, ())
    assert (related.key.x, related.key.y, related.encoding) == (x, y, "x java-words")
    own = publics.ffc("dh", GROUP.p, 0, named_groups.G, y, kind="known")
    assert own.witness.fingerprint.value in again(memory, related)
    assert describe(related.key).fingerprint == own.witness.fingerprint


@pytest.mark.parametrize("part", range(3))
def test_every_int_of_a_handshake_counts(make_pool: MakePool, part: int) -> None:
    """With one bit of p, x or y flipped, nothing is found."""
    x = number_of(7, 224)
    parts = in_java([GROUP.p, x, pow(named_groups.G, x, GROUP.p)])
    parts[part][-16] ^= 4
    pool, _ = make_pool(planted(parts))
    assert list(discrete.search_dh(pool, ())) == []


def test_a_known_exponent_of_java(make_pool: MakePool) -> None:
    """What the operator gave needs no prime in Java's words."""
    x = number_of(7, 224)
    y = pow(named_groups.G, x, GROUP.p)
    pool, _ = make_pool(planted(in_java([x])))
    own = publics.ffc("dh", GROUP.p, 0, named_groups.G, y, kind="known")
    (related,) = discrete.search_dh(pool, (own,))
    assert related.key.x == x


def test_arrays_are_not_read_where_the_prime_is_none(make_pool: MakePool) -> None:
    """A library names the groups in every process: there Java's readings cost nothing."""
    x = number_of(7, 224)
    y = pow(named_groups.G, x, GROUP.p)
    pool, _ = make_pool(planted([little(GROUP.p, 256), *map(bytes, in_java([x, y]))]))
    assert list(discrete.search_dh(pool, ())) == []


@pytest.mark.parametrize(("bits", "length"), [(256, 34), (255, 34), (247, 33)])
def test_integers_of_about_the_order_s_length(make_pool: MakePool, bits: int, length: int) -> None:
    """With a zero byte before the highest bit, or a byte less; of another length it is none."""
    q = numbers()[1]
    x = min(number_of(5, bits), q - 2)
    assert len(integer(x)) - (x.bit_length() == 256) == length
    for written, expected in ((integer(x), True), (b"\2\x22" + x.to_bytes(34), False)):
        pool, _ = make_pool(planted([bytes(1) + written]))
        found = logarithms.of_order(pool, q, (), 1000, numbers()[0])
        assert (x in {piece.x for piece in itertools.islice(found, 3)}) == expected
