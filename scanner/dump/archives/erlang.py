"""Crash dumps of Erlang: every term of every process, each on a line of text.

In the text a big integer is decimal, a binary is base64 (hex before version 0.5), and a string is a
chain of cells: no limb, scalar or line of PEM can be seen there for what it is. This module exists
to undo all three, as ``erl_process_dump.c`` of ERTS writes them; what comes out are the bytes, one
value after another between zeros. It refuses to rebuild other terms, and to take a dump without its
end, or of a version that is not known, for whole.
"""

import binascii
import re
from collections.abc import Iterator

from scanner.dump.archives.archive import Archive, Member

MAX_DIGITS = 4096
"""Decimal digits of an integer: that of 8,192 bits has 2,467. Python reads 4,300."""
LEAST_STRING, MAX_STRING = 8, 1 << 20
"""Characters of what is told as a string, and after how many it is told in pieces."""
MAX_LINE = 1 << 20
"""Bytes of a line behind which it is read in pieces."""

_HEAD = re.compile(rb"=erl_crash_dump:([0-9]{1,4})\.([0-9]{1,4})\r?\n")
_BASE64, _NEWEST = (0, 5), (0, 5)
"""Versions of the format: since when binaries are base64, and the last that is known (OTP 29)."""

_INTEGER = re.compile(rb"[0-9A-F]+:B-?([0-9]+)")
_CELL = re.compile(rb"([0-9A-F]+):lI([0-9]{1,3})\|(?:H([0-9A-F]+)|N)")
_ON_HEAP = re.compile(rb"[0-9A-F]+:Yh([0-9A-F]{1,12}):")
_SHARED = re.compile(rb"([0-9A-F]{1,12}):")


def sniff(head: bytes) -> bool:
    """Tell a crash dump by its first line."""
    return _HEAD.match(head) is not None


def read(archive: Archive) -> Iterator[Member]:
    """Yield the integers, binaries and strings of all processes and literals."""
    archive.know(0, archive.file.size)
    yield Member(name="terms", chunks=_apart(_values(archive)))


def _apart(values: Iterator[bytes]) -> Iterator[bytes]:
    """Put zeros around each value, and each at a multiple of 16 bytes."""
    yield bytes(16)
    size = 0
    for data in values:
        size += len(data)
        yield data or bytes(16 + -size % 16)
        size = size if data else 0


def _values(archive: Archive) -> Iterator[bytes]:
    """Yield the bytes of each value, in pieces, and nothing where it ends."""
    based = _version(archive) >= _BASE64
    chain, binary, last = _Chain(), None, b""
    for text, begins, ends in _lines(archive):
        digits = text
        if begins and (cell := _CELL.fullmatch(text)):
            yield from chain.add(cell[1], int(cell[2]), cell[3])
        elif begins:
            yield from chain.end()
            yield from _integer(text)
            head = (_SHARED if last.startswith(b"=binary:") else _ON_HEAP).match(text)
            if head:
                binary, digits = _Binary(int(head[1], 16), based=based), text[head.end() :]
        if binary is not None:
            yield from binary.add(archive, digits, ends=ends)
        if ends:
            last, binary = text, None
        if text.startswith(b"=abort:"):
            break
    yield from chain.end()
    if last != b"=end":
        archive.fault("truncated-archive", "The crash dump has no end.")


def _version(archive: Archive) -> tuple[int, int]:
    head = _HEAD.match(archive.file.read(0, min(archive.file.size, 64)))
    version = (int(head[1]), int(head[2])) if head else (0, 0)
    if version > _NEWEST:
        archive.fault("unopened", "The crash dump is of a version that is not known.")
    return version


def _lines(archive: Archive) -> Iterator[tuple[bytes, bool, bool]]:
    """Yield lines, long ones in pieces: text, whether a line begins with it, whether it ends."""
    held, begins = b"", True
    for chunk in archive.file.chunks():
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r"), begins, True
            begins = True
        if len(held) > MAX_LINE:
            yield held, begins, False
            held, begins = b"", False
    if held or not begins:
        yield held, begins, True


def _integer(line: bytes) -> Iterator[bytes]:
    """Yield the magnitude on a line, most significant byte first: so it is read at any offset."""
    match = _INTEGER.fullmatch(line)
    if match is not None and len(match[1]) <= MAX_DIGITS:
        value = int(match[1])
        yield value.to_bytes(-(-value.bit_length() // 8) or 1, "big")
        yield b""


class _Binary:
    """A binary while it is read: bytes that it still lacks, and digits that make no whole byte."""

    def __init__(self, size: int, *, based: bool) -> None:
        self._lacks = size
        self._based = based
        self._digits = b""

    def add(self, archive: Archive, digits: bytes, *, ends: bool) -> Iterator[bytes]:
        """Yield what further digits decode to; where they do not, that is a fault."""
        digits = self._digits + digits
        cut = len(digits) if ends else len(digits) // 4 * 4
        self._digits = digits[cut:]
        try:
            if self._based:
                data = binascii.a2b_base64(digits[:cut], strict_mode=True)
            else:
                data = binascii.unhexlify(digits[:cut])
        except ValueError:
            data = b""
        self._lacks -= len(data)
        if data:
            yield data
        if ends:
            yield b""
            if self._lacks:
                archive.fault("corrupt-member", "A binary of the crash dump cannot be decoded.")


class _Chain:
    """Cells of a list of characters: of a process from its head on, of literals from its end."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._backward = False
        self._at: bytes | None = None
        self._tail: bytes | None = None

    def add(self, at: bytes, value: int, tail: bytes | None) -> Iterator[bytes]:
        """Take the next cell: its address, its character, and the address of what follows."""
        single = len(self._text) == 1
        ahead = at == self._tail and (single or not self._backward)
        behind = tail is not None and tail == self._at and (single or self._backward)
        if not (ahead or behind) or value > 0xFF or len(self._text) == MAX_STRING:
            yield from self.end()
        if value <= 0xFF:
            self._text.append(value)
            self._at, self._tail, self._backward = at, tail, behind and not ahead

    def end(self) -> Iterator[bytes]:
        """Yield the string that ends here, if it is one."""
        text, self._at, self._tail = bytes(self._text), None, None
        self._text.clear()
        if len(text) >= LEAST_STRING:
            yield text[::-1] if self._backward else text
            yield b""
