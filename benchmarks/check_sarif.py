"""Load SARIF logs in two programs of others: sarif-tools (PyPI) and Microsoft's multitool (npm).

    pip install sarif-tools && npm install @microsoft/sarif-multitool
    python benchmarks/check_sarif.py [--multitool node_modules/.bin/sarif-multitool]

Logs of no, of many and of hostile findings are written. ``sarif csv`` must list each result.
``rewrite`` reads a log into the objects of Microsoft's SDK, and what it writes of them must have
the same results, places and fingerprints; ``validate`` must call nothing an error. Prints a row a
log, and exits 1 where one was not loaded whole.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scanner.model import Report, Verdict
from scanner.report import sarif
from tests.report import conftest as made

SECONDS = 300


def reports() -> dict[str, Report]:
    """Return the report of each log; half a surrogate pair is no text to the SDK."""
    return {
        **made.REPORTS,
        "many": made.whole(made.dump_report(Verdict.BLOCKED, made.many(200))),
        "foul": made.spoiled(made.REPORTS["several"], made.HOSTILE.replace("\udc80", "")),
    }


def said(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = list(map(str, words))
    return subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, check=False, errors="replace"
    )


def told(log: dict[str, Any]) -> list[Any]:
    """Return what must be the same of a log, whoever writes it."""
    return [
        (
            result["ruleId"],
            result.get("level", "warning"),
            result["message"]["text"],
            result.get("partialFingerprints"),
            [
                place["physicalLocation"].get("region", {}).get("byteOffset")
                for place in result.get("locations", ())
            ],
            len(result.get("suppressions", ())),
        )
        for run in log["runs"]
        for result in run.get("results") or ()
    ]


def tools(program: str, path: Path, log: dict[str, Any]) -> str:
    """Return what is wrong with a log as sarif-tools loads it."""
    table = path.with_suffix(".csv")
    done = said(program, "csv", "--output", table, path)
    if done.returncode:
        return done.stderr.strip()[-200:] or f"exit {done.returncode}"
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    wanted = len(told(log))
    return "" if len(rows) == wanted else f"{len(rows)} of {wanted} results"


def multitool(program: str, path: Path, log: dict[str, Any]) -> str:
    """Return what is wrong with a log as Microsoft's SDK loads it."""
    again, checked = path.with_suffix(".again.sarif"), path.with_suffix(".checked.sarif")
    done = said(program, "rewrite", path, "--output", again, "--log", "ForceOverwrite")
    if done.returncode or not again.exists():
        return done.stdout.strip()[-200:] or f"exit {done.returncode}"
    if told(json.loads(again.read_text("utf-8-sig"))) != told(log):
        return "other results"
    said(program, "validate", path, "--output", checked, "--log", "ForceOverwrite")
    run = json.loads(checked.read_text("utf-8-sig"))["runs"][0]
    errors = [r["ruleId"] for r in run["results"] if r.get("level", "warning") == "error"]
    return f"errors: {', '.join(sorted(set(errors)))}" if errors else ""


def main() -> int:
    """Write each log and have it loaded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sarif", default=str(Path(sys.executable).with_name("sarif")))
    parser.add_argument("--multitool", default="node_modules/.bin/sarif-multitool")
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="keysift-") as folder:
        for name, report in reports().items():
            path = Path(folder) / f"{name.replace(' ', '-')}.sarif"  # npm's wrapper splits names
            path.write_text(sarif.render(report), "utf-8")
            log = json.loads(path.read_text("utf-8"))
            found = tools(options.sarif, path, log), multitool(options.multitool, path, log)
            wrong += any(found)
            row = (text or "loaded" for text in found)
            print(f"{name:<12} {len(told(log)):>4} results  sarif-tools {' multitool '.join(row)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
