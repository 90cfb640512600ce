"""Compiles ``scanner/kernels/*.c`` into the wheel's one shared library, by the compiler of ziglang.

No machine needs a compiler: ziglang is a pinned requirement of the build alone, whose C compiler
(clang) makes the library of any platform on any other. ``KEYSIFT_TARGET`` names another platform
than this one, as zig does: see ``TARGETS``. An editable installation has the library beside its
sources. The least processor is x86-64-v2 (2009 and later); what a build machine's own could do
beyond that is never asked for.
"""

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("scanner", "kernels")


class Target(NamedTuple):
    """A platform: the tag of its wheels, what zig calls it, the least processor."""

    tag: str
    triple: str
    cpu: str


TARGETS = {
    "x86_64-linux-gnu": Target("manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17", "x86_64_v2"),
    "aarch64-linux-gnu": Target("manylinux_2_17_aarch64", "aarch64-linux-gnu.2.17", "baseline"),
    "x86_64-linux-musl": Target("musllinux_1_2_x86_64", "x86_64-linux-musl", "x86_64_v2"),
    "aarch64-linux-musl": Target("musllinux_1_2_aarch64", "aarch64-linux-musl", "baseline"),
    "x86_64-macos": Target("macosx_11_0_x86_64", "x86_64-macos.11.0", "x86_64_v2"),
    "aarch64-macos": Target("macosx_11_0_arm64", "aarch64-macos.11.0", "apple_m1"),
    "x86_64-windows-gnu": Target("win_amd64", "x86_64-windows-gnu", "x86_64_v2"),
    "aarch64-windows-gnu": Target("win_arm64", "aarch64-windows-gnu", "baseline"),
}

FLAGS = ("-std=c11", "-O3", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror")


def this_machine() -> str:
    """Return the name of the platform that this Python is for. Raises ValueError without one."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    linux = "linux-gnu" if platform.libc_ver()[0] == "glibc" else "linux-musl"
    system = {"linux": linux, "darwin": "macos", "win32": "windows-gnu"}.get(sys.platform, "")
    name = f"{machine}-{system}"
    if name not in TARGETS:
        raise ValueError(f"keysift has no compiled code for {name or sys.platform}")
    return name


def library_name(target: str) -> str:
    """Return what the library's file is called on a platform."""
    return "kernels.dll" if "windows" in target else "kernels.so"


def digest(folder: Path) -> str:
    """Return the SHA-256 of the sources in a folder, by which a library says what it is made of."""
    found = hashlib.sha256()
    for path in sorted((*folder.glob("*.c"), *folder.glob("*.h")), key=lambda path: path.name):
        data = path.read_bytes()
        found.update(f"{path.name} {len(data)}\n".encode() + data)
    return found.hexdigest()


def compiled(
    folder: Path,
    into: Path,
    target: str,
    *,
    compiler: Sequence[str] = (sys.executable, "-m", "ziglang", "cc"),
    flags: Sequence[str] = (),
) -> Path:
    """Compile the sources in a folder into a library in another; return its path.

    ``flags`` stand after ours. The file appears whole, or is left as it was. Raises
    CalledProcessError where the compiler refuses.
    """
    _, triple, cpu = TARGETS[target]
    made = into / library_name(target)
    aim = ("-target", triple, f"-mcpu={cpu}", "-s") if "ziglang" in compiler else ()
    with tempfile.TemporaryDirectory(dir=into, prefix=".kernels-") as scratch:
        fresh = Path(scratch, made.name)
        command = [*compiler, *aim, *FLAGS, "-shared", f'-DKERNELS_SOURCES="{digest(folder)}"']
        sources = sorted(map(str, folder.glob("*.c")))
        subprocess.run([*command, *flags, "-o", str(fresh), *sources], check=True)  # noqa: S603 - our own words
        fresh.replace(made)
    return made


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the library into a wheel, or beside the sources of an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile for the platform that is asked for, and tag the wheel with it."""
        target = os.environ.get("KEYSIFT_TARGET") or this_machine()
        if target not in TARGETS:
            raise ValueError(f"KEYSIFT_TARGET is none of {', '.join(TARGETS)}")
        sources = Path(self.root) / SOURCES
        if version == "editable":
            compiled(sources, sources, target)
        else:
            into = Path(self.directory, ".kernels", target)
            into.mkdir(parents=True, exist_ok=True)
            made = compiled(sources, into, target)
            build_data["force_include"][str(made)] = str(SOURCES / made.name)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{TARGETS[target].tag}"
