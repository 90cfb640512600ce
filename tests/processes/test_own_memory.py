"""What was freed goes back to the system, where its allocator is the one that keeps it."""

import gc
import mmap
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.processes import own_memory

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")


def resident() -> int:
    """Return the bytes of this process that are in memory (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * mmap.PAGESIZE


HELD = """
import sys
from scanner.processes import own_memory
from tests.processes.test_own_memory import resident

if sys.argv[1] == "mapped":
    own_memory.map_large()
bytearray(b"x") * (30 << 20)  # freed at once: from now on glibc takes such blocks from its heap
large = bytearray(b"x") * (16 << 20)
kept = [bytes(60_000) for _ in range(2000)]
before = resident()
del large
print(before - resident())
"""


@glibc
@pytest.mark.parametrize("how", ["mapped", "not"])
def test_a_large_block_is_not_held_by_what_is_alive_behind_it(how: str) -> None:
    """It goes back to the system when it is freed, as glibc's own rule does not let it."""
    run = [sys.executable, "-c", HELD, how]
    given_back = int(subprocess.run(run, capture_output=True, check=True, timeout=60).stdout)
    assert (given_back > 15_000_000) == (how == "mapped")


@glibc
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
    own_memory.map_large()
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


def test_what_a_process_begins_with_is_not_looked_through() -> None:
    """Nothing is collected while modules are imported, and they are passed over for ever; once."""
    code = (
        "import gc\n"
        "from scanner.processes import own_memory\n"
        "with own_memory.uncollected():\n"
        "    assert not gc.isenabled()\n"
        "    import scanner.rules\n"
        "before = gc.get_freeze_count()\n"
        "with own_memory.uncollected():\n"
        "    kept = [[] for _ in range(1000)]\n"
        "assert gc.isenabled() and gc.get_freeze_count() == before > 1000"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
