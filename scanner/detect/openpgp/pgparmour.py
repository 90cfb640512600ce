"""ASCII armour of OpenPGP (RFC 9580 section 6), in the shapes that text takes inside a process.

Lines may be indented, and all of it escaped as a text in another one is; headers are passed over,
and the checksum is told apart from the data. This module knows no packets, and never raises.
"""

import base64
import binascii
import re

from scanner.detect.encodings import escapes

_BREAK = re.compile(rb"[\r\n \t]+")
_LINE = re.compile(rb"[A-Za-z0-9+/]{4,76}(?:={1,2}(?![A-Za-z0-9+/]))?")
_NEXT = re.compile(rb"-----(?:BEGIN|END) ")
_SUM = re.compile(rb"=[A-Za-z0-9+/]{4}")
_HEADER = re.compile(rb"(?:Version|Comment|Hash|Charset|MessageID): [^\r\n]{0,200}")


def dearmor(text: bytes, *, cut: bool = False) -> tuple[bytes, int, bool]:
    """Decode what stands behind a BEGIN line (RFC 9580 section 6.2).

    Returns the bytes, the characters that they took, and whether a checksum contradicts them. Lines
    end in LF, CRLF or CR; escapes are undone, and indentation is passed over. With ``cut``, the
    text may end anywhere.
    """
    end = _NEXT.search(text)
    plain = escapes.undone(text[: end.start()] if end else text)
    text = plain.text
    at = _skip(text, 0)
    while match := _HEADER.match(text, at):
        at = _skip(text, match.end())
    gathered = bytearray()
    while match := _LINE.match(text, at):
        gathered += match[0]
        at = _skip(text, match.end())
        if match[0].endswith(b"="):
            break
    if cut:
        del gathered[len(gathered) & ~3 :]
    try:
        data = base64.b64decode(bytes(gathered), validate=True)
    except binascii.Error:
        return b"", 0, False
    total = _SUM.match(text, at)
    if total is None:
        return data, plain.size(at), False
    wanted = base64.b64decode(total[0][1:])
    return data, plain.size(total.end()), crc24(data).to_bytes(3, "big") != wanted


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
