"""The command ``fleet``: many dumps at once, over the processes of one machine or of many.

It wires, and decides nothing. Dask is imported when the command runs, and what is missing then is
said in three parts.
"""

import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from scanner import deliver, errors
from scanner.cli import inputs, targets
from scanner.cli.output import (
    EXIT_CODES,
    PATH,
    Complain,
    Look,
    audit_option,
    hand_over,
    helped,
    logged,
    output_options,
)
from scanner.cli.policy import policy_options
from scanner.cli.scan import GUARDED, RESUME, SEARCH, Keeping, gate_of, keeping, named, options
from scanner.progress import Silence

if TYPE_CHECKING:
    from scanner.cluster import Cluster
    from scanner.fleet import Outcome, Tell
    from scanner.gate import Gate

_CLUSTER = (
    click.option(
        "--scheduler",
        metavar="URL",
        help="A Dask scheduler that runs, tls://HOST:PORT.  [default: processes of this machine]",
    ),
    click.option(
        "--tls-ca",
        metavar="FILE",
        type=PATH,
        help="Who signed the scheduler's certificate.",
    ),
    click.option(
        "--tls-cert", metavar="FILE", type=PATH, help="Our certificate for the scheduler."
    ),
    click.option("--tls-key", metavar="FILE", type=PATH, help="The key of that certificate."),
    click.option("--insecure", is_flag=True, help="Talk to the scheduler without TLS."),
    click.option("--split", is_flag=True, help="One dump after the other, each over all workers."),
)


@click.command("fleet", add_help_option=False)
@helped
@click.argument("dumps", metavar="DUMP...", nargs=-1, required=True, type=PATH)
@options(*_CLUSTER)
@output_options
@options(*SEARCH)
@policy_options
@options(*GUARDED, *RESUME)
@audit_option
@click.pass_obj
def fleet(
    complain: Complain,
    /,
    dumps: tuple[str, ...],
    scheduler: str | None,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    insecure: bool,  # noqa: FBT001 - click's
    split: bool,  # noqa: FBT001 - as above
    look: Look,
    resume: str | None,
    audit_log: str | None,
    **asked: Any,  # noqa: ANN401 - what gate_of takes
) -> int:
    """Search many dumps at once, over Dask.

    Dask's workers are processes of this machine, or those of a scheduler that runs. DUMP is a file,
    a directory, a pattern or a URL, as for scan, and the report is that of a scan of them all; it
    says besides which key is in how many dumps, and since when. Each dump is scanned by a guarded
    process of its own beside the Dask worker, with the credentials of the machine that it runs on.
    A dump of which no report came back is incomplete. With --split this machine reads and hashes
    each dump too, and the workers share what is left to do.
    """
    _refuse_without_dask()
    files = inputs.expand(dumps)
    read = (*files, *named(**asked), tls_ca, tls_cert, tls_key)
    way = bool(insecure or tls_ca or tls_cert or tls_key)
    _refuse_odd(files, scheduler, way=way, kept=resume is not None and not split)
    targets.check(read, (look.output,), audit_log)
    from scanner import gate  # noqa: PLC0415 - what costs time is imported when needed
    from scanner.cluster import Cluster  # noqa: PLC0415
    from scanner.processes import cores  # noqa: PLC0415

    kept, made = keeping(resume), gate_of(**asked)
    jobs = made.request.jobs or cores.workers()
    cluster = Cluster(
        scheduler=scheduler,
        insecure=insecure,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        tls_key=tls_key,
        jobs=jobs if split else min(jobs, len(files)),
    )
    made = replace(made, request=replace(made.request, jobs=jobs if split else 1))
    outcomes = (_split if split else _outcomes)(cluster, made, files, look, kept, complain)
    scanned = tuple(dump for outcome in outcomes for dump in outcome.dumps)
    dated = [outcome.modified for outcome in outcomes for _ in outcome.dumps]
    from scanner import spread  # noqa: PLC0415

    report = replace(gate.report(made, scanned), fleet=spread.spread(scanned, dated))
    report = logged(report, made, "fleet", audit_log, complain)
    return hand_over(report, dict(EXIT_CODES)[report.verdict], look, complain, kept.drop)


def _refuse_without_dask() -> None:
    if find_spec("distributed") is None:
        raise errors.UsageError(
            "a fleet needs Dask",
            reason="the package distributed is not installed here",
            hint="in keysift's checkout: pip install '.[fleet]'",
        )


def _refuse_odd(files: tuple[str, ...], scheduler: str | None, *, way: bool, kept: bool) -> None:
    """Raise UsageError for what no fleet can do.

    ``way``: options say how a scheduler is reached; ``kept``: each task is to keep its scan.
    """
    if "-" in files:
        raise errors.UsageError(
            "a fleet cannot read standard input",
            reason="other processes scan its dumps",
            hint="name files, or use keysift scan -",
        )
    if scheduler is None and way:
        raise errors.UsageError(
            "there is no scheduler to reach",
            reason="--insecure and --tls-ca, --tls-cert, --tls-key say how one is reached",
            hint="name it with --scheduler, or leave them out",
        )
    if scheduler is not None and kept:
        raise errors.UsageError(
            "scans on other machines cannot be kept",
            reason="what was swept would be kept where each of them runs",
            hint="say --split, or leave --resume away",
        )


def _outcomes(
    cluster: "Cluster",
    gate: "Gate",
    files: tuple[str, ...],
    look: Look,
    kept: Keeping,
    complain: Complain,
) -> "tuple[Outcome, ...]":
    """Scan many dumps, each as one task."""
    from scanner import cluster as place  # noqa: PLC0415 - what costs time is imported when needed
    from scanner import fleet as room  # noqa: PLC0415
    from scanner.cli import console  # noqa: PLC0415

    color = deliver.wants_color(look.color_choice, sys.stderr)
    with (
        console.counted(len(files), quiet=look.quiet, color=color) as advance,
        place.connected(cluster) as client,
    ):
        over = kept.over(gate, "", Silence(), complain)
        return room.judged(client, over, files, _teller(complain), advance)


def _split(
    cluster: "Cluster",
    gate: "Gate",
    files: tuple[str, ...],
    look: Look,
    kept: Keeping,
    complain: Complain,
) -> "tuple[Outcome, ...]":
    """Scan one dump after the other, the tasks of each over all workers."""
    from scanner import cluster as place  # noqa: PLC0415 - what costs time is imported when needed
    from scanner import fleet as room  # noqa: PLC0415
    from scanner.cli import console  # noqa: PLC0415
    from scanner.shards import Shards  # noqa: PLC0415

    color = deliver.wants_color(look.color_choice, sys.stderr)
    outcomes = []
    with place.connected(cluster) as client:
        hired = replace(gate, request=replace(gate.request, hire=partial(Shards, client)))
        for number, path in enumerate(files, 1):
            turn = (number, len(files))
            with console.progress(path, quiet=look.quiet, color=color, turn=turn) as progress:
                over = kept.over(hired, path, progress, complain)
                outcomes.append(room.one(over, path, progress, _teller(complain)))
    return tuple(outcomes)


def _teller(complain: Complain) -> "Tell":
    def tell(name: str, error: errors.ScannerError) -> None:
        complain(f"{name}: {error.message}", error.reason, error.hint)

    return tell
