"""What holds for all tests: none of them is timed, on however busy a machine."""

import gc

from hypothesis import settings

from scanner.processes.own_memory import collect_seldom

settings.register_profile("untimed", deadline=None, max_examples=30)
settings.load_profile("untimed")

collect_seldom()  # as the command does


def pytest_collection_finish() -> None:
    """Look no more through the thousands of tests for garbage: a tenth of their time is that."""
    gc.freeze()
