"""A strict, bounded DER reader, and the way back from inside an object to its first byte.

DER (X.690) has one legal encoding for each value, which makes a strict reader a good judge of
arbitrary memory. This module refuses indefinite and non-minimal lengths, non-minimal INTEGERs,
multi-byte tags, nesting deeper than :data:`DEPTH` and objects larger than :data:`LIMIT`, and says
so with :class:`Malformed` alone. It knows no key formats.
"""

from typing import Protocol

LIMIT = 64 * 1024
"""Bytes of the largest object that is read, header included."""

DEPTH = 12
"""Nested elements at most."""

BACK = 4
"""Bytes of the longest header of an object within :data:`LIMIT`: 30 82 LL LL."""

INTEGER, BIT_STRING, OCTET_STRING, OID, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
_SEQUENCE = bytes((SEQUENCE,))


class Malformed(ValueError):
    """The bytes are not the DER that was asked for. Carries nothing of them."""


class Memory(Protocol):
    """What a detector needs of a dump: bytes at a coordinate, cut where the space ends."""

    def clip(self, space: int, offset: int, size: int, /) -> bytes:
        """Return what of ``size`` bytes at ``offset`` lies inside the space; may be empty."""
        ...


def _header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return (tag, first content byte, end of content) of the element at ``at``."""
    if end - at < 2:
        raise Malformed
    tag, length = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise Malformed
    at += 2
    if length >= 0x80:
        count = length - 0x80
        if not 1 <= count <= 2 or end - at < count:
            raise Malformed
        length = int.from_bytes(data[at : at + count], "big")
        if length < (0x80 if count == 1 else 0x100):
            raise Malformed
        at += count
    if length > end - at:
        raise Malformed
    return tag, at, at + length


class Reader:
    """A cursor over the elements that stand in ``data[start:end]``, one after the other."""

    __slots__ = ("_at", "_data", "_depth", "_end")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None, depth: int = 0) -> None:
        if depth > DEPTH:
            raise Malformed
        self._data = data
        self._at = start
        self._end = len(data) if end is None else end
        self._depth = depth

    @property
    def at(self) -> int:
        """Where in the bytes the next element begins."""
        return self._at

    def peek(self) -> int:
        """Return the tag of the next element, or -1 at the end."""
        return self._data[self._at] if self._at < self._end else -1

    def skip(self) -> None:
        """Pass over the next element, whatever it is."""
        self._at = _header(self._data, self._at, self._end)[2]

    def finish(self) -> None:
        """Refuse anything that is left."""
        if self._at != self._end:
            raise Malformed

    def content(self, tag: int) -> bytes:
        """Return the content bytes of the next element, which must have this tag."""
        found, start, end = _header(self._data, self._at, self._end)
        if found != tag:
            raise Malformed
        self._at = end
        return self._data[start:end]

    def enter(self, tag: int = SEQUENCE) -> "Reader":
        """Return a reader of what is inside the next element, and pass over it."""
        found, start, end = _header(self._data, self._at, self._end)
        if found != tag:
            raise Malformed
        self._at = end
        return Reader(self._data, start, end, self._depth + 1)

    def element(self) -> bytes:
        """Return the next element whole, header included."""
        start = self._at
        self.skip()
        return self._data[start : self._at]

    def integer(self) -> int:
        """Return the next element, a minimal INTEGER (X.690 section 8.3)."""
        content = self.content(INTEGER)
        if not content:
            raise Malformed
        if len(content) > 1 and content[0] == (0xFF if content[1] & 0x80 else 0x00):
            raise Malformed
        return int.from_bytes(content, "big", signed=True)

    def integers(self, most: int) -> list[int]:
        """Return the INTEGERs that follow, at most so many."""
        found: list[int] = []
        while self.peek() == INTEGER and len(found) < most:
            found.append(self.integer())
        return found

    def bits(self, tag: int = BIT_STRING) -> bytes:
        """Return the next element, a BIT STRING of whole bytes."""
        content = self.content(tag)
        if not content or content[0]:
            raise Malformed
        return content[1:]


def total_size(head: bytes) -> int | None:
    """Return the bytes of the SEQUENCE whose first bytes are ``head``, or None.

    Four bytes of ``head`` are enough. None stands for anything that is not the header of a
    SEQUENCE of at most :data:`LIMIT` bytes with a definite, minimal length.
    """
    if len(head) < 2 or head[0] != SEQUENCE:
        return None
    length = head[1]
    if length < 0x80:
        return 2 + length
    if length == 0x81 and len(head) >= 3 and head[2] >= 0x80:
        return 3 + head[2]
    if length == 0x82 and len(head) >= 4 and head[2]:
        size = 4 + (head[2] << 8 | head[3])
        return size if size <= LIMIT else None
    return None


def write(tag: int, content: bytes) -> bytes:
    """Return an element with the shortest header; Malformed from 65,536 content bytes on."""
    size = len(content)
    if size > 0xFFFF:
        raise Malformed
    if size < 0x80:
        return bytes((tag, size)) + content
    if size < 0x100:
        return bytes((tag, 0x81, size)) + content
    return bytes((tag, 0x82)) + size.to_bytes(2, "big") + content


def headers_before(window: bytes, at: int) -> tuple[int, ...]:
    """Return where in ``window`` a SEQUENCE header may start that ends right before ``at``.

    The forms are 30 LL, 30 81 LL and 30 82 LL LL; longer ones announce more than :data:`LIMIT`.
    """
    starts = []
    if at >= 2 and window[at - 2] == SEQUENCE and window[at - 1] < 0x80:
        starts.append(at - 2)
    if at >= 3 and window[at - 3] == SEQUENCE and window[at - 2] == 0x81 and window[at - 1] >= 0x80:
        starts.append(at - 3)
    if at >= 4 and window[at - 4] == SEQUENCE and window[at - 3] == 0x82 and window[at - 2]:
        starts.append(at - 4)
    return tuple(starts)


def starts(memory: Memory, space: int, offset: int) -> tuple[int, ...]:
    """Return where a SEQUENCE may start that holds what is at ``offset``: there, or just before.

    Just before is where its header ends there.
    """
    lead = min(offset, BACK)
    window = memory.clip(space, offset - lead, lead + 1)
    if window[lead:] == _SEQUENCE:
        return (offset,)
    return tuple(offset - lead + start for start in headers_before(window, lead))


def fetch(memory: Memory, space: int, offset: int) -> bytes | None:
    """Return the whole SEQUENCE that starts at ``offset``, or None where it does not fit."""
    size = total_size(memory.clip(space, offset, BACK))
    if size is None:
        return None
    data = memory.clip(space, offset, size)
    return data if len(data) == size else None
