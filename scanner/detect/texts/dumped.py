"""Private keys in hex dumps: what xxd, hexdump, od, debuggers and logs print.

A line has an address, so many bytes in hex, alone or in groups, and mostly the same bytes as text;
before it may stand what a log puts before each. The addresses say how many bytes a line has, and
that lines follow each other; what stands behind so many is passed over. ``hexdump`` and ``od -x``
print little-endian words of two bytes, which are turned. Of lines without addresses (certutil) the
text says the same. From a DER header or the BEGIN line of a PEM text on, the bytes are read as if
they had stood in memory: this module knows no key formats.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scanner.detect.asn1 import der
from scanner.detect.asn1.der import Memory
from scanner.detect.asn1.keys import Proved, candidate, parse_private
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Text
from scanner.detect.texts import pem
from scanner.detect.texts.encoded import Decoded, read_text
from scanner.model import Place
from scanner.rules import Rule

LONGEST = 96 * 1024
"""Characters that are read: a line of 16 bytes has up to 90, and 16 KiB are the largest key."""

_FIRST_READ = 768
BEFORE = 128
"""Characters before a byte in which its line begins, with its address."""

_COLUMNS = 200
"""Characters of the longest line."""

_ADDRESS = re.compile(
    rb"(?<![0-9A-Za-z])(?:0x)?([0-9A-Fa-f]{4,16}|[0-9A-Fa-f]{8}`[0-9A-Fa-f]{8})"
    rb"(?: <[^<>\n]{1,64}>:|h?[:|]| -(?= )|(?=[ \t]))[ \t]{0,8}(?=(?:0x)?[0-9A-Fa-f]{2})"
)
"""What stands before the bytes of a line: gdb writes of which symbol they are, too."""

_PREFIX, _MOST = 100, 6
"""Characters of a line in which an address ends, and words in them that may be one: a log puts its
own time and name before it."""

_PAIR = re.compile(rb"(?:0x)?([0-9A-Fa-f]{2})[ \t\-]{0,3}")
_PAIRS = re.compile(rb"(?:[0-9A-Fa-f]{2}[ \t\-]{1,3})+\Z")
_BASES = (16, 8, 10)
_STEPS = range(4, 65)
"""Bytes of a line."""

_ROWS = (16, 8, 32, 24, 20, 12, 10, 4)
"""Bytes of a line without an address, the usual ones first."""

_WORDS = re.compile(rb"(?:8[12]|77|2e)30 [0-9a-f]{4} [0-9a-f]{4}", re.IGNORECASE)
_TEXT = re.compile(rb"-----BEGIN [A-Z ]{0,12}PRIVATE KEY-----")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Rows:
    """The bytes of a dump's lines, where each stands in the text, and where each line ends."""

    data: bytes
    places: list[int]
    ends: list[int]


_Line = tuple[bytes, list[int], int]
"""The bytes of a line, where each stands, and where the line ends."""


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved]:
    """Yield the key whose first byte is printed at ``offset``."""
    text = armour.text_at(memory, space, offset)
    _, raw, at = armour.stretch(text, BEFORE, _FIRST_READ)
    rows = read_rows(raw, at)
    if rows is None or not _promising(rows.data):
        return
    whole, raw, at = armour.stretch(text, BEFORE, LONGEST)
    rows = read_rows(raw, at)
    if rows is not None:
        yield from (_text if rows.data[:1] == b"-" else _object)(whole, rows, rule)


def _promising(data: bytes) -> bool:
    """Tell from the first lines whether a private key begins here."""
    if data[:1] == b"-":
        return _TEXT.match(data) is not None
    size = der.total_size(data[: der.BACK])
    return size is not None and size >= armour.SMALLEST and b"\x02\x01" in data[2:6]


def read_rows(raw: bytes, at: int) -> Rows | None:
    """Read the lines from that on in which the byte at ``at`` is printed; None without a step."""
    start = raw.rfind(b"\n", 0, at) + 1
    return _addressed(raw, start, at) or _plain(raw, start, at)


def _addressed(raw: bytes, start: int, at: int) -> Rows | None:
    """Read lines that have an address."""
    swapped = _WORDS.match(raw, at) is not None
    base, step, address = _first(raw, start, at)
    lines: list[_Line] = []
    while step and start < len(raw):
        end, last = _end(raw, start), _last(raw, start)
        heads = _ADDRESS.finditer(raw, start, min(last, start + _PREFIX))
        head = next((head for head in heads if _number(head[1], base) == address), None)
        if head is None:
            break
        line, where = _line(raw, head.end(), last, step)
        if swapped:
            line = b"".join(line[i : i + 2][::-1] for i in range(0, len(line), 2))
        lines.append((line, where, end))
        if len(line) < step:
            break
        address, start = address + step, end + 1
    return _since(lines, at) if lines else None


