r"""How a scan's time and memory grow: with size, with workers, from few candidates to many.

    python benchmarks/growth.py --work FOLDER [--kinds text random ...] [--sizes 1e6 1e7 ...] \
        [--jobs 1 2] [--dump DUMP ...]

Makes each worst case of ``make_worst.py`` in each size, one at a time, scans it and deletes it;
prints a row a scan and writes FOLDER/growth.md. ``--dump`` adds files that are there, as they are.
``per MB`` is CPU seconds a MB without those that an empty dump takes; a row is flagged where it is
MORE times that of the size before, and takes more than LEAST seconds. One run each: growth is
told from factors of ten, not from tenths. MB is 10**6 bytes.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import make_worst, measure

MORE = 1.3
"""Times as dear a MB, against the size before: what counts as super-linear."""

LEAST = 3.0
"""CPU seconds, at least, of a row that is flagged: below, start-up and fixed budgets tell."""

HEAD = ("kind", "MB", "jobs", "wall s", "CPU s", "MB/s", "per MB, ms", "peak MB", "exit", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One scan."""

    kind: str
    size: int
    jobs: int
    cost: measure.Cost
    flagged: bool = False


def scan(path: Path, jobs: int, timeout: float) -> measure.Cost:
    """Scan a file once, from the page cache."""
    measure.warm(path)
    root = str(Path(__file__).resolve().parents[1])
    return measure.run(
        [sys.executable, "-m", "scanner", "scan", "-q", "-j", str(jobs), str(path)],
        timeout=timeout,
        environment={"PYTHONPATH": root},
    )


def grown(arguments: argparse.Namespace, start: float) -> Iterator[Row]:
    """Yield the rows of all kinds, sizes and numbers of workers, as they are measured."""
    for kind in arguments.kinds:
        before: dict[int, float] = {}
        for size in sorted(int(size) for size in arguments.sizes):
            path: Path = arguments.work / f"{kind}-{size}.core"
            make_worst.make(kind, size, path)
            real = path.stat().st_size
            for jobs in arguments.jobs:
                cost = scan(path, jobs, arguments.timeout)
                rate = max(cost.cpu - start, 0.0) / real
                flagged = 0 < MORE * before.get(jobs, rate) < rate and cost.cpu > LEAST
                before[jobs] = rate
                yield Row(kind=kind, size=real, jobs=jobs, cost=cost, flagged=flagged)
            path.unlink()
    for path in arguments.dump:
        for jobs in arguments.jobs:
            cost = scan(path, jobs, arguments.timeout)
            yield Row(kind=path.name, size=path.stat().st_size, jobs=jobs, cost=cost)


def cells(row: Row, start: float) -> tuple[str, ...]:
    """Return a row of the table."""
    megabytes, cost = row.size / 1e6, row.cost
    return (
        row.kind,
        f"{megabytes:.0f}",
        str(row.jobs),
        f"{cost.wall:.2f}",
        f"{cost.cpu:.2f}",
        f"{megabytes / cost.wall:.0f}",
        f"{max(cost.cpu - start, 0) * 1000 / megabytes:.2f}",
        f"{cost.peak / 1e6:.0f}",
        str(cost.code),
        "super-linear" if row.flagged else "",
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument(
        "--kinds", nargs="*", choices=make_worst.KINDS, default=list(make_worst.KINDS)
    )
    parser.add_argument("--sizes", nargs="*", type=float, default=[1e6, 1e7, 1e8, 1e9])
    parser.add_argument("--jobs", nargs="*", type=int, default=[1, os.cpu_count() or 1])
    parser.add_argument("--dump", nargs="*", type=Path, default=[])
    parser.add_argument("--timeout", type=float, default=3600.0)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    empty: Path = arguments.work / "empty.core"
    make_worst.make("zeros", 1, empty)
    start = scan(empty, 1, arguments.timeout).cpu
    empty.unlink()
    lines = [f"An empty dump takes {start:.2f} CPU s.", ""]
    print(lines[0], flush=True)
    for row in (HEAD, ("---",) * len(HEAD)):
        lines.append(f"| {' | '.join(row)} |")
        print(lines[-1], flush=True)
    for measured in grown(arguments, start):
        lines.append(f"| {' | '.join(cells(measured, start))} |")
        print(lines[-1], flush=True)
    (arguments.work / "growth.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
