"""A hardened process leaves no core and cannot be attached to."""

import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="no core files on Windows")
def test_core_limit_is_zero() -> None:
    """After harden() the process may write no core."""
    code = (
        "import resource, scanner.processes.hardening as h; h.harden();"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(0, 0)"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_not_dumpable() -> None:
    """After harden() Linux itself calls the process not dumpable (PR_GET_DUMPABLE is 3)."""
    code = (
        "import ctypes, scanner.processes.hardening as h; h.harden();"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_numbers_have_as_many_digits_in_every_environment() -> None:
    """A small PYTHONINTMAXSTRDIGITS had ended scans, by a fault; 0 would let a dump cost hours."""
    code = "import scanner.processes.hardening as h, sys; h.harden()"
    code += "; print(sys.get_int_max_str_digits())"
    for limit in ("640", "0"):
        done = subprocess.run(
            [sys.executable, "-X", f"int_max_str_digits={limit}", "-c", code],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "4300\n"


def test_never_raises() -> None:
    """A second call, or one where nothing is left to forbid, is quiet."""
    code = "import scanner.processes.hardening as h; h.harden(); h.harden()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_no_traceback_from_elsewhere() -> None:
    """What a thread or a finaliser raises is told by its class, without text or traceback."""
    code = (
        "import threading, scanner.processes.hardening as h; h.harden()\n"
        "def fail(*_): raise ValueError('sk_live_secret')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "Odd = type('Odd', (), {'__del__': fail}); Odd()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "keysift: a fault outside of any guard: ValueError\n" * 2


@pytest.mark.skipif(sys.platform == "win32", reason="a call that waits goes on there")
def test_an_interruption_that_a_finaliser_swallows_comes_again() -> None:
    """Ctrl-C had been lost, and the command went on. In the background it is ignored."""
    code = (
        "import signal, time, scanner.processes.hardening as h; h.harden()\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def fail(*_): raise KeyboardInterrupt\n"
        "Odd = type('Odd', (), {'__del__': fail}); Odd()\n"
        "try: time.sleep(20)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