def _first(raw: bytes, start: int, at: int) -> tuple[int, int, int]:
    """Return base and address of the first line, between them the bytes it has; or zeros."""
    last, below = _last(raw, start), _end(raw, start) + 1
    for head in itertools.islice(_ADDRESS.finditer(raw, start, min(last, start + _PREFIX)), _MOST):
        line, where = _line(raw, head.end(), last, _STEPS.stop)
        if head.end() <= at <= where[-1]:
            others = _ADDRESS.finditer(raw, below, min(_last(raw, below), below + _PREFIX))
            for next_ in itertools.islice(others, _MOST):
                base, step = _step(head[1], next_[1], len(line))
                if step:
                    return base, step, _number(head[1], base)
    return 0, 0, 0


def _plain(raw: bytes, start: int, at: int) -> Rows | None:
    """Read lines that have no address, but each of its bytes as text too."""
    before = _PAIRS.search(raw, start, at)
    column = (before.start() if before else at) - start
    for step in _ROWS:
        lines: list[_Line] = []
        here, said = start, True
        while said and here < len(raw):
            line, where = _line(raw, here + column, _last(raw, here), step)
            said = len(line) == step and _reads(raw[where[-1] + 2 : _last(raw, here)], line)
            lines.append((line, where, _end(raw, here)))
            here = _end(raw, here) + 1
        if len(lines) > 1:
            return _since(lines, at)
    return None


def _since(lines: list[_Line], at: int) -> Rows:
    """Return the bytes of lines from that on which is printed at ``at``."""
    data = b"".join(line for line, _, _ in lines)
    places = [place for _, where, _ in lines for place in where]
    ends = [end for _, where, end in lines for _ in where]
    index = next((i for i, place in enumerate(places) if place >= at), len(places))
    return Rows(data[index:], places[index:], ends[index:])


def _reads(text: bytes, line: bytes) -> bool:
    """Tell whether a text has the characters of a line, and any other in place of what is none."""
    starts = range(len(text) - len(line) + 1)
    return any(
        all(not 32 < byte < 127 or text[first + i] == byte for i, byte in enumerate(line))
        for first in starts
    )


def _end(raw: bytes, start: int) -> int:
    """Return where a line ends."""
    end = raw.find(b"\n", start)
    return end if end >= 0 else len(raw)


def _last(raw: bytes, start: int) -> int:
    """Return where what is read of a line ends."""
    return min(_end(raw, start), start + _COLUMNS)


def _step(first: bytes, second: bytes, room: int) -> tuple[int, int]:
    """Return in what base two addresses are written, and what lies between; zeros for nonsense.

    The line of the first has hex for so many bytes at most.
    """
    for base in _BASES:
        step = _number(second, base) - _number(first, base)
        if step in _STEPS and step % 4 == 0 and step <= room:
            return base, step
    return 0, 0


def _number(address: bytes, base: int) -> int:
    """Return an address; below zero where it is not of that base."""
    try:
        return int(address.replace(b"`", b""), base)
    except ValueError:
        return -1


def _line(raw: bytes, at: int, end: int, step: int) -> tuple[bytes, list[int]]:
    """Return at most ``step`` bytes that a line prints, and where each of them stands."""
    line = bytearray()
    where: list[int] = []
    while len(line) < step and (match := _PAIR.match(raw, at, end)):
        line.append(int(match[1], 16))
        where.append(match.start(1))
        at = match.end()
    return bytes(line), where


# --- what was printed ---------------------------------------------------------------------------


def _object(text: Text, rows: Rows, rule: Rule) -> Iterator[Proved]:
    parsed = parse_private(rows.data)
    if parsed is not None:
        place, wide = located(text, rows, 0, parsed.size)
        said = candidate(parsed, rule, f"hex dump of {parsed.form}{wide}", (place,))
        yield Proved(candidate=said, material=parsed.material)


def _text(text: Text, rows: Rows, rule: Rule) -> Iterator[Proved]:
    inner = Decoded(rows.data)
    mark = rows.data.find(pem.MARK)
    for one in read_text(inner, mark, rule):
        if isinstance(one, Proved):
            (inside,) = one.candidate.places
            place, wide = located(text, rows, inside.offset, inside.size)
            encoding = f"hex dump of {one.candidate.encoding}{wide}"
            said = replace(one.candidate, places=(place,), encoding=encoding)
            yield Proved(candidate=said, material=one.material)


def located(text: Text, rows: Rows, first: int, size: int) -> tuple[Place, str]:
    """Return the place of some bytes up to the end of their last line: it has them as text too."""
    start, end = rows.places[first], rows.ends[first + size - 1]
    offset = text.offset + start * text.width
    return armour.located(text.memory, text.space, offset, end - start, text.width)
