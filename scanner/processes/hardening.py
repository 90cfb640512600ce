"""Keeps our own memory to ourselves: no core dump, no error report, no traceback.

Called first thing by the entry module and by every worker. Every step is tried and none is relied
on: a system that refuses one is no worse off than without it. What is raised in a thread or in a
finaliser, where no guard stands, is told by its class alone: its text may hold bytes of a dump; an
interruption comes again.
And how many digits a number may have that is read is no matter of the environment. This module
refuses to report, to raise, or to import anything but the standard library.
"""

import contextlib
import signal
import sys
import threading

_AGAIN_SECONDS = 0.05
"""Until a finaliser, in which an interruption was lost, has ended."""

_PR_SET_DUMPABLE = 4
"""prctl(2); 0 also keeps other processes of the same user from attaching (ptrace(2))."""

_SEM_FAILCRITICALERRORS = 0x0001
_SEM_NOGPFAULTERRORBOX = 0x0002
_SEM_NOOPENFILEERRORBOX = 0x8000
"""SetErrorMode (Win32): no fault box, and with it no error report that holds our memory."""


def harden() -> None:
    """Forbid core dumps, error reports and tracebacks of this process. Never raises."""
    with contextlib.suppress(Exception):
        threading.excepthook = _say_class
        sys.unraisablehook = _say_class
    with contextlib.suppress(Exception):  # whatever PYTHONINTMAXSTRDIGITS says
        sys.set_int_max_str_digits(sys.int_info.default_max_str_digits)
    with contextlib.suppress(Exception):
        if sys.platform == "win32":
            _windows()
        else:
            _core_limit()
    with contextlib.suppress(Exception):
        if sys.platform == "linux":
            _not_dumpable()


def _say_class(raised: "threading.ExceptHookArgs | sys.UnraisableHookArgs") -> None:
    if raised.exc_type is KeyboardInterrupt:  # Ctrl-C while a finaliser ran: it would be lost
        timer = threading.Timer(_AGAIN_SECONDS, _interrupt)
        timer.daemon = True
        timer.start()
        return
    with contextlib.suppress(Exception):
        name = getattr(raised.exc_type, "__name__", "an exception")
        sys.stderr.write(f"keysift: a fault outside of any guard: {name}\n")


def _interrupt() -> None:
    main = threading.main_thread().ident
    with contextlib.suppress(Exception):
        if sys.platform == "win32":
            signal.raise_signal(signal.SIGINT)
        elif main is not None:
            signal.pthread_kill(main, signal.SIGINT)  # a call in which it waits ends, too


def _core_limit() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _not_dumpable() -> None:
    import ctypes  # noqa: PLC0415 - may be absent

    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _windows() -> None:
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - may be absent

        ctypes.windll.kernel32.SetErrorMode(
            _SEM_FAILCRITICALERRORS | _SEM_NOGPFAULTERRORBOX | _SEM_NOOPENFILEERRORBOX
        )
