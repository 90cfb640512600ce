"""Where a report goes: stdout, or a file that takes its name at once and whole.

A reader who left is no error: the verdict is in the exit code, and the caller learns that nobody
read it. A device that is full is one. This module imports nothing that costs time, decides no exit
code, and never replaces what is no regular file.
"""

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import TextIO

from scanner import beside
from scanner.errors import ReportError, cause
from scanner.folding import folded

NARROWEST = 40
"""Columns of the narrowest terminal that is folded for."""


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether a person may be looking at a stream."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Say whether to colour: ``always``, ``never``, or ``auto``, which honours NO_COLOR."""
    if choice != "auto":
        return choice == "always"
    return (
        not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and is_terminal(stream)
    )


def columns() -> int | None:
    """Return how wide the terminal is that stdout is; None where it is none."""
    if not is_terminal(sys.stdout):
        return None
    return max(shutil.get_terminal_size().columns, NARROWEST)


def show_lines(text: str) -> None:
    """Write lines to stdout, folded where it is a terminal. Raises ReportError."""
    show(folded(text, columns()))


def show(text: str) -> bool:
    """Write to stdout; False where that is closed. A full one raises ReportError."""
    if sys.stdout is None:
        return False
    try:
        sys.stdout.flush()
        out = sys.stdout.buffer
        out.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        out.flush()
    except (BrokenPipeError, ValueError):
        return False
    except OSError as error:
        if sys.platform == "win32" and error.errno == errno.EINVAL:
            return False  # a closed pipe there
        raise _unwritten("the output", error) from error
    return True


def save(text: str, path: str) -> bool:
    """Write to a file: beside it first, for its owner alone, then renamed. Raises ReportError.

    What is there and is no regular file (a pipe, a device) is written to and not replaced. False
    where it is a pipe whose reader left.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if Path(path).exists() and not Path(path).is_file():
            Path(path).write_bytes(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except BrokenPipeError:
        return False
    except OSError as error:
        raise _unwritten(f"the file {path}", error) from error
    return True


def _replace(target: Path, data: bytes) -> None:
    with beside.beside(target) as part:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(part, target)


def _unwritten(what: str, error: OSError) -> ReportError:
    return ReportError(
        f"{what} could not be written",
        reason=cause(error),
        hint="make room, or name another file; a pass that is not told is none",
    )
