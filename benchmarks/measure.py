"""Run a command and measure it: wall and CPU seconds, peak memory of its process tree, exit code.

MB is 10**6 bytes everywhere. Memory is the largest sum of resident sizes over the command and all
below it, sampled every 20 ms (Linux): what a pool of workers shares counts once for each.
"""

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SAMPLE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a command cost."""

    wall: float
    cpu: float
    """Seconds, user and system, of all processes that were waited for."""
    peak: int
    """Bytes."""
    code: int
    """Exit code; negative: ended by a signal, ``TIMEOUT`` included."""


TIMEOUT = -9


def run(
    command: Sequence[str],
    *,
    output: IO[bytes] | int = subprocess.DEVNULL,
    timeout: float = 3600.0,
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Run a command to its end and measure it; its stdout goes to ``output``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    peak = 0
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    ) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            if time.perf_counter() - start > timeout:
                process.kill()
            time.sleep(SAMPLE_SECONDS)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall=wall, cpu=cpu, peak=peak, code=process.returncode)


def resident(root: int) -> int:
    """Return the resident bytes of a process and everything below it."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1])
        sizes[int(entry.name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    tree = {root}
    grown = True
    while grown:
        below = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= below
        grown = bool(below)
    return sum(sizes.get(pid, 0) for pid in tree)


def warm(path: Path) -> None:
    """Read a file once, so that it lies in the page cache."""
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(1 << 22)
        while file.readinto(buffer):
            pass
