"""Decoders of single compressed streams, each asked whether its stream ended.

This module exists because libraries differ in how they stop: here each decoder takes bytes, yields
what they decode to in pieces of bounded size, says whether the stream came to its end, and gives
back what lies behind. It refuses to go on over a broken stream, and to hold more than one block.
"""

import base64
import binascii
import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import cramjam
import lz4.frame
import zstandard

from scanner.dump import lzop

STEP = 1 << 16
"""Bytes that a decoder may give at a time, where it can be told."""
ZSTD_STEP = 1 << 11
"""Bytes that a zstd decoder is given at a time: four bytes can mean 128 KiB (RFC 8878 3.1.1.2)."""
ZSTD_WINDOW = 1 << 31
XZ_MEMORY = 5 << 29
"""Bytes for an xz decoder; the largest preset needs 65 MiB, a dictionary may have 2 GiB."""
HEAD = 128
"""Bytes at the start of a stream that a layer is told by."""
SNAPPY_CHUNK = 1 << 17
"""Bytes of a chunk; the format allows 65,536 before compression (framing_format.txt 4.2)."""

BROKEN = (
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    cramjam.DecompressionError,
    binascii.Error,
    EOFError,
    MemoryError,
    OSError,  # bz2: invalid data stream
    RuntimeError,  # lz4: LZ4F_decompress failed
)
"""What a decoder may raise over a stream that cannot be decoded."""

_MAGICS: tuple[tuple[str, bytes], ...] = (
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("xz", b"\xfd7zXZ\0"),
    ("lz4", b"\x04\x22\x4d\x18"),
    ("snappy", b"\xff\x06\0\0sNaPpY"),
    ("lzop", lzop.MAGIC),
)
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)")
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
"""Headers for the largest window, which are told without a look at what follows."""
_BASE64_HEAD = re.compile(
    rb"(?:[A-Za-z0-9+/]+={0,2}\r?\n){0,2}"
    rb"(?:f0VMR[ghj]|TURNU[A-P]|UE1ET[Q-Za-f]|H4sIA|KLUv/|/Td6WFo|QlpoO|e(?:A[E-H]|F[4-7]|J[w-z]|N[o-r])"
    rb"|UEFHRURV|UEsDB[A-D]|BCJNG[A-Za-z0-9+/]|RU1pT[A-P]|TVNDR[gh]AAA|SkFWQSBQUk9GSUxF|S0RVTVAgIC)"
    rb"[A-Za-z0-9+/=\r\n]*"
)
"""What is opened as it stands, but for archives of tar: in one of the first three lines."""


def sniff_layer(head: bytes) -> str | None:
    """Name the encoding that the first bytes of a file, at most HEAD, speak of; else None."""
    return "zlib" if head[:2] in _ZLIB else sniff_amid(head)


def sniff_amid(head: bytes) -> str | None:
    """Name the encoding of which bytes speak where anything may stand: of zlib, two do not."""
    strong = sniff_next(head)
    if strong is not None:
        return strong
    if _inflates(head):
        return "zlib"
    return "base64" if len(head) >= 16 and _BASE64_HEAD.fullmatch(head[:HEAD]) else None


def _inflates(head: bytes) -> bool:
    """Tell a zlib stream with any header (RFC 1950 2.2) by decoding so much of it."""
    kind, flags = head[:1], int.from_bytes(head[:2], "big")
    if len(head) < 8 or kind[0] & 0x8F != 8 or flags % 31 or flags & 0x20:  # 0x20: a dictionary
        return False
    decoder = zlib.decompressobj(15)
    try:
        decoder.decompress(head)
    except zlib.error:
        return False
    return decoder.eof or len(head) >= HEAD


def sniff_next(head: bytes, before: str | None = None) -> str | None:
    """Name the compression of which bytes behind a stream speak: long magics alone count there.

    Only behind zlib may zlib follow.
    """
    if before == "zlib" and head[:2] in _ZLIB:
        return "zlib"
    if is_skippable(head):
        return "zstd"
    for name, magic in _MAGICS:
        if head.startswith(magic) and (name != "lzop" or lzop.can_unpack()):
            return name
    if head[:3] == b"\x1f\x8b\x08" and len(head) > 3 and head[3] & 0xE0 == 0:
        return "gzip"  # RFC 1952 2.3: the reserved flags are zero
    return "bzip2" if _BZIP2.match(head) else None


def is_skippable(head: bytes) -> bool:
    """Tell a skippable frame of zstd (RFC 8878 3.1.2) or LZ4, which may come first."""
    return len(head) >= 4 and head[0] & 0xF0 == 0x50 and head[1:4] == b"\x2a\x4d\x18"


class Decoder(Protocol):
    """One stream of one codec. ``decode`` may raise what is in BROKEN."""

    step: int
    """Bytes that it wants to be given at a time."""
    closing: bytes
    """What it must be given behind the last byte of all."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what these bytes decode to."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the stream said that it is over."""
        ...

    @property
    def whole(self) -> bool:
        """Whether the stream may end here, said so or not."""
        ...

    @property
    def rest(self) -> bytes:
        """Bytes behind the end."""
        ...


