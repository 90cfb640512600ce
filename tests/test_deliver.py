"""A report arrives whole or not at all, and where it goes changes no verdict."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scanner import deliver
from scanner.errors import ReportError

ROOT = Path(__file__).resolve().parent.parent
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
DELIVER = """
import os, sys
from scanner.cli import output
from scanner.model import Report, Verdict
def render(report, **look):
    if {fails}: raise ValueError("sk_live_secret")
    return "report"
report = Report(tool_version="", rules_sha256="", policy_sha256="", known_sha256="", mode="",
                verdict=Verdict("{verdict}"), dumps=())
code = dict(output.EXIT_CODES)[report.verdict]
look = output.Look(
    render=render, output={output!r}, color_choice="never", verbose=False, quiet=False
)
if {waits}: input()
tell = lambda *said: print(*said, file=sys.stderr, flush=True)
os._exit(output.hand_over(report, code, look, tell))
"""


def test_save_is_private_and_whole(tmp_path: Path) -> None:
    """The file is its owner's alone, holds all of the text, and nothing else is left behind."""
    target = tmp_path / "report.json"
    target.write_text("old")
    deliver.save("new \udc80", str(target))
    assert target.read_text() == "new \\udc80"
    assert list(tmp_path.iterdir()) == [target]
    if sys.platform != "win32":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


@POSIX
def test_save_follows_a_link(tmp_path: Path) -> None:
    """A symbolic link stays one; what it leads to is replaced."""
    (tmp_path / "link").symlink_to(tmp_path / "report")
    deliver.save("text", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "report").read_text() == "text"


@POSIX
def test_save_replaces_no_device() -> None:
    """A device is written to and stays what it is."""
    deliver.save("text", "/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_save_says_why_not(tmp_path: Path) -> None:
    """Where no file can be made the error is ours, and what stood there stands."""
    with pytest.raises(ReportError, match="could not be written"):
        deliver.save("text", str(tmp_path / "none" / "report"))
    with pytest.raises(ReportError):
        deliver.save("text", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("output", [None, "/dev/full"])
@pytest.mark.parametrize(("verdict", "code"), [("pass", 3), ("blocked", 1), ("incomplete", 3)])
def test_full_device(verdict: str, code: int, output: str | None) -> None:
    """A pass whose report is lost is incomplete; blocked stays blocked."""
    script = DELIVER.format(fails=False, waits=False, verdict=verdict, output=output)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == code
    assert b"could not be written" in done.stderr


@POSIX
@pytest.mark.parametrize(("verdict", "code"), [("pass", 0), ("blocked", 1), ("incomplete", 3)])
def test_closed_pipe(verdict: str, code: int) -> None:
    """A reader who left takes no verdict with him, and is spoken of on stderr."""
    script = DELIVER.format(fails=False, waits=True, verdict=verdict, output=None)
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, said = process.communicate(b"\n", timeout=30)
    assert process.returncode == code
    assert said.startswith(b"nobody could read the report")


def test_blocked_outlives_a_renderer() -> None:
    """A renderer that fails takes no blocked verdict back, and its message stays unsaid."""
    script = DELIVER.format(fails=True, waits=False, verdict="blocked", output=None)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ValueError" in done.stderr
    assert "sk_live_secret" not in done.stderr


@pytest.mark.parametrize(
    ("choice", "expected"), [("always", True), ("never", False), ("auto", False)]
)
def test_color_choice(choice: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """``always`` and ``never`` are obeyed; ``auto`` is off where NO_COLOR stands."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert deliver.wants_color(choice, sys.__stderr__) is expected
