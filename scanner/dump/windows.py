"""Cuts of a dump: tasks for workers, and the windows that one sweep sees.

The cuts depend on the dump alone, never on the number of workers, memory or time, so that a report
is the same whoever made it. Small spaces are packed into one window, each at its own alignment and
with zeros between, because a dump may have a hundred thousand of them. This module refuses to look
at bytes: it moves them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanner.arrays import Bytes
from scanner.dump.space import Memory, SpaceMap
from scanner.model import Place

TASK_BYTES = 64 << 20
TASK_SLICES = 1 << 14
WINDOW_BYTES = 4 << 20
LEAD = 64
"""Bytes of context before what a window owns."""
TRAIL = 192
"""Bytes of context behind it; no anchor may be longer."""
_ALIGNMENT = 64
_CROWD = 256
"""Segments of a window from which on they are read together."""
_LEAST = 4096
"""A window that cannot take this much more is full."""


_MOST = WINDOW_BYTES + LEAD + TRAIL + 2 * _ALIGNMENT
_ZEROS = np.zeros(_MOST, np.uint8)
_ZEROS.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What a window owns of one space.

    Bytes ``[at, at + size)`` of the window's buffer are bytes ``[offset, offset + size)`` of the
    space; LEAD bytes before and TRAIL behind are its neighbours, or zeros.
    """

    space: int
    offset: int
    size: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A buffer and what it holds. The buffer is reused: copy what must outlive the next window."""

    buffer: Bytes
    segments: tuple[Segment, ...]
    hole: bool = False
    """It was not read, and is zeros: it lies in a hole of the file."""


def cut(space_map: SpaceMap) -> tuple[tuple[Place, ...], ...]:
    """Cut a dump into tasks of at most 64 MiB: each a tuple of places, the whole dump together."""
    tasks: list[tuple[Place, ...]] = []
    task: list[Place] = []
    room = TASK_BYTES
    for space, size in enumerate(space_map.size.tolist()):
        offset = 0
        while offset < size:
            if room == 0 or len(task) == TASK_SLICES:
                tasks.append(tuple(task))
                task, room = [], TASK_BYTES
            part = _whole(space_map, space, offset, min(size - offset, room))
            if part == 0:
                room = 0
                continue
            task.append(Place(space=space, offset=offset, size=part))
            offset += part
            room -= part
    if task:
        tasks.append(tuple(task))
    return tuple(tasks)


def _whole(space_map: SpaceMap, space: int, offset: int, size: int) -> int:
    """Shorten a part so that it ends on an aligned address, unless it ends its space."""
    if offset + size == int(space_map.size[space]):
        return size
    return max(size - (int(space_map.base[space]) + offset + size) % _ALIGNMENT, 0)


def windows(memory: Memory, task: tuple[Place, ...]) -> Iterator[Window]:
    """Yield the windows of a task; together they own each of its bytes once."""
    buffer = np.zeros(_MOST, np.uint8)
    segments: list[Segment] = []
    at = 0
    for place in task:
        offset, end = place.offset, place.offset + place.size
        while offset < end:
            if len(buffer) - at < LEAD + TRAIL + 2 * _ALIGNMENT + _LEAST:
                yield _filled(memory, buffer[:at], segments)
                segments, at = [], 0
            segment = _place(memory.map, place.space, offset, end, at, len(buffer))
            segments.append(segment)
            at = segment.at + segment.size + TRAIL
            offset += segment.size
    if segments:
        yield _filled(memory, buffer[:at], segments)


def _place(space_map: SpaceMap, space: int, offset: int, end: int, at: int, room: int) -> Segment:
    """Find where in the buffer the next segment goes: 8-byte aligned as its address is."""
    address = (int(space_map.base[space]) + offset) % _ALIGNMENT
    start = at + LEAD
    start += (address - start) % _ALIGNMENT
    size = min(end - offset, room - TRAIL - start)
    if offset + size < end:
        size = _whole(space_map, space, offset, size)
    return Segment(space=space, offset=offset, size=size, at=start)


def _filled(memory: Memory, buffer: Bytes, segments: list[Segment]) -> Window:
    """Read the segments of a window and their neighbours; what is of no space becomes zeros."""
    if len(segments) == 1 and _hollow(memory, segments[0]):
        return Window(buffer=_ZEROS[: len(buffer)], segments=tuple(segments), hole=True)
    if len(segments) >= _CROWD:
        _fill_crowd(memory, buffer, segments)
    else:
        at = 0
        for segment in segments:
            _fill(memory, buffer, segment, at)
            at = segment.at + segment.size + TRAIL
    return Window(buffer=buffer, segments=tuple(segments))


def _reach(memory: Memory, segment: Segment) -> tuple[int, int]:
    """Return where a segment and its neighbours begin and end in their space."""
    first = max(segment.offset - LEAD, 0)
    last = segment.offset + segment.size + TRAIL
    return first, min(last, int(memory.map.size[segment.space]))


def _hollow(memory: Memory, segment: Segment) -> bool:
    first, last = _reach(memory, segment)
    return memory.hollow(segment.space, first, last - first)


def _fill(memory: Memory, buffer: Bytes, segment: Segment, at: int) -> None:
    """Read a segment and its neighbours, and clear what is before or behind the space."""
    first, last = _reach(memory, segment)
    start = segment.at - (segment.offset - first)
    stop = segment.at + (last - segment.offset)
    buffer[at:start] = 0
    buffer[stop : segment.at + segment.size + TRAIL] = 0
    memory.readinto(segment.space, first, buffer.data[start:stop])


def _fill_crowd(memory: Memory, buffer: Bytes, segments: list[Segment]) -> None:
    """Do the same for very many, by columns: what lies together in the file is read at once."""
    told = [(s.space, s.offset, s.size, s.at) for s in segments]
    space, offset, size, at = np.array(told, np.int64).T
    first = np.maximum(offset - LEAD, 0)
    last = np.minimum(offset + size + TRAIL, memory.map.size[space])
    buffer[:] = 0
    memory.read_many(space, first, last - first, buffer.data, at - (offset - first))
