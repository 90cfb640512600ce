"""Bytes for a dump, whose runs are found as a sweep finds them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from scanner.detect.integers import limbs
from scanner.detect.integers.runs import Runs, join
from scanner.dump import source, space
from scanner.dump.space import Memory
from scanner.model import Layout, Region

Load = Callable[..., tuple[Memory, Runs]]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Return a function that takes bytes for a dump, and finds its runs."""
    with ExitStack() as stack:

        def make(
            data: bytes, byte_order: Literal["little", "big"] = "little"
        ) -> tuple[Memory, Runs]:
            (tmp_path / "dump").write_bytes(data)
            region = Region(start=0x7F00_0000_0000, size=len(data), file_offset=0)
            made = Layout(format="raw", regions=(region,), byte_order=byte_order)
            space_map, _ = space.build(made, len(data))
            memory = Memory(
                space_map, stack.enter_context(source.open_file(str(tmp_path / "dump")))
            )
            whole = np.frombuffer(data + bytes(-len(data) % 8), np.uint8)
            starts, ends = limbs.find(whole, np.array([0]), np.array([len(whole)]))
            runs = Runs(space=np.zeros(len(starts), np.int64), start=starts, end=ends)
            return memory, join(runs)

        yield make
