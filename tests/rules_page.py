"""Write the page of all rules, ``rules/README.md``: ``python -m tests.rules_page``.

It says what the rule files say and nothing else; ``test_docs.py`` holds the two together.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from scanner import rules
from scanner.rules import Rule

PAGE = Path(__file__).resolve().parent.parent / "rules" / "README.md"

_HEAD = """\
# Rules

What `keysift scan` looks for: one file a rule, named by its id. This page is written from them by
`python -m tests.rules_page`. Severity is the default; whether a finding blocks is also a matter of
its confidence and of the policy.
"""


def page(loaded: tuple[Rule, ...]) -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *_table(loaded), "", *(line for rule in loaded for line in _of(rule))])


def _table(loaded: tuple[Rule, ...]) -> Iterator[str]:
    yield "| rule | looks for | kind | severity |"
    yield "| --- | --- | --- | --- |"
    for rule in sorted(loaded, key=lambda rule: (-rule.severity, rule.id)):
        severity = rule.severity.name.lower()
        yield f"| [{rule.id}](#{rule.id}) | {rule.title} | {rule.kind} | {severity} |"


def _of(rule: Rule) -> Iterator[str]:
    """Yield the lines of one rule."""
    yield f"## {rule.id}"
    yield ""
    yield f"**{rule.title}**: {rule.kind}, {rule.severity.name.lower()}."
    for text in (rule.description, rule.remediation):
        yield ""
        yield " ".join(text.split())
    if rule.references:
        yield ""
    yield from (f"- <{reference}>" for reference in rule.references)
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(rules.load()), "utf-8")
    sys.stderr.write(f"wrote {PAGE.name}\n")
