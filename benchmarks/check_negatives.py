"""Scan dumps that hold no key, and say what was found all the same.

    python benchmarks/check_negatives.py FOLDER [--jobs N] [--saved FOLDER]

Prints for each dump its verdict, speed and findings by rule, and each private key with where it
stands: it is a false one, or a key that a library publishes. A table of all findings by rule,
severity and confidence follows, tokens by the form that they have. ``--saved`` keeps each JSON
report, and takes what is there already for done. Exits 1 if any finding blocks or any verdict is
not ``pass``.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

NO_DUMPS = (".json", ".tsv", ".md")
"""Suffixes of what tells of the dumps in a folder."""


def main() -> int:
    """Scan every file of the folder and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--saved", type=Path, help="folder of JSON reports, one a dump; it is made")
    options = parser.parse_args()
    if options.saved is not None:
        options.saved.mkdir(parents=True, exist_ok=True)
    totals: Counter[tuple[str, str, str, bool]] = Counter()
    wrong, size, spent = 0, 0, 0.0
    for path in sorted(path for path in options.folder.iterdir() if path.suffix not in NO_DUMPS):
        start = time.monotonic()
        dump = scan(path, options.jobs, options.saved)
        took = time.monotonic() - start
        size, spent = size + dump["size"], spent + took
        found = Counter(f"{f['rule']} {f['severity']}" for f in dump["findings"])
        totals.update(map(row, dump["findings"]))
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
    print("\n| rule | severity | confidence | blocks | findings | for each GB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (rule, severity, confidence, blocks), count in sorted(totals.items()):
        cells = (rule, severity, confidence, "yes" if blocks else "no", str(count))
        print(f"| {' | '.join(cells)} | {count / size * 1e9:.2f} |")
    print(f"\n{size / 1e9:.2f} GB in {spent:.0f} s; {wrong} dumps did not pass")
    return 1 if wrong else 0


def row(finding: dict[str, Any]) -> tuple[str, str, str, bool]:
    """Return what a finding is counted under."""
    rule = finding["rule"]
    if finding["kind"] == "token":
        rule += f" ({finding['algorithm']})"
    return rule, finding["severity"], finding["confidence"], finding["blocks"]


def scan(path: Path, jobs: str, saved: Path | None) -> dict[str, Any]:
    """Return the report's entry on a dump."""
    kept = saved / f"{path.name}.json" if saved else None
    if kept is not None and kept.exists():
        return dict(json.loads(kept.read_bytes())["dumps"][0])
    command = [sys.executable, "-m", "scanner", "scan", "-f", "json", "-j", jobs, str(path)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, capture_output=True, check=False, cwd=root)
    if kept is not None:
        kept.write_bytes(done.stdout)
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
