"""What a sweep found in a task as numbers of a JSON document, and back, strictly.

What is read may be damaged, or of another dump: a place counts only where it lies within the file
and within its task, and whatever no sweep of that task can have said is refused. This module reads
and writes no file, and knows nothing but places, counts and digests.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from scanner import fields
from scanner.arrays import Offsets
from scanner.detect.integers.runs import Runs
from scanner.dump.space import SpaceMap
from scanner.fields import Table
from scanner.model import Place
from scanner.stages import shade
from scanner.stages.sweep import Hits, Swept

Tasks = tuple[tuple[Place, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was swept of a dump before."""

    swept: dict[int, Swept]
    """By number of the task, without its shades: those of all are summed."""
    shades: shade.Counts


def nothing(file_size: int) -> Past:
    """Return that nothing was swept."""
    return Past(swept={}, shades=shade.empty(file_size))


def sizes(tasks: Tasks) -> list[int]:
    """Return the bytes of each task."""
    return [sum(place.size for place in task) for task in tasks]


def cuts(space_map: SpaceMap, tasks: Tasks) -> str:
    """Return a digest of how a dump is laid out and cut."""
    digest = hashlib.sha256()
    for array in (
        space_map.base,
        space_map.size,
        space_map.first_piece,
        space_map.piece_offset,
        space_map.piece_file,
        space_map.piece_size,
    ):
        digest.update(len(array).to_bytes(8, "big") + array.tobytes())
    for task in tasks:
        rows = [(len(task), place.space, place.offset, place.size) for place in task]
        digest.update(np.array(rows, np.int64).tobytes())
    return digest.hexdigest()


def written(index: int, swept: Swept) -> Table:
    """Return all that is kept of a task."""
    cells = np.flatnonzero(swept.shades.any(axis=1))
    return {
        "task": index,
        "seal": swept.seal,
        "hits": {name: getattr(swept.hits, name).tolist() for name in ("rule", "space", "offset")},
        "runs": _listed(swept.runs),
        "texts": _listed(swept.texts),
        "shades": {"cell": cells.tolist(), "counts": swept.shades[cells].ravel().tolist()},
    }


def _listed(runs: Runs) -> Table:
    return {name: getattr(runs, name).tolist() for name in ("space", "start", "end")}


class Bounds:
    """What a sweep can say of the tasks of one dump."""

    def __init__(self, space_map: SpaceMap, tasks: Tasks, rules: int) -> None:
        """``rules`` is how many there are."""
        zero = np.zeros(1, np.int64)
        self._rules, self._file_size = rules, space_map.file_size
        self._size = space_map.size
        # Spaces lie one behind the other on one axis, and tasks cut that axis (``windows.cut``).
        self._base = np.concatenate((zero, np.cumsum(self._size)))
        self._edge = np.concatenate((zero, np.cumsum(np.array(sizes(tasks), np.int64))))

    def read(self, table: Table) -> tuple[int, Swept, shade.Counts]:
        """Return what is kept of a task: its number, what was found there, its shades.

        Raises RefusedError.
        """
        task = fields.number(table, "task", len(self._edge) - 1)
        hits = fields.inner(table, "hits")
        rule, space, offset = (_column(hits, name) for name in ("rule", "space", "offset"))
        self._check(task, space, offset, offset + 1)
        if len(rule) != len(space) or not _within(rule, self._rules):
            fields.refuse("a hit is of no rule")
        swept = Swept(
            hits=Hits(rule=rule, space=space, offset=offset),
            runs=self._runs(task, fields.inner(table, "runs")),
            texts=self._runs(task, fields.inner(table, "texts")),
            swept_bytes=int(self._edge[task + 1] - self._edge[task]),
            shades=shade.empty(0),
            seal=fields.digest(table, "seal", needed=True),
        )
        return task, swept, self._shades(fields.inner(table, "shades"))

    def _runs(self, task: int, table: Table) -> Runs:
        space, start, end = (_column(table, name) for name in ("space", "start", "end"))
        self._check(task, space, start, end)
        return Runs(space=space, start=start, end=end)

    def _check(self, task: int, space: Offsets, start: Offsets, end: Offsets) -> None:
        """Refuse places that are not within their space, and within the task."""
        if not len(space) == len(start) == len(end):
            fields.refuse("columns differ in length")
        if not _within(space, len(self._size)):
            fields.refuse("a place is in no space")
        if not ((start >= 0) & (start < end) & (end <= self._size[space])).all():
            fields.refuse("a place is not in its space")
        first = self._base[space]
        if not ((first + start >= self._edge[task]) & (first + end <= self._edge[task + 1])).all():
            fields.refuse("a place is not in its task")

    def _shades(self, table: Table) -> shade.Counts:
        shades = shade.empty(self._file_size)
        cell, counts = _column(table, "cell"), _column(table, "counts")
        if not _within(cell, len(shades)) or not _within(counts, self._file_size):
            fields.refuse("a cell is none of the map")
        if len(counts) != len(cell) * shade.SORTS:
            fields.refuse("columns differ in length")
        shades[cell] = counts.reshape(-1, shade.SORTS)
        return shades


def _within(values: Offsets, end: int) -> bool:
    return bool(((values >= 0) & (values < end)).all())


def _column(table: Table, name: str) -> Offsets:
    """Return the whole numbers of a list."""
    value = fields.field(table, name)
    if value == []:
        return np.empty(0, np.int64)
    try:
        column = np.array(value)
    except ValueError:
        fields.refuse(f"the field {name} is no list")
    if column.dtype != np.int64 or column.ndim != 1:
        fields.refuse(f"the field {name} holds what is no whole number")
    return column
