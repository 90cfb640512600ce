"""The driver: turns of targets, each in a process of its own, and a line of log for each turn.

The next turn is that of the target which has had the least time for its weight, by the logs.

The folder (``.fuzz``, which git passes over) keeps the corpora, the inputs that made trouble, and
``log.jsonl``. Several drivers may share it: a target's turn is taken by whoever holds its lock.
"""

import argparse
import contextlib
import fcntl
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["scanner"]):
    from tests.fuzz.table import GROUPS
from tests.fuzz import run
from tests.fuzz.target import Target

FOLDER = Path(__file__).resolve().parents[2] / ".fuzz"


def main() -> int:
    """Give turns until the time is over; return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--turn", type=int, default=30, help="seconds of a turn")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--group", choices=[name for name, _ in GROUPS])
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    chosen = [
        target
        for name, targets in GROUPS
        for target in targets
        if options.group in (None, name) and (not options.only or target.name in options.only)
    ]
    if not chosen:
        parser.error("no target has that name")
    folder = options.folder.resolve()
    folder.mkdir(exist_ok=True)
    used = _used(folder)
    end, wrong = time.monotonic() + options.hours * 3600, False
    while (left := int(end - time.monotonic())) > 0:
        target = min(chosen, key=lambda target: used[target.name] / target.weight)
        row = turn(target, folder, min(options.turn, left))
        used[target.name] += row["seconds"] if row else options.turn
        wrong |= bool(row and (row["ended"] or row["troubles"]))
    return int(wrong)


def _used(folder: Path) -> Counter[str]:
    """Return the seconds that each target has had, by all logs of the folder."""
    used: Counter[str] = Counter()
    for log in folder.glob("log*.jsonl"):
        for row in map(json.loads, log.read_text().splitlines()):
            used[row["target"]] += row["seconds"]
    return used


def turn(target: Target, folder: Path, seconds: int) -> dict[str, Any] | None:
    """Give a target its turn and return what is logged of it; None where another driver has it."""
    with (folder / f"{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return None
        said = folder / f"{target.name}.said"
        _, status, used = os.wait4(_begin(target, folder, said, seconds), 0)
    row = run.read(said.read_text(errors="replace")) | {
        "target": target.name,
        "seconds": round(used.ru_utime + used.ru_stime, 1),
        "ended": os.waitstatus_to_exitcode(status),
    }
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(row) + "\n")
    if row["ended"]:
        said.rename(folder / f"{target.name}.ended")
    return row


def _begin(target: Target, folder: Path, said: Path, seconds: int) -> int:
    """Fork: to import and instrument everything again would cost more than a turn."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    with said.open("w") as file, contextlib.suppress(OSError):
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        run.turn(target, folder, seconds)
    finally:
        os._exit(70)


if __name__ == "__main__":
    sys.exit(main())
