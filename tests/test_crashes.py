"""Whatever a command dies of, nothing that it had in hand is said, and nothing passes.

Every command is made to fail to import, to raise in the middle with a canary in the exception, and,
where it has workers, to lose one and to have one raise over a key: the commands are read from the
command line itself, so that a new one fails here until it says where it breaks.
"""

import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests import poison, test_secrets
from tests.test_canaries import AGAIN, COMMANDS, NO_DUMP, ROWS, run
from tests.test_canaries import inputs as inputs  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes and signals")

BREAKS: dict[str, str] = {
    "scan": "scanner.correlate.findings",
    "info": "scanner.report.info.text",
    "report": "scanner.saved.parse",
    "redact": "scanner.redact.wanted",
    "attest": "scanner.attest.statement",
    "fleet": "scanner.spread.spread",
    "verify": "scanner.attest.check",
    "spool": "scanner.claims.original",
    "ingest": "scanner.spool.file_away",
    "policy check": "scanner.policyfile.parse",
    "rules check": "scanner.rulecheck.check",
    "rules list": "scanner.rules.load",
    "rules show": "scanner.rules.load",
}
"""A function that each command calls when it has begun: it raises."""

WORKERS = ("attest", "info", "ingest", "redact", "scan", "spool")
"""Commands that read a dump, which is done in workers."""

_RAISED = """
import {module} as broken
def crash(*arguments, **named):
    secret = {canary!r} + repr(arguments) + repr(named)
    raise ValueError(secret, arguments)
broken.{name} = crash
"""

_OVER_A_KEY = """
import scanner.detect.asn1.keys as keys
import scanner.detect.algebra.material as material
def crash(*arguments, **named):
    secret = repr([getattr(one, "__dict__", one) for one in arguments])
    raise ValueError(secret, arguments, named)
keys.candidate = keys.parse_private = crash
"""


def row(words: str) -> list[str]:
    """Return a command line with which the command does what it is for."""
    return [*words.split(), *{**ROWS, **AGAIN, "scan": "{core} -"}.get(words, "").split()]


def crashed(
    words: str, inputs: dict[str, Path], folder: Path, found: Path, dump: str = "texts"
) -> int:
    """Run a poisoned command, look at all that it wrote, and return its exit code."""
    out, spool, temporary = folder / "out", folder / "spool", folder / "tmp"
    for one in (out, spool / "incoming", temporary):
        one.mkdir(parents=True)
    core = inputs[dump]
    shutil.copy(core, spool / "incoming" / "core.1")
    names = {**inputs, "core": core, "out": out, "spool": spool}
    line = [part.format(**names) for part in row(words)]
    done = run(*line, stdin=core, TMPDIR=str(temporary), PYTHONPATH=str(found))
    assert b"Traceback" not in done.stderr
    said = [done.stdout, done.stderr]
    for path in (one for one in folder.rglob("*") if one.is_file() and found not in one.parents):
        said.append(os.fsencode(path.name))
        if path.read_bytes() != core.read_bytes():
            said.append(path.read_bytes())
    test_secrets.assert_silent(*said)
    assert not [text for text in said if poison.CANARY.encode() in text]
    assert list(temporary.iterdir()) == []
    assert not (out / "output").exists()
    assert not list((spool / "cleared").glob("*"))
    if words == "spool":
        assert [p for p in spool.rglob("*") if p.is_file() and p.name == "core.1"], "a dump is lost"
    return done.returncode


def test_every_command_says_where_it_breaks() -> None:
    """A command that is new has a row here."""
    assert set(BREAKS) == set(COMMANDS) == set(ROWS) | NO_DUMP
    for place in BREAKS.values():
        module, _, name = place.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name)), place


@pytest.mark.parametrize("words", sorted(BREAKS))
def test_a_module_that_does_not_load(inputs: dict[str, Path], tmp_path: Path, words: str) -> None:
    """A broken installation is exit 3."""
    module = BREAKS[words].rpartition(".")[0]
    body = f"raise ImportError({poison.CANARY!r})"
    found = poison.folder(tmp_path, module, body, "parent")
    assert crashed(words, inputs, tmp_path, found) == 3


@pytest.mark.parametrize("words", sorted(BREAKS))
def test_an_exception_in_the_middle(inputs: dict[str, Path], tmp_path: Path, words: str) -> None:
    """A fault of ours that holds a secret in text, arguments and locals is exit 3, and silent."""
    module, _, name = BREAKS[words].rpartition(".")
    body = _RAISED.format(module=module, name=name, canary=poison.CANARY)
    found = poison.folder(tmp_path, "scanner.cli.main", body, "parent")
    assert crashed(words, inputs, tmp_path, found) == 3


@pytest.mark.parametrize("words", WORKERS)
def test_a_worker_that_is_killed(inputs: dict[str, Path], tmp_path: Path, words: str) -> None:
    """A worker that is gone before it answered is exit 3."""
    found = poison.folder(tmp_path, "scanner.dump.elfcore", "os.kill(os.getpid(), 9)")
    assert crashed(words, inputs, tmp_path, found) == 3


@pytest.mark.parametrize("words", sorted({*WORKERS} - {"info"}))
def test_a_worker_that_raises_over_a_key(
    inputs: dict[str, Path], tmp_path: Path, words: str
) -> None:
    """What a detector raises over a key says nothing; what else is found blocks all the same."""
    found = poison.folder(tmp_path, "scanner.stages.trace", _OVER_A_KEY)
    dump = "dump" if words == "scan" else "texts"
    assert crashed(words, inputs, tmp_path, found, dump) in (1, 3)
