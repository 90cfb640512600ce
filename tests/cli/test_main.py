"""The real command, its exit codes and what it says, in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.cli import main
from tests import inside, poison
from tests.cli.test_redact import PEM

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "scanner")


def keysift(
    *arguments: str, env: dict[str, str] | None = None, command: tuple[str, ...] = COMMAND
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        ((), 2, "missing command"),
        (("nope",), 2, "no such command"),
        (("scan",), 2, "missing argument 'DUMP...'"),
        (("scan", "--nope", "x"), 2, "no such option"),
        (("scan", "x", "-f", "pdf"), 2, "'pdf' is not one of"),
        (("scan", "x", "-j", "0"), 2, "not in the range"),
        (("scan", "x", "-j", "many"), 2, "not a valid integer"),
        (("scan", "x", "--spool-dir", "/nowhere/at/all"), 2, "does not exist"),
        (("scan", "-", "-"), 2, "stands twice"),
        (("scan", "x", "-o", "log", "--audit-log", "log"), 2, "log would be written over"),
        (("scan", "x", "-o", "p.toml", "--policy", "./p.toml"), 2, "p.toml would be written over"),
        (("scan", "x" * 300, "-o", "x" * 300), 2, "would be written over"),
        (("redact", "x", "-o", "-"), 2, "- cannot be redacted, nor be the copy"),
        (("redact", "x", "-o", "y", "--record", "./y"), 2, "y would be written over"),
        (("report", "README.md", "-o", "./README.md"), 2, "README.md would be written over"),
        (("spool", "x", "--public-key", "y"), 2, "there is no key to sign with"),
        (("rules",), 2, "missing command"),
        (("rules", "show", "nope"), 2, "there is no rule nope"),
        (("rules", "show", "\x1b[31m\n"), 2, "there is no rule \\x1b[31m\\n"),
        (("--version",), 0, ""),
        (("--help",), 0, ""),
        (("scan", "--help"), 0, ""),
        (("rules", "list"), 0, ""),
    ],
)
def test_exit_codes(arguments: tuple[str, ...], code: int, fragment: str) -> None:
    """A command line has its exit code and its words on stderr, and never a traceback."""
    done = keysift(*arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert fragment in done.stderr
    assert bool(done.stderr) == bool(code)
    assert bool(done.stdout) == (code == 0)


def test_the_rules_that_ship_find_their_examples() -> None:
    """Whoever asks whether the installed rules work is told that they do."""
    done = keysift("rules", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(", 0 problems\n")


def test_missing_file_is_incomplete(tmp_path: Path) -> None:
    """A dump that cannot be opened is an entry of the report, and exit 3."""
    paths = (str(tmp_path / "none"), str(tmp_path / "nor this"))
    done = inside.keysift("scan", "-f", "json", *paths)
    assert done.returncode == 3
    report = json.loads(done.stdout)
    assert [dump["verdict"] for dump in report["dumps"]] == ["incomplete", "incomplete"]
    assert done.stderr.count("keysift: ") == 2


def test_a_usage_error_has_three_parts() -> None:
    """What click refuses is told as what we refuse: what, why, what to do."""
    done = keysift("scan", "x", "-j", "0")
    assert done.stderr == (
        "keysift: invalid value for '-j' / '--jobs'\n"
        "  why: 0 is not in the range x>=1\n"
        "  do:  see keysift scan --help\n"
    )


def test_an_error_names_its_file(tmp_path: Path) -> None:
    """Whatever the command, what cannot be read is told by its path, and why it cannot."""
    path = str(tmp_path / "none")
    expected = (
        f"keysift: {path}: the file cannot be opened\n"
        "  why: no such file or directory\n"
        "  do:  check the path and that you may read it\n"
    )
    for command in (("scan", "-q"), ("redact", "--dry-run")):
        done = inside.keysift(*command, path)
        assert (done.returncode, done.stderr) == (3, expected)
    done = keysift("info", path)
    assert (done.returncode, done.stderr) == (3, expected)


WITHOUT = "-dac_override,-dac_read_search"
"""Capabilities by which root reads everything (capabilities(7))."""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_a_dump_that_may_not_be_read_is_incomplete(tmp_path: Path) -> None:
    """It is no error of usage, and the dumps beside it are scanned."""
    command = COMMAND
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and no setpriv is here")
        less = ("--bounding-set", WITHOUT, "--inh-caps", WITHOUT)
        command = ("setpriv", *less, *COMMAND)
    (tmp_path / "dark").write_bytes(b"hello")
    (tmp_path / "dark").chmod(0)
    (tmp_path / "light").write_bytes(b"hello")
    paths = [str(tmp_path / "dark"), str(tmp_path / "light")]
    done = keysift("scan", "--raw", "-f", "json", *paths, command=command)
    assert done.returncode == 3
    assert "why: permission denied" in done.stderr
    verdicts = [dump["verdict"] for dump in json.loads(done.stdout)["dumps"]]
    assert verdicts == ["incomplete", "pass"]


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    """A path that no system takes is no fault of ours, on either side."""
    for arguments, code in ((("x" * 300,), 3), (("x", "-o", str(tmp_path / ("y" * 300))), 2)):
        done = inside.keysift("scan", "-q", *arguments)
        assert done.returncode == code
        assert "fault of keysift" not in done.stderr
        assert done.stderr.count("why: file name too long") == 1


def test_a_dash_is_stdout(tmp_path: Path) -> None:
    """``-o -`` writes to stdout, and an empty name is no name: nothing is written elsewhere."""
    (tmp_path / "core").write_bytes(b"hello")
    env = {"PYTHONPATH": str(ROOT)}
    for output, code in (("-", 0), ("", 2)):
        done = subprocess.run(
            [*COMMAND, "scan", "-q", "--raw", "core", "-o", output],
            cwd=tmp_path,
            env={**os.environ, **env},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, bool(done.stdout)) == (code, code == 0)
    assert [path.name for path in tmp_path.iterdir()] == ["core"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "{}/core", "-o"),
        ("scan", "{}/core", "--audit-log"),
        ("fleet", "{}/core", "-o"),
        ("fleet", "{}/core", "--audit-log"),
        ("redact", "{}/core", "-o"),
        ("redact", "{}/core", "-o", "{}/copy", "--record"),
        ("redact", "{}/core", "-o", "{}/copy", "--audit-log"),
        ("attest", "{}/core", "--key", "{}/key", "-o"),
        ("attest", "{}/core", "--key", "{}/key", "--report"),
        ("attest", "{}/core", "--key", "{}/key", "--audit-log"),
        ("verify", "{}/core", "--attestation", "{}/core", "--key", "{}/key", "--audit-log"),
        ("report", "{}/core", "-o"),
        ("spool", "--once", "{}/spool", "--metrics"),
        ("spool", "--once", "{}/spool", "--audit-log"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_written_is_told_before_anything_is_read(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """A missing folder, a folder itself, a file for a folder: exit 2, and nothing is made."""
    (tmp_path / "core").write_bytes(b"hello")
    words = [word.format(tmp_path) for word in arguments]
    for place, said, to_do in (
        ("no/such/file", "there is no folder", "make the folder"),
        (".", "it is a directory", "name a file in it"),
        ("core/file", "is no folder", "name another place"),
        ("", "an empty text names no file", f"see keysift {words[0]} --help"),
    ):
        told: list[str] = []
        where = str(tmp_path / place) if place else ""
        code = main.run([*words, where], lambda *parts, told=told: told.extend(parts))
        assert (code, len(told)) == (2, 3)
        assert said in told[1]
        assert to_do in told[2]
    assert [path.name for path in tmp_path.iterdir()] == ["core"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(("data", "code"), [(b"hello", 3), (PEM, 1)])
def test_the_verdict_is_told_where_the_report_is_lost(
    tmp_path: Path, data: bytes, code: int
) -> None:
    """It stands on stderr then, and a pass is none."""
    (tmp_path / "core").write_bytes(data)
    done = keysift("scan", "--raw", str(tmp_path / "core"), "-o", "/dev/full")
    assert (done.returncode, done.stdout) == (code, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"keysift: {'blocked: 1 private key' if code == 1 else 'incomplete: '}")
    assert "pass:" not in done.stderr


def test_an_empty_name_is_no_dump(tmp_path: Path) -> None:
    """As of a variable that nobody set."""
    (tmp_path / "folder").mkdir()
    done = keysift("scan", "")
    assert (done.returncode, done.stdout) == (2, "")
    assert "why: an empty text names no file" in done.stderr
    done = keysift("scan", str(tmp_path / "folder"))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"keysift: the directory {tmp_path / 'folder'} holds no file\n" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")
@pytest.mark.parametrize("arguments", ["scan -", "info -", "attest - --key k", "ingest {}/spool"])
def test_a_terminal_is_no_dump(tmp_path: Path, arguments: str) -> None:
    """Nobody types one: waiting for it would be for ever."""
    ours, theirs = os.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, *arguments.format(tmp_path).split()],
            cwd=ROOT,
            stdin=theirs,
            capture_output=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"standard input is a terminal" in done.stderr
    assert (b"keysift ingest FOLDER <" in done.stderr) == arguments.startswith("ingest")
    assert not list(tmp_path.iterdir())


def test_output_never_replaces_a_dump(tmp_path: Path) -> None:
    """--output that names a dump, by whatever path, is a usage error, and the dump stays."""
    dump = tmp_path / "core"
    dump.write_bytes(b"precious")
    (tmp_path / "other").hardlink_to(dump)
    done = keysift("scan", str(dump), "-o", str(tmp_path / "other"))
    assert done.returncode == 2
    assert "would be written over" in done.stderr
    assert dump.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "body",
    [
        "raise ImportError('sk_live_secret')",
        "raise RuntimeError('sk_live_secret')",
        "raise SystemExit(0)",
        "raise SystemExit(1)",
        "raise SystemExit('sk_live_secret')",
        "raise MemoryError",
        "raise GeneratorExit('sk_live_secret')",
        "def f(): f()\nf()",
        "import sys; sys.stderr = None; raise ValueError('sk_live_secret')",
        "import sys; sys.stdout = None; sys.stderr.close(); raise OSError(28, 'sk_live_secret')",
        "import atexit, os; atexit.register(os._exit, 0); raise KeyError('sk_live_secret')",
        "import ctypes; ctypes.CDLL(None).exit(0)",
        "import ctypes; ctypes.CDLL(None).exit(1)",
        "this is no Python",
    ],
)
def test_failing_import_is_incomplete(tmp_path: Path, body: str) -> None:
    """Whatever a library does while it is imported is exit 3, told by class alone."""
    (tmp_path / "click.py").write_text(body)
    done = keysift("--version", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "sk_live_secret" not in done.stdout + done.stderr


def test_missing_library_is_named() -> None:
    """Without its libraries keysift says which one it lacks, and exits 3."""
    done = keysift("--version", command=(sys.executable, "-S", "-m", "scanner"))
    assert done.returncode == 3
    assert "the module click" in done.stderr
    assert "install keysift again" in done.stderr
    assert "more memory" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of address space")
def test_library_that_a_limit_of_memory_keeps_out() -> None:
    """Under ``ulimit -v`` a library that is there does not load, and nothing says why."""
    limited = (
        "sh",
        "-c",
        'ulimit -v 4000000; exec "$@"',
        "sh",
        sys.executable,
        "-S",
        "-m",
        "scanner",
    )
    done = keysift("--version", command=limited)
    assert done.returncode == 3
    assert "or give it more memory" in done.stderr


def test_debug_says_where_and_no_more(tmp_path: Path) -> None:
    """--debug adds file, line and function of a fault; the text of the exception stays unsaid."""
    (tmp_path / "click.py").write_text("def f():\n    raise RuntimeError('sk_live_secret')\nf()\n")
    done = keysift("scan", "x", "--debug", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 3
    assert "at click.py:2 in f" in done.stderr
    assert "sk_live_secret" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("rules", "list")])
def test_full_stdout(arguments: tuple[str, ...]) -> None:
    """Output that could not be written is exit 3, never Python's 1 or 120."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 3
    assert b"could not be written" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
