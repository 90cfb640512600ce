"""A function that is named is imported by whoever calls it."""

import pickle
import subprocess
import sys

import pytest

from scanner.processes.later import Later
from scanner.stages import calls


def test_it_is_called() -> None:
    """It gives what the function gives, here or where it was sent, and is equal to its like."""
    later = Later("os.path", "join")
    sent = pickle.loads(pickle.dumps(later))  # noqa: S301 - our own
    assert sent("a", "b") == later("a", "b")
    assert {later: 1}[sent] == 1


def test_what_is_not_there() -> None:
    """It fails as an import does, when it is called."""
    with pytest.raises(ModuleNotFoundError):
        Later("scanner.no_such_module", "x")()
    with pytest.raises(AttributeError):
        Later("scanner.errors", "no_such_function")()


def test_the_parent_imports_no_detector() -> None:
    """A small dump takes less time to scan than what searches it takes to import."""
    code = (
        "import sys, scanner.cli.scan, scanner.gate, scanner.correlate\n"
        "print(*(name for name in sys.modules if name.startswith('scanner.stages.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    searching = {later.module for later in vars(calls).values() if isinstance(later, Later)}
    assert len(searching) > 3
    assert not searching & {*run.stdout.split()}
