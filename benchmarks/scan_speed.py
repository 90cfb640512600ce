"""Time whole scans: wall and CPU seconds, MB/s, and the peak memory of all processes together.

    python benchmarks/scan_speed.py [--jobs 1] [--runs 3] DUMP [DUMP ...]

Prints one row a dump with the median of the runs; ``measure.py`` says what is measured. The page
cache is warmed first.
"""

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import measure


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dumps", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'dump':32} {'MB':>9} {'wall s':>8} {'CPU s':>8} {'MB/s':>8} {'peak MB':>8} exit")
    for dump in arguments.dumps:
        measure.warm(dump)
        command = [sys.executable, "-m", "scanner", "scan", "-q", "-j", str(arguments.jobs)]
        rows = [measure.run([*command, str(dump)]) for _ in range(arguments.runs)]
        wall = statistics.median(row.wall for row in rows)
        cpu = statistics.median(row.cpu for row in rows)
        size, peak = dump.stat().st_size / 1e6, max(row.peak for row in rows) / 1e6
        print(
            f"{dump.name:32.32} {size:9.1f} {wall:8.2f} {cpu:8.2f} {size / wall:8.0f} "
            f"{peak:8.0f} {rows[0].code}"
        )


if __name__ == "__main__":
    main()
