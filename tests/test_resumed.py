"""Commands that are killed in the middle go on, and give what one that nobody disturbs gives."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from fixtures import elfcore, noise, signers
from scanner.cli import main
from scanner.dump import windows
from scanner.engine import resume
from scanner.engine.resume import Resume
from scanner.model import Fault
from tests import inside, kills, test_secrets
from tests.cli.test_redact import PEM
from tests.engine.test_resume import TERMS, surveyed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is kept on Windows")

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
TASK = 300 << 10
CORE = elfcore.write(
    [elfcore.Segment(address=0x10000, data=noise.text(9 * TASK) + PEM + noise.text(TASK))]
).data
GOES_ON = resume.GOES_ON.encode()

_MAIN = (
    "import sys; from scanner.dump import windows; "
    f"windows.TASK_BYTES = {TASK}; from scanner.__main__ import main; main()"
)


def command(*words: str | Path) -> list[str]:
    """Return a command line that cuts dumps finely."""
    return [sys.executable, "-c", _MAIN, *map(str, words)]


def run(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(command(*words), cwd=kills.ROOT, capture_output=True, check=False)


def near(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, in this process and without workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "TASK_BYTES", TASK)
        done = inside.keysift(*map(str, words))
    said = (done.stdout.encode(), done.stderr.encode())
    return subprocess.CompletedProcess(done.args, done.returncode, *said)


@contextlib.contextmanager
def running(*words: str | Path, until: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a group of its own, and give it when something is so; then end the group.

    What it leaves for a moment, and cannot take away when it is killed, is taken away.
    """
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as left,
        subprocess.Popen(
            command(*words),
            cwd=kills.ROOT,
            env={**os.environ, "TMPDIR": left},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process,
    ):
        while not until():
            assert process.poll() is None, "it ended before it was to be killed"
            time.sleep(0.005)
        yield process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def kill(*words: str | Path, until: Callable[[], bool]) -> None:
    """Run a command, and kill it and its workers when something is so."""
    with running(*words, until=until) as process:
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def lines(folder: Path) -> list[int]:
    """Return the lines of each journal below a folder."""
    found = []
    for path in folder.rglob("*.resume"):
        with contextlib.suppress(FileNotFoundError):
            found.append(path.read_bytes().count(b"\n"))
    return found


def reached(folder: Path, count: int) -> Callable[[], bool]:
    """Return what tells that a journal has so many lines."""
    return lambda: max(lines(folder), default=0) >= count


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """Write a core with a key in it."""
    path = tmp_path / "core"
    path.write_bytes(CORE)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the report on that core of a scan that nobody disturbs; it lies at /core."""
    path = tmp_path_factory.mktemp("whole") / "core"
    path.write_bytes(CORE)
    done = near("scan", path, "-f", "json")
    assert done.returncode == 1
    return done.stdout.replace(os.fsencode(path), b"/core")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Return where scans are kept."""
    resume.check(str(tmp_path / "kept"))
    return tmp_path / "kept"


