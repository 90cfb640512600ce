"""The commands ``spool`` and ``ingest``: dumps that are judged where they arrive.

They wire and decide nothing. A spool runs until it is ended; with --once, and for ``ingest``, the
exit code is the verdict's.
"""

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner import deliver, errors
from scanner.cli import inputs, targets
from scanner.cli.attest import keys
from scanner.cli.output import (
    BLOCKED,
    EXIT_CODES,
    INCOMPLETE,
    PASS,
    PATH,
    Complain,
    Named,
    audit_option,
    helped,
    tell,
)
from scanner.cli.policy import policy_options, today
from scanner.cli.scan import READING, SEARCH, gate_of, named, options
from scanner.progress import Silence

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from scanner.gate import Gate
    from scanner.model import Report
    from scanner.redact import Redaction
    from scanner.spool import Filed, Spool

_CHUNK = 1 << 20
_LONGEST = 200
"""Bytes of a name that is given to a dump from stdin: room for endings is left."""

_REDACT = click.option(
    "--redact", is_flag=True, help="Of what blocks, make a redacted copy that is judged in turn."
)


@click.command("spool", add_help_option=False)
@helped
@click.argument("root", metavar="FOLDER", type=Named(file_okay=False))
@options(*keys(required=False))
@_REDACT
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="Seconds for which nobody may have written to a dump.",
)
@click.option("--once", is_flag=True, help="End when nothing is left to do.")
@click.option("--metrics", metavar="FILE", type=PATH, help="Text file for Prometheus.")
@click.option("-q", "--quiet", is_flag=True, help="Do not say where dumps go.")
@options(*SEARCH)
@policy_options
@options(*READING)
@audit_option
@click.pass_obj
def spool(
    complain: Complain,
    /,
    root: str,
    key: str | None,
    public_key: str | None,
    key_secret: str | None,
    metrics: str | None,
    audit_log: str | None,
    *,
    redact: bool,
    settle: float,
    once: bool,
    quiet: bool,
    **asked: Any,  # noqa: ANN401 - what gate_of takes
) -> int:
    """Judge dumps that arrive in a folder, and file them away.

    Dumps arrive in FOLDER/incoming. One that passes goes to FOLDER/cleared, any other to
    FOLDER/quarantine, with its report and, where a --key is given, its attestation. Names that
    begin with a dot or end in .part, .partial, .filepart or .tmp are not finished. Exit codes with
    --once: 0 all passed, 1 one is blocked, 3 anything else.
    """
    from scanner import metrics as numbers  # noqa: PLC0415
    from scanner import watch  # noqa: PLC0415 - what costs time

    if metrics is not None:
        targets.refuse_special(metrics)
    read = (key, public_key, key_secret, *named(**asked))
    targets.check(read, (metrics,), audit_log)
    sign = _signer(key, public_key, key_secret)
    new = _is_new(Path(root))
    made = _spool(Path(root), gate_of(**asked), sign, audit_log, redact=redact)
    if new:
        complain(f"{root}: the spool was made", "there was no such folder")

    code = PASS

    def told(filed: "Filed") -> None:
        nonlocal code
        if not quiet:
            code = tell(_line(filed), code, complain)

    state = watch.Watch(
        root=made.root,
        spool=lambda: _at_this_day(made),
        progress=Silence(),
        tell=lambda what, error: complain(f"{what}: {error.message}", error.reason, error.hint),
        told=told,
        settle=settle,
        metrics=numbers.make(),
    )
    for _ in watch.turns(made.root, settle / 2):
        left = watch.turn(state)
        if metrics is not None:
            try:
                numbers.save(state.metrics, Path(metrics))
            except OSError as error:
                complain(
                    f"the metrics {metrics} could not be written",
                    errors.cause(error),
                    "make room, or name another file with --metrics",
                )
        if once and not left:
            break
    codes = {code, *(dict(EXIT_CODES)[verdict] for verdict in state.verdicts)}
    return BLOCKED if BLOCKED in codes else INCOMPLETE if state.failed else max(codes)


@click.command("ingest", add_help_option=False)
@helped
@click.argument("root", metavar="FOLDER", type=Named(file_okay=False))
@click.option("--name", default="core", show_default=True, help="What the dump is called.")
@click.option(
    "--max-bytes", type=click.IntRange(min=1), help="Keep no more of it; it is incomplete then."
)
@click.option("--defer", is_flag=True, help="Store it for a spool on FOLDER, and judge nothing.")
@options(*keys(required=False))
@_REDACT
@options(*SEARCH)
@policy_options
@options(*READING)
@audit_option
@click.pass_obj
def ingest(
    complain: Complain,
    /,
    root: str,
    name: str,
    max_bytes: int | None,
    key: str | None,
    public_key: str | None,
    key_secret: str | None,
    audit_log: str | None,
    *,
    defer: bool,
    redact: bool,
    **asked: Any,  # noqa: ANN401 - what gate_of takes
) -> int:
    """Judge a dump from stdin, and file it away.

    For the kernel's core_pattern: the dump goes into FOLDER, as those of a spool do. The exit code
    is the dump's verdict; with --defer it is 3, for nothing was decided.
    """
    from scanner import claims  # noqa: PLC0415 - what costs time
    from scanner import spool as room  # noqa: PLC0415

    inputs.refuse_terminal(("-",), "have a dump read: keysift ingest FOLDER <core.1")
    sign = _signer(key, public_key, key_secret)
    made = _spool(Path(root), gate_of(**asked), sign, audit_log, redact=redact)

    def failed(error: errors.ScannerError) -> None:
        complain(f"{name}: {error.message}", error.reason, error.hint)

    with _stored("nothing of it is kept; have it written again when that is mended"):
        item = claims.receive(made.root, _safe(name), lambda part: _drain(part, max_bytes))
    with _stored():
        if defer:
            claims.give_back(made.root, item)
            return INCOMPLETE
        filed = room.file_away(_at_this_day(made), item, Silence(), failed)
    code = tell(_line(filed), dict(EXIT_CODES)[filed.verdict], complain)
    if filed.redacted:
        try:
            with _stored():
                copy = claims.claim(made.root, filed.redacted)
                if copy is not None:
                    again = replace(_at_this_day(made), redact=None)
                    made_of_it = room.file_away(again, copy, Silence(), failed)
                    code = tell(_line(made_of_it), code, complain)
        except errors.ScannerError as error:  # the verdict on the dump is older
            failed(error)
    return code


