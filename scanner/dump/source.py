"""Bytes in: a dump as an open file that is read at stated offsets.

This module exists so that a file which is cut while it is read is an error and never a killed
process or a short answer: it refuses to map files into memory, and it refuses directories, pipes,
sockets and devices that cannot be sought.
"""

import errno
import hashlib
import os
import stat
import sys
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from types import TracebackType
from typing import Protocol, Self

from scanner.errors import Unreadable, cause

CHUNK = 1 << 20
"""Bytes of one sequential read."""

HOLE = 1 << 16
"""Zeros are left out of the files that we write in blocks of this many bytes."""

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO without a writer must not hang
)

SETTLED = 10
"""Seconds since a file was last written to after which a file system knows where it has holes:
OpenZFS up to 2.2.1 told bytes that it had not yet written out, within 5, as a hole."""

WORTH_WAITING = 4 << 30
"""Bytes in holes from which on it is quicker to wait until a file has settled than to read them,
which takes two to five seconds a gigabyte. Cores that gdb's gcore wrote of Java had 9 GB of them,
of Chromium 156 56 GB."""

ZEROS = bytes(HOLE)

Pieces = tuple[tuple[int, int], ...]
"""Offsets and sizes in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which file it was, and in what state: compared before and after a scan."""

    device: int = 0
    inode: int = 0
    size: int
    mtime_ns: int = 0
    ctime_ns: int = 0
    tag: str = ""
    """Of an object in a store: its ETag, generation or version, and its time."""


class Reader(Protocol):
    """Where bytes come from that no descriptor gives. Errors are Unreadable, or OSError."""

    size: int

    def read_at(self, offset: int, view: memoryview) -> int:
        """Read once at an offset: how many bytes came; 0 is the end."""
        ...

    def zeros(self, offset: int) -> int:
        """Return how many bytes at an offset are known to be zeros, and need not be read."""
        ...

    def identify(self) -> Identity:
        """Return the identity of what is there now."""
        ...

    def close(self) -> None:
        """Let go of it; may be called again."""
        ...


class File:
    """Read-only positioned reads over a file descriptor, or another reader, that it owns.

    Never trusts a position of the descriptor: a duplicate shares it with other processes.
    ``size`` is what the file held when it was opened, in bytes. Where ``pieces`` are given, as
    (offset, size), what is read are these, one behind the other, and nothing else.
    """

    __slots__ = ("_pieces", "_reader", "_starts", "size")

    def __init__(self, source: int | Reader, pieces: Pieces | None = None) -> None:
        self._pieces = pieces
        self._reader = _Descriptor(source) if isinstance(source, int) else source
        if pieces is not None:
            self._starts = list(accumulate((size for _, size in pieces), initial=0))
            self.size = self._starts[-1]
        else:
            self.size = self._reader.size

    def readinto(self, offset: int, buffer: bytearray | memoryview) -> None:
        """Fill the whole of ``buffer`` with the bytes at ``offset``, or raise Unreadable."""
        view = memoryview(buffer).cast("B")
        self._check(offset, len(view))
        done = 0
        while done < len(view):
            at, room = self._place(offset + done)
            try:
                count = self._reader.read_at(at, view[done : done + min(room, len(view) - done)])
            except OSError as error:
                raise _unreadable(f"the dump cannot be read at {offset + done}", error) from error
            if count == 0:
                raise _cut(offset + done)
            done += count

    def zeros(self, offset: int) -> int:
        """Return how many bytes at an offset are known to be zeros; 0 where it is not known."""
        at, room = self._place(offset)
        return min(self._reader.zeros(at), room)

    def _place(self, offset: int) -> tuple[int, int]:
        """Return where a byte lies under the descriptor, and how many follow it there."""
        if self._pieces is None:
            return offset, self.size - offset
        index = bisect_right(self._starts, offset) - 1
        start, size = self._pieces[index]
        skip = offset - self._starts[index]
        return start + skip, size - skip

    def read(self, offset: int, size: int) -> bytes:
        """Return the ``size`` bytes at ``offset``, or raise Unreadable."""
        self._check(offset, size)
        buffer = bytearray(size)
        self.readinto(offset, buffer)
        return bytes(buffer)

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes between two offsets, by default all, a megabyte at most at a time."""
        end = self.size if end is None else end
        for at in range(start, end, CHUNK):
            yield self.read(at, min(CHUNK, end - at))

    def data(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Yield offset and bytes between two offsets, as ``chunks``, but for holes: zeros."""
        while start < end:
            start += min(self.zeros(start), end - start)
            if start < end:
                chunk = self.read(start, min(CHUNK, end - start))
                yield start, chunk
                start += len(chunk)

    def part(self, offset: int, end: int) -> "File":
        """Return what is between two offsets, as a file that shares this one's reader."""
        pieces: list[tuple[int, int]] = []
        while offset < end:
            at, room = self._place(offset)
            pieces.append((at, min(room, end - offset)))
            offset += pieces[-1][1]
        return File(self._reader, tuple(pieces))

    def identify(self) -> Identity:
        """Return the identity of the whole file; raise Unreadable where there is none."""
        return self._reader.identify()

    def close(self) -> None:
        """Close what it reads from; may be called again."""
        self._reader.close()

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > self.size:
            raise _cut(offset)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Descriptor:
    """Reads from a file descriptor that it owns.

    Holes of a sparse file are zeros (lseek(2)): a core of 80 GB may have 80 MB of data.
    """

    __slots__ = ("_fd", "_sparse", "size")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        try:
            status = os.fstat(fd)
            block = stat.S_ISBLK(status.st_mode)
            self.size = os.lseek(fd, 0, os.SEEK_END) if block else status.st_size
        except OSError as error:
            raise _unreadable("the dump cannot be read", error) from error
        self._sparse = not block and _may_have_holes(fd, status)

    def read_at(self, offset: int, view: memoryview) -> int:
        zeros = min(self.zeros(offset), len(view)) if len(view) >= HOLE else 0
        for at in range(0, zeros, HOLE):
            view[at : min(at + HOLE, zeros)] = ZEROS[: zeros - at]
        return zeros or _read_at(self._fd, offset, view)

    def zeros(self, offset: int) -> int:
        return _data(self._fd, offset, self.size) - offset if self._sparse else 0

    def identify(self) -> Identity:
        try:
            status = os.fstat(self._fd)
        except OSError as error:
            raise _unreadable("the dump cannot be read", error) from error
        return Identity(
            device=status.st_dev,
            inode=status.st_ino,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            ctime_ns=status.st_ctime_ns,
        )

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


