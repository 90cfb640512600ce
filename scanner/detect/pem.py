r"""Private keys as text: PEM (RFC 7468), in the shapes that text takes inside a process.

ASCII or UTF-16LE; lines that end in LF, CRLF or CR, in ``\n`` escaped once or more, or not at all;
indented, quoted and concatenated as in source code. The DER inside says how much base64 is needed,
so the END line may be gone and anything may follow. What the text decodes to must be a key by the
rules of ``keys``: a label alone is nothing, and an encrypted body is no finding here.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.detect import der
from scanner.detect.der import Memory
from scanner.detect.keys import Proved, candidate, parse_private
from scanner.model import Place
from scanner.rules import Rule

MARK = b"PRIVATE KEY-----"
"""The anchor: the end of a BEGIN line, or of an END line."""

BODY = 64 * 1024
"""Characters of the longest body."""

NOISE = 256
"""Characters between two pieces of base64 at most."""

_LINES = ("-----BEGIN ", "-----BEGIN RSA ", "-----BEGIN EC ")
_BEGIN = {
    1: tuple(line.encode("ascii") for line in _LINES),
    2: tuple(line.encode("utf-16-le") for line in _LINES),
}
_LEAD = max(map(len, _LINES))
_FIRST_READ = 512
_GROWTH = 8
_SLACK = NOISE + len(b"-----END ENCRYPTED PRIVATE KEY-----")
_SMALLEST = 32
"""Bytes of the smallest object that could be a key."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/]+")
_ESCAPED = re.compile(rb"\\+(/|u00(?:2[bBfF]))|%(2[bBfF])")
_LITERALS = {b"/": b"/", b"2b": b"+", b"2f": b"/"}
_FILLER = re.compile(
    rb"\s+"
    rb"|\\+(?:[nrt]|u000[adAD])"  # \n, \\n, \u000a
    rb"|\\+(?=\s)"  # a line continued
    rb"|&#(?:10|13|x0?[aAdD]);|%0[aAdD]"
    rb"|\\*[\"'`]\s{0,64}[+.,]?\s{0,64}\\*[\"'`]"  # "..." + "...", "..." "..."
)
_END = re.compile(rb"-----END [A-Z ]{0,12}PRIVATE KEY-----")
_PADDING = re.compile(rb"=+|\\+u003[dD]|%3[dD]")


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the private key whose BEGIN line holds the anchor at ``offset``, if there is one."""
    head = memory.clip(space, offset, 2)
    width = 2 if head == b"P\0" else 1
    if head[:1] != b"P":
        return
    lead = min(offset, _LEAD * width)
    before = memory.clip(space, offset - lead, lead)
    begin = next((line for line in _BEGIN[width] if before.endswith(line)), b"")
    if not begin:
        return
    first = offset - len(begin)
    body = _Text(memory=memory, space=space, offset=offset + len(MARK) * width, width=width)
    found = _decode(body)
    if found is None:
        return
    data, end = found
    parsed = parse_private(data)
    if parsed is None:
        return
    place = Place(space=space, offset=first, size=offset + (len(MARK) + end) * width - first)
    encoding = f"{parsed.form}-PEM" + (" utf-16le" if width == 2 else "")
    yield Proved(candidate=candidate(parsed, rule, encoding, (place,)), material=parsed.material)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """Characters of one or two bytes that start at a coordinate."""

    memory: Memory
    space: int
    offset: int
    width: int

    def read(self, size: int) -> bytes:
        """Return up to ``size`` characters, one byte each, up to the first that has no place."""
        raw = self.memory.clip(self.space, self.offset, size * self.width)
        if self.width == 1:
            return raw
        high = raw[1::2]
        return raw[::2][: len(high) - len(high.lstrip(b"\0"))]


def _decode(body: _Text) -> tuple[bytes, int] | None:
    """Return the DER object that a body holds, and the characters up to the end of the text.

    Reads little first: most hits of the anchor have no body at all.
    """
    size = _FIRST_READ
    while True:
        text = body.read(size)
        data, at = _collect(text)
        last = len(text) < size or size == BODY
        if last or at + _SLACK < len(text):
            return (data, _end(text, at)) if data else None
        size = min(size * _GROWTH, BODY)


def _collect(text: bytes) -> tuple[bytes, int]:
    """Gather base64 from the start of ``text`` until the DER object in it is whole.

    Returns the object, empty where it is not whole, and the characters used.
    """
    gathered = bytearray()
    at = noise = needed = 0
    while at < len(text):
        if match := _BASE64.match(text, at):
            gathered += match[0]
        elif match := _ESCAPED.match(text, at):
            gathered += _LITERALS[(match[1] or match[2])[-2:].lower()]
        elif match := _FILLER.match(text, at):
            at = match.end()
            noise += len(match[0])
            if noise > NOISE:
                return b"", 0
            continue
        else:
            return b"", at
        if gathered[0] != ord("M"):  # 30, the tag of a SEQUENCE
            return b"", 0
        at, noise = match.end(), 0
        if not needed and len(gathered) >= 8:
            total = der.total_size(base64.b64decode(gathered[:8]))
            if total is None or total < _SMALLEST:
                return b"", 0
            needed = (total * 8 + 5) // 6
        if needed and len(gathered) >= needed:
            at -= len(gathered) - needed
            padding = b"=" * (-needed % 4)
            return base64.b64decode(gathered[:needed] + padding), at
    return b"", at


def _end(text: bytes, at: int) -> int:
    """Return where the END line ends that follows the body, or where the body itself does."""
    behind, last = at, at + NOISE
    while behind < last:
        match = _PADDING.match(text, behind, last) or _FILLER.match(text, behind, last)
        if match is None:
            break
        behind = match.end()
    found = _END.match(text, behind)
    return found.end() if found else at
