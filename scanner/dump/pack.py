"""Compression, written again: what was undone so that a dump could be read.

Only where a redacted dump is to look as the one that it was made from. A stream is written whole
and once, without a name or a time in its header. This module refuses layers of which no writer
stands here: whoever asks is told, before anything is written.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import zstandard

ZSTD_LEVEL = 3
GZIP_LEVEL = 6
XZ_PRESET = 3
BZIP2_LEVEL = 9


class Encoder(Protocol):
    """The form that zlib, bz2, lzma and zstandard share."""

    def compress(self, data: bytes, /) -> bytes:
        """Take bytes in; return what is ready of the stream."""
        ...

    def flush(self) -> bytes:
        """Return the end of the stream."""
        ...


def _zstd() -> Encoder:
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True).compressobj()


_ENCODERS: dict[str, Callable[[], Encoder]] = {
    "zstd": _zstd,
    "gzip": lambda: zlib.compressobj(GZIP_LEVEL, wbits=31),
    "xz": lambda: lzma.LZMACompressor(preset=XZ_PRESET),
    "bzip2": lambda: bz2.BZ2Compressor(BZIP2_LEVEL),
}

LAYERS = tuple(_ENCODERS)
"""Layers that can be written."""


def pack(chunks: Iterator[bytes], layers: tuple[str, ...]) -> Iterator[bytes]:
    """Yield ``chunks`` compressed in each of ``layers``, which are in LAYERS, outermost first."""
    for layer in reversed(layers):
        chunks = _encode(chunks, _ENCODERS[layer]())
    return chunks


def _encode(chunks: Iterator[bytes], encoder: Encoder) -> Iterator[bytes]:
    for chunk in chunks:
        if data := encoder.compress(chunk):
            yield data
    yield encoder.flush()
