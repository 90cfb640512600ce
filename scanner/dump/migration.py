"""The stream in which QEMU saves a machine: sections, and in one of them the pages of its memory.

After QEMU's docs/devel/migration: magic and version, what the machine is, sections that begin with
their kind and number and (since 2.4) end with a footer, an end, and a description of the devices as
JSON. All numbers are big-endian. A page may be sent again: the last one counts. This module exists
because pages lie anywhere in the stream, each behind an address within its block of memory. It
refuses to guess what is in the state of a device, which has no length: it is passed over by its
footer.
"""

from dataclasses import dataclass

from scanner.dump.draft import Draft
from scanner.dump.ramblocks import Block, Cursor, Cut, Memory, Wrong
from scanner.dump.source import CHUNK, File

MAGIC = b"QEVM"
VERSION = 3
MAX_SECTIONS = 1 << 20
MAX_CAPABILITIES = 1 << 10
MAX_TRIES = 1 << 16
"""Footers that turn out to be none."""
MAX_NAME = 1 << 10
"""Bytes of a machine's name; those of sections and blocks have at most 255."""

_EOF, _START, _PART, _END, _FULL, _SUBSECTION, _DESCRIPTION, _CONFIGURATION, _COMMAND = range(9)
_FOOTER = 0x7E
_STEP = 1 << 12
"""Bytes in which a footer is sought at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a stream says of a machine."""

    name: str
    """What QEMU calls its kind, with a version; empty where it does not say."""
    page: int
    """Bytes of a page."""
    shared: bool
    """Memory that another program has, too, was left out."""
    blocks: tuple[Block, ...]


def read(file: File, draft: Draft, at: int) -> Machine:
    """Read a stream from an offset on; damage is in the draft, and so are names of its parts."""
    walk = _Walk(file, draft, at)
    try:
        walk.all()
    except Cut:
        draft.fault("truncated", "The file ends within the stream of the machine.")
    except Wrong as error:
        draft.fault("damaged-table", f"The stream cannot be followed at {walk.at}: {error}.")
    walk.memory.tell()
    memory = walk.memory
    blocks = tuple(memory.blocks.values())
    return Machine(name=walk.name, page=memory.page, shared=memory.shared, blocks=blocks)


