"""The picture of a file: what its bytes look like, which were swept, and where keys lie.

An inline SVG, read like a text: left to right, top to bottom. Cells of one sort are one path, so
that a page with a hundred dumps stays small. The picture is made from the report's map alone; it
refuses to say what a cell holds.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import accumulate

from scanner.model import Cell, Coverage, Extent, Finding
from scanner.report import wording
from scanner.report.markup import Node, add, element

WIDTH = 128
"""Units of the picture's width; most cells in a row."""

_TALLEST = 4
ROOM = 2
"""Units around the cells, for marks at an edge."""

MOST_MARKS = 400
"""Marks in one picture."""

KINDS: tuple[tuple[str, str], ...] = (
    ("zero", "zeros"),
    ("low", "small numbers, pointers"),
    ("text", "text"),
    ("mixed", "code, tables, mixed"),
    ("random", "random-looking"),
)
"""Class of a cell's bytes, and what the legend says of it."""

Spot = tuple[float, float]
At = Callable[[Extent], Spot | None]
"""Where in a picture an extent is shown; None where it lies outside."""

_NAMES = frozenset(name for name, _ in KINDS)
_UNKNOWN, _UNSWEPT = "unknown", "unswept"
_LOOKS = (*KINDS, (_UNKNOWN, "not classified"), (_UNSWEPT, "not swept"))


def figure(coverage: Coverage, findings: Sequence[Finding], names: Sequence[str]) -> Node:
    """Return the picture with its legend; ``names`` are the ids of the findings' cards."""
    cells = _cells(coverage)
    columns = len(cells) if len(cells) <= WIDTH // 4 else _columns(len(cells))
    grid = _Grid(cells, columns)
    height = grid.height * math.ceil(len(cells) / max(columns, 1))
    svg = element(
        "svg",
        element("title", "Map of the file: its bytes in order, and where keys lie"),
        class_="map",
        role="img",
        viewBox=f"{-ROOM} {-ROOM} {WIDTH + 2 * ROOM} {height + 2 * ROOM:g}",
    )
    kinds = [known(cell.entropy) for cell in cells]
    for kind in dict.fromkeys(kinds):
        chosen = [number for number, other in enumerate(kinds) if other == kind]
        add(svg, element("path", class_=f"cell-{kind}", d=grid.path(chosen)))
    missing = [number for number, cell in enumerate(cells) if cell.swept < cell.bytes]
    if missing:
        add(svg, element("path", class_=f"cell-{_UNSWEPT}", d=grid.path(missing)))
    add(svg, *marks(grid.of, findings, names))
    return element("figure", svg, _legend(coverage, cells, findings))


def known(look: str) -> str:
    """Return what a cell looks like, or that it is of no class that has a shade."""
    return look if look in _NAMES or look == _UNSWEPT else _UNKNOWN


def looks(coverage: Coverage) -> set[str]:
    """Return the sorts of cells in the picture."""
    kinds = {known(cell.entropy) for cell in _cells(coverage)}
    return kinds | {_UNSWEPT for cell in _cells(coverage) if cell.swept < cell.bytes}


def signs(kinds: Collection[str]) -> list[Node]:
    """Return the part of a legend that says what cells of these sorts are."""
    return [_key(f"cell-{kind}", said) for kind, said in _LOOKS if kind in kinds]


def _cells(coverage: Coverage) -> list[Cell]:
    plain = Cell(bytes=coverage.file_bytes, swept=coverage.scanned_bytes, entropy=_UNKNOWN)
    return [cell for cell in coverage.map or (plain,) if cell.bytes]


def _columns(count: int) -> int:
    """Return cells in a row for a picture about four times as wide as high."""
    return min(WIDTH, max(WIDTH // 4, math.isqrt(4 * count)))


class _Grid:
    """Where the cells stand in the picture."""

    def __init__(self, cells: Sequence[Cell], columns: int) -> None:
        self.columns = max(columns, 1)
        self.width = WIDTH / self.columns
        self.height = min(self.width, _TALLEST)
        self._ends = list(accumulate(cell.bytes for cell in cells))

    def path(self, numbers: Iterable[int]) -> str:
        """Return the outline of cells, neighbours in a row as one rectangle."""
        runs: list[list[int]] = []
        for number in numbers:
            if runs and number == runs[-1][1] and number % self.columns:
                runs[-1][1] += 1
            else:
                runs.append([number, number + 1])
        return "".join(
            f"M{first % self.columns * self.width:g} {first // self.columns * self.height:g}"
            f"h{(end - first) * self.width:g}v{self.height:g}h{(first - end) * self.width:g}z"
            for first, end in runs
        )

    def of(self, extent: Extent) -> Spot | None:
        """Return the middle of the cell in which an extent begins."""
        number = bisect_right(self._ends, extent.file_offset)
        if number >= len(self._ends):
            return None
        row, column = divmod(number, self.columns)
        return round((column + 0.5) * self.width, 3), round((row + 0.5) * self.height, 3)


def marks(at: At, findings: Sequence[Finding], names: Sequence[str]) -> list[Node]:
    """Return a link to its card for each spot at which a key lies; the worst keys on top."""
    made: list[Node] = []
    ranked = sorted(
        zip(findings, names, strict=True), key=lambda pair: pair[0].severity, reverse=True
    )
    for finding, name in ranked:
        extents = (extent for o in finding.occurrences for extent in o.extents)
        spots = dict.fromkeys(spot for spot in map(at, extents) if spot is not None)
        said = f"{wording.name(finding)} {wording.kind(finding)}"
        for x, y in list(spots)[: MOST_MARKS - len(made)]:
            circle = element("circle", cx=f"{x:g}", cy=f"{y:g}", r="1.1")
            look = f"mark {'blocks' if finding.blocks else 'noted'}"
            made.append(element("a", element("title", said), circle, class_=look, href=f"#{name}"))
    return made[::-1]


def _legend(coverage: Coverage, cells: Sequence[Cell], findings: Sequence[Finding]) -> Node:
    legend = element("figcaption", *signs(looks(coverage)))
    for look, said in (("blocks", "what blocks"), ("noted", "another finding")):
        if any(finding.blocks is (look == "blocks") for finding in findings):
            add(legend, _key(look, said))
    size = max((cell.bytes for cell in cells), default=0)
    total = wording.count(coverage.file_bytes, "byte", "bytes")
    said = f"the file, {total}, from left to right, row by row"
    if coverage.map:
        said += f"; a cell is {wording.count(size, 'byte', 'bytes')}"
    add(legend, element("span", said, class_="scale"))
    return legend


def _key(look: str, said: str) -> Node:
    """Return one sign of the legend with its words."""
    shape = (
        element("rect", class_=look, width="4", height="4")
        if look.startswith("cell")
        else element("circle", cx="2", cy="2", r="1.4")
    )
    sign = element("svg", shape, viewBox="0 0 4 4", class_=f"sign mark {look}", aria_hidden="true")
    return element("span", sign, said, class_="key")
