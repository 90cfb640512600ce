"""The command line: parses and wires, and decides nothing.

It owns the exit codes: 0 pass, 1 blocked, 2 usage, 3 incomplete. Whatever costs time to import is
imported by the command that needs it.
"""

import sys
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner import __version__, deliver, errors, urls
from scanner.cli import inputs, targets
from scanner.cli.attest import attest, verify
from scanner.cli.fleet import fleet
from scanner.cli.info import info
from scanner.cli.output import (
    EXIT_CODES,
    INCOMPLETE,
    PASS,
    PATH,
    USAGE,
    Complain,
    Look,
    audit_option,
    hand_over,
    helped,
    logged,
    output_options,
)
from scanner.cli.policy import policy_group, policy_options
from scanner.cli.redact import redact
from scanner.cli.report import report
from scanner.cli.scan import READING, RESUME, SEARCH, Keeping, gate_of, keeping, named, options
from scanner.cli.spool import ingest, spool
from scanner.model import DumpReport
from scanner.progress import Silence

if TYPE_CHECKING:
    from scanner.gate import Gate
    from scanner.rules import Rule


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
        what, why = error.format_message(), ""
        if isinstance(error, click.BadParameter):
            what, _, why = what.partition(": ")
        complain(errors.phrase(what), errors.phrase(why), f"see {_command(error)} --help")
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


_WIDTH = 100
_LABEL = 10
"""Columns of a rule's page, and of the names of its fields."""

# --- options that end the command ---------------------------------------------------------------


def _say_version(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's order
    if asked and not context.resilient_parsing:
        deliver.show(f"keysift {__version__}\n")
        context.exit()


# --- commands -----------------------------------------------------------------------------------


@click.group(add_help_option=False, no_args_is_help=False)
@helped
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
@helped
@click.argument("dumps", metavar="DUMP...", nargs=-1, required=True, type=PATH)
@output_options
@options(*SEARCH)
@policy_options
@options(*READING, *RESUME)
@audit_option
@click.pass_obj
def scan(
    complain: Complain,
    /,
    dumps: tuple[str, ...],
    look: Look,
    resume: str | None,
    audit_log: str | None,
    **asked: Any,  # noqa: ANN401 - what gate_of takes
) -> int:
    """Search dumps for private keys and give a verdict.

    DUMP is a file, a directory (every file under it), a pattern, a URL (s3:, az:, gs:, https:), or
    - for stdin. Several dumps give one report; the worst verdict is the exit code: blocked, then
    incomplete, then pass.
    """
    files = inputs.expand(dumps)
    inputs.refuse_terminal(files)
    if dumps.count("-") > 1:
        raise errors.UsageError(
            "- stands twice", reason="stdin can be read once", hint="name files"
        )
    targets.check((*files, *named(**asked)), (look.output,), audit_log)
    from scanner.processes import own_memory, workers  # noqa: PLC0415 - see the module docstring

    if not (asked["debug"] or "-" in dumps):
        workers.prepare("scanner.stages.opening", len(files))
    with own_memory.uncollected():
        from scanner import gate  # noqa: PLC0415 - while the worker starts

    job = _Job(
        keeping=keeping(resume),
        gate=gate_of(**asked),
        quiet=look.quiet,
        color=deliver.wants_color(look.color_choice, sys.stderr),
    )
    scanned = tuple(
        one
        for number, path in enumerate(files, 1)
        for one in _scan_one(path, job, complain, (number, len(files)))
    )
    made = logged(gate.report(job.gate, scanned), job.gate, "scan", audit_log, complain)
    return hand_over(made, dict(EXIT_CODES)[made.verdict], look, complain, job.keeping.drop)


keysift.add_command(fleet)
keysift.add_command(info)
keysift.add_command(report)
keysift.add_command(redact)
keysift.add_command(attest)
keysift.add_command(verify)
keysift.add_command(spool)
keysift.add_command(ingest)
keysift.add_command(policy_group)


@keysift.group("rules", add_help_option=False, no_args_is_help=False)
@helped
def rules_group() -> None:
    """Show what is looked for."""


@rules_group.command("list", add_help_option=False)
@helped
def rules_list() -> int:
    """List the rules: id, severity, kind, title."""
    from scanner import rules  # noqa: PLC0415 - see the module docstring
    from scanner.report.printable import printable  # noqa: PLC0415

    loaded = rules.load()
    width = max((len(rule.id) for rule in loaded), default=0)
    for rule in loaded:
        severity, title = rule.severity.name.lower(), printable(rule.title)
        deliver.show_lines(f"{rule.id:<{width}}  {severity:<8}  {rule.kind:<13}  {title}\n")
    return PASS


@rules_group.command("show", add_help_option=False)
@helped
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
        for number, line in enumerate(_folded(printable(value.replace("\n", " "), 2000))):
            deliver.show(f"{'' if number else label:<{_LABEL}}{line}\n")
    return PASS


@rules_group.command("check", add_help_option=False)
@helped
@click.pass_obj
def rules_check(complain: Complain) -> int:
    """Try every rule on its own examples and counterexamples."""
    from scanner import rulecheck, rules  # noqa: PLC0415 - see the module docstring

    loaded = rules.load()
    checked = rulecheck.check(loaded, lambda rule, data: _finds(rule, data, loaded))
    for problem in checked.problems:
        complain(problem, "", "correct the rule, or its example")
    deliver.show_lines(
        f"{len(loaded)} rules, {checked.tried} examples tried, {checked.left} left to the tests, "
        f"{len(checked.problems)} problems\n"
    )
    return INCOMPLETE if checked.problems else PASS


def _folded(text: str) -> list[str]:
    """Return the lines of a text beside a label; an address is never broken."""
    width = min(deliver.columns() or _WIDTH, _WIDTH) - _LABEL
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


# --- wiring -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is the same for every dump of one command line."""

    gate: "Gate"
    keeping: Keeping
    quiet: bool
    color: bool


def _scan_one(
    path: str, job: _Job, complain: Complain, turn: tuple[int, int]
) -> tuple[DumpReport, ...]:
    """Scan one file, and the dumps within; what goes wrong becomes its entry, others go on."""
    from scanner import gate  # noqa: PLC0415 - see the module docstring
    from scanner.cli import console  # noqa: PLC0415 - see the module docstring

    failed: list[errors.ScannerError] = []
    with console.progress(path, quiet=job.quiet, color=job.color, turn=turn) as progress:
        asked = job.keeping.over(job.gate, path, progress, complain)
        dumps = gate.judged(asked, path, progress, failed.append)
    for error in failed:
        complain(f"{urls.shown(path)}: {error.message}", error.reason, error.hint)
    return dumps


def _finds(rule: "Rule", data: bytes, rules: "tuple[Rule, ...]") -> bool:
    """Say whether a scan of an example's bytes gives a finding of this rule."""
    from scanner.engine import scanning  # noqa: PLC0415 - see the module docstring

    with tempfile.TemporaryDirectory(prefix="keysift-") as folder:
        path = Path(folder) / "example"
        path.write_bytes(data)
        request = scanning.ScanRequest(
            path=str(path), jobs=1, raw=True, spool_dir=None, in_process=True, rules=rules
        )
        found = scanning.scan(request, Silence())
    if rule.kind in {"certificate", "public-key"}:
        return len(found.publics.places({rule.kind})) > 0
    return any(candidate.rule == rule.id for candidate in found.candidates)
