"""Pools of planted bytes: what the relations see of a dump."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from scanner.detect.integers import limbs, pool
from scanner.detect.integers.pool import Pool
from scanner.detect.integers.runs import Runs, join
from scanner.dump import source, space
from scanner.dump.space import Memory
from scanner.model import Layout, Region

MakePool = Callable[..., tuple[Pool, Memory]]


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[MakePool]:
    """Return a function that takes the bytes of one region for a dump, and loads its pool."""
    with ExitStack() as stack:

        def make(
            data: bytes, byte_order: str = "little", *, addressed: bool = True, word: int = 8
        ) -> tuple[Pool, Memory]:
            path = tmp_path / "dump"
            path.write_bytes(data)
            start = 0x7F00_0000_0000 if word == 8 else 0x7F00_0000
            region = Region(start=start, size=len(data), file_offset=0)
            regions = (region,) if addressed else ()
            layout = Layout(format="raw", byte_order=byte_order, pointer_size=word, regions=regions)
            space_map, _ = space.build(layout, len(data))
            memory = Memory(space_map, stack.enter_context(source.open_file(str(path))))
            padded = np.frombuffer(data + bytes(-len(data) % 8), np.uint8)
            owned = np.array([0]), np.array([len(padded)])
            starts, ends = limbs.find(padded, *owned, halves=word == 4, swapped=byte_order == "big")
            runs = Runs(space=np.zeros(len(starts), np.int64), start=starts, end=ends)
            return pool.load(memory, join(runs)), memory

        yield make
