"""What patterns of names stand for: the same as glob's, and what glob does not say."""

import glob
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.cli import inputs, patterns

NAMES = ("a.core", "b.dmp", ".hidden", "[x].core", "-")
FOLDERS = ("one", "two", "one/deep", "one/deep/er", ".dot")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make folders with files, and a link from one to another."""
    root = tmp_path_factory.mktemp("tree")
    for folder in ("", *FOLDERS):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (root / folder / name).write_bytes(b"x")
    return root


PART = st.sampled_from(
    ["*", "**", "*.core", "?.*", "[ab].*", "one", "deep", ".*", "a.core", "*o*", "none", ""]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(PART, min_size=1, max_size=4), st.booleans())
def test_the_same_as_glob(tree: Path, parts: list[str], absolute: bool) -> None:
    """Whatever the pattern, it stands for what it does elsewhere; folders under ``**`` by files."""
    pattern = "/".join(parts)
    pattern = f"{tree}/{pattern}" if absolute else pattern
    if not glob.has_magic(pattern) or (parts[0] == "" and not absolute):
        return
    before = Path.cwd()
    os.chdir(tree)
    try:
        said = glob.glob(pattern, recursive=True)  # noqa: PTH207 - the oracle
        # of a folder that is not there, glob says under ** that it is
        expected = {os.path.normpath(name) for name in said if name and os.path.lexists(name)}
        found = {os.path.normpath(name) for name in patterns.matches(pattern)}
        if "**" in parts:
            expected, found = (
                {name for name in some if not Path(name).is_dir()} for some in (expected, found)
            )
    finally:
        os.chdir(before)
    assert found == expected


def test_a_folder_that_cannot_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is among the matches: nobody knows what is in it."""
    listdir, lstat = os.listdir, os.lstat
    closed = str(tree / "two")

    def refuse(path: str) -> list[str]:
        if path == closed:
            raise PermissionError
        return listdir(path)

    def refuse_within(path: str) -> os.stat_result:
        if path.startswith(f"{closed}/"):
            raise PermissionError
        return lstat(path)

    monkeypatch.setattr(os, "listdir", refuse)
    assert closed in patterns.matches(f"{tree}/**/a.core")
    assert closed in patterns.matches(f"{tree}/*/*.core")
    monkeypatch.setattr(os, "lstat", refuse_within)
    assert f"{closed}/a.core" in patterns.matches(f"{tree}/*/a.core")


def test_a_file_that_is_called_as_standard_input(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A match is a file, whatever its name."""
    monkeypatch.chdir(tree)
    assert patterns.matches("-*") == ["./-"]
    assert patterns.matches("?") == ["./-"]
    assert "-" not in inputs.expand(["*"])


def test_folders_that_link_to_each_other(tmp_path: Path) -> None:
    """Each is gone through once; folders within each other without end are told by their name."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.core").write_bytes(b"x")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert patterns.matches(f"{tmp_path}/**/x.core") == [f"{tmp_path}/a/x.core"]
    deep = tmp_path
    for _ in range(patterns.MAX_DEPTH):
        deep /= "d"
        deep.mkdir()
    assert any(name.endswith("/d/d") for name in patterns.matches(f"{tmp_path}/**/x.core"))
