"""How many cores this process may use: a container, or taskset, leaves it fewer than there are.

A worker more than there are cores costs its start and its memory, and gains nothing. This module
starts nothing, and takes what it cannot read for no limit.
"""

import os
import sys
from pathlib import Path, PurePosixPath

GROUPS, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
"""Where control groups lie (cgroups(7), version 2), and which of them is this process's."""

MOST_WORKERS = 8
"""Above that, the disk is the limit."""


def workers() -> int:
    """Return how many workers a scan has where nobody says more or fewer."""
    return min(usable(), MOST_WORKERS)


def usable() -> int:
    """Return the cores that this process may use, one at least."""
    count = os.cpu_count() or 1
    if sys.platform == "linux":
        quotas = (_quota(group / "cpu.max") for group in _groups())
        count = min(len(os.sched_getaffinity(0)), *quotas, count)
    return max(count, 1)


def _groups() -> list[Path]:
    """List the control group of this process, and those that it is in."""
    own = next((line[3:] for line in _read(OWN).splitlines() if line.startswith("0::")), "/")
    path = PurePosixPath(own.strip().lstrip("/"))
    return [GROUPS / part for part in (path, *path.parents)] if ".." not in path.parts else []


def _quota(path: Path) -> int:
    """Return of how many cores a group has the time, rounded up; very many without a limit."""
    quota, _, period = _read(path).strip().partition(" ")
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return sys.maxsize
    return -(-int(quota) // int(period))


def _read(path: Path) -> str:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return ""
