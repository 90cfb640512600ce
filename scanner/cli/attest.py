"""The commands ``attest`` and ``verify``: a signed verdict, and what it is worth elsewhere.

They wire and decide nothing. Exit codes are those of the verdict: of the scan for ``attest``, of
the attestation for ``verify``, which says 3 of whatever does not hold.
"""

import datetime as dt
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from scanner import deliver, errors, urls
from scanner.cli import inputs, targets
from scanner.cli.output import (
    BLOCKED,
    EXIT_CODES,
    INCOMPLETE,
    PATH,
    Complain,
    about,
    audit_option,
    helped,
    or_stdout,
    tell,
    tell_verdict,
)
from scanner.cli.policy import policy_options
from scanner.cli.scan import READING, RESUME, SEARCH, gate_of, keeping, named, options

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from scanner.gate import Gate
    from scanner.model import Report

_AGE = re.compile(r"(\d{1,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def keys(*, required: bool) -> tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...]:
    """Return the options that name a key which signs."""
    return (
        click.option(
            "--key",
            metavar="FILE|URI",
            required=required,
            help="Signs: a PEM file, or hsm:, awskms:, gcpkms:, azurekms:, hv: as securesystemslib "
            "has them.",
        ),
        click.option(
            "--public-key",
            metavar="FILE",
            type=PATH,
            help="Public half of a key with a URI.",
        ),
        click.option(
            "--key-secret",
            metavar="FILE",
            type=PATH,
            help="File with the password of the key file, or the PIN of its store.",
        ),
    )


@click.command("attest", add_help_option=False)
@helped
@click.argument("path", metavar="DUMP", type=PATH)
@options(*keys(required=True))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=PATH,
    callback=or_stdout,
    help="Where it goes; to stdout where this is not said.",
)
@click.option("--report", metavar="FILE", type=PATH, help="Save the JSON report, too.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing of what was written. No progress.")
@options(*SEARCH)
@policy_options
@options(*READING, *RESUME)
@audit_option
@click.pass_obj
def attest(
    complain: Complain,
    /,
    path: str,
    key: str,
    public_key: str | None,
    key_secret: str | None,
    output: str | None,
    report: str | None,
    resume: str | None,
    *,
    quiet: bool,
    audit_log: str | None,
    **asked: Any,  # noqa: ANN401 - what gate_of takes
) -> int:
    """Scan a dump, and sign its verdict.

    What is written is an in-toto statement in a DSSE envelope. Of an incomplete scan there is no
    attestation. The exit code is the verdict's, as of a scan.
    """
    read = (path, key, public_key, key_secret, *named(**asked))
    inputs.refuse_terminal((path,))
    targets.check(read, (output, report), audit_log)
    from scanner import audit, signing  # noqa: PLC0415 - what costs time
    from scanner import gate as room  # noqa: PLC0415
    from scanner.cli import console  # noqa: PLC0415 - what costs time

    sign = signing.signer(key, public=public_key, secret=key_secret)
    kept, gate = keeping(resume), gate_of(**asked)
    began = dt.datetime.now(dt.UTC)
    failed: list[errors.ScannerError] = []
    color = deliver.wants_color("auto", sys.stderr)
    with console.progress(path, quiet=quiet, color=color) as progress:
        over = kept.over(gate, path, progress, complain)
        made = room.report(gate, room.judged(over, path, progress, failed.append))
    for error in failed:
        complain(f"{urls.shown(path)}: {error.message}", error.reason, error.hint)
    code = dict(EXIT_CODES)[made.verdict]
    if code == INCOMPLETE:  # there is nothing to sign
        kept.drop()
    try:
        audit.append(audit_log, *audit.decided("attest", made.dumps, gate))
        with about(path):
            _write(made, gate, sign, began, output=output, report=report, quiet=quiet)
        kept.drop()
    except errors.ScannerError as error:
        complain(error.message, error.reason, error.hint)
        tell_verdict(made, complain)
        return BLOCKED if code == BLOCKED else INCOMPLETE
    return code


