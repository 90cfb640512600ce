"""Freeze what a scan says of many dumps, and say what another version says otherwise.

    python benchmarks/oracle.py freeze FOLDER DUMP [DUMP ...] [--scan 'COMMAND'] [--jobs 1]
    python benchmarks/oracle.py compare FOLDER OTHER

``freeze`` scans each dump (a folder stands for every file below it; ``truth.json`` and
``present.json`` are passed over) by the real command and keeps one small JSON file a dump in
FOLDER: exit code, verdict, codes of reasons, faults and gaps, and each finding with its identity
and its places. Prose, versions and times are left out. A dump that FOLDER has already is passed
over, so that a run cut short goes on. ``compare`` prints, for each dump that both folders hold,
what was lost, what is new and which verdicts differ, then one line of totals; it exits 1 where a
finding or a place was lost, or a verdict differs.

The frozen reports are no part of the repository: they are made from the version before a change,
on the machine on which the change is judged.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BESIDE = {"truth.json", "present.json", "manifest.json"}
"""What stands in a case's folder beside its dump."""


def main() -> int:
    """Freeze or compare; return 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    freeze = verbs.add_parser("freeze")
    freeze.add_argument("folder", type=Path)
    freeze.add_argument("dumps", type=Path, nargs="+")
    freeze.add_argument("--scan", default="keysift scan --format json")
    freeze.add_argument("--jobs", type=int, default=1)
    freeze.add_argument("--timeout", type=int, default=900)
    compare = verbs.add_parser("compare")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    options = parser.parse_args()
    if options.verb == "compare":
        return _compare(options.before, options.after)
    options.folder.mkdir(parents=True, exist_ok=True)
    command = (*shlex.split(options.scan), "--jobs", str(options.jobs))
    for name, dump in dumps(options.dumps):
        kept = options.folder / f"{name}.json"
        if kept.exists():
            continue
        report = _scan(command, dump, options.timeout)
        kept.write_text(json.dumps(report, indent=1), encoding="utf-8")
        print(f"{name:60} exit {report['exit']} {report['seconds']:7.2f} s", flush=True)
    return 0


def dumps(paths: list[Path]) -> list[tuple[str, Path]]:
    """Return each dump under the paths with a name of its own: its path below what was given."""
    found = []
    for path in paths:
        below = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found += [
            (str(p.relative_to(path.parent)).replace("/", "__"), p)
            for p in below
            if p.name not in BESIDE
        ]
    return found


def _scan(command: tuple[str, ...], dump: Path, timeout: int) -> dict[str, Any]:
    """Run the command on one dump and return what is compared of its report."""
    start = time.perf_counter()
    try:
        run = subprocess.run(
            [*command, str(dump)], capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return {"exit": "timeout", "seconds": float(timeout), "dumps": []}
    seconds = round(time.perf_counter() - start, 2)
    try:
        report = json.loads(run.stdout)
    except ValueError:
        return {"exit": run.returncode, "seconds": seconds, "dumps": []}
    shapes = [shape(entry) for entry in report["dumps"]]
    return {"exit": run.returncode, "seconds": seconds, "dumps": shapes}


def shape(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what counts of one dump's entry."""
    coverage = entry["coverage"]
    return {
        "verdict": entry["verdict"],
        "format": entry["format"],
        "swept": [coverage["scanned_bytes"], coverage["file_bytes"]],
        "reasons": sorted({reason["code"] for reason in entry["reasons"]}),
        "faults": sorted({fault["code"] for fault in coverage["faults"]}),
        "gaps": sorted({gap["code"] for gap in coverage["gaps"]}),
        "findings": sorted(_finding(finding) for finding in entry["findings"]),
        "suppressed": sorted(_finding(finding) for finding in entry["suppressed"]),
    }


def _finding(finding: dict[str, Any]) -> list[Any]:
    """Return a finding's identity, what is said of it, and its places."""
    places = sorted(
        [
            occurrence["encoding"],
            *(e[key] for e in occurrence["extents"] for key in ("file_offset", "size")),
        ]
        for occurrence in finding["occurrences"]
    )
    said = [
        finding[key] for key in ("kind", "algorithm", "curve", "bits", "severity", "confidence")
    ]
    return [
        finding["fingerprint"]["value"],
        finding["rule"],
        [str(word) for word in said],
        [str(name) for name in finding.get("names", [])],
        places,
    ]


def _compare(before: Path, after: Path) -> int:
    """Print what differs between two folders of reports; return 1 where something is lost."""
    lost = new = other = both = 0
    seconds = [0.0, 0.0]
    for path in sorted(before.glob("*.json")):
        twin = after / path.name
        if not twin.exists():
            continue
        both += 1
        old, now = (json.loads(p.read_text(encoding="utf-8")) for p in (path, twin))
        seconds = [seconds[0] + old["seconds"], seconds[1] + now["seconds"]]
        said = _verdicts(old), _verdicts(now)
        if said[0] != said[1]:
            other += 1
            print(f"{path.stem}: verdict {said[0]} -> {said[1]}")
        for mark, here, there in (("-", old, now), ("+", now, old)):
            gone = _facts(here) - _facts(there)
            lost, new = (lost + len(gone), new) if mark == "-" else (lost, new + len(gone))
            for fact in sorted(gone):
                print(f"{path.stem}: {mark} {' '.join(map(str, fact))}")
    spent = " -> ".join(f"{each:.0f}" for each in seconds)
    print(f"dumps {both} lost {lost} new {new} other verdicts {other} seconds {spent}")
    return 1 if lost or other or not both else 0


def _verdicts(report: dict[str, Any]) -> str:
    codes = [f"{d['verdict']}:{','.join((*d['reasons'], *d['faults']))}" for d in report["dumps"]]
    return f"exit {report['exit']} {' '.join(codes)}"


def _facts(report: dict[str, Any]) -> set[tuple[str, ...]]:
    """Return all findings and places of a report as a set of rows of text."""
    facts: set[tuple[str, ...]] = set()
    for number, dump in enumerate(report["dumps"]):
        for group in ("findings", "suppressed"):
            for value, rule, said, names, places in dump[group]:
                facts.add((str(number), group, rule, *said, value, ",".join(names)))
                facts |= {
                    (str(number), group, value, *(str(word) for word in place)) for place in places
                }
    return facts


if __name__ == "__main__":
    sys.exit(main())
