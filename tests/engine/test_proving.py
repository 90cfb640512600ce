"""In which order numbers are related."""

from typing import Any

import numpy as np
import pytest

from scanner.detect.integers import pool
from scanner.detect.integers.runs import Runs
from scanner.engine import proving
from scanner.stages.calls import RELATE, RELATED


def test_a_section_is_asked_for_all_relations_before_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who loads it keeps it: each had been loaded once for every relation."""
    monkeypatch.setattr(pool, "SECTION", 1 << 17)
    start = np.arange(0, 64 << 20, 1 << 19)
    runs = Runs(space=np.zeros(len(start), np.int64), start=start, end=start + 2048)
    questions: list[Any] = []
    answers: dict[int, Any] = {0: None, 1: (start < 0, start >= 0)}
    for _ in proving._relating(runs, questions, answers, []):
        pass
    asked = [(cut.start[0], name) for _, _, (call, name, cut, *_) in questions if call is RELATE]
    cuts = sorted({first for first, _ in asked})
    assert len(cuts) > 1
    assert asked == [(first, name) for first in cuts for name, _ in RELATED]
