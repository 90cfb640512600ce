"""Whatever a command writes, and wherever, no part of a key is in it: for all commands that are.

The commands, their choices and their flags are read from the command line itself, so that a new one
fails here until it has a row, and a new format or flag is tried without one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fixtures import encodings, signers
from scanner.cli import main
from tests import inside, test_secrets

ROOT = Path(__file__).resolve().parent.parent
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes and files")

ROWS: dict[str, str] = {
    "scan": "{cut} -",
    "fleet": "{core} {cut} --jobs 1",
    "info": "{core}",
    "report": "{saved}",
    "redact": "{core} --output {out}/output",
    "attest": "{core} --key {key}",
    "verify": "{whole} --attestation {attested} --key {public}",
    "spool": "{spool} --once --settle 0",
    "ingest": "{spool}",
    "policy check": "{policy}",
    "rules list": "",
    "rules show": "private-key-pem",
}
"""What each command is given, beside options; standard input is the core.

The core has the canary keys in every form at first, and as texts from the second command line on.
"""

AGAIN: dict[str, str] = {"scan": "{core}", "fleet": "{core} --jobs 1"}
"""The same from its second command line on, where dumps of each kind cost much."""

ALONE_AT_IT = {"report", "verify", "policy check", "rules list", "rules show"}
"""Commands that have no workers."""

NO_DUMP = {"rules check"}
"""Commands that read nothing of anybody: ``rules check`` tries our own examples."""

VALUES: dict[str, str] = {
    "--output": "{out}/output",
    "--report": "{out}/report",
    "--record": "{out}/record",
    "--metrics": "{out}/metrics",
    "--audit-log": "{out}/audit",
    "--jobs": "1",
    "--known": "{known}",
    "--rules": "{rules}",
    "--policy": "{policy}",
    "--baseline": "{saved}",
    "--spool-dir": "{out}",
    "--resume": "{out}/resume",
    "--fingerprint-key": "{key}",
    "--key": "{key}",
    "--public-key": "",
    "--key-secret": "",
    "--name": "core.1",
    "--max-bytes": "90000",
    "--settle": "0",
    "--attestation": "{attested}",
    "--max-age": "30d",
    "--min-version": "0",
    "--today": "2027-01-31",
    "--scheduler": "",
    "--tls-ca": "",
    "--tls-cert": "",
    "--tls-key": "",
    "--insecure": "",
}
"""What an option is given; empty where it goes with others only, whose tests have it."""

DEAR = {"fleet": 2}
"""Commands that cost much, and how many command lines of theirs are tried: formats are scan's."""

LATER = {"--quiet", "--debug", "--split", "--redact"}
"""Flags that keep a command from the screen or from workers of its own, or make them many."""

ALONE = {"--dry-run": "{core}", "--defer": "{spool}"}
"""Flags that leave little of a command, and what it is given then: each is tried without others."""

RULE = """rules:
  - name: Slack, once more
    id: own.slack.1
    pattern: "(xoxb-[0-9a-zA-Z-]{20,80})"
    confidence: high
    examples: ["xoxb-1"]
"""


def leaves(
    group: click.Group = main.keysift, before: str = ""
) -> Iterator[tuple[str, click.Command]]:
    """Yield the words and the command of each that does something."""
    for name, command in group.commands.items():
        words = f"{before} {name}".strip()
        if isinstance(command, click.Group):
            yield from leaves(command, words)
        else:
            yield words, command


COMMANDS = dict(leaves())


