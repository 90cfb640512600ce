"""``ingest``: a dump on stdin, as the kernel hands it to a core_pattern handler."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import signers
from scanner.cli import spool
from scanner.model import Verdict
from tests import inside, kills
from tests.cli.test_redact import planted
from tests.test_spool import POSIX, clean, tree

pytestmark = POSIX


def ingest(dump: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Pipe a dump in with an empty environment, from the root folder, as the kernel does."""
    with dump.open("rb") as stdin:
        return subprocess.run(
            [sys.executable, "-m", "scanner", "ingest", str(folder), *words],
            cwd="/",
            env={"PYTHONPATH": str(kills.ROOT)},
            stdin=stdin,
            capture_output=True,
            check=False,
        )


def test_a_dump_is_judged(tmp_path: Path) -> None:
    """The exit code is the verdict's, and the bundle is where it belongs, with its attestation."""
    secret, public = signers.write(tmp_path)
    for make, place, code in ((clean, "cleared", 0), (planted, "quarantine", 1)):
        dump = make(tmp_path / place)
        done = ingest(dump, tmp_path / "spool", "--name", "core.x.1", "--key", str(secret))
        assert (done.returncode, done.stderr) == (code, b"")
        bundle = tmp_path / "spool" / place / "core.x.1"
        assert (bundle / "core.x.1").read_bytes() == dump.read_bytes()
        verdict = kills.holds(dump, bundle / "attestation.json", public)
        assert verdict is (Verdict.BLOCKED if code else Verdict.PASS)
    assert not list((tmp_path / "spool" / "work").iterdir())


def test_a_dump_that_cannot_be_logged_is_kept(tmp_path: Path) -> None:
    """The kernel hands it over once: neither a log nor a folder that is missing loses it."""
    dump = clean(tmp_path / "core")
    folder = tmp_path / "no" / "such" / "spool"
    done = ingest(dump, folder, "--audit-log", str(tmp_path / "none" / "log"))
    assert done.returncode == 3
    assert b"the audit log" in done.stderr
    assert dump.read_bytes() in [p.read_bytes() for p in (folder / "work").rglob("core")]
    assert not list((folder / "cleared").iterdir())


def test_a_redacted_copy_is_judged_too(tmp_path: Path) -> None:
    """With --redact the copy is cleared, the dump is kept, and the exit code says blocked."""
    done = ingest(planted(tmp_path / "core"), tmp_path / "spool", "--redact")
    assert done.returncode == 1
    (copy,) = (tmp_path / "spool" / "cleared").iterdir()
    assert json.loads((copy / "report.json").read_bytes())["verdict"] == "pass"
    record = (tmp_path / "spool" / "quarantine" / "core" / "redaction.json").read_text()
    assert str(tmp_path) not in record
    assert not list((tmp_path / "spool" / "incoming").iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_stdout_takes_no_verdict_back(tmp_path: Path) -> None:
    """Blocked stays blocked; a pass that could not be told is none. Both are filed away."""
    for make, place, code in ((clean, "cleared", 3), (planted, "quarantine", 1)):
        dump = make(tmp_path / place)
        with dump.open("rb") as stdin, Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "scanner", "ingest", str(tmp_path / "spool")],
                cwd=kills.ROOT,
                stdin=stdin,
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
            )
        assert done.returncode == code
        assert b"the output could not be written" in done.stderr
        assert (tmp_path / "spool" / place / "core" / "core").read_bytes() == dump.read_bytes()


def test_a_limit_makes_it_incomplete(tmp_path: Path) -> None:
    """What was not kept was not judged; what was kept says that it was cut."""
    with inside.on_stdin(clean(tmp_path / "core")):
        done = inside.keysift("ingest", str(tmp_path / "spool"), "--max-bytes", "6000")
    assert done.returncode == 3
    assert (tmp_path / "spool/quarantine/core.cut/core.cut").stat().st_size == 6000


NAMES = [
    ("core.!bin!sh.7", "core.!bin!sh.7"),
    ("../../etc/x", "_.._etc_x"),
    (".part", "part"),
    ("a.tmp", "a.tmp.core"),
    ("", "core"),
    ("..", "core"),
    ("\u00e9" * 150, "\u00e9" * 100),
]
"""What the kernel says, and under which name a dump is stored."""


@pytest.mark.parametrize(("name", "stored"), NAMES)
def test_a_name_that_a_spool_takes(name: str, stored: str) -> None:
    """Whatever the kernel says is one name in a folder, and that of a finished file."""
    assert spool._safe(name) == stored


@pytest.mark.parametrize(("name", "stored"), [NAMES[1], NAMES[-1]])
def test_a_deferred_dump_is_stored(tmp_path: Path, name: str, stored: str) -> None:
    """Nothing is decided: exit 3, and the dump waits under a name that a spool takes."""
    dump = clean(tmp_path / "core")
    done = ingest(dump, tmp_path / "spool", "--defer", "--name", name)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")
    assert tree(tmp_path / "spool") == {f"incoming/{stored}"}
    assert (tmp_path / "spool" / "incoming" / stored).read_bytes() == dump.read_bytes()


def test_a_full_disk_keeps_nothing_half(tmp_path: Path) -> None:
    """A dump that cannot be stored is an error, exit 3, and leaves nothing that looks like one."""
    dump = clean(tmp_path / "core")
    limited = (
        "import resource, runpy, sys;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "sys.argv[0] = 'keysift';"
        "runpy.run_module('scanner', run_name='__main__', alter_sys=True)"
    )
    with dump.open("rb") as stdin:
        done = subprocess.run(
            [sys.executable, "-c", limited, "ingest", str(tmp_path / "spool")],
            cwd=kills.ROOT,
            env=dict(os.environ),
            stdin=stdin,
            capture_output=True,
            check=False,
        )
    assert done.returncode == 3
    assert b"could not be stored" in done.stderr
    assert b"nothing of it is kept" in done.stderr
    assert not tree(tmp_path / "spool")


def test_a_handler_that_was_killed(tmp_path: Path) -> None:
    """What a killed handler had stored is judged by the next spool, and named as cut."""
    folder = tmp_path / "spool"
    reader, writer = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "scanner", "ingest", str(folder), "--name", "core.9"],
        cwd=kills.ROOT,
        stdin=reader,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        data = clean(tmp_path / "core").read_bytes()
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(data[:6000] + bytes(1 << 20))
            pipe.flush()
            while not list(folder.glob("work/*/given/.*.part")):
                assert process.poll() is None
            process.kill()
    os.close(reader)
    assert kills.run("spool", str(folder), "--once", "--settle", "0") in (0, 3)
    assert not [name for name in tree(folder) if name.startswith(("work/", "incoming/"))]