def _write(
    made: "Report",
    gate: "Gate",
    sign: "Signer",
    began: dt.datetime,
    *,
    output: str | None,
    report: str | None,
    quiet: bool,
) -> None:
    """Write the report that was asked for, and the attestation of it."""
    from scanner import attest as room  # noqa: PLC0415 - what costs time
    from scanner import signing  # noqa: PLC0415
    from scanner.report import attestation  # noqa: PLC0415
    from scanner.report import json as document  # noqa: PLC0415

    text = document.render(made)
    if report is not None:
        deliver.save(text, report)
    payload = room.statement(made, ruling=gate.ruling, document=text, time=began)
    envelope = signing.seal(payload, room.PAYLOAD_TYPE, sign)
    if output is None:
        deliver.show(envelope)
        return
    deliver.save(envelope, output)
    if not quiet:
        key_id = sign.public_key.keyid
        deliver.show_lines(attestation.text(room.read(payload), output, "ATTESTED", key_id))


@click.command("verify", add_help_option=False)
@helped
@click.argument("path", metavar="DUMP", type=PATH)
@click.option("--attestation", metavar="FILE", required=True, type=PATH, help="What attest wrote.")
@click.option(
    "--key",
    "trusted",
    metavar="FILE",
    required=True,
    multiple=True,
    type=PATH,
    help="PEM file of a public key that may have signed it. May be given again.",
)
@click.option(
    "--max-age",
    default="30d",
    show_default=True,
    metavar="AGE",
    help="Oldest scan to rely on: 90m, 12h, 30d, 8w.",
)
@click.option("--min-version", metavar="VERSION", default="0", help="Oldest keysift to rely on.")
@click.option(
    "--policy",
    "policy_path",
    metavar="FILE",
    type=PATH,
    help="The policy that it must be made by.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
@audit_option
@click.pass_obj
def verify(
    complain: Complain,
    /,
    path: str,
    attestation: str,
    trusted: tuple[str, ...],
    max_age: str,
    min_version: str,
    policy_path: str | None,
    audit_log: str | None,
    *,
    quiet: bool,
) -> int:
    """Say what an attestation is worth for this very file. Nothing is scanned.

    Exit codes: 0 it holds and says pass, 1 it holds and says blocked, 2 usage, 3 anything else.
    """
    from scanner import attest as room  # noqa: PLC0415 - what costs time
    from scanner import audit, policyfile, signing  # noqa: PLC0415
    from scanner.report import attestation as page  # noqa: PLC0415

    targets.check((path, attestation, *trusted, policy_path), (), audit_log)
    agreed = policyfile.digest(policyfile.load(policy_path)) if policy_path is not None else None
    demands = room.Demands(
        now=dt.datetime.now(dt.UTC),
        max_age=_age(max_age),
        min_version=_version(min_version),
        policy_sha256=agreed,
    )
    public = signing.public_keys(trusted)
    try:
        with about(attestation):
            payload, key_id = signing.unsealed(attestation, room.PAYLOAD_TYPE, public)
            attested = room.read(payload)
        with about(path):
            digest = room.digest(path)
            room.check(attested, digest, demands)
    except errors.ScannerError as error:
        audit.append(audit_log, audit.row("verify", "refused", path, why=error.reason))
        raise
    said = audit.row("verify", str(attested.verdict), path)
    audit.append(audit_log, {**said, "sha256": digest, "key_id": key_id})
    code = dict(EXIT_CODES)[attested.verdict]
    return code if quiet else tell(page.text(attested, path, "VALID", key_id), code, complain)


def _age(text: str) -> dt.timedelta:
    from scanner.report.printable import printable  # noqa: PLC0415 - what costs time

    match = _AGE.fullmatch(text)
    if match is None:
        raise errors.UsageError(
            f"--max-age: '{printable(text, 40)}' is no age",
            reason="an age is a number, then s, m, h, d or w",
            hint="write 12h or 30d",
        )
    return dt.timedelta(**{_UNITS[match[2]]: int(match[1])})


def _version(text: str) -> str:
    from scanner import attest as room  # noqa: PLC0415 - what costs time
    from scanner.report.printable import printable  # noqa: PLC0415

    try:
        return room.version(text)
    except ValueError:
        raise errors.UsageError(
            f"--min-version: '{printable(text, 40)}' is no version",
            reason="a version is numbers with dots between, as PEP 440 has it",
            hint="write 0.1.0",
        ) from None
