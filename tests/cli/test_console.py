"""Progress is seen on a terminal and nowhere else, and says nothing that a dump could choose."""

import io
import re
import sys

import pytest

from scanner.cli import console
from scanner.progress import Silence


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and one that can take colour."""

    def isatty(self) -> bool:
        """Say that a person looks on."""
        return True


def watch(path: str, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    """Return what is drawn, in all, while two phases go by."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with console.progress(path, quiet=False, color=False) as progress:
        progress.phase("sweep", 1000)
        progress.advance(400)
        if isinstance(progress, console.Bar):
            progress._display.refresh()
        progress.phase("trace", 0)
        progress.done()
        progress.advance(1)
        progress.done()
    return stream.getvalue()


def test_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the phase, the bytes and the base name are drawn; late calls are no error."""
    drawn = watch("/var/crash/core.7", monkeypatch, Terminal())
    assert "core.7  sweep" in drawn
    assert "400/1,000 bytes" in drawn
    assert "/var/crash" not in drawn


def test_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere not a byte is written."""
    assert watch("/var/crash/core.7", monkeypatch, io.StringIO()) == ""


def test_what_is_said_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note has lines of its own, and the bar goes on below it; elsewhere it stands alone."""
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        with console.progress("x", quiet=False, color=False) as progress:
            progress.phase("sweep", 1000)
            console.aside(progress, lambda: print("a note", file=sys.stderr))  # noqa: T201 - what it is for
            progress.advance(400)
            if isinstance(progress, console.Bar):
                progress._display.refresh()
        drawn = stream.getvalue()
        before, _, after = drawn.partition("a note\n")
        assert (before + after == "") or (before.endswith("\x1b[2K") and "400/1,000" in after)


def test_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to be quiet, progress is silent on a terminal too."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with console.progress("x", quiet=True, color=True) as progress:
        assert isinstance(progress, Silence)


def test_hostile_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file name cannot colour, retitle, mark up or break the line."""
    drawn = watch("/var/\x1b]0;owned\x07[red]\n\u202e", monkeypatch, Terminal())
    assert "\x1b]" not in drawn
    assert "\x07" not in drawn
    assert "\u202e" not in drawn
    assert re.search(r"\\x1b\]0;owned\\x07\[red\]\\n\\u202e  sweep", drawn)
