"""Lint, types and tests, in one command, on a fresh clone: ``python3 tests/run.py``.

Needs Python 3.11 or newer and nothing else: makes ``.venv`` (or uses the environment that
``KEYSIFT_VENV`` names), installs the project with its ``dev`` group into it, and runs every check
to its end, so that one failure does not hide another. Arguments go to pytest. The list of tools is
in ``pyproject.toml`` alone.
"""

import functools
import os
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

INSTALL: tuple[tuple[str, ...], ...] = (
    ("-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1"),  # the first with --group
    # What is imported is compiled then; of what is installed that is a part.
    ("-m", "pip", "install", "--quiet", "--no-compile", "--group", "dev", "--editable", "."),
)

ELSEWHERE = ("--exclude", "^scanner/detect/", "--follow-imports", "silent")
"""Of the types on other systems: detectors are the same on each, which a test sees to."""

READ: tuple[tuple[str, ...], ...] = (
    *(
        ("-m", "mypy", "--platform", name, "--cache-dir", f".mypy_cache/{name}", *less)
        for name, less in (("linux", ()), ("darwin", ELSEWHERE), ("win32", ELSEWHERE))
    ),
    ("-m", "ruff", "check", "."),
    ("-m", "ruff", "format", "--check", "."),
)
"""What only reads the code: all at once, each core has one to do."""

TESTS = ("-m", "pytest", "--numprocesses", "auto")


def main() -> int:
    """Run everything; return 0 if all of it is well."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever is told so runs an older one
        sys.stderr.write("keysift needs Python 3.11 or newer\n")
        return 2
    python = _environment(ROOT / os.environ.get("KEYSIFT_VENV", ".venv"))
    for step in INSTALL:
        if _run(python, step):
            return 1
    with ThreadPoolExecutor() as pool:
        codes = [*pool.map(functools.partial(_run, python), READ)]
    codes.append(_run(python, (*TESTS, *sys.argv[1:])))
    failed = [step for step, code in zip((*READ, TESTS), codes, strict=True) if code]
    for step in failed:
        sys.stderr.write(f"failed: {' '.join(step)}\n")
    return 1 if failed else 0


def _environment(folder: Path) -> str:
    """Return the interpreter of the virtual environment, made where there is none."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    return str(python)


def _run(python: str, step: tuple[str, ...]) -> int:
    sys.stderr.write(f"+ python {' '.join(step)}\n")
    sys.stderr.flush()
    # The command starts hundreds of times: where its bytecode is not kept, a third is compiling it.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([python, *step], cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
