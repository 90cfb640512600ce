"""Random-looking runs: found whole wherever windows are cut, and not in what is not random."""

import itertools
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import noise
from scanner.detect.integers import limbs
from scanner.detect.integers.runs import Runs, gather, join
from scanner.detect.relations.edwards import packed


def sweep(data: bytes, cuts: list[int]) -> list[tuple[int, int]]:
    """Find the runs of ``data`` in windows that end at ``cuts``, and join them."""
    whole = np.frombuffer(data + bytes(-len(data) % 8), np.uint8)
    bounds = sorted({0, len(whole), *(cut & ~7 for cut in cuts if cut < len(whole))})
    parts = []
    for first, last in itertools.pairwise(bounds):
        base, top = max(first - limbs.CONTEXT, 0), min(last + limbs.CONTEXT, len(whole))
        starts, ends = limbs.find(
            whole[base:top].copy(), np.array([first - base]), np.array([last - base])
        )
        space = np.zeros(len(starts), np.int64)
        parts.append(Runs(space=space, start=starts + base, end=ends + base))
    runs = join(gather(parts))
    return list(zip(runs.start.tolist(), runs.end.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_a_random_number_is_a_run(seed: int) -> None:
    """128 random bytes among zeros are one run, whose edges are theirs within a word."""
    data = noise.plant(noise.zeros(4096), 1000, noise.uniform(128, seed))
    (run,) = sweep(data, [])
    assert abs(run[0] - 1000) <= 8
    assert abs(run[1] - 1128) <= 8


@pytest.mark.parametrize("make", [noise.zeros, noise.text, noise.text16, noise.pointers])
def test_what_is_not_random_has_no_runs(make: type[noise.zeros]) -> None:  # type: ignore[valid-type]
    """Zeros, text and pointers hold no run at all."""
    assert sweep(make(1 << 16, 3), []) == []  # type: ignore[misc]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1 << 16),
    cuts=st.lists(st.integers(8, 8184), max_size=12),
    at=st.integers(0, 6000),
    size=st.integers(40, 2000),
)
def test_cuts_change_nothing(seed: int, cuts: list[int], at: int, size: int) -> None:
    """Wherever windows are cut, the same long runs come out."""
    data = noise.plant(noise.text(8192, seed), at, noise.uniform(size, seed))
    whole = {run for run in sweep(data, []) if run[1] - run[0] >= 64}
    assert whole <= set(sweep(data, cuts))


def test_owned_ranges_are_apart() -> None:
    """Runs of two owned ranges of one chunk stay two, and what lies between is not reported."""
    chunk = np.frombuffer(noise.uniform(1024, 5), np.uint8).copy()
    starts, ends = limbs.find(chunk, np.array([64, 512]), np.array([256, 768]))
    assert (starts.tolist()[0], ends.tolist()[-1]) == (64, 768)
    assert not any(
        start < 256 < end or 256 < start < 512 for start, end in zip(starts, ends, strict=True)
    )


@pytest.mark.parametrize("lead", [0, 4])
def test_a_size_in_half_a_word_parts_numbers(lead: int) -> None:
    """On 32-bit machines numbers behind a pointer and a size are runs, wherever words begin."""
    pieces = [
        b"\xd9\x07\xf0\x1b" + size.to_bytes(4, "little") + noise.uniform(4 * size, seed)
        for seed, size in enumerate((64, 64, 32))
    ]
    whole = np.frombuffer(bytes(64 + lead) + b"".join(pieces) + bytes(64 + 4 - lead), np.uint8)
    owned = np.array([0]), np.array([len(whole)])
    starts, _ = limbs.find(whole, *owned, halves=True)
    wanted = [72 + lead + at for at in (0, 264, 528)]
    assert all(abs(a - b) <= 4 for a, b in zip(starts.tolist(), wanted, strict=True))
    assert len(limbs.find(whole, *owned)[0]) == (3 if lead == 0 else 1)


def test_a_header_of_few_bits_parts_numbers() -> None:
    """Behind what an earlier block left, and the size and flags of Wine's heap, a run begins."""
    left, header = "c8fc01006f007300", "1400040000007500"
    number = noise.uniform(128, 3)
    data = noise.plant(noise.zeros(4096), 1024 - 16, bytes.fromhex(left + header) + number)
    assert (1024, 1152) in sweep(data, [])


@pytest.mark.parametrize("header", ["0300080015007580", "0300ff0017004681"])
def test_a_header_of_small_numbers_parts_numbers(header: str) -> None:
    """Seen in Node.js under Wine: a small block's size, rest, count and flags are no number's."""
    first, second = noise.uniform(40, 3), noise.uniform(32, 4)
    data = noise.plant(noise.zeros(4096), 1024, first + bytes.fromhex(header) + second)
    assert sweep(data, []) == [(1024, 1064), (1072, 1104)]


@pytest.mark.parametrize("order", ["little", "big"])
def test_pointers_and_sizes_part_numbers_in_either_byte_order(
    order: Literal["little", "big"],
) -> None:
    """Seen on s390x: pointers and an allocator's sizes had joined what stood around them."""
    parts = [
        word.to_bytes(8, order) + noise.uniform(size, size)
        for word, size in ((0x3FF_9C0A_1D48, 56), (0x1_0011, 64), (0x2AA_0003_4A10, 32))
    ]
    whole = np.frombuffer(bytes(64) + b"".join(parts) + bytes(64), np.uint8)
    owned = np.array([0]), np.array([len(whole)])
    starts, ends = limbs.find(whole, *owned, swapped=order == "big")
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == [
        (72, 128),
        (136, 200),
        (208, 240),
    ]


def small_integers(count: int, digit: int, seed: int) -> list[bytes]:
    """Return words that hold random digits in their upper halves."""
    words = np.frombuffer(noise.uniform(4 * count, seed), "<u4") >> (32 - digit)
    return [bytes(4) + int(word).to_bytes(4, "little") for word in words]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1 << 16),
    cuts=st.lists(st.integers(8, 4088), max_size=6),
    count=st.one_of(st.integers(10, 15), st.integers(19, 80)),
    digit=st.sampled_from((26, 28)),
)
def test_rows_of_small_integers_are_runs(
    seed: int, cuts: list[int], count: int, digit: int
) -> None:
    """V8's digits, in the upper halves of words, are one run, wherever windows are cut.

    Ten are a scalar of BN.js, and a run unless three of them are small, or two are the same.
    """
    row = b"".join(small_integers(count, digit, seed))
    data = noise.plant(noise.pointers(4096, seed), 1024, row)
    assert any(
        start - 16 <= 1024 <= start + 16 and end - 24 <= 1024 + len(row) <= end + 24
        for start, end in sweep(data, cuts)
    )


