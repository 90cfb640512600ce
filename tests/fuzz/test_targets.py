"""The targets themselves: each holds on its seeds, and on a few changes of them."""

import importlib
import itertools
from random import Random

import pytest

from scanner.dump import FORMATS, archives
from scanner.stages.examine import EXAMINERS
from tests.fuzz.table import TARGETS
from tests.fuzz.target import Change, Target, attempt

SEEDS, CHANGES = 2, 4
COVERED = {name for target in TARGETS for name in target.covers}


def blind(chance: Random) -> Change:
    """Return a change that knows no form."""

    def change(data: bytes, most: int) -> bytes:
        raw = bytearray(data[:most])
        for _ in range(min(len(raw), 3)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        return bytes(raw)

    return change


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_holds(target: Target) -> None:
    """Nothing is wrong with a seed, nor with what the target's own changes make of it."""
    chance = Random(target.name)  # noqa: S311 - the same changes in each run
    for seed in itertools.islice(target.seeds(), SEEDS):
        trouble = attempt(target, seed)
        assert trouble is None or trouble.kind != "crash", trouble
        for mutate in itertools.islice(itertools.cycle(target.mutate or ()), CHANGES):
            data = mutate(seed, target.longest, chance, blind(chance))
            trouble = attempt(target, data)
            assert trouble is None or trouble.kind != "crash", (trouble, data.hex())


def test_each_parser_has_a_target() -> None:
    """Every detector, format and kind of archive is covered, and what is covered exists."""
    for name in COVERED:
        assert importlib.import_module(f"scanner.{name}")
    examiners = {examine.__module__ for _, examine in EXAMINERS}
    formats = {form.parse.__module__ for form in FORMATS}
    kinds = {kind.read.__module__ for kind in archives.KINDS}
    assert {name.removeprefix("scanner.") for name in examiners | formats | kinds} <= COVERED
    assert len({target.name for target in TARGETS}) == len(TARGETS)
