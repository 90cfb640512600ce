"""Start programs that hold throwaway private keys, let them use the keys, and keep their cores.

    python benchmarks/make_lab.py FOLDER [--table FILE] [--only NAME ...] [--state STATE] [--list]

A table (``lab/servers.toml``) says of each program which keys it is given, how it is configured,
started and driven. Each set of keys is a run, and each process of it that is seen to hold one is a
case for ``matrix.py``: ``core`` as gdb's ``gcore`` writes it, ``truth.json`` and ``present.json``.
Nothing here knows the scanner: what a process held comes from the key files (``truth``), what the
dump holds from a search for these numbers (``find_truth``). What is not installed is left out and
said.

``--state`` takes the programs in another state than after a few uses of their keys: ``start``,
before any; ``abort``, with the core that the kernel writes upon SIGABRT; ``flood``, the same amid
many handshakes; ``reload``, after SIGHUP with other keys in the files. Needs Linux, root (many
daemons do), gdb and openssl, and answers on loopback alone.
"""

import argparse
import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import find_truth
import lab_keys as keys
import truth

TABLE = Path(__file__).parent / "lab" / "servers.toml"
PATIENCE = 20
"""Seconds until a program listens, or is given up."""

DUMPED = 600
"""Seconds in which a process is dumped: gdb reads the symbols of large programs first."""

MORE = ":/usr/sbin:/sbin:/opt/lab/usr/sbin:/opt/lab/usr/bin"
"""Where daemons are; under ``/opt/lab`` may be unpacked what conflicts with another package."""

MOST_PROCESSES = 8
SUBREAPER = 36
"""``PR_SET_CHILD_SUBREAPER`` (linux/prctl.h): daemons that detach stay ours, and are ended."""

STATES = ("start", "abort", "flood", "reload")
FLOOD = (
    "for n in 1 2 3 4; do timeout 30 openssl s_time -connect 127.0.0.1:@port@ -new -time 25 & done;"
    " sleep 2"
)

SIGNATURES = {
    "rsa": "RSA-PSS+SHA256:RSA+SHA256",
    "ec": "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512",
    "ed25519": "ed25519",
    "ed448": "ed448",
    "ml": "mldsa44:mldsa65:mldsa87",
}
"""What a client offers, so that a server with several keys uses the one that is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A row of the table. Texts may name ``@dir@``, ``@port@`` and files of keys: see ``fill``."""

    name: str
    library: str
    """Whose memory the keys are in."""
    run: str
    """Shell command that stays in front, or detaches."""
    keys: tuple[tuple[str, ...], ...] = ((),)
    """Kinds of keys that are made and given, a tuple a run."""
    files: dict[str, str] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    """Shell commands before the start."""
    listens: bool = True
    drive: tuple[str, ...] = ("tls",)
    """Shell commands; ``tls`` and ``tls PROTOCOL`` are handshakes for every key."""
    settle: float = 0.3
    """Seconds between the last command and the dump."""
    process: str = ""
    """Expression in the command lines of the processes that are dumped; all of them without it."""
    replace: str = ""
    """Shell command upon which it reads key files again: other keys, the first ones are freed."""
    secrets: tuple[dict[str, Any], ...] = ()
    """Keys that the program makes for itself: how to read them, see ``lab_keys.read``."""
    state: str = "live"
    at_exit: bool = False
    """The dump is taken as the program is about to exit."""
    aborts: bool = False
    """The dump is what the kernel writes upon SIGABRT, where the program lets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A program with one set of keys, in a folder of its own."""

    program: Program
    name: str
    folder: Path
    ports: tuple[int, int, int]
    held: tuple[keys.Held, ...]

    def fill(self, text: str) -> str:
        """Put what is known for what is named.

        A line that names ``@key@``, ``@cert@``, ... stands once for each key; ``@key0@`` is of the
        first key.
        """
        lines = []
        for line in text.split("\n"):
            each = re.search(rf"@(?:{'|'.join(keys.FILES)})@", line)
            own = self.held if each else self.held[:1] or (None,)
            lines += [self._line(line, held) for held in own]
        return "\n".join(lines)

    def _line(self, line: str, held: keys.Held | None) -> str:
        known = {"dir": str(self.folder), "port": str(self.ports[0])}
        known |= {"port2": str(self.ports[1]), "port3": str(self.ports[2])}
        known |= {"core": str(self.folder / "at-exit.core")}
        for number, other in enumerate(self.held):
            known |= {f"{form}{number}": other.file(form) for form in keys.FILES}
        if held:
            known |= {form: held.file(form) for form in keys.FILES}
        return re.sub(r"@(\w+)@", lambda match: known.get(match[1], match[0]), line)


