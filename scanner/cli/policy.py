"""The operator's policy on the command line: options of a scan, and ``policy check``.

The one clock that a verdict depends on is read here, once, as a date in UTC. This module wires and
decides nothing.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from scanner import deliver, errors
from scanner.cli.output import INCOMPLETE, PASS, PATH, Complain, helped

if TYPE_CHECKING:
    from scanner.policy import Ruling
    from scanner.policyfile import Policy

_SOON = 30
"""Days before its end from which an entry is said to end soon."""

_SEVERITIES = ("info", "low", "medium", "high", "critical")

_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--policy",
        "policy_path",
        metavar="FILE",
        type=PATH,
        help="Policy of the gate, as TOML.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(_SEVERITIES),
        help="Least severity that blocks.  [default: the policy's, else high]",
    ),
    click.option(
        "--baseline",
        "baseline_path",
        metavar="FILE",
        type=PATH,
        help="Saved JSON report: what it had found does not block again.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By what a scan's findings are judged, and the digests by which a report names it."""

    ruling: "Ruling"
    policy_sha256: str
    """Empty where neither a policy nor --fail-on was given."""
    baseline_sha256: str


def policy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that :func:`terms` takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def terms(
    *,
    policy_path: str | None,
    fail_on: str | None,
    baseline_path: str | None,
    fingerprint_key_id: str = "",
) -> Terms:
    """Read what the options name. Raises PolicyError and UsageError.

    ``fingerprint_key_id`` names the key by which secrets without a public half are named now.
    """
    from scanner import policy, policyfile, saved  # noqa: PLC0415 - they cost time
    from scanner.model import Severity  # noqa: PLC0415

    agreed = policyfile.load(policy_path) if policy_path is not None else policyfile.DEFAULT
    if fail_on is not None:
        agreed = replace(agreed, fail_on=Severity[fail_on.upper()])
    said = policy_path is not None or fail_on is not None
    before = saved.load(baseline_path) if baseline_path is not None else None
    return Terms(
        ruling=policy.Ruling(
            policy=agreed,
            baseline=policy.baseline(before.report, fingerprint_key_id)
            if before
            else policy.Baseline(),
            today=today(),
        ),
        policy_sha256=policyfile.digest(agreed) if said else "",
        baseline_sha256=before.sha256 if before else "",
    )


def today() -> dt.date:
    """Return the date in UTC."""
    return dt.datetime.now(dt.UTC).date()


@click.group("policy", add_help_option=False, no_args_is_help=False)
@helped
def policy_group() -> None:
    """Look at a policy before it is used."""


@policy_group.command("check", add_help_option=False)
@helped
@click.argument("path", metavar="FILE", type=PATH)
@click.option(
    "--today", "at", metavar="DATE", help="Judge entries as on this day (2027-01-31), in UTC."
)
@click.pass_obj
def policy_check(complain: Complain, /, path: str, at: str | None) -> int:
    """Say what a policy does, and which entries end soon.

    Each is listed: it holds, ends within 30 days, or has ended. Exit codes: 0 all entries hold, 3
    some have ended, 2 the file is no policy.
    """
    from scanner import policyfile  # noqa: PLC0415 - it costs time
    from scanner.report.printable import printable  # noqa: PLC0415

    try:
        day = dt.date.fromisoformat(at) if at is not None else today()
    except ValueError:
        raise errors.UsageError(
            f"--today: '{printable(str(at), 40)}' is no date",
            reason="a date has the form YYYY-MM-DD",
            hint="write --today 2027-01-31",
        ) from None
    agreed = policyfile.load(path)
    for line in _described(agreed, day):
        deliver.show_lines(f"{line}\n")
    ended = sum(entry.expires < day for entry in agreed.allow)
    if not ended:
        return PASS
    complain(
        f"entries that have ended: {ended}",
        "what they allowed blocks again",
        "give them another last day, or take them out",
    )
    return INCOMPLETE


def _described(agreed: "Policy", day: dt.date) -> list[str]:
    """Return what a policy does, line by line."""
    from scanner import policyfile  # noqa: PLC0415 - it costs time
    from scanner.report.printable import printable  # noqa: PLC0415

    tokens = "incomplete" if agreed.require_tokens else "accepted"
    lines = [
        (
            f"blocks          {agreed.fail_on.name.lower()} and worse, "
            f"of confidence {agreed.min_confidence.name.lower()} and better"
        ),
        f"accepts         {', '.join(agreed.accept) or 'no fault'}",
        f"without tokens  {tokens}",
        f"session keys    {'block' if agreed.block_session_keys else 'do not block'}",
        f"policy SHA-256  {policyfile.digest(agreed)}",
    ]
    counts = {"holds": 0, "ends soon": 0, "ended": 0}
    for entry in agreed.allow:
        left = (entry.expires - day).days
        state = "ended" if left < 0 else "ends soon" if left <= _SOON else "holds"
        counts[state] += 1
        why = f"{printable(entry.reason)} (owner: {printable(entry.owner)})"
        lines += [f"{state:<14}  {entry.expires}  {why}", f"{'':<14}  {entry.fingerprint}"]
    lines.append(
        f"valid: {len(agreed.allow)} allowed, {counts['ended']} ended, "
        f"{counts['ends soon']} to end within {_SOON} days of {day}"
    )
    return lines
