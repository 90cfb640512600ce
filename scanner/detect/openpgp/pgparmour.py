"""ASCII armour of OpenPGP (RFC 9580 section 6), in the shapes that text takes inside a process.

Lines may be indented, have what a log, a mail or a table puts before and behind each, and all of it
be escaped as a text in another one is; headers are passed over, and the checksum is told apart from
the data. This module knows no packets, and never raises.
"""

import base64
import binascii
import re
from itertools import pairwise

from scanner.detect.encodings import escapes, margins

_BREAK = re.compile(rb"[\r\n \t]+")
_LINE = re.compile(rb"[A-Za-z0-9+/]{4,76}(?:={1,2}(?![A-Za-z0-9+/]))?")
_NEXT = re.compile(rb"-----(?:BEGIN|END) ")
_SUM = re.compile(rb"=[A-Za-z0-9+/]{4}")
_WHOLE = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,76}(?![A-Za-z0-9+/=])")
"""A line but the last: GnuPG and most have 64 characters, OpenPGP.js had 60, the most are 76."""

_GAP = 256
"""Characters from a line to the next, of what stands before and behind each."""

_HEADER = re.compile(rb"(?:Version|Comment|Hash|Charset|MessageID): (?:[^\r\n ]| (?! )){0,200}")
"""Two blanks end it, too, where all lines became one."""


def dearmor(text: bytes, *, cut: bool = False) -> tuple[bytes, int, bool]:
    """Decode what stands behind a BEGIN line (RFC 9580 section 6.2).

    Returns the bytes, the characters that they took, and whether a checksum contradicts them. Lines
    end in LF, CRLF or CR; escapes are undone, and indentation is passed over. With ``cut``, the
    text may end anywhere.
    """
    end = _NEXT.search(text)
    plain = escapes.undone(text[: end.start()] if end else text)
    even = margins.evened(plain.text, b"", _HEADER.pattern)
    if even.ends is None:
        even = margins.unmargined(plain.text)
    gathered, at = _lines(even.text)
    total = _SUM.match(even.text, at)
    if total is None and not cut:
        other, behind, check = _apart(even.text)
        if len(other) > len(gathered):
            gathered, at, total = other, behind, check
    if cut:
        gathered = gathered[: len(gathered) & ~3]
    try:
        data = base64.b64decode(gathered, validate=True)
    except binascii.Error:
        return b"", 0, False
    if total is None:
        return data, plain.size(even.size(at)), False
    wanted = base64.b64decode(total[0][-4:])
    return data, plain.size(even.size(total.end())), crc24(data).to_bytes(3, "big") != wanted


def _lines(text: bytes) -> tuple[bytes, int]:
    """Return the base64 of lines that follow each other, and where the checksum would be."""
    at = _skip(text, 0)
    while match := _HEADER.match(text, at):
        at = _skip(text, match.end())
    gathered = bytearray()
    while match := _LINE.match(text, at):
        gathered += match[0]
        at = _skip(text, match.end())
        if match[0].endswith(b"="):
            break
    return bytes(gathered), at


def _apart(text: bytes) -> tuple[bytes, int, re.Match[bytes] | None]:
    """Return the base64 of lines with more between them, where it ends, and the checksum's match.

    What stands before each ends alike: behind that the last line begins, and the checksum.
    """
    lines: list[re.Match[bytes]] = []
    at, reach = 0, len(text)
    while match := _WHOLE.search(text, at, reach):
        if lines and len(match[0]) != len(lines[0][0]):
            break
        lines.append(match)
        at, reach = match.end(), match.end() + _GAP + len(match[0]) + 1
    if not lines or at == len(text):
        return b"", 0, None
    first = lines[0].start()
    gaps = [text[one.end() : next_.start()] for one, next_ in pairwise(lines)]
    mark = re.escape(
        margins.common_end(gaps or [text[max(text.rfind(b"\n", 0, first), 0) : first]])
    )
    gathered, behind = b"".join(line[0] for line in lines), re.escape(text[at : at + 1])
    last = re.compile(rb"%b([A-Za-z0-9+/]{1,75}={0,2})(?=%b)" % (mark, behind))
    if mark and (short := last.search(text, at, at + _GAP)):
        gathered, at = gathered + short[1], short.end()
    total = re.compile(rb"%b=[A-Za-z0-9+/]{4}(?![A-Za-z0-9+/=])" % mark)
    return gathered, at, total.search(text, at, at + _GAP)


def _skip(text: bytes, at: int) -> int:
    match = _BREAK.match(text, at)
    return match.end() if match else at


def crc24(data: bytes) -> int:
    """Return the checksum of armour (RFC 9580 section 6.1.1)."""
    value = 0xB704CE
    for byte in data:
        value ^= byte << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
    return value
