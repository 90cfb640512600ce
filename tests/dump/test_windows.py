"""Windows show each byte of a task once, with its neighbours, however many the spaces are."""

import random
from collections.abc import Iterator

import numpy as np
import pytest

from scanner.dump import space, windows
from scanner.dump.source import File
from scanner.dump.space import Memory
from scanner.model import Layout, Region
from tests.dump.dump_bytes import file_of

SOURCE = random.Random(7)  # noqa: S311 - for a test
DATA = bytes(SOURCE.choices(range(1, 256), k=120_000))


def scattered() -> Iterator[Region]:
    """Yield regions of every kind: short and long, apart, in pieces, in another order."""
    at = 64
    address = 0x10000
    for number in range(1200):
        size = SOURCE.choice((1, 7, 64, 100)) if number % 100 else 6000
        apart = SOURCE.choice((0, 0, 1, 40, 4096))
        far = SOURCE.choice((0, 0, 0, 90))
        if at + size + far > len(DATA):
            return
        yield Region(start=address, size=size, file_offset=at + far)
        address += size + apart
        at += size + far


def memory(regions: tuple[Region, ...]) -> Memory:
    """Return memory of regions over DATA."""
    layout = Layout(format="elfcore", regions=regions)
    return Memory(space.build(layout, len(DATA))[0], file_of(DATA))


def test_a_crowd_of_spaces() -> None:
    """What a window owns is the memory's, and around it stand its neighbours or zeros."""
    regions = list(scattered())
    assert len(regions) > 600
    SOURCE.shuffle(regions)
    held = memory(tuple(regions))
    sizes, seen = held.map.size, 0
    assert len(sizes) > windows._CROWD
    for task in windows.cut(held.map):
        for window in windows.windows(held, task):
            for part in window.segments:
                low, high = part.offset - windows.LEAD, part.offset + part.size + windows.TRAIL
                limit = int(sizes[part.space])
                wanted = held.read(part.space, max(low, 0), min(high, limit) - max(low, 0))
                wanted = bytes(max(-low, 0)) + wanted + bytes(max(high - limit, 0))
                first = part.at - windows.LEAD
                assert window.buffer[first : first + len(wanted)].tobytes() == wanted
                seen += part.size
    assert seen == int(np.sum(sizes))


def test_what_lies_together_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand ranges side by side in the file take a few reads."""
    regions = (
        Region(start=0x10000 + 0x1000 * at, size=64, file_offset=64 * at) for at in range(1000)
    )
    held = memory(tuple(regions))
    reads: list[int] = []
    readinto = File.readinto

    def counted(file: File, offset: int, view: memoryview) -> None:
        reads.append(len(view))
        readinto(file, offset, view)

    monkeypatch.setattr(File, "readinto", counted)
    (task,) = windows.cut(held.map)
    assert sum(len(window.segments) for window in windows.windows(held, task)) >= 1000
    assert len(reads) < 8
