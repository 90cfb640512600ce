"""Time whole scans: wall and CPU seconds, MB/s, and the peak memory of all processes together.

    python benchmarks/scan_speed.py [--jobs 1] [--runs 3] DUMP [DUMP ...]

Prints one row a dump with the median of the runs. MB is 10**6 bytes. Memory is the largest sum of
resident sizes over the process tree, sampled every 20 ms (Linux). The page cache is warmed first.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path


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


def run(dump: Path, jobs: int) -> tuple[float, float, int, int]:
    """Scan once: wall seconds, CPU seconds, peak bytes, exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "scanner", "scan", "-q", "-j", str(jobs), str(dump)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.02)
        code = process.returncode
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, peak, code


def warm(dump: Path) -> None:
    """Read a file once."""
    with dump.open("rb") as file:
        while file.read(1 << 22):
            pass


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dumps", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'dump':32} {'MB':>9} {'wall s':>8} {'CPU s':>8} {'MB/s':>8} {'peak MB':>8} exit")
    for dump in arguments.dumps:
        warm(dump)
        rows = [run(dump, arguments.jobs) for _ in range(arguments.runs)]
        wall, cpu = (statistics.median(row[i] for row in rows) for i in (0, 1))
        size, peak = dump.stat().st_size / 1e6, max(row[2] for row in rows) / 1e6
        print(
            f"{dump.name:32.32} {size:9.1f} {wall:8.2f} {cpu:8.2f} {size / wall:8.0f} "
            f"{peak:8.0f} {rows[0][3]}"
        )


if __name__ == "__main__":
    main()
