"""The options of a scan, and the rules that they wake: for every command that makes one.

It wires and decides nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from scanner.rules import Rule

_Option = Callable[[Callable[..., Any]], Callable[..., Any]]

SEARCH: tuple[_Option, ...] = (
    click.option(
        "-j", "--jobs", type=click.IntRange(min=1), help="Worker processes.  [default: CPUs]"
    ),
    click.option(
        "--known",
        multiple=True,
        type=click.Path(),
        help="Certificates or public keys to look for: a file, or a directory of them.",
    ),
    click.option(
        "--rules",
        "token_rules",
        multiple=True,
        type=click.Path(exists=True),
        help="Token rules in Kingfisher's format, beside our own: a file, or a directory of them.",
    ),
)

READING: tuple[_Option, ...] = (
    click.option("--raw", is_flag=True, help="Sweep an unknown format as raw bytes."),
    click.option(
        "--spool-dir",
        type=click.Path(file_okay=False, exists=True),
        help="Where input that cannot be sought is kept while it is read.",
    ),
    click.option(
        "--debug", is_flag=True, help="Scan in this process, unguarded; say where a fault is."
    ),
)


def options(*rows: _Option) -> _Option:
    """Add options to a command, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(rows):
            command = option(command)
        return command

    return add


def woken(token_rules: tuple[str, ...]) -> "tuple[tuple[Rule, ...], tuple[str, ...]]":
    """Return the rules, with the anchors of the operator's own token rules, and their paths."""
    from scanner import rules  # noqa: PLC0415 - what costs time is imported when needed

    loaded, paths = rules.load(), tuple(str(Path(path).resolve()) for path in token_rules)
    if not paths:
        return loaded, paths
    from scanner.detect import kingfisher, tokens  # noqa: PLC0415

    return kingfisher.anchored(loaded, paths, tokens.SURE), paths