def _signer(key: str | None, public: str | None, secret: str | None) -> "Signer | None":
    from scanner import signing  # noqa: PLC0415 - what costs time

    if key is not None:
        return signing.signer(key, public=public, secret=secret)
    if public is not None or secret is not None:
        raise errors.UsageError(
            "there is no key to sign with",
            reason="--public-key and --key-secret belong to a --key",
            hint="name it with --key, or leave them out",
        )
    return None


def _is_new(root: Path) -> bool:
    """Say whether a spool is still to be made. Raises UsageError where what it lies in is, too.

    A name that is mistyped is no spool, and waiting there for dumps would be for ever.
    """
    if not os.path.exists(root.parent):  # noqa: PTH110 - which never raises
        raise errors.UsageError(
            f"the spool {root} cannot be used",
            reason=f"there is no folder {root.parent}",
            hint="make the folder, or name another",
        )
    return not os.path.exists(root)  # noqa: PTH110


def _spool(
    root: Path,
    gate: "Gate",
    sign: "Signer | None",
    audit_log: str | None,
    *,
    redact: bool,
) -> "Spool":
    """Return a spool whose folders are there."""
    from scanner import claims  # noqa: PLC0415 - what costs time
    from scanner import spool as room  # noqa: PLC0415
    from scanner.report import json as document  # noqa: PLC0415

    try:
        claims.prepare(root)
    except OSError as error:
        raise errors.UsageError(
            f"the spool {root} cannot be used",
            reason=errors.cause(error),
            hint="name another folder",
        ) from error
    return room.Spool(
        root=root.resolve(),
        gate=gate,
        attest=_attester(gate, sign) if sign is not None else None,
        redact=_redacted if redact else None,
        render=document.render,
        audit_log=audit_log,
    )


def _at_this_day(made: "Spool") -> "Spool":
    """Return a spool whose policy is judged by today's date: a spool runs for more than a day."""
    ruling = replace(made.gate.ruling, today=today())
    return replace(made, gate=replace(made.gate, ruling=ruling))


def _attester(gate: "Gate", sign: "Signer") -> "Callable[[Report, str, dt.datetime], str]":
    from scanner import attest, signing  # noqa: PLC0415 - what costs time

    def make(report: "Report", text: str, began: dt.datetime) -> str:
        payload = attest.statement(report, ruling=gate.ruling, document=text, time=began)
        return signing.seal(payload, attest.PAYLOAD_TYPE, sign)

    return make


def _redacted(gate: "Gate", dump: str, output: str, record: str) -> None:
    """Write a copy of a dump without what blocks, and its record. Raises ScannerError."""
    from scanner import published  # noqa: PLC0415 - what costs time
    from scanner import redact as room  # noqa: PLC0415
    from scanner.report import redaction  # noqa: PLC0415

    def tell(made: "Redaction") -> None:
        assert made.after is not None
        name = os.path.basename(dump)  # noqa: PTH119 - as the spool names it
        named = replace(
            made, before=replace(made.before, path=name), after=replace(made.after, path=name)
        )
        text = redaction.record(
            named, rules_sha256=gate.rules_sha256, policy_sha256=gate.policy_sha256
        )
        deliver.save(text, record)

    aim = room.Aim(ruling=gate.ruling, published=published.load())
    request = replace(gate.request, path=dump)
    room.redact(request, output, aim, Silence(), before_named=tell)


def _line(filed: "Filed") -> str:
    from scanner.report.printable import printable  # noqa: PLC0415 - what costs time

    return f"{filed.verdict!s:<10}  {printable(str(filed.folder))}\n"


_GOES_ON = "what was stored is in the spool, for the next spool to judge"


@contextlib.contextmanager
def _stored(hint: str = _GOES_ON) -> Iterator[None]:
    """Make an error of ours of what the system refuses."""
    try:
        yield
    except OSError as error:
        raise errors.SpoolError(
            "the dump could not be stored or filed away",
            reason=errors.cause(error),
            hint=hint,
        ) from error


def _safe(name: str) -> str:
    """Return a name without folders that a spool does not pass over."""
    text = name.replace("/", "_").replace("\\", "_").replace("\0", "_").lstrip(".") or "core"
    text = os.fsencode(text)[:_LONGEST].decode("utf-8", "ignore") or "core"
    from scanner import claims  # noqa: PLC0415 - what costs time

    return f"{text}.core" if text.endswith(claims.UNFINISHED) else text


def _drain(part: Path, limit: int | None) -> bool:
    """Write stdin to a file on the disk; say whether all of it is there."""
    whole, left = True, limit
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with (
        open(0, "rb", closefd=False) as given,
        os.fdopen(os.open(part, flags, 0o600), "wb") as file,
    ):
        while chunk := given.read(_CHUNK):
            kept = chunk if left is None else chunk[:left]
            whole = whole and len(kept) == len(chunk)
            left = None if left is None else left - len(kept)
            file.write(kept)
        file.flush()
        os.fsync(file.fileno())
    return whole
