"""Compiled anchors are kept where nobody else can write, and trusted nowhere else."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.detect import expressions
from scanner.engine import compiled

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="nothing is kept on Windows"),
    pytest.mark.skipif(expressions.hyperscan is None, reason="hyperscan is not installed"),
]

EXPRESSIONS = (b"abcd", b"xyz[\\x00-\\x0f]")
KEPT = b"what an earlier run kept"


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder to which nobody else can write, on the way to it neither."""
    folder = Path.home() / f".keysift-test-{os.getpid()}-{tmp_path.name}"
    folder.mkdir(0o700)
    try:
        yield folder
    finally:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        folder.rmdir()


def _file(base: Path) -> Path:
    """Keep a database under the name of EXPRESSIONS that no run would make, and return its file."""
    name = compiled._name(EXPRESSIONS)
    compiled._write(name, KEPT, base)
    path = base / "keysift" / name
    if not path.exists():
        pytest.skip("the home of this account is not private")
    return path


def test_what_was_kept_is_used_again(base: Path) -> None:
    """The second run reads what the first one wrote, and only for the same expressions."""
    made = compiled.database(EXPRESSIONS, base)
    assert made == expressions.serialised(EXPRESSIONS)
    _file(base)
    assert compiled.database(EXPRESSIONS, base) == KEPT
    assert compiled.database(EXPRESSIONS[:1], base) == expressions.serialised(EXPRESSIONS[:1])


def test_it_is_kept_in_private(base: Path) -> None:
    """Folder and file are the account's alone, whatever the umask; nothing else is left there."""
    before = os.umask(0)
    try:
        path = _file(base)
    finally:
        os.umask(before)
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _rename(path: Path) -> None:
    """Put another set's database under this one's name."""
    compiled._write("0" * 64 + compiled.SUFFIX, KEPT, path.parent.parent)
    (path.parent / ("0" * 64 + compiled.SUFFIX)).replace(path)


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _link_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to("elsewhere")


DOUBTS: dict[str, Callable[[Path], None]] = {
    "a byte changed": _flip,
    "cut": lambda path: os.truncate(path, 40),
    "empty": lambda path: os.truncate(path, 0),
    "of another name": _rename,
    "readable by others": lambda path: path.chmod(0o644),
    "a link": _link,
    "a second name": lambda path: path.with_name("second").hardlink_to(path),
    "folder open to others": lambda path: path.parent.chmod(0o755),
    "folder a link": _link_folder,
    "others may swap the folder": lambda path: path.parent.parent.chmod(0o777),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_any_doubt_means_to_compile(base: Path, doubt: str) -> None:
    """What another could have written, or damage, is not read; the anchors are compiled."""
    path = _file(base)
    DOUBTS[doubt](path)
    assert compiled.database(EXPRESSIONS, base) == expressions.serialised(EXPRESSIONS)


def test_nowhere_to_keep_it_is_no_error(base: Path) -> None:
    """A file in the place of the folder, or a base that cannot be made, costs time alone."""
    (base / "keysift").write_bytes(b"")
    for folder in (base, base / "a" / "b", base / "keysift"):
        assert compiled.database(EXPRESSIONS, folder) == expressions.serialised(EXPRESSIONS)


def test_old_files_go(base: Path) -> None:
    """Each version leaves a file; the newest few stay."""
    for number in range(compiled.MOST_FILES + 3):
        compiled._write(f"{number}{compiled.SUFFIX}", KEPT, base)
        path = base / "keysift" / f"{number}{compiled.SUFFIX}"
        if path.exists():
            os.utime(path, ns=(number, number))
    last = compiled.MOST_FILES + 2
    left = {path.name for path in (base / "keysift").glob("*")}
    wanted = {f"{number}{compiled.SUFFIX}" for number in range(3, last + 1)}
    assert left in (wanted, set())
