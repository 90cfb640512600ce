"""Uploads of forms (multipart/form-data, RFC 7578 and 2046): fields and files between boundaries.

Breakpad and Crashpad send minidumps so, and what receives them keeps the body as it came. This
module exists because a dump between lines of text is bytes to everybody else. It refuses to decode
what a part says it is encoded in: whatever tells itself by its first bytes is opened as elsewhere,
and anything else is a fault.
"""

import re
from collections.abc import Iterator

from scanner.dump.archives.archive import MAX_MEMBERS, Archive, Member, member_name
from scanner.dump.source import CHUNK

MAX_FIELDS = 16 << 10
"""Bytes of the header fields of a part."""
FIRST = 16 << 10
"""Bytes in which the next boundary is sought first."""
PADDING = 64
"""Bytes of white space that may follow a boundary."""

_START = re.compile(
    rb"--([0-9A-Za-z'()+_,./:=?-]{1,70})[ \t]*(\r?\n)"
    rb"(?:[A-Za-z-]{1,40}:[^\n]*\n){0,8}?content-disposition:[ \t]*form-data[;\r\n]",
    re.IGNORECASE,
)
_NAME = re.compile(
    rb"(?im)^content-disposition:[^\n]*?[; \t](?:filename|name)=\"?([^\"\r\n;]{1,200})"
)
_FILE = re.compile(rb"(?im)^content-disposition:[^\n]*?[; \t]filename=\"?([^\"\r\n;]{1,200})")
_ENCODED = re.compile(rb"(?im)^content-(?:transfer-)?encoding:[ \t]*([^\s;]+)")
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")
"""What stands in no field."""
_TOLD = frozenset(
    (b"identity", b"binary", b"8bit", b"7bit", b"base64", b"gzip", b"x-gzip", b"zstd")
)
"""Encodings that are none, or tell themselves."""


def sniff(head: bytes) -> bool:
    """Tell an upload by its first boundary, and the first part's disposition."""
    return _START.match(head) is not None


def read(archive: Archive) -> Iterator[Member]:
    """Yield the parts that have any bytes."""
    file = archive.file
    match = _START.match(file.read(0, min(file.size, 1024)))
    if match is None:
        archive.fault("corrupt-archive", "The upload has no boundary.")
        return
    line = match[2]
    boundary = re.compile(
        re.escape(line + b"--" + match[1]) + rb"(--)?[ \t]{0,%d}" % PADDING + line, re.DOTALL
    )
    at = match.end(2)
    archive.know(0, at)
    for _ in range(MAX_MEMBERS):
        fields = file.read(at, min(MAX_FIELDS, file.size - at))
        end = 0 if fields.startswith(line) else fields.find(2 * line) + len(line)
        if end < len(line) and not fields.startswith(line):
            archive.fault("corrupt-archive", "A part of the upload has no end of its fields.")
            return
        if _BINARY.search(fields, 0, end):
            archive.fault("corrupt-archive", "The fields of a part of the upload are no text.")
        archive.know(at, end + len(line))
        fields, start = fields[:end], at + end + len(line)
        _encoding(archive, fields)
        found = _find(archive, start - len(line), boundary, line)
        end = found[0] if found else file.size
        if end > start:
            name = _FILE.search(fields) or _NAME.search(fields)
            label = member_name(name[1]) if name else "part"
            yield Member(name=label, chunks=archive.stored(start, end - start))
        if found is None:
            archive.fault("truncated-archive", "The upload has no last boundary.")
            return
        end, at, last = found
        archive.know(end, at - end)
        if last:
            return
    archive.fault("limit-members", f"More than {MAX_MEMBERS} members.")


def _encoding(archive: Archive, fields: bytes) -> None:
    for encoding in _ENCODED.findall(fields):
        if encoding.lower() not in _TOLD:
            text = "A part of the upload has an encoding that is not decoded."
            archive.fault("unsupported", text)


def _find(
    archive: Archive, at: int, boundary: re.Pattern[bytes], line: bytes
) -> tuple[int, int, bool] | None:
    """Return where the next boundary begins and ends, and whether it is the last one.

    At the end of a file the end of its line may be missing.
    """
    file, step = archive.file, FIRST
    overlap = len(boundary.pattern) + PADDING
    while at < file.size:
        window = file.read(at, min(step + overlap, file.size - at))
        last = at + len(window) == file.size
        match = boundary.search(window + line if last else window)
        if match is not None:
            return at + match.start(), min(at + match.end(), file.size), match[1] is not None
        if last:
            return None
        at, step = at + step, CHUNK
    return None
