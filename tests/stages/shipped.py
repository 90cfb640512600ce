"""The rules that ship, and their anchors, compiled once for all tests of stages."""

import functools

from scanner import rules
from scanner.detect.anchors import AnchorSet, compile_anchors

RULES = rules.load()


@functools.cache
def compiled() -> AnchorSet:
    """Return the anchors of all rules."""
    return compile_anchors(RULES)
