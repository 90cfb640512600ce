"""Say what each stage, detector and relation costs on a dump: CPU seconds, and MB/s of the whole.

    python benchmarks/stage_cost.py DUMP [DUMP ...]

Runs the stages of a scan one after the other in this process, as one worker would, without the
guard. A relation's row is the sum over all sections of the integer pool; the first to look at a
section also loads it. MB is 10**6 bytes of the file. Start-up (imports, compiling the anchors) has
rows of its own: it does not grow with the dump.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_BEGAN = time.process_time()

from scanner import rules  # noqa: E402 - imports are timed as well
from scanner.detect.anchors import compile_anchors  # noqa: E402
from scanner.detect.integers import pool  # noqa: E402
from scanner.detect.integers.runs import chosen, closed  # noqa: E402
from scanner.detect.register import Register  # noqa: E402
from scanner.dump.windows import cut  # noqa: E402
from scanner.engine.proving import READ  # noqa: E402
from scanner.engine.traceable import traced  # noqa: E402
from scanner.model import Candidate  # noqa: E402
from scanner.stages import session as stage  # noqa: E402
from scanner.stages import shade  # noqa: E402
from scanner.stages.calls import RELATED, TOKENS  # noqa: E402
from scanner.stages.examine import examine, find_tokens  # noqa: E402
from scanner.stages.relate import (  # noqa: E402
    distinct,
    find_schedules,
    likely,
    relate,
)
from scanner.stages.session import Session, Target  # noqa: E402
from scanner.stages.sweep import Hits, gathered, sweep  # noqa: E402
from scanner.stages.trace import trace_runs  # noqa: E402

_IMPORTED = time.process_time()


class Costs:
    """CPU seconds of each call by row, in order of first use."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes of the dump."""
        self.calls: dict[str, list[float]] = {}

    @contextmanager
    def of(self, row: str) -> Iterator[None]:
        """Add what the block takes to a row, as a call of its own."""
        began = time.process_time()
        yield
        self.calls.setdefault(row, []).append(time.process_time() - began)


def measure(path: Path) -> Costs:
    """Run all stages on one dump, print the table and return what is in it."""
    costs = Costs()
    costs.calls["start: imports"] = [_IMPORTED - _BEGAN]
    with costs.of("start: anchors"):
        table = rules.load()
        anchors = compile_anchors(table)
    target = Target(path=str(path), rules=table, anchors=anchors, spool_dir="/tmp")  # noqa: S108 - nothing is written there
    session = Session(target)
    with costs.of("survey"):
        survey = stage.survey(session)
    tasks = cut(survey.space_map)
    swept = {}
    for index, task in enumerate(tasks):
        with costs.of("sweep"):
            swept[index] = sweep(session, task)
    with costs.of("digest"):
        stage.digest(session)
    whole = gathered(swept, shade.empty(0))
    hits, runs = whole.hits.pop(), whole.runs
    found: list[Candidate] = []
    publics = _examined(session, hits, costs, found)
    with costs.of("tokens"):
        found += find_tokens(session, hits).candidates
    with costs.of("schedules"):
        found += find_schedules(session, runs)
    with costs.of("pool: distinct"):
        cut_off, differ = distinct(session, runs)
        private = pool.outside(chosen(closed(runs, cut_off), differ), publics.places(READ))
    cuts = tuple(pool.sections(private))
    if len(cuts) > 1:
        shared = []
        for section in cuts:
            with costs.of("pool: likely"):
                shared.append(likely(session, section, len(cuts)))
        cuts = tuple(pool.merged((section, *shared)) for section in cuts)
    for section in cuts:
        for name, algorithms in RELATED:
            with costs.of(f"relation: {name}"):
                told = relate(session, name, section, publics.of(algorithms))
                found += (one for one in told if isinstance(one, Candidate))
    keys = [c for c in traced(tuple(found)) if c.kind != "token"]
    for section in pool.whole(runs) if keys else ():
        with costs.of("trace"):
            trace_runs(session, tuple(keys), section)
    costs.size = survey.size
    _print(path, costs, len(hits.rule), len(runs), len(found))
    return costs


def _examined(session: Session, hits: Hits, costs: Costs, found: list[Candidate]) -> Register:
    """Examine the hits of each detector by themselves, then all, to return the keys they met."""
    detectors = {rule.detector for rule in session.rules} - {TOKENS}
    for name in sorted(detectors):
        some = _of(session, hits, {name})
        if not len(some.rule):
            continue
        with costs.of(f"examine: {name} ({len(some.rule)} hits)"):
            found += examine(session, some).candidates
    return examine(session, _of(session, hits, detectors)).publics


def _of(session: Session, hits: Hits, detectors: set[str]) -> Hits:
    mine = [index for index, rule in enumerate(session.rules) if rule.detector in detectors]
    rows = np.isin(hits.rule, mine)
    return Hits(rule=hits.rule[rows], space=hits.space[rows], offset=hits.offset[rows])


def _print(path: Path, costs: Costs, hits: int, runs: int, found: int) -> None:
    size, total = costs.size, sum(map(sum, costs.calls.values()))
    print(f"{path.name}: {size / 1e6:.1f} MB, {hits} hits, {runs} runs, {found} candidates")
    for row, calls in costs.calls.items():
        seconds = sum(calls)
        print(f"  {row:36}{seconds:8.2f} s {100 * seconds / total:5.1f} %")
    print(f"  {'all':36}{total:8.2f} s       {size / 1e6 / total:.0f} MB/s")


def main() -> None:
    """Read the command line and measure each dump."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump", nargs="+", type=Path)
    for path in parser.parse_args().dump:
        measure(path)


if __name__ == "__main__":
    main()
