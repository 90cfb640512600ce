"""The outermost guard: nothing that goes wrong may look like a verdict.

A gate reads one number. Python itself exits 1 on any uncaught exception, click exits 1 on its own
errors, and a failed flush at shutdown makes another number of a verdict already given. So this
module imports only ``os`` and ``sys`` before its guard stands, imports everything else inside of
it, and leaves by ``os._exit`` so that no finaliser has the last word. It refuses to print a
traceback or the text of an exception that is not ours: such a text may hold bytes of a dump.
"""

import os
import sys

PASS = 0
INCOMPLETE = 3
INTERRUPTED = 130

_DO_NOT_SEND = "nothing was decided: do not send the dump"
_UNDECIDED = "what had no verdict has none: do not send it"
"""Of a command that may have decided something: a spool had cleared dumps."""
_LIBRARY_ENDED = (
    b"keysift: a library that keysift needs has ended it\n"
    b"  do:  try a machine with more memory; nothing was decided: do not send the dump\n"
    b"  why"
)
"""Said by perror(3), which adds why."""
_MAX_FRAMES = 40
_NARROWEST = 40


def main() -> None:
    """Run the command line and end the process with its exit code. Never returns."""
    code = INCOMPLETE
    try:
        code = _guarded()
        if not _flushed() and code == PASS:
            code = INCOMPLETE
            complain("the output could not be written", "stdout refused it", _DO_NOT_SEND)
    except BaseException:  # noqa: BLE001, S110 - the guard's own guard: the code stands
        pass
    finally:
        os._exit(code)


def complain(what: str, why: str = "", hint: str = "") -> None:
    """Say on stderr what failed, why, and what to do; a stderr that is gone is no error."""
    lines = [f"keysift: {what}"]
    lines += [f"  why: {why}"] if why else []
    lines += [f"  do:  {hint}"] if hint else []
    try:
        if sys.stderr is not None:
            sys.stderr.write("".join(f"{_fitted(_one_line(line))}\n" for line in lines))
            sys.stderr.flush()
    except (OSError, ValueError):
        return


def _fitted(line: str) -> str:
    """Return a line folded to the terminal, where stderr is one; else, and at worst, as it is."""
    try:
        if not sys.stderr.isatty():
            return line
        from scanner.folding import folded  # noqa: PLC0415 - inside the guard

        width = os.get_terminal_size(sys.stderr.fileno()).columns
        return folded(line, max(width, _NARROWEST), hang=len("  why: "))
    except Exception:  # noqa: BLE001 - what is said matters more than how it looks
        return line


def _guarded() -> int:
    """Return the exit code of the command line, whatever happens on the way to it."""
    try:
        _open_standard_descriptors()
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's: work is split by processes
        from scanner.processes import own_memory  # noqa: PLC0415 - inside the guard
        from scanner.processes.hardening import harden  # noqa: PLC0415 - inside the guard

        harden()
        _guard_exit()
        own_memory.collect_seldom()
        own_memory.map_large()
        from scanner.cli.main import run  # noqa: PLC0415 - inside the guard

        code = run(sys.argv[1:], complain)
    except KeyboardInterrupt:
        complain("interrupted", "", _UNDECIDED)
        return INTERRUPTED
    except BaseException as error:  # noqa: BLE001 - SystemExit of a library included
        complain("a fault of keysift itself, or of its installation", _class(error), _hint(error))
        _frames(error)
        return INCOMPLETE
    if type(code) is int and PASS <= code <= INCOMPLETE:
        return code
    complain("a fault of keysift itself", "no exit code was decided", _DO_NOT_SEND)
    return INCOMPLETE


def _open_standard_descriptors() -> None:
    """Occupy closed descriptors 0 to 2, so that no dump or report is opened in their place.

    A stdin that is closed cannot be read: it is no empty dump. Workers have them too, for else the
    pipe by which one answers would be their stdout, which they close.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            made = os.open(os.devnull, os.O_RDWR if descriptor else os.O_WRONLY)
            os.set_inheritable(made, True)  # noqa: FBT003 - os's own order


def _guard_exit() -> None:
    """Make 3 of every exit(3) in this process: a library's own would be 1, and look like a verdict.

    OpenBLAS ends a process so, while numpy is imported, where it gets no memory. We leave by _exit.
    """
    try:
        import ctypes  # noqa: PLC0415 - may be absent

        library = ctypes.CDLL(None)
        for call, argument in (("_exit", INCOMPLETE), ("perror", _LIBRARY_ENDED)):
            library["__cxa_atexit"](library[call], argument, None)  # the last is called first
    except Exception:  # noqa: BLE001 - a system without it is no worse off
        return


def _flushed() -> bool:
    """Push out what stdout still holds; False where the device refused it (a full disk)."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        return True  # nobody reads: no error, and no verdict either
    except OSError:
        return sys.platform == "win32"  # there a closed pipe is a plain OSError
    return True


def _class(error: BaseException) -> str:
    """Return what may be said of an exception that is not ours: its class, never its text."""
    name = type(error).__name__
    module = error.name if isinstance(error, ImportError) and error.name else ""
    if module.replace(".", "_").isidentifier():
        return f"{name}: the module {module}"
    if isinstance(error, OSError) and error.errno:
        return f"{name}: {os.strerror(error.errno)}"
    return name


def _hint(error: BaseException) -> str:
    if isinstance(error, ImportError):
        again = "install keysift again, in an environment of its own"
        limited = ", or give it more memory" if _limited() else ""  # dlopen says no more than that
        return f"{again}{limited}; {_DO_NOT_SEND}"
    if isinstance(error, MemoryError):
        return f"try fewer --jobs, or a machine with more memory; {_DO_NOT_SEND}"
    return f"--debug says where; {_DO_NOT_SEND}"


def _limited() -> bool:
    """Tell whether this process may use so much address space and no more (``ulimit -v``)."""
    limited = False
    if sys.platform != "win32":
        try:
            import resource  # noqa: PLC0415 - may be absent

            limited = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
        except Exception:  # noqa: BLE001 - nobody knows
            limited = False
    return limited


def _frames(error: BaseException) -> None:
    """Under --debug, say where an exception was raised: file, line, function; no values."""
    trace = error.__traceback__ if "--debug" in sys.argv else None
    for _ in range(_MAX_FRAMES):
        if trace is None:
            return
        code = trace.tb_frame.f_code
        complain(f"at {os.path.basename(code.co_filename)}:{trace.tb_lineno} in {code.co_name}")  # noqa: PTH119 - pathlib is not imported here
        trace = trace.tb_next


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


if __name__ == "__main__":
    main()
