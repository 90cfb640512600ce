"""Files as a dump's bytes come from."""

import hashlib
import os
import sys
import time
from pathlib import Path

import pytest

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


def test_chunks(tmp_path: Path) -> None:
    """All bytes come in order, or those between two offsets, a megabyte at most at a time."""
    data = bytes(range(256)) * 5000
    with source.open_file(_written(tmp_path / "core", data)) as file:
        assert [len(chunk) for chunk in file.chunks()] == [source.CHUNK, len(data) - source.CHUNK]
        assert b"".join(file.chunks()) == data
        assert b"".join(file.chunks(7, source.CHUNK + 9)) == data[7 : source.CHUNK + 9]
        assert list(file.chunks(9, 9)) == []


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


def _sparse(path: Path) -> bytes:
    """Write 24 MiB with data in the middle and at the end; return the bytes that it has."""
    parts = ((9 << 20) + 5, b"middle" * 3000), ((24 << 20) - 7, b"the end")
    with path.open("wb") as file:
        for at, data in parts:
            file.seek(at)
            file.write(data)
    return path.read_bytes()


@posix
def test_holes_read_as_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a sparse file are the same where its holes are not read."""
    path = tmp_path / "core"
    whole = _sparse(path)
    if path.stat().st_blocks * 512 >= len(whole):
        pytest.skip("this file system keeps no holes")
    later = time.time() + source.SETTLED + 1
    monkeypatch.setattr(source.time, "time", lambda: later)
    with source.open_file(str(path)) as file:
        assert 8 << 20 < file.zeros(0) <= (9 << 20) + 5
        assert file.zeros((9 << 20) + 5) == 0
        for offset in (0, 3, (9 << 20) - 70_000, (9 << 20) + 5, 20 << 20):
            for size in (source.HOLE - 1, source.HOLE, 3 << 20, len(whole) - offset):
                assert file.read(offset, size) == whole[offset : offset + size]
        assert source.digest(file) == hashlib.sha256(whole).hexdigest()
        within = file.part(1 << 20, file.size)
        assert within.zeros(0) == file.zeros(1 << 20)
        for start, end in ((0, len(whole)), (3, 20 << 20), (9 << 20, 9 << 20)):
            made = bytearray(end - start)
            for offset, chunk in file.data(start, end):
                made[offset - start : offset - start + len(chunk)] = chunk
            assert made == whole[start:end]
        assert next(iter(file.data(0, len(whole))))[0] == file.zeros(0)


@posix
def test_holes_of_a_fresh_file_are_read(tmp_path: Path) -> None:
    """A file system is not believed of what was just written: OpenZFS told data as holes."""
    path = tmp_path / "core"
    _sparse(path)
    os.utime(path, (0, 0))  # as a copy that keeps the times of the file it was made from
    with source.open_file(str(path)) as file:
        assert file.zeros(0) == 0


@posix
@pytest.mark.parametrize("written_again", [False, True])
def test_many_fresh_holes_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, written_again: bool
) -> None:
    """Holes that take longer to read than a file to settle are not read, if it does settle."""
    path = tmp_path / "core"
    _sparse(path)
    if path.stat().st_blocks * 512 >= path.stat().st_size:
        pytest.skip("this file system keeps no holes")
    monkeypatch.setattr(source, "WORTH_WAITING", 20 << 20)
    clock = [path.stat().st_mtime + 3]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds
        if written_again:
            os.utime(path, (clock[0], clock[0]))

    monkeypatch.setattr(source.time, "time", lambda: clock[0])
    monkeypatch.setattr(source.time, "sleep", sleep)
    with source.open_file(str(path)) as file:
        assert (file.zeros(0) > 0) is not written_again
    assert len(slept) == 1
    assert slept[0] <= source.SETTLED + 1


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