# --- what is at its end -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "ends"),
    [
        ((), True),
        (("damaged", "limit-traced"), True),
        (("worker-lost",), False),
        (("damaged", "unreadable"), False),
        (("no-digest",), False),
        (("unreadable", "changed"), True),
    ],
)
def test_what_another_scan_may_do_better_stays(
    core: Path, kept: Path, codes: tuple[str, ...], ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults of the moment keep a journal; those of the dump, or of a file that changed, do not."""
    monkeypatch.setattr("scanner.dump.windows.TASK_BYTES", TASK)
    survey, tasks = surveyed(core)
    ended: list[str] = []
    told: list[str] = []
    asked = Resume(
        folder=str(kept), terms=TERMS, tell=lambda what, _: told.append(what), ended=ended.append
    )
    with contextlib.ExitStack() as stack:
        journal = resume.opened(asked, stack, survey, tasks, 1)
        assert journal is not None
        journal.end(Fault(code=code, text="") for code in codes)
        assert (len(ended), len(told)) == ((1, 0) if ends else (0, 1))
        resume.drop(str(kept), [path.name for path in kept.iterdir()])
        assert lines(kept) == [1]  # a scan is at it
    resume.drop(str(kept), [*ended, "no such file"])
    assert len(lines(kept)) == (0 if ends else 1)


def test_lost_workers_cost_what_they_had_in_hand(core: Path, kept: Path, whole: bytes) -> None:
    """A scan whose workers die until none is left is incomplete, and the same command goes on."""
    words = ("scan", core, "-f", "json", "-j1", "--resume", kept)
    with running(*words, until=reached(kept, 5)) as process:
        while process.poll() is None:
            for child in psutil.Process(process.pid).children():
                with contextlib.suppress(psutil.Error):
                    if "spawn_main" in " ".join(child.cmdline()):
                        child.kill()
            time.sleep(0.02)
        assert process.stderr is not None
        assert b"what was swept is kept" in process.stderr.read()
        assert process.returncode == 3
    assert lines(kept)[0] >= 5
    again = run(*words)
    assert GOES_ON in again.stderr
    assert (again.returncode, again.stdout.replace(os.fsencode(core), b"/core")) == (1, whole)
    assert lines(kept) == []


@FULL
def test_of_several_dumps_the_first_is_not_swept_again(
    core: Path, kept: Path, whole: bytes
) -> None:
    """A journal stays until the report on all is out: killed in the second, both go on."""
    second = core.with_name("second")
    shutil.copy(core, second)
    words = ("scan", core, second, "-f", "json", "-j1")
    kill(*words, "--resume", kept, until=lambda: len(lines(kept)) == 2 and min(lines(kept)) > 3)
    nowhere = near(*words, "--resume", kept, "-o", "/dev/full")
    assert (nowhere.returncode, len(lines(kept))) == (1, 2)  # a report that nobody has
    again = near(*words, "--resume", kept)
    assert again.stderr.count(GOES_ON) == 2
    (dump,) = json.loads(whole)["dumps"]
    expected = [{**dump, "path": str(path)} for path in (core, second)]
    assert (again.returncode, json.loads(again.stdout)["dumps"]) == (1, expected)
    assert lines(kept) == []


# --- redact and attest --------------------------------------------------------------------------


def test_a_redaction_goes_on(core: Path, kept: Path, tmp_path: Path) -> None:
    """Killed while its copy is scanned, it sweeps the copy again, the dump not, and is the same."""
    assert inside.keysift("redact", str(core), "-o", str(tmp_path / "whole")).returncode == 0
    words = ("redact", core, "-q", "-j1", "--resume", kept, "-o", tmp_path / "copy")
    parts = lambda: [p for p in tmp_path.glob(".keysift-*.part") if p.stat().st_size]  # noqa: E731
    kill(*words, until=lambda: bool(parts()))
    again = run(*words)
    assert GOES_ON in again.stderr
    assert again.returncode == 0
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "whole").read_bytes()
    assert lines(kept) == []


@FULL
def test_a_redaction_that_can_never_be_leaves_nothing(kept: Path, tmp_path: Path) -> None:
    """Where a secret lies in a table there is no copy; where there is no room, there may be one."""
    data = noise.text(2 * TASK)
    whole = elfcore.write([elfcore.Segment(address=0x10000, data=data + PEM + data)]).data
    (tmp_path / "cut").write_bytes(whole[:-4096])
    (tmp_path / "core").write_bytes(whole)
    words = ("-q", "--resume", kept, "-o")
    assert near("redact", tmp_path / "cut", *words, tmp_path / "copy").returncode == 3
    assert lines(kept) == []
    full = ("--record", "/dev/full")
    assert near("redact", tmp_path / "core", *words, tmp_path / "copy", *full).returncode == 3
    assert len(lines(kept)) == 1
    again = near("redact", tmp_path / "core", *words, tmp_path / "copy")
    assert (again.returncode, GOES_ON in again.stderr, lines(kept)) == (0, True, [])


def test_an_attestation_goes_on(core: Path, kept: Path, tmp_path: Path, whole: bytes) -> None:
    """Killed in its sweep, the next is about the same report."""
    secret, public = signers.write(tmp_path)
    words = ("attest", core, "-j1", "--key", secret, "-o", tmp_path / "said", "--resume", kept)
    words = (*words, "--report", tmp_path / "report")
    kill(*words, until=reached(kept, 6))
    again = near(*words)
    assert (again.returncode, GOES_ON in again.stderr) == (1, True)
    assert (tmp_path / "report").read_bytes().replace(os.fsencode(core), b"/core") == whole
    kills.holds(core, tmp_path / "said", public)
    assert lines(kept) == []


# --- what arrives -------------------------------------------------------------------------------


def spooled(core: Path, folder: Path) -> bytes:
    """Return the report on a core that a spool filed away, and see that nothing else is left."""
    (bundle,) = (folder / "quarantine").iterdir()
    assert (bundle / bundle.name).read_bytes() == core.read_bytes()
    assert not list((folder / "work").iterdir())
    return (bundle / "report.json").read_bytes()


def test_a_spool_goes_on(core: Path, tmp_path: Path, whole: bytes) -> None:
    """Killed twice in one dump, it takes up its copy and what it had swept of that."""
    folder = tmp_path / "spool"
    (folder / "incoming").mkdir(parents=True)
    shutil.copy(core, folder / "incoming" / "core")
    words = ("spool", folder, "--once", "--settle", "0", "-j1")
    kill(*words, until=reached(folder, 4))
    (copy,) = folder.glob("work/*/out/core")
    before = copy.stat()
    test_secrets.assert_silent(*(path.read_bytes() for path in folder.glob("work/*/kept/*")))
    kill(*words, until=reached(folder, 9))
    assert copy.stat() == before
    again = run(*words)
    assert (again.returncode, GOES_ON in again.stderr) == (1, True)
    assert spooled(core, folder) == whole.replace(b"/core", b"core")


def test_a_dump_that_changed_meanwhile_is_copied_again(core: Path, tmp_path: Path) -> None:
    """Who wrote to a dump while its spool was dead is heard: what is judged is what is there."""
    folder = tmp_path / "spool"
    (folder / "incoming").mkdir(parents=True)
    shutil.copy(core, folder / "incoming" / "core")
    words = ("spool", folder, "--once", "--settle", "0", "-j1")
    kill(*words, until=reached(folder, 4))
    (given,) = folder.glob("work/*/given/core")
    core.write_bytes(CORE[:-1] + b"x")
    given.write_bytes(core.read_bytes())
    again = near(*words)
    assert (again.returncode, GOES_ON in again.stderr) == (1, False)
    spooled(core, folder)


def test_what_a_killed_handler_had_swept_is_gone_on_with(
    core: Path, tmp_path: Path, whole: bytes
) -> None:
    """What ``ingest`` had stored and begun to sweep, the next spool goes on with."""
    folder = tmp_path / "spool"
    with (
        core.open("rb") as stdin,
        subprocess.Popen(
            command("ingest", folder, "-j1", "--name", "core"),
            cwd=kills.ROOT,
            stdin=stdin,
            start_new_session=True,
        ) as process,
    ):
        while not reached(folder, 4)():
            assert process.poll() is None
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
    again = near("spool", folder, "--once", "--settle", "0")
    assert (again.returncode, GOES_ON in again.stderr) == (1, True)
    assert spooled(core, folder) == whole.replace(b"/core", b"core")


# --- a fleet ------------------------------------------------------------------------------------

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="no Dask here runs a fleet"
)


@needs_dask
def test_a_split_dump_goes_on(core: Path, kept: Path, whole: bytes) -> None:
    """Killed with its cluster, it goes on with another cluster, from what this machine kept."""
    words = ("fleet", core, "-f", "json", "-j1", "--split", "--resume", kept)
    kill(*words, until=reached(kept, 5))
    again = run(*words)
    assert GOES_ON in again.stderr
    said = again.stdout.replace(os.fsencode(core), b"/core")
    assert (again.returncode, json.loads(said)["dumps"]) == (1, json.loads(whole)["dumps"])
    assert lines(kept) == []


@needs_dask
def test_a_fleet_goes_on(kept: Path, tmp_path: Path) -> None:
    """Killed with its cluster, its workers go on with what they had swept of large dumps."""
    data = noise.text(300 << 10)
    spaced = [(number << 28, data + bytes(64 << 20)) for number in range(1, 4)]
    segments = [elfcore.Segment(address=at, data=held + PEM) for at, held in spaced]
    (tmp_path / "core").write_bytes(elfcore.write(segments).data)
    words = ("fleet", tmp_path / "core", "-f", "json", "-j1")
    kill(*words, "--resume", kept, until=reached(kept, 3))
    before = max(lines(kept))
    again = run(*words, "--resume", kept)
    once = inside.keysift("scan", str(tmp_path / "core"), "-f", "json")
    assert (again.returncode, again.stderr) == (1, b"")
    assert json.loads(again.stdout)["dumps"] == json.loads(once.stdout)["dumps"]
    assert before >= 3
    assert lines(kept) == []


def test_other_machines_keep_nothing(core: Path, kept: Path) -> None:
    """Without --split each machine would keep its own: that is a matter of usage."""
    told: list[str] = []
    words = ["fleet", str(core), "--scheduler", "tls://127.0.0.1:1", "--resume", str(kept)]
    assert main.run(words, lambda *parts: told.extend(parts)) == main.USAGE
    assert "--split" in told[2]
