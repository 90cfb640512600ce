"""The memory in the stream in which QEMU saves a machine: blocks, and pages of them in any order.

After QEMU's docs/devel/migration: a list of blocks with their sizes, then pages, each behind its
offset in a block, with flags in the low bits of that, until a mark ends the section. A page may be
sent again: the last one counts. With mapped-ram pages have fixed places instead, behind a bitmap
that says which are there. All numbers are big-endian. This module exists because a page may lie
anywhere in the stream. It refuses to put together what was sent as changes, and to unpack pages:
that they are there is told.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from scanner.dump import bitmaps
from scanner.dump.draft import MAX_REGIONS, Draft
from scanner.dump.source import CHUNK, File

MAX_BLOCKS = 1 << 10
MAX_BLOCK = 1 << 44
"""Bytes of a block."""
LEAST = 4096
"""Bytes of a page, where no other size is told."""

_ZERO, _SIZES, _PAGE, _EOS, _CONTINUE, _XBZRLE, _HOOK, _ZLIB, _FLUSH = (
    1 << k for k in range(1, 10)
)
"""RAM_SAVE_FLAG_*, in the low bits of a page's address."""
_ZEROS = struct.Struct(">Qx")
_TOO_MANY = f"More than {MAX_REGIONS} pages; the rest has no address."


class Cut(Exception):
    """The file ends within the stream."""


class Wrong(Exception):
    """The stream has what it cannot have: a sentence without an end."""


@dataclass(slots=True, kw_only=True, eq=False)
class Block:
    """A block of a machine's memory: which of its bytes lie where in the file."""

    name: str
    size: int
    pages: dict[int, int] = field(default_factory=dict)
    """Offset within the block and offset in the file of each page that was sent, and not as zeros
    since."""
    runs: list[tuple[int, int, int]] = field(default_factory=list)
    """Offset within the block, offset in the file and size of what has a fixed place."""

    def held(self, page: int) -> Iterator[tuple[int, int, int]]:
        """Yield offset within the block, offset in the file and size of all that is there."""
        yield from self.runs
        for start, offset in self.pages.items():
            yield start, offset, min(page, self.size - start)


class Cursor:
    """Reads a file forward, in chunks."""

    def __init__(self, file: File, at: int) -> None:
        self.file = file
        self.at = at
        self._data = b""
        self._start = at

    def take(self, size: int) -> bytes:
        """Return the next bytes; all of them are there."""
        first = self.at - self._start
        data = self._data[first : first + size] if first >= 0 else b""
        if len(data) < size:
            if self.at + size > self.file.size:
                raise Cut
            self._start = self.at
            self._data = self.file.read(self.at, min(max(size, CHUNK), self.file.size - self.at))
            data = self._data[:size]
        self.at += size
        return data

    def ahead(self, unit: int) -> memoryview:
        """Return what is in memory of the bytes that come next, in whole units, at least one.

        Nothing where the file has not that much.
        """
        first = self.at - self._start
        if not 0 <= first <= len(self._data) - unit:
            if self.at + unit > self.file.size:
                return memoryview(b"")
            self.take(unit)
            self.at -= unit
            first = self.at - self._start
        size = (len(self._data) - first) // unit * unit
        return memoryview(self._data)[first : first + size]

    def skip(self, size: int) -> None:
        """Pass over bytes, all of which are there."""
        if self.at + size > self.file.size:
            raise Cut
        self.at += size

    def number(self, size: int) -> int:
        """Return a number of some bytes."""
        return int.from_bytes(self.take(size), "big")

    def peek(self) -> int:
        """Return the next byte, and stay before it; -1 at the end of the file."""
        return self.file.read(self.at, 1)[0] if self.at < self.file.size else -1

    def text(self) -> str:
        """Return a string behind the byte that has its length."""
        return self.take(self.number(1)).decode("utf-8", "replace")