def variants(words: str, command: click.Command) -> Iterator[list[str]]:
    """Yield command lines that between them have each choice, each flag and each option."""
    options = [option for option in command.params if isinstance(option, click.Option)]
    named = {max(option.opts, key=len): option for option in options if option.name != "help"}
    choices = {n: o.type.choices for n, o in named.items() if isinstance(o.type, click.Choice)}
    flags = [name for name, option in named.items() if option.is_flag]
    valued = [name for name in named if name not in choices and name not in flags]
    base = [*words.split(), *ROWS[words].split()]
    others = [flag for flag in flags if flag not in ALONE and VALUES.get(flag) != ""]
    together = [flag for flag in others if flag not in base]
    given = [(name, VALUES[name]) for name in valued if name not in base and VALUES[name]]
    written = [part for pair in given if "{out}/" in pair[1] for part in pair]
    every = [part for pair in given for part in pair]
    for turn in range(DEAR.get(words, max(2, len(choices.get("--format", ()))))):
        chosen = [part for name, of in choices.items() for part in (name, of[turn % len(of)])]
        if turn and words in AGAIN:
            base = [*words.split(), *AGAIN[words].split()]
        match turn:
            case 0:  # in workers, into files and onto the screen
                yield [*base, *chosen, *(flag for flag in together if flag not in LATER), *written]
            case 1:  # as little as can be said
                yield [*base, *chosen, *together, *every]
            case 2:  # onto the screen
                yield [*base, *chosen, *(flag for flag in together if flag != "--quiet")]
            case _:
                yield [*base, *chosen, *(flag for flag in together if flag != "--quiet"), *every]
    yield from ([*words.split(), ALONE[flag], flag] for flag in flags if flag in ALONE)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write dumps with the canary key in every form, and what was made of them before."""
    folder = tmp_path_factory.mktemp("inputs")
    whole, dump, cut, _ = test_secrets.planted(folder)
    key, public = signers.write(folder)
    files = {"whole": whole, "dump": dump, "cut": cut, "key": key, "public": public}
    for name in ("saved", "attested", "known", "policy", "rules", "texts"):
        files[name] = folder / name
    files["texts"].write_bytes(test_secrets.texts())
    files["known"].write_bytes(encodings.spki_pem(test_secrets.KEY))
    files["policy"].write_text('fail_on = "low"\nmin_confidence = "shape"\n', "utf-8")
    files["rules"] = folder / "rules.yml"
    files["rules"].write_text(RULE, "utf-8")
    words = ("--key", str(key), "-o", str(files["attested"]), "--report", str(files["saved"]))
    assert inside.keysift("attest", str(whole), *words).returncode == 1
    return files


def run(*words: str, stdin: Path | None = None, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end."""
    with (stdin or Path(os.devnull)).open("rb") as source:
        return subprocess.run(
            [sys.executable, "-m", "scanner", *words],
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=source,
            capture_output=True,
            check=False,
        )


def test_every_command_has_a_row() -> None:
    """A command that is new says here what it is given, and so does an option with a value."""
    assert set(COMMANDS) == set(ROWS) | NO_DUMP
    for words in ROWS:
        assert list(variants(words, COMMANDS[words]))


@POSIX
@pytest.mark.parametrize("words", sorted(ROWS))
def test_nothing_that_is_written_holds_a_key(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """No choice, flag or option of a command puts a canary on a screen, or in a file or its name.

    Nothing is left where temporary files go; copies of dumps are what tests of redaction look at.
    From its second command line on a command that has no workers then is run in this process.
    """
    kept = {path.read_bytes() for path in inputs.values()}
    for turn, line in enumerate(variants(words, COMMANDS[words])):
        here = tmp_path / str(turn)
        core = inputs["texts" if turn else "whole"]
        out, spool, temporary = here / "out", here / "spool", here / "tmp"
        for folder in (out, spool / "incoming", temporary):
            folder.mkdir(parents=True)
        shutil.copy(core, spool / "incoming" / "core.1")
        names = {**inputs, "core": core, "out": out, "spool": spool}
        said = [part.format(**names) for part in line]
        if turn and (words in ALONE_AT_IT or "--debug" in line):
            monkeypatch.setattr(tempfile, "tempdir", str(temporary))
            with inside.on_stdin(core):
                near = inside.run(*said)
            code, spoken = near.returncode, (near.stdout.encode(), near.stderr.encode())
        else:
            done = run(*said, stdin=core, TMPDIR=str(temporary))
            code, spoken = done.returncode, (done.stdout, done.stderr)
        assert code in (0, 1, 3), (line, spoken)
        test_secrets.assert_silent(*spoken)
        assert list(temporary.iterdir()) == []
        for path in (one for one in here.rglob("*") if one.is_file()):
            test_secrets.assert_silent(os.fsencode(path))
            content = path.read_bytes()
            if content not in kept and content[:4] != b"\x7fELF":
                test_secrets.assert_silent(content)
