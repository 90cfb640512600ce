"""A pipe that nobody writes to is refused; one that somebody writes to is read."""

import os
import sys
import threading
from pathlib import Path

import pytest

from scanner import known, pipes, policyfile
from scanner.errors import PolicyError, UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")


@pytest.fixture
def fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the path of a named pipe, for whose writer nobody waits long."""
    monkeypatch.setattr(pipes, "PATIENCE", 0.05)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return str(path)


def test_nobody_writes(fifo: str) -> None:
    """To wait for what never comes, a gate would say nothing for ever."""
    with pytest.raises(UsageError, match="pipe") as raised:
        known.load([fifo])
    assert raised.value.reason == "it is a pipe, and nobody writes to it"
    with pytest.raises(PolicyError):
        policyfile.load(fifo)


def test_somebody_writes(fifo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that comes later is waited for, and all that it writes is read."""
    monkeypatch.setattr(pipes, "PATIENCE", 10.0)
    writer = threading.Thread(target=Path(fifo).write_bytes, args=(b"x" * 200_000,))
    writer.start()
    with pipes.open_file(fifo) as file:
        assert file.read() == b"x" * 200_000
    writer.join()


def test_pipe_of_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no name but a descriptor's is waited for as long as its writer takes."""
    monkeypatch.setattr(pipes, "PATIENCE", 0.0)
    reading, writing = os.pipe()
    writer = threading.Timer(0.1, lambda: (os.write(writing, b"late"), os.close(writing)))
    writer.start()
    with pipes.open_file(f"/dev/fd/{reading}") as file:
        assert file.read() == b"late"
    os.close(reading)
    writer.join()