class Deflate:
    """gzip (wbits 31), zlib (15) and bare DEFLATE (-15)."""

    step = STEP
    closing = b""

    def __init__(self, wbits: int) -> None:
        self._codec = zlib.decompressobj(wbits=wbits)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """See Decoder."""
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
        """See Decoder."""
        return self._codec.eof

    whole = ended

    @property
    def rest(self) -> bytes:
        """See Decoder."""
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


class Bounded:
    """A decoder of the form that bz2, lzma and lz4.frame share: it gives as much as is asked."""

    step = STEP
    closing = b""

    def __init__(self, codec: Any) -> None:  # noqa: ANN401 - three libraries, one form
        self._codec = codec

    def decode(self, data: bytes) -> Iterator[bytes]:
        """See Decoder."""
        while True:
            piece = self._codec.decompress(data, STEP)
            if piece:
                yield piece
            data = b""
            if self._codec.eof or self._codec.needs_input:
                return

    @property
    def ended(self) -> bool:
        """See Decoder."""
        return bool(self._codec.eof)

    whole = ended

    @property
    def rest(self) -> bytes:
        """See Decoder."""
        return bytes(self._codec.unused_data or b"")


class _Zstd:
    step = ZSTD_STEP
    closing = b""

    def __init__(self, context: zstandard.ZstdDecompressor | None = None) -> None:
        context = context or zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self._codec = context.decompressobj()

    def decode(self, data: bytes) -> Iterator[bytes]:
        yield self._codec.decompress(data)

    @property
    def ended(self) -> bool:
        return self._codec.eof

    whole = ended

    @property
    def rest(self) -> bytes:
        return self._codec.unused_data


class _Snappy:
    """Chunks of the framing format: type, size in 3 bytes, data with its checksum (CRC-32C).

    The stream has no end of its own: it may end behind any chunk. Chunks that may be skipped are
    broken here unless they are zeros, so that nothing hides in them.
    """

    step = STEP
    closing = b""
    ended = False
    _HEAD = b"\xff\x06\0\0sNaPpY"

    def __init__(self) -> None:
        self.rest = b""

    def decode(self, data: bytes) -> Iterator[bytes]:
        self.rest += data
        while len(self.rest) >= 4:
            kind, size = self.rest[0], int.from_bytes(self.rest[1:4], "little")
            if size > SNAPPY_CHUNK:
                raise EOFError
            if len(self.rest) < 4 + size:
                return
            chunk, self.rest = self.rest[: 4 + size], self.rest[4 + size :]
            if kind in {0, 1}:
                yield bytes(cramjam.snappy.decompress(self._HEAD + chunk))
            elif (kind == 0xFF and chunk != self._HEAD) or (kind != 0xFF and any(chunk[4:])):
                raise EOFError

    @property
    def whole(self) -> bool:
        return not self.rest


class _Base64:
    """Lines of base64 (RFC 4648 4), each of which may end in padding; spaces do not count."""

    step = STEP
    closing = b"\n"
    _TEXT = re.compile(rb"[A-Za-z0-9+/=\s]*")

    def __init__(self) -> None:
        self.rest = b""
        self.ended = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        text = self.rest + data
        match = self._TEXT.match(text)
        end = match.end() if match else 0
        self.ended = end < len(text)
        stop = end if self.ended else max(text.rfind(b"\n", 0, end) + 1, 0)
        if not stop and len(text) > 2 * STEP:  # a line without end
            stop = len(text) & ~3
        self.rest = text[stop:]
        whole = b"".join(map(_decoded, text[:stop].splitlines()))
        if whole:
            yield whole

    @property
    def whole(self) -> bool:
        return not self.rest.strip()


def _decoded(line: bytes) -> bytes:
    return base64.b64decode(line.strip(), validate=True)


def open_decoder(name: str) -> Decoder:
    """Return a decoder for one stream of the layer that :func:`sniff_layer` names."""
    return _DECODERS[name]()


class Decoders:
    """Opens the decoders of streams that follow each other: one is done before the next begins.

    What zstd works with takes longer to make than a small frame to decode, so it is kept.
    """

    __slots__ = ("_context",)

    def __init__(self) -> None:
        self._context: zstandard.ZstdDecompressor | None = None

    def open(self, name: str) -> Decoder:
        """Return a decoder for one stream, as :func:`open_decoder` does."""
        if name != "zstd":
            return open_decoder(name)
        self._context = self._context or zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        return _Zstd(self._context)


def open_xz() -> Bounded:
    """Return a decoder of one xz stream."""
    return Bounded(lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY))


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: Deflate(31),
    "zlib": lambda: Deflate(15),
    "deflate": lambda: Deflate(-15),
    "bzip2": lambda: Bounded(bz2.BZ2Decompressor()),
    "xz": open_xz,
    "zstd": _Zstd,
    "lz4": lambda: Bounded(lz4.frame.LZ4FrameDecompressor()),
    "snappy": _Snappy,
    "base64": _Base64,
    "lzop": lzop.Lzop,
}
