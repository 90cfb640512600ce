"""Memory far inside a file: past 4 GiB, across it, past 16 GiB. ``check_far.py`` scans such files.

The files are holes but for a few bytes, so that they cost nothing.
"""

import struct
import sys
from pathlib import Path

import pytest

from scanner import dump
from scanner.dump import source, space
from scanner.dump.space import Memory
from tests.dump.dump_bytes import bytes_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="holes are written there")

GIB = 1 << 30
SIZE, HEAD, BASE = 20 * GIB, 1 << 16, 0x7F00_0000_0000
PLANTS = {4 * GIB - 3: b"across", 5 * GIB: b"past 4", 16 * GIB + 5: b"past 16", SIZE - 4: b"last"}


def core() -> bytes:
    """Write the tables of a core with a segment for each GiB."""
    starts = range(HEAD, SIZE, GIB)
    ident = b"\x7fELF\2\1\1" + bytes(9)
    out = ident + struct.pack("<2HI3QI6H", 4, 62, 1, 0, 64, 0, 0, 64, 56, len(starts), 64, 0, 0)
    for at in starts:
        size = min(GIB, SIZE - at)
        out += struct.pack("<2I6Q", 1, 6, at, BASE + at, 0, size, size, 4096)
    return out


def minidump() -> bytes:
    """Write the tables of a minidump with a range for each GiB."""
    starts = range(HEAD, SIZE, GIB)
    rows = b"".join(struct.pack("<2Q", BASE + at, min(GIB, SIZE - at)) for at in starts)
    listed = struct.pack("<2Q", len(starts), HEAD) + rows
    return struct.pack("<4I16x3I", 0x504D444D, 0xA793, 1, 32, 9, len(listed), 44) + listed


@pytest.mark.parametrize("tables", [core(), minidump()], ids=["core", "minidump"])
def test_far_regions(tmp_path: Path, tables: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offsets and addresses past 32 bits are what they are, in tables and in reads."""
    monkeypatch.setattr(source, "WORTH_WAITING", 2 * SIZE)  # of its holes hardly any is read
    path = tmp_path / "far"
    with path.open("wb") as file:
        file.write(tables)
        for at, data in PLANTS.items():
            file.seek(at)
            file.write(data)
    with source.open_file(str(path)) as opened:
        layout = dump.read_layout(opened)
        assert layout.faults == ()
        space_map, doubts = space.build(layout, opened.size)
        assert (doubts, space.covered(space_map), opened.size) == ((), SIZE, SIZE)
        memory = Memory(space_map, opened)
        assert [bytes_at(memory, BASE + at, len(data)) for at, data in PLANTS.items()] == [
            *PLANTS.values()
        ]
        assert len(space_map.size) == 2
