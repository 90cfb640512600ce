"""What a compressed dump holds, streamed into a spill file, and nothing of it lost on the way.

Decoders that stop early without an error exist for every common codec, so this module asks each
whether its stream ended, goes on with the next stream, and keeps what is no stream: bytes behind
the last one, optional header fields of gzip (file name, comment) and skippable frames of zstd are
appended as they are, behind what was decoded, so that they are swept too. A damaged stream gives
what came before the damage, and a fault. This module refuses to hold more than a few megabytes.
"""

import hashlib
import lzma
import os
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import zstandard

from scanner.dump.source import CHUNK, File, Spill
from scanner.errors import Unreadable
from scanner.model import Content, Fault

STEP = 1 << 16
"""Bytes that a gzip or xz decoder may give at a time."""
ZSTD_STEP = 1 << 11
"""Bytes that a zstd decoder is given at a time: four bytes can mean 128 KiB (RFC 8878 3.1.1.2)."""
ZSTD_WINDOW = 1 << 31
XZ_MEMORY = 5 << 29
"""Bytes for an xz decoder; the largest preset needs 65 MiB, a dictionary may have 2 GiB."""
ASIDE = 16 << 20
"""Bytes of header fields and skippable frames that are kept."""
SILENT = 1 << 18
"""Bytes of input without output that are kept until a stream goes on; a block has half of it."""

_ZSTD = b"\x28\xb5\x2f\xfd"
_XZ = b"\xfd7zXZ\0"
_BROKEN = (zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError, MemoryError)


def sniff_layer(head: bytes) -> str | None:
    """Name the compression that the first 6 bytes speak of: ``zstd``, ``gzip``, ``xz`` or None."""
    if head[:4] == _ZSTD or _is_skippable(head):
        return "zstd"
    if head[:3] == b"\x1f\x8b\x08" and len(head) > 3 and head[3] & 0xE0 == 0:
        return "gzip"  # RFC 1952 2.3: the reserved flags are zero
    return "xz" if head[:6] == _XZ else None


def _is_skippable(head: bytes) -> bool:
    """Tell a skippable frame (RFC 8878 3.1.2), which may come first."""
    return len(head) >= 4 and head[0] & 0xF0 == 0x50 and head[1:4] == b"\x2a\x4d\x18"


def copy_stream(fd: int) -> Iterator[bytes]:
    """Yield what a descriptor that cannot be sought gives, a megabyte at most at a time."""
    while True:
        try:
            data = os.read(fd, CHUNK)
        except OSError as error:
            raise Unreadable(
                "Standard input cannot be read", reason=error.strerror or "the system refused"
            ) from error
        if not data:
            return
        yield data


def copy_file(file: File) -> Iterator[bytes]:
    """Yield the bytes of a file from its start, a megabyte at most at a time."""
    for offset in range(0, file.size, CHUNK):
        yield file.read(offset, min(CHUNK, file.size - offset))


