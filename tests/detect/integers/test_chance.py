"""Random buffers: what chance cuts is one run, and what parts two numbers still does."""

import struct

import numpy as np
import pytest

from fixtures import noise
from scanner.detect.integers import chance
from scanner.detect.integers.runs import Runs, closed
from scanner.dump.space import Memory
from tests.detect.integers.conftest import Load

LOW = bytes.fromhex("7e1a513d39502c45 2e4547037b691f62 16050b3f623a1833")
"""Words of a random buffer that have no byte above 0x7f."""

PARTING = {
    "nothing": bytes(16),
    "a chunk's header": struct.pack("<QQ", 0, 0x8011),
    "pointers": struct.pack("<QQ", 0x7F3A1C001230, 0x7F3A1C045670),
    "a size in half a word": struct.pack("<IIQ", 0x20, 0x456B3D59, 0x62391F697B034745),
    "doubles": struct.pack("<dd", 1.0, 2.5),
    "one byte": b"\x41" * 16,
    "text": b"ecdsa-sha2-nistp",
    "lines": b"Host: a\r\nFrom: b",
    "UTF-16": "some key".encode("utf-16-le"),
}


def whole_of(memory: Memory, runs: Runs) -> Runs:
    """Return the runs, those that chance has cut as one."""
    return closed(runs, chance.goes_on(memory, runs))


def swapped(data: bytes) -> bytes:
    """Return the words of some bytes in the other order of bytes."""
    return np.frombuffer(data, np.uint64).byteswap().tobytes()


def buffers(first: int, gap: bytes, second: int) -> bytes:
    """Return two random buffers of so many bytes, which chance does not cut, and what parts them.

    Zeros stand around them.
    """
    whole = np.frombuffer(noise.uniform(first + second, 5), np.uint64) | np.uint64(1 << 63)
    data = whole.tobytes()
    return bytes(64) + data[:first] + gap + data[first:] + bytes(64)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("size", [chance.FEWEST, chance.MOST])
def test_chance_cuts_no_run(load: Load, size: int, order: str) -> None:
    """Two long runs are one where the words between them are random too."""
    data = buffers(chance.LONG, LOW[:size], chance.LONG)
    data = swapped(data) if order == "big" else data
    memory, runs = load(data, byte_order=order)
    assert len(runs) == 2
    whole = whole_of(memory, runs)
    assert (whole.start.tolist(), whole.end.tolist()) == ([64], [len(data) - 64])


@pytest.mark.parametrize("sizes", [(chance.LONG - 8, chance.LONG), (chance.LONG, 512)])
def test_beside_a_shorter_run_all_parts(load: Load, sizes: tuple[int, int]) -> None:
    """A number may begin behind any words, where its run is none of a buffer's."""
    memory, runs = load(buffers(sizes[0], LOW[:16], sizes[1]))
    assert len(runs) == 2
    assert whole_of(memory, runs) is runs


@pytest.mark.parametrize("gap", PARTING.values(), ids=PARTING)
def test_what_is_not_random_parts(load: Load, gap: bytes) -> None:
    """Headers, pointers, sizes and texts part what lies around them, however long it is."""
    memory, runs = load(buffers(chance.LONG, gap, chance.LONG))
    assert len(runs) == 2
    assert whole_of(memory, runs) is runs


def test_of_random_bytes_few_cuts_stay(load: Load) -> None:
    """Of what chance cuts in a random buffer a tenth stays: beside short runs, or by other words.

    The runs are all its bytes still, but for what parts them.
    """
    memory, runs = load(noise.uniform(32 << 20, 9))
    whole = whole_of(memory, runs)
    assert len(runs) > 40
    assert len(whole) < len(runs) // 4
    assert (whole.start[0], whole.end[-1]) == (runs.start[0], runs.end[-1])
    assert set(whole.start.tolist()) <= set(runs.start.tolist())
    assert set(whole.end.tolist()) <= set(runs.end.tolist())
