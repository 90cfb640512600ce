"""Say what the search for tokens costs: scans with and without its rules, in turn, one worker.

    python benchmarks/token_cost.py DUMP [DUMP ...] [--rounds N]

Each round scans a dump with all rules and with all but those of tokens, in alternating order, as
``keysift scan -j 1`` does. Prints wall and CPU seconds of each, the least of all rounds, and by how
much tokens lower the speed. CPU seconds are those of all processes of a scan; on a machine that
others use, they say more than the clock.
"""

import argparse
import os
import time
from pathlib import Path

from scanner import rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.progress import Silence
from scanner.rules import Rule
from scanner.stages.calls import TOKENS


def main() -> None:
    """Measure each dump."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    loaded = rules.load()
    ways = {
        "with": loaded,
        "without": tuple(rule for rule in loaded if rule.detector != TOKENS),
    }
    print(f"{'dump':<20} {'tokens':<8} {'wall':>8} {'CPU':>8} {'MB/s':>8}")
    for path in options.dump:
        least = dict.fromkeys(ways, (float("inf"), float("inf")))
        for turn in range(options.rounds):
            for name in sorted(ways, reverse=bool(turn % 2)):
                took = measure(path, ways[name])
                least[name] = min(least[name][0], took[0]), min(least[name][1], took[1])
        size = path.stat().st_size / 1e6
        for name, (wall, cpu) in least.items():
            print(f"{path.name:<20} {name:<8} {wall:8.2f} {cpu:8.2f} {size / wall:8.1f}")
        for index, kind in enumerate(("speed", "CPU seconds")):
            share = 1 - least["without"][index] / least["with"][index]
            print(f"{path.name:<20} tokens cost {100 * share:.1f} % of the {kind}", flush=True)


def measure(path: Path, chosen: tuple[Rule, ...]) -> tuple[float, float]:
    """Return wall and CPU seconds of one scan."""
    began, clock = sum(os.times()[:4]), time.monotonic()
    scanning.scan(ScanRequest(path=str(path), jobs=1, rules=chosen), Silence())
    return time.monotonic() - clock, sum(os.times()[:4]) - began


if __name__ == "__main__":
    main()
