"""Compare the AES schedules that aeskeyfind finds in dumps with those that a scan finds there.

    python benchmarks/check_schedules.py FOLDER [FOLDER ...] [--scan 'COMMAND']

A folder holds a dump (``core`` or ``dump.dmp``), or folders that do. Prints a line for each dump:
schedules of both, and the offsets of those that only aeskeyfind has. Exits 1 if there are any.
aeskeyfind (Halderman and others, "Lest We Remember") knows one order of bytes and prints keys:
its output is read for offsets and goes nowhere.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

DUMPS = ("core", "dump.dmp")

_FOUND = re.compile(rb"FOUND POSSIBLE (\d{3})-BIT KEY AT BYTE ([0-9a-f]+)")


def main() -> int:
    """Compare every dump and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--scan", default=f"{shlex.quote(sys.executable)} -m scanner scan -f json")
    options = parser.parse_args()
    missed = total = 0
    print(f"{'aeskeyfind':>10} {'scan':>6} {'missed':>6}  dump")
    for path in dumps(options.folders):
        theirs, mine = aeskeyfind(path), scan(options.scan, path)
        lost = sorted(theirs - mine)
        print(f"{len(theirs):10} {len(mine):6} {len(lost):6}  {path.parent.name}", flush=True)
        for offset, bits in lost:
            print(f"{'':26} {bits} bits at {offset:#x}")
        missed, total = missed + len(lost), total + len(theirs)
    print(f"{total} schedules of aeskeyfind, {missed} missed")
    return int(missed > 0)


def dumps(folders: list[Path]) -> Iterator[Path]:
    """Yield the dumps in the folders and one level below."""
    for folder in folders:
        for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
            yield from (place / name for name in DUMPS if (place / name).exists())


def aeskeyfind(path: Path) -> set[tuple[int, int]]:
    """Return (file offset, bits) of the schedules that aeskeyfind tells of."""
    done = subprocess.run(["aeskeyfind", "-v", "-q", str(path)], capture_output=True, check=False)
    return {(int(match[2], 16), int(match[1])) for match in _FOUND.finditer(done.stdout)}


def scan(command: str, path: Path) -> set[tuple[int, int]]:
    """Return (file offset, bits) of the schedules that a scan reports."""
    done = subprocess.run([*shlex.split(command), str(path)], capture_output=True, check=False)
    report = json.loads(done.stdout)
    return {
        (occurrence["extents"][0]["file_offset"], finding["bits"])
        for dump in report["dumps"]
        for finding in (*dump["findings"], *dump["suppressed"])
        if finding["rule"] == "aes-schedule"
        for occurrence in finding["occurrences"]
    }


if __name__ == "__main__":
    sys.exit(main())
