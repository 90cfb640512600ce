"""One turn of one target under atheris, which ends its process; and what that process said.

A fault does not end a turn: its smallest input and what was wrong are kept by place, the others
are counted. What libFuzzer itself ends, over a minute of one input or its memory, is told by the
exit code.
"""

import re
import resource
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import atheris

from tests.fuzz.target import Target, Trouble, attempt

BLIND = 0.3
"""Share of the changes that know nothing of the form."""

ADDRESSES = 4 << 30
"""Bytes of address space: what asks for more is told so."""


class Turn:
    """What happens to one target."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        self.folder = folder
        self.chance = Random()  # noqa: S311 - a new one for each seed would cost more than a change

    def one(self, data: bytes) -> None:
        """Run one input."""
        trouble = attempt(self.target, data)
        if trouble is not None:
            sys.stderr.write(f"\ntrouble: {trouble.kind}\n")  # libFuzzer ends us without a word
            keep(self.folder, self.target, trouble, data)

    def mutate(self, data: bytes, most: int, _seed: int) -> bytes:
        """Change an input, mostly in a way that knows its form."""
        if self.chance.random() < BLIND:
            return bytes(atheris.Mutate(data, most))
        mutate = self.chance.choice(self.target.mutate)
        return mutate(data, most, self.chance, atheris.Mutate)[:most]


def keep(folder: Path, target: Target, trouble: Trouble, data: bytes) -> None:
    """Keep the first input of a fault, or a smaller one."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{target.name}-{trouble.kind}-{trouble.where}")
    path = folder / f"{name}.bin"
    if not path.exists() or path.stat().st_size > len(data):
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(trouble.told)


def turn(target: Target, folder: Path, seconds: int) -> None:
    """Fuzz a target for so long; ends this process."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    corpus, troubles = folder / "corpus" / target.name, folder / "troubles"
    for made in (corpus, troubles):
        made.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    this = Turn(target, troubles)
    options: dict[str, Any] = {"custom_mutator": this.mutate} if target.mutate else {}
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={target.longest}",
        f"-artifact_prefix={troubles}/{target.name}-",
        "-timeout=60",
        "-rss_limit_mb=3000",
        "-print_final_stats=1",
        "-verbosity=1",
        str(corpus),
    ]
    atheris.Setup(arguments, this.one, **options)
    atheris.Fuzz()


def read(said: str) -> dict[str, Any]:
    """Return what a turn said of itself: executions, edges, inputs kept, troubles by kind."""
    runs = re.findall(r"^stat::number_of_executed_units:\s*(\d+)", said, re.MULTILINE)
    state = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", said)
    troubles = Counter(re.findall(r"^trouble: (\w+)$", said, re.MULTILINE))
    edges, _, inputs = state[-1] if state else (0, 0, 0)
    return {
        "executions": int(runs[-1]) if runs else 0,
        "edges": int(edges),
        "inputs": int(inputs),
        "troubles": troubles,
    }
