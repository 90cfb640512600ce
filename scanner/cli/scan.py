"""The options of a scan, and the gate that they make: for every command that scans.

It wires and decides nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner import pipes, urls
from scanner.cli.output import PATH, Complain, Named
from scanner.cli.policy import terms
from scanner.errors import UsageError, cause

if TYPE_CHECKING:
    from scanner.cli.console import Bar
    from scanner.gate import Gate
    from scanner.progress import Silence
    from scanner.rules import Rule

LEAST_KEY, MOST_KEY = 16, 4096
"""Bytes of a fingerprint key."""

_Option = Callable[[Callable[..., Any]], Callable[..., Any]]

SEARCH: tuple[_Option, ...] = (
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=1),
        help="Worker processes.  [default: CPUs, at most 8]",
    ),
    click.option("--deep", is_flag=True, help="Take minutes: what is unlikely is tried too."),
    click.option(
        "--known",
        multiple=True,
        type=PATH,
        help="Certificates or public keys to look for: a file, or a directory of them. May be "
        "given again.",
    ),
    click.option(
        "--rules",
        "token_rules",
        multiple=True,
        type=click.Path(exists=True),
        help="Token rules in Kingfisher's format, beside our own: a file, or a directory of them. "
        "May be given again.",
    ),
    click.option(
        "--fingerprint-key",
        type=Named(dir_okay=False),
        help="Name secrets without a public half by an HMAC with this file's bytes, not by place.",
    ),
)

GUARDED: tuple[_Option, ...] = (
    click.option(
        "--raw", is_flag=True, help="Let an unknown format pass: a sweep of its bytes is enough."
    ),
    click.option(
        "--spool-dir",
        type=click.Path(file_okay=False, exists=True),
        help="Where input that cannot be sought is kept while it is read.",
    ),
)

READING: tuple[_Option, ...] = (
    *GUARDED,
    click.option(
        "--debug", is_flag=True, help="Scan in this process, unguarded; say where a fault is."
    ),
)

RESUME: tuple[_Option, ...] = (
    click.option(
        "--resume",
        metavar="FOLDER",
        type=Named(file_okay=False),
        help="Keep here what is swept: a scan that is cut short goes on from it.",
    ),
)


def options(*rows: _Option) -> _Option:
    """Add options to a command, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(rows):
            command = option(command)
        return command

    return add


def named(**asked: Any) -> tuple[str, ...]:  # noqa: ANN401 - as gate_of takes them
    """Return the files that options of SEARCH and the policy name: nothing may replace these."""
    files = (asked["fingerprint_key"], asked["policy_path"], asked["baseline_path"])
    return (*asked["known"], *asked["token_rules"], *(path for path in files if path is not None))


def gate_of(
    *,
    jobs: int | None,
    deep: bool,
    known: tuple[str, ...],
    token_rules: tuple[str, ...],
    raw: bool,
    spool_dir: str | None,
    fingerprint_key: str | None = None,
    debug: bool = False,
    **policy_said: str | None,
) -> "Gate":
    """Return the gate that the options of SEARCH, READING and the policy describe.

    A command that never scans in its own process has the options of GUARDED, and no ``debug``.

    Raises UsageError, PolicyError and RuleError where what they name is not what it should be.
    """
    from scanner import fingerprint, rules  # noqa: PLC0415 - what costs time is imported when needed
    from scanner import known as own  # noqa: PLC0415
    from scanner.engine.scanning import ScanRequest  # noqa: PLC0415
    from scanner.gate import Gate  # noqa: PLC0415

    secret = _secret(fingerprint_key) if fingerprint_key is not None else b""
    (loaded, paths), keys = _woken(token_rules), own.load(known)
    agreed = terms(**policy_said, fingerprint_key_id=fingerprint.key_id(secret))
    return Gate(
        request=ScanRequest(
            path="",
            jobs=jobs,
            deep=deep,
            raw=raw,
            spool_dir=spool_dir,
            in_process=debug,
            known=keys,
            token_rules=paths,
            rules=loaded,
            fingerprint_key=secret,
        ),
        ruling=agreed.ruling,
        rules_sha256=rules.digest(loaded),
        known_sha256=own.digest(keys),
        policy_sha256=agreed.policy_sha256,
        baseline_sha256=agreed.baseline_sha256,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Where the scans of one command line are kept, and which of them need that no more."""

    folder: str | None
    ended: list[str] = field(default_factory=list)

    def over(
        self, gate: "Gate", path: str, progress: "Bar | Silence", complain: Complain
    ) -> "Gate":
        """Return the gate for one file, which is kept where a folder is named."""
        if self.folder is None:
            return gate
        from scanner import gate as room  # noqa: PLC0415
        from scanner.cli import console  # noqa: PLC0415 - what costs time is imported when needed

        def tell(what: str, why: str) -> None:
            console.aside(progress, lambda: complain(f"{urls.shown(path)}: {what}", why))

        return room.kept(gate, self.folder, tell, self.ended.append)

    def drop(self) -> None:
        """Let go of what was kept: the command has done what it was for."""
        if self.folder is not None:
            from scanner.engine import resume  # noqa: PLC0415 - imported when needed

            resume.drop(self.folder, self.ended)


def keeping(folder: str | None) -> Keeping:
    """Return where scans are kept. Raises UsageError where that cannot be."""
    if folder is not None:
        from scanner.engine import resume  # noqa: PLC0415 - what costs time is imported when needed

        resume.check(folder)
        folder = str(Path(folder).absolute())  # for a process that runs elsewhere
    return Keeping(folder=folder)


def _secret(path: str) -> bytes:
    """Read the key of the HMACs. Raises UsageError."""
    try:
        with pipes.open_file(path) as file:
            key = file.read(MOST_KEY + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read the fingerprint key {path}",
            reason=cause(error),
            hint="name a file of random bytes that this account may read",
        ) from error
    if not LEAST_KEY <= len(key) <= MOST_KEY:
        raise UsageError(
            f"the file {path} is no fingerprint key",
            reason=f"it must have {LEAST_KEY} to {MOST_KEY} bytes",
            hint="head -c 32 /dev/urandom >key makes one; keep it as a password is kept",
        )
    return key


def _woken(token_rules: tuple[str, ...]) -> "tuple[tuple[Rule, ...], tuple[str, ...]]":
    """Return the rules, with the anchors of the operator's own token rules, and their paths."""
    from scanner import rules  # noqa: PLC0415 - what costs time is imported when needed

    loaded, paths = rules.load(), tuple(str(Path(path).resolve()) for path in token_rules)
    if not paths:
        return loaded, paths
    from scanner.detect.credentials import kingfisher, tokens  # noqa: PLC0415

    return kingfisher.anchored(loaded, paths, tokens.SURE), paths
