"""What every reader of archives shares: members as streams, and an account of the rest.

A reader yields members one after another, and says which bytes of the archive they took, and which
it knows for headers, directories or padding: these are swept as they are. What is neither is a gap,
and whoever reads the archive opens it. This module exists so that nothing in an archive is lost; it
refuses to name files to write to: a member's name is a label.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Offsets
from scanner.dump.codecs import BROKEN, Decoder
from scanner.dump.source import CHUNK, File
from scanner.model import Fault

MAX_MEMBERS = 1 << 16
MAX_MEMBER_NAME = 200
"""Characters of a member's name that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive; ``chunks`` must be read to their end before the next is asked for."""

    name: str
    chunks: Iterator[bytes]
    stray: bool = False
    """No file of the archive: bytes that it holds and does not name."""
    place: tuple[int, int] | None = None
    """Offset and size, where its bytes stand in the archive as they are, and that is known."""


class Archive:
    """An archive while it is read: its bytes, what is known of them, what was wrong."""

    __slots__ = ("_known", "_taken", "faults", "file")

    def __init__(self, file: File) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self._taken, self._known = array("q"), array("q")

    def fault(self, code: str, text: str) -> None:
        """Note damage, or what cannot be opened; once for each code."""
        if all(known.code != code for known in self.faults):
            self.faults.append(Fault(code=code, text=text))

    def take(self, start: int, size: int) -> None:
        """Note that a member was made of these bytes."""
        self._note(self._taken, start, size)

    def know(self, start: int, size: int) -> None:
        """Note that these bytes are a header, a directory or padding, as it should be."""
        self._note(self._known, start, size)

    def _note(self, spans: "array[int]", start: int, size: int) -> None:
        end = min(start + size, self.file.size)
        if end <= start:
            return
        if spans and spans[-1] == start:
            spans[-1] = end
        else:
            spans.extend((start, end))

    def gaps(self) -> Iterator[tuple[int, int]]:
        """Yield what is of no member and nothing else that is known: (offset, size), in order."""
        return _rows(*self._gaps())

    def left(self) -> Iterator[tuple[int, int]]:
        """Yield what no member was made of, gaps aside: (offset, size), in order."""
        start, size = self._gaps()
        gaps = np.stack((start, start + size), axis=1)
        return _rows(*_between((_pairs(self._taken), gaps), self.file.size))

    def _gaps(self) -> tuple[Offsets, Offsets]:
        return _between((_pairs(self._taken), _pairs(self._known)), self.file.size)

    def stored(self, start: int, size: int) -> Iterator[bytes]:
        """Yield bytes that stand in the archive as they are."""
        end = min(start + size, self.file.size)
        if end < start + size:
            self.fault("truncated-archive", "A member of the archive is cut.")
        yield from self.file.chunks(start, end)
        self.take(start, end - start)

    def decoded(self, start: int, end: int, decoder: Decoder, lead: bytes = b"") -> "Decoding":
        """Return a stream that begins at an offset, behind ``lead``, and ends before another."""
        return Decoding(self, start, min(end, self.file.size), decoder, lead)


class Decoding:
    """Iterates over what one stream decodes to; then ``end`` is the offset behind it.

    Of a broken stream nothing is taken: its bytes are swept as they are, under a fault.
    """

    def __init__(
        self, archive: Archive, start: int, limit: int, decoder: Decoder, lead: bytes
    ) -> None:
        self.end = start
        self._archive, self._start, self._limit = archive, start, limit
        self._decoder, self._lead = decoder, lead

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces of bounded size; may be done once."""
        decoder, at, lead = self._decoder, self._start, self._lead
        while not decoder.ended and at < self._limit:
            data = self._archive.file.read(at, min(decoder.step, self._limit - at))
            at += len(data)
            try:
                yield from decoder.decode(lead + data)
                lead = b""
            except BROKEN:
                self.end = at
                text = "A member of the archive cannot be decoded to its end."
                self._archive.fault("corrupt-member", text)
                return
        self.end = at - len(decoder.rest)
        if not decoder.whole:
            self._archive.fault("truncated-archive", "A member of the archive is cut.")
            return
        self._archive.take(self._start, self.end - self._start)


def _pairs(spans: "array[int]") -> Offsets:
    return np.array(spans, np.int64).reshape(-1, 2)


def _between(spans: tuple[Offsets, ...], size: int) -> tuple[Offsets, Offsets]:
    """Return what spans, as rows of start and end, leave of a file: offsets and sizes."""
    rows = np.concatenate(spans)
    rows = rows[np.argsort(rows[:, 0])]
    start = np.append(rows[:, 0], size)
    before = np.append(np.zeros(1, np.int64), np.maximum.accumulate(rows[:, 1]))
    there = start > before
    return before[there], (start - before)[there]


def _rows(start: Offsets, size: Offsets) -> Iterator[tuple[int, int]]:
    for at in range(0, len(start), CHUNK):
        yield from zip(start[at : at + CHUNK].tolist(), size[at : at + CHUNK].tolist(), strict=True)


def zeros(size: int) -> Iterator[bytes]:
    """Yield so many zeros, a megabyte at most at a time; none where the size is negative."""
    for at in range(0, size, CHUNK):
        yield bytes(min(CHUNK, size - at))


def member_name(raw: bytes) -> str:
    """Return a member's name as text, cut to what is kept."""
    return raw[: 4 * MAX_MEMBER_NAME].decode("utf-8", "replace")[:MAX_MEMBER_NAME]
