"""Stage one: look at every byte of a task once, and say where it is worth looking again.

Linear in the bytes, blind to what they mean: anchors of all rules, and random-looking runs. Of
anchors that are common those are left out at which their detector says that nothing can be. What
leaves are places; this module refuses to return a byte of what it saw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.anchors import Sweeper
from scanner.detect.integers import bare_numbers, limbs, number_words
from scanner.detect.integers.runs import Runs, coordinate, gather, join, shared, spread, stretches
from scanner.detect.structures import golang, openssl
from scanner.dump.space import Memory
from scanner.dump.windows import LEAD, TRAIL, Window, windows
from scanner.errors import LimitExceeded
from scanner.model import Place
from scanner.stages import shade
from scanner.stages.seals import Seal
from scanner.stages.session import Session
from scanner.stages.shade import Counts, Shader

BLOCK = 4096
"""Zeros are skipped by whole blocks of this size."""

MOST_HITS, MOST_CROWDED = 1 << 20, 3 << 16
"""Anchor hits that a task may have, and a window of it: beyond, the dump is adversarial or a rule
is bad. Small certificates end to end have an eighth of so many in a window, points a quarter."""


RuleIndex = npt.NDArray[np.int64] | npt.NDArray[np.uint16]
"""Positions of rules in their table."""

_NARROW = 1 << 16
"""One more than the largest number of 16 bits."""

Sift = Callable[[Memory, Offsets, Offsets], Flags]

SIFTERS: tuple[tuple[str, Sift], ...] = (
    ("golang", golang.sifted),
    ("openssl", openssl.sifted),
)
"""Of detectors whose anchors are common, what tells of all at once at which it may find something:
(name, function of memory, spaces and offsets)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """Anchor hits as parallel arrays: rule index, space, offset of the anchor's first byte."""

    rule: RuleIndex
    space: Offsets
    offset: Offsets

    def __reduce__(self) -> tuple[Callable[..., "Hits"], tuple[Offsets | RuleIndex, ...]]:
        """Travel as half the bytes: of a large dump there are millions, and few spaces."""
        narrow = not len(self.rule) or self.rule.max() < _NARROW
        rule = self.rule.astype(np.uint16) if narrow else self.rule
        return _travelled, (rule, *stretches(self.space), self.offset)


