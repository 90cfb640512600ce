"""Apport reports (``problem_report.py``): fields of text, and attachments in base64.

A value that is binary stands as ``Key: base64`` and lines that begin with a space, each encoded on
its own; what they decode to is mostly gzip, in old reports zlib, in new ones zstd. This module
exists because a core in a report is text to everybody else; fields of text are left as they are.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from scanner.dump.archives.archive import MAX_MEMBERS, Archive, Member, member_name
from scanner.dump.source import CHUNK

MAX_LINE = 16 << 20
"""Bytes of a line; writers encode a megabyte at a time."""

LOST = 256
"""Bytes of a line that is nothing but base64, and cannot be text."""

_LOST = re.compile(rb" [A-Za-z0-9+/]{256}")
_FIELD = re.compile(rb"([\w.-]{1,200}): base64[ \t\r]*\n")
_TEXT = re.compile(rb"(?: |[\w.-]+:)[^\0-\x08\x0e-\x1f]*|\s*")
"""What Apport writes: a value with any other character is base64."""
_START = re.compile(rb"ProblemType: ?[A-Z]")


def sniff(head: bytes) -> bool:
    """Tell a report by its first field."""
    return _START.match(head) is not None


class _Lines:
    """Lines of a file with their offsets, one of which can be looked at before it is taken."""

    def __init__(self, archive: Archive) -> None:
        self._file = archive.file
        self._held, self._at = b"", 0
        self.offset = 0

    def peek(self) -> bytes:
        """Return the next line, its end included; empty at the end of the file."""
        while (end := self._held.find(b"\n", self._at)) < 0:
            rest = self._held[self._at :]
            start = self.offset + len(rest)
            more = self._file.read(start, min(CHUNK, self._file.size - start))
            self._held, self._at = rest + more, 0
            if not more or len(rest) > MAX_LINE:
                return self._held
        return self._held[self._at : end + 1]

    def take(self, line: bytes) -> None:
        """Go on behind the line that was looked at."""
        self._at += len(line)
        self.offset += len(line)


def read(archive: Archive) -> Iterator[Member]:
    """Yield what each binary value decodes to."""
    lines, count = _Lines(archive), 0
    while line := lines.peek():
        lines.take(line)
        if _TEXT.fullmatch(line):
            archive.know(lines.offset - len(line), len(line))
        if (match := _FIELD.fullmatch(line)) is None:
            if len(line) > LOST and _LOST.match(line):
                archive.fault("corrupt-member", "A line of base64 belongs to no value.")
            continue
        if count == MAX_MEMBERS:
            archive.fault("limit-members", f"More than {MAX_MEMBERS} members.")
            return
        count += 1
        yield Member(name=member_name(match[1]), chunks=_value(archive, lines))


def _value(archive: Archive, lines: _Lines) -> Iterator[bytes]:
    while (line := lines.peek()).startswith(b" "):
        try:
            decoded = base64.b64decode(line.strip(), validate=True)
        except binascii.Error:
            archive.fault("corrupt-member", "A value of the report is no base64.")
            return
        if len(line) > MAX_LINE:
            archive.fault("limit-bytes", f"A line of more than {MAX_LINE:,} bytes.")
        archive.take(lines.offset, len(line))
        lines.take(line)
        yield decoded
