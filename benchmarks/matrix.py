"""Print what is found of which library's keys, as a Markdown table.

    python benchmarks/matrix.py FOLDER [FOLDER ...] [--scan 'COMMAND'] [--rows library|program|case]
                                [--only NAME ...] [--saved]

A folder holds cases, or is one: a dump (``core`` or ``dump.dmp``, zstd or not), ``truth.json``
(what the process held: ``secrets`` with ``id``, ``kind``, ``spki_sha256``) and ``present.json``
(what a search for the private numbers found in the dump, by other means than ours: for each secret
``recoverable``, ``recoverable_by``, ``containers``, ``parts``). ``library`` and ``state`` of the
case or of a secret say whose memory it is and whether the key was freed; without them the program
stands for the library and a key counts as live. Where only parts of it stand, it is damaged.

A row is a library and a state, a column a kind of key; a cell counts the keys found of those that
the dump holds, and numbers the reasons of the rest, which follow the table. Keys of which the dump
holds nothing are not counted. Exits 1 where a key that is whole was not found.
"""

import argparse
import json
import re
import resource
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATES = ("live", "freed", "damaged")
DUMPS = ("core", "dump.dmp", "core.zst", "dump.dmp.zst")
ROWS = ("library", "program", "case")
KINDS = ("rsa", "ec", "ed", "x25519", "x448", "dsa", "dh", "ml")
"""How the kinds of key pairs begin; tokens and passwords are another table."""

MOST = 50
"""Percent of a private number of which at least so much must stand for a key to be damaged."""

SLOW = 30
"""Seconds of processor time of a scan that are worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One key of one dump: where it belongs in the table, and what came of it."""

    row: str
    state: str
    kind: str
    found: bool
    whole: bool
    """Another search saw a whole private number or text of it."""
    reason: str


def main() -> int:
    """Scan every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--scan", default=f"{shlex.quote(sys.executable)} -m scanner scan -f json")
    parser.add_argument("--rows", choices=ROWS, default="library")
    parser.add_argument("--only", nargs="*", default=[], help="expressions of names of cases")
    parser.add_argument("--saved", action="store_true", help="take the last report of a case")
    options = parser.parse_args()
    outcomes: list[Outcome] = []
    for case in cases(options.folders):
        if options.only and not any(re.search(only, case.name) for only in options.only):
            continue
        report = saved(case) if options.saved else None
        if report is None:
            report = scan(options.scan, case)
        judged = list(judge(case, report, options.rows))
        outcomes += judged
        for line in (*(outcome.reason for outcome in judged if outcome.reason), *odd(case, report)):
            print(line, file=sys.stderr, flush=True)
    print("\n".join(table(outcomes, options.rows)))
    return int(any(outcome.whole and not outcome.found for outcome in outcomes))


def cases(folders: list[Path]) -> Iterator[Path]:
    """Yield the folders that are cases, in order of their names."""
    for folder in folders:
        if (folder / "truth.json").exists():
            yield folder
        else:
            yield from sorted(path.parent for path in folder.glob("*/truth.json"))


def saved(case: Path) -> dict[str, Any] | None:
    """Return the last report on a case, if there is one."""
    path = case / "report.json"
    if not path.exists():
        return None
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report


def odd(case: Path, report: dict[str, Any]) -> Iterator[str]:
    """Yield what is strange about a report: keys nobody made, what was not looked at, its time."""
    truth = json.loads((case / "truth.json").read_text("utf-8"))
    named = {secret.get("spki_sha256") for secret in truth["secrets"]}
    for dump in report["dumps"]:
        if dump["verdict"] == "incomplete":
            yield f"{case.name}: incomplete, {', '.join(row['code'] for row in dump['reasons'])}"
        for finding in dump["findings"]:
            blocks = finding["severity"] in ("high", "critical")
            if (
                blocks
                and finding["kind"] == "private-key"
                and finding["fingerprint"]["value"] not in named
            ):
                what = " ".join(
                    str(finding[key]) for key in ("algorithm", "curve", "bits", "proof")
                )
                yield f"{case.name}: a key that the truth does not name, {what}, {finding['rule']}"
    if report.get("processor_seconds", 0) > SLOW:
        yield f"{case.name}: {report['processor_seconds']:.0f} s"


def scan(command: str, case: Path) -> dict[str, Any]:
    """Return the report on the dump of a case; the last one, or an empty one, where it is gone."""
    dump = next((case / name for name in DUMPS if (case / name).exists()), None)
    if dump is None and (kept := saved(case)):
        return kept
    if dump is None:
        print(f"{case.name}: no dump", file=sys.stderr)
        return {"dumps": []}
    start = processor_seconds()
    done = subprocess.run([*shlex.split(command), str(dump)], capture_output=True, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        print(f"{case.name}: no report, exit {done.returncode}", file=sys.stderr)
        return {"dumps": []}
    report["processor_seconds"] = round(processor_seconds() - start, 1)
    (case / "report.json").write_text(json.dumps(report), "utf-8")
    return report


def processor_seconds() -> float:
    """Return what the scans so far took, whatever else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def judge(case: Path, report: dict[str, Any], rows: str) -> Iterator[Outcome]:
    """Yield what came of each key that stands in the dump, wholly or in parts."""
    truth = json.loads((case / "truth.json").read_text("utf-8"))
    present = json.loads((case / "present.json").read_text("utf-8"))
    seen = {secret["id"]: secret for secret in present["secrets"]}
    found = {
        finding["fingerprint"]["value"]
        for dump in report["dumps"]
        for finding in (*dump["findings"], *dump["suppressed"])
    }
    for secret in truth["secrets"]:
        here = seen.get(secret["id"], {})
        known = secret.get("spki_sha256") in found
        whole = bool(here.get("recoverable") or here.get("shielded"))
        if not secret["kind"].startswith(KINDS) or not (whole or known or partly(here)):
            continue
        state = secret.get("state", truth.get("state", "live")) if whole else "damaged"
        yield Outcome(
            row=case.name if rows == "case" else truth.get(rows) or truth["program"],
            state=state,
            kind=secret["kind"],
            found=known,
            whole=whole and not secret.get("optional"),
            reason="" if known else f"{case.name}: {reason(here)}",
        )


