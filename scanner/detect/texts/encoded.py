r"""Private keys as text without a label: base64 of DER or of a PEM text, hex, lists of numbers.

Settings and environments hold a key's DER as one line of base64, in either alphabet; Kubernetes
secrets and cloud APIs hold base64 of the PEM file, which is UTF-16 where PowerShell made it;
databases and logs hold hex, source code lists of numbers (``spelled``). All of it may be escaped,
wrapped, or of two bytes a character. What it decodes to is read as if it had stood in memory: this
module knows no key formats, and decodes once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from scanner.detect.algebra.publics import PublicKey, nowhere
from scanner.detect.asn1.der import LIMIT, Memory, total_size
from scanner.detect.asn1.keys import Proved, candidate, parse_private
from scanner.detect.encodings import armour, spelled
from scanner.detect.encodings.armour import Run, Text
from scanner.detect.encodings.spelled import Spelled
from scanner.detect.locked.sealed import Sealed
from scanner.detect.ssh import openssh
from scanner.detect.texts import pem
from scanner.model import Place
from scanner.rules import Rule

BEFORE = 96
"""Characters before an anchor in which the BEGIN line of a text in base64 starts."""

_AHEAD = 160
"""Characters behind the start of a text in which its BEGIN line ends."""

_LABELLED = 64
_SPELLED, _FIRST_READ = 16, 1024
_HEADER = 4
_MARKS = tuple(pem.MARK.decode().encode(codec) for codec in ("ascii", "utf-16-le"))
_BEGIN = re.compile(rb"-----BEGIN [A-Z ]{0,12}PRIVATE KEY-----")
_LINE_REST = re.compile(rb".{0,6}(?:-[A-Z -]{0,20}|[A-Z ]{0,20})", re.DOTALL)
"""What is left of a BEGIN line before its mark, behind what was written over the rest of it."""

_HEX = re.compile(rb"[0-9A-Fa-f]+")
_DER = re.compile(rb"M[A-I][A-Za-z0-9+/_-]")


_Found = TypeVar("_Found", bound=Proved | Sealed)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Memory of one space that holds what was decoded."""

    data: bytes

    def clip(self, space: int, offset: int, size: int, /) -> bytes:
        """Return what of ``size`` bytes at ``offset`` lies inside."""
        del space
        return self.data[max(offset, 0) : max(offset + size, 0)]


