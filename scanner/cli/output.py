"""How a command ends: exit codes, --help, and a report on its way out.

Shared by the commands of the command line, and wired by :mod:`scanner.cli`. A verdict is fixed
before it is shown: neither a format, nor a reader who left, nor a renderer that fails takes a
``blocked`` back. This module refuses to decide a verdict.
"""

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from scanner import deliver, errors, urls
from scanner.model import Reason, Report, Verdict
from scanner.report import FORMATS, Render

if TYPE_CHECKING:
    from scanner.gate import Gate

PASS = 0
BLOCKED = 1
USAGE = 2
INCOMPLETE = 3

EXIT_CODES: tuple[tuple[Verdict, int], ...] = (
    (Verdict.PASS, PASS),
    (Verdict.BLOCKED, BLOCKED),
    (Verdict.INCOMPLETE, INCOMPLETE),
)

_UNLOGGED = Reason(
    code="unlogged", text="What was decided could not be logged, and nothing passes unlogged."
)
_UNTOLD = Reason(code="untold", text="The report could not be written.")

_UNREAD = (
    "nobody could read the report",
    "whoever was to read it had closed the pipe, or there is no stdout",
    "go by the exit code, which is that of the verdict, or name a file: -o report.txt",
)
_BLOCKED = "the verdict stands: blocked; do not send the dump"


class Named(click.Path):
    """A path that is not empty, as one is of a variable that nobody set."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """See click."""
        if not value:
            self.fail("an empty text names no file", param, ctx)
        return super().convert(value, param, ctx)


PATH = Named(readable=False)
"""A path, of which click says nothing: who opens it does, and a dump that cannot be is no usage."""

_COLORS = ("auto", "always", "never")

_Callback = TypeVar("_Callback", bound=Callable[..., Any])


class Complain(Protocol):
    """How an error is told: what failed, why, what to do."""

    def __call__(self, what: str, why: str = "", hint: str = "") -> None:
        """Say it on stderr."""
        ...


def _say_help(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's order
    if asked and not context.resilient_parsing:
        deliver.show(f"{context.get_help()}\n")
        context.exit()


def helped(command: _Callback) -> _Callback:
    """Add --help, whose output can fail without click making exit 1 of it."""
    return click.option(
        "-h",
        "--help",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_say_help,
        help="Show this text and exit.",
    )(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a report is to look, and where it goes."""

    render: Render
    output: str | None
    color_choice: str
    verbose: bool
    quiet: bool


def or_stdout(_context: click.Context, _parameter: click.Parameter, path: str | None) -> str | None:
    """Take ``-`` as the name of stdout, which None stands for."""
    return None if path == "-" else path


def output_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of how a report looks; the command gets them as one ``look``."""

    @functools.wraps(command)
    def call(
        *arguments: Any,  # noqa: ANN401 - click's own
        form: str,
        output: str | None,
        quiet: bool,
        verbose: bool,
        color: str,
        **others: Any,  # noqa: ANN401
    ) -> int:
        look = Look(
            render=dict(FORMATS)[form],
            output=output,
            color_choice=color,
            verbose=verbose,
            quiet=quiet,
        )
        return command(*arguments, look=look, **others)

    for option in reversed(_OUTPUT_OPTIONS):
        call = option(call)
    return call


_OUTPUT_OPTIONS: tuple[Callable[[Callable[..., int]], Callable[..., int]], ...] = (
    click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice([name for name, _ in FORMATS]),
        default=FORMATS[0][0],
        show_default=True,
        help="How the report is written.",
    ),
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        type=PATH,
        callback=or_stdout,
        help="Write the report to this file.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Text report: its last line. No progress."),
    click.option("-v", "--verbose", is_flag=True, help="Text report: every place, gap and fault."),
    click.option(
        "--color",
        type=click.Choice(_COLORS),
        default="auto",
        show_default=True,
        help="Colour the text report.",
    ),
)


def audit_option(command: _Callback) -> _Callback:
    """Add the option of the audit log; the command gets its path, or None, as ``audit_log``."""
    return click.option(
        "--audit-log",
        metavar="FILE",
        type=PATH,
        help="Add a line of JSON for each decision to this file.",
    )(command)


@contextlib.contextmanager
def about(path: str) -> Iterator[None]:
    """Put the name of a file before what is said to be wrong with it."""
    try:
        yield
    except (
        errors.DumpError,
        errors.RedactError,
        errors.AttestError,
        errors.WorkerLost,
    ) as error:
        what = f"{urls.shown(path)}: {error.message}"
        raise type(error)(what, reason=error.reason, hint=error.hint) from error


def tell(text: str, code: int, complain: Complain) -> int:
    """Show what was decided, and return ``code``, or 3 where a pass could not be told."""
    try:
        deliver.show_lines(text)
    except errors.ReportError as error:
        complain(error.message, error.reason, error.hint)
        return code or INCOMPLETE
    return code


def logged(report: Report, gate: "Gate", event: str, log: str | None, complain: Complain) -> Report:
    """Add the decisions to the audit log; return the report, or one without a pass if that fails.

    ``event`` is the command.
    """
    from scanner import audit, policy  # noqa: PLC0415 - what costs time

    try:
        audit.append(log, *audit.decided(event, report.dumps, gate))
    except errors.ReportError as error:
        complain(error.message, error.reason, error.hint)
        return policy.kept_back(report, _UNLOGGED)
    return report


def tell_verdict(report: Report, complain: Complain) -> None:
    """Say on stderr what was decided, where the report did not arrive: no pass, therefore."""
    from scanner import policy  # noqa: PLC0415 - what costs time
    from scanner.report import wording  # noqa: PLC0415

    left = policy.kept_back(report, _UNTOLD)
    complain(f"{left.verdict}{wording.last_line(left)}")


def hand_over(
    report: Report,
    code: int,
    look: Look,
    complain: Complain,
    delivered: Callable[[], None] = lambda: None,
) -> int:
    """Show or save the report and return the exit code: ``code``, or 3 where a pass got lost.

    A reader who left changes no exit code, and is told of on stderr. ``delivered`` is called when
    the report is out.
    """
    width = None if look.output is not None else deliver.columns()
    color = deliver.wants_color(look.color_choice, None if look.output is not None else sys.stdout)
    try:
        text = look.render(report, color=color, verbose=look.verbose, quiet=look.quiet, width=width)
        out = look.output
        if not (deliver.show(text) if out is None else deliver.save(text, out)):
            complain(*_UNREAD)
        delivered()
    except errors.ReportError as error:
        complain(error.message, error.reason, error.hint)
        tell_verdict(report, complain)
        return BLOCKED if code == BLOCKED else INCOMPLETE
    except Exception as error:  # the verdict is older than the renderer's fault
        if code != BLOCKED:
            raise
        complain("the report failed by a fault of keysift itself", type(error).__name__, _BLOCKED)
    return code
