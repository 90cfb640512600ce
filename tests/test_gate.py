"""The gate's exit codes over the real command: each cause, its code, and words that help."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import zstandard

from fixtures import elfcore, encodings, keys, minidump, noise
from scanner.engine import scanning, sweeping
from scanner.stages.sweep import Swept
from tests import inside, poison

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "scanner")


def keysift(
    *arguments: str | Path, poisoned: Path | None = None, stdin: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    env = {**os.environ, **({"PYTHONPATH": str(poisoned)} if poisoned else {})}
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env=env,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def whole(done: subprocess.CompletedProcess[str]) -> str:
    """Check that nothing of a crash shows, and return all that was said."""
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert poison.CANARY not in said
    return said


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write dumps of a few pages, for what does not depend on what a dump holds."""
    folder = tmp_path_factory.mktemp("small")
    contents = {"clean": noise.text(9000), "blocked": encodings.pkcs8_pem(keys.rsa_key())}
    for name, data in contents.items():
        segment = elfcore.Segment(address=0x1000, data=data.ljust(12_288, b"\0"))
        (folder / name).write_bytes(elfcore.write([segment]).data)
    return {name: folder / name for name in contents}


def minidump_of(data: bytes) -> bytes:
    """Write a minidump of a few pages."""
    return minidump.write([minidump.Segment(address=0x1000, data=data)]).data


@pytest.mark.parametrize(
    ("dumps", "code"),
    [
        (["clean"], 0),
        (["blocked"], 1),
        (["clean", "blocked"], 1),
        (["blocked", "clean"], 1),
        (["clean", "/no/such/file"], 3),
        (["blocked", "/no/such/file"], 1),
        ([Path(__file__)], 3),
        ([ROOT / ".ci"], 3),
        (["/dev/null"], 3),
    ],
)
def test_verdicts(small: dict[str, Path], dumps: list[Path | str], code: int) -> None:
    """The worst verdict of the dumps is the exit code; the last line says it.

    Each code is once that of the real command; what else leads to it is tried in this process.
    """
    real = dumps in (["clean"], ["blocked"], ["clean", "/no/such/file"])
    paths = [str(small.get(str(dump), dump)) for dump in dumps]
    done = (keysift if real else inside.keysift)("scan", *paths)
    assert done.returncode == code
    word = {0: "pass", 1: "blocked", 3: "incomplete"}[code]
    assert whole(done).splitlines()
    assert done.stdout.splitlines()[-1].startswith(word)


@pytest.mark.parametrize("form", ["core", "minidump"])
def test_truncated(tmp_path: Path, small: dict[str, Path], form: str) -> None:
    """A truncated dump without a key in what is left is incomplete."""
    whole = small["clean"].read_bytes() if form == "core" else minidump_of(noise.text(12_288))
    (tmp_path / "cut").write_bytes(whole[:9_000])
    assert keysift("scan", tmp_path / "cut").returncode == 3


def test_unknown_format(tmp_path: Path) -> None:
    """Unknown bytes are incomplete; --raw lets them pass; a key in them blocks either way."""
    path = tmp_path / "blob"
    path.write_bytes(noise.text(9000))
    assert keysift("scan", path).returncode == 3
    assert inside.keysift("scan", "--raw", str(path)).returncode == 0
    path.write_bytes(encodings.pkcs8_pem(keys.canary()))
    assert inside.keysift("scan", str(path)).returncode == 1


def test_stdin(small: dict[str, Path]) -> None:
    """A dump on stdin is judged as the same file is, compressed or not."""
    data = small["blocked"].read_bytes()
    with inside.on_stdin(small["blocked"]):
        near = inside.keysift("scan", "-f", "json", "-")
    packed = zstandard.ZstdCompressor().compress(data)
    for done in (near, keysift("scan", "-f", "json", "-", stdin=packed)):
        assert done.returncode == 1
        (dump,) = json.loads(done.stdout)["dumps"]
        assert dump["content"]["size"] == len(data)
    with inside.on_stdin(Path(os.devnull)):
        assert inside.keysift("scan", "-").returncode == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(("dump", "code"), [("clean", 3), ("blocked", 1)])
@pytest.mark.parametrize("form", ["text", "json"])
def test_full_stdout(small: dict[str, Path], dump: str, code: int, form: str) -> None:
    """A pass that could not be told is no pass; blocked stays blocked."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "scan", "-f", form, str(small[dump])],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
@pytest.mark.parametrize(("dump", "code"), [("clean", 0), ("blocked", 1)])
def test_broken_pipe(small: dict[str, Path], dump: str, code: int) -> None:
    """A reader who left changes nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "scan", str(small[dump])],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.returncode == code
    assert done.stderr.startswith(b"keysift: nobody could read the report")


DEATHS = {
    "killed": "os.kill(os.getpid(), 9)",
    "exits 0": "os._exit(0)",
    "raises": f"raise ValueError({poison.CANARY!r})",
    "fails to import": f"raise ImportError({poison.CANARY!r})",
    "aborts": "os.abort()",
}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("module", "death"),
    [
        *(("scanner.dump.elfcore", death) for death in sorted(DEATHS)),
        *(("scanner.detect.texts.pem", death) for death in ("killed", "raises")),
    ],
)
def test_a_worker_that_dies(
    small: dict[str, Path], tmp_path: Path, death: str, module: str
) -> None:
    """However a worker ends, a clean dump does not pass, and nobody sees how."""
    done = keysift("scan", small["clean"], poisoned=poison.folder(tmp_path, module, DEATHS[death]))
    assert done.returncode == 3
    assert "worker" in whole(done)


