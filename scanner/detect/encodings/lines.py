"""Base64 whose lines stand apart: as lists of lines keep them, each in a block of its own.

Seen in nano, vim, Perl, Lua, gawk, Ruby, PHP, bash and Python. Read in one go, lines of one length
stand one behind the other in fresh memory, and the other way round where an allocator hands out
free slots from the end (Ruby) or a block fills from there (vim). The first lines often stand
elsewhere, in slots that were free before: of a key the first one alone can be told. This module
joins lines in these two orders; it refuses to try others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from scanner.detect.asn1.keys import Proved
from scanner.detect.encodings import armour
from scanner.detect.encodings.armour import Run, Text
from scanner.model import Place

LENGTHS = (64, 70, 76)
"""Characters of a line but the last: RFC 7468, OpenSSH, MIME (RFC 2045)."""

GAP = 1024
"""Characters from a line's end to where the next one begins, at most."""

_REACHES = (1 << 14, 1 << 19)
"""Characters before and behind a line in which its neighbours stand, and the first line."""

_MOST_LINES, _MOST_FIRST = 256, 8
"""Lines that are joined, and first lines that are tried, the nearest."""

_CHARS = rb"[A-Za-z0-9+/]"
_ALONE = rb"(?<![A-Za-z0-9+/=])%b(?![A-Za-z0-9+/=])"
_FIRST = re.compile(rb"M[A-I]")
_SPAN = re.compile(_CHARS + rb"+")
_TAIL = re.compile(_ALONE % rb"(?:[A-Za-z0-9+/]{4,}={0,2}|[A-Za-z0-9+/]{2,3}={1,2})")
"""The last line: a letter or two are a part of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Characters around a line, and where lines of its length stand in them."""

    raw: bytes
    starts: list[int]
    length: int

    def groups(self) -> list[list[int]]:
        """Return the lines that stand near each other."""
        found: list[list[int]] = [[]]
        for before, start in pairwise([self.starts[0], *self.starts]):
            if start - before > self.length + GAP:
                found.append([])
            found[-1].append(start)
        return found

    def orders(self, group: list[int]) -> Iterator[list[int]]:
        """Yield places of the characters of a group in both orders, the last line's with them."""
        end = group[-1] + self.length
        behind = next(_TAIL.finditer(self.raw, end, end + GAP), None)
        yield [*self._places(group), *self._last(behind)]
        before = list(_TAIL.finditer(self.raw, max(group[0] - GAP, 0), group[0]))
        yield [*self._places(group[::-1]), *self._last(before[-1] if before else None)]

    def _places(self, group: list[int]) -> list[int]:
        return [at for start in group for at in range(start, start + self.length)]

    def _last(self, match: re.Match[bytes] | None) -> list[int]:
        """Return the places of a line that is shorter than the others, padding left out."""
        if match is None or match.end() - match.start() >= self.length:
            return []
        return list(range(match.start(), match.start() + len(match[0].rstrip(b"="))))


def joined(text: Text) -> Iterator[tuple[Text, Run]]:
    """Yield the base64 that the line around a text's first character may be one of, with others.

    And the text in which its characters have their places. None where the line goes on.
    """
    _, raw, lead = armour.stretch(text, LENGTHS[-1] + 1, LENGTHS[-1] + 1)
    length = _length(raw, lead)
    if length not in LENGTHS:
        return
    for reach, wider in zip(_REACHES, (False, True), strict=True):
        whole, window, at = _window(text, reach, length)
        for places in _orders(window, at, wider=wider):
            chars = bytes(window.raw[place] for place in places)
            yield whole, Run(chars=chars, places=places, at=places.index(at))


def _length(raw: bytes, at: int) -> int:
    """Return the characters of the base64 around one; 0 where a line's end and more follow."""
    for match in _SPAN.finditer(raw):
        if match.start() <= at < match.end():
            around = raw[: match.start()], raw[match.end() :]
            return 0 if any(_SPAN.search(other) for other in around) else len(match[0])
    return 0


def _window(text: Text, reach: int, length: int) -> tuple[Text, _Window, int]:
    """Return the text around a character, zeros in it too, the lines in it, and its place."""
    lead = min(text.offset // text.width, reach)
    whole = replace(text, offset=text.offset - lead * text.width)
    raw = text.memory.clip(text.space, whole.offset, (lead + reach) * text.width)[:: text.width]
    alone = re.compile(_ALONE % (_CHARS + rb"{%d}" % length))
    starts = [match.start() for match in alone.finditer(raw)]
    return whole, _Window(raw=raw, starts=starts, length=length), lead


def _orders(window: _Window, at: int, *, wider: bool) -> Iterator[list[int]]:
    """Yield the places of lines that may be one text, that around ``at`` among them.

    Its neighbours alone, or with a first line from elsewhere; where it is one, with others'.
    """
    groups = window.groups() if window.starts else []
    mine = next((g for g in groups if g[0] <= at < g[-1] + window.length), [])
    start = next((line for line in mine if line <= at < line + window.length), None)
    if start is None or len(mine) > _MOST_LINES:
        return
    if not wider:
        yield from (order for order in window.orders(mine) if len(order) > window.length)
        return
    others = sorted(window.starts, key=lambda line: abs(line - at))
    for first in [line for line in others if _FIRST.match(window.raw, line)][:_MOST_FIRST]:
        behind = [mine] if first not in mine else [g for g in groups if g is not mine]
        behind = sorted(behind, key=lambda group: abs(group[0] - at))[:_MOST_FIRST]
        if first != start and first in mine:
            continue
        head = list(range(first, first + window.length))
        for group in behind:
            yield from (head + order for order in window.orders(group))


def mapped(found: Proved, text: Text, run: Run, pad: int) -> Proved:
    """Return a key with its places in the lines of a text, in reading order.

    So many characters were put before the run when it was decoded.
    """
    said = found.candidate
    (place,) = said.places
    first = max(place.offset * 8 // 6 - pad, 0)
    last = ((place.offset + place.size) * 8 + 5) // 6 - pad
    places, wide = placed(text, run, first, last)
    said = replace(said, places=places, encoding=f"base64 lines of {said.encoding}{wide}")
    return replace(found, candidate=said)


def placed(text: Text, run: Run, first: int, last: int) -> tuple[tuple[Place, ...], str]:
    """Return the places of characters of a run, one of each piece of it, and their width's name."""
    places, wide, begin = [], "", 0
    marks = run.places[first:last]
    for index, (one, other) in enumerate(pairwise([*marks, -1]), 1):
        if other != one + 1:
            offset = text.offset + marks[begin] * text.width
            size = index - begin
            where, wide = armour.located(text.memory, text.space, offset, size, text.width)
            places.append(where)
            begin = index
    return tuple(places), wide
