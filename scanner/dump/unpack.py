"""What a compressed dump holds, as a stream, and nothing of it lost on the way.

Decoders that stop early without an error exist for every common codec, so this module asks each
whether its stream ended, goes on with the next stream, and keeps what is no stream: optional header
fields of gzip (file name, comment) and skippable frames of zstd are given as they are, beside what
was decoded, so that they are swept too. Bytes behind the last stream, and fields and frames
larger than tools make them, are strays, for the caller to open. A damaged stream gives what came
before the damage, and a fault. This module refuses to hold more than a few megabytes.
"""

import os
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from scanner.dump import lzop
from scanner.dump.codecs import (
    BROKEN,
    HEAD,
    STEP,
    Decoder,
    Decoders,
    is_skippable,
    sniff_layer,
    sniff_next,
)
from scanner.dump.source import CHUNK
from scanner.errors import Unreadable, cause
from scanner.model import Fault

ASIDE = 16 << 20
"""Bytes of header fields and skippable frames that are kept."""
FIRST = 256
"""Bytes that a decoder is given first: a file may consist of empty streams."""
MOST_FIELDS = 1024
"""Bytes of optional fields that a gzip member has: a name, a comment, the sizes of blocks."""
MOST_FRAME = 16
"""Bytes of a skippable frame that says no more than a size: four, as pzstd writes it."""
SILENT = 8 << 20
"""Bytes of input without output that are kept until a stream goes on: two blocks of LZ4."""


def copy_stream(fd: int) -> Iterator[bytes]:
    """Yield what a descriptor that cannot be sought gives, a megabyte at most at a time."""
    while True:
        try:
            data = os.read(fd, CHUNK)
        except OSError as error:
            raise Unreadable(
                "standard input cannot be read",
                reason=cause(error),
                hint="give a file, or a dump on standard input: keysift scan - <DUMP",
            ) from error
        if not data:
            return
        yield data


@dataclass(frozen=True, slots=True)
class Opened:
    """An input whose layers are undone while ``pieces`` is read; then ``faults`` is complete."""

    layers: tuple[str, ...]
    head: bytes
    """The first bytes of what is inside, at most as many as were asked for."""
    pieces: Iterator[bytes]
    faults: list[Fault]
    aside: list[bytes]
    """Header fields and frames, which are not in ``pieces``; complete as ``faults`` is."""
    strays: Iterator[Iterator[bytes]]
    """What belongs to no stream, to be read behind ``pieces``; zeros before it are left out."""


def peel(
    chunks: Iterator[bytes], *, max_depth: int = 4, max_bytes: int, head: int = HEAD
) -> Opened:
    """Open nested streams, and look at the first bytes within.

    The pieces are the decoded bytes, then what lies behind damage; strays are what trails each
    layer, from the innermost out. No layer may give more than ``max_bytes``, and no more than
    ``max_depth`` layers are undone. Both raise Unreadable where the input cannot be read.
    """
    notes = _Notes(max_bytes)
    layers: list[str] = []
    sources = [_Stream(chunks)]
    while (layer := sniff_layer(sources[-1].peek(HEAD))) is not None:
        if len(layers) == max_depth:
            notes.fault("limit-depth", f"More than {max_depth} layers of compression.")
            break
        layers.append(layer)
        sources.append(_Stream(_decode(sources[-1], notes, layer)))
    return Opened(
        layers=tuple(layers),
        head=sources[-1].peek(head),
        pieces=_limited(_in_turn(sources), notes),
        faults=notes.faults,
        aside=notes.aside,
        strays=_strays(sources, notes),
    )