def partly(here: dict[str, Any]) -> bool:
    """Tell whether much of a key stands in the dump."""
    parts = here.get("parts") or ()
    most = any(part >= MOST for part in parts.values()) if isinstance(parts, dict) else parts
    return bool(here.get("weak") or here.get("partial_text") or most)


def reason(here: dict[str, Any]) -> str:
    """Say what stands of a key that was not found."""
    forms = [f"{value} {encoding}" for value, encoding in here.get("recoverable_by", ())]
    forms += [str(container.get("kind")) for container in here.get("containers", ())]
    if here.get("recoverable"):
        return "not found, though it stands as " + ", ".join(dict.fromkeys(forms))
    if here.get("shielded"):
        return "not found, though it stands beside the key that unwraps it"
    if here.get("weak"):
        return "only " + ", ".join(dict.fromkeys(forms)) + " stands, which is no key"
    return "only parts of it stand"


def table(outcomes: list[Outcome], rows: str) -> Iterator[str]:
    """Yield the lines of the table of all sums, of the table, and of its notes."""
    totals = (sum_of([one for one in outcomes if one.state == state]) for state in STATES)
    yield f"| keys found, of those that the dumps hold | {' | '.join(STATES)} |"
    yield "| --- | --- | --- | --- |"
    yield f"| {len({one.row for one in outcomes})} rows of `{rows}` | {' | '.join(totals)} |"
    yield ""
    kinds = sorted({outcome.kind for outcome in outcomes})
    cells: dict[tuple[str, str], dict[str, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for outcome in outcomes:
        cells[outcome.row, outcome.state][outcome.kind].append(outcome)
    notes: list[str] = []
    yield f"| {rows} | state | {' | '.join(kinds)} |"
    yield "| --- | --- |" + " --- |" * len(kinds)
    for (row, state), columns in sorted(cells.items()):
        texts = [cell(columns[kind], notes) if kind in columns else "" for kind in kinds]
        yield f"| {row} | {state} | {' | '.join(texts)} |"
    if notes:
        yield ""
    yield from (f"{number}. {note}" for number, note in enumerate(notes, 1))


def sum_of(outcomes: list[Outcome]) -> str:
    """Count the keys found of those that are there."""
    return f"{sum(outcome.found for outcome in outcomes)} of {len(outcomes)}"


def cell(outcomes: list[Outcome], notes: list[str]) -> str:
    """Count the keys found of those that are there; number the reasons of the others."""
    count = sum(outcome.found for outcome in outcomes)
    marks = []
    for outcome in outcomes:
        if outcome.reason:
            if outcome.reason not in notes:
                notes.append(outcome.reason)
            marks.append(f"[{notes.index(outcome.reason) + 1}]")
    word = "found" if count else "not found"
    total = f" {count} of {len(outcomes)}" if len(outcomes) > 1 else ""
    return " ".join([word + total, *marks])


if __name__ == "__main__":
    sys.exit(main())
