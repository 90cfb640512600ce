"""What a second worker is worth in stage one, and more of them.

    python benchmarks/speed_up.py [--workers 1 2] [--rounds 5] DUMP

Sweeps the dump with so many workers each, in turn, so that all meet the same machine. Workers are
started and have swept once before the clock runs, and nothing is hashed: this measures the sweep
alone. Prints the median seconds, GB/s and the ratio to the first. Do not run it beside other work.
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scanner import rules
from scanner.detect.anchors import compile_anchors
from scanner.dump.windows import cut
from scanner.engine.sweeping import sweep_all
from scanner.processes.workers import Processes
from scanner.progress import Silence
from scanner.stages.session import Session, Survey, Target, survey


def crew_of(count: int, target: Target) -> tuple[Processes, Survey]:
    """Start workers, and say what the first one found."""
    crew = Processes(1, Session, target)
    surveyed: Survey = crew.ask(survey)
    crew.grow(count - 1, Session, replace(target, surveyed=surveyed))
    return crew, surveyed


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump", type=Path)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = rules.load()
    target = Target(
        path=str(options.dump),
        spool_dir=tempfile.gettempdir(),
        rules=table,
        anchors=compile_anchors(table),
    )
    crews = {count: crew_of(count, target) for count in options.workers}
    seconds: dict[int, list[float]] = {count: [] for count in crews}
    size = options.dump.stat().st_size
    for number in range(options.rounds + 1):
        for count, (crew, surveyed) in crews.items():
            began = time.perf_counter()
            sweep_all(crew, cut(surveyed.space_map), size, None, [], Silence())
            if number:
                seconds[count].append(time.perf_counter() - began)
    first = statistics.median(seconds[options.workers[0]])
    for count, rounds in seconds.items():
        median = statistics.median(rounds)
        print(
            f"{count} workers: {median:.2f} s, {size / 1e9 / median:.2f} GB/s, {first / median:.2f}"
        )
    for crew, _ in crews.values():
        crew.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
