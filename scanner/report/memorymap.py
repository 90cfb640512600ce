"""The picture of a dump's memory: its addresses from low to high, and where keys lie.

An inline SVG beside that of the file, with its shades and its marks, read like a text too; a legend
of its own has what the file's lacks. What the dump holds has its width by its size, and never less
than a little; what lies between has the same small width however wide it is. The picture is made of
the report's map alone; it refuses to say what a cell holds.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from scanner.model import Coverage, Extent, Finding, Stretch
from scanner.report import filemap, wording
from scanner.report.filemap import ROOM, WIDTH, Spot
from scanner.report.markup import Node, add, element
from scanner.report.printable import printable

_IN_A_LINE = 12
"""Stretches for which there is a line."""
_MOST_LINES = 6
_BAR, _LINE = 4.0, 7.5
"""Units of a line's height: shaded, and with its words."""
_LEAST, _GAP = 0.8, 0.9
"""Units of width that a stretch has at least, and that a gap has."""
_CHARACTER = 0.95
"""Units of width that a letter may need."""
_FEWEST = 8
"""Letters of a longer name that are worth to be shown."""


def figure(coverage: Coverage, findings: Sequence[Finding], names: Sequence[str]) -> Node | None:
    """Return the picture; None where the dump has no addresses. ``names`` are ids of cards."""
    if not coverage.memory:
        return None
    strip = _Strip(coverage.memory)
    svg = element(
        "svg",
        element("title", "Map of memory: its addresses from low to high, and where keys lie"),
        class_="map memory",
        role="img",
        viewBox=f"{-ROOM} {-ROOM} {WIDTH + 2 * ROOM} {strip.lines * _LINE + ROOM:g}",
    )
    for kind in dict.fromkeys(kind for row in strip.kinds for kind in row if kind):
        add(svg, element("path", class_=f"cell-{kind}", d=strip.path(kind)))
    for number in range(len(coverage.memory)):
        add(svg, *strip.named(number))
    add(svg, *filemap.marks(strip.of, findings, names))
    first, last = coverage.memory[0], coverage.memory[-1]
    said = (
        f"memory by address, {first.address:#x} to {last.address + last.size - 1:#x}; "
        "gaps are not to scale"
    )
    drawn = {kind for row in strip.kinds for kind in row if kind}
    signs = filemap.signs(drawn - filemap.looks(coverage))
    return element(
        "figure", svg, element("figcaption", *signs, element("span", said, class_="scale"))
    )


class _Strip:
    """Where addresses stand in the picture: one long strip, cut into lines."""

    def __init__(self, memory: Sequence[Stretch]) -> None:
        self._memory = memory
        self.kinds = [[cell and filemap.known(cell) for cell in one.cells] for one in memory]
        self._starts = [one.address for one in memory]
        self.lines = min(math.ceil(len(memory) / _IN_A_LINE), _MOST_LINES)
        gaps = [
            0.0 if one.address + one.size == other.address else _GAP
            for one, other in pairwise(memory)
        ]
        free = self.lines * WIDTH - sum(gaps) - _LEAST * len(memory)
        total = sum(one.bytes for one in memory)
        self._from: list[float] = []
        self._to: list[float] = []
        at = 0.0
        for one, gap in zip(memory, [0.0, *gaps], strict=True):
            at += gap
            self._from.append(at)
            at += _LEAST + free * one.bytes / total
            self._to.append(at)

    def path(self, kind: str) -> str:
        """Return the outline of all cells of one kind, neighbours as one."""
        drawn: list[str] = []
        for row, start, end in zip(self.kinds, self._from, self._to, strict=True):
            step = (end - start) / len(row)
            for low, high in _runs(row, kind):
                drawn += map(_rectangle, self._pieces(start + low * step, start + high * step))
        return "".join(drawn)

    def named(self, number: int) -> Iterator[Node]:
        """Yield the frame of a stretch, which says what it is, and its name where there is room."""
        one = self._memory[number]
        label = printable(one.label)
        pieces = self._pieces(self._from[number], self._to[number])
        size = wording.count(one.bytes, "byte", "bytes")
        said = f"{one.address:#x} to {one.address + one.size - 1:#x}: {label}, {size}"
        outline = "".join(map(_rectangle, pieces))
        yield element("path", element("title", said), class_="stretch", d=outline)
        x, y, width = max(pieces, key=lambda piece: piece[2])
        room = int(width / _CHARACTER)
        if room >= min(_FEWEST, len(label)):
            short = label if len(label) <= room else f"{label[: room - 1]}…"
            yield element("text", short, x=f"{x:g}", y=f"{y + _BAR + 1.7:g}")

    def of(self, extent: Extent) -> Spot | None:
        """Return where an extent begins."""
        if extent.address is None:
            return None
        number = bisect_right(self._starts, extent.address) - 1
        if number < 0:
            return None
        one, start, end = self._memory[number], self._from[number], self._to[number]
        part = (extent.address - one.address) * len(one.cells) // one.size
        if part >= len(one.cells):
            return None
        at = start + (end - start) * (part + 0.5) / len(one.cells)
        ((x, y, _), *_) = self._pieces(at, at + 0.001)
        return round(x, 2), y + _BAR / 2

    def _pieces(self, start: float, end: float) -> list[tuple[float, float, float]]:
        """Return (x, y, width) of a part of the strip, in each line that it takes up."""
        found: list[tuple[float, float, float]] = []
        line = min(int(start / WIDTH), self.lines - 1)
        while line < self.lines:
            low, high = max(start - line * WIDTH, 0.0), min(end - line * WIDTH, float(WIDTH))
            if high - low > 1e-6 or not found:
                found.append((round(low, 2), line * _LINE, round(max(high - low, 0.0), 2)))
            if end <= (line + 1) * WIDTH:
                break
            line += 1
        return found


def _runs(cells: Sequence[str | None], kind: str) -> Iterable[tuple[int, int]]:
    """Yield the first and the one behind the last of neighbours that are of one kind."""
    edges = [False, *(cell == kind for cell in cells), False]
    changes = [at for at, (one, other) in enumerate(pairwise(edges)) if one is not other]
    return zip(changes[::2], changes[1::2], strict=True)


def _rectangle(piece: tuple[float, float, float]) -> str:
    x, y, width = piece
    return f"M{x:g} {y:g}h{width:g}v{_BAR:g}h{-width:g}z"