class _Notes:
    """What decoding one input has to tell, and the header fields kept so far."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.faults: list[Fault] = []
        self.aside: list[bytes] = []
        self.strays: list[bytes] = []
        self.cut = False
        """A layer gave more than it may: nothing is known of what is behind."""
        self._room = ASIDE

    def fault(self, code: str, text: str) -> None:
        if all(known.code != code for known in self.faults):
            self.faults.append(Fault(code=code, text=text))

    def keep(self, data: bytes, *, stray: bool = False) -> None:
        if len(data) > self._room:
            self.fault(
                "limit-bytes", f"More than {ASIDE:,} bytes of header fields and skipped frames."
            )
        elif data:
            self._room -= len(data)
            (self.strays if stray else self.aside).append(data)


class _Stream:
    """Chunks that can be looked at before they are taken, and given back."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""
        self._at = 0
        self.broken = False
        """What is left lies behind damage."""

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end, and leave them."""
        have = len(self._held) - self._at
        if have < size:
            parts = [self._held[self._at :]]
            for chunk in self._chunks:
                parts.append(chunk)
                have += len(chunk)
                if have >= size:
                    break
            self._held, self._at = b"".join(parts), 0
        return self._held[self._at : self._at + size]

    def take(self, most: int = CHUNK) -> bytes:
        """Return and remove at most ``most`` bytes; nothing is left where none come."""
        if self._at == len(self._held):
            self._held, self._at = next((chunk for chunk in self._chunks if chunk), b""), 0
        data = self._held[self._at : self._at + most]
        self._at += len(data)
        return data

    def give_back(self, data: bytes) -> None:
        """Put back what was taken last, or the end of it: as a rule nothing is moved."""
        before = self._at - len(data)
        if before >= 0 and self._held.startswith(data, before):
            self._at = before
        else:
            self._held, self._at = data + self._held[self._at :], 0


def _in_turn(sources: list[_Stream]) -> Iterator[bytes]:
    """Yield the innermost content, then what lies behind damage."""
    yield from iter(sources[-1].take, b"")
    for source in reversed(sources):
        if source.broken:
            yield from iter(source.take, b"")


def _strays(sources: list[_Stream], notes: _Notes) -> Iterator[Iterator[bytes]]:
    """Yield what each layer left, then what was no header field."""
    if notes.cut:
        return
    for source in reversed(sources):
        if source.peek(1):
            yield iter(source.take, b"")
    for data in notes.strays:
        yield iter((data,))


def _limited(pieces: Iterator[bytes], notes: _Notes) -> Iterator[bytes]:
    room = notes.max_bytes
    for piece in pieces:
        if len(piece) > room:
            notes.fault("limit-bytes", f"A layer gives more than {notes.max_bytes:,} bytes.")
            notes.cut = True
            yield piece[:room]
            return
        room -= len(piece)
        yield piece


def _decode(source: _Stream, notes: _Notes, layer: str) -> Iterator[bytes]:
    """Yield what the streams at hand decode to; what is none, or broken, stays in ``source``."""
    return _limited(_streams(source, notes, layer), notes)


def _streams(source: _Stream, notes: _Notes, first: str) -> Iterator[bytes]:
    layer: str | None = first
    decoders = Decoders()
    while layer is not None:
        if layer == "zstd" and is_skippable(source.peek(4)):
            whole = _skip_frame(source, notes)
        else:
            whole = _gzip_head(source, notes) if layer == "gzip" else True
            if layer == "lzop":
                notes.keep(lzop.name_of(source.peek(lzop.HEAD)))
            if whole:
                whole = yield from _stream(source, decoders.open(layer), notes)
        if not whole:
            source.broken = True
            return
        _skip_zeros(source)
        layer = sniff_next(source.peek(HEAD), layer)


def _gzip_head(source: _Stream, notes: _Notes) -> bool:
    fields = _gzip_fields(source)
    if fields is None:
        notes.fault("corrupt-stream", "A gzip header has a field without an end.")
        return False
    notes.keep(fields, stray=len(fields) > MOST_FIELDS)
    return True


def _skip_zeros(source: _Stream) -> None:
    """Pass over zeros behind a stream (xz file format 2.2; tapes pad gzip likewise)."""
    while source.peek(1) == b"\0":
        head = source.peek(STEP)
        source.take(len(head) - len(head.lstrip(b"\0")))


def _skip_frame(source: _Stream, notes: _Notes) -> bool:
    """Set a skippable frame aside: 4 bytes magic, 4 bytes size, little-endian, then the data."""
    head = source.peek(8)
    if len(head) < 8:
        notes.fault("truncated-stream", "A skippable frame is cut.")
        return False
    notes.keep(source.take(8))
    left, held = int.from_bytes(head[4:], "little"), bytearray()
    while left and (data := source.take(min(left, CHUNK))):
        left -= len(data)
        if len(held) <= ASIDE:
            held += data
    notes.keep(bytes(held), stray=not _says_sizes(held))
    if left:
        notes.fault("truncated-stream", "A skippable frame is cut.")
    return not left


def _says_sizes(frame: bytes | bytearray) -> bool:
    """Tell a frame that says how long others are: a number, or zstd's table for seeking.

    The table has 8 or 12 bytes for each frame, their count, flags, and a magic number
    (zstd_seekable_compression_format.md).
    """
    if len(frame) <= MOST_FRAME or not any(frame):
        return True
    row = 12 if frame[-5] & 0x80 else 8
    size = row * int.from_bytes(frame[-9:-5], "little") + 9
    return frame[-4:] == b"\xb1\xea\x92\x8f" and len(frame) == size


def _gzip_fields(source: _Stream) -> bytes | None:
    """Return a gzip header that has optional fields (RFC 1952 2.3), and leave it where it is.

    The header's ten bytes are not of it; it is empty without such fields, None where one of them
    does not end.
    """
    flags = source.peek(4)[3]
    if flags & 0x1C == 0:
        return b""
    at = 10
    if flags & 0x04:  # FEXTRA
        at += 2 + int.from_bytes(source.peek(at + 2)[at : at + 2], "little")
    for flag in (0x08, 0x10):  # FNAME, FCOMMENT: zero-terminated
        if flags & flag:
            size = 256
            while (end := (head := source.peek(at + size)).find(b"\0", at)) < 0:
                if len(head) < at + size or size > ASIDE:
                    return None
                size *= 4
            at = end + 1
    return source.peek(at)[10:]


def _stream(source: _Stream, decoder: Decoder, notes: _Notes) -> Generator[bytes, None, bool]:
    """Yield what one stream decodes to, and return whether it came to its end.

    Of a broken stream, what was taken in since it last gave something goes back: a block may have
    stored its bytes as they are.
    """
    silent: deque[bytes] = deque()
    kept, step = 0, FIRST
    while not decoder.ended:
        data = source.take(min(step, decoder.step))
        step *= 8
        last = not data
        if last and (decoder.whole or not decoder.closing):
            break
        silent.append(data)
        kept += len(data)
        while kept > SILENT:
            kept -= len(silent.popleft())
        try:
            for piece in decoder.decode(data or decoder.closing):
                if piece:
                    yield piece
                    silent, kept = deque([data]), len(data)
        except BROKEN:
            source.give_back(b"".join(silent))
            notes.fault("corrupt-stream", "A compressed stream cannot be decoded to its end.")
            return False
        if last:
            break
    if not decoder.ended and not decoder.whole:
        notes.fault("truncated-stream", "A compressed stream ends before its end.")
        source.give_back(decoder.rest)
        return False
    source.give_back(decoder.rest)
    return True
