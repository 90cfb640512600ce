"""The audit log: a line for each decision, before it takes effect, and nothing passes unlogged."""

import json
import os
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fixtures import signers
from scanner import audit
from scanner.errors import ReportError
from tests import inside
from tests.cli.test_attest import clean
from tests.cli.test_redact import keysift, planted

FULL = Path("/dev/full")


def lines(log: Path) -> list[dict[str, Any]]:
    """Return the rows of a log."""
    return [json.loads(line) for line in log.read_text("ascii").splitlines()]


def test_every_command_says_what_it_decided(tmp_path: Path) -> None:
    """Scan, redact, attest and verify each add their line, refusals too; no line holds a path."""
    log, copy, signed = (tmp_path / name for name in ("audit.jsonl", "copy", "attestation"))
    secret, public = signers.write(tmp_path)
    dump = planted(tmp_path / "core\n{")
    to = ("--audit-log", str(log))
    holds = ("--attestation", str(signed), "--key", str(public))
    assert keysift("scan", "-q", str(dump), str(tmp_path / "missing"), *to).returncode == 1
    assert inside.keysift("redact", "-q", str(dump), "-o", str(copy), *to).returncode == 0
    words = ("attest", str(copy), "--key", str(secret), "-o", str(signed), *to)
    assert inside.keysift(*words).returncode == 0
    assert inside.run("verify", str(copy), *holds, *to).returncode == 0
    assert inside.run("verify", str(dump), *holds, *to).returncode == 3
    rows = lines(log)
    assert [(row["event"], row["decision"]) for row in rows] == [
        ("scan", "blocked"),
        ("scan", "incomplete"),
        ("redact", "redacted"),
        ("attest", "pass"),
        ("verify", "pass"),
        ("verify", "refused"),
    ]
    assert rows[2]["sha256"] == rows[3]["sha256"] == rows[4]["sha256"]
    assert rows[2]["from_sha256"] == rows[0]["sha256"]
    assert rows[0]["name"] == "core\n{"
    assert rows[0]["blocking"] == 1
    assert rows[5]["why"]
    assert str(tmp_path) not in log.read_text()
    if sys.platform != "win32":
        assert log.stat().st_mode & 0o777 == 0o600


def test_an_archive_shares_the_fate_of_what_is_in_it(tmp_path: Path) -> None:
    """No line says that an archive passes of which a dump is blocked; each names the archive."""
    log, path = tmp_path / "log", tmp_path / "two.zip"
    good, bad = clean(tmp_path / "good"), planted(tmp_path / "bad")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(good, "folder/good")
        archive.write(bad, "bad")
    words = ("scan", "-q", str(path), str(good), "--audit-log", str(log))
    assert inside.keysift(*words).returncode == 1
    said = [(row["name"], row["decision"], row["verdict"]) for row in lines(log)]
    assert said == [
        ("two.zip", "blocked", "pass"),
        ("two.zip!good", "blocked", "pass"),
        ("two.zip!bad", "blocked", "blocked"),
        ("good", "pass", "pass"),
    ]


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_nothing_passes_unlogged(tmp_path: Path) -> None:
    """Where the log cannot be written a pass is none, a copy gets no name; blocked stays so."""
    good, bad = clean(tmp_path / "good"), planted(tmp_path / "bad")
    to = ("--audit-log", str(FULL))
    made = ("-o", str(tmp_path / "out"))
    assert inside.keysift("redact", str(bad), *made, *to).returncode == 3
    assert not (tmp_path / "out").exists()
    done = keysift("scan", "-q", str(good), *to)
    assert (done.returncode, done.stdout[:12]) == (3, b"incomplete: ")
    done = inside.keysift("scan", str(good), str(bad), *to)
    assert (done.returncode, "pass" in done.stdout.split()) == (1, False)
    assert "was swept, but what was decided of it could not be logged" in done.stdout
    report = json.loads(inside.keysift("scan", "-f", "json", str(good), *to).stdout)
    assert report["verdict"] == report["dumps"][0]["verdict"] == "incomplete"
    assert [reason["code"] for reason in report["dumps"][0]["reasons"]] == ["unlogged"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_line_that_was_cut_is_ended(tmp_path: Path) -> None:
    """What an earlier writer left unfinished does not spoil the next line."""
    log = tmp_path / "log"
    log.write_text('{"time": "20')
    audit.append(str(log), audit.row("scan", "pass", "core"))
    cut, whole = log.read_text().splitlines()
    assert cut == '{"time": "20'
    assert json.loads(whole)["decision"] == "pass"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_line_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    """Where there is room for a part of the lines alone, nothing is decided."""
    import resource

    log = tmp_path / "log"
    row = audit.row("scan", "pass", "core")
    audit.append(str(log), row)
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 10, hard))
        with pytest.raises(ReportError) as raised:
            audit.append(str(log), row)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.reason == "there was no room for all of it"


def test_another_file_is_left_alone(tmp_path: Path) -> None:
    """A file that is no log, the dump itself perhaps, is not written to."""
    dump = clean(tmp_path / "core")
    before = dump.read_bytes()
    with pytest.raises(ReportError):
        audit.append(str(dump), audit.row("scan", "pass", "core"))
    assert dump.read_bytes() == before


def test_a_log_that_cannot_be_is_told_before_the_scan(tmp_path: Path) -> None:
    """Exit code 2, and no verdict."""
    dump, other = clean(tmp_path / "core"), clean(tmp_path / "other")
    for log in (tmp_path, other, tmp_path / "none" / "log"):
        done = keysift("scan", "-q", str(dump), "--audit-log", str(log))
        assert (done.returncode, done.stdout) == (2, b"")
        assert str(log).encode() in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")
def test_a_pipe_that_nobody_reads_is_no_log(tmp_path: Path) -> None:
    """What is written into it goes with whoever wrote; with a reader it is there."""
    log = str(tmp_path / "pipe")
    os.mkfifo(log)
    for write in (audit.ready, lambda name: audit.append(name, {"event": "scan"})):
        with pytest.raises(ReportError) as raised:
            write(log)
        assert raised.value.reason == "it is a pipe, and nobody reads it"
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    audit.ready(log)
    audit.append(log, {"event": "scan"})
    assert os.read(reader, 100) == b'{"event": "scan"}\n'
    os.close(reader)


def test_many_writers(tmp_path: Path) -> None:
    """Lines of several writers stand whole beside each other."""
    log = tmp_path / "log"

    def write() -> None:
        for _ in range(20):
            audit.append(str(log), audit.row("scan", "pass", "x" * 500))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(log)) == 80
