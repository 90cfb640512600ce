r"""Texts of fields in lines that have more before and behind them, as logs, mails and patches do.

``+`` and ``-`` of a patch, ``>`` of an answer, marks of comments, numbers, times and colours;
quotes and commas of a list in JSON; what a log of containers puts around each line; a blank, where
lines became one. What stands between the first two lines of a format stands between the others too,
but for other numbers and blanks. This module knows no formats, and never raises.
"""

import re

from scanner.detect.encodings.escapes import Plain, replaced

_MOST = 256
"""Characters between two lines, at most."""

_PARTS = re.compile(rb"[0-9]+|\s+|[^0-9\s]+")
_EOL = re.compile(rb"[\r\n]")
_END = re.compile(rb"[\r\n]\s*")
_PLAIN = re.compile(rb"\s*\Z|[A-Za-z0-9+/]")
_NAMED = rb"[ \t]+(?=[A-Z][A-Za-z0-9-]{2,24}: )"
"""What parts fields of one line: there are blanks in fields, too."""


def alike(text: bytes) -> bytes:
    """Return an expression of texts that differ in numbers and in blanks alone.

    A number at the end is the same: digits of base64 may follow it. Blanks at an end may lack.
    """
    parts = _PARTS.findall(text)
    last = len(parts) - 1
    return b"".join(_part(part, index, last) for index, part in enumerate(parts))


def _part(part: bytes, index: int, last: int) -> bytes:
    if _EOL.search(part):
        return rb"[ \t]{0,128}[\r\n]\s{0,128}"
    if part.isspace():
        return rb"[ \t]{0,128}" if index in {0, last} else rb"[ \t]{1,128}"
    return rb"[0-9]{1,20}" if part.isdigit() and index < last else re.escape(part)


def common_end(gaps: list[bytes]) -> bytes:
    """Return what all of them end in: what stands before each line of a text."""
    shortest = min(gaps, key=len)
    ends = (n for n in range(len(shortest)) if not all(gap.endswith(shortest[n:]) for gap in gaps))
    return shortest[max(ends, default=-1) + 1 :]


def evened(text: bytes, first: bytes, second: bytes) -> Plain:
    """Return a text with line ends alone between its lines.

    ``first`` and ``second`` are expressions of how the first line is and the second one begins. A
    text that has nothing else between them is returned as it is.
    """
    match = re.match(rb"(?s:%b(.{1,%d}?)(?=%b))" % (first, _MOST, second), text)
    between = match[1] if match else b""
    if not between or _END.fullmatch(between):
        return Plain(text)
    pattern = _NAMED if between.isspace() else alike(between)
    return replaced(text, re.compile(pattern), lambda _: b"\n")


def unmargined(text: bytes) -> Plain:
    """Return a text that begins behind its first line with line ends alone between its lines.

    Where the second line is empty, what stands before it stands there twice.
    """
    ends = [match.start() for match in _EOL.finditer(text, 0, 2 * _MOST)]
    ends = [one for one in ends if text[one - 1 : one] != b"\r" or not one]
    size = ends[1] - ends[0] if len(ends) > 1 else 1
    margin = text[:size]
    pattern = re.compile(alike(margin))
    if size > _MOST or _PLAIN.match(margin) or not pattern.match(text, size):
        return Plain(text)
    return replaced(text, pattern, lambda _: b"\n")