if sys.platform == "win32":

    def _may_have_holes(fd: int, status: os.stat_result) -> bool:  # noqa: ARG001 - the other's
        """Return False: what lseek(2) tells elsewhere, no call of Python's tells here."""
        return False

    def _data(fd: int, offset: int, size: int) -> int:
        raise NotImplementedError

else:

    def _may_have_holes(fd: int, status: os.stat_result) -> bool:
        """Tell whether a file has fewer blocks than bytes, and whether its holes can be trusted.

        Of many holes that will be trusted soon, wait for it.
        """
        holes = status.st_size - status.st_blocks * 512
        if not hasattr(os, "SEEK_DATA") or holes <= 0:
            return False
        left = SETTLED - _age(status)
        if 0 <= left <= SETTLED and holes >= WORTH_WAITING:
            time.sleep(left + 1)
            status = os.fstat(fd)
        return _age(status) > SETTLED

    def _age(status: os.stat_result) -> float:
        """Return for how many seconds nobody has written to a file."""
        return time.time() - max(status.st_mtime, status.st_ctime)

    def _data(fd: int, offset: int, size: int) -> int:
        """Return where data is from an offset on, or the size; the offset where it is not told."""
        try:
            return os.lseek(fd, offset, os.SEEK_DATA)
        except OSError as error:
            return size if error.errno == errno.ENXIO else offset


if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    class _Overlapped(ctypes.Structure):
        """OVERLAPPED: carries the offset with the call, so that duplicates do not race."""

        _fields_ = (
            ("internal", ctypes.c_size_t),
            ("internal_high", ctypes.c_size_t),
            ("offset", wintypes.DWORD),
            ("offset_high", wintypes.DWORD),
            ("event", wintypes.HANDLE),
        )

    _KERNEL32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _HANDLE_EOF = 38

    def _read_at(fd: int, offset: int, view: memoryview) -> int:
        """Read once at an offset: how many bytes came; 0 is the end of the file."""
        size = min(len(view), 1 << 30)
        count = wintypes.DWORD()
        at = _Overlapped(offset=offset & 0xFFFFFFFF, offset_high=offset >> 32)
        done = _KERNEL32.ReadFile(
            wintypes.HANDLE(msvcrt.get_osfhandle(fd)),
            (ctypes.c_char * size).from_buffer(view),
            wintypes.DWORD(size),
            ctypes.byref(count),
            ctypes.byref(at),
        )
        if not done and ctypes.get_last_error() != _HANDLE_EOF:
            raise ctypes.WinError(ctypes.get_last_error())
        return int(count.value)

else:

    def _read_at(fd: int, offset: int, view: memoryview) -> int:
        """Read once at an offset: how many bytes came; 0 is the end of the file."""
        if hasattr(os, "preadv"):
            return os.preadv(fd, [view], offset)
        if hasattr(os, "pread"):
            data = os.pread(fd, len(view), offset)
            view[: len(data)] = data
            return len(data)
        os.lseek(fd, offset, os.SEEK_SET)
        with open(fd, "rb", buffering=0, closefd=False) as raw:
            return raw.readinto(view) or 0


def open_file(path: str) -> File:
    """Open a regular file or block device; raise Unreadable for anything else."""
    try:
        fd = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise _unreadable("the file cannot be opened", error) from error
    try:
        _refuse_special(os.fstat(fd).st_mode)
        return File(fd)
    except BaseException:
        os.close(fd)
        raise


def _refuse_special(mode: int) -> None:
    if stat.S_ISREG(mode) or stat.S_ISBLK(mode):
        return
    kinds = (
        (stat.S_ISDIR, "directory"),
        (stat.S_ISFIFO, "pipe"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISCHR, "character device"),
    )
    kind = next((kind for test, kind in kinds if test(mode)), "special file")
    raise Unreadable(
        "the file cannot be scanned",
        reason=f"it is a {kind}",
        hint="give a file, or - to read a dump from standard input",
    )


def digest(file: File) -> str:
    """Return the SHA-256 of a whole file in lower-case hex."""
    state = hashlib.sha256()
    buffer = memoryview(bytearray(CHUNK))
    for offset in range(0, file.size, CHUNK):
        part = buffer[: min(CHUNK, file.size - offset)]
        file.readinto(offset, part)
        state.update(part)
    return state.hexdigest()


def _unreadable(message: str, error: OSError | ValueError) -> Unreadable:
    return Unreadable(message, reason=cause(error), hint="check the path and that you may read it")


def _cut(offset: int) -> Unreadable:
    return Unreadable(
        f"the dump cannot be read at {offset}",
        reason="the file ends before that",
        hint="scan a copy that nobody writes to",
    )
