"""A spool: where dumps go, what is passed over, and that nothing is lost or let go by accident."""

import dataclasses
import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fixtures import elfcore, signers
from scanner import claims, metrics, policy, rules, spool, watch
from scanner.engine.scanning import ScanRequest
from scanner.errors import ReportError, ScannerError
from scanner.gate import Gate
from scanner.model import Report, Verdict
from scanner.progress import Silence
from scanner.report import json as document
from tests import inside, kills, poison, test_secrets
from tests.cli.test_redact import keysift, planted

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals, links and modes")


def clean(path: Path, number: int = 0) -> Path:
    """Write a core that holds no key, another for each number."""
    data = number.to_bytes(8, "big") + bytes(4088)
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
    return path


def made(folder: Path, **changes: Any) -> spool.Spool:  # noqa: ANN401 - fields of a spool
    """Return a spool that scans in this process."""
    claims.prepare(folder)
    gate = Gate(
        request=ScanRequest(path="", in_process=True, rules=rules.load()),
        ruling=policy.Ruling(),
        rules_sha256="e" * 64,
        known_sha256="",
        policy_sha256="",
        baseline_sha256="",
    )
    fields: dict[str, Any] = {"root": folder, "gate": gate, "render": document.render}
    return spool.Spool(**{**fields, **changes})


def watched(of: spool.Spool, settle: float = 0.0) -> watch.Watch:
    """Return a watch that says nothing."""
    return watch.Watch(
        root=of.root,
        spool=lambda: of,
        progress=Silence(),
        tell=lambda _what, _error: None,
        told=lambda _filed: None,
        settle=settle,
        metrics=metrics.make(),
    )