_IN_SWEEP = """
import scanner.stages.sweep as stage
def broken(*asked):
    {body}
broken.__module__, broken.__qualname__ = stage.sweep.__module__, "sweep"
stage.sweep = broken
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("death", sorted(DEATHS))
def test_a_sweep_that_dies(small: dict[str, Path], tmp_path: Path, death: str) -> None:
    """An exception or a death in the middle of a scan is incomplete, with coverage to match."""
    body = _IN_SWEEP.format(body="import os; " + DEATHS[death])
    folder = poison.folder(tmp_path, "scanner.stages.session", body)
    done = keysift("scan", "-f", "json", small["clean"], poisoned=folder)
    assert done.returncode == 3
    whole(done)
    (dump,) = json.loads(done.stdout)["dumps"]
    assert dump["coverage"]["scanned_bytes"] < dump["coverage"]["file_bytes"]


MEDDLING: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: path,
    "cut": lambda path: os.truncate(path, 5000),
    "written to": lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"a tail"),
    "replaced": lambda path: shutil.copyfile(path, path.with_name("new")).replace(path),
    "gone": lambda path: path.unlink(missing_ok=True),
}
"""What is done to a file when its first bytes have been read."""


@pytest.mark.skipif(sys.platform == "win32", reason="an open file stays as it is there")
@pytest.mark.parametrize("change", sorted(MEDDLING))
def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Whatever becomes of a file in the middle of a scan, it does not pass, and we say why."""
    path = tmp_path / "core"
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x1000, data=noise.text(90_000))]).data)
    sweep = sweeping.sweep

    def meddled(*asked: Any) -> Swept:  # noqa: ANN401 - a session and its task
        MEDDLING[change](path)
        return sweep(*asked)

    monkeypatch.setattr(sweeping, "sweep", meddled)
    done = inside.keysift("scan", str(path))
    assert done.returncode == (0 if change == "nothing" else 3)
    assert whole(done).startswith("PASS" if change == "nothing" else "INCOMPLETE")


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("scanner.correlate", "RuntimeError"),
        ("scanner.correlate", "ImportError"),
        ("scanner.correlate", "MemoryError"),
        ("scanner.correlate", "SystemExit"),
        ("scanner.policy", "RuntimeError"),
        ("scanner.policy", "SystemExit"),
        ("scanner.engine.scanning", "ImportError"),
        ("scanner.engine.scanning", "SystemExit"),
    ],
)
def test_an_error_of_our_own(
    small: dict[str, Path], tmp_path: Path, module: str, error: str
) -> None:
    """A fault in the parent is exit 3, told by class alone."""
    body = f"raise {error}({poison.CANARY!r})"
    done = keysift("scan", small["clean"], poisoned=poison.folder(tmp_path, module, body, "parent"))
    assert done.returncode == 3
    whole(done)


def test_too_little_memory(small: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What lacks memory is told so, and is no fault of ours."""

    def lacking(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(scanning, "scan_all", lacking)
    done = inside.run("scan", str(small["clean"]))
    assert done.returncode == 3
    assert "needs more memory than there is" in done.stderr
    assert "--jobs" in done.stderr
    assert "fault" not in done.stderr


_SLOW = """
import pathlib, time
pathlib.Path(__file__).with_name("slow").touch()
time.sleep(120)
"""


def _until_slow(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a worker is in the middle of a call."""
    while not (folder / "slow").exists():
        assert process.poll() is None
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_interrupted_scan(small: dict[str, Path], tmp_path: Path) -> None:
    """An interrupt ends a scan at once with 130 and leaves no worker behind."""
    folder = poison.folder(tmp_path, "scanner.detect.texts.pem", _SLOW)
    with subprocess.Popen(
        [*COMMAND, "scan", str(small["clean"])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=poison.heed_interrupts,  # noqa: PLW1509 - before any thread
    ) as process:
        _until_slow(folder, process)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=20)
        assert process.returncode == 130
        assert out == b""
        assert b"Traceback" not in said
    assert _gone(process.pid)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_parent_leaves_no_worker(small: dict[str, Path], tmp_path: Path) -> None:
    """When the parent is killed its workers end too, in the middle of a call."""
    folder = poison.folder(tmp_path, "scanner.detect.texts.pem", _SLOW)
    with subprocess.Popen(
        [*COMMAND, "scan", str(small["clean"])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        _until_slow(folder, process)
        process.kill()
    assert _gone(process.pid)


def _gone(group: int) -> bool:
    """Tell whether every process of a group ends within a few seconds."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_json_bears_its_schema(small: dict[str, Path]) -> None:
    """The JSON that the command gives is valid by the schema that is shipped."""
    schema = json.loads((ROOT / "scanner/report/schema-1.json").read_text("utf-8"))
    done = inside.keysift("scan", "-f", "json", str(small["blocked"]), str(small["clean"]))
    jsonschema.Draft202012Validator(schema).validate(json.loads(done.stdout))


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    """A file name and a mapped file's name that try to paint the terminal are shown as text."""
    segment = elfcore.Segment(address=0x1000, data=encodings.pkcs8_der(keys.rsa_key()).ljust(4096))
    mapped = elfcore.Mapped(start=0x1000, end=0x2000, name="/opt/\x1b[31m[bold]evil\u202e")
    path = tmp_path / "\x1b]0;title\x07core"
    path.write_bytes(elfcore.write([segment], files=[mapped]).data)
    done = inside.keysift("scan", "-v", "--color", "never", str(path))
    assert done.returncode == 1
    assert "\x1b" not in whole(done)
    assert "\u202e" not in done.stdout
    assert "[bold]evil" in done.stdout
