"""The command ``report``: a saved report, written again in any format.

It wires and decides nothing: the exit code is that of the verdict that was saved, so that 0 means
"may leave" here as everywhere.
"""

import click

from scanner.cli import targets
from scanner.cli.output import EXIT_CODES, PATH, Complain, Look, hand_over, helped, output_options


@click.command("report", add_help_option=False)
@helped
@click.argument("path", metavar="FILE.json", type=PATH)
@output_options
@click.pass_obj
def report(complain: Complain, path: str, look: Look) -> int:
    """Write a saved JSON report again, in any format.

    The exit code is that of its verdict. Nothing is scanned: the text that comes of it is what the
    scan itself would have shown.
    """
    from scanner import saved  # noqa: PLC0415 - what costs time is imported where it is needed

    targets.check((path,), (look.output,))
    read = saved.load(path)
    return hand_over(read.report, dict(EXIT_CODES)[read.report.verdict], look, complain)
