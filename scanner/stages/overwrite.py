"""A copy of a dump in which stated ranges are overwritten: same size, same layers.

Runs in the worker, as all that touches bytes of a dump does, and in flat memory: a chunk at a time.
What it reads is hashed as it is read, and a copy is only good where the digest is that of the scan
that found the ranges. This module refuses to know what lies in them.
"""

import hashlib
import os
from collections.abc import Iterator

from scanner.dump import pack
from scanner.dump.source import CHUNK, HOLE
from scanner.errors import Unreadable, Unwritten, cause
from scanner.stages.session import Session

FILL = 0x58
"""What stands where a secret stood: the letter X, which no reader takes for a key or an address."""

Spans = tuple[tuple[int, int], ...]
"""Disjoint ranges of a file, in order: (start, end)."""

_FLAGS = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def overwrite(session: Session, path: str, spans: Spans, sha256: str) -> int:
    """Write the content with ``spans`` overwritten into the file at ``path``, which is there.

    Offsets are in the decoded content, whose digest must be ``sha256``; its layers are written
    again. Returns the bytes written. Raises Unreadable where the content is another one, and
    Unwritten where the file cannot be written.
    """
    layers = session.survey.content.layers
    digest = hashlib.sha256()
    try:
        fd = os.open(path, _FLAGS)
        try:
            size = _write(fd, pack.pack(_filled(session, spans, digest), layers))
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise Unwritten(
            "the redacted copy cannot be written",
            reason=cause(error),
            hint="make room, or name another place with --output",
        ) from error
    if digest.hexdigest() != sha256:
        raise Unreadable(
            "the dump changed while it was read",
            reason="its bytes are not those that were scanned",
            hint="redact it again when nothing writes to it",
        )
    return size


def _filled(session: Session, spans: Spans, digest: "hashlib._Hash") -> Iterator[bytes]:
    file = session.content
    first = 0
    for offset in range(0, file.size, CHUNK):
        data = bytearray(min(CHUNK, file.size - offset))
        file.readinto(offset, data)
        digest.update(data)
        end = offset + len(data)
        while first < len(spans) and spans[first][1] <= offset:
            first += 1
        index = first
        while index < len(spans) and spans[index][0] < end:
            low, high = max(spans[index][0], offset), min(spans[index][1], end)
            data[low - offset : high - offset] = bytes((FILL,)) * (high - low)
            index += 1
        yield bytes(data)


def _write(fd: int, chunks: Iterator[bytes]) -> int:
    """Write a file from its start; whole blocks of zeros become holes."""
    os.ftruncate(fd, 0)
    size = 0
    for chunk in chunks:
        for at in range(0, len(chunk), HOLE):
            block = chunk[at : at + HOLE]
            if block.count(0) < len(block):
                os.lseek(fd, size + at, os.SEEK_SET)
                _put(fd, memoryview(block))
        size += len(chunk)
    os.ftruncate(fd, size)
    return size


def _put(fd: int, view: memoryview) -> None:
    while view:
        view = view[os.write(fd, view) :]
