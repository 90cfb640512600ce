"""The room's tests again, with libraries that end the process where C leaves behaviour undefined.

Undefined behaviour (overflow, shifts, unaligned words) is trapped by the compiler that makes the
wheels; it offers no address sanitizer, so bounds of arrays are watched by gcc's, where there is a
gcc: its run-time library is loaded first, and Python then takes each array from malloc.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import hatch_build
from scanner.kernels import library

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ZIG = (sys.executable, "-m", "ziglang", "cc")
SMALL = ("-O1", "-DINLINE=static")
TRAPS = ("-fsanitize=undefined", "-fsanitize-trap=undefined", "-fno-sanitize-recover=all")

UNDEFINED = "int broken(int count); int broken(int count) { return 2147483647 + count; }"
OUTSIDE = """
#include <stdlib.h>
int broken(int count);
int broken(int count) { char *one = malloc(1); return one[count + 15]; }
"""

pytestmark = pytest.mark.skipif(
    "KEYSIFT_TEST_LIBRARY" in os.environ, reason="this is such a library's run"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How a library that traps is made, what runs it, and a fault that it must end at."""

    compiler: tuple[str, ...]
    flags: tuple[str, ...]
    fault: str
    env: dict[str, str] = field(default_factory=dict)


def addressed() -> Build:
    """Return the build with gcc's sanitizers of addresses and of undefined behaviour."""
    asked = ["gcc", "-print-file-name=libasan.so"]
    preload = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return Build(
        compiler=("gcc",),
        flags=(*SMALL, "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
        fault=OUTSIDE,
        env={
            "LD_PRELOAD": preload,
            "ASAN_OPTIONS": "detect_leaks=0:handle_segv=0",
            "PYTHONMALLOC": "malloc",
        },
    )


@pytest.fixture(
    name="build",
    params=[
        "undefined",
        pytest.param(
            "address",
            marks=pytest.mark.skipif(
                sys.platform != "linux" or shutil.which("gcc") is None, reason="no gcc here"
            ),
        ),
    ],
)
def _build(request: pytest.FixtureRequest) -> Build:
    if request.param == "address":
        return addressed()
    return Build(compiler=ZIG, flags=(*SMALL, *TRAPS), fault=UNDEFINED)


def test_every_kernel_stands_the_traps(build: Build, tmp_path: Path) -> None:
    """Nothing that the room's tests do is undefined in C, or reads beside an array."""
    made = hatch_build.compiled(
        library.FOLDER,
        tmp_path,
        hatch_build.this_machine(),
        compiler=build.compiler,
        flags=build.flags,
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(HERE)],
        cwd=ROOT,
        env={**os.environ, **build.env, "KEYSIFT_TEST_LIBRARY": str(made)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_traps_are_set(build: Build, tmp_path: Path) -> None:
    """A fault on purpose ends the process, so that one of ours would."""
    source, made = tmp_path / "broken.c", tmp_path / "broken.so"
    source.write_text(build.fault)
    command = [*build.compiler, *build.flags, "-fPIC", "-shared", "-o", str(made)]
    subprocess.run([*command, str(source)], check=True)
    call = f"import ctypes; ctypes.CDLL({str(made)!r}).broken(1); print('alive')"
    done = subprocess.run(
        [sys.executable, "-c", call],
        env={**os.environ, **build.env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "alive" not in done.stdout
