"""Scan dumps that hold no key, and say what was found all the same.

    python benchmarks/check_negatives.py FOLDER [--jobs N]

Prints for each dump its verdict, speed and findings by rule, and each private key with where it
stands: it is a false one, or a key that a library publishes. Exits 1 if any finding blocks or any
verdict is not ``pass``.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any


def main() -> int:
    """Scan every file of the folder and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", default="2")
    options = parser.parse_args()
    totals: Counter[str] = Counter()
    wrong, size, spent = 0, 0, 0.0
    for path in sorted(options.folder.glob("*.core")):
        start = time.monotonic()
        dump = scan(path, options.jobs)
        took = time.monotonic() - start
        size, spent = size + dump["size"], spent + took
        found = Counter(f"{f['rule']} {f['severity']}" for f in dump["findings"])
        totals.update(found)
        wrong += dump["verdict"] != "pass"
        speed = dump["size"] / took / 1e6
        print(
            f"{path.stem:<20} {dump['verdict']:<10} {dump['size'] / 1e6:8.1f} MB "
            f"{speed:7.1f} MB/s  {dict(found) or 'nothing'}, {len(dump['suppressed'])} suppressed"
        )
        for reason in dump["reasons"]:
            print(f"    because: {reason['code']}: {reason['text']}")
        for finding in (*dump["findings"], *dump["suppressed"]):
            if finding["kind"] == "private-key":
                show(finding)
        sys.stdout.flush()
    print(f"{size / 1e9:.2f} GB in {spent:.0f} s; {wrong} dumps did not pass; {dict(totals)}")
    return 1 if wrong else 0


def scan(path: Path, jobs: str) -> dict[str, Any]:
    """Return the report's entry on a dump."""
    command = [sys.executable, "-m", "scanner", "scan", "-f", "json", "-j", jobs, str(path)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, capture_output=True, check=False, cwd=root)
    entry: dict[str, Any] = json.loads(done.stdout)["dumps"][0]
    return entry


def show(finding: dict[str, Any]) -> None:
    """Print one private key: what it is and where it stands first."""
    place = finding["occurrences"][0]
    extent = place["extents"][0]
    note = finding.get("note") or "NOT PUBLISHED"
    print(
        f"    {finding['rule']} {finding['curve'] or finding['algorithm']} {finding['bits']} "
        f"{finding['confidence']} {finding['fingerprint']['value'][:16]} {place['encoding']} "
        f"at {extent['address']} in {place['owner'] or place['region']}: {note}"
    )


if __name__ == "__main__":
    sys.exit(main())
