"""Time the anchors: CPU seconds a GB for all rules, for each alone, and for each costly anchor.

    python benchmarks/anchor_cost.py [--megabytes 64] [--runs 3] [--above 0.1] FILE

One rare literal is the yardstick: what it costs is the cost of looking at every byte at all. A rule
or an anchor is printed where it costs ``--above`` seconds a GB more than that. MB is 10**6 bytes;
the least of the runs counts, since a shared machine only ever adds.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from scanner import rules
from scanner.detect import anchors
from scanner.detect.anchors import AnchorSet
from scanner.rules import Rule

YARDSTICK = b"\xa7Kqz\x9d\xe3wV"


def cost(anchor_set: AnchorSet, data: bytes, runs: int) -> tuple[float, int]:
    """Return CPU seconds a GB, and hits a GB."""
    sweeper = anchors.open_sweeper(anchor_set)
    best, count = float("inf"), 0
    for _ in range(runs):
        start = time.process_time()
        count = len(sweeper.sweep(data))
        best = min(best, time.process_time() - start)
    return best * 1e9 / len(data), round(count * 1e9 / len(data))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--above", type=float, default=0.1)
    arguments = parser.parse_args()
    with arguments.file.open("rb") as file:
        data = file.read(arguments.megabytes * 1_000_000)
    loaded = rules.load()
    runs = arguments.runs
    print(f"{'s/GB':>6} {'hits/GB':>8}")

    def row(name: str, chosen: Iterable[Rule]) -> float:
        seconds, count = cost(anchors.compile_anchors(chosen), data, runs)
        if name == "all rules" or seconds > least + arguments.above:
            print(f"{seconds:6.2f} {count:8} {name}", flush=True)
        return seconds

    least, _ = cost(anchors.compile_literals((YARDSTICK,)), data, runs)
    print(f"{least:6.2f} {0:8} one literal", flush=True)
    row("all rules", loaded)
    for rule in loaded:
        if rule.anchors and row(rule.id, [rule]) > least + arguments.above:
            for anchor in rule.anchors:
                row(f"    {anchor.source}", [replace(rule, anchors=(anchor,))])


if __name__ == "__main__":
    main()
