"""Findings that very many are like: a server has as many tokens as sessions.

The text report tells some of each sort for themselves and counts the others. This module exists
because 50,000 tokens made a page of 25 MB that took two minutes; it refuses to leave out a private
key, or what has a public half.
"""

from collections import Counter
from collections.abc import Iterable

from scanner.fingerprint import SPKI
from scanner.model import Finding
from scanner.report import wording

MOST = 20
"""Tokens of one kind and issuer, or symmetric keys of one size, that are told."""

MOST_NAMED = 200
"""Those of all issuers together."""


def folded(findings: Iterable[Finding], *, every: bool) -> tuple[list[Finding], list[str]]:
    """Return the findings to tell, and how many more of which sort there are, in words."""
    told: list[Finding] = []
    alike: Counter[tuple[str, ...]] = Counter()
    rest: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        sort = wording.name(finding), finding.kind
        issued = (*sort, finding.public.issuer)
        single = finding.kind == "private-key" or finding.fingerprint.kind == SPKI
        if every or single or (alike[issued] < MOST and alike[sort] < MOST_NAMED):
            told.append(finding)
            alike.update((sort, issued))
        else:
            rest[sort] += 1
    return told, [
        f"and {wording.count(number, *wording.more(*sort))} (-v shows all)"
        for sort, number in rest.items()
    ]
