"""Calls that the tests of a fleet let its workers make: they must be where workers can import."""

import os
import signal
import time
from pathlib import Path

from scanner.stages.session import Session


def note(path: str, number: int) -> int:
    """Leave a mark in a file that it was called, and answer."""
    with Path(path).open("a", encoding="ascii") as file:
        file.write(f"{number}\n")
    return number


def die(path: str, number: int, times: int) -> int:
    """Leave a mark, and kill the worker unless that was done so many times."""
    note(path, number)
    if Path(path).read_text("ascii").split().count(str(number)) <= times:
        time.sleep(1)  # a worker that dies while its nanny waits for it to start is not replaced
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def wait(seconds: float) -> float:
    """Answer late."""
    time.sleep(seconds)
    return seconds


def kill_guarded(_session: Session, number: int) -> int:
    """Kill the guarded process for one number, answer in it for the others."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def children() -> int:
    """Count the guarded processes beside a worker."""
    import multiprocessing

    return len(multiprocessing.active_children())
