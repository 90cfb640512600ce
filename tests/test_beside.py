"""A file beside another takes its name whole, or is gone, whatever ended the work."""

import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scanner.beside import beside, rename

ROOT = Path(__file__).resolve().parent.parent
ENDED = """
import os, signal, sys
from pathlib import Path
from scanner.beside import beside
number = signal.Signals(int(sys.argv[2]))
signal.signal(number, signal.SIG_IGN if sys.argv[3:] else signal.SIG_DFL)
with beside(Path(sys.argv[1])) as part:
    part.write_bytes(b"half of it")
    os.kill(os.getpid(), number)
print("went on")
"""


def test_a_file_takes_its_name_whole(tmp_path: Path) -> None:
    """Under its own name it is its owner's alone; then it stands under the other, and no more."""
    target = tmp_path / "report"
    target.write_bytes(b"old")
    with beside(target) as part:
        assert part.parent == tmp_path
        if sys.platform != "win32":
            assert stat.S_IMODE(part.stat().st_mode) == 0o600
        part.write_bytes(b"new")
        assert target.read_bytes() == b"old"
        rename(part, target)
        assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
def test_what_fails_leaves_no_part(tmp_path: Path, error: type[BaseException]) -> None:
    """What is raised amid the work goes on, and the file does not stay."""

    def fail(part: Path) -> None:
        part.write_bytes(b"half of it")
        raise error

    with pytest.raises(error), beside(tmp_path / "report") as part:
        fail(part)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [15, 1])
@pytest.mark.parametrize("ignored", [False, True])
def test_who_is_ended_leaves_no_part(tmp_path: Path, number: int, *, ignored: bool) -> None:
    """SIGTERM and SIGHUP end the process, and the file goes; an ignored one ends nothing.

    Whoever runs the tests may ignore SIGHUP, as nohup does, and what it starts inherits that.
    """
    words = (str(tmp_path / "report"), str(number), *(["ignored"] if ignored else []))
    done = subprocess.run(
        [sys.executable, "-c", ENDED, *words], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == (0 if ignored else -signal.Signals(number))
    assert done.stdout == (b"went on\n" if ignored else b"")
    assert list(tmp_path.iterdir()) == []


def test_it_works_in_any_thread(tmp_path: Path) -> None:
    """Signals have handlers in the main thread alone; in another the file is made all the same."""
    target = tmp_path / "report"

    def write() -> None:
        with beside(target) as part:
            part.write_bytes(b"new")
            rename(part, target)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert target.read_bytes() == b"new"
