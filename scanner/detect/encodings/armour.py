r"""Base64 (RFC 4648, either alphabet) in text, in the shapes that text takes inside a process.

One or two bytes a character; lines that end in LF, CRLF or CR, in ``\n`` escaped once or more, or
not at all; indented, quoted and concatenated as in source code. This module exists so that every
reader of armoured keys takes the same shapes for text. It knows no key formats, bounds how much it
reads and how much noise it passes over, and never raises.
"""

import base64
import re
from dataclasses import dataclass, replace

import numpy as np

from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Memory
from scanner.detect.encodings import margins
from scanner.model import Place

BODY = 64 * 1024
"""Characters of the longest body."""

NOISE = 256
"""Characters between two pieces of base64 at most."""

SMALLEST = 32
"""Bytes of the smallest object that could be a key."""

FILLER = re.compile(
    rb"\s+"
    rb"|\\+(?:[nrt]|u000[adAD]|x0[adAD]|01[25])"  # \n, \\n, \u000a, \x0A, \012
    rb"|\\+(?=\s)"  # a line continued
    rb"|&#(?:10|13|x0?[aAdD]);|%0[aAdD]|<br ?/?>"
    rb"|\\*[\"'`]\s{0,64}(?:[+.,]|&(?:\s{0,8}_)?)?\s{0,64}\\*[\"'`]"  # "..." + "...", "..." "..."
)
"""What may stand for a line end; one piece of it."""

EOL = rb"\s{0,8}(?:\r\n|\n|\r|\\{1,4}r\\{1,4}n|\\{1,4}n)\s{0,64}"
"""A line end between two fields, as a regular expression: real or escaped, with indentation."""

FROM_URL, TO_URL = bytes.maketrans(b"-_", b"+/"), bytes.maketrans(b"+/", b"-_")
"""What turns base64url into base64, and back."""

FILL = 8
"""Characters of one value before a text that are a fill, and part of no text: HMAC fills its blocks
with 0x36, a 6, and with 0x5c, as an escape begins; blocks of allocators adjoin (Go)."""

_CHARS = frozenset(bytes((byte,)) for byte in (9, 10, 13, *range(32, 127)))
_FIRST_READ = 512
_AROUND, _ORDER, _BOUNDARY = 2048, 3, 8
"""Characters on either side in which the end of a text is looked for; bytes of a mark of its order
before it; what allocators give out begins at such offsets."""

_GROWTH = 8
_BASE64 = re.compile(rb"[A-Za-z0-9+/_]+(?:-(?!---)[A-Za-z0-9+/_]*)*")
_ESCAPED = re.compile(rb"\\+(/|u00(?:2[bBfF]))|%(2[bBfF])|&#(43|47|x2[bBfF]);")
_ESCAPE = re.compile(rb"(?:\\(?:[nrt]|u00[0-9A-Fa-f]{2}|x[0-9A-Fa-f]{2})|%[0-9A-Fa-f]{2})\Z")
"""An escape that ends: of what stands before a text."""

_LITERALS = {b"/": b"/", b"2b": b"+", b"2f": b"/", b"43": b"+", b"47": b"/"}
_END = re.compile(
    rb"-----END (?:[A-Z0-9][A-Z0-9+./_-]{0,23} ){0,4}(?:PRIVATE KEY|PUBLIC KEY|CERTIFICATE)-----"
)
_SLACK = NOISE + len(b"-----END ENCRYPTED PRIVATE KEY-----")
_RUN = re.compile(rb"(?:[A-Za-z0-9+/_]+|-(?!---)|%b|%b)+" % (FILLER.pattern, _ESCAPED.pattern))
_PADDING = re.compile(rb"=+|\\+u003[dD]|%3[dD]|&#(?:61|x3[dD]);")
_FIRST = re.compile(rb"M[A-I][A-Za-z0-9+/]{14}|b3BlbnNzaC1rZXk")
"""How the first line of a body begins: of DER, and of OpenSSH's format."""

_BETWEEN = 256
"""Characters from the base64 of a line to that of the next."""

