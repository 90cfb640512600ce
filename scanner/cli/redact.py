"""The command ``redact``: a copy of a dump that passes, or none.

It wires and decides nothing. Exit code 0 means that the copy stands under its name and passed, as
``scan`` would say of it; this command never exits 1.
"""

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from scanner import deliver, errors
from scanner.cli import targets
from scanner.cli.output import PASS, PATH, Complain, about, audit_option, helped
from scanner.cli.policy import policy_options
from scanner.cli.scan import READING, RESUME, SEARCH, gate_of, keeping, named, options

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.gate import Gate
    from scanner.redact import Redaction


@click.command("redact", add_help_option=False)
@helped
@click.argument("path", metavar="IN", type=PATH)
@click.option("-o", "--output", metavar="OUT", type=PATH, help="Where the copy goes.")
@click.option("--record", metavar="FILE", type=PATH, help="Write what was overwritten.")
@click.option("--dry-run", is_flag=True, help="Write nothing; list what would be overwritten.")
@click.option("--all", "every", is_flag=True, help="Overwrite all secrets, blocking or not.")
@click.option("--suppressed", is_flag=True, help="Overwrite what was set aside, too.")
@click.option("--random", is_flag=True, help="Overwrite all memory that looks random, too.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing. No progress.")
@click.option("-v", "--verbose", is_flag=True, help="List every range.")
@options(*SEARCH)
@policy_options
@options(*READING, *RESUME)
@audit_option
@click.pass_obj
def redact(
    complain: Complain,
    /,
    path: str,
    output: str | None,
    record: str | None,
    resume: str | None,
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
    Exit codes: 0 the copy is there and passes (with --dry-run: it could be tried), 2 usage, 3
    anything else, and then there is no copy.
    """
    _refuse_odd_paths(path, output, dry_run=dry_run)
    targets.check((path, *named(**asked)), (output, record), audit_log)
    from scanner import audit, published  # noqa: PLC0415 - they cost time
    from scanner import redact as room  # noqa: PLC0415
    from scanner.cli import console  # noqa: PLC0415 - they cost time
    from scanner.report import redaction  # noqa: PLC0415

    kept, gate = keeping(resume), gate_of(**asked)
    aim = room.Aim(
        every=every,
        suppressed=suppressed,
        random=random,
        ruling=gate.ruling,
        published=published.load(),
    )
    color = deliver.wants_color("auto", sys.stderr)
    with about(path), console.progress(path, quiet=quiet, color=color) as progress:
        request = replace(kept.over(gate, path, progress, complain).request, path=path)

        def say(made: "Redaction") -> None:
            if not quiet:
                text = redaction.text(made, output, verbose=verbose)
                console.aside(progress, lambda: deliver.show_lines(text))

        try:
            if output is None:
                say(room.plan(request, aim, progress))
            else:
                note = _recorder(record, audit_log, gate, say)
                room.redact(request, output, aim, progress, before_named=note)
        except errors.ScannerError as error:
            if isinstance(error, errors.RedactError) and not isinstance(error, errors.Unwritten):
                kept.drop()  # there is no such copy, however often it is tried
            if output is not None:
                audit.append(audit_log, audit.row("redact", "refused", path, why=error.reason))
            raise
    kept.drop()
    return PASS


def _recorder(
    record: str | None,
    audit_log: str | None,
    gate: "Gate",
    say: "Callable[[Redaction], None]",
) -> "Callable[[Redaction], None]":
    """Return what logs a redaction, writes its record, if asked for, and then lets it be told."""
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
        say(made)

    return tell


def _refuse_odd_paths(path: str, output: str | None, *, dry_run: bool) -> None:
    """Raise UsageError where paths are missing, or are no place for a copy."""
    if "-" in (path, output):
        raise errors.UsageError(
            "- cannot be redacted, nor be the copy",
            reason="both are read more than once",
            hint="name a file",
        )
    if (output is None) != dry_run:
        raise errors.UsageError(
            "redact needs --output or --dry-run",
            reason="one of them, not both" if dry_run else "neither is there",
            hint="name the copy with -o",
        )
    if output is None or not os.path.lexists(output):
        return
    targets.refuse_special(output)
    if targets.same(path, output):
        return  # targets.check says so, and nobody is told to remove the dump itself
    if not os.path.isdir(output):  # noqa: PTH112 - a name as it was given; of a folder others speak
        raise errors.UsageError(
            f"the copy would replace {output}",
            reason="a file under its name means that a copy passed",
            hint="remove it first, or name another with --output",
        )
