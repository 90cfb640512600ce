r"""Bytes as source code and logs spell them: lists of numbers, hex with separators, escapes.

``0x30, 0x82`` of C, C# and Java, ``&H30`` of Visual Basic, ``$30`` of Pascal; ``48, 130`` of JSON,
Rust and logs, or ``48, -126`` where a byte has a sign; ``48 130`` of Go, and a line each of
PowerShell; ``"0":48,"1":130`` of JavaScript's typed arrays; ``30:82`` and ``30 82`` of dumps and of
Node, ``30-82`` of .NET, ``30,82`` of the registry, and hex with tabs, line ends or more blanks;
``\x30\x82`` and ``0\x82`` of strings, as Python prints them, ``0\202`` of C and of Protocol
Buffers' text, ``0\u0082`` of JSON, ``0%82`` of forms; literals of strings may have a line each.
One DER object is read from its first byte on, and no further than it goes; or a text from its BEGIN
line on, which databases write in hex too, and the registry's exports as the bytes of UTF-16. This
module knows no key formats; lines with addresses, as hexdump and xxd print them, it does not read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from scanner.detect.asn1 import der
from scanner.detect.encodings import armour

LONGEST = 96 * 1024
"""Characters that are read: 16 KiB of DER, six characters a byte."""

_HEAD = 12
"""Bytes by which an object is told from other numbers: its header, and a version."""

_BEGINS, _LONGEST_TEXT = (b"-----BEGIN ", "-----B".encode("utf-16-le")), 16 * 1024
_TEXT = frozenset((0, 9, 10, 13, *range(32, 127)))

_GAP = rb"[\s,]{1,64}(?:\(byte\)\s?)?"
_LITERALS = rb"\"\s{0,64}(?:\+\s{0,64})?[\r\n]\s{0,64}(?:\+\s{0,64})?\""
"""What parts two literals, a line each: a string has no line end as it is."""

_NAMED = {
    b"n": 10,
    b"r": 13,
    b"t": 9,
    b"b": 8,
    b"f": 12,
    b"a": 7,
    b"v": 11,
    b"\\": 92,
    b"'": 39,
    b'"': 34,
    b"/": 47,
    b"0": 0,
}


def _hexed(match: re.Match[bytes]) -> int:
    return int(match[1], 16)


def _counted(match: re.Match[bytes]) -> int:
    return int(match[1])


def _escaped(match: re.Match[bytes], base: int = 16) -> int:
    if match[1]:
        return int(match[1], base)
    return _NAMED[match[2]] if match[2] else match[0][-1]


def _octal(match: re.Match[bytes]) -> int:
    return _escaped(match, 8)


def _quoted(match: re.Match[bytes]) -> int:
    return int(match[1], 16) if match[1] else match[0].replace(b"+", b" ")[0]


_Item = tuple[re.Pattern[bytes], re.Pattern[bytes], Callable[[re.Match[bytes]], int]]
_SPELLINGS: tuple[_Item, ...] = (
    (
        re.compile(rb"(?:0[xX]|&H|\$)(?:30|2[dD])"),
        re.compile(rb"(?:0[xX]|&H|\$)([0-9A-Fa-f]{1,2})(?:%b)?" % _GAP),
        _hexed,
    ),
    (
        re.compile(rb"(?:48|45)[ \r\n]"),
        re.compile(rb"([0-9]{1,3})(?:\s{1,64}|(?![0-9]))"),
        _counted,
    ),
    (re.compile(rb"(?:48|45),"), re.compile(rb"(-?[0-9]{1,3})(?:%b)?" % _GAP), _counted),
    (
        re.compile(rb'\\{0,3}"0\\{0,3}":'),
        re.compile(rb'\\{0,3}"[0-9]{1,5}\\{0,3}":\s{0,64}([0-9]{1,3})(?:,\s{0,64})?'),
        _counted,
    ),
    (
        re.compile(rb"(?:30|2[dD])(?:[:,-]|[\t\r\n])"),
        re.compile(rb"([0-9A-Fa-f]{2})(?:[:,-](?:\\?\s{1,64})?|\s{1,64})?"),
        _hexed,
    ),
    (
        re.compile(rb"(?:2[dD]){3}|(?:2[dD]00){2}"),
        re.compile(rb"([0-9A-Fa-f]{2})(?:%b)?" % armour.FILLER.pattern),
        _hexed,
    ),
    (re.compile(rb"(?:30|2[dD]) "), re.compile(rb"([0-9A-Fa-f]{2})\s{0,64}"), _hexed),
    (
        re.compile(rb"\\x30|0\\x8|0[.w]\\x02|\\x2[dD]"),
        re.compile(rb"(?:%b)?(?:\\x([0-9A-Fa-f]{2})|\\([abfnrtv\\'\"0])|[ -\[\]-~])" % _LITERALS),
        _escaped,
    ),
    (
        re.compile(rb"0\\u008|0[.w]\\u0002|\\u002[dD]"),
        re.compile(rb"\\u00([0-9A-Fa-f]{2})|\\([nrtbf/\\\"])|[ -\[\]-~\x7f]"),
        _escaped,
    ),
    (
        re.compile(rb"\\060\\|0\\2|0[.w]\\002|\\055"),
        re.compile(rb"(?:%b)?(?:\\([0-3][0-7]{2})|\\([abfnrtv\\'\"])|[ -\[\]-~])" % _LITERALS),
        _octal,
    ),
    (
        re.compile(rb"%30%|0%8|0[.w]%02"),
        re.compile(rb"%([0-9A-Fa-f]{2})|[!-$&-~]"),
        _quoted,
    ),
)
"""What a spelling begins with where it spells 30, the tag of a SEQUENCE, or a hyphen; one byte and
what parts it from the next; the byte's value."""


def begins(text: bytes) -> bool:
    """Tell whether a text begins with a spelled 30, or hyphens."""
    return any(first.match(text) for first, _, _ in _SPELLINGS)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Spelled:
    """Bytes that a text spells, and where in it each begins and ends."""

    data: bytes
    places: list[tuple[int, int]]


def decode(text: bytes) -> Spelled | None:
    """Return the DER object spelled at the start of ``text``, or all behind a BEGIN line."""
    for first, item, value in _SPELLINGS:
        if first.match(text):
            return _decode(text, item, value)
    return None


def _decode(
    text: bytes, item: re.Pattern[bytes], value: Callable[[re.Match[bytes]], int]
) -> Spelled | None:
    data = bytearray()
    places: list[tuple[int, int]] = []
    at, needed = 0, _HEAD
    while len(data) < needed and (match := item.match(text, at)):
        byte = value(match)
        if not -128 <= byte <= 255 or (needed == _LONGEST_TEXT and byte not in _TEXT):
            break
        data.append(byte & 0xFF)
        places.append((at, match.end(match.lastindex or 0)))
        at = match.end()
        if len(data) == _HEAD:
            if data.startswith(_BEGINS):
                needed = _LONGEST_TEXT
                continue
            size = der.total_size(bytes(data[: der.BACK]))
            if size is None or size < _HEAD or b"\x02\x01" not in data[2:6]:
                break
            needed = size
    whole = len(data) == needed > _HEAD or data.startswith(_BEGINS)
    return Spelled(bytes(data), places) if whole else None
