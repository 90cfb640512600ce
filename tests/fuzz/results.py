"""RESULTS.md: what was run so far, made of the table that is there and of the logs since.

    python -m tests.fuzz.results [FOLDER]

Adds ``log.jsonl`` of the folder to the totals and empties it, so that no turn counts twice.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.fuzz.table import GROUPS

PAGE = Path(__file__).with_name("RESULTS.md")
FOLDER = PAGE.parents[2] / ".fuzz"

_ROW = re.compile(
    r"^\| `([a-z0-9-]+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|",
    re.MULTILINE,
)
_COLUMNS = ("executions", "seconds", "edges", "crashes", "slow")
_HEAD = """\
# What was fuzzed

`python -m tests.fuzz` runs the targets, `python -m tests.fuzz.results` adds its log to this page.
Totals are over all runs, of every state of the code; seconds are of processor time. A crash is an
exception that no contract names, or a check that failed; slow is an input that took over a second
or 256 MB. Each fault found has a test that holds its input; where a check was wrong itself, it was
corrected, and what it said is not counted.
"""


def totals(page: str) -> dict[str, Counter[str]]:
    """Return the totals that a page has, by target."""
    return {
        name: Counter(dict(zip(_COLUMNS, (int(n.replace(",", "")) for n in row), strict=True)))
        for name, *row in _ROW.findall(page)
    }


def add(found: dict[str, Counter[str]], rows: list[dict[str, Any]]) -> None:
    """Add the turns of a log to the totals; of edges the most count."""
    for row in rows:
        total = found.setdefault(row["target"], Counter())
        total["executions"] += row["executions"]
        total["seconds"] += round(row["seconds"])
        total["edges"] = max(total["edges"], row["edges"])
        troubles = row["troubles"]
        total["crashes"] += troubles.get("crash", 0)
        ended = row["ended"] != 0
        total["slow"] += troubles.get("slow", 0) + troubles.get("heavy", 0) + ended


def page(found: dict[str, Counter[str]]) -> str:
    """Return the page that says these totals."""
    text = _HEAD
    for group, targets in GROUPS:
        rows = [(target, found.get(target.name, Counter())) for target in targets]
        whole: Counter[str] = sum((row for _, row in rows), Counter())
        text += f"\n## {group.capitalize()}: {whole['executions']:,} executions\n\n"
        text += "| target | executions | seconds | edges | crashes | slow | covers |\n"
        text += "| --- | ---: | ---: | ---: | ---: | ---: | --- |\n"
        for target, row in rows:
            cells = " | ".join(f"{row[column]:,}" for column in _COLUMNS)
            text += f"| `{target.name}` | {cells} | {', '.join(target.covers)} |\n"
    return text


def main() -> None:
    """Fold a log into the page."""
    log = Path(sys.argv[1] if len(sys.argv) > 1 else FOLDER) / "log.jsonl"
    found = totals(PAGE.read_text() if PAGE.exists() else "")
    if log.exists():
        taken = log.replace(log.with_suffix(".taken"))
        add(found, [json.loads(line) for line in taken.read_text().splitlines()])
        with log.with_name("log.all.jsonl").open("a") as everything:
            everything.write(taken.read_text())
        PAGE.write_text(page(found))
        taken.unlink()
    PAGE.write_text(page(found))


if __name__ == "__main__":
    main()
