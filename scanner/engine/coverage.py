"""What was looked at: the union of swept file extents, and the maps of file and address space.

Counted from what the sweep says it did, never from what it was asked to do.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from scanner import labels
from scanner.dump import ledger, space
from scanner.dump.space import SpaceMap
from scanner.engine import stretches
from scanner.model import Coverage, Fault, Place
from scanner.stages import shade
from scanner.stages.session import Survey
from scanner.stages.sweep import Gathered


def measure(
    survey: Survey,
    tasks: tuple[tuple[Place, ...], ...],
    swept: Gathered,
    faults: Sequence[Fault],
    found: Iterable[Place] = (),
) -> Coverage:
    """Return the size of the union of the file extents that were swept, and the maps.

    A name in whose bytes something was ``found`` is withheld.
    """
    space_map = survey.space_map
    cut = sum(place.size for task in tasks for place in task)
    if len(swept.done) == len(tasks) and cut == int(np.sum(space_map.size)):
        starts, ends = ledger.union(space_map.piece_file, space_map.piece_size)
    else:
        rows = np.array([*_extents(space_map, tasks, swept.done)], np.int64).reshape(-1, 2)
        starts, ends = ledger.union(rows[:, 0], rows[:, 1])
    size, layout = survey.content.size, survey.layout
    cells = shade.cells(size, swept.shades, starts, ends)
    names = labels.Labels.of(layout, labels.withheld(layout, space_map, found))
    return Coverage(
        file_bytes=size,
        scanned_bytes=int(np.sum(ends - starts)),
        regions=len(layout.regions),
        gaps=layout.gaps,
        faults=tuple(faults),
        map=cells,
        ledger=survey.ledger,
        memory=stretches.stretches(layout, names, cells, shade.cell_bytes(size)),
    )


def _extents(
    space_map: SpaceMap, tasks: tuple[tuple[Place, ...], ...], done: tuple[int, ...]
) -> Iterator[tuple[int, int]]:
    """Yield file offset and size of what was swept."""
    for index in done:
        for place in tasks[index]:
            for extent in space.extents(space_map, place):
                yield extent.file_offset, extent.size
