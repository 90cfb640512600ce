"""Private storage for what is decoded or cannot be sought."""

import os
import shutil
import stat
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from scanner.dump import source, storage
from scanner.errors import Unreadable

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file types")


@limits(max_examples=30, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=300),
            st.integers(0, 200_000).map(bytes),
            st.integers(1, 70_000).map(lambda size: b"\1" * size),
        ),
        max_size=8,
    )
)
def test_spill_gives_back(parts: list[bytes]) -> None:
    """What is written to a spill file is what is read, zeros at the end included."""
    spill = storage.create_spill(None)
    spill.clear()
    for part in parts:
        spill.write(part)
    spill.finish()
    with source.File(spill.fd) as file:
        assert file.read(0, file.size) == b"".join(parts)


@posix
def test_spill_has_no_name(tmp_path: Path) -> None:
    """A spill file stands in its directory under no name, and no one else may read it."""
    spill = storage.create_spill(str(tmp_path))
    spill.write(b"bytes of a dump")
    status = os.fstat(spill.fd)
    assert list(tmp_path.iterdir()) == []
    assert status.st_nlink == 0
    assert stat.S_IMODE(status.st_mode) & 0o077 == 0
    assert not os.get_inheritable(spill.fd)
    spill.close()
    spill.close()


def test_spill_cleared() -> None:
    """A spill file that is begun anew keeps nothing of what a dead worker left."""
    spill = storage.create_spill(None)
    spill.write(b"left behind" * 1000)
    spill.clear()
    spill.write(bytes(100_000))
    spill.finish()
    with source.File(spill.fd) as file:
        assert file.read(0, file.size) == bytes(100_000)


def test_spill_disk_almost_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without room beyond the margin is an error that says what to do; holes need none."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil gives it
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 1 << 39, 256 << 20))
    spill = storage.create_spill(str(tmp_path))
    spill.write(bytes(1 << 20))
    with pytest.raises(Unreadable) as caught:
        spill.write(b"x")
    assert "--spool-dir" in caught.value.hint
    spill.close()


def test_spill_nowhere(tmp_path: Path) -> None:
    """A directory that is not there is an error of ours."""
    with pytest.raises(Unreadable):
        storage.create_spill(str(tmp_path / "nowhere"))


def no_temporary_folder() -> str:
    """Fail as ``tempfile.gettempdir`` does where nothing can be written to."""
    raise FileNotFoundError(2, "No usable temporary directory found")


def test_spill_without_a_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, or in a read-only container, it is said that none can be written to."""
    monkeypatch.setattr(tempfile, "gettempdir", no_temporary_folder)
    with pytest.raises(Unreadable) as caught:
        storage.create_spill(None)
    assert caught.value.reason == "no folder for temporary files can be written to"
    assert "--spool-dir" in caught.value.hint