def main() -> int:
    """Make the cases; exit 1 where a program that is installed could not be driven."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--only", nargs="*", default=[], help="expressions of names of runs")
    parser.add_argument("--state", choices=STATES)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the folder of each run")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    failed = 0
    for row in programs(options.table):
        program = in_state(row, options.state) if options.state else row
        for kinds in program.keys:
            name = "-".join((program.name, *kinds))
            if options.only and not any(re.search(only, name) for only in options.only):
                continue
            if options.list:
                print(name)
                continue
            failed += not make(program, kinds, name, options.folder, keep=options.keep)
    return int(bool(failed))


def programs(table: Path) -> Iterator[Program]:
    """Yield the rows of a table; lists become tuples."""
    for row in tomllib.loads(table.read_text("utf-8"))["program"]:
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
        }
        if "keys" in fields:
            fields["keys"] = tuple(map(tuple, fields["keys"]))
        yield Program(**fields)


def in_state(program: Program, state: str) -> Program:
    """Return a row of the table changed to what ``--state`` says."""
    name = f"{program.name}-{state}"
    if state == "start":
        return replace(program, name=name, drive=(), replace="")
    if state == "reload":
        return replace(program, name=name, replace=program.replace or "kill -HUP @main@")
    drive = (*program.drive, FLOOD) if state == "flood" else program.drive
    settle = 0 if state == "flood" else program.settle
    return replace(program, name=name, drive=drive, settle=settle, replace="", aborts=True)


def make(program: Program, kinds: tuple[str, ...], name: str, folder: Path, *, keep: bool) -> bool:
    """Make the cases of one run; say what came of it."""
    binary = shlex.split(program.run.removeprefix("exec "))[0]
    if not shutil.which(binary, path=os.environ["PATH"] + MORE):
        print(f"{name}: {binary} is not installed", flush=True)
        return True
    where = Path(tempfile.mkdtemp(prefix=f"{name}."))
    where.chmod(0o777 if program.aborts else 0o755)
    held = tuple(keys.make(kind, f"k{n}", where) for n, kind in enumerate(kinds))
    run = Run(program=program, name=name, folder=where, ports=_ports(), held=held)
    try:
        cases = list(_cases(run, folder))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"{name}: {error}; see {where}", flush=True)
        return False
    finally:
        _end()
    print(f"{name}: {', '.join(cases) or f'no process holds a key; see {where}'}", flush=True)
    if cases and not keep:
        shutil.rmtree(where)
    return bool(cases)


def _ports() -> tuple[int, int, int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    first, second, third = (opened.getsockname()[1] for opened in sockets)
    for opened in sockets:
        opened.close()
    return first, second, third


# --- a run --------------------------------------------------------------------------------------


def _cases(run: Run, folder: Path) -> Iterator[str]:
    """Start, drive and dump; yield the names of the cases."""
    program = run.program
    for name, text in program.files.items():
        path = run.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(run.fill(text), "utf-8")
    for command in program.setup:
        _shell(run, command)
    if program.at_exit:
        yield from _dumped_at_exit(run, folder)
        return
    before = set(_descendants())
    limit = "unlimited" if program.aborts else 0
    with (run.folder / "log").open("wb") as log:
        started = subprocess.Popen(
            ["sh", "-c", f"ulimit -c {limit}; exec {run.fill(program.run).removeprefix('exec ')}"],
            cwd=run.folder,
            env=_environment(run),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _wait(run, started)
    for command in program.drive:
        _drive(run, command)
    secrets = [truth.secret(held.name, held.key) for held in run.held]
    if program.replace:
        for secret in secrets:
            secret["state"] = "freed"
        secrets += _replace(run, started.pid)
    secrets += [secret for how in program.secrets for secret in keys.read(how, run.folder)]
    time.sleep(program.settle)
    wanted = _wanted(program, before)
    for number, pid in enumerate(wanted):
        core = run.folder / f"core.{pid}"
        label = run.name if len(wanted) == 1 else f"{run.name}-{number}"
        exe = Path(f"/proc/{pid}/exe")
        held = str(exe.readlink()) if exe.exists() else ""
        _dump(program, pid, core)
        if core.exists() and _keep(run, core, label, folder, secrets, held):
            yield label


def _wanted(program: Program, before: set[int]) -> list[int]:
    """Return the processes that are dumped, children first where a parent's end is theirs."""
    running = {pid: _command(pid) for pid in _descendants() if pid not in before}
    wanted = [
        pid
        for pid, command in running.items()
        if re.search(program.process, command) and " s_time " not in command
    ]
    return wanted[:MOST_PROCESSES][:: -1 if program.aborts else 1]


def _dump(program: Program, pid: int, core: Path) -> None:
    """Write the core of a process, if that can be."""
    if program.aborts:
        _abort(pid, core)
        return
    subprocess.run(
        ["gcore", "-o", str(core.with_suffix("")), str(pid)],
        capture_output=True,
        timeout=DUMPED,
        check=False,
    )


def _abort(pid: int, core: Path) -> None:
    """End a process by SIGABRT, and take the core that the kernel put where the process worked."""
    try:
        where = Path(f"/proc/{pid}/cwd").readlink()
        os.kill(pid, signal.SIGABRT)
    except OSError:  # its parent took it along
        return
    end = time.monotonic() + PATIENCE
    while pid in _descendants() and time.monotonic() < end:
        time.sleep(0.1)
    for name in (f"core.{pid}", "core"):
        if (where / name).is_file():
            shutil.move(where / name, core)


