r"""Bytes that a text lists, whatever they are: where a number that is known may have been printed.

``0xf1, 0x0e`` of C and of many files of settings, ``241, 14`` and ``[241 14]`` of logs, or ``-15``
where a byte has a sign; ``f1 0e``, ``f1:0e`` and ``F1-0E``; ``"0":241,"1":14`` of JavaScript; and
strings with ``\xf1``, ``\361``, ``\u00f1`` or ``%F1`` in them; in one byte a character and in two.
Sixteen in a row are looked at. ``spelled`` reads whole objects, and says what they are; this module
knows rows alone, and refuses to say what a row is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets

FORM = "listed"

FEWEST = 16
"""Bytes of the shortest row."""

_NEAR = 24
"""Bytes from one mark to the next: what parts two numbers of a list, and those of a string that
stand for themselves."""

_ESCAPES = 7
"""Marks in a row from which on a string has bytes in it, and not a name or two."""

_AROUND = 64
"""Bytes before and behind a row's marks in which it begins and ends."""

_GAP = rb"[\s,;]{1,64}+"
_BYTE = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[0-9]{1,2})(?![0-9])"


_Form = tuple[re.Pattern[bytes], re.Pattern[bytes], int]


def _row(item: bytes, gap: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return the patterns of a row, without groups, and of one byte of it.

    CPython's re may lose the place of a group in what is repeated possessively (SystemError).
    """
    plain = re.sub(rb"\((?!\?)", b"(?:", item)
    again = b"(?:%b(?:%b)){%d,}+" % (gap, plain, FEWEST - 1)
    return re.compile(b"(?:%b)%b" % (plain, again)), re.compile(item)


_LISTS: tuple[_Form, ...] = (
    (*_row(rb"0[xX]([0-9A-Fa-f]{1,2})(?![0-9A-Fa-f])", _GAP), 16),
    (
        *_row(rb"(?<![0-9A-Fa-f])([0-9A-Fa-f]{2})(?![0-9A-Fa-f])", rb"(?:[:-]\s{0,64}+|%b)" % _GAP),
        16,
    ),
    (*_row(rb"(?<![0-9])(-?%b)" % _BYTE, _GAP), 10),
    (*_row(rb'"[0-9]{1,5}":\s{0,64}+(%b)' % _BYTE, rb",\s{0,64}+"), 10),
)
"""A whole row; one byte of it; the base in which that is written."""

_ESCAPED: _Form = (*_row(rb"(?:\\x|%)([0-9A-Fa-f]{2})", b""), 16)
_STRINGS: tuple[_Form, ...] = (
    _ESCAPED,
    (
        *_row(
            rb"\\(?:x|u00)([0-9A-Fa-f]{2})|\\([0-3][0-7]{2})|\\[abfnrtv0\\'\"/]|[ -\[\]-~]",
            b"",
        ),
        0,
    ),
)
_NAMED = dict(zip(b"abfnrtv0", b"\a\b\f\n\r\t\v\0", strict=True))


def _table(characters: bytes) -> Flags:
    return np.isin(np.arange(256), list(characters))


_DIGITS = b"0123456789abcdefABCDEF"
_MARKS = (
    (_table(b",:;- \t\r\n"), _table(_DIGITS + b'-"'), _table(_DIGITS + b"xX,:;-] \t\r\n")),
    (_table(b"\\%"), _table(_DIGITS + b"xu"), _table(_DIGITS)),
)
"""What stands before a byte of a list, and how that begins; what a byte of a string begins with."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Row:
    """The bytes of one row, and the text in which they stand."""

    data: bytes
    start: int
    """Where the text begins in what was looked at."""
    text: bytes
    item: re.Pattern[bytes]
    width: int
    """Bytes of a character."""

    def spans(self) -> list[tuple[int, int]]:
        """Return where in what was looked at each byte is written."""
        spans = (match.span() for match in self.item.finditer(self.text))
        start, width = self.start, self.width
        return [(start + width * first, start + width * last) for first, last in spans]


def find(buffer: Bytes) -> Iterator[Row]:
    """Yield the rows in some bytes, each in every way in which it can be read.

    Of text in UTF-16 what is ASCII is read, in either order: one has a byte more before it.
    """
    for (mark, *more), fewest, forms in zip(
        _MARKS, (FEWEST - 1, _ESCAPES), (_LISTS, _STRINGS), strict=True
    ):
        narrow = np.flatnonzero(mark[buffer[:-4]])
        for width, at in ((1, narrow), (2, narrow[buffer[narrow + 1] == 0])):
            likely = at
            for step, behind in enumerate(more, 1):
                likely = likely[behind[buffer[likely + step * width]]]
            for phase in range(width):
                for low, high in _rows(likely[likely % width == phase], fewest, _NEAR * width):
                    start = low - min(_AROUND, low // width) * width
                    text = _characters(buffer[start : high + _AROUND * width], width)
                    yield from _read(text, start, width, forms)


def whole(text: bytes) -> bytes | None:
    """Return the bytes of a list, or of a string of escapes, that a text is: None if it is none."""
    for row, item, base in (*_LISTS, _ESCAPED):
        if row.fullmatch(text):
            return bytes([int(one, base) & 0xFF for one in item.findall(text)])
    return None


def _rows(at: Offsets, fewest: int, near: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last of marks that follow each other closely, so many or more."""
    edges = np.flatnonzero(np.diff(at, prepend=-2 * near, append=np.iinfo(np.int64).max) > near)
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if last - first >= fewest:
            yield int(at[first]), int(at[last - 1])


def _characters(raw: Bytes, width: int) -> bytes:
    """Return what is one byte of each character, or a zero where it is not all of it."""
    if width == 1:
        return raw.tobytes()
    pairs = raw[: len(raw) & ~1].reshape(-1, 2)
    return np.where(pairs[:, 1] == 0, pairs[:, 0], np.uint8(0)).tobytes()


def _read(text: bytes, start: int, width: int, forms: tuple[_Form, ...]) -> Iterator[Row]:
    for row, item, base in forms:
        for match in row.finditer(text):
            if base:
                data = bytes([int(one, base) & 0xFF for one in item.findall(match[0])])
            else:
                data = bytes(map(_value, item.finditer(match[0])))
            yield Row(data, start + width * match.start(), match[0], item, width)


def _value(item: re.Match[bytes]) -> int:
    """Return the byte for which a character of a string stands, or what is written for it."""
    if item[1] or item[2]:
        return int(item[1], 16) if item[1] else int(item[2], 8)
    written = item[0]
    return _NAMED.get(written[1], written[1]) if len(written) > 1 else written[0]