@pytest.mark.parametrize("arguments", [("--version",), ("scan", "--help"), ("rules", "list")])
def test_closed_pipe(arguments: tuple[str, ...]) -> None:
    """A reader who left changes nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("arguments", "code"), [("--version", 0), ("scan", 2), ("scan /none", 3)])
def test_closed_descriptors(closed: str, arguments: str, code: int) -> None:
    """Standard descriptors that are not there change no exit code."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m scanner {arguments} {closed}', sys.executable],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == code


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells")
@pytest.mark.parametrize(
    ("closed", "codes"), [("<&- >&-", (1,)), ("2>&-", (0,)), ("<&- >&- 2>&-", (0, 1))]
)
def test_a_scan_with_closed_descriptors(
    tmp_path: Path, closed: str, codes: tuple[int, ...]
) -> None:
    """Workers have them, whoever closed them: the verdict is that of any other scan."""
    for code in codes:
        name = ("good", "bad")[code]
        (tmp_path / name).write_bytes(bytes(20_000_000) + PEM * code)
        done = subprocess.run(
            ["sh", "-c", f'"$0" -m scanner scan --raw -j 2 {name} {closed}', sys.executable],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == code
        unread = closed == "<&- >&-"  # there is a stderr to say so
        assert done.stderr.startswith(b"keysift: nobody could read the report" if unread else b"")
        assert bool(done.stderr) is unread


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX descriptors")
def test_closed_descriptors_are_open_in_workers() -> None:
    """What takes their place is inherited: else the pipe of a worker's answers could take it."""
    code = (
        "import os, scanner.__main__ as entry\n"
        "os.close(0), os.close(1)\n"
        "entry._open_standard_descriptors()\n"
        "os._exit(0 if os.get_inheritable(0) and os.get_inheritable(1) else 1)"
    )
    assert keysift(command=(sys.executable, "-c", code)).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells")
@pytest.mark.parametrize("command", ["scan --raw -", 'ingest "$1/spool" --raw'])
def test_a_stdin_that_is_closed_is_no_dump(tmp_path: Path, command: str) -> None:
    """Where there is no stdin there is nothing that could pass."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m scanner {command} <&-', sys.executable, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "why: bad file descriptor\n  do:  " in done.stderr
    assert not list(tmp_path.glob("spool/cleared/*"))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_interrupt(tmp_path: Path) -> None:
    """An interrupt is exit 130, takes back no verdict that was given, and shows no traceback."""
    (tmp_path / "click.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen(
        [*COMMAND, "--version"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=poison.heed_interrupts,  # noqa: PLW1509 - before any thread
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"what had no verdict has none: do not send it" in said
    assert b"nothing was decided" not in said
    assert b"Traceback" not in said


def test_help_imports_nothing_heavy() -> None:
    """--help pays for no numeric, cryptographic or display library."""
    code = (
        "import sys, scanner.cli.main\n"
        "scanner.cli.main.run(['scan', '--help'], print)\n"
        "print(sorted({'numpy', 'cryptography', 'rich', 'hyperscan'} & set(sys.modules)))"
    )
    done = keysift(command=(sys.executable, "-c", code))
    assert done.stdout.splitlines()[-1] == "[]"
