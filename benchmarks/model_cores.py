"""What a scan would take on more cores than there are here: a model made of measured stages.

    python benchmarks/model_cores.py [--cores 1 2 8 64] [--times 1] [--read 5] DUMP

Measures every call of every stage on one dump, one after the other (``stage_cost.py``), and lays
them out over cores in the engine's order: start-up (parent and worker), survey, sweep with the
digest beside it; what is examined with the runs that differ, tokens and schedules beside it; what
is likely in each section, then the relations, then copies. A stage ends with its last call; calls
go to whoever is free, the longest first.

Assumed: a core here is a core there, and does not slow down when others work (memory is fast
enough: a core reads a few GB/s); bytes come at ``--read`` GB/s at most; dividing and collecting
takes 2 ms a call, in the parent, one after the other. With ``--times`` K, K as many tasks and
sections, each as dear as the measured ones (which is too dear below a few hundred MB, where fixed
counts of operations are most of it); calls that look at all of a dump at once are K times as long.
"""

import argparse
import heapq
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.stage_cost import Costs, measure

PARENT = 0.002
"""Seconds of the parent for each call."""

WHOLE = ("pool: distinct", "tokens", "schedules")
"""Rows whose calls look at all of a dump, beside each other and what is examined."""


def spread(calls: list[float], cores: int) -> float:
    """Return when the last of the calls ends."""
    free = [0.0] * cores
    for call in sorted(calls, reverse=True):
        heapq.heapreplace(free, free[0] + call)
    return max(*free, PARENT * len(calls))


def wall(costs: Costs, cores: int, times: int, read: float) -> dict[str, float]:
    """Return the seconds of each phase."""

    def rows(*names: str) -> list[list[float]]:
        return [calls for row, calls in costs.calls.items() if row.startswith(names)]

    digest = sum(map(sum, rows("digest"))) * times
    sweeps = [call for calls in rows("sweep") for call in calls] * times
    examined = sum(map(sum, rows("examine"))) * times
    whole = [examined, *(sum(calls) * times for calls in rows(*WHOLE))]
    likely = [call for calls in rows("pool: likely") for call in calls] * times
    related = [call for calls in rows("relation") for call in calls] * times
    traced = [call for calls in rows("trace") for call in calls] * times
    busy = spread([*sweeps, digest], cores)
    return {
        "start": spread(rows("start: imports")[0] * 2, cores) + sum(map(sum, rows("survey"))),
        "sweep": max(busy, costs.size * times / 1e9 / read),
        "examine": spread(whole, cores),
        "relate": spread(likely, cores) + spread(related, cores),
        "copies": spread(traced, cores),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump", type=Path)
    parser.add_argument("--cores", nargs="*", type=int, default=[1, 2, 8, 64])
    parser.add_argument("--times", nargs="*", type=int, default=[1])
    parser.add_argument("--read", type=float, default=5.0)
    arguments = parser.parse_args()
    costs = measure(arguments.dump)
    phases = list(wall(costs, 1, 1, arguments.read))
    print(f"\n| GB | cores | s | GB/s | times one core | {' | '.join(phases)} |")
    print(f"|{' --- |' * (5 + len(phases))}")
    for times in arguments.times:
        size = costs.size * times / 1e9
        alone = sum(wall(costs, 1, times, arguments.read).values())
        for cores in arguments.cores:
            seconds = wall(costs, cores, times, arguments.read)
            total = sum(seconds.values())
            parts = " | ".join(f"{value:.2f}" for value in seconds.values())
            print(
                f"| {size:.2f} | {cores} | {total:.1f} | {size / total:.2f} "
                f"| {alone / total:.1f} | {parts} |"
            )


if __name__ == "__main__":
    main()