_LINE = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Characters of one or two bytes that start at a coordinate, their low bytes first."""

    memory: Memory
    space: int
    offset: int
    width: int

    def read(self, size: int) -> bytes:
        """Return up to ``size`` characters, one byte each, up to the first that has no place.

        Of two-byte characters with their high bytes first, the last one has none behind it: it is
        taken whatever follows.
        """
        raw = self.memory.clip(self.space, self.offset, size * self.width)
        if self.width == 1:
            return raw
        high = raw[1::2]
        return raw[::2][: len(high) - len(high.lstrip(b"\0")) + 1]


def text_at(memory: Memory, space: int, offset: int) -> Text:
    """Return the text that begins at ``offset``, with the high byte of a character or the low."""
    head = memory.clip(space, offset, 2)
    offset += head[:1] == b"\0"
    width = 2 if b"\0" in head else 1
    return Text(memory=memory, space=space, offset=offset, width=width)


def before(memory: Memory, space: int, offset: int, width: int) -> bytes:
    """Return the character before a text, if there is one, and none where it is parted from it."""
    raw = memory.clip(space, offset - FILL * width, FILL * width)
    return b"" if parted(raw[::width]) else raw[-width:][:1]


def parted(before: bytes) -> bool:
    r"""Tell whether a fill or an escape ends there, as ``\n`` and ``%3D``: it is no text's part."""
    last = before[-FILL:]
    return (len(last) == FILL and last == last[:1] * FILL) or _ESCAPE.search(last) is not None