def tree(folder: Path) -> set[str]:
    """Return all files of a spool, by their paths in it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }


def test_each_goes_where_it_belongs(tmp_path: Path) -> None:
    """What passes is cleared, the rest is kept, each with its report; the report has no path."""
    of = made(tmp_path / "spool")
    incoming = of.root / "incoming"
    clean(incoming / "good")
    planted(incoming / "bad")
    (incoming / "report.json").write_text("no dump")
    state = watched(of)
    assert watch.turn(state) == 0
    assert tree(of.root) == {
        "cleared/good/good",
        "cleared/good/report.json",
        "quarantine/bad/bad",
        "quarantine/bad/report.json",
        "quarantine/dump-report.json/dump-report.json",
        "quarantine/dump-report.json/report.json",
    }
    assert state.verdicts == set(Verdict)
    for place in ("cleared/good", "quarantine/bad"):
        text = (of.root / place / "report.json").read_text()
        assert json.loads(text)["dumps"][0]["path"] == place.partition("/")[2]
        assert str(tmp_path) not in text


def test_names_that_are_taken(tmp_path: Path) -> None:
    """A second dump of one name stands beside the first."""
    of = made(tmp_path / "spool")
    for number in range(3):
        clean(of.root / "incoming" / "core", number)
        watch.turn(watched(of))
    bundles = list((of.root / "cleared").iterdir())
    assert len(bundles) == 3
    assert len({(bundle / "core").read_bytes() for bundle in bundles}) == 3


@POSIX
@pytest.mark.parametrize("name", [b"a\nb", b"\x1b[31m", b"caf\xff", b"-q", b"%s", b"x" * 255])
def test_hostile_names(tmp_path: Path, name: bytes) -> None:
    """Any name that a file may have is filed under that name."""
    of = made(tmp_path / "spool")
    text = os.fsdecode(name)
    for number in range(2):
        clean(of.root / "incoming" / text, number)
        watch.turn(watched(of))
    assert (of.root / "cleared" / text / text).exists()
    assert len(list((of.root / "cleared").iterdir())) == 2


def test_what_is_not_finished_stays(tmp_path: Path) -> None:
    """Dot files, unfinished names and what was just written to are left alone."""
    of = made(tmp_path / "spool")
    names = (".core", "core.part", "core.tmp", "core")
    for name in names:
        clean(of.root / "incoming" / name)
    state = watched(of, settle=3600)
    assert watch.turn(state) == 1
    assert tree(of.root) == {f"incoming/{name}" for name in names}


def test_who_still_writes_is_waited_for(tmp_path: Path) -> None:
    """The time without a change begins anew with each change."""
    of = made(tmp_path / "spool")
    path = clean(of.root / "incoming" / "core")
    state = watched(of, settle=0.2)
    watch.turn(state)
    for number in range(3):
        time.sleep(0.12)
        clean(path, number)
        assert watch.turn(state) == 1
    time.sleep(0.3)
    assert watch.turn(state) == 0


@POSIX
def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    """Links, pipes and folders are not claimed, and nothing behind them is read."""
    of = made(tmp_path / "spool")
    clean(tmp_path / "outside")
    (of.root / "incoming" / "link").symlink_to(tmp_path / "outside")
    os.mkfifo(of.root / "incoming" / "pipe")
    (of.root / "incoming" / "folder").mkdir()
    assert watch.turn(watched(of)) == 0
    assert not list((of.root / "cleared").iterdir())
    assert (tmp_path / "outside").exists()


@POSIX
def test_a_link_that_slipped_in_is_kept(tmp_path: Path) -> None:
    """A dump that became a link as it was claimed is kept as it is, whenever a kill comes."""
    of = made(tmp_path / "spool")
    clean(tmp_path / "outside")
    for stop in (False, True):
        (of.root / "incoming" / "core").symlink_to(tmp_path / "outside")
        item = claims.claim(of.root, "core")
        assert item is not None
        if stop:  # killed after the link was moved into the bundle, before it was named
            out = of.root / "work" / item.id / "out" / spool.UNREAD
            out.mkdir(parents=True)
            (of.root / "work" / item.id / "given" / "core").rename(out / "core")
        filed = spool.file_away(of, item, Silence(), lambda _: None)
        assert filed.verdict is Verdict.INCOMPLETE
        assert (filed.folder / spool.UNREAD / "core").is_symlink()
    assert (tmp_path / "outside").exists()


def test_what_is_written_later_does_not_leave(tmp_path: Path) -> None:
    """Whoever kept the dump open changes neither the copy that leaves nor the verdict."""
    of = made(tmp_path / "spool")
    path = clean(of.root / "incoming" / "core")
    before = path.read_bytes()
    with path.open("r+b") as writer:
        if sys.platform != "win32":
            watch.turn(watched(of))
        writer.seek(300)
        writer.write(test_secrets.encodings.pkcs8_pem(test_secrets.KEY))
    if sys.platform != "win32":
        assert (of.root / "cleared" / "core" / "core").read_bytes() == before


def test_a_dump_that_changes_during_the_scan_is_done_again(tmp_path: Path) -> None:
    """What was written to after it was copied stays, and is judged as it is then."""
    of = made(tmp_path / "spool")
    clean(of.root / "incoming" / "core")
    item = claims.claim(of.root, "core")
    assert item is not None
    path = of.root / "work" / item.id / "given" / "core"

    def render(report: Report) -> str:
        planted(path)
        return document.render(report)

    changing = made(of.root, render=render)
    with pytest.raises(ScannerError, match="changed"):
        spool.file_away(changing, item, Silence(), lambda _: None)
    claims.leave(item)
    watch.turn(watched(of))
    assert (of.root / "quarantine" / "core" / "core").exists()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), ReportError("x"), ValueError()])
def test_a_failure_keeps_the_dump(tmp_path: Path, error: Exception) -> None:
    """A full disk, a report that cannot be written, a fault of ours: tried again, nothing lost."""

    def fail(_report: Report) -> str:
        raise error

    of = made(tmp_path / "spool", render=fail)
    data = clean(of.root / "incoming" / "core").read_bytes()
    state = watched(of)
    assert watch.turn(state) == 0
    assert state.failed
    (left,) = [name for name in tree(of.root) if not name.endswith(".lock")]
    assert left.startswith("work/")
    assert (of.root / left).read_bytes() == data
    assert watch.turn(state) == 0
    state = watched(made(of.root))
    watch.turn(state)
    assert (of.root / "cleared" / "core" / "core").read_bytes() == data
    assert not list((of.root / "work").iterdir())


def test_what_is_said_of_a_dump_names_it(tmp_path: Path) -> None:
    """By the name that it came by, or its copy's where that is what is left."""
    log = tmp_path / "log"
    log.write_text("this is no log")
    of = made(tmp_path / "spool", audit_log=str(log))
    clean(of.root / "incoming" / "core.1")
    told: list[str] = []
    state = dataclasses.replace(watched(of), tell=lambda what, _error: told.append(what))
    watch.turn(state)
    state.later.clear()
    watch.turn(state)
    assert told == ["core.1", "core.1"]
    assert not tree(of.root / "cleared")


