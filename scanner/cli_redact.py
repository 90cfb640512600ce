"""The command ``redact``: a copy of a dump that passes, or none.

It wires and decides nothing. Exit code 0 means that the copy stands under its name and passed, as
``scan`` would say of it; this command never exits 1.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner import deliver, errors
from scanner.cli_output import PASS, audit_option, helped
from scanner.cli_policy import policy_options
from scanner.cli_scan import READING, SEARCH, gate_of, options

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.gate import Gate
    from scanner.redact import Redaction


@click.command("redact", add_help_option=False)
@helped
@click.argument("path", metavar="IN", type=click.Path())
@click.option("-o", "--output", metavar="OUT", type=click.Path(), help="Where the copy goes.")
@click.option("--record", metavar="FILE", type=click.Path(), help="Write what was overwritten.")
@click.option("--dry-run", is_flag=True, help="Write nothing; list what would be overwritten.")
@click.option("--all", "every", is_flag=True, help="Overwrite all secrets, blocking or not.")
@click.option("--suppressed", is_flag=True, help="Overwrite what was set aside, too.")
@click.option("--random", is_flag=True, help="Overwrite all memory that looks random, too.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing. No progress.")
@click.option("-v", "--verbose", is_flag=True, help="List every range.")
@options(*SEARCH)
@policy_options
@options(*READING)
@audit_option
def redact(
    path: str,
    output: str | None,
    record: str | None,
    *,
    dry_run: bool,
    every: bool,
    suppressed: bool,
    random: bool,
    quiet: bool,
    verbose: bool,
    audit_log: str | None,
    **asked: Any,  # noqa: ANN401 - what gate_of takes
) -> int:
    """Copy a dump with its secrets overwritten.

    The copy gets its name only if it passes. Each byte of every occurrence becomes the letter X;
    sizes, tables and compression stay. With --random all memory that looks random goes as well,
    compressed and encrypted data among it: what is left of a key that no scan can prove looks so.
    Exit codes: 0 the copy is there and passes (with --dry-run:
    it could be tried), 2 usage, 3 anything else, and then there is no copy.
    """
    _refuse_odd_paths(path, output, record, dry_run=dry_run)
    from scanner import audit, console, published  # noqa: PLC0415 - they cost time
    from scanner import redact as room  # noqa: PLC0415
    from scanner.report import redaction  # noqa: PLC0415

    gate = gate_of(**asked)
    request = replace(gate.request, path=path)
    aim = room.Aim(
        every=every,
        suppressed=suppressed,
        random=random,
        ruling=gate.ruling,
        published=published.load(),
    )
    color = deliver.wants_color("auto", sys.stderr)
    with console.progress(path, quiet=quiet, color=color) as progress:
        if dry_run or output is None:
            made = room.plan(request, aim, progress)
        else:
            tell = _recorder(record, audit_log, gate)
            try:
                made = room.redact(request, output, aim, progress, before_named=tell)
            except errors.ScannerError as error:
                audit.append(audit_log, audit.row("redact", "refused", path, why=error.reason))
                raise
    if not quiet:
        deliver.show(redaction.text(made, None if dry_run else output, verbose=verbose))
    return PASS


def _recorder(
    record: str | None, audit_log: str | None, gate: "Gate"
) -> "Callable[[Redaction], None]":
    """Return what writes the record of a redaction and the line in the log, if asked for."""
    from scanner import audit  # noqa: PLC0415 - what costs time

    def tell(made: "Redaction") -> None:
        if made.after is not None:
            done = audit.scanned("redact", "redacted", made.after, gate)
            audit.append(audit_log, {**done, "from_sha256": made.before.sha256})
        if record is not None:
            from scanner.report import redaction  # noqa: PLC0415 - what costs time

            text = redaction.record(
                made, rules_sha256=gate.rules_sha256, policy_sha256=gate.policy_sha256
            )
            deliver.save(text, record)

    return tell


def _refuse_odd_paths(path: str, output: str | None, record: str | None, *, dry_run: bool) -> None:
    """Raise UsageError where paths are missing, clash, or are no place for a copy."""
    if path == "-":
        raise errors.UsageError(
            "- cannot be redacted", reason="stdin can be read once", hint="name a file"
        )
    if (output is None) != dry_run:
        raise errors.UsageError(
            "redact needs --output or --dry-run",
            reason="one of them, not both" if dry_run else "neither is there",
            hint="name the copy with -o",
        )
    names = [name for name in (path, output, record) if name is not None]
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            if _same(one, other):
                raise errors.UsageError(
                    "the dump, the copy and the record must be different files",
                    reason="two of them name the same file",
                    hint="name another file",
                )
    if output is not None and os.path.lexists(output):
        raise errors.UsageError(
            "the copy would replace a file",
            reason="a file under its name means that a copy passed",
            hint="remove it first, or name another with --output",
        )


def _same(one: str, other: str) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    return Path(one).exists() and Path(other).exists() and Path(one).samefile(other)