def test_scattered_small_integers_are_no_run() -> None:
    """Small integers between pointers, or few of them, are nothing."""
    small = small_integers(200, 28, 1)
    pairs = b"".join(word + noise.pointers(8, at) for at, word in enumerate(small))
    assert sweep(bytes(64) + pairs + bytes(64), []) == []
    assert sweep(bytes(64) + b"".join(small[:8]) + bytes(64), []) == []


def test_short_rows_of_counts_are_no_run() -> None:
    """Ten small integers are no scalar where they repeat themselves, or most of them are little."""
    random = small_integers(10, 26, 1)
    counts = [bytes(4) + (70_000 + at).to_bytes(4, "little") for at in range(10)]
    assert sweep(bytes(64) + b"".join(random) + bytes(64), []) == [(64, 144)]
    assert sweep(bytes(64) + b"".join(random[:1] + random[:9]) + bytes(64), []) == []
    assert sweep(bytes(64) + b"".join(counts) + bytes(64), []) == []


def test_a_number_of_curve25519_is_a_run() -> None:
    """Ten digits of 26 and 25 bits in turn are one, pairs of small numbers in a table are none."""
    numbers = [noise.uniform(31, seed) + b"\x2a" for seed in range(100)]
    data = b"".join(bytes(56) + packed.spelled(raw, (26, 25) * 5, 4) for raw in numbers)
    found = {start for start, _ in sweep(data + bytes(64), [])}
    assert len(found.intersection(range(56, len(data), 96))) > 90
    small = np.frombuffer(noise.uniform(4 * 4096, 1), "<u4") & 0x1FF | 0x280
    table = b"".join(bytes(24) + small[at : at + 8].tobytes() for at in range(0, 4096, 8))
    assert sweep(table + bytes(64), []) == []


def cells(count: int, tags: str, seed: int) -> bytes:
    """Return random digits as arrays keep them whose values say of which kind they are."""
    digits = np.frombuffer(noise.uniform(4 * count, seed), "<u4") >> 4
    return b"".join(int(digit).to_bytes(4, "little") + bytes.fromhex(tags) for digit in digits)


CELLS = {
    "SpiderMonkey": "0080f8ff",
    "JavaScriptCore": "0000feff",
    "PHP": "00000000 0400000000000000",
    "PHP, padding that nobody wrote": "00000000 040000004a6f7920",
    "QuickJS": "00000000 0000000000000000",
}


@pytest.mark.parametrize("tags", CELLS.values(), ids=CELLS)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1 << 16),
    cuts=st.lists(st.integers(8, 4088), max_size=6),
    count=st.integers(10, 80),
    at=st.integers(100, 140),
)
def test_rows_of_tagged_digits_are_runs(
    tags: str, seed: int, cuts: list[int], count: int, at: int
) -> None:
    """Digits with a tag behind each are one run, wherever windows are cut."""
    row = cells(count, tags, seed)
    data = noise.plant(noise.pointers(4096, seed), at * 8, row)
    assert any(
        start - 16 <= at * 8 <= start + 16 and end - 40 <= at * 8 + len(row) <= end + 40
        for start, end in sweep(data, cuts)
    )


def test_what_is_no_row_of_cells_is_no_run() -> None:
    """Tags that differ, digits that repeat, and a few cells are nothing."""
    row = cells(40, CELLS["PHP"], 1)
    other = bytearray(row)
    other[8::32] = bytes([6]) * 20
    assert sweep(bytes(64) + bytes(other) + bytes(64), []) == []
    assert sweep(bytes(64) + row[:16] * 40 + bytes(64), []) == []
    assert sweep(bytes(64) + row[:96] + bytes(64), []) == []
    assert sweep(bytes(64) + row + bytes(64), []) == [(64, 704)]