class _Walk(Cursor):
    """Follows a stream; what it finds is in ``name``, in ``memory`` and in the draft."""

    def __init__(self, file: File, draft: Draft, at: int) -> None:
        super().__init__(file, at)
        self.name = ""
        self.memory = Memory(draft)
        self._draft = draft
        self._ram: int | None = None
        """The number of the section with the memory."""
        self._numbers: set[int] = set()
        """Those of the others."""
        self._footers = self._done = False
        """Sections have footers; all of the memory was sent."""
        self._tries = MAX_TRIES

    def all(self) -> None:
        """Follow the stream to its end."""
        start = self.at
        if self.take(4) != MAGIC or self.number(4) != VERSION:
            raise Wrong("its version is not known")
        self._draft.label(start, 8, "header")
        for _ in range(MAX_SECTIONS):
            if not self._section():
                return
        raise Wrong("it has too many sections")

    def _section(self) -> bool:
        """Follow one section; tell whether another comes."""
        start = self.at
        if start == self.file.size and self._done and not self._footers:
            return False  # the state of the devices was passed over with the end
        kind = self.number(1)
        if kind == _EOF:
            self._end()
            return False
        if kind in {_START, _PART, _END, _FULL}:
            self._numbered(start, kind)
        elif kind == _CONFIGURATION:
            self._configuration()
            self._draft.label(start, self.at - start, "header")
        elif kind == _COMMAND:
            self.skip(2)
            self.skip(self.number(2))
            self._draft.label(start, self.at - start, "stream command")
        else:
            raise Wrong(f"no section is of the kind {kind}")
        return True

    def _end(self) -> None:
        """Read what describes the devices, if any; behind them nothing stands without memory."""
        start = self.at
        if self._ram is not None and not self._done:
            raise Wrong("it ends before its memory does")
        if self.peek() == _DESCRIPTION:
            self.skip(1)
            self.skip(self.number(4))
            self._draft.label(start, self.at - start, "stream description of devices")
        if self._ram is None and self.at < self.file.size:
            raise Wrong("it ends without any memory, and more follows")

    def _numbered(self, start: int, kind: int) -> None:
        number = self.number(4)
        name = ""
        if kind in {_START, _FULL}:
            name = self.text()
            self.skip(8)  # instance, version
        if kind == _START and name == "ram" and self._ram is None:
            self._ram = number
        if number == self._ram:
            try:
                self.memory.section(self)
            finally:
                self._draft.label(start, self.at - start, "stream ram")
            self._done |= kind == _END
            self._footer(number)
            return
        self._numbers.add(number)
        behind = self._behind(number)
        held = (behind or self.file.size) - start
        self._draft.label(start, held, f"stream state of {_printable(name) or number}")
        if behind is None and (self._footers or not self._done):
            raise Cut
        self.at = self.file.size if behind is None else behind
        if behind is None and self.file.read(self.at - 1, 1) not in {bytes((_EOF,)), b"}"}:
            raise Cut

    def _footer(self, number: int) -> None:
        """Pass over the footer of a section; machines of before QEMU 2.4 have none."""
        if self.peek() == _FOOTER:
            self.skip(1)
            if self.number(4) != number:
                raise Wrong("the footer is of another section")
            self._footers = True

    def _behind(self, number: int) -> int | None:
        """Return the offset behind the footer of a section; None where none is."""
        mark = bytes((_FOOTER,)) + number.to_bytes(4, "big")
        at, step, size = self.at, _STEP, self.file.size
        while at < size:
            data = self.file.read(at, min(step, size - at))
            hit = data.find(mark)
            while hit >= 0:
                self._tries -= 1
                if self._begins(at + hit + len(mark)):
                    return at + hit + len(mark)
                hit = data.find(mark, hit + 1) if self._tries > 0 else -1
            if at + len(data) == size:
                break
            at += max(len(data) - len(mark) + 1, 1)
            step = min(2 * step, CHUNK)
        return None

    def _begins(self, at: int) -> bool:
        """Tell whether a section, or the end, is at an offset behind a footer."""
        head = self.file.read(at, min(6 + 255, self.file.size - at))
        if head[:1] == bytes((_EOF,)):
            return head[1:2] in {b"", bytes((_DESCRIPTION,)), b"\0"}
        number = int.from_bytes(head[1:5], "big")
        if head[:1] in {bytes((_PART,)), bytes((_END,))}:
            return number in self._numbers or number == self._ram
        if head[:1] in {bytes((_START,)), bytes((_FULL,))} and len(head) > 5:
            name = head[6 : 6 + head[5]]
            return bool(name) and name.isascii() and name.decode("ascii").isprintable()
        return head[:1] in {b"", bytes((_COMMAND,))}

    # --- what the machine is -------------------------------------------------------------------

    def _configuration(self) -> None:
        """Read the machine's name and what of its configuration follows, each with a name."""
        size = self.number(4)
        if size > MAX_NAME:
            raise Wrong("the name of the machine is too long")
        self.name = self.take(size).decode("utf-8", "replace")
        while self.peek() == _SUBSECTION:
            self.skip(1)
            name = self.text()
            self.skip(4)  # version
            if name == "configuration/target-page-bits":
                bits = self.number(4)
                if not 10 <= bits <= 16:
                    raise Wrong("its pages have no size")
                self.memory.page = 1 << bits
            elif name == "configuration/capabilities":
                self._capabilities()
            elif name == "configuration/uuid":
                self.skip(16)
            else:
                raise Wrong("what it tells of the machine is not known")

    def _capabilities(self) -> None:
        count = self.number(4)
        if count > MAX_CAPABILITIES:
            raise Wrong("too many names follow that of the machine")
        names = {self.text() for _ in range(count)}
        self.memory.shared = "x-ignore-shared" in names
        self.memory.mapped = "mapped-ram" in names


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)