def unpack(chunks: Iterator[bytes], spill: Spill, *, max_depth: int = 4, max_bytes: int) -> Content:
    """Decode nested streams into a spill file, and say what they were.

    ``size`` and ``sha256`` are of all that was written, which is what offsets refer to: the decoded
    bytes, what trails each layer from the innermost out, header fields and skippable frames. No
    layer may give more than ``max_bytes``, and no more than ``max_depth`` layers are undone. Raises
    Unreadable where the input cannot be read or the spill file cannot be written.
    """
    spill.clear()
    notes = _Notes(max_bytes)
    layers: list[str] = []
    sources = [_Stream(chunks)]
    while (layer := sniff_layer(sources[-1].peek(6))) is not None:
        if len(layers) == max_depth:
            notes.fault("limit-depth", f"More than {max_depth} layers of compression.")
            break
        layers.append(layer)
        sources.append(_Stream(_decode(sources[-1], notes)))
    state = hashlib.sha256()
    for piece in _limited(_in_turn(sources, notes), notes):
        spill.write(piece)
        state.update(piece)
    spill.finish()
    return Content(
        layers=tuple(layers),
        size=spill.size,
        sha256=state.hexdigest(),
        faults=tuple(notes.faults),
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
        """Put back what was taken last."""
        if data:
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


def _decode(source: _Stream, notes: _Notes) -> Iterator[bytes]:
    """Yield what the streams at hand decode to; what is none, or broken, stays in ``source``."""
    return _limited(_streams(source, notes), notes)


def _streams(source: _Stream, notes: _Notes) -> Iterator[bytes]:
    while (layer := sniff_layer(source.peek(6))) is not None:
        if layer == "zstd" and _is_skippable(source.peek(4)):
            if not _skip_frame(source, notes):
                return
            continue
        if layer == "gzip":
            fields = _gzip_fields(source)
            if fields is None:
                notes.fault("corrupt-stream", "A gzip header has a field without an end.")
                return
            notes.keep(fields)
        whole = yield from _stream(source, _DECODERS[layer](), notes)
        if not whole:
            return
        _skip_padding(source)


def _skip_padding(source: _Stream) -> None:
    """Pass over zeros between two streams (xz file format 2.2; tapes pad gzip likewise)."""
    head = source.peek(STEP)
    zeros = len(head) - len(head.lstrip(b"\0"))
    if zeros and sniff_layer(head[zeros : zeros + 6]) is not None:
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


class _Decoder(Protocol):
    """One stream of one codec. ``decode`` may raise what is in _BROKEN."""

    step: int

    def decode(self, data: bytes) -> Iterator[bytes]: ...

    @property
    def ended(self) -> bool: ...

    @property
    def rest(self) -> bytes: ...


class _Gzip:
    step = STEP

    def __init__(self) -> None:
        self._codec = zlib.decompressobj(wbits=31)

    def decode(self, data: bytes) -> Iterator[bytes]:
        while True:
            before = self._codec.copy()
            try:
                piece = self._codec.decompress(data, STEP)
            except zlib.error:
                yield from _bytewise(before, data)
                raise
            if piece:
                yield piece
            data = self._codec.unconsumed_tail
            if self._codec.eof or (not data and len(piece) < STEP):
                return

    @property
    def ended(self) -> bool:
        return self._codec.eof

    @property
    def rest(self) -> bytes:
        return self._codec.unused_data


def _bytewise(codec: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """Yield what comes before the byte that breaks a stream."""
    for at in range(len(data)):
        try:
            piece = codec.decompress(data[at : at + 1])
        except zlib.error:
            return
        if piece:
            yield piece


class _Xz:
    step = STEP

    def __init__(self) -> None:
        self._codec = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def decode(self, data: bytes) -> Iterator[bytes]:
        while True:
            piece = self._codec.decompress(data, STEP)
            if piece:
                yield piece
            data = b""
            if self._codec.eof or self._codec.needs_input:
                return

    @property
    def ended(self) -> bool:
        return self._codec.eof

    @property
    def rest(self) -> bytes:
        return self._codec.unused_data


class _Zstd:
    step = ZSTD_STEP

    def __init__(self) -> None:
        self._codec = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()

    def decode(self, data: bytes) -> Iterator[bytes]:
        yield self._codec.decompress(data)

    @property
    def ended(self) -> bool:
        return self._codec.eof

    @property
    def rest(self) -> bytes:
        return self._codec.unused_data


_DECODERS: dict[str, Callable[[], _Decoder]] = {"gzip": _Gzip, "xz": _Xz, "zstd": _Zstd}


def _stream(source: _Stream, decoder: _Decoder, notes: _Notes) -> Generator[bytes, None, bool]:
    """Yield what one stream decodes to, and return whether it came to its end.

    Of a broken stream, what was taken in since it last gave something goes back: a block of zstd
    may have stored its bytes as they are.
    """
    silent = b""
    while not decoder.ended:
        data = source.take(decoder.step)
        if not data:
            notes.fault("truncated-stream", "A compressed stream ends before its end.")
            return False
        silent = (silent + data)[-SILENT:]
        try:
            for piece in decoder.decode(data):
                if piece:
                    yield piece
                    silent = data
        except _BROKEN:
            source.give_back(silent)
            notes.fault("corrupt-stream", "A compressed stream cannot be decoded to its end.")
            return False
    source.give_back(decoder.rest)
    return True
