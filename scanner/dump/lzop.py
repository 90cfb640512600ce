"""LZO: single blocks, and the streams of them that lzop writes.

After lzop's header, big-endian: magic, versions, method, flags, times, a name and a checksum; then
blocks, each with both its sizes, checksums as the flags say, and LZO1X or what it stands for as it
is; a size of zero ends them. This module exists because libvirt saves machines so. It refuses
filters and extra fields, in which something could hide, and blocks whose checksum is another's.
"""

import importlib.util
import struct
import zlib
from collections.abc import Iterator

MAGIC = b"\x89LZO\0\r\n\x1a\n"
HEAD = 9 + 29 + 255 + 4
"""Bytes of the longest header."""
MAX_BLOCK = 64 << 20
"""Bytes of a block, at most (lzop's MAX_BLOCK_SIZE)."""

_FIELDS = struct.Struct(">3H2BI")
"""Version of the writer, of its library, and to read it; method, level, flags."""
_NAME = 9 + _FIELDS.size + 12
_OLDEST = 0x0940
_LZO = frozenset((1, 2, 3))
_ADLER, _ADLER_PACKED, _CRC, _CRC_PACKED = 0x1, 0x2, 0x100, 0x200
_REFUSED = 0x40 | 0x800
"""An extra field, a filter."""
_CRC_OF_HEAD = 0x1000
_STEP = 1 << 16
_PIECE = 1 << 20
"""Bytes that are given at a time."""
_SHORT = 256
"""Bytes that a block may give beyond 255 for each of its own."""


def can_unpack() -> bool:
    """Tell whether something that decodes LZO is installed: it has no wheel for Windows on ARM."""
    return importlib.util.find_spec("lzallright") is not None


def unpack_lzo(data: bytes, size: int) -> bytes | None:
    """Return what one block of LZO1X decodes to, at most 255 times its bytes; ``size`` is a hint.

    None where nothing that decodes it is installed. Raises EOFError where it cannot be decoded.
    """
    try:
        from lzallright import LZOCompressor, LZOError  # noqa: PLC0415 - may not be there
    except ImportError:
        return None
    try:
        return bytes(LZOCompressor.decompress(data, output_size_hint=size))
    except LZOError as error:
        raise EOFError from error


def name_of(head: bytes) -> bytes:
    """Return the name in a header, as far as it is there."""
    size = head[_NAME] if len(head) > _NAME else 0
    return head[_NAME + 1 : _NAME + 1 + size]


class Lzop:
    """One stream of lzop, decoded block by block; see Decoder."""

    step = _STEP
    closing = b""

    def __init__(self) -> None:
        self._data = bytearray()
        self._flags: int | None = None
        self.ended = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        """See Decoder."""
        self._data += data
        if self._flags is None and not self._header():
            return
        while not self.ended:
            block = self._block()
            if block is None:
                return
            for at in range(0, len(block), _PIECE):
                yield block[at : at + _PIECE]

    def _header(self) -> bool:
        """Read the header; tell whether all of it was there."""
        end = _NAME + 1 + (self._data[_NAME] if len(self._data) > _NAME else 0)
        if len(self._data) < end + 4:
            return False
        version, _, _, method, _, flags = _FIELDS.unpack_from(self._data, 9)
        told = int.from_bytes(self._data[end : end + 4], "big")
        body = self._data[9:end]
        found = zlib.crc32(body) if flags & _CRC_OF_HEAD else zlib.adler32(body)
        if version < _OLDEST or method not in _LZO or flags & _REFUSED or found != told:
            raise EOFError
        self._flags = flags
        del self._data[: end + 4]
        return True

    def _block(self) -> bytes | None:
        """Return the next block, None where it is not all there; nothing is the end."""
        flags = self._flags or 0
        if len(self._data) < 4:
            return None
        size = int.from_bytes(self._data[:4], "big")
        if size == 0:
            self.ended = True
            del self._data[:4]
            return b""
        packed = int.from_bytes(self._data[4:8], "big")
        if len(self._data) < 8:
            return None
        if size > MAX_BLOCK or not 0 < packed <= size <= 255 * packed + _SHORT:
            raise EOFError
        sums = sum(4 for flag in (_ADLER, _CRC) if flags & flag)
        more = sum(4 for flag in (_ADLER_PACKED, _CRC_PACKED) if flags & flag and packed < size)
        start = 8 + sums + more
        if len(self._data) < start + packed:
            return None
        told = struct.unpack_from(f">{sums // 4}I", self._data, 8)
        data = bytes(self._data[start : start + packed])
        block = unpack_lzo(data, size) if packed < size else data
        if block is None or len(block) != size or told != tuple(_sums(block, flags)):
            raise EOFError
        del self._data[: start + packed]
        return block

    @property
    def whole(self) -> bool:
        """See Decoder."""
        return self.ended

    @property
    def rest(self) -> bytes:
        """See Decoder."""
        return bytes(self._data)


def _sums(block: bytes, flags: int) -> Iterator[int]:
    """Yield the checksums of a block that the flags ask for."""
    if flags & _ADLER:
        yield zlib.adler32(block)
    if flags & _CRC:
        yield zlib.crc32(block)