def stretch(text: Text, before: int, behind: int) -> tuple[Text, bytes, int]:
    """Return the text around its first character, its characters, and where that one is in them.

    At most so many characters before and behind; the ends are where a zero byte stands, or a
    character that is not of one byte.
    """
    lead = min(text.offset // text.width, before)
    first = text.offset - lead * text.width
    raw = text.memory.clip(text.space, first, (lead + behind) * text.width)
    if text.width == 2:
        low, high = np.frombuffer(raw[: len(raw) & ~1], np.uint8).reshape(-1, 2).T
        raw = np.where(high == 0, low, np.uint8(0)).tobytes()
    start = raw.rfind(b"\0", 0, lead) + 1
    end = raw.find(b"\0", lead)
    raw = raw[start : end if end >= 0 else len(raw)]
    return replace(text, offset=first + start * text.width), raw, lead - start


def located(memory: Memory, space: int, first: int, size: int, width: int) -> tuple[Place, str]:
    """Return the place of ``size`` characters whose first low byte is at ``first``, and its width.

    Which byte of a character comes first shows at the ends of the text around them; where both
    ends have a zero byte too many, see :func:`_is_big`.
    """
    if width == 1:
        return Place(space=space, offset=first, size=size), ""
    big = _is_big(memory, space, first, size)
    name = " utf-16be" if big else " utf-16le"
    return Place(space=space, offset=first - big, size=2 * size), name


def _is_big(memory: Memory, space: int, first: int, size: int) -> bool:
    """Tell whether the high bytes of a text come first, by what stands at its two ends.

    A zero byte that the one order needs and the other leaves over may be there by chance, as an end
    of a string, or of more text. So, where both ends have it: the order with its mark (FE FF)
    before it, or with all of it on an allocator's boundary, is big-endian; else the order of
    Windows and of Java's memory.
    """
    lead = min(first, 2 * _AROUND + _ORDER)
    raw = memory.clip(space, first - lead, lead + 2 * (size + _AROUND))
    start, end = lead, lead + 2 * (size - 1)
    if start == 0 or raw[start - 1]:
        return False
    if raw[end + 1 : end + 2] != b"\0":
        return True
    while start >= 2 + _ORDER and raw[start - 1] == 0 and raw[start - 2 : start - 1] in _CHARS:
        start -= 2
    while raw[end + 1 : end + 2] == b"\0" and raw[end + 2 : end + 3] in _CHARS:
        end += 2
    front, behind = raw[start - 1] == 0, raw[end + 1 : end + 2] == b"\0"
    if front != behind:
        return front
    if start < 2 + _ORDER < first:  # the text goes on
        return first % 2 == 1
    return raw.startswith(b"\xfe\xff\0", start - 3) or (first - lead + start - 1) % _BOUNDARY == 0


def find_object(body: Text) -> tuple[bytes, int] | None:
    """Return the DER object that a body of base64 holds, and the characters up to the text's end.

    Reads little first: most hits of an anchor have no body at all.
    """
    size = _FIRST_READ
    while True:
        text = unquoted(body.read(size))
        data, at = _collect(text)
        last = len(text) < size or size == BODY
        if last or at + _SLACK < len(text):
            return (data, end_line(text, at)) if data else None
        size = min(size * _GROWTH, BODY)


def unquoted(text: bytes) -> bytes:
    """Blank out what each line begins or ends with, besides its base64.

    Marks of patches, letters and comments; names of files, numbers, times and programs, as logs,
    ``grep -n`` and ``cat -n`` put them there; what JSON puts around each line. What stands before
    the first line stands before the next one too, but for other digits: a + is a digit of base64.
    """
    first = _FIRST.search(text, 0, _BETWEEN)
    at = first.start() if first else 0
    if not at or unfilled(text, 0) == at:
        return text
    between = re.compile(margins.alike(text[:at]))
    spans = [(0, at)]
    while (line := _LINE.match(text, at)) and (match := between.match(text, line.end())):
        spans.append(match.span())
        at = match.end()
    if len(spans) == 1:
        return text
    blank = bytearray(text)
    for start, end in spans:
        blank[start:end] = b" " * (end - start)
    return bytes(blank)


def _collect(text: bytes) -> tuple[bytes, int]:
    """Gather base64 from the start of ``text`` until the DER object in it is whole.

    Returns the object, empty where it is not whole, and the characters used.
    """
    gathered = bytearray()
    at = needed = 0
    while True:
        piece, start, at = _next(text, at)
        if not piece:
            return b"", max(at, start)
        gathered += piece
        if gathered[0] != ord("M"):  # 30, the tag of a SEQUENCE
            return b"", 0
        if not needed and len(gathered) >= 8:
            total = der.total_size(base64.b64decode(gathered[:8]))
            if total is None or total < SMALLEST:
                return b"", 0
            needed = (total * 8 + 5) // 6
        if needed and len(gathered) >= needed:
            at -= len(gathered) - needed
            padding = b"=" * (-needed % 4)
            return base64.b64decode(gathered[:needed] + padding), at


def _next(text: bytes, at: int) -> tuple[bytes, int, int]:
    """Return the next piece of base64 behind at most NOISE of filler, its start and its end."""
    last = at + NOISE
    while match := FILLER.match(text, at):
        at = match.end()
        if at > last:
            return b"", at, at
    if match := _BASE64.match(text, at):
        return match[0].translate(FROM_URL), at, match.end()
    if match := _ESCAPED.match(text, at):
        return _LITERALS[match[match.lastindex or 0][-2:].lower()], at, match.end()
    return b"", at, at


def gather(text: bytes, at: int = 0) -> tuple[bytes, int]:
    """Return all base64 from ``at`` on, line ends left out, and where its last character ends."""
    gathered = bytearray()
    end = at
    while True:
        piece, _, behind = _next(text, end)
        if not piece:
            return bytes(gathered), end
        gathered += piece
        end = behind


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Run:
    """Base64 that was found around a character: all of it, without line ends."""

    chars: bytes
    places: list[int]
    """Where in the text each character stands."""
    at: int
    """Index of the character that was asked for."""


def around(text: bytes, at: int) -> Run | None:
    """Return the base64 in which the character at ``at`` of ``text`` stands; None if it is none."""
    for match in _RUN.finditer(text):
        if match.start() > at:
            break
        if match.end() > at:
            return _run(text, match.start(), at)
    return None


def _run(text: bytes, end: int, at: int) -> Run | None:
    chars = bytearray()
    places: list[int] = []
    index = -1
    while True:
        piece, start, behind = _next(text, end)
        if not piece:
            if index >= 0 or end > at:
                break
            # A hyphen before no base64 (``---``, ``key: -``), or a long stretch of filler.
            end, chars, places = max(behind, end + 1), bytearray(), []
            continue
        if start <= at < behind:
            index = len(chars) + min(at - start, len(piece) - 1)
        elif start > at and index < 0:
            return None
        chars += piece
        places += range(start, start + len(piece)) if len(piece) == behind - start else [start]
        end = behind
    return Run(chars=bytes(chars), places=places, at=index) if index >= 0 else None


def length(text: bytes, needed: int) -> int:
    """Return the characters of ``text`` up to where ``needed`` characters of base64 are over."""
    end = 0
    while needed > 0:
        piece, _, end = _next(text, end)
        if not piece:
            return len(text)
        needed -= len(piece)
    return end + needed


def unfilled(text: bytes, at: int) -> int:
    """Return where the line ends and blanks at ``at`` are over, at most NOISE of them."""
    last = at + NOISE
    while at < last and (match := FILLER.match(text, at)):
        at = match.end()
    return at


def end_line(text: bytes, at: int) -> int:
    """Return where the END line ends that follows the body, or where the body itself does."""
    behind, last = at, at + NOISE
    while behind < last:
        match = _PADDING.match(text, behind, last) or FILLER.match(text, behind, last)
        if match is None:
            break
        behind = match.end()
    found = _END.match(text, behind)
    return found.end() if found else at


def decode(text: bytes) -> bytes:
    """Decode base64 characters, padding left out, up to the last one that completes a byte."""
    left = len(text) % 4
    whole, rest = text[: len(text) - left], text[len(text) - left :]
    return base64.b64decode(whole + (rest + b"=" * (4 - left) if left >= 2 else b""))
