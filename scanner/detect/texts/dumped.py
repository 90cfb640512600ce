"""Private keys in hex dumps: what xxd, hexdump, od and debuggers print, an address a line.

A line has an address, so many bytes in hex, alone or in groups, and mostly the same bytes as text.
The addresses say how many bytes a line has, and that lines follow each other; what stands behind so
many is passed over. ``hexdump`` and ``od -x`` print little-endian words of two bytes, which are
turned. From a DER header or the BEGIN line of a PEM text on, the bytes are read as if they had
stood in memory: this module knows no key formats.
"""

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
    rb"[ \t]{0,16}(?:0x)?([0-9A-Fa-f]{4,16}|[0-9A-Fa-f]{8}`[0-9A-Fa-f]{8})"
    rb"(?:h?[:|]|(?=[ \t]))[ \t]{0,8}"
)
_PAIR = re.compile(rb"(?:0x)?([0-9A-Fa-f]{2})[ \t\-]{0,3}")
_BASES = (16, 8, 10)
_STEPS = range(4, 65)
"""Bytes of a line."""

_WORDS = re.compile(rb"(?:8[12]|77|2e)30 [0-9a-f]{4} [0-9a-f]{4}", re.IGNORECASE)
_TEXT = re.compile(rb"-----BEGIN [A-Z ]{0,12}PRIVATE KEY-----")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Rows:
    """The bytes of a dump's lines, where each stands in the text, and where each line ends."""

    data: bytes
    places: list[int]
    ends: list[int]


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
    swapped = _WORDS.match(raw, at) is not None
    data = bytearray()
    places: list[int] = []
    ends: list[int] = []
    base = step = address = 0
    while start < len(raw):
        end = raw.find(b"\n", start)
        end = end if end >= 0 else len(raw)
        last = min(end, start + _COLUMNS)
        head = _ADDRESS.match(raw, start, last)
        if head is None:
            break
        if not step:
            below = _ADDRESS.match(raw, end + 1, end + 1 + _COLUMNS)
            room = len(_line(raw, head.end(), last, _STEPS.stop)[0])
            base, step = _step(head[1], below[1], room) if below else (0, 0)
            if not step:
                return None
            address = _number(head[1], base)
        elif _number(head[1], base) != address:
            break
        line, where = _line(raw, head.end(), last, step)
        if swapped:
            line = b"".join(line[i : i + 2][::-1] for i in range(0, len(line), 2))
        data += line
        places += where
        ends += [end] * len(where)
        if len(line) < step:
            break
        address, start = address + step, end + 1
    index = next((i for i, place in enumerate(places) if place >= at), len(places))
    return Rows(bytes(data[index:]), places[index:], ends[index:])


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
