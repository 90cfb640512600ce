"""What was freed goes back to the system, where its allocator is the one that keeps it."""

import gc
import platform
from pathlib import Path

import pytest

from scanner.processes import own_memory


def resident() -> int:
    """Return the bytes of this process that are in memory (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_what_was_freed_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that one small block at the end keeps in the process are out of it afterwards.

    Not while the process is small, for which it is not worth the time.
    """
    monkeypatch.setattr(own_memory, "GROWN", 1 << 40)
    blocks = [bytes(60_000) for _ in range(1000)]
    kept = [bytes(60_000)]
    before = resident()
    blocks.clear()
    own_memory.trim()
    assert resident() > before - 30_000_000
    monkeypatch.setattr(own_memory, "GROWN", 0)
    own_memory.trim()
    assert resident() < before - 30_000_000
    assert kept


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without such an allocator is left alone."""
    asked: list[object] = []
    monkeypatch.setattr(own_memory, "GROWN", 0)
    monkeypatch.setattr("ctypes.CDLL", asked.append)
    monkeypatch.setattr("sys.platform", "darwin")
    own_memory.trim()
    assert asked == []


def test_cycles_are_looked_for_seldom() -> None:
    """Python's own count of new objects is not that of a start with hundreds of modules."""
    before = gc.get_threshold()
    gc.set_threshold(700)
    try:
        own_memory.collect_seldom()
        assert gc.get_threshold()[0] == own_memory.ALIVE
    finally:
        gc.set_threshold(*before)
