"""What leaves a worker of a key that a relation found: enough for a second look at it."""

from scanner import rules
from scanner.detect.relations.related import Related
from scanner.model import Candidate
from scanner.stages import relate

RULE = next(rule for rule in rules.load() if rule.kind == "private-key")


def told(related: Related) -> Candidate:
    """Return the candidate for a key, under some rule."""
    return relate.candidate(related, RULE)
