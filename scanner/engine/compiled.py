"""Compiled anchors, kept from one run to the next: compiling them takes a quarter of a second.

A database of the engine is trusted as code is: what it does not look for is not found. So it is
kept in our private folder alone (``caches``), in a file that is named after all it depends on: the
expressions, our version and the engine's, the kind of processor. Any doubt (an owner, a mode, a
link, a digest) means that the anchors are compiled anew, and never an error. This module keeps
nothing but what rules say: literals made of keys must not come here. It refuses systems without
POSIX modes.
"""

import contextlib
import hashlib
import os
import platform
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from scanner import __version__, caches, private
from scanner.detect.expressions import serialised, version

SUFFIX = ".anchors"
MOST_BYTES = 64 << 20
"""Bytes of a file that is read."""
MOST_FILES = 4
"""Files that are kept, the newest: one for each version or set of rules in use."""

_CPU_LINES = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU part")
_DIGEST = hashlib.sha256().digest_size


def database(expressions: tuple[bytes, ...], base: Path | None = None) -> bytes:
    """Return the engine's database for expressions, from an earlier run where that is safe.

    ``base`` is the folder in which ours lies.
    """
    name = _name(expressions)
    kept = _read(name, base)
    if kept:
        return kept
    made = serialised(expressions)
    if made:
        _write(name, made, base)
    return made


def _name(expressions: tuple[bytes, ...]) -> str:
    digest = hashlib.sha256()
    texts = (__version__, version(), platform.machine(), _processor())
    for part in (*(text.encode() for text in texts), *expressions):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest() + SUFFIX


def _processor() -> str:
    """Say what a database of this machine may ask of a processor."""
    try:
        with Path("/proc/cpuinfo").open(encoding="latin-1") as file:
            lines = file.read(8192).partition("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.node()} {platform.processor()}"
    return "\n".join(line for line in lines if line.startswith(_CPU_LINES))


if sys.platform == "win32":

    def _read(name: str, base: Path | None) -> bytes:
        """Return nothing: who else may write to a folder is not told by a mode here."""
        del name, base
        return b""

    def _write(name: str, made: bytes, base: Path | None) -> None:
        """Keep nothing."""

else:

    def _read(name: str, base: Path | None) -> bytes:
        """Return what was kept under a name; nothing where there is none, or any doubt of it."""
        try:
            with _folder(base) as folder:
                flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
                fd = os.open(name, flags, dir_fd=folder)
                with os.fdopen(fd, "rb") as file:
                    told = os.fstat(fd)
                    regular = stat.S_ISREG(told.st_mode) and told.st_nlink == 1
                    if not regular or not private.is_own(told) or told.st_size > MOST_BYTES:
                        return b""
                    digest, made = file.read(_DIGEST), file.read(MOST_BYTES)
        except OSError:
            return b""
        return made if digest == _sealed(name, made) else b""

    def _write(name: str, made: bytes, base: Path | None) -> None:
        """Keep what was made, in one step, and let go of what is old."""
        part = f"{name}.{os.getpid()}.part"
        with contextlib.suppress(OSError), _folder(base, create=True) as folder:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            fd = os.open(part, flags, 0o600, dir_fd=folder)
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(_sealed(name, made) + made)
                os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                os.unlink(part, dir_fd=folder)
            _prune(folder, name)

    def _prune(folder: int, name: str) -> None:
        others = [
            (os.stat(other, dir_fd=folder, follow_symlinks=False).st_mtime_ns, other)
            for other in os.listdir(folder)
            if other.endswith((SUFFIX, ".part")) and other != name
        ]
        for _, other in sorted(others, reverse=True)[MOST_FILES - 1 :]:
            os.unlink(other, dir_fd=folder)

    @contextlib.contextmanager
    def _folder(base: Path | None, *, create: bool = False) -> Iterator[int]:
        """Open our folder. Raises OSError where there is none that is the account's alone."""
        with private.opened(caches.folder(base, create=create)) as folder:
            yield folder


def _sealed(name: str, made: bytes) -> bytes:
    """Return the digest of a file: it tells damage, not forgery."""
    return hashlib.sha256(name.encode() + made).digest()