class Memory:
    """What of a machine's memory was read, and what is to be known for it.

    ``page`` is the size of a page in bytes. ``shared`` means that memory which another program has,
    too, was left out; ``mapped`` that pages have fixed places.
    """

    def __init__(self, draft: Draft) -> None:
        self.blocks: dict[str, Block] = {}
        self.page, self.shared, self.mapped = LEAST, False, False
        self._draft = draft
        self._block: Block | None = None
        self._left = MAX_REGIONS
        self._changes = self._packed = self._elsewhere = 0

    def section(self, cursor: Cursor) -> None:
        """Read what a section has of the memory, up to the mark at its end."""
        mask = self.page - 1
        while True:
            word = cursor.number(8)
            flags, offset = word & mask, word & ~mask
            if flags == _EOS:
                return
            if flags == _SIZES:
                self._sizes(cursor, offset)
            elif flags == _FLUSH:
                self._elsewhere += 1
            else:
                self._one(cursor, offset, flags)

    def _one(self, cursor: Cursor, offset: int, flags: int) -> None:
        """Read a page, and those that follow it in the same block and are sent alike."""
        kind = flags & ~_CONTINUE
        if kind not in {_ZERO, _PAGE, _XBZRLE, _ZLIB}:
            raise Wrong(f"no page has the flags {flags:#x}")
        if not flags & _CONTINUE:
            self._block = self.blocks.get(cursor.text())
        block = self._block
        if block is None or offset >= block.size:
            raise Wrong("a page lies outside of every block of memory")
        if kind == _PAGE:
            self._place(block, offset, cursor.at)
            cursor.skip(self.page)
            self._more(cursor, block, _PAGE, struct.Struct(f">Q{self.page}x"))
        elif kind == _ZERO:
            cursor.skip(1)
            block.pages.pop(offset, None)
            self._more(cursor, block, _ZERO, _ZEROS)
        elif kind == _XBZRLE:
            cursor.skip(1)
            cursor.skip(cursor.number(2))
            self._changes += 1
        else:
            cursor.skip(cursor.number(4))
            block.pages.pop(offset, None)
            self._packed += 1

    def _more(self, cursor: Cursor, block: Block, kind: int, row: struct.Struct) -> None:
        """Read what of pages that are sent alike stands in memory already."""
        mask, alike = self.page - 1, kind | _CONTINUE
        for (word,) in row.iter_unpack(cursor.ahead(row.size)):
            offset = word & ~mask
            if word & mask != alike or offset >= block.size:
                return
            if kind == _PAGE:
                self._place(block, offset, cursor.at + 8)
            else:
                block.pages.pop(offset, None)
            cursor.at += row.size

    def _place(self, block: Block, offset: int, at: int) -> None:
        """Note where a page lies, in place of what was sent of it before."""
        if offset in block.pages:
            block.pages[offset] = at
        elif self._left > 0:
            self._left -= 1
            block.pages[offset] = at
        else:
            self._draft.fault("limit-regions", _TOO_MANY)

    def _sizes(self, cursor: Cursor, total: int) -> None:
        """Read the names and sizes of all blocks, whose sum is told."""
        while total > 0:
            name, size = cursor.text(), cursor.number(8)
            if not 0 < size <= min(total, MAX_BLOCK) or len(self.blocks) == MAX_BLOCKS:
                raise Wrong("the sizes of the memory's blocks are not its size")
            if name in self.blocks:
                raise Wrong("two blocks of memory have one name")
            total -= size
            block = self.blocks[name] = Block(name=name, size=size)
            if self.shared:
                cursor.skip(8)  # its address
            if self.mapped:
                self._mapped(cursor, block)
            elif _tells_pages(cursor):
                cursor.skip(8)

    def _mapped(self, cursor: Cursor, block: Block) -> None:
        """Read the head of a block whose pages have fixed places: version, sizes, two offsets.

        The bitmap follows it; the pages lie as far behind that as the offsets say.
        """
        version, page, bitmap, pages = (cursor.number(size) for size in (4, 8, 8, 8))
        if version != 1 or page != self.page:
            raise Wrong("the places of pages are told in a way that is not known")
        if pages == bitmap == 0:  # left out, being shared
            return
        bits = (block.size + page - 1) // page
        start, first = cursor.at, cursor.at + pages - bitmap
        if first < start + (bits + 7) // 8:
            raise Wrong("the pages of a block lie within its bitmap")
        self._draft.label(start, (bits + 7) // 8, "stream bitmap of pages")
        held = min(bits, 8 * (cursor.file.size - start))
        for at, count in bitmaps.runs(cursor.file, start, held, most=self._left + 1):
            if self._left == 0:
                self._draft.fault("limit-regions", _TOO_MANY)
                break
            size = min(count * page, block.size - at * page)
            block.runs.append((at * page, first + at * page, size))
            self._left -= 1
        cursor.skip(first + block.size - start)

    def tell(self) -> None:
        """Say what of the memory was sent in a way that is not read."""
        if self._changes:
            text = (
                f"{self._changes:,} pages were sent as what had changed in them (XBZRLE), and are "
                "not put together."
            )
            self._draft.fault("unsupported", text)
        if self._packed:
            text = f"{self._packed:,} pages are packed each on its own, and nothing unpacks them."
            self._draft.fault("unsupported", text)
        if self._elsewhere and not self.mapped:
            text = "Pages went through channels of their own (multifd), and are not in this file."
            self._draft.fault("unsupported", text)


def _tells_pages(cursor: Cursor) -> bool:
    """Tell whether the size of a block's pages comes next, where a name would be empty.

    It does where they are huge, of a machine whose memory may follow it (postcopy-ram).
    """
    file, at = cursor.file, cursor.at
    size = int.from_bytes(file.read(at, min(8, file.size - at)), "big")
    return LEAST <= size <= MAX_BLOCK and size & (size - 1) == 0
