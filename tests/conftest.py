"""What holds for all tests: none is timed, and one run tries what the last one tried.

A check that fails on an example of chance says nothing of the change before it. New examples are
sought for their own sake: ``--hypothesis-profile wandering``, with or without a seed.
"""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

from scanner.detect.credentials import kingfisher
from scanner.processes.own_memory import collect_seldom

settings.register_profile("untimed", deadline=None, max_examples=30, derandomize=True)
settings.register_profile("wandering", deadline=None, max_examples=30, print_blob=True)
settings.load_profile("untimed")

collect_seldom()  # as the command does


def pytest_collection_finish() -> None:
    """Look no more through the thousands of tests for garbage: a tenth of their time is that."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _catalogue_stays() -> Iterator[None]:
    """Load the rules for tokens once: a worker lets go of them, and this process scans again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kingfisher, "unload", lambda: None)
        yield
