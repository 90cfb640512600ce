"""The command ``info``: what a dump is, without a look at what lies in it.

It gives no verdict, and its exit code is none: 0 says that the dump could be read, and 3 that it
could not, or not whole.
"""

import sys

import click

from scanner import deliver
from scanner.cli import inputs
from scanner.cli.output import INCOMPLETE, PASS, PATH, about, helped


@click.command("info", add_help_option=False)
@helped
@click.argument("path", metavar="DUMP", type=PATH)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How it is written.",
)
@click.option(
    "--spool-dir",
    type=click.Path(file_okay=False, exists=True),
    help="Where input that cannot be sought is kept while it is read.",
)
def info(path: str, form: str, spool_dir: str | None) -> int:
    """Say what a dump is: format, system, program, memory. Gives no verdict.

    Exit code 3 says that it cannot be read whole; 0 does not say that it may be sent.
    """
    inputs.refuse_terminal((path,))
    from scanner import rules  # noqa: PLC0415 - what costs time is imported when needed
    from scanner.cli import console  # noqa: PLC0415 - what costs time is imported when needed
    from scanner.engine import scanning  # noqa: PLC0415 - what costs time is imported when needed
    from scanner.report import info as page  # noqa: PLC0415

    request = scanning.ScanRequest(path=path, jobs=1, spool_dir=spool_dir, rules=rules.load())
    color = deliver.wants_color("auto", sys.stderr)
    with about(path), console.progress(path, quiet=False, color=color) as progress:
        found = scanning.inspect(request, progress)
    deliver.show(page.text(found, deliver.columns()) if form == "text" else page.document(found))
    return INCOMPLETE if any(survey.faults for _, survey in found) else PASS
