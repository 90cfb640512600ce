"""Files as a dump's bytes come from."""

import hashlib
import os
import shutil
import stat
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from scanner.dump import source
from scanner.errors import Unreadable

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file types")


def _written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def test_reads_at_offsets(tmp_path: Path) -> None:
    """Every read gives the bytes at its own offset, whatever was read before."""
    data = bytes(range(256)) * 20
    with source.open_file(_written(tmp_path / "core", data)) as file:
        assert file.size == len(data)
        for offset, size in ((100, 50), (0, 5), (5000, 120), (5120, 0)):
            assert file.read(offset, size) == data[offset : offset + size]
        buffer = bytearray(7)
        file.readinto(9, buffer)
        assert bytes(buffer) == data[9:16]
        assert file.identify().size == len(data)


@posix
@pytest.mark.parametrize("missing", [("preadv",), ("preadv", "pread")])
def test_reads_without_positioned_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    """Where the system lacks preadv or pread, reads and errors are the same."""
    for name in missing:
        monkeypatch.delattr(os, name, raising=False)
    path = tmp_path / "core"
    with source.open_file(_written(path, bytes(range(200)))) as file:
        assert file.read(150, 50) == bytes(range(150, 200))
        assert file.read(3, 4) == bytes(range(3, 7))
        os.truncate(path, 100)
        with pytest.raises(Unreadable):
            file.read(90, 20)


@pytest.mark.parametrize(
    ("offset", "size"), [(-1, 1), (0, 11), (10, 1), (1 << 70, 1), (0, 1 << 62)]
)
def test_refuses_what_is_outside(tmp_path: Path, offset: int, size: int) -> None:
    """A read that is not wholly in the file is an error, and allocates nothing."""
    with (
        source.open_file(_written(tmp_path / "core", b"0123456789")) as file,
        pytest.raises(Unreadable),
    ):
        file.read(offset, size)


def test_cut_while_read(tmp_path: Path) -> None:
    """A file that is cut after it was opened is an error, never a short answer."""
    path = tmp_path / "core"
    with source.open_file(_written(path, bytes(1 << 16))) as file:
        os.truncate(path, 100)
        with pytest.raises(Unreadable):
            file.read(0, 1 << 16)
        assert file.read(0, 100) == bytes(100)


def test_cannot_open(tmp_path: Path) -> None:
    """What is missing or is a directory is told in three parts, without its path."""
    for path in (tmp_path / "no such core", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(Unreadable) as caught:
            source.open_file(str(path))
        assert caught.value.message == "the file cannot be opened" or path == tmp_path
        assert str(tmp_path.parent) not in caught.value.told
        assert caught.value.reason
        assert caught.value.hint


@posix
def test_special_files(tmp_path: Path) -> None:
    """A FIFO does not hang, and a character device is no dump."""
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "pipe"), (Path(os.devnull), "character device")):
        with pytest.raises(Unreadable) as caught:
            source.open_file(str(path))
        assert kind in caught.value.reason


def test_close_twice(tmp_path: Path) -> None:
    """Closing a closed file does nothing: its number may be another's by then."""
    file = source.open_file(_written(tmp_path / "core", b"x"))
    file.close()
    file.close()
    with pytest.raises(Unreadable):
        file.read(0, 1)


def test_identity(tmp_path: Path) -> None:
    """The identity stays while the file does, and tells a write."""
    path = tmp_path / "core"
    with source.open_file(_written(path, b"one")) as file:
        before = file.identify()
        assert file.identify() == before
        os.utime(path, ns=(1, 1))
        assert file.identify() != before
    with pytest.raises(Unreadable):
        file.identify()


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_digest(tmp_path: Path, size: int) -> None:
    """The digest is the SHA-256 of the whole file."""
    data = bytes(range(251)) * (size // 251 + 1)
    with source.open_file(_written(tmp_path / "core", data[:size])) as file:
        assert source.digest(file) == hashlib.sha256(data[:size]).hexdigest()


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
    spill = source.create_spill(None)
    spill.clear()
    for part in parts:
        spill.write(part)
    spill.finish()
    with source.File(spill.fd) as file:
        assert file.read(0, file.size) == b"".join(parts)


@posix
def test_spill_has_no_name(tmp_path: Path) -> None:
    """A spill file stands in its directory under no name, and no one else may read it."""
    spill = source.create_spill(str(tmp_path))
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
    spill = source.create_spill(None)
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
    spill = source.create_spill(str(tmp_path))
    spill.write(bytes(1 << 20))
    with pytest.raises(Unreadable) as caught:
        spill.write(b"x")
    assert "--spool-dir" in caught.value.hint
    spill.close()


def test_spill_nowhere(tmp_path: Path) -> None:
    """A directory that is not there is an error of ours."""
    with pytest.raises(Unreadable):
        source.create_spill(str(tmp_path / "nowhere"))
