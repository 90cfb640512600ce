"""The command ``redact`` as it is run: exit codes, what it leaves, and what it never says."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from fixtures import elfcore, encodings, keys, real
from tests import inside, poison, test_secrets

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "scanner/report/redaction-1.json").read_text("utf-8"))
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes and files")
PEM = encodings.pkcs8_pem(keys.ec_key("P-256", label="canary"))


def keysift(
    *arguments: str | bytes, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "scanner", *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        check=False,
    )


def planted(path: Path) -> Path:
    """Write a core that holds a key."""
    data = bytes(4096) + PEM + bytes(4096)
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=data)]).data)
    return path


def test_a_record_goes_with_the_copy(tmp_path: Path) -> None:
    """The record keeps to its schema, and its digests are those of the files."""
    path, copy, record = (tmp_path / name for name in ("core", "copy", "record.json"))
    planted(path)
    done = inside.keysift("redact", str(path), "-o", str(copy), "--record", str(record))
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(record.read_bytes())
    jsonschema.validate(said, SCHEMA)
    assert said["output"]["path"] == str(copy)
    ((extent,),) = [row["extents"] for row in said["overwritten"]]
    new = copy.read_bytes()
    stop = extent["file_offset"] + extent["size"]
    assert new[extent["file_offset"] : stop] == bytes((said["fill"],)) * extent["size"]
    assert len(done.stdout.splitlines()) > 3
    assert max(map(len, done.stdout.splitlines()[1:])) <= 100
    assert inside.keysift("scan", "-q", str(copy)).returncode == 0


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whoever_is_ended_leaves_no_part_of_a_copy(tmp_path: Path, number: signal.Signals) -> None:
    """timeout(1), a job that is cancelled and Ctrl-C end it while it scans the copy."""
    path = planted(tmp_path / "core")
    with subprocess.Popen(
        [sys.executable, "-m", "scanner", "redact", str(path), "-o", str(tmp_path / "copy")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        preexec_fn=poison.heed_interrupts,  # noqa: PLW1509 - before any thread
    ) as process:
        until = time.monotonic() + 60
        while not list(tmp_path.glob(".keysift-*")):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.005)
        time.sleep(0.1)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert b"Traceback" not in said
    assert [one.name for one in tmp_path.iterdir()] == ["core"]


def test_what_looked_random_is_counted(tmp_path: Path) -> None:
    """With --random the text and the record say how much went for its looks."""
    path, copy, record = (tmp_path / name for name in ("core", "copy", "record.json"))
    d = keys.rsa_key(2048).d.to_bytes(256, "little")
    path.write_bytes(elfcore.write([elfcore.Segment(address=0x10000, data=d + bytes(3840))]).data)
    words = ("-o", str(copy), "--random", "--record", str(record))
    done = inside.keysift("redact", str(path), *words)
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(record.read_bytes())
    jsonschema.validate(said, SCHEMA)
    assert said["random"] == {"ranges": 1, "bytes": 256}
    assert (said["overwritten"], said["overwritten_bytes"]) == ([], 256)
    assert "memory that looks random\n    1 range, 256 bytes\n" in done.stdout
    assert d not in copy.read_bytes()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """What would be overwritten is listed, and no file is made."""
    path = planted(tmp_path / "core")
    done = inside.keysift("redact", str(path), "--dry-run")
    assert done.returncode == 0
    assert f"{len(PEM) - 1:,} bytes" in done.stdout
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "arguments",
    [
        ("core",),
        ("core", "-o", "core"),
        ("core", "-o", "hard"),
        ("core", "-o", "soft"),
        ("core", "-o", "dangling"),
        ("core", "-o", "folder"),
        ("core", "-o", "other"),
        ("core", "-o", "copy", "--dry-run"),
        ("core", "-o", "copy", "--record", "copy"),
        ("core", "-o", "copy", "--record", "core"),
        ("-", "-o", "copy"),
    ],
    ids=" ".join,
)
@POSIX
def test_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Paths that clash are refused before anything is read, and no file is touched."""
    path = planted(tmp_path / "core")
    (tmp_path / "hard").hardlink_to(path)
    (tmp_path / "soft").symlink_to(path)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    (tmp_path / "other").write_bytes(b"precious")
    before = {one.name: one.lstat().st_mtime_ns for one in tmp_path.iterdir()}
    words = [word if word.startswith("-") else str(tmp_path / word) for word in arguments]
    done = keysift("redact", *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert {one.name: one.lstat().st_mtime_ns for one in tmp_path.iterdir()} == before


@POSIX
def test_a_copy_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    """What stands there is named, and nobody is told to remove a device or a folder."""
    path = planted(tmp_path / "core")
    (tmp_path / "other").write_bytes(b"precious")
    os.mkfifo(tmp_path / "pipe")
    for name, said, to_do in (
        ("other", f"the copy would replace {tmp_path / 'other'}", "remove it first"),
        ("core", f"{path} would be written over", "name another file to write to"),
        ("pipe", f"{tmp_path / 'pipe'} cannot be replaced", "name a file"),
        (".", f"{tmp_path} cannot be written", "name a file in it"),
    ):
        done = keysift("redact", str(path), "-o", str(tmp_path / name))
        assert done.returncode == 2
        assert said.encode() in done.stderr
        assert to_do.encode() in done.stderr
        assert (b"remove" in done.stderr) == (name == "other")


@POSIX
@pytest.mark.parametrize("name", [b"\x1b[31mred\nb caf\xff%s{0}", b" -q"])
def test_hostile_names(tmp_path: Path, name: bytes) -> None:
    """Any name may be read and written; what is shown of it is safe."""
    folder = os.fsencode(tmp_path)
    path, copy = folder + b"/" + name, folder + b"/" + name + b".copy"
    planted(Path(os.fsdecode(path)))
    done = keysift("redact", path, b"-o", copy, b"--record", folder + b"/record")
    assert done.returncode == 0, done.stderr
    assert Path(os.fsdecode(copy)).stat().st_mode & 0o777 == 0o600
    assert not {b"\x1b", b"\xff"} & {done.stdout[i : i + 1] for i in range(len(done.stdout))}
    jsonschema.validate(json.loads((tmp_path / "record").read_bytes()), SCHEMA)


def test_no_canary_is_left_or_said(tmp_path: Path) -> None:
    """With --all no 8 bytes of any key are in the copy, the record or the output.

    What workers and streams could say beside, ``test_canaries`` hears.
    """
    folder = tmp_path / "in"
    folder.mkdir()
    core, dump, _, raw = test_secrets.planted(folder)
    for path in (core, dump, raw):
        copy, record = tmp_path / f"{path.name}.copy", tmp_path / f"{path.name}.json"
        options = ("--all", "-v", "--raw", "--record", str(record))
        done = inside.keysift("redact", str(path), "-o", str(copy), *options)
        assert done.returncode == 0, done.stderr
        test_secrets.assert_silent(done.stdout.encode(), done.stderr.encode())
        test_secrets.assert_silent(record.read_bytes(), copy.read_bytes())
    assert len(list(tmp_path.iterdir())) == 7


@POSIX
@pytest.mark.parametrize(
    ("module", "where"),
    [
        ("scanner.redact", "scanning.attend = end"),
        ("scanner.redact", "policy.judge = at_the_second(policy.judge)"),
        ("scanner.redact", "beside.rename = end"),
    ],
    ids=["before-the-copy", "after-the-copy", "before-the-name"],
)
def test_a_kill_leaves_no_copy(tmp_path: Path, module: str, where: str) -> None:
    """Killed at any moment, it leaves nothing under the copy's name, and no secret in a file."""
    body = f"""
import {module} as room
def end(*arguments, **named):
    os.kill(os.getpid(), 9)
def at_the_second(call, times=[]):
    def counted(*arguments, **named):
        times.append(1)
        return call(*arguments, **named) if len(times) == 1 else end()
    return counted
policy, scanning = room.policy, room.scanning
room.{where.replace("(policy", "(room.policy")}
"""
    folder = poison.folder(tmp_path, "scanner.report.redaction", body, "parent")
    path, copy = planted(tmp_path / "core"), tmp_path / "out" / "copy"
    copy.parent.mkdir()
    done = keysift("redact", str(path), "-o", str(copy), env={"PYTHONPATH": str(folder)})
    assert done.returncode == -signal.SIGKILL
    assert not copy.exists()
    for left in copy.parent.iterdir():
        test_secrets.assert_silent(left.read_bytes(), left.name.encode())
        assert left.stat().st_mode & 0o777 == 0o600


@POSIX
def test_a_full_disk_leaves_no_copy(tmp_path: Path) -> None:
    """Where the copy cannot be written whole, that is said, exit 3, and nothing is left."""
    path, copy = planted(tmp_path / "core"), tmp_path / "out" / "copy"
    copy.parent.mkdir()
    limited = (
        "import resource, runpy, sys;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "sys.argv[0] = 'keysift';"
        "runpy.run_module('scanner', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, "redact", str(path), "-o", str(copy), "-j", "1"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3
    assert b"redacted copy cannot be written" in done.stderr
    assert list(copy.parent.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_record_that_cannot_be_written_keeps_the_copy_back(tmp_path: Path) -> None:
    """A copy without the record that was asked for is none."""
    path, copy = planted(tmp_path / "core"), tmp_path / "copy"
    done = inside.keysift("redact", str(path), "-o", str(copy), "--record", "/dev/full")
    assert done.returncode == 3
    assert list(tmp_path.iterdir()) == [path]


def test_the_shipped_example(tmp_path: Path) -> None:
    """A compressed Windows dump comes out compressed, passes, and the README shows how."""
    copy = tmp_path / "copy.dmp.zst"
    path = real.path("windows-capi")
    done = inside.keysift("redact", str(path), "-o", str(copy))
    assert done.returncode == 0  # the copy was scanned, and passes
    shown = done.stdout.partition("\n")[2]
    assert shown
    assert shown in (ROOT / "README.md").read_text("utf-8")
    assert copy.read_bytes()[:4] == path.read_bytes()[:4]