def _travelled(rule: RuleIndex, space: Offsets, count: Offsets, offset: Offsets) -> Hits:
    return Hits(rule=rule, space=spread(space, count), offset=offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What stage one says of one task."""

    hits: Hits
    runs: Runs
    texts: Runs
    swept_bytes: int
    shades: Counts
    """What the bytes look like, for the map of the file: [cells, sorts]."""
    seal: str = ""
    """The digest of all that was seen; empty where none is made."""


def sweep(session: Session, task: tuple[Place, ...], salt: bytes = b"") -> Swept:
    """Sweep one task. Raises LimitExceeded where anchors hit without end, and read errors.

    Where the scan is kept, ``salt`` names it, and the task is sealed.
    """
    memory, sweeper = session.memory, session.sweeper
    hits: list[Hits] = []
    runs: list[Runs] = []
    texts: list[Runs] = []
    swept = count = 0
    shader = session.kept.setdefault(Shader, Shader(memory.map))
    assert isinstance(shader, Shader)
    shades = shade.empty(memory.map.file_size)
    sealed = Seal(salt, session.target.fingerprint_key)
    for window in windows(memory, task):
        filled = _filled(window)
        if filled:  # zeros hold nothing, and a sparse core may have terabytes of them
            segments = _Segments.of(window)
            runs += _runs(memory, window.buffer, segments, filled)
            texts.append(_texts(window.buffer, segments, filled))
            found = _anchors(memory, sweeper, window.buffer, segments, filled)
            count += len(found.rule)
            if count > MOST_HITS or len(found.rule) > MOST_CROWDED:
                raise LimitExceeded(
                    "too many anchors in one piece of the dump",
                    reason=f"more than {MOST_HITS} in one task, or {MOST_CROWDED} in one window",
                )
            hits.append(found)
        swept += sum(segment.size for segment in window.segments)
        shader.add(shades, window)
        sealed.add(window.buffer, filled)
    return Swept(
        hits=sifted(session, _unique(hits)),
        runs=gather(runs),
        texts=_within(bare_numbers.sparse(gather(texts)), task),
        swept_bytes=swept,
        shades=shades,
        seal=sealed.value(),
    )


def sifted(session: Session, hits: Hits) -> Hits:
    """Leave out the hits at which their detectors say at once that nothing is.

    Of each task, so that millions never leave it, and of all: some detectors take so many at most.
    """
    keep = np.ones(len(hits.rule), np.bool_)
    for name, sift in SIFTERS:
        mine = [index for index, rule in enumerate(session.rules) if rule.detector == name]
        rows = np.flatnonzero(np.isin(hits.rule, mine))
        keep[rows] = sift(session.memory, hits.space[rows], hits.offset[rows])
    if keep.all():
        return hits
    return Hits(rule=hits.rule[keep], space=shared(hits.space[keep]), offset=hits.offset[keep])


def seal(session: Session, task: tuple[Place, ...], salt: bytes) -> str:
    """Return the seal that a sweep of a task would give it. Raises read errors."""
    sealed = Seal(salt, session.target.fingerprint_key)
    for window in windows(session.memory, task):
        sealed.add(window.buffer, _filled(window))
    return sealed.value()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What stage one says of a dump: of all tasks that were done."""

    done: tuple[int, ...]
    """Their numbers, ascending."""
    hits: list[Hits]
    """One table, which who examines them takes out: of a large dump it has megabytes."""
    runs: Runs
    """Joined where windows had cut them, and the texts, in order."""
    shades: Counts


def gathered(parts: dict[int, Swept], shades: Counts) -> Gathered:
    """Put together what tasks found, by number; their shades are summed already.

    ``parts`` is empty afterwards: of a large dump it is as much again.
    """
    done = tuple(sorted(parts))
    hits = [parts[index].hits for index in done]
    whole = Hits(
        rule=_joined([part.rule for part in hits]),
        space=shared(_joined([part.space for part in hits])),
        offset=_joined([part.offset for part in hits]),
    )
    runs = gather([parts[index].runs for index in done])
    texts = bare_numbers.sparse(gather([parts[index].texts for index in done]))
    hits.clear()
    parts.clear()
    runs = _inserted(join(runs), texts)
    runs = replace(runs, space=shared(runs.space))
    return Gathered(done=done, hits=[whole], runs=runs, shades=shades)


def _inserted(runs: Runs, texts: Runs) -> Runs:
    """Put texts where they stand among runs: both are in order."""
    if not len(texts):
        return runs
    at = np.searchsorted(coordinate(runs.space, runs.start), coordinate(texts.space, texts.start))
    return Runs(
        space=np.insert(runs.space, at, texts.space),
        start=np.insert(runs.start, at, texts.start),
        end=np.insert(runs.end, at, texts.end),
    )


def _joined(arrays: Sequence[Offsets | RuleIndex]) -> Offsets:
    joined: Offsets = np.concatenate(arrays) if arrays else np.empty(0, np.int64)
    return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segments:
    """The segments of a window as parallel arrays."""

    space: Offsets
    offset: Offsets
    at: Offsets
    end: Offsets

    @staticmethod
    def of(window: Window) -> "_Segments":
        rows = [(s.space, s.offset, s.at, s.at + s.size) for s in window.segments]
        space, offset, at, end = np.array(rows, np.int64).T
        return _Segments(space=space, offset=offset, at=at, end=end)


def _filled(window: Window) -> list[tuple[int, int]]:
    """Return the maximal ranges of blocks that are not all zeros."""
    if window.hole:
        return []
    buffer = window.buffer
    whole = len(buffer) // BLOCK * BLOCK
    words = buffer[:whole].view(np.uint64).reshape(-1, BLOCK // 8)
    flags: Flags = np.asarray(words.any(axis=1))
    if whole < len(buffer):
        flags = np.append(flags, buffer[whole:].any())
    padded = np.zeros(len(flags) + 2, np.int8)
    padded[1:-1] = flags
    step = np.diff(padded)
    starts, ends = np.flatnonzero(step > 0) * BLOCK, np.flatnonzero(step < 0) * BLOCK
    return [(int(a), min(int(b), len(buffer))) for a, b in zip(starts, ends, strict=True)]


def _anchors(
    memory: Memory,
    sweeper: Sweeper,
    buffer: Bytes,
    segments: _Segments,
    filled: Sequence[tuple[int, int]],
) -> Hits:
    spans = [(max(low - LEAD, 0), min(high + TRAIL, len(buffer))) for low, high in filled]
    halves, swapped = memory.map.pointer_size == 4, memory.map.byte_order == "big"
    rule, at = sweeper.find(buffer.data, spans, halves=halves, swapped=swapped)
    index = np.searchsorted(segments.at, at, side="right") - 1
    mine = (index >= 0) & (at < segments.end[index])
    rule, at, index = rule[mine], at[mine], index[mine]
    return Hits(
        rule=rule,
        space=segments.space[index],
        offset=segments.offset[index] + at - segments.at[index],
    )


def _runs(
    memory: Memory,
    buffer: Bytes,
    segments: _Segments,
    filled: list[tuple[int, int]],
) -> list[Runs]:
    owned_start, owned_end = segments.at & ~7, (segments.end + 7) & ~7
    halves, swapped = memory.map.pointer_size == 4, memory.map.byte_order == "big"
    starts, ends = limbs.find(
        buffer, owned_start, owned_end, filled, halves=halves, swapped=swapped
    )
    if len(starts) == 0:
        return []
    index = np.searchsorted(owned_start, starts, side="right") - 1
    shift = segments.offset[index] - segments.at[index]
    lowest = segments.offset[index]
    highest = lowest + segments.end[index] - segments.at[index]
    return [
        Runs(
            space=segments.space[index],
            start=np.maximum(starts + shift, lowest),
            end=np.minimum(ends + shift, highest),
        )
    ]


def _texts(buffer: Bytes, segments: _Segments, filled: list[tuple[int, int]]) -> Runs:
    starts, ends = number_words.find(buffer, segments.at, segments.end, filled)
    index = np.searchsorted(segments.at, starts, side="right") - 1
    shift = segments.offset[index] - segments.at[index]
    found = Runs(space=segments.space[index], start=starts + shift, end=ends + shift)
    return bare_numbers.sparse(found)


def _within(texts: Runs, task: tuple[Place, ...]) -> Runs:
    """Cut texts to the places of a task in which they begin."""
    rows = [(place.space, place.offset, place.offset + place.size) for place in task]
    space, first, last = np.array(rows, np.int64).T
    begins = coordinate(texts.space, texts.start)
    index = np.searchsorted(coordinate(space, first), begins, side="right") - 1
    return Runs(space=texts.space, start=texts.start, end=np.minimum(texts.end, last[index]))


def _unique(parts: list[Hits]) -> Hits:
    """Sort hits, each once: windows overlap."""
    if not parts:
        empty = np.empty(0, np.int64)
        return Hits(rule=empty, space=empty, offset=empty)
    rule, space, offset = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("rule", "space", "offset")
    )
    order = np.lexsort((rule, offset, space))
    rows = np.stack((rule, space, offset))[:, order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (rows[:, 1:] != rows[:, :-1]).any(axis=0)
    rule, space, offset = rows[:, fresh]
    return Hits(rule=rule, space=space, offset=offset)
