"""Without its compiled code keysift gives no verdict; with it, no wrong pointer passes."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from scanner.kernels import library

ROOT = Path(__file__).resolve().parent.parent.parent

whole_command = pytest.mark.skipif(
    "KEYSIFT_TEST_LIBRARY" in os.environ, reason="the command loads an installation's library"
)


def installed(folder: Path) -> Path:
    """Return another installation's folder of compiled code, to be spoiled."""
    for name in ("scanner", "rules"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder / "scanner" / "kernels"


def scan(folder: Path) -> subprocess.CompletedProcess[str]:
    """Scan a dump without keys by that installation."""
    dump = folder / "core"
    dump.write_bytes(bytes(4096))
    return subprocess.run(
        [sys.executable, "-m", "scanner", "scan", str(dump)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@whole_command
@pytest.mark.parametrize("spoiled", ["missing", "empty", "foreign", "other sources"])
def test_no_verdict_without_the_library(tmp_path: Path, spoiled: str) -> None:
    """The scan ends with 3 and says what failed, why, and what to do: in three parts."""
    folder = installed(tmp_path)
    path = folder / library.NAME
    if spoiled == "missing":
        path.unlink()
    elif spoiled == "other sources":
        (folder / "more.c").write_text("/* not compiled */\n")
    else:
        path.write_bytes({"empty": b"", "foreign": b"no library" * 500}[spoiled])
    done = scan(tmp_path)
    assert done.returncode == 3
    first, why, hint = done.stderr.splitlines()
    assert first.endswith(": the compiled code of keysift cannot be used"), done.stderr
    assert re.fullmatch(rf"  why: {library.NAME} .+", why)
    assert "install keysift again" in hint
    assert str(tmp_path) not in why + hint


@whole_command
def test_a_library_that_is_cut_ends_the_worker_at_most(tmp_path: Path) -> None:
    """The system's loader may end the process that maps it: that is no verdict either."""
    path = installed(tmp_path) / library.NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    done = scan(tmp_path)
    assert done.returncode == 3
    _, why, hint = done.stderr.splitlines()
    assert why.startswith("  why: ")
    assert hint.startswith("  do:  ")


@whole_command
def test_the_same_installation_scans_with_it(tmp_path: Path) -> None:
    """Nothing else keeps that copy from a verdict (of zeros in no format: incomplete)."""
    installed(tmp_path)
    done = scan(tmp_path)
    assert "compiled code" not in done.stderr
    assert "swept 4,096 of 4,096" in done.stdout


def test_wheels_and_tests_have_one_compiler() -> None:
    """The version of ziglang that the build requires is the one that tests and recipes use."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (pin,) = [name for name in project["build-system"]["requires"] if "ziglang" in name]
    assert re.fullmatch(r"ziglang==[\d.]+", pin)
    assert pin in project["dependency-groups"]["dev"]
    assert pin in (ROOT / "recipes" / "container" / "Containerfile").read_text("utf-8")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 8), np.int8),
        np.zeros((4, 8), np.uint64).astype(">u8"),
        np.zeros((4, 9), np.uint8),
        np.zeros(32, np.uint8),
        np.zeros((4, 16), np.uint8)[:, ::2],
        np.zeros((8, 4), np.uint8).T,
    ],
)
def test_no_pointer_to_another_array(array: npt.NDArray[Any]) -> None:
    """Another dtype, byte order, shape or layout raises before C sees it."""
    with pytest.raises(ValueError, match="an array"):
        library.pointer(array, np.uint8, 4, 8)


def test_no_pointer_to_what_may_not_be_written() -> None:
    """A result goes into no array that is read alone."""
    array = np.zeros((4, 8), np.uint8)
    assert library.writable(array, np.uint8, 4, 8).value == array.ctypes.data
    array.flags.writeable = False
    assert library.pointer(array, np.uint8, 4, 8).value == array.ctypes.data
    with pytest.raises(ValueError, match="written"):
        library.writable(array, np.uint8, 4, 8)


def test_an_array_lives_as_long_as_its_pointer() -> None:
    """An array that nobody else has is there while a function runs."""
    where = library.pointer(np.arange(1000, dtype=np.uint64), np.uint64, 1000)
    address = where.value
    assert address is not None
    others = [np.zeros(1000, np.uint64) for _ in range(100)]
    assert (ctypes.c_uint64 * 1000).from_address(address)[999] == 999
    assert not any(other.any() for other in others)
