"""The integer pool: the edges of random-looking runs, read again from the dump.

A number begins or ends at a run's edge but need not fill the run (SymCrypt's modulus runs on into
its Montgomery constants), so of long runs the edges are kept. A pool lives in the worker that
proves: its bytes never leave it. It is bounded: a dump full of random objects is taken in sections,
one behind the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.integers import apart, bare_numbers, readings
from scanner.detect.integers.bare_numbers import Written
from scanner.detect.integers.limbs import WORD
from scanner.detect.integers.readings import Reading
from scanner.detect.integers.runs import Runs, chosen, coordinate, gather
from scanner.dump.space import Memory
from scanner.model import Place

SPAN = 2080
"""Bytes of a long run that are kept at each edge: more than a 16384-bit number is not tried."""

SLACK = 8
"""A run's edge and a number's are less than this apart, in bytes."""

MARGIN = 32
"""Bytes kept around a run, so that a number which begins before its edge is whole."""

SECTION = 12 << 20
"""Bytes of runs, with what is kept around them, that a pool holds at most where there are several;
its tables need less than as much again, and a search's numbers at most twice as much. One alone may
hold a third more: of two that are small, each costs as much as that one."""

NEIGHBOURHOOD = 64 << 10
"""Bytes within which everything is related to everything; so far do sections overlap."""

FEW_RUNS = 1 << 13
"""Runs up to which a section is one process's, and what is likely there is looked at more."""

DEEP = 8
"""How much more a deep scan spends."""

_STRIDE, _NEAR = 1 << 20, 32 << 10
"""Bytes that are read at once where runs are dense, and bytes between two that are sooner read than
passed over."""

_SHORT, _BESIDE = 72, 48
"""Bytes of a run that is a coordinate, at most; and of what is between two that were laid out in
turn: slots of an allocator are larger than what they hold."""

_ROWS = 1 << 15
"""Runs that are named at once."""