def _dumped_at_exit(run: Run, folder: Path) -> Iterator[str]:
    """Run a short-lived program under gdb, which dumps it as it exits."""
    command = run.fill(run.program.run)
    gdb = ["gdb", "-q", "-batch", "-ex", "set startup-with-shell off"]
    gdb += ["-ex", "catch syscall exit_group", "-ex", "run", "-ex", f"gcore {run.folder}/core"]
    with (run.folder / "log").open("wb") as log:
        _logged(run, [*gdb, "--args", *shlex.split(command)], log)
    secrets = [truth.secret(held.name, held.key) for held in run.held]
    secrets += [secret for how in run.program.secrets for secret in keys.read(how, run.folder)]
    core = run.folder / "core"
    exe = shutil.which(shlex.split(command)[0]) or ""
    if core.exists() and _keep(run, core, run.name, folder, secrets, exe):
        yield run.name


def _keep(
    run: Run, core: Path, label: str, folder: Path, secrets: list[dict[str, Any]], exe: str
) -> bool:
    """Make a case of a core, if it holds anything of a key."""
    case = run.folder / "cases" / label
    case.mkdir(parents=True)
    shutil.move(core, case / "core")
    (case / "truth.json").write_text(
        json.dumps(
            {
                "case": label,
                "program": run.program.name,
                "library": run.program.library,
                "state": run.program.state,
                "exe": exe,
                "dumped": "kernel" if run.program.aborts else "gcore",
                "secrets": secrets,
            },
            indent=1,
        ),
        "utf-8",
    )
    found = find_truth.search(case)
    (case / "present.json").write_text(json.dumps(found, indent=1), "utf-8")
    if any(seen["recoverable"] or seen["weak"] or seen["parts"] for seen in found["secrets"]):
        shutil.rmtree(folder / label, ignore_errors=True)
        shutil.move(case, folder / label)
        return True
    return False


def _replace(run: Run, main: int) -> list[dict[str, Any]]:
    """Put other keys into the files, have them read, and use them."""
    fresh = [keys.make(held.kind, held.name, run.folder) for held in run.held]
    _shell(run, run.program.replace.replace("@main@", str(main)))
    time.sleep(1)
    for command in run.program.drive:
        _drive(run, command)
    return [truth.secret(f"{held.name}-new", held.key) for held in fresh]


def _environment(run: Run) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"] + MORE,
        "LD_LIBRARY_PATH": "/opt/lab/usr/lib/x86_64-linux-gnu",
        "HOME": str(run.folder),
        "LANG": "C.UTF-8",
        "GOTRACEBACK": "crash",
    }


def _shell(run: Run, command: str) -> None:
    """Run one command of a table in the folder of the run."""
    with (run.folder / "commands.log").open("ab") as log:  # a pipe would wait for what runs on
        log.write(run.fill(command).encode() + b"\n")
        log.flush()
        _logged(run, ["bash", "-c", run.fill(command)], log)


def _logged(run: Run, command: list[str], log: BinaryIO) -> None:
    """Run a command in the folder of the run, and keep what it says."""
    subprocess.run(
        command,
        cwd=run.folder,
        env=_environment(run),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        timeout=120,
        check=False,
    )


def _drive(run: Run, command: str) -> None:
    """Run a command, or shake hands with every key."""
    word, _, protocol = command.partition(" ")
    if word != "tls":
        _shell(run, command)
        return
    start = f"-starttls {protocol}" if protocol else ""
    for kind in {held.kind.split("-")[0] for held in run.held} or {"rsa", "ec"}:
        for version in ("-tls1_3", "-tls1_2", "-tls1_3"):
            offer = f"-sigalgs {SIGNATURES[kind]} {version} {start}"
            _shell(
                run,
                f"timeout 10 openssl s_client -connect 127.0.0.1:@port@ {offer}"
                " -servername lab.example </dev/null",
            )


def _wait(run: Run, started: subprocess.Popen[bytes]) -> None:
    """Wait until the program listens, or two seconds."""
    if not run.program.listens:
        time.sleep(2)
        return
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", run.ports[0]), 1).close()
        except OSError:
            if started.poll():
                message = f"exit {started.returncode}"
                raise TimeoutError(message) from None
            time.sleep(0.1)
        else:
            time.sleep(0.3)
            return
    message = "it does not listen"
    raise TimeoutError(message)


# --- processes ----------------------------------------------------------------------------------


def _descendants() -> list[int]:
    """Return the processes under this one, those that detached too."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    ours, found = {os.getpid()}, []
    while more := [pid for pid, parent in parents.items() if parent in ours and pid not in ours]:
        ours |= set(more)
        found += more
    return sorted(found)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").replace("\0", " ")
    except OSError:
        return ""


def _end() -> None:
    """End every process that was started, each by its number."""
    for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        for pid in _descendants():
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                continue
        time.sleep(0.2)
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                return


if __name__ == "__main__":
    sys.exit(main())