def examine(memory: Memory, space: int, offset: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of which the text, or the anchor in it, is at ``offset``."""
    body = armour.text_at(memory, space, offset)
    head = body.read(3)
    if _DER.match(head):
        yield from _bare(body, rule)
    elif head[:2] == b"30" and _HEX.fullmatch(head):
        yield from _hex(body, rule)
    elif spelled.begins(body.read(_SPELLED)):
        yield from _spelled(body, rule)
    else:
        yield from _nested(body, rule)


def _bare(body: Text, rule: Rule) -> Iterator[Proved]:
    lead = min(body.offset // body.width, _LABELLED)
    before = body.memory.clip(body.space, body.offset - lead * body.width, lead * body.width)
    if any(line + pem.MARK in before[:: body.width] for line in pem.LINES):
        return
    found = armour.find_object(body)
    parsed = parse_private(found[0]) if found else None
    if found is None or parsed is None:
        return
    place, wide = armour.located(body.memory, body.space, body.offset, found[1], body.width)
    encoding = f"{parsed.form} base64{wide}"
    yield Proved(candidate=candidate(parsed, rule, encoding, (place,)), material=parsed.material)


def _hex(body: Text, rule: Rule) -> Iterator[Proved]:
    for size in (_FIRST_READ, 4 * LIMIT):
        text = body.read(size)
        digits, end = _digits(text)
        if end + armour.NOISE < len(text) or _is_whole(digits):
            break
    data = bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))
    parsed = parse_private(data)
    if parsed is None:
        return
    if len(digits) == end:  # one line
        end = 2 * parsed.size
    place, wide = armour.located(body.memory, body.space, body.offset, end, body.width)
    encoding = f"{parsed.form} hex{wide}"
    yield Proved(candidate=candidate(parsed, rule, encoding, (place,)), material=parsed.material)


def _digits(text: bytes) -> tuple[bytes, int]:
    """Return the hex digits that a text begins with, line ends left out, and where they end.

    No more lines than the object needs.
    """
    digits = bytearray()
    at = end = 0
    while not _is_whole(digits) and (match := _HEX.match(text, at)):
        digits += match[0]
        end = match.end()
        at = armour.unfilled(text, end)
    return bytes(digits), end


def _is_whole(digits: bytes | bytearray) -> bool:
    """Tell whether digits hold all of the object that they begin with, or begin with none."""
    if len(digits) < 2 * _HEADER:
        return False
    total = total_size(bytes.fromhex(digits[: 2 * _HEADER].decode("ascii")))
    return total is None or len(digits) >= 2 * total


def _spelled(body: Text, rule: Rule) -> Iterator[Proved]:
    """Read numbers in a row; little is read first."""
    for size in (_FIRST_READ, spelled.LONGEST):
        found = spelled.decode(body.read(size))
        if found is not None and _BEGIN.match(found.data.replace(b"\0", b"")) is None:
            break
    if found is None:
        return
    if found.data[:1] != b"-":
        parsed = parse_private(found.data)
        if parsed is not None:
            place, wide = _spelled_place(body, found, 0, parsed.size)
            said = candidate(parsed, rule, f"{parsed.form} spelled out{wide}", (place,))
            yield Proved(candidate=said, material=parsed.material)
        return
    data = _lined(found.data)
    mark = max(data.find(mark, 0, 2 * _AHEAD) for mark in _MARKS)
    for one in read_text(Decoded(data), mark, rule) if mark >= 0 else ():
        if isinstance(one, Proved):
            (inside,) = one.candidate.places
            place, wide = _spelled_place(body, found, 0, inside.offset + inside.size)
            encoding = f"{one.candidate.encoding} spelled out{wide}"
            said = replace(one.candidate, places=(place,), encoding=encoding)
            yield Proved(candidate=said, material=one.material)


def _lined(data: bytes) -> bytes:
    """Return a text with a line end for each zero: the registry keeps lines so (REG_MULTI_SZ)."""
    if b"\0" not in data[:_HEADER]:
        return data
    return b"".join(
        b"\n\0" if data[at : at + 2] == b"\0\0" else data[at : at + 2]
        for at in range(0, len(data), 2)
    )


def _spelled_place(body: Text, found: Spelled, first: int, size: int) -> tuple[Place, str]:
    """Return the place of some of the bytes that numbers spell."""
    start, end = found.places[first][0], found.places[first + size - 1][1]
    offset = body.offset + start * body.width
    return armour.located(body.memory, body.space, offset, end - start, body.width)


# --- base64 of a text ---------------------------------------------------------------------------


def _nested(body: Text, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Find the BEGIN line around the anchor, at whatever alignment, and read the text behind it."""
    _, raw, lead = armour.stretch(body, BEFORE, _AHEAD)
    run = armour.around(raw, lead)
    if run is None or not any(_begins(run, shift) for shift in range(4)):
        return
    whole, raw, lead = armour.stretch(body, BEFORE, armour.BODY)
    run = armour.around(raw, lead)
    if run is None:
        return
    for shift in range(4):
        inner = armour.decode(run.chars[shift:])
        for at in _begins(run, shift):
            for found in read_text(Decoded(inner), at, rule):
                if isinstance(found, PublicKey):
                    yield nowhere(found)
                else:
                    yield mapped(found, whole, run, shift, "base64 of ")


def _begins(run: Run, shift: int) -> list[int]:
    """Return where in the decoded bytes the ends of BEGIN lines around the anchor start."""
    first = max(run.at - BEFORE, 0)
    first += (shift - first) % 4
    inner = armour.decode(run.chars[first : run.at + _AHEAD])
    skipped = (first - shift) // 4 * 3
    found = []
    for mark in _MARKS:
        at = inner.find(mark)
        while at >= 0:
            begin = b"-----BEGIN " if len(mark) == len(pem.MARK) else b"B\0E\0G\0I\0N\0"
            rest = first < 4 and len(mark) == len(pem.MARK) and _LINE_REST.fullmatch(inner, 0, at)
            if rest or begin in inner[max(at - 50, 0) : at]:
                found.append(skipped + at)
            at = inner.find(mark, at + 1)
    return found


def read_text(inner: Decoded, at: int, rule: Rule) -> Iterator[Proved | PublicKey]:
    """Yield the key of the decoded text whose BEGIN line ends with the mark at ``at``."""
    yield from pem.examine(inner, 0, at, rule)
    for mark in (openssh.MARK, openssh.MARK.decode().encode("utf-16-le")):
        body = inner.data.find(mark, at, at + 4 * len(pem.MARK) + len(mark))
        if body >= 0:
            yield from openssh.examine(inner, 0, body, rule)


def mapped(found: _Found, text: Text, run: Run, shift: int, how: str) -> _Found:
    """Return the candidate with its place in the text instead of that in the decoded bytes.

    ``shift`` characters of the run were left out before it was decoded; below zero, put before it.
    """
    said = found.candidate
    (place,) = said.places
    first = max(shift + place.offset * 8 // 6, 0)
    last = min(shift + ((place.offset + place.size) * 8 + 5) // 6, len(run.places)) - 1
    start, end = run.places[first], run.places[last] + 1
    offset = text.offset + start * text.width
    where, wide = armour.located(text.memory, text.space, offset, end - start, text.width)
    said = replace(said, places=(where,), encoding=f"{how}{said.encoding}{wide}")
    return replace(found, candidate=said)
