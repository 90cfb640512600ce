"""What a terminal would break in the middle of a word is folded between words, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import real
from scanner.folding import folded
from tests import inside

ROOT = Path(__file__).resolve().parent.parent
DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("line", "width", "expected"),
    [
        ("blocks        all of it", 80, ["blocks        all of it"]),
        ("id  the title of a rule", 25, ["id  the title of a rule"]),
        ("id  the title of this rule", 24, ["id  the title of this", "    rule"]),
        ("id  high  the title of this rule", 25, ["id  high  the title of", "    this rule"]),
        ("  of a thing of many words", 20, ["  of a thing of many", "    words"]),
        (f"    SHA-256    {DIGEST}", 70, ["    SHA-256", f"      {DIGEST}"]),
        (f"    SHA-256    {DIGEST}", 40, ["    SHA-256", f"      {DIGEST}"]),
    ],
)
def test_folded(line: str, width: int, expected: list[str]) -> None:
    """What is folded goes on below its column, or further left where it has no room there."""
    assert folded(line, width).split("\n") == expected
    assert folded(line, None) == line


@given(st.text(" ab1,\n", max_size=200), st.integers(8, 120))
def test_no_word_is_lost_or_broken(text: str, width: int) -> None:
    """All words stay, in order and whole; a line is too long only where one word is."""
    said = folded(text, width)
    assert said.split() == text.split()
    assert all(len(line) <= width or len(line.split()) == 1 for line in said.split("\n"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the report on a real dump."""
    path = str(tmp_path_factory.mktemp("saved") / "report.json")
    done = inside.keysift("scan", "-f", "json", "-o", path, str(real.path("windows-capi")))
    assert done.returncode == 1
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX terminal")
@pytest.mark.parametrize("columns", [100, 40])
def test_the_command_folds_to_the_terminal(columns: int, tmp_path: Path, saved: str) -> None:
    """Report, rules, a policy and errors have no line that is wider than the terminal."""
    for command in (
        ("report", saved),
        ("report", "-q", saved),
        ("scan", "--debug", "fixtures/real/README.md", "nosuch"),
        ("rules", "list"),
        ("info", "fixtures/real/windows-capi.dmp.zst"),
        ("report", "README.md"),
    ):
        lines = on_terminal(columns, tmp_path / "out", *command)
        wide = [line for line in lines if len(line) > columns]
        assert [line for line in wide if len(line.split()) > 1] == []


def on_terminal(columns: int, kept: Path, *command: str) -> list[str]:
    """Return the lines that a command writes to a terminal of so many columns, stderr's too."""
    assert sys.platform != "win32"
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 50, columns, 0, 0))
    keep = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(
        [sys.executable, "-m", "scanner", *command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**keep, "TERM": "dumb"},
    ):
        os.close(theirs)
        with kept.open("wb") as out:
            try:
                while data := os.read(ours, 1 << 16):
                    out.write(data)
            except OSError:  # Linux' word for a terminal that was closed
                pass
    os.close(ours)
    return kept.read_text("utf-8").replace("\r", "").splitlines()
