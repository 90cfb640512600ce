"""A function by its name: whoever calls it imports it, and nobody else.

The modules that do the work take longer to import than a small dump takes to scan. The process that
asks for it never does it, so it names the function, and a worker imports it. This module refuses to
say what a function takes: that stands where it is defined.
"""

import importlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Later:
    """A function of a module, each by its full name."""

    module: str
    name: str

    def __call__(self, *arguments: object) -> Any:  # noqa: ANN401 - whatever the function gives
        """Import the function, and call it."""
        return getattr(importlib.import_module(self.module), self.name)(*arguments)