@POSIX
def test_a_full_disk(tmp_path: Path) -> None:
    """A copy that does not fit is not judged: the dump stays, whole, until there is room."""
    folder = tmp_path / "spool"
    claims.prepare(folder)
    data = clean(folder / "incoming" / "core").read_bytes()
    limited = (
        "import resource, runpy, sys;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "sys.argv[0] = 'keysift';"
        "runpy.run_module('scanner', run_name='__main__', alter_sys=True)"
    )
    words = ("spool", str(folder), "--once", "--settle", "0")
    done = subprocess.run(
        [sys.executable, "-c", limited, *words], cwd=kills.ROOT, capture_output=True, check=False
    )
    assert done.returncode == 3
    (left,) = [name for name in tree(folder) if not name.endswith(".lock")]
    assert (folder / left).read_bytes() == data
    assert kills.run(*words) == 0
    assert (folder / "cleared" / "core" / "core").read_bytes() == data


def test_another_process_that_works_on_it(tmp_path: Path) -> None:
    """What another holds is left alone; what it left behind is taken over."""
    of = made(tmp_path / "spool")
    clean(of.root / "incoming" / "core")
    script = (
        "import sys, time; from pathlib import Path; from scanner import claims;"
        "item = claims.claim(Path(sys.argv[1]), 'core'); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(of.root)], stdout=subprocess.PIPE, cwd=kills.ROOT
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"held"
        watch.turn(watched(of))
        assert not list((of.root / "cleared").iterdir())
        other.kill()
    watch.turn(watched(of))
    assert (of.root / "cleared" / "core").is_dir()


def test_the_metrics(tmp_path: Path) -> None:
    """What was done is counted, and the file takes its name at once."""
    of = made(tmp_path / "spool")
    clean(of.root / "incoming" / "core")
    state = watched(of)
    watch.turn(state)
    metrics.save(state.metrics, tmp_path / "m.prom")
    text = (tmp_path / "m.prom").read_text()
    assert 'keysift_spool_dumps_total{verdict="pass"} 1.0' in text
    assert 'keysift_spool_dumps_total{verdict="blocked"} 0.0' in text
    assert "keysift_spool_waiting 0.0" in text


def test_the_command(tmp_path: Path) -> None:
    """With a key, a log and --redact: all that was asked for is there, and no canary anywhere."""
    folder, log = tmp_path / "spool", tmp_path / "audit.jsonl"
    secret, public = signers.write(tmp_path)
    (folder / "incoming").mkdir(parents=True)
    (folder / "incoming" / "bad").write_bytes(test_secrets.texts())
    clean(folder / "incoming" / "good")
    words = ("--once", "--settle", "0", "--redact", "--key", str(secret), "--audit-log", str(log))
    done = keysift("spool", str(folder), *words, "--metrics", str(tmp_path / "m.prom"))
    assert done.returncode == 1, done.stderr
    cleared = sorted(path.name for path in (folder / "cleared").iterdir())
    assert [name.partition("-")[0] for name in cleared] == ["bad.redacted", "good"]
    for name in cleared:
        bundle = folder / "cleared" / name
        assert kills.holds(bundle / name, bundle / "attestation.json", public) is Verdict.PASS
    kept = {path.name for path in (folder / "quarantine" / "bad").iterdir()}
    assert kept == {"bad", "report.json", "attestation.json", "redaction.json"}
    assert not list((folder / "work").iterdir())
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(row["decision"] for row in rows) == ["cleared", "cleared", "quarantined"]
    written = [p for p in tmp_path.rglob("*") if p.is_file() and p.suffix in {".json", ".jsonl"}]
    assert len(written) == 8
    shown = (done.stdout, done.stderr, (tmp_path / "m.prom").read_bytes())
    test_secrets.assert_silent(*shown, *(path.read_bytes() for path in written))


def test_no_folder_is_usage(tmp_path: Path) -> None:
    """A spool that cannot be made is an error before anything is claimed."""
    (tmp_path / "file").write_text("")
    assert keysift("spool", str(tmp_path / "file" / "x"), "--once").returncode == 2


@POSIX
def test_an_interrupt_ends_it(tmp_path: Path) -> None:
    """A spool that waits ends with 130."""
    folder = tmp_path / "spool"
    with subprocess.Popen(
        [sys.executable, "-m", "scanner", "spool", str(folder)],
        cwd=kills.ROOT,
        stderr=subprocess.PIPE,
        preexec_fn=poison.heed_interrupts,  # noqa: PLW1509 - no threads
    ) as process:
        for _ in range(100):
            time.sleep(0.05)
            if (folder / "quarantine").exists():
                break
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_spool_is_made_where_its_folder_is(tmp_path: Path) -> None:
    """One that is new is said to be; of a name that leads nowhere nothing is made."""
    done = keysift("spool", "--once", str(tmp_path / "a" / "b"))
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert f"why: there is no folder {tmp_path / 'a'}".encode() in done.stderr
    for said in (True, False):
        done = inside.keysift("spool", "--once", "--settle", "0", str(tmp_path / "a"))
        assert done.returncode == 0
        assert ("a: the spool was made" in done.stderr) == said


@POSIX
def test_a_spool_that_the_system_refuses(tmp_path: Path) -> None:
    """Where nobody may look, as where a name is too long, is usage and no fault of ours."""
    done = keysift("spool", "--once", str(tmp_path / ("a" * 300)))
    assert done.returncode == 2
    assert b"why: file name too long" in done.stderr


@POSIX
def test_metrics_replace_no_device(tmp_path: Path) -> None:
    """What is no regular file stays what it is."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        words = ("--once", str(tmp_path / "spool"), "--metrics", str(tmp_path / name))
        done = inside.keysift("spool", *words)
        assert done.returncode == 2
        assert "it is a device, a pipe or a socket" in done.stderr
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()
    assert not (tmp_path / "spool").exists()


@POSIX
def test_killed_at_random_moments(tmp_path: Path) -> None:
    """Killed again and again: nothing is lost, nothing is cleared by accident."""
    folder = tmp_path / "spool"
    secret, public = signers.write(tmp_path)
    claims.prepare(folder)
    good = {kills.digest(clean(folder / "incoming" / f"c{n}", n)) for n in range(3)}
    bad = {kills.digest(planted(folder / "incoming" / "p"))}
    words = ("spool", str(folder), "--once", "--settle", "0", "-j", "1", "--key", str(secret))
    moments = random.Random(5)  # noqa: S311 - moments, no secrets
    for _ in range(4):
        kills.run(*words, after=moments.uniform(0.3, 2.0))
        kills.check_spool(folder, good, bad, public)
    assert kills.run(*words) in (0, 1)
    filed = kills.check_spool(folder, good, bad, public)
    assert filed == good | bad
    assert not list((folder / "incoming").iterdir())
    assert not list((folder / "work").glob("*/"))
