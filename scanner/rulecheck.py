"""Whether rules find what they are for: each is tried on its own examples and counterexamples.

How a rule is tried is the caller's: this module scans nothing, and keeps the count.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scanner.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What :func:`check` found out."""

    problems: tuple[str, ...]
    """One sentence each, naming the rule; empty when all is well."""
    tried: int
    left: int
    """Recipes that nothing here could carry out: they are left to the test suite."""


def check(
    rules: Iterable[Rule],
    matches: Callable[[Rule, bytes], bool],
    resolve: Callable[[str, str], bytes] | None = None,
) -> Checked:
    """Ask ``matches(rule, data)`` whether every example is found and no counterexample is.

    ``resolve(key, encoding)`` carries out a recipe; without it recipes are counted, not tried.
    """
    problems: list[str] = []
    tried = left = 0
    for rule in rules:
        if not rule.examples:
            problems.append(f"{rule.id}: a rule needs an example")
        for wanted, examples in ((True, rule.examples), (False, rule.counterexamples)):
            name = "example" if wanted else "counterexample"
            for number, example in enumerate(examples, 1):
                data = example.data
                if example.key:
                    if resolve is None:
                        left += 1
                        continue
                    data = resolve(example.key, example.encoding)
                tried += 1
                if matches(rule, data) != wanted:
                    problems.append(
                        f"{rule.id}: {name} {number} {'is not found' if wanted else 'is found'}"
                    )
    return Checked(problems=tuple(problems), tried=tried, left=left)
