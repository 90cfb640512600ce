"""The command in this process: for what is not about processes, how they start and how they end."""

import contextlib
import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from scanner import __main__ as entry
from scanner.cli import main


def keysift(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that reads dumps, without workers; return its exit code and what it says."""
    return run(*words, "--debug")


def run(*line: str) -> subprocess.CompletedProcess[str]:
    """Run a command line; return its exit code and what it says.

    Raises what the guard would tell as a fault of ours.
    """
    out, said = io.BytesIO(), io.StringIO()
    with (
        io.TextIOWrapper(out, "utf-8", write_through=True) as stdout,
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(said),
    ):
        code = main.run(line, entry.complain)
        return subprocess.CompletedProcess(line, code, out.getvalue().decode(), said.getvalue())


@contextlib.contextmanager
def on_stdin(path: Path) -> Iterator[None]:
    """Let a file be what this process reads from."""
    kept = os.dup(0)
    with path.open("rb") as source:
        os.dup2(source.fileno(), 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
