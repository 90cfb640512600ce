"""What a compressed dump holds, as a stream, and nothing of it lost on the way.

Decoders that stop early without an error exist for every common codec, so this module asks each
whether its stream ended, goes on with the next stream, and keeps what is no stream: bytes behind
the last one, optional header fields of gzip (file name, comment) and skippable frames of zstd are
appended as they are, behind what was decoded, so that they are swept too. A damaged stream gives
what came before the damage, and a fault. This module refuses to hold more than a few megabytes.
"""

import os
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass

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
from scanner.dump.source import CHUNK, File
from scanner.errors import Unreadable, cause
from scanner.model import Fault

ASIDE = 16 << 20
"""Bytes of header fields and skippable frames that are kept."""
FIRST = 256
"""Bytes that a decoder is given first: a file may consist of empty streams."""
SILENT = 8 << 20
"""Bytes of input without output that are kept until a stream goes on: two blocks of LZ4."""


def copy_stream(fd: int) -> Iterator[bytes]:
    """Yield what a descriptor that cannot be sought gives, a megabyte at most at a time."""
    while True:
        try:
            data = os.read(fd, CHUNK)
        except OSError as error:
            raise Unreadable("standard input cannot be read", reason=cause(error)) from error
        if not data:
            return
        yield data


def copy_file(file: File) -> Iterator[bytes]:
    """Yield the bytes of a file from its start, a megabyte at most at a time."""
    for offset in range(0, file.size, CHUNK):
        yield file.read(offset, min(CHUNK, file.size - offset))


@dataclass(frozen=True, slots=True)
class Opened:
    """An input whose layers are undone while ``pieces`` is read; then ``faults`` is complete."""

    layers: tuple[str, ...]
    head: bytes
    """The first bytes of what is inside, at most as many as were asked for."""
    pieces: Iterator[bytes]
    faults: list[Fault]


def peel(
    chunks: Iterator[bytes], *, max_depth: int = 4, max_bytes: int, head: int = HEAD
) -> Opened:
    """Open nested streams, and look at the first bytes within.

    The pieces are the decoded bytes, then what trails each layer from the innermost out, header
    fields and skippable frames. No layer may give more than ``max_bytes``, and no more than
    ``max_depth`` layers are undone. Pieces raise Unreadable where the input cannot be read.
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
        pieces=_limited(_in_turn(sources, notes), notes),
        faults=notes.faults,
    )


class _Notes:
    """What decoding one input has to tell, and the header fields kept so far."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.faults: list[Fault] = []
        self.aside: list[bytes] = []
        self._room = ASIDE

    def fault(self, code: str, text: str) -> None:
        if all(known.code != code for known in self.faults):
            self.faults.append(Fault(code=code, text=text))

    def keep(self, data: bytes) -> None:
        if len(data) > self._room:
            self.fault(
                "limit-bytes", f"More than {ASIDE} bytes of header fields and skipped frames."
            )
        elif data:
            self._room -= len(data)
            self.aside.append(data)


class _Stream:
    """Chunks that can be looked at before they are taken, and given back."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""
        self._at = 0

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


def _in_turn(sources: list[_Stream], notes: _Notes) -> Iterator[bytes]:
    """Yield the innermost content, then what each layer left, then the header fields."""
    for source in reversed(sources):
        while data := source.take():
            yield data
    yield from notes.aside


def _limited(pieces: Iterator[bytes], notes: _Notes) -> Iterator[bytes]:
    room = notes.max_bytes
    for piece in pieces:
        if len(piece) > room:
            notes.fault("limit-bytes", f"A layer gives more than {notes.max_bytes} bytes.")
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
            if whole:
                whole = yield from _stream(source, decoders.open(layer), notes)
        if not whole:
            return
        _skip_padding(source)
        layer = sniff_next(source.peek(HEAD))


def _gzip_head(source: _Stream, notes: _Notes) -> bool:
    fields = _gzip_fields(source)
    if fields is None:
        notes.fault("corrupt-stream", "A gzip header has a field without an end.")
        return False
    notes.keep(fields)
    return True


def _skip_padding(source: _Stream) -> None:
    """Pass over zeros between two streams (xz file format 2.2; tapes pad gzip likewise)."""
    if source.peek(1) != b"\0":
        return
    head = source.peek(STEP)
    zeros = len(head) - len(head.lstrip(b"\0"))
    if zeros and sniff_next(head[zeros : zeros + HEAD]) is not None:
        source.take(zeros)


def _skip_frame(source: _Stream, notes: _Notes) -> bool:
    """Set a skippable frame aside: 4 bytes magic, 4 bytes size, little-endian, then the data."""
    head = source.peek(8)
    size = 8 + int.from_bytes(head[4:8], "little")
    if len(head) < 8:
        notes.fault("truncated-stream", "A skippable frame is cut.")
        return False
    while size:
        data = source.take(min(size, CHUNK))
        if not data:
            notes.fault("truncated-stream", "A skippable frame is cut.")
            return False
        notes.keep(data)
        size -= len(data)
    return True


def _gzip_fields(source: _Stream) -> bytes | None:
    """Return a gzip header that has optional fields (RFC 1952 2.3), and leave it where it is.

    Without such fields it is empty; None is one that does not end.
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
    return source.peek(at)


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
