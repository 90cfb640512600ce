"""Memory that is written as text: microdumps of Breakpad, tombstones of Android, hs_err of Java.

A row is an address and bytes, as one long number in the order of memory (microdump) or as words,
each a little-endian number with its last byte first (the others). This module exists because no
limb of a key can be seen in hex; what comes out is an ELF core, and the text itself stays in the
sweep. It refuses to fill what a log lost: rows that are missing are a fault.
"""

import re
from collections.abc import Callable, Iterator

from scanner.dump.archives import cores
from scanner.dump.archives.archive import Archive, Member
from scanner.dump.source import CHUNK

MAX_BYTES = 64 << 20
"""Bytes that the rows of one text may hold together."""
MAX_RUNS = 1 << 18
"""Runs of rows that adjoin: each is a segment of the core."""
MAX_LINE = 1 << 20

_MICRODUMP = re.compile(rb"google-breakpad[^\n]{0,40}: (?:-----BEGIN BREAKPAD|[VOGSCM] [0-9A-Z])")
_TOMBSTONE = re.compile(rb"(?:\*\*\* ){10,}\*\*\*\r?\n")
_HS_ERR = re.compile(rb"#\r?\n# A fatal error has been detected by the Java Runtime Environment")

_STACK = re.compile(rb".*: S ([0-9A-F]{8,16}) ((?:[0-9A-F]{2})+)\s*")
_PROMISE = re.compile(rb".*: S 0 [0-9A-F]+ ([0-9A-F]+) ([0-9A-F]+)\s*")
_CONTEXT = re.compile(rb".*: C ((?:[0-9A-F]{2})+)\s*")
_TORN = re.compile(rb"google-breakpad[^\n]{0,40}: [SC] ")
"""What is a row as well, and none of these."""
_ARCH = re.compile(rb".*: O [AL] \"?(\w+)")
_WORDS = re.compile(
    rb"\s*(?:#\d+\s+)?(?:0x)?([0-9a-f]{8,16}):?"
    rb"((?:\s+[0-9a-f]{16})+|(?:\s+[0-9a-f]{8})+|(?:\s+[0-9a-f]{4})+|(?:\s+[0-9a-f]{2})+)(?:\s|$)"
)
_ABI = re.compile(rb"ABI: '(\w+)'")

_MACHINES = {b"x86": 3, b"x86_64": 62, b"arm": 40, b"arm64": 183, b"mips": 8, b"mips64": 8}

_Row = tuple[int, bytes]


def is_microdump(head: bytes) -> bool:
    """Tell a log with a microdump by one of its first lines."""
    return _MICRODUMP.search(head) is not None


def is_tombstone(head: bytes) -> bool:
    """Tell a tombstone by its line of asterisks."""
    return _TOMBSTONE.match(head) is not None


def is_hs_err(head: bytes) -> bool:
    """Tell a Java error log by its first lines."""
    return _HS_ERR.match(head) is not None


def read_microdump(archive: Archive) -> Iterator[Member]:
    """Yield the stacks of all microdumps in a log."""
    yield from _read(archive, _microdump)


def read_words(archive: Archive) -> Iterator[Member]:
    """Yield the memory around registers, and the stacks, of a tombstone or an error log."""
    yield from _read(archive, _words)


class _Text:
    """What the rows of a text say, apart from their bytes."""

    def __init__(self) -> None:
        self.machine = 0
        self.contexts: list[bytes] = []
        self.memory = bytearray()
        self.runs: list[tuple[int, int]] = []
        """Address and size of each; their bytes are in ``memory``, in this order."""

    def add(self, address: int, data: bytes) -> None:
        """Take the next row."""
        self.memory += data
        if self.runs and sum(self.runs[-1]) == address:
            self.runs[-1] = (self.runs[-1][0], self.runs[-1][1] + len(data))
        else:
            self.runs.append((address, len(data)))


def _read(archive: Archive, rows: Callable[[Archive, _Text], Iterator[_Row]]) -> Iterator[Member]:
    archive.know(0, archive.file.size)
    text = _Text()
    for address, data in rows(archive, text):
        if len(text.memory) + len(data) > MAX_BYTES:
            archive.fault("limit-bytes", f"The text has more than {MAX_BYTES:,} bytes of memory.")
            break
        if len(text.runs) == MAX_RUNS:
            archive.fault("limit-members", f"The text has more than {MAX_RUNS} runs of rows.")
            break
        text.add(address, data)
    yield Member(name="memory", chunks=_core(text))


def _core(text: _Text) -> Iterator[bytes]:
    target = cores.Target(machine=text.machine)
    yield cores.head(target, text.runs, align=16)
    for at in range(0, len(text.memory), CHUNK):
        yield bytes(text.memory[at : at + CHUNK])
    yield from text.contexts


def _lines(archive: Archive) -> Iterator[bytes]:
    held = b""
    for chunk in archive.file.chunks():
        lines = (held + chunk).split(b"\n")
        held = lines.pop()
        yield from lines
        if len(held) > MAX_LINE:
            archive.fault("limit-bytes", f"A line of more than {MAX_LINE:,} bytes.")
            held = b""
    yield held


def _microdump(archive: Archive, text: _Text) -> Iterator[_Row]:
    """Yield the rows of stacks, ``S address bytes``, which ``S 0 sp base size`` promises."""
    inside, promised, found = False, 0, 0
    for line in _lines(archive):
        if b"-----BEGIN BREAKPAD MICRODUMP" in line:
            inside, promised, found = True, 0, 0
        elif b"-----END BREAKPAD MICRODUMP" in line:
            if found < promised:
                archive.fault("truncated-archive", "Rows of a microdump's stack are missing.")
            inside = False
        elif match := _STACK.fullmatch(line):
            data = bytes.fromhex(match[2].decode())
            found += len(data)
            yield int(match[1], 16), data
        elif match := _PROMISE.fullmatch(line):
            promised += int(match[2], 16)
        elif not _said(line, text) and inside and _TORN.search(line):
            archive.fault("corrupt-member", "A row of a microdump cannot be read.")
    if inside:
        archive.fault("truncated-archive", "A microdump has no end.")


def _said(line: bytes, text: _Text) -> bool:
    """Note registers, or the machine, and tell whether a line says either."""
    if match := _CONTEXT.fullmatch(line):
        text.contexts.append(bytes.fromhex(match[1].decode()))
    elif match := _ARCH.match(line):
        text.machine = text.machine or _MACHINES.get(match[1], 0)
    return match is not None


def _words(archive: Archive, text: _Text) -> Iterator[_Row]:
    """Yield rows of words; an error log of Java ends with a line that says so."""
    java = is_hs_err(archive.file.read(0, min(archive.file.size, 512)))
    ended = not java
    for line in _lines(archive):
        if match := _WORDS.match(line):
            words = match[2].split()
            yield int(match[1], 16), b"".join(bytes.fromhex(w.decode())[::-1] for w in words)
        elif line.strip() == b"END.":
            ended = True
        elif match := _ABI.search(line):
            text.machine = text.machine or _MACHINES.get(match[1], 0)
    if not ended:
        archive.fault("truncated-archive", "The error log has no end.")
