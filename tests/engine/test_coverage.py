"""Coverage is counted from what was swept, never from what should have been."""

import numpy as np
import pytest

from scanner.detect.integers.runs import gather
from scanner.dump import space
from scanner.engine import coverage
from scanner.model import Content, Layout, Place
from scanner.stages import shade
from scanner.stages.session import Survey
from scanner.stages.sweep import Gathered, Hits

SIZE = 10_000


def measured(tasks: tuple[tuple[Place, ...], ...], done: tuple[int, ...]) -> int:
    """Return the bytes that count as swept where these tasks were made, and these done."""
    layout, none = Layout(format="raw"), np.empty(0, np.int64)
    survey = Survey(
        size=SIZE,
        sha256="",
        content=Content(layers=(), size=SIZE, sha256=""),
        layout=layout,
        space_map=space.build(layout, SIZE)[0],
        faults=(),
        identity=None,
        ledger=(),
    )
    swept = Gathered(
        done=done,
        hits=[Hits(rule=none, space=none, offset=none)],
        runs=gather(()),
        shades=shade.empty(SIZE),
    )
    return coverage.measure(survey, tasks, swept, ()).scanned_bytes


@pytest.mark.parametrize(
    ("sizes", "done", "expected"),
    [
        ((4_000, 6_000), (0, 1), SIZE),
        ((4_000, 6_000), (1,), 6_000),
        ((4_000, 6_000), (), 0),
        ((4_000, 5_999), (0, 1), 9_999),
        ((), (), 0),
    ],
)
def test_what_was_swept_is_what_counts(
    sizes: tuple[int, ...], done: tuple[int, ...], expected: int
) -> None:
    """A task that was not done does not count, nor do bytes that no task had."""
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    tasks = tuple(
        (Place(space=0, offset=start, size=size),)
        for start, size in zip(starts, sizes, strict=True)
    )
    assert measured(tasks, done) == expected
