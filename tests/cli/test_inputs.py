"""Directories and patterns: every file of them, each once, in order; nothing passed over."""

import os
import sys
from pathlib import Path

import pytest

from scanner.cli import inputs
from scanner.errors import UsageError


def write(folder: Path, *names: str) -> list[str]:
    """Make files; return their paths."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"MDMP")
    return [str(folder / name) for name in names]


def test_directory(tmp_path: Path) -> None:
    """A directory stands for all files under it, sorted, hidden ones too."""
    names = (".hidden", "a/1.dmp", "a/b/2", "c", "d.core")
    files = write(tmp_path, *names)
    assert inputs.expand([str(tmp_path)]) == tuple(files)
    assert inputs.expand([files[1], str(tmp_path), files[1]]) == (
        files[1],
        *[file for file in files if file != files[1]],
    )


def test_patterns(tmp_path: Path) -> None:
    """A pattern that nothing is named like stands for what it matches; else for itself."""
    one, two, _ = write(tmp_path, "1.dmp", "2.dmp", "3.core")
    assert inputs.expand([str(tmp_path / "*.dmp")]) == (one, two)
    assert inputs.expand([str(tmp_path / "*.none")]) == (str(tmp_path / "*.none"),)
    (literal,) = write(tmp_path, "[1].dmp")
    assert inputs.expand([literal]) == (literal,)
    assert inputs.expand([str(tmp_path / "*[!e]")]) == (one, two, literal)
    assert inputs.expand(["-", str(tmp_path / "missing")]) == ("-", str(tmp_path / "missing"))


def test_empty_directory(tmp_path: Path) -> None:
    """A directory without a file is no pass: it is an error of usage."""
    (tmp_path / "within").mkdir()
    with pytest.raises(UsageError):
        inputs.expand([str(tmp_path)])


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links(tmp_path: Path) -> None:
    """A link to a file or to another folder is followed, one that leads back is not."""
    (outside,) = write(tmp_path, "out/core")
    folder = tmp_path / "in"
    (inside,) = write(folder, "a")
    (folder / "back").symlink_to(folder)
    (folder / "file").symlink_to(outside)
    (folder / "folder").symlink_to(tmp_path / "out")
    (folder / "dangling").symlink_to(tmp_path / "missing")
    assert inputs.expand([str(folder)]) == (
        inside,
        str(folder / "dangling"),
        str(folder / "file"),
        str(folder / "folder" / "core"),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_folders_that_link_to_each_other(tmp_path: Path) -> None:
    """A folder is walked once, however many ways lead to it; a link to itself stays in the list."""
    names = [f"{number:02}" for number in range(20)]
    write(tmp_path, *(f"{name}/core" for name in names))
    for one in names:
        for other in names:
            (tmp_path / one / f"to-{other}").symlink_to(tmp_path / other)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    found = inputs.expand([str(tmp_path)])
    assert len(found) == len(names) + 1
    assert {os.path.realpath(path) for path in found} == {
        *(str(tmp_path / name / "core") for name in names),
        str(tmp_path / "self"),
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_special_files_stay(tmp_path: Path) -> None:
    """What is no file stays in the list: whoever opens it says so."""
    write(tmp_path, "a")
    os.mkfifo(tmp_path / "pipe")
    assert str(tmp_path / "pipe") in inputs.expand([str(tmp_path)])


def test_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More files than the bound are an error of usage."""
    write(tmp_path, "a", "b", "c")
    monkeypatch.setattr(inputs, "MAX_FILES", 2)
    with pytest.raises(UsageError):
        inputs.expand([str(tmp_path)])