_SHARES = 8
"""Runs are compared in so many shares, by their names: to sort them takes as much memory again, and
more."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pool:
    """Blocks of dump bytes one behind the other, and where their runs begin and end.

    ``at`` is where a block starts in ``data``; ``space`` and ``offset`` say where that is in the
    dump; ``head`` and ``tail`` are positions of the run's edges in ``data`` (-1: not in the block);
    position plus ``phase`` is the address modulo 8; ``any_alignment`` marks blocks whose limbs may
    stand at any byte; ``texts`` are those whose number is written as text, and stands decoded.
    """

    data: Bytes
    at: Offsets
    space: Offsets
    offset: Offsets
    head: Offsets
    tail: Offsets
    phase: Offsets
    any_alignment: Flags
    texts: Mapping[int, Written] = field(default_factory=dict)
    readings: tuple[Reading, ...] = readings.LITTLE_ENDIAN
    memory: Memory
    """Where it was read, and what goes on behind a block may be."""
    deep: bool = False
    """Spend what a deep scan does."""
    listed: dict[tuple[str, int], Offsets] = field(default_factory=dict)
    """Positions that more than one relation asks for, by what they are and the bytes there."""

    @property
    def big_endian(self) -> bool:
        """The dump is one of a big-endian machine."""
        return self.readings is readings.BIG_ENDIAN

    @property
    def ends(self) -> Offsets:
        """Where each block ends in ``data``: behind it stand zeros, which are of no dump."""
        return np.append(self.at[1:], len(self.data) - MARGIN)[: len(self.at)] - MARGIN

    @property
    def few(self) -> bool:
        """There are few runs, or all of them are to be looked at as if there were."""
        return self.deep or len(self.at) - len(self.texts) <= FEW_RUNS

    def at_any_byte(self, positions: Offsets) -> Flags:
        """Tell which positions are in blocks whose words may stand at any byte."""
        block = np.searchsorted(self.at, positions, side="right") - 1
        free: Flags = (block >= 0) & self.any_alignment[block]
        return free

    def budget(self, few: int, many: int) -> int:
        """Return a count of operations: that for few runs, or for many; a deep scan has more."""
        return (few if self.few else many) * (DEEP if self.deep else 1)

    def spans(self, place: Place) -> bool:
        """Tell whether a place lies between the first and the last of the runs."""
        if not len(self.at):
            return False
        first, last = ((int(self.space[i]), int(self.offset[i])) for i in (0, -1))
        return first <= (place.space, place.offset) <= last

    def place(self, position: int, size: int, ahead: int = 0) -> Place:
        """Return where in the dump ``size`` bytes of the pool are: of a text, the whole of it.

        What begins ``ahead`` bytes before the position may begin before its block: in the pool
        another one is there.
        """
        block = self._block(position)
        space, offset = int(self.space[block]), int(self.offset[block])
        if block in self.texts:
            text = self.texts[block]
            return Place(space=space, offset=text.offset, size=text.size)
        offset += position - int(self.at[block]) - ahead
        return Place(space=space, offset=max(offset, 0), size=size)

    def beyond(self, position: int, size: int) -> bytes:
        """Read what stands at a position of no text, which may go on behind the block, or end."""
        place = self.place(position, size)
        return self.memory.clip(place.space, place.offset, size)

    def form(self, position: int, reading: str) -> str:
        """Name how the number at a position is written, or read where it stands as it is."""
        text = self.texts.get(self._block(position))
        return text.form if text else reading

    def _block(self, position: int) -> int:
        return int(np.searchsorted(self.at, position, side="right")) - 1

    def number(self, position: int, bits: int, reading: int) -> int:
        """Read a number of at most ``bits`` bits; 0 where its words are no digits."""
        how = self.readings[reading]
        raw = self.data[position : position + readings.width(how, bits)].tobytes()
        return readings.decode(how, raw) or 0


def outside(runs: Runs, places: Runs) -> Runs:
    """Drop runs that lie whole in a place, but for a part of a word: nothing private is there."""
    order = np.lexsort((places.start, places.space))
    start = coordinate(places.space, places.start)[order]
    end = np.maximum.accumulate(coordinate(places.space, places.end)[order])
    first = coordinate(runs.space, runs.start)
    last = coordinate(runs.space, runs.end)
    before = np.searchsorted(start, first + WORD, side="left")
    keep = (before == 0) | (np.append(end, 0)[before - 1] <= last - WORD)
    return chosen(runs, keep)


def merged(parts: Sequence[Runs]) -> Runs:
    """Put runs of several parts in order, each once."""
    whole = gather(parts)
    order = np.lexsort((whole.end, whole.start, whole.space))
    rows = np.stack((whole.space, whole.start, whole.end))[:, order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (rows[:, 1:] != rows[:, :-1]).any(axis=0)
    space, start, end = rows[:, fresh]
    return Runs(space=space, start=start, end=end)


def sections(runs: Runs) -> Iterator[Runs]:
    """Cut runs so that each part loads to at most SECTION bytes, all to about the same.

    Parts overlap a NEIGHBOURHOOD. What is no more than a third longer stays whole.
    """
    size = np.minimum(runs.end - runs.start, 2 * SPAN)
    ends = np.cumsum(size + 3 * MARGIN * (1 + (size == 2 * SPAN)))
    most = SECTION - 4 * MARGIN
    total = int(ends[-1]) if len(runs) else 0
    alone = total <= most + most // 3
    share = total if alone else min(most, total // -(-total // most) + NEIGHBOURHOOD)
    first = 0
    while first < len(runs):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + share, side="right")), first + 1)
        part = slice(first, last)
        yield chosen(runs, part)
        if last == len(runs):
            return
        near = (runs.space[part] == runs.space[last]) & (
            runs.end[part] > runs.start[last] - NEIGHBOURHOOD
        )
        first = max(last - int(np.count_nonzero(near)), first + (last - first) // 2 + 1)


def whole(runs: Runs) -> Iterator[Runs]:
    """Cut runs so that each part, loaded whole, has about SECTION bytes.

    Parts of one run overlap by MARGIN on either side, as loading takes in so much around each.
    """
    if len(runs) and int((runs.end - runs.start).max()) > SECTION // 2:
        runs = _halved(runs)
    group = runs.end - runs.start  # in place, for of a large dump there are millions
    group += 3 * MARGIN
    np.cumsum(group, out=group)
    group //= SECTION
    for low, high in zip(*_changes(group), strict=True):
        part = slice(low, high)
        yield chosen(runs, part)


def _halved(runs: Runs) -> Runs:
    """Cut runs that are longer than half a section."""
    count = np.maximum(-(-(runs.end - runs.start) // (SECTION // 2)), 1)
    row = np.repeat(np.arange(len(runs)), count)
    part = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    start = runs.start[row] + part * (SECTION // 2)
    end = np.minimum(start + SECTION // 2, runs.end[row])
    return Runs(space=runs.space[row], start=start, end=end)


def _changes(group: Offsets) -> tuple[list[int], list[int]]:
    """Return where stretches of equal values start and end."""
    if not len(group):
        return [], []
    edges = (np.flatnonzero(group[1:] != group[:-1]) + 1).tolist()
    return [0, *edges], [*edges, len(group)]


def load(
    memory: Memory, runs: Runs, span: int = SPAN, *, deep: bool = False, texts: bool = False
) -> Pool:
    """Read runs again from the dump, of longer ones than twice ``span`` bytes the edges.

    Numbers in ``texts`` are decoded.
    """
    long = runs.end - runs.start > 2 * span
    row = np.repeat(np.arange(len(runs)), 1 + long)
    second = np.zeros(len(row), np.bool_)
    second[1:] = row[1:] == row[:-1]
    cut = long[row]
    space, start, end = runs.space[row], runs.start[row], runs.end[row]
    low = np.where(second, end - span, start)
    high = np.where(cut & ~second, start + span, end)
    first = np.maximum(low - MARGIN, 0)
    last = np.minimum(high + MARGIN, memory.map.size[space])
    size = np.maximum(last - first, 0)
    at = MARGIN + np.cumsum(size + MARGIN) - (size + MARGIN)
    data = np.zeros(int(np.sum(size + MARGIN)) + 2 * MARGIN, np.uint8)
    _copy(memory, data.data, space.tolist(), first.tolist(), size.tolist(), at.tolist())
    made = Pool(
        data=data,
        at=at,
        space=space,
        offset=first,
        head=np.where(second, -1, at + start - first),
        tail=np.where(cut & ~second, -1, at + end - first),
        phase=(memory.map.base[space].astype(np.int64) + first - at) % 8,
        any_alignment=~memory.map.addressed[space] | memory.map.doubted[space],
        readings=readings.table(memory.map.byte_order),
        memory=memory,
        deep=deep,
    )
    return replace(made, texts=_decoded(memory, made, size)) if texts else made


def _decoded(memory: Memory, made: Pool, size: Offsets) -> dict[int, Written]:
    """Put what texts spell in the place of each, as a run of its own; what spells nothing is none.

    In the tables of a new pool, whose blocks have so many bytes.
    """
    found: dict[int, Written] = {}
    blocks = np.flatnonzero((made.head >= 0) & (made.tail >= 0))
    for block in blocks[apart.may_be(made.data, made.head[blocks])].tolist():
        at, head, tail = int(made.at[block]), int(made.head[block]), int(made.tail[block])
        row = apart.read(made.data[head:tail].tobytes())
        if row is not None:
            offset = int(made.offset[block]) + head - at
            found[block] = Written(form=row[0], raw=row[1], offset=offset, size=tail - head)
            made.data[at : at + int(size[block])] = 0
    blocks = np.setdiff1d(blocks, [*found])
    spelled = bare_numbers.may_be(made.data, made.head[blocks])
    for block in blocks[spelled].tolist():
        at, head = int(made.at[block]), int(made.head[block])
        offset = int(made.offset[block]) + head - at
        text = bare_numbers.read(
            memory, int(made.space[block]), offset, int(made.tail[block]) - head
        )
        made.data[at : at + int(size[block])] = 0
        if text is None or head + len(text.raw) > at + size[block]:
            made.head[block] = made.tail[block] = -1
            continue
        found[block] = text
    for block, text in found.items():
        head = int(made.head[block])
        made.tail[block] = head + len(text.raw)
        made.data[head : made.tail[block]] = np.frombuffer(text.raw, np.uint8)
        made.phase[block] = -head % 8
    return found


def distinct(memory: Memory, runs: Runs) -> Flags:
    """Flag runs whose bytes, edges included, stood not before: copies prove nothing more.

    Libraries, caches and copied heaps repeat themselves: half of the runs of a real dump, and more.
    Stage three finds every copy of what was proved. Long runs are all kept, and so are copies right
    beside another number of their size.
    """
    short = np.flatnonzero(runs.end - runs.start <= 2 * SPAN)
    names = np.empty(len(short), np.int64)
    for low in range(0, len(short), _ROWS):
        part = short[low : low + _ROWS]
        space, first = runs.space[part], np.maximum(runs.start[part] - SLACK, 0)
        last = np.minimum(runs.end[part] + SLACK, memory.map.size[space])
        raws = blocks(memory, space.tolist(), first.tolist(), (last - first).tolist())
        # A hash is keyed anew in every process, and these are kept in this one.
        names[low : low + _ROWS] = [hash(raw) for raw in raws]
    keep = np.ones(len(runs), np.bool_)
    keep[short] = False
    for share in range(_SHARES):
        rows = np.flatnonzero(names & _SHARES - 1 == share)
        keep[short[rows[np.unique(names[rows], return_index=True)[1]]]] = True
    del short, names
    return keep | _beside_others(runs, keep)


def _beside_others(runs: Runs, keep: Flags) -> Flags:
    """Flag copies beside a short run of their own size that is none: a point next to its scalar.

    What is near to a number says what it may be. Seen in Go (Caddy, after it had read other keys):
    the first copy of a point was a certificate's, and the second stood behind the scalar.
    """
    short = np.flatnonzero(runs.end - runs.start <= _SHORT)
    flags = np.zeros(len(runs), np.bool_)
    for low in range(0, len(short) - 1, _ROWS):
        pairs = short[low : low + _ROWS + 1]
        some = chosen(runs, pairs)  # runs come in order
        size = some.end - some.start
        near = (some.space[1:] == some.space[:-1]) & (some.start[1:] - some.end[:-1] <= _BESIDE)
        near &= abs(np.diff(size)) <= SLACK
        flags[pairs[:-1][near & keep[pairs[1:]]]] = True
        flags[pairs[1:][near & keep[pairs[:-1]]]] = True
    return flags


def _copy(
    memory: Memory,
    view: memoryview,
    spaces: list[int],
    firsts: list[int],
    sizes: list[int],
    ats: list[int],
) -> None:
    """Copy blocks of the dump into the pool."""
    raws = blocks(memory, spaces, firsts, sizes)
    for at, size, block in zip(ats, sizes, raws, strict=True):
        view[at : at + size] = block


def blocks(
    memory: Memory, spaces: list[int], firsts: list[int], sizes: list[int]
) -> Iterator[bytes]:
    """Yield blocks of the dump, reading neighbours together."""
    raw, base, here = b"", 0, -1
    for index, (space, first, size) in enumerate(zip(spaces, firsts, sizes, strict=True)):
        if space != here or not base <= first <= first + size <= base + len(raw):
            here, base, end = space, first, first + size
            for other in range(index + 1, len(spaces)):
                stop = firsts[other] + sizes[other]
                if spaces[other] != space or stop - first > _STRIDE or firsts[other] > end + _NEAR:
                    break
                end = max(end, stop)
            raw = memory.clip(space, first, end - first)
        yield raw[first - base : first - base + size]
