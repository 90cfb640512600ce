"""What is asked by name is there, and what is known of it without it is what it says."""

import importlib
import inspect

import pytest

from scanner.processes.later import Later
from scanner.stages import calls
from scanner.stages.relate import AGAIN, RELATIONS
from scanner.stages.session import Session

NAMES = [name for name, value in vars(calls).items() if isinstance(value, Later)]


@pytest.mark.parametrize("name", NAMES)
def test_who_is_asked_takes_a_session(name: str) -> None:
    """Each name is that of a function of stages, which is given a worker's session first."""
    asked = getattr(calls, name)
    function = getattr(importlib.import_module(asked.module), asked.name)
    assert function.__module__ == asked.module
    first, *_ = inspect.signature(function).parameters.values()
    assert first.annotation is Session


def test_tables_are_those_of_who_searches() -> None:
    """Whoever asks for a relation names one that there is, and knows what no file holds."""
    assert [name for name, *_ in RELATIONS] == [name for name, _ in calls.RELATED]
    names = [name for name, _ in AGAIN]
    assert names == [*(name for name, _ in calls.RELATED), *calls.STRUCTURES]
