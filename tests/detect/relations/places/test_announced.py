"""What announces a piece is found wherever it stands, and nothing else is."""

import itertools
import re
from typing import Literal

import numpy as np
import pytest

from fixtures import noise
from scanner.detect.relations.places import announced, pieces
from tests.detect.relations.conftest import MakePool

SIZES = (20, 28, 32, 48, 56, 57, 64, 65, 66)


def crowded(size: int) -> bytes:
    """Return random bytes between all that announces a size, at any alignment."""
    words = [((size + 8 + 15) & ~15 | flags).to_bytes(8, "little") for flags in (0, 1, 4, 5)]
    words += [(count * size).to_bytes(8, "little") for count in (1, 2)]
    words += [size.to_bytes(4, "little"), bytes((4, size)), bytes((0, size)), bytes((size, 0))]
    words += [
        bytes((size + 1, 0)),
        bytes((size + 1, 0, 0)),
        (size + 3).to_bytes(8, "little"),
        bytes((size + 3, 0, 0, 0)),
        bytes((0, 0, 0, size, 8)),
        bytes((0, 0, 0, size + 1, 8, 0)),
        bytes((0, 0, 0, -(-size // 4), 10)),
        bytes((0, 0, 0, -(-size // 4))),
    ]
    pieces = [noise.uniform(40 + 3 * index, index) for index in range(len(words))]
    return b"".join(part for pair in zip(pieces, words, strict=True) for part in pair)


def dumped(data: bytes, size: int) -> set[int]:
    """Return what fills an array of a Java heap dump."""
    ints = -(-size // 4)
    forms = (
        (bytes((0, 0, 0, size, announced.BYTE)), 0),
        (bytes((0, 0, 0, size + 1, announced.BYTE, 0)), 0),
        (bytes((0, 0, 0, ints, announced.INT)), 4 * ints - size),
        (bytes((0, 0, 0, ints)), 4 * ints - size),
    )
    return {m.end() + skip for form, skip in forms for m in re.finditer(re.escape(form), data)}


@pytest.mark.parametrize("size", SIZES)
def test_every_place_is_looked_at(make_pool: MakePool, size: int) -> None:
    """The same is found as by looking at each byte by itself."""
    pool, _ = make_pool(crowded(size) + noise.uniform(200, 99))
    data, last = pool.data.tobytes(), len(pool.data) - announced.LEAD
    sizes = (size, 65) if size == 66 else (size,)
    behind, longer, counted = set(), set(), {2: set(), 4: set()}
    for at, each in itertools.product(range(1, last), sizes):
        chunk = ((each + 8 + 15) & ~15) | 5
        wide, half = (int.from_bytes(data[at : at + n], "little") for n in (8, 4))
        behind |= {at + 8} if wide | 5 == chunk or wide in (each, 2 * each) else set()
        behind |= {at + 16} if wide == each else set()
        behind |= {at + 4} if half == each else set()
        behind |= {at + 1} if data[at] == each and data[at - 1] in (0, 4) else set()
        behind |= {at + 2} if data[at] in (each, each + 1) and not data[at + 1] else set()
        signed = data[at] == each + 1 and data[at + 1 : at + 3] == bytes(2)
        behind |= {at + 3} if signed else set()
        if size < data[at] <= size + 6:
            longer |= {at + 9, at + 17} if wide == data[at] else set()
            longer |= {at + 5} if half == data[at] else set()
        for width, found in counted.items():
            if data[at : at + width] == size.to_bytes(width, "little"):
                found.add(at + width)
    assert len(behind) > 8
    assert dumped(data[:last], size) - behind
    assert longer
    assert set(announced.announced_at(pool, size).tolist()) == behind | dumped(data[:last], size)
    assert set(announced.in_longer(pool, size).tolist()) == longer
    for width, found in counted.items():
        assert set(announced.behind_word(pool, size, width).tolist()) == found


@pytest.mark.parametrize("word", [256, 1 << 30])
def test_words_that_are_no_sizes(make_pool: MakePool, word: int) -> None:
    """A count of bits, or a length of the other byte order, is found too."""
    data = noise.uniform(64, 1) + word.to_bytes(4, "little") + noise.uniform(64, 2)
    pool, _ = make_pool(data)
    found = announced.behind_word(pool, word, 4)
    assert [pool.data[at : at + 64].tobytes() for at in found] == [noise.uniform(64, 2)]


def test_parts_that_are_looked_at_have_no_border(make_pool: MakePool) -> None:
    """Where a pool is looked through in parts, a size on their border is one."""
    size = 32
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(announced, "_CHUNK", 16)
        pool, _ = make_pool(crowded(size))
        some = announced.announced_at(pool, size)
    again, _ = make_pool(crowded(size))
    assert np.array_equal(some, announced.announced_at(again, size))


@pytest.mark.parametrize("size", [32, 48, 66])
@pytest.mark.parametrize("bits", range(4))
def test_a_count_in_the_lower_half_of_a_word(make_pool: MakePool, size: int, bits: int) -> None:
    """Seen in Gauche: what stood in the upper half before, and in front of it, begins the run."""
    limbs = -(-size // 8)
    number = noise.uniform(size, size) + bytes(-size % 8)
    pointer = (0x7F57_BF89_6327).to_bytes(8, "little")
    count = (limbs << bits | (bits > 0)).to_bytes(4, "little") + noise.uniform(4, 2)
    data = bytes(64) + noise.uniform(8, 1) + pointer + count + number + bytes(64)
    pool, _ = make_pool(data)
    found = announced.tagged(pool, size)
    assert [pool.data[at : at + len(number)].tobytes() for at in found] == [number]
    assert found.tolist() != pool.head.tolist()
    assert pieces.aligned(pool, size, 1).tolist() == found.tolist()
    for wrong in (pointer[::-1], bytes(8)):
        other, _ = make_pool(data.replace(pointer, wrong))
        assert not len(announced.tagged(other, size))


def test_pieces_behind_the_same_word(make_pool: MakePool) -> None:
    """Seen in MIT Scheme: the numbers of a key, each in the buffer of a port of its own."""
    rows = [(0x1000, n) for n in range(3)] + [(0x31, n) for n in range(3, 23)]
    rows += [(0x4000 + n, n) for n in range(23, 43)]
    data = b"".join(w.to_bytes(8, "little") + noise.uniform(32, n) + bytes(200) for w, n in rows)
    pool, _ = make_pool(bytes(64) + data)
    found = announced.likened(pool, pool.head)
    alike = {noise.uniform(32, n) for n in range(3)}
    assert {pool.data[at : at + 32].tobytes() for at in found} == alike
    first = pieces.aligned(pool, 32, 12)[:3]
    assert {pool.data[at : at + 32].tobytes() for at in first} == alike


@pytest.mark.parametrize("size", [32, 48, 66])
@pytest.mark.parametrize(
    "block",
    [
        ("little", 4, 16, 0),
        ("little", 4, 8, 0),
        ("little", 4, 8, 8),
        ("big", 4, 8, 0),
        ("big", 8, 16, 0),
    ],
)
def test_sizes_of_other_machines(
    make_pool: MakePool, block: tuple[Literal["little", "big"], int, int, int], size: int
) -> None:
    """The word before glibc's block, and that before CPython's hash, are as wide as a pointer."""
    order, word, unit, more = block
    room = (size + more + word + unit - 1) // unit * unit
    number = noise.uniform(size, size)
    for announcing in ((room | 1,), (room | 5,), (size, 0x1234567)):
        words = b"".join(each.to_bytes(word, order) for each in announcing)
        pool, _ = make_pool(bytes(64) + words + number + bytes(64), order, word=word)
        at = pool.data.tobytes().index(number)
        assert at in announced.announced_at(pool, size)


def test_a_block_on_x86_goes_on_with_pointers(make_pool: MakePool) -> None:
    """Two of 32 bits look random: what glibc's size announces is tried before what passes."""
    number, links = noise.uniform(32, 1), bytes.fromhex("a0c5ac5650c6ac56 1024cb5631000000")
    passing = b"".join(noise.uniform(32, 2 + n) + bytes(24) for n in range(40))
    block = bytes.fromhex("50ccb25631000000") + number + links
    pool, _ = make_pool(bytes(64) + passing + block + bytes(64), word=4)
    (first,) = pieces.aligned(pool, 32, 1).tolist()
    assert pool.data[first : first + 32].tobytes() == number


@pytest.mark.parametrize("size", [32, 48, 66])
def test_what_is_shifted_before_zeros(make_pool: MakePool, size: int) -> None:
    """Behind one to seven bytes, if its last word is filled with zeros, and the next one."""
    found = set()
    for lead in range(9):
        number = noise.uniform(lead, 1) + noise.uniform(size, 3)
        pool, _ = make_pool(bytes(64) + number + bytes(80))
        at = pool.data.tobytes().index(number) + lead
        first, second = announced.shifted(pool, size)
        assert second.tolist() == (first + 1).tolist()
        found |= {lead} if at in first else set()
        ended, _ = make_pool(bytes(64) + number + bytes(-len(number) % 8) + b"\1" * 80)
        assert not len(announced.shifted(ended, size)[0])
    assert found == {lead for lead in range(1, 8) if (size + lead) % 8}


@pytest.mark.parametrize("size", [32, 66])
def test_what_a_generator_gave_out(make_pool: MakePool, size: int) -> None:
    """At each of its words, up to the last one that was given, and nothing where none was."""
    for count in (0, 8, 20, 64, 65):
        block = noise.uniform(256, count + 1)
        pool, _ = make_pool(bytes(64) + block + count.to_bytes(8, "little") + bytes(56))
        at = pool.data.tobytes().index(block)
        last = 4 * count - size if count <= 64 else -1
        assert announced.drawn(pool, size).tolist() == [at + n for n in range(last & ~3, -1, -4)]


@pytest.mark.parametrize("order", ["little", "big"])
def test_what_is_behind_the_count_of_its_bits(
    make_pool: MakePool, order: Literal["little", "big"]
) -> None:
    """It begins its run, or a word before that, which does not look random."""
    number = noise.uniform(48, 1)
    for raw in (number, bytes(each & 0x7F for each in number[:8]) + number[8:]):
        pool, _ = make_pool(bytes(64) + (384).to_bytes(8, order) + raw + bytes(64), order)
        at = pool.data.tobytes().index(raw)
        assert at in announced.announced_at(pool, 48)
        assert at not in announced.announced_at(pool, 40)


@pytest.mark.parametrize(("word", "lead"), [(8, 0), (4, 0), (4, 4)])
def test_a_binary_of_a_process_in_erlang(make_pool: MakePool, word: int, lead: int) -> None:
    """Seen in Erlang/OTP 27 on x86-64, and on 32-bit x86 from the middle of eight bytes on too."""
    piece = noise.uniform(32, 1)
    head = (0x260).to_bytes(word, "little") + (8 * 32).to_bytes(word, "little")
    pool, _ = make_pool(bytes(64 + lead) + head + piece + bytes(64 - lead), word=word)
    assert pool.data.tobytes().find(piece) in announced.announced_at(pool, 32)
