"""The command line: parses and wires, and decides nothing.

It owns the exit codes: 0 pass, 1 blocked, 2 usage, 3 incomplete. Whatever costs time to import is
imported by the command that needs it. A verdict is fixed before it is shown: neither a format, nor
a reader who left, nor a renderer that fails takes a ``blocked`` back.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from scanner import __version__, deliver, errors
from scanner.model import DumpReport, Report, Verdict
from scanner.report import FORMATS, Render

if TYPE_CHECKING:
    from scanner.detect.publics import PublicKey
    from scanner.rules import Rule

PASS = 0
BLOCKED = 1
USAGE = 2
INCOMPLETE = 3

EXIT_CODES: tuple[tuple[Verdict, int], ...] = (
    (Verdict.PASS, PASS),
    (Verdict.BLOCKED, BLOCKED),
    (Verdict.INCOMPLETE, INCOMPLETE),
)

_BLOCKED = "the verdict stands: blocked; do not send the dump"

_WIDTH = 100

_COLORS = ("auto", "always", "never")

_Callback = TypeVar("_Callback", bound=Callable[..., Any])


class Complain(Protocol):
    """How an error is told: what failed, why, what to do."""

    def __call__(self, what: str, why: str = "", hint: str = "") -> None:
        """Say it on stderr."""
        ...


def run(arguments: Sequence[str], complain: Complain) -> int:
    """Carry out one command line and return its exit code.

    Raises what is no error of ours or of click's, and KeyboardInterrupt: for the guard.
    """
    try:
        with keysift.make_context("keysift", list(arguments), obj=complain) as context:
            return int(keysift.invoke(context))
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.UsageError as error:
        complain(error.format_message(), "", f"see {_command(error)} --help")
        return USAGE
    except click.Abort:
        raise KeyboardInterrupt from None
    except (errors.UsageError, errors.PolicyError) as error:
        complain(error.message, error.reason, error.hint)
        return USAGE
    except errors.ScannerError as error:
        complain(error.message, error.reason, error.hint)
        return INCOMPLETE


def _command(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else "keysift"


# --- options that end the command ---------------------------------------------------------------


def _say_help(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's order
    if asked and not context.resilient_parsing:
        deliver.show(f"{context.get_help()}\n")
        context.exit()


def _say_version(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's order
    if asked and not context.resilient_parsing:
        deliver.show(f"keysift {__version__}\n")
        context.exit()


def _helped(command: _Callback) -> _Callback:
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


# --- commands -----------------------------------------------------------------------------------


@click.group(add_help_option=False, no_args_is_help=False)
@_helped
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Show the version and exit.",
)
def keysift() -> None:
    """May this dump leave? Finds and proves private keys in crash dumps.

    Exit codes: 0 pass, 1 blocked, 2 usage, 3 incomplete, 130 interrupted. Only 0 means that a dump
    may be sent.
    """


@keysift.command(add_help_option=False)
@_helped
@click.argument("dumps", metavar="DUMP...", nargs=-1, required=True, type=click.Path())
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice([name for name, _ in FORMATS]),
    default=FORMATS[0][0],
    show_default=True,
    help="How the report is written.",
)
@click.option("-o", "--output", type=click.Path(), help="Write the report to this file.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Worker processes.  [default: CPUs]")
@click.option(
    "--known",
    multiple=True,
    type=click.Path(),
    help="Certificates or public keys to look for: a file, or a directory of them.",
)
@click.option("--raw", is_flag=True, help="Sweep an unknown format as raw bytes.")
@click.option(
    "--spool-dir",
    type=click.Path(file_okay=False, exists=True),
    help="Where input that cannot be sought is kept while it is read.",
)
@click.option("-q", "--quiet", is_flag=True, help="Text report: its last line. No progress.")
@click.option("-v", "--verbose", is_flag=True, help="Text report: every place, gap and fault.")
@click.option("--color", type=click.Choice(_COLORS), default="auto", show_default=True)
@click.option(
    "--debug", is_flag=True, help="Scan in this process, unguarded; say where a fault is."
)
@click.pass_obj
def scan(
    complain: Complain,
    dumps: tuple[str, ...],
    form: str,
    output: str | None,
    jobs: int | None,
    *,
    known: tuple[str, ...],
    raw: bool,
    spool_dir: str | None,
    quiet: bool,
    verbose: bool,
    color: str,
    debug: bool,
) -> int:
    """Search dumps for private keys and give a verdict. DUMP is a file, or - for stdin.

    Several dumps give one report; the worst verdict is the exit code: blocked, then incomplete,
    then pass.
    """
    _refuse_odd_paths(dumps, output)
    from scanner import known as own  # noqa: PLC0415 - see the module docstring
    from scanner import policy, rules  # noqa: PLC0415

    loaded, keys = rules.load(), own.load(known)
    look = _Look(
        render=dict(FORMATS)[form],
        output=output,
        color=deliver.wants_color(color, None if output else sys.stdout),
        verbose=verbose,
        quiet=quiet,
    )
    job = _Job(
        jobs=jobs,
        raw=raw,
        spool_dir=spool_dir,
        debug=debug,
        quiet=quiet,
        color=deliver.wants_color(color, sys.stderr),
        rules=loaded,
        known=keys,
    )
    scanned = tuple(_scan_one(path, job, complain) for path in dumps)
    report = policy.combine(
        scanned, rules_sha256=rules.digest(loaded), known_sha256=own.digest(keys)
    )
    code = dict(EXIT_CODES)[report.verdict]
    return _deliver(report, code, look, complain)


@keysift.group("rules", add_help_option=False, no_args_is_help=False)
@_helped
def rules_group() -> None:
    """Show what is looked for."""


@rules_group.command("list", add_help_option=False)
@_helped
def rules_list() -> int:
    """List the rules: id, severity, kind, title."""
    from scanner import rules  # noqa: PLC0415 - see the module docstring
    from scanner.report.printable import printable  # noqa: PLC0415

    loaded = rules.load()
    width = max((len(rule.id) for rule in loaded), default=0)
    for rule in loaded:
        severity, title = rule.severity.name.lower(), printable(rule.title)
        deliver.show(f"{rule.id:<{width}}  {severity:<8}  {rule.kind:<13}  {title}\n")
    return PASS


@rules_group.command("show", add_help_option=False)
@_helped
@click.argument("rule_id", metavar="ID")
def rules_show(rule_id: str) -> int:
    """Say what one rule finds, why it matters and what to do."""
    from scanner import rules  # noqa: PLC0415 - see the module docstring
    from scanner.report.printable import printable  # noqa: PLC0415

    rule = next((rule for rule in rules.load() if rule.id == rule_id), None)
    if rule is None:
        raise errors.UsageError(
            f"there is no rule {printable(rule_id, 80)}", hint="keysift rules list names them all"
        )
    fields = (
        ("rule", rule.id),
        ("title", rule.title),
        ("severity", rule.severity.name.lower()),
        ("kind", rule.kind),
        ("detector", rule.detector),
        ("what", rule.description),
        ("to do", rule.remediation),
        *(("see", reference) for reference in rule.references),
    )
    for label, value in fields:
        for number, line in enumerate(value.splitlines()):
            deliver.show(f"{'' if number else label:<10}{printable(line, 1000)}\n")
    return PASS


@rules_group.command("check", add_help_option=False)
@_helped
@click.pass_obj
def rules_check(complain: Complain) -> int:
    """Try every rule on its own examples and counterexamples."""
    from scanner import rules  # noqa: PLC0415 - see the module docstring

    loaded = rules.load()
    checked = rules.check(loaded, lambda rule, data: _finds(rule, data, loaded))
    for problem in checked.problems:
        complain(problem, "", "correct the rule, or its example")
    deliver.show(
        f"{len(loaded)} rules, {checked.tried} examples tried, {checked.left} left to the tests, "
        f"{len(checked.problems)} problems\n"
    )
    return INCOMPLETE if checked.problems else PASS


# --- wiring -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How a report is to look, and where it goes."""

    render: Render
    output: str | None
    color: bool
    verbose: bool
    quiet: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is the same for every dump of one command line."""

    jobs: int | None
    raw: bool
    spool_dir: str | None
    debug: bool
    quiet: bool
    color: bool
    rules: "tuple[Rule, ...]"
    known: "tuple[PublicKey, ...]"


def _refuse_odd_paths(dumps: Sequence[str], output: str | None) -> None:
    """Raise UsageError where stdin is named twice, or the report would replace a dump."""
    if dumps.count("-") > 1:
        raise errors.UsageError(
            "- stands twice", reason="stdin can be read once", hint="name files"
        )
    for path in dumps if output and Path(output).exists() else ():
        if path != "-" and Path(path).exists() and Path(path).samefile(str(output)):
            raise errors.UsageError(
                "the report would replace a dump",
                reason="--output names the same file",
                hint="name another file with --output",
            )


def _scan_one(path: str, job: _Job, complain: Complain) -> DumpReport:
    """Scan one dump; whatever goes wrong with it becomes its entry, and the others go on."""
    from scanner import console, correlate, engine, policy, published  # noqa: PLC0415 - see the module docstring

    request = engine.ScanRequest(
        path=path,
        jobs=job.jobs,
        raw=job.raw,
        spool_dir=job.spool_dir,
        in_process=job.debug,
        rules=job.rules,
        known=job.known,
    )
    try:
        with console.progress(path, quiet=job.quiet, color=job.color) as progress:
            scanned = engine.scan(request, progress)
        found = correlate.findings(scanned, job.rules)
        return policy.judge(scanned, *correlate.set_aside(found, published.load()))
    except (errors.UsageError, errors.PolicyError, errors.RuleError):
        raise
    except errors.ScannerError as error:
        failed = error
    except Exception as error:  # a fault of ours in one dump says nothing of the others
        if job.debug:
            raise
        failed = errors.ScannerError(
            "the scan failed by a fault of keysift itself",
            reason=type(error).__name__,
            hint="--debug says where; do not send the dump",
        )
    complain(f"{path}: {failed.message}", failed.reason, failed.hint)
    return policy.unreadable(path, failed)


def _deliver(report: Report, code: int, look: _Look, complain: Complain) -> int:
    """Show or save the report and return the exit code: ``code``, or 3 where a pass got lost."""
    shown = not look.output and deliver.is_terminal(sys.stdout)
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if shown else _WIDTH
    try:
        text = look.render(
            report, color=look.color, verbose=look.verbose, quiet=look.quiet, width=width
        )
        if look.output:
            deliver.save(text, look.output)
        else:
            deliver.show(text)
    except errors.ReportError as error:
        complain(error.message, error.reason, error.hint)
        return BLOCKED if code == BLOCKED else INCOMPLETE
    except Exception as error:  # the verdict is older than the renderer's fault
        if code != BLOCKED:
            raise
        complain("the report failed by a fault of keysift itself", type(error).__name__, _BLOCKED)
    return code


def _finds(rule: "Rule", data: bytes, rules: "tuple[Rule, ...]") -> bool:
    """Say whether a scan of an example's bytes gives a finding of this rule."""
    from scanner import console, engine  # noqa: PLC0415 - see the module docstring

    with tempfile.TemporaryDirectory(prefix="keysift-") as folder:
        path = Path(folder) / "example"
        path.write_bytes(data)
        request = engine.ScanRequest(
            path=str(path), jobs=1, raw=True, spool_dir=None, in_process=True, rules=rules
        )
        found = engine.scan(request, console.Silence())
    if rule.kind in {"certificate", "public-key"}:
        return any(witness.kind == rule.kind for witness in found.witnesses)
    return any(candidate.rule == rule.id for candidate in found.candidates)
